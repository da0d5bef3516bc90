/**
 * A household's devices in real browsers: a profile that was copied, and a browser that lost everything. Five pages, each
 * with a profile that lasts, as at home.
 */
import { cp } from "node:fs/promises";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type App, startApp } from "../e2e/support/app.js";
import { expect as expectPage, until } from "../e2e/support/expect.js";
import {
	comeBack,
	comeIn,
	givePasswordWhenAsked,
	goTo,
	linkOf,
	openLobby,
	standingOf,
	start,
} from "../e2e/support/screens.js";

interface Home {
	folder: string;
	context: BrowserContext;
	page: Page;
}

let app: App;
const homes: Home[] = [];

async function open(folder: string): Promise<Home> {
	return { folder, ...(await app.openPersistent(folder)) };
}

/** The browser of a household is started on what its folder holds. */
async function openAgain(folder: string): Promise<Home> {
	const home = await open(folder);
	await givePasswordWhenAsked(home.page);
	await home.page.goto(app.url);
	return home;
}

function homeOf(at: number): Home {
	const home = homes[at];
	if (home === undefined) throw new Error(`home ${at}`);
	return home;
}

async function linkTo(page: Page): Promise<string> {
	const shared = await linkOf(page);
	return `${app.url}/${shared.slice(shared.indexOf("#"))}`;
}

/** Waits until these pages show one head above an index. */
async function together(pages: readonly Page[], aboveIndex: number): Promise<number> {
	const [first] = await until(
		() => Promise.all(pages.map(standingOf)),
		(seen) => seen.every(({ headHash, headIndex }) => headHash === seen[0]?.headHash && headIndex > aboveIndex),
		100_000,
	);
	return first?.headIndex ?? 0;
}

const notVoting = (page: Page) => page.getByText(/Denne enhetens nøkkel er også i bruk et annet sted/);

beforeAll(async () => {
	app = await startApp();
	const founder = await open(await app.newFolder());
	homes.push(founder);
	await openLobby(founder.page, app.url, { neighbourhood: "Solbakken", household: "Bjørkeveien 1" });
	const link = await linkTo(founder.page);
	for (let at = 1; at < 5; at++) {
		const home = await open(await app.newFolder());
		homes.push(home);
		await comeIn(home.page, link, `Bjørkeveien ${at + 1}`);
	}
	await expectPage(founder.page.getByText("Bjørkeveien 5")).visible();
	await start(founder.page);
	await together(
		homes.map(({ page }) => page),
		0,
	);
}, 180_000);

afterAll(async () => {
	await app?.stop();
});

it("a browser that lost everything comes back by the restore link: the same household, with what it had", async () => {
	const lost = homeOf(2);
	await goTo(lost.page, "more");
	await lost.page.getByRole("button", { name: "Vis gjenopprettingslenken" }).click();
	const link = await linkTo(lost.page);
	await lost.context.close();
	const home = await open(await app.newFolder());
	homes[2] = home;
	await comeBack(home.page, link);
	await expectPage(home.page.getByText("Akkurat nå")).visible(60_000);
	await expectPage(home.page.getByText("Bjørkeveien 3").first()).visible();
	await together([homeOf(0).page, home.page], 0);
	// The old device was the only one: the new one is, from now on.
	await goTo(home.page, "more");
	await expectPage(home.page.getByText("Denne enheten").first()).visible();
	expect(await home.page.getByRole("button", { name: /Ta ut av bruk/ }).count()).toBe(0);
}, 200_000);

it("a copied profile: both stop voting and say why, the street goes on, and one of the two is taken into use again", async () => {
	const before = homeOf(1);
	await before.context.close();
	const copied = await app.newFolder();
	await cp(before.folder, copied, { recursive: true });
	const original = await openAgain(before.folder);
	await expectPage(original.page.getByText("Akkurat nå")).visible(30_000);
	const copy = await openAgain(copied);
	for (const { page } of [original, copy]) await expectPage(notVoting(page).first()).visible(60_000);
	// Without the two, three of five still are a majority.
	const others = [0, 3, 4].map((at) => homeOf(at).page);
	const height = await together(others, 0);
	await together(others, height);

	await original.page.getByRole("button", { name: "Ta enheten i bruk på nytt" }).click();
	await original.page.getByRole("dialog").getByRole("button", { name: "Ta enheten i bruk på nytt" }).click();
	// It comes in as the household's new device, and the copy is out of use for good.
	await until(
		() => notVoting(original.page).count(),
		(count) => count === 0,
		60_000,
	);
	await expectPage(original.page.getByText("Akkurat nå")).visible(60_000);
	await copy.context.close();
	homes[1] = original;
	await together([homeOf(0).page, original.page], height);
}, 300_000);
