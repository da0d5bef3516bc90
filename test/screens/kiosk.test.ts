import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import nb from "../../src/ui/messages/nb.json" with { type: "json" };
import { type App, startApp } from "../e2e/support/app.js";
import { expect as expectPage, until } from "../e2e/support/expect.js";
import { comeIn, goTo, openLobby, start } from "../e2e/support/screens.js";
import { watchPolicy } from "../e2e/support/watchPolicy.js";

/** Two households; the first one's screen becomes a kiosk. Each test stands on the one before. */
let app: App;
let kiosk: Page;
const complaints: string[] = [];

beforeAll(async () => {
	app = await startApp();
	kiosk = await app.openPage();
	await watchPolicy(kiosk, complaints);
	await kiosk.addInitScript(() => {
		window.kiosk = { granted: 0, isMarked: false };
		const ask = WakeLock.prototype.request;
		WakeLock.prototype.request = async function (type) {
			const sentinel = await ask.call(this, type);
			window.kiosk.granted += 1;
			return sentinel;
		};
	});
	// Time goes on as it does, and can be let go on faster.
	await kiosk.clock.install();
	const link = await openLobby(kiosk, app.url, { neighbourhood: "Solbakken", household: "Lia 1" });
	await comeIn(await app.openPage(), `${app.url}/${link.slice(link.indexOf("#"))}`, "Lia 2");
	await expectPage(kiosk.getByText("Lia 2")).visible();
	await start(kiosk);
	await expectPage(kiosk.getByText("1 av 1 naboer på nett")).visible();
	await goTo(kiosk, "meter");
	await kiosk.getByRole("button", { name: nb.meter_simulate_consumer }).click();
	await expectPage(kiosk.getByText(nb.meter_live_in)).visible();
});

afterAll(async () => {
	await app?.stop();
});

declare global {
	interface Window {
		kiosk: { granted: number; isMarked: boolean };
	}
}

const bodyOf = (page: Page) => page.locator("body").textContent();
/** Marks a page, so that one that is loaded later can be told from it. */
const mark = (page: Page) =>
	page.evaluate(() => {
		window.kiosk.isMarked = true;
	});
const isMarked = (page: Page) => page.evaluate(() => window.kiosk.isMarked);
const reasons = (page: Page) =>
	page.evaluate(() => {
		const { restarts } = JSON.parse(localStorage.getItem("nabostrom/kiosk") ?? "{}");
		return restarts.map(({ reason }: { reason: string }) => reason);
	});

/** Lets 40 s pass for the page, in steps between which a node that goes on has time to answer. */
async function passQuickly(page: Page): Promise<void> {
	for (let step = 0; step < 8; step++) {
		await page.clock.runFor(5_000);
		await new Promise((resolve) => setTimeout(resolve, 250));
	}
}

describe("a kiosk", () => {
	it("begins with a press that fills the screen, shows the home screen's figures, and keeps the screen on", async () => {
		await goTo(kiosk, "");
		await expectPage(kiosk.getByText("Akkurat nå")).visible();
		const balance = await kiosk
			.locator("section", { hasText: nb.nav_balance })
			.locator(".figure")
			.first()
			.textContent();
		await goTo(kiosk, "more");
		await kiosk.getByRole("button", { name: nb.kiosk_start }).click();
		await expectPage(kiosk.getByText(nb.kiosk_drawing)).visible();
		const said = ((await bodyOf(kiosk)) ?? "").replace(/\s+/g, " ");
		for (const figure of [balance ?? "", "145,0 øre/kWh", "1/1 naboer"])
			expect(said).toContain(figure.replace(/\s+/g, " "));
		expect(said).toMatch(/Lia 1 ?\d{2}[:.]\d{2}/);
		await until(
			() => kiosk.evaluate(() => [window.kiosk.granted, document.fullscreenElement?.localName]),
			([granted, filling]) => granted === 1 && filling === "html",
			5_000,
		);
		// Black in a browser that likes light screens, too: the text is the dark theme's.
		const text = await kiosk.locator(".kiosk").evaluate((shown) => getComputedStyle(shown).getPropertyValue("--text"));
		expect(text.trim()).toBe("#f2f5fa");
		// Nothing leads on from here but the way out.
		expect(await kiosk.locator(".kiosk a").count()).toBe(0);
		expect(await kiosk.getByRole("button").count()).toBe(1);
	});

	it("survives a reload, keeps the screen on again, and says that it started anew", async () => {
		await kiosk.reload();
		await expectPage(kiosk.getByText(nb.kiosk_drawing)).visible();
		await expectPage(kiosk.getByText(nb.kiosk_reason_unplanned)).visible();
		await until(
			() => kiosk.evaluate(() => window.kiosk.granted),
			(granted) => granted === 1,
			5_000,
		);
	});

	it("stays as it is while its node goes on", async () => {
		await mark(kiosk);
		await passQuickly(kiosk);
		expect(await isMarked(kiosk)).toBe(true);
	});

	it("is loaded anew when its node's worker hangs, and says why", async () => {
		const node = kiosk.workers().find((worker) => worker.url().includes("/assets/worker/main"));
		void node
			?.evaluate(() => {
				for (;;);
			})
			.catch(() => {});
		await passQuickly(kiosk).catch(() => {});
		await until(
			() => isMarked(kiosk),
			(marked) => !marked,
			10_000,
		);
		await expectPage(kiosk.getByText(nb.kiosk_reason_silent)).visible();
		await expectPage(kiosk.getByText(nb.kiosk_drawing)).visible();
		expect(await reasons(kiosk)).toEqual(["silent", "unplanned"]);
	});

	it("is left by two presses alone, and is no kiosk then", async () => {
		await kiosk.getByRole("button", { name: nb.kiosk_leave }).press("Enter");
		await kiosk.getByRole("dialog").getByRole("button", { name: nb.kiosk_stay }).press("Enter");
		await expectPage(kiosk.getByText(nb.kiosk_drawing)).visible();
		await kiosk.getByRole("button", { name: nb.kiosk_leave }).press("Enter");
		await kiosk.getByRole("dialog").getByRole("button", { name: nb.kiosk_leave }).press("Enter");
		await expectPage(kiosk.getByText("Akkurat nå")).visible();
		await goTo(kiosk, "more");
		await kiosk.getByText(nb.kiosk_restarts).click();
		await expectPage(kiosk.getByText(nb.kiosk_reason_silent)).visible();
		await kiosk.reload();
		expect(await reasons(kiosk)).toEqual(["silent", "unplanned"]);
	});

	it("did nothing that the content security policy refuses, nor asked for what the browser withholds", async () => {
		expect(await kiosk.evaluate(() => window.violations)).toEqual([]);
		expect(complaints).toEqual([]);
	});
});
