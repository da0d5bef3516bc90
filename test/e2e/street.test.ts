import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type App, startApp } from "./support/app.js";
import { expect as expectPage, until } from "./support/expect.js";
import {
	comeIn,
	givePasswordWhenAsked,
	goTo,
	linkOf,
	openLobby,
	orderTokens,
	type Standing,
	sameHead,
	standingOf,
	start,
} from "./support/screens.js";

/**
 * Six real pages: founded in the lobby as people do it, killed, opened again, joined later. One street, told from its
 * beginning to its end; each step stands on the one before.
 */
let app: App;
const pages: Page[] = [];
let lastOpenedMs = 0;

beforeAll(async () => {
	app = await startApp();
});

afterAll(async () => {
	await app?.stop();
});

const GUESTS = 5;
/** The founder's profile lasts: its page is closed and opened again. */
let folder = "";
let founder: Awaited<ReturnType<App["openPersistent"]>>;

async function standings(of: readonly Page[]): Promise<Standing[]> {
	return Promise.all(of.map(standingOf));
}

describe("a street of six pages", () => {
	it("gathers in the lobby by its link", async () => {
		folder = await app.newFolder();
		founder = await app.openPersistent(folder);
		pages.push(founder.page);
		const names = { neighbourhood: "Solbakken", household: "Bjørkeveien 1" };
		const shared = await openLobby(founder.page, app.url, names);
		const link = `${app.url}/${shared.slice(shared.indexOf("#"))}`;
		for (let guest = 0; guest < GUESTS; guest++) {
			const page = await app.openPage();
			pages.push(page);
			if (guest === GUESTS - 1) lastOpenedMs = Date.now();
			await comeIn(page, link, `Bjørkeveien ${guest + 2}`);
		}
		await expectPage(founder.page.getByText(`Bjørkeveien ${GUESTS + 1}`)).visible();
	});

	it("has a genesis, a full mesh and a leader within 20 s of the last page's opening", async () => {
		await start(founder.page);
		for (const page of pages) await expectPage(page.getByText(`${GUESTS} av ${GUESTS} naboer på nett`)).visible();
		const all = await until(
			() => standings(pages),
			(seen) => seen.every(({ leader, headIndex }) => leader !== "" && leader !== "ingen" && headIndex >= 1),
			30_000,
		);
		const elapsedMs = Date.now() - lastOpenedMs;
		console.log(`${GUESTS + 1} pages: lobby to leader in ${elapsedMs} ms after the last page opened`);
		expect(new Set(all.map(({ leader }) => leader)).size).toBe(1);
	});

	it("keeps the same chain on every page while blocks come", async () => {
		const before = await sameHead(pages, 1, 30_000);
		const { page } = founder;
		// An order does not wait for the minute.
		await orderTokens(page);
		await sameHead(pages, before.headIndex + 1, 10_000);
		// The minute's block, after the minute.
		await sameHead(pages, before.headIndex + 2, 75_000);
	}, 130_000);

	it("checks any block in the browser: the newest, the first, and one that was asked for by its number", async () => {
		const page = pages.at(-1);
		if (page === undefined) throw new Error("no page");
		await goTo(page, "chain");
		const rail = page.locator("ol");
		await rail.locator("summary").first().click();
		await expectPage(rail.getByText("Kontrollert nå, i denne nettleseren: Blokken er uendret").first()).visible();
		await rail.getByText("Vis detaljer").click();
		await expectPage(rail.getByText("Tilstandsrot")).visible();
		for (const [number, said] of [
			["0", "Den første blokken er uendret og signert av alle som var med"],
			["1", "Blokken er uendret"],
		] as const) {
			await page.getByRole("radio", { name: "Nummer" }).check({ force: true });
			await page.getByLabel("Blokknummer").fill(number);
			await page.getByRole("button", { name: "Finn" }).click();
			await expectPage(rail.getByText(said)).visible();
		}
		await page.getByLabel("Blokknummer").fill("99999");
		await page.getByRole("button", { name: "Finn" }).click();
		await expectPage(page.getByText("Skriv et tall fra 0 til")).visible();
	});

	it("elects a new leader and makes the next block within 15 s of the leader's closing", async () => {
		const { leader, headIndex, term } = await sameHead(pages, 1, 20_000);
		const at = Number(leader.replace("Bjørkeveien ", "")) - 1;
		const [gone] = pages.splice(at, 1);
		if (gone === undefined) throw new Error(`no page of ${leader}`);
		const closedMs = Date.now();
		await gone.context().close();
		const [first] = pages;
		if (first === undefined) throw new Error("no page");
		const now = await until(
			() => standingOf(first),
			(seen) => seen.term > term && seen.headIndex > headIndex,
			15_000,
		);
		console.log(`leader closed: next block after ${Date.now() - closedMs} ms`);
		expect(now.leader).not.toBe(leader);
		await sameHead(pages, headIndex + 1, 15_000);
	});

	it("has a page that was closed catch up from its own storage", async () => {
		// It may have been the leader, and be closed already.
		if (pages.includes(founder.page)) {
			pages.splice(pages.indexOf(founder.page), 1);
			await founder.context.close();
		}
		const { headIndex } = await sameHead(pages, 1, 20_000);
		founder = await app.openPersistent(folder);
		// Nothing is asked: the node goes on where it was.
		await founder.page.goto(app.url);
		await givePasswordWhenAsked(founder.page);
		await expectPage(founder.page.getByText("Akkurat nå")).visible();
		pages.unshift(founder.page);
		await sameHead(pages, headIndex, 30_000);
	});

	it("takes in one more household by invitation, as an observer that catches up", async () => {
		await goTo(founder.page, "members");
		await founder.page.getByRole("button", { name: "Lag invitasjon" }).click();
		const shared = await linkOf(founder.page);
		const late = await app.openPage();
		await comeIn(late, `${app.url}/${shared.slice(shared.indexOf("#"))}`, `Bjørkeveien ${GUESTS + 2}`, false);
		await expectPage(late.getByText("Akkurat nå")).visible();
		pages.push(late);
		await sameHead(pages, 1, 30_000);
		await goTo(late, "chain");
		await expectPage(late.getByText("observatør")).visible();
	});
});
