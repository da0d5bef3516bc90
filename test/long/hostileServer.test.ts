import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type App, startApp } from "../e2e/support/app.js";
import { expect as expectPage } from "../e2e/support/expect.js";
import { type HostileServer, startHostileServer } from "../e2e/support/hostileServer.js";
import { comeIn, openLobby, orderTokens, sameHead, start } from "../e2e/support/screens.js";

/** Three real pages whose only signaling server is against them. */
let app: App;
let hostile: HostileServer;
let link = "";
const pages: Page[] = [];
const NAMES = ["Nissebakken", "Tårnhuset", "Gullhuset", "Vannhuset"] as const;

beforeAll(async () => {
	app = await startApp();
	hostile = await startHostileServer(app.url);
}, 120_000);

afterAll(async () => {
	await app?.stop();
	await hostile?.stop();
});

describe("a signaling server that drops, reorders, repeats, alters, moves and floods", () => {
	it("keeps nobody from meeting, founding and agreeing on blocks", async () => {
		const [neighbourhood, household, ...guests] = NAMES;
		for (let n = 0; n < 3; n++) pages.push(await app.openPage());
		const [founder, ...others] = pages as [Page, ...Page[]];
		const shared = await openLobby(founder, hostile.url, { neighbourhood, household });
		link = `${hostile.url}/${shared.slice(shared.indexOf("#"))}`;
		for (const [n, page] of others.entries()) await comeIn(page, link, guests[n] ?? "");
		for (const guest of guests) await expectPage(founder.getByText(guest)).visible(60_000);
		await start(founder);
		for (const page of pages) await expectPage(page.getByText("2 av 2 naboer på nett")).visible(60_000);
		await orderTokens(founder);
		await sameHead(pages, 1, 60_000);
	}, 240_000);

	it("is in no session, and has not seen a word", async () => {
		console.log(`the hostile server: ${JSON.stringify(hostile.deeds)}, ${hostile.log.length} messages written down`);
		for (const count of Object.values(hostile.deeds)) expect(count).toBeGreaterThan(0);
		const published = hostile.log.map((text) => JSON.parse(text)).filter(({ type }) => type === "publish");
		expect(new Set(published.map(({ data }) => data.length)).size).toBe(1);
		// As it came, and as what base64 stands for.
		const seen = [
			...hostile.log,
			...published.map(({ data }) => Buffer.from(data, "base64url").toString("latin1")),
		].join("\n");
		const secret = link.slice(link.indexOf("=") + 1);
		const keys = await Promise.all(pages.map(keysOf));
		const words = [...NAMES, "fingerprint", "candidate", "127.0.0.1", "webrtc", "reading", secret, ...keys.flat()];
		expect(keys.flat().length).toBeGreaterThanOrEqual(2 * pages.length);
		for (const word of words) expect([word, seen.includes(word)]).toEqual([word, false]);
		// Each page has its two neighbours and nobody else.
		for (const page of pages) await expectPage(page.getByText("2 av 2 naboer på nett")).visible();
	}, 60_000);
});

/** The grid id and the device's key, in hex and as bytes, as the names of its databases have them. */
async function keysOf(page: Page): Promise<string[]> {
	const names = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name ?? ""));
	const keys = names.flatMap((name) => name.match(/[0-9a-f]{32,}/g) ?? []);
	return keys.flatMap((key) => [key.slice(0, 32), Buffer.from(key, "hex").toString("latin1")]);
}
