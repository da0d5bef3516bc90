import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expect as expectPage } from "../e2e/support/expect.js";
import { comeIn, orderTokens, sameHead, start } from "../e2e/support/screens.js";
import { type HostBrowser, openBrowser, openDespiteWarning } from "./support/browser.js";
import { createInternet, type Home, type Internet, internetMissing } from "./support/internet.js";
import { foundWithTurn } from "./support/people.js";
import { type ServerProgram, startServer } from "./support/server.js";
import { startTurn, type TurnServer } from "./support/turn.js";
import { wifiMissing } from "./support/wifi.js";

/**
 * Four homes on the internet, each behind a strict router of its own: the test that the thesis's prototype failed with two
 * networks. Only a TURN server can bring them together. Each step stands on the one before.
 */
const missing = wifiMissing() ?? internetMissing();
if (missing !== undefined) console.log(`homes on the internet: skipped, ${missing}`);

const NAMES = ["Kari", "Jorunn", "Torbjørn", "Ingvild"] as const;
const CUT_OFF_MS = 60_000;

let internet: Internet;
let server: ServerProgram;
let turn: TurnServer;
const browsers: HostBrowser[] = [];
const pages: Page[] = [];

async function openPage(home: Home, url: string): Promise<Page> {
	const browser = await openBrowser(home);
	browsers.push(browser);
	pages.push(browser.page);
	await openDespiteWarning(browser.page, url);
	return browser.page;
}

function page(at: number): Page {
	const one = pages[at];
	if (one === undefined) throw new Error("not come yet");
	return one;
}

const online = (one: Page, count: number, timeoutMs: number) =>
	expectPage(one.getByText(`${count} av 3 naboer på nett`)).visible(timeoutMs);

describe.skipIf(missing !== undefined)("four homes on the internet, each behind its own router", () => {
	beforeAll(async () => {
		internet = createInternet(NAMES.length);
		turn = await startTurn(internet.server);
		server = await startServer(internet.server);
	}, 180_000);

	afterAll(async () => {
		for (const browser of browsers) await browser.close();
		await server?.stop();
		await turn?.stop();
		internet?.remove();
	}, 30_000);

	it("cannot reach one another, only the server", () => {
		const connect = (address: string, port: number) => {
			const script = `require("node:net").connect({ host: "${address}", port, timeout: 1_000 })
				.on("connect", () => end("open")).on("error", ({ code }) => end(code)).on("timeout", () => end("silence"));
				function end(word) { console.log(word); process.exit(); }`.replace("port,", `port: ${port},`);
			return internet.home(0).run(process.execPath, ["-e", script]).trim();
		};
		expect(connect(internet.server.address, 4_443)).toBe("open");
		for (let at = 1; at < NAMES.length; at++) expect(connect(`203.0.113.${20 + at}`, 4_443)).not.toBe("open");
	});

	it("gather in a lobby whose link names the TURN server", async () => {
		const kari = await openPage(internet.home(0), server.lanUrl);
		const link = await foundWithTurn(kari, NAMES[0], turn.address);
		for (let at = 1; at < NAMES.length; at++) {
			const guest = await openPage(internet.home(at), link);
			await comeIn(guest, link, NAMES[at] ?? "");
		}
		for (const name of NAMES.slice(1)) await expectPage(kari.getByText(name)).visible(60_000);
		expect(turn.allocations()).toBeGreaterThanOrEqual(NAMES.length);
	}, 240_000);

	it("found a neighbourhood, all connected with all, and agree on blocks", async () => {
		const startedMs = Date.now();
		await start(page(0));
		for (const one of pages) await online(one, 3, 60_000);
		console.log(`four homes: all see all ${Date.now() - startedMs} ms after the start, ${turn.allocations()} relays`);
		const before = await sameHead(pages, 1, 30_000);
		await orderTokens(page(1));
		await sameHead(pages, before.headIndex + 1, 30_000);
	}, 180_000);

	it("go on without one whose line is cut, and have it back when the line is", async () => {
		const before = await sameHead(pages, 1, 30_000);
		internet.home(3).cutOff();
		const cutMs = Date.now();
		for (const at of [0, 1, 2]) await online(page(at), 2, 30_000);
		await orderTokens(page(2));
		const ahead = await sameHead(pages.slice(0, 3), before.headIndex + 1, 40_000);
		await sleep(Math.max(0, cutMs + CUT_OFF_MS - Date.now()));
		internet.home(3).connect();
		const backMs = Date.now();
		for (const one of pages) await online(one, 3, 90_000);
		const now = await sameHead(pages, ahead.headIndex, 60_000);
		console.log(
			`four homes: one head (block ${now.headIndex}) again ${Date.now() - backMs} ms after the line came back`,
		);
	}, 300_000);
});
