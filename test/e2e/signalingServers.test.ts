import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Service, startService } from "../../signaling/service.js";
import nb from "../../src/ui/messages/nb.json" with { type: "json" };
import { type App, startApp } from "./support/app.js";
import { expect as expectPage, until } from "./support/expect.js";
import { comeIn, goTo, openLobby, orderTokens, sameHead, start } from "./support/screens.js";
import { countConnections, watchConnections } from "./support/watchConnections.js";
import { watchPolicy } from "./support/watchPolicy.js";

/**
 * The app's own server names a second one. Pages find one another while either of them is there, and people notice
 * nothing. Each step stands on the one before.
 */
let second: Service;
let secondPort: number;
let app: App;
const pages: Page[] = [];
let link = "";

const startSecond = async () => {
	const started = await startService({ port: secondPort });
	if (!started.ok) throw new Error(started.error.code);
	second = started.value;
	secondPort = Number(new URL(second.localUrl).port);
};

beforeAll(async () => {
	secondPort = 0;
	await startSecond();
	app = await startApp({ furtherServers: [second.localUrl.replace("http", "ws")] });
});

afterAll(async () => {
	await app?.stop();
	await second?.stop();
});

async function openPage(): Promise<Page> {
	const page = await app.openPage();
	await watchPolicy(page, []);
	await watchConnections(page);
	pages.push(page);
	return page;
}

const online = (page: Page, timeoutMs: number) =>
	expectPage(page.getByText(`${pages.length - 1} av ${pages.length - 1} naboer på nett`)).visible(timeoutMs);

/** How many servers a page reaches, as the chain's screen says it. */
async function serversOf(page: Page): Promise<string> {
	await goTo(page, "chain");
	const servers = await page
		.locator("dt", { hasText: nb.chain_signaling })
		.locator("xpath=following-sibling::dd[1]")
		.textContent();
	return servers?.trim() ?? "";
}

async function reach(expected: string): Promise<void> {
	await until(
		() => Promise.all(pages.map(serversOf)),
		(seen) => seen.every((text) => text === expected),
		30_000,
	);
}

/** Nothing on the screen says that anything is wrong. */
async function expectCalm(): Promise<void> {
	for (const page of pages) {
		const text = await page.locator("body").textContent();
		for (const alarm of [nb.signaling_lost, nb.banner_offline, nb.banner_alone]) expect(text).not.toContain(alarm);
	}
}

/** Every WebRTC connection ends, as when a network breaks. */
async function breakConnections(): Promise<void> {
	for (const page of pages)
		await page.evaluate(() => {
			for (const each of window.connections) each.close();
		});
	expect(await Promise.all(pages.map(countConnections))).toEqual(pages.map(() => 0));
}

describe("two signaling servers", () => {
	it("are both used by a lobby, though its pages came from one", async () => {
		const founder = await openPage();
		const shared = await openLobby(founder, app.url, { neighbourhood: "Solbakken", household: "Hus 1" });
		link = `${app.url}/${shared.slice(shared.indexOf("#"))}`;
		await comeIn(await openPage(), link, "Hus 2");
		await expectPage(founder.getByText("Hus 2")).visible();
		const health = async (url: string) => (await (await fetch(`${url}/health`)).json()).sockets;
		expect([await health(app.url), await health(second.localUrl)]).toEqual([2, 2]);
	});

	it("let a neighbour in while the second one is away, and nobody is alarmed", async () => {
		await second.stop();
		await comeIn(await openPage(), link, "Hus 3");
		await expectPage((pages[0] as Page).getByText("Hus 3")).visible();
		await expectCalm();
		await start(pages[0] as Page);
		for (const page of pages) await online(page, 30_000);
		await reach("1 av 2");
		await expectCalm();
		await startSecond();
		await reach("2 av 2");
	});

	it("bring pages together again while the one that they came from is away", async () => {
		const before = await sameHead(pages, 1, 30_000);
		// A screen is loaded from its server when it is first shown.
		await goTo(pages[1] as Page, "balance");
		await pages[1]?.getByLabel("Beløp").waitFor();
		await app.stopServer();
		await reach("1 av 2");
		await breakConnections();
		const brokenMs = Date.now();
		await until(
			() => Promise.all(pages.map(countConnections)),
			(seen) => seen.every((count) => count === pages.length - 1),
			60_000,
		);
		console.log(`all connected again through the second server after ${Date.now() - brokenMs} ms`);
		for (const page of pages) await online(page, 20_000);
		await orderTokens(pages[1] as Page);
		await sameHead(pages, before.headIndex + 1, 30_000);
		await expectCalm();
	}, 150_000);

	it("are all that the pages' policy lets them connect to", async () => {
		const [page] = pages as [Page];
		expect(await page.evaluate(() => window.violations)).toEqual([]);
		const blocked = await page.evaluate(async () => {
			new WebSocket("ws://127.0.0.1:9/");
			await new Promise((resolve) => setTimeout(resolve, 100));
			return window.violations;
		});
		expect(blocked).toEqual([{ directive: "connect-src", blocked: "ws://127.0.0.1:9/" }]);
	});
});
