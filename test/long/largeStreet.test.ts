import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { type App, startApp } from "../e2e/support/app.js";
import { expect as expectPage, until } from "../e2e/support/expect.js";
import { comeIn, openLobby, orderTokens, sameHead, start } from "../e2e/support/screens.js";
import { countConnections, watchConnections } from "../e2e/support/watchConnections.js";

/**
 * A street in which not everybody is connected with everybody, in real pages: the app takes more than five devices for
 * many. Four vote; the others are phones. Each step stands on the one before.
 */
const VOTERS = 4;
const PAGES = 8;
/** An observer has so many. */
const CHANNELS = 3;

let app: App;
const pages: Page[] = [];

beforeAll(async () => {
	app = await startApp({ fullMeshDevices: 5 });
}, 120_000);

afterAll(async () => {
	await app?.stop();
});

const counts = () => Promise.all(pages.map(countConnections));

const online = (page: Page, count: number, timeoutMs: number) =>
	expectPage(page.getByText(`${count} av ${PAGES - 1} naboer på nett`)).visible(timeoutMs);

describe("a street of more devices than are connected with one another", () => {
	it("is founded in a lobby of all, who then let go of the channels that they do not need", async () => {
		for (let at = 0; at < PAGES; at++) {
			const page = await app.openPage();
			await watchConnections(page);
			pages.push(page);
		}
		const [founder, ...guests] = pages as [Page, ...Page[]];
		const shared = await openLobby(founder, app.url, { neighbourhood: "Solbakken", household: "Hus 1" });
		const link = `${app.url}/${shared.slice(shared.indexOf("#"))}`;
		for (const [at, page] of guests.entries()) await comeIn(page, link, `Hus ${at + 2}`, at + 1 < VOTERS);
		await expectPage(founder.getByText(`Hus ${PAGES}`)).visible();
		await until(counts, (seen) => seen.every((count) => count === PAGES - 1), 60_000);
		await start(founder);
		for (const page of pages) await online(page, PAGES - 1, 30_000);
		const startedMs = Date.now();
		// A channel that one side has let go of is closed on the other a moment later.
		const toObservers = (now: readonly number[]) =>
			now.slice(0, VOTERS).reduce((sum, count) => sum + count - (VOTERS - 1), 0);
		const seen = await until(
			counts,
			(now) =>
				now.slice(VOTERS).every((count) => count === CHANNELS) && toObservers(now) === CHANNELS * (PAGES - VOTERS),
			90_000,
		);
		console.log(
			`connections of ${PAGES} pages, ${VOTERS} of which vote: ${seen.join(" ")}, after ${Date.now() - startedMs} ms`,
		);
	}, 240_000);

	it("shows everybody that all are there, and carries an observer's order to everybody", async () => {
		for (const page of pages) await online(page, PAGES - 1, 10_000);
		const before = await sameHead(pages, 1, 30_000);
		const beganMs = Date.now();
		await orderTokens(pages[VOTERS] as Page);
		await sameHead(pages, before.headIndex + 1, 20_000);
		console.log(`an observer's order: one head again after ${Date.now() - beganMs} ms`);
	}, 90_000);

	it("gives those who lost a voter another one, and goes on", async () => {
		const before = await sameHead(pages, 1, 30_000);
		await pages[1]?.context().close();
		pages.splice(1, 1);
		const lostMs = Date.now();
		// Three voters are left, and each observer is connected with all of them.
		const phones = PAGES - VOTERS;
		const expected = [...Array(CHANNELS).fill(CHANNELS - 1 + phones), ...Array(phones).fill(CHANNELS)].join();
		const seen = await until(counts, (now) => now.join() === expected, 60_000);
		console.log(`a voter is gone: connections ${seen.join(" ")} after ${Date.now() - lostMs} ms`);
		await orderTokens(pages.at(-1) as Page);
		await sameHead(pages, before.headIndex + 1, 40_000);
	}, 180_000);
});
