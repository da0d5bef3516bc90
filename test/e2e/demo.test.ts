import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type App, startApp } from "./support/app.js";
import { expect as expectPage, until } from "./support/expect.js";
import { watchPolicy } from "./support/watchPolicy.js";

/** The demo street: ten real nodes in ten workers of one tab. */
let app: App;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
	app = await startApp();
	page = await app.openPage();
	await watchPolicy(page, complaints);
	await page.goto(app.url);
});

afterAll(async () => {
	await app?.stop();
});

/** Balances in øre and head index by house, as the tiles show them. */
async function tiles(): Promise<{ name: string; ore: number; block: number }[]> {
	const texts = await page
		.locator("li, article, section, button")
		.filter({ hasText: /kr · blokk \d+/ })
		.allInnerTexts();
	const seen = new Map<string, { name: string; ore: number; block: number }>();
	for (const text of texts) {
		const match = /(Bjørkeveien \d+)\n[\s\S]*?([\d\s ]+,\d\d)\s*kr · blokk (\d+)/.exec(text);
		if (match?.[1] === undefined || seen.has(match[1])) continue;
		seen.set(match[1], { name: match[1], ore: Number(match[2]?.replace(/[\s,]/g, "")), block: Number(match[3]) });
	}
	return [...seen.values()];
}

/** Runs in the page, by itself: what the beads that are there do when another figure comes. */
async function flowUntilNextFigure(): Promise<"goes on" | "begins anew" | "is another line"> {
	const movementOf = (bead: Element) => bead.getAnimations()[0];
	const figures = () => [...document.querySelectorAll("svg text.value")].map(({ textContent }) => textContent).join();
	const [before, moved] = [figures(), new Map<Element, Animation | undefined>()];
	for (const bead of document.querySelectorAll("circle.bead")) moved.set(bead, movementOf(bead));
	while (figures() === before) await new Promise((resolve) => setTimeout(resolve, 50));
	await new Promise(requestAnimationFrame);
	const left = [...moved].filter(([bead]) => bead.isConnected);
	if (left.length === 0) return "is another line";
	return left.every(([bead, movement]) => movement !== undefined && movementOf(bead) === movement)
		? "goes on"
		: "begins anew";
}

describe("the demo street", () => {
	it("is live soon after the click: ten nodes, contracts, blocks", async () => {
		const clickedMs = Date.now();
		await page.getByText("Prøv en demogate").click();
		await expectPage(page.getByText("Avslutt demoen")).visible(60_000);
		console.log(`demo street live ${Date.now() - clickedMs} ms after the click`);
		await expectPage(page.getByText("Demo", { exact: true })).visible();
	});

	it("moves money while blocks come, and creates none", async () => {
		const before = await until(tiles, (seen) => seen.length === 10, 20_000);
		const after = await until(
			tiles,
			(seen) => seen.filter(({ name, ore }) => ore !== before.find((house) => house.name === name)?.ore).length >= 4,
			60_000,
		);
		expect(Math.max(...after.map(({ block }) => block))).toBeGreaterThan(Math.max(...before.map(({ block }) => block)));
		// Five consumers were given 200 kr each; tiles round to øre, and are not all of the same block.
		const sumOre = after.reduce((sum, { ore }) => sum + ore, 0);
		expect(Math.abs(sumOre - 100_000)).toBeLessThanOrEqual(50);
	});

	it("lets what flows flow on while new figures come", async () => {
		await page.locator("circle.bead").first().waitFor({ timeout: 30_000 });
		const outcomes: string[] = [];
		for (let figures = 0; figures < 3; figures++) outcomes.push(await page.evaluate(flowUntilNextFigure));
		// A line may end, or begin, with a figure.
		expect(outcomes).toContain("goes on");
		expect(outcomes).not.toContain("begins anew");
	});

	it("goes on without a house that is switched off, which catches up when it is switched on again", async () => {
		await page.getByRole("button", { name: "På Bjørkeveien 3", exact: true }).click();
		const headOf = (seen: Awaited<ReturnType<typeof tiles>>) => Math.max(...seen.map(({ block }) => block));
		const headBefore = headOf(await tiles());
		const after = await until(tiles, (seen) => headOf(seen) >= headBefore + 3, 60_000);
		// A house that is off shows no figures: they would be old.
		expect(after.map(({ name }) => name)).not.toContain("Bjørkeveien 3");
		await page.getByRole("button", { name: "Av Bjørkeveien 3", exact: true }).click();
		await until(
			tiles,
			(seen) => {
				const back = seen.find(({ name }) => name === "Bjørkeveien 3");
				return back !== undefined && back.block >= headBefore + 3;
			},
			30_000,
		);
	});

	it("leaves no database behind when it ends", async () => {
		await page.getByText("Avslutt demoen").click();
		const left = await until(
			() => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name ?? "")),
			(names) => names.every((name) => !name.startsWith("nabostrom-demo/")),
			20_000,
		);
		expect(left.filter((name) => name.startsWith("nabostrom-demo/"))).toEqual([]);
	});

	it("did nothing that the content security policy refuses", async () => {
		expect(await page.evaluate(() => window.violations)).toEqual([]);
		expect(complaints).toEqual([]);
	});
});
