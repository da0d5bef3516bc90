import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expect as expectPage, until } from "../e2e/support/expect.js";
import { comeIn, orderTokens, sameHead, standingOf, start } from "../e2e/support/screens.js";
import { type HostBrowser, openBrowser, openDespiteWarning } from "./support/browser.js";
import { createInternet, type Internet, internetMissing, type Phone } from "./support/internet.js";
import type { Computer } from "./support/namespaces.js";
import { foundWithTurn } from "./support/people.js";
import { type ServerProgram, startServer } from "./support/server.js";
import { startTurn, type TurnServer } from "./support/turn.js";
import { wifiMissing } from "./support/wifi.js";

/**
 * Two homes on the internet, and a phone that goes from its home's Wi-Fi to the mobile network and back: another card,
 * another address, another router, while the page stays open. Each step stands on the one before.
 */
const missing = wifiMissing() ?? internetMissing();
if (missing !== undefined) console.log(`a phone between two networks: skipped, ${missing}`);

/** Five seconds of silence, where only that tells; then a connection to the server, and those to the neighbours. */
const BACK_MS = 10_000;

let internet: Internet;
let server: ServerProgram;
let turn: TurnServer;
const browsers: HostBrowser[] = [];
const pages: Page[] = [];

async function openPage(computer: Computer, url: string): Promise<Page> {
	const browser = await openBrowser(computer);
	browsers.push(browser);
	pages.push(browser.page);
	await openDespiteWarning(browser.page, url);
	return browser.page;
}

/** Nothing but a reload empties it. */
const mark = (page: Page) => page.evaluate(() => Object.assign(window, { isSamePage: true }));
const isSamePage = (page: Page) => page.evaluate(() => "isSamePage" in window);

const countOnline = async (page: Page) =>
	Number(/(\d) av 2 naboer på nett/.exec((await page.locator("header").textContent()) ?? "")?.[1] ?? -1);
const allOnline = async () => (await Promise.all(pages.map(countOnline))).every((count) => count === 2);

describe.skipIf(missing !== undefined)("a phone that goes from one network to another", () => {
	let phone: Phone;

	beforeAll(async () => {
		internet = createInternet(2);
		turn = await startTurn(internet.server);
		server = await startServer(internet.server);
	}, 180_000);

	afterAll(async () => {
		for (const browser of browsers) await browser.close();
		await server?.stop();
		await turn?.stop();
		internet?.remove();
	}, 30_000);

	it("is in a neighbourhood with two homes", async () => {
		phone = internet.phone;
		const kari = await openPage(internet.home(0), server.lanUrl);
		const link = await foundWithTurn(kari, "Kari", turn.address);
		await comeIn(await openPage(internet.home(1), link), link, "Per");
		await comeIn(await openPage(phone, link), link, "Siv");
		for (const name of ["Per", "Siv"]) await expectPage(kari.getByText(name)).visible(60_000);
		await start(kari);
		await until(allOnline, (all) => all, 60_000);
		await sameHead(pages, 1, 30_000);
		for (const page of pages) await mark(page);
	}, 240_000);

	const ways = [
		{ name: "to the mobile network, with 3 s of none in between", stayedMs: 0, go: () => phone.goMobile(3_000) },
		// Nothing tells a page of this: it finds that nobody speaks any more. In a network where it was for a while.
		{ name: "home, into a Wi-Fi that is there before", stayedMs: 31_000, go: () => phone.comeHome(-2_000) },
		{ name: "to the mobile network at once", stayedMs: 0, go: () => phone.goMobile(0) },
		{ name: "home at once", stayedMs: 0, go: () => phone.comeHome(0) },
	];
	for (const { name, stayedMs, go } of ways) {
		it(`is back with all neighbours and one head: ${name}`, async () => {
			await sleep(stayedMs);
			const before = await sameHead(pages, 1, 30_000);
			await go();
			const goneMs = Date.now();
			// Whether it is seen as gone in between, or not at all: an order from there needs everybody's channels.
			await orderTokens(pages[2] as Page);
			const now = await sameHead(pages, before.headIndex + 1, 60_000);
			const oneHeadMs = Date.now() - goneMs;
			await until(allOnline, (all) => all, 60_000);
			const backMs = Date.now() - goneMs;
			console.log(
				`phone, ${name}: one head (block ${now.headIndex}) after ${oneHeadMs} ms, all online after ${backMs} ms`,
			);
			expect(await isSamePage(pages[2] as Page)).toBe(true);
			expect(backMs).toBeLessThan(BACK_MS);
			expect((await standingOf(pages[2] as Page)).headIndex).toBeGreaterThan(before.headIndex);
		}, 180_000);
	}
});
