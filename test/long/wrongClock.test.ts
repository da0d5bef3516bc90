import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type App, startApp } from "../e2e/support/app.js";
import { expect as expectPage } from "../e2e/support/expect.js";
import { comeIn, openLobby } from "../e2e/support/screens.js";

/** A device whose clock is far from the neighbours' meets nobody: it is told why. */
const AHEAD_MINUTES = 17;
const SENTENCE = `Klokken på denne enheten går ${AHEAD_MINUTES} minutter foran naboenes`;

let app: App;

beforeAll(async () => {
	app = await startApp();
}, 120_000);

afterAll(async () => {
	await app?.stop();
});

/** The node's clock is set: it gets the world's time from its page's first message. */
async function setClock(page: Page, aheadMs: number): Promise<void> {
	await page.addInitScript((ms) => {
		window.Worker = class extends Worker {
			override postMessage(
				message: { clock?: { chainMs: number } },
				options?: StructuredSerializeOptions | Transferable[],
			): void {
				if (message.clock !== undefined) message.clock = { ...message.clock, chainMs: message.clock.chainMs + ms };
				super.postMessage(message, options as StructuredSerializeOptions);
			}
		};
	}, aheadMs);
}

describe("a guest whose clock is wrong", () => {
	it("reads so in the lobby, with the minutes; with one more guest the founder knows that its own is right", async () => {
		const [founder, wrong, right] = [await app.openPage(), await app.openPage(), await app.openPage()];
		await setClock(wrong, AHEAD_MINUTES * 60_000);
		const shared = await openLobby(founder, app.url, { neighbourhood: "Solbakken", household: "Hus 1" });
		const link = `${app.url}/${shared.slice(shared.indexOf("#"))}`;
		await comeIn(right, link, "Hus 2");
		await expectPage(founder.getByText("Hus 2")).visible();
		await comeIn(wrong, link, "Hus 3");
		const cameMs = Date.now();
		// Who is connected with somebody announces itself every 15 to 30 s.
		await expectPage(wrong.getByText(SENTENCE)).visible(45_000);
		console.log(`a guest whose clock is wrong is told after ${Date.now() - cameMs} ms`);
		for (const page of [founder, right]) {
			expect(await page.locator("body").textContent()).not.toContain("Klokken på denne enheten");
		}
	}, 90_000);
});
