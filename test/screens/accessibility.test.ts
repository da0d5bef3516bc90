/** Every screen in both themes and both languages, looked at by axe-core: WCAG 2.2 AA. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults, RunOptions } from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Look, type Preview, startPreview } from "./support/preview.js";
import { SHOWN_SCREENS, type ShownScreen } from "./support/shownScreens.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES: RunOptions = {
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
	resultTypes: ["violations"],
};
const LOOKS: readonly Look[] = [
	{ width: 360, theme: "dark", language: "nb" },
	{ width: 1280, theme: "light", language: "nb" },
	{ width: 360, theme: "light", language: "en" },
	{ width: 1280, theme: "dark", language: "en" },
];

/** Of the looks, every second one from this on: on a phone, or on a wide screen; else all. */
const HALF = process.env.NABOSTROM_LOOKS_FROM;
const CHOSEN = HALF === undefined ? LOOKS : LOOKS.filter((_, at) => at % 2 === Number(HALF) % 2);

let preview: Preview;

beforeAll(async () => {
	preview = await startPreview();
}, 180_000);

afterAll(async () => {
	await preview?.stop();
});

/** Rule by rule, where it is broken. */
async function violationsOf(page: Page): Promise<string[]> {
	await page.evaluate(AXE);
	const { violations } = await page.evaluate(
		(rules) => (globalThis as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } }).axe.run(rules),
		RULES,
	);
	return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
}

/** What is wrong with a screen in one of its looks. */
async function faultsOf(screen: ShownScreen, look: Look): Promise<string[]> {
	const page = await preview.show(screen, look);
	const faults = await violationsOf(page);
	const isWider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
	const where = `${look.width} px, ${look.theme}, ${look.language}`;
	return [...faults, ...(isWider ? ["scrolls sideways"] : [])].map((fault) => `${where}: ${fault}`);
}

describe("in both themes and languages nothing is wrong with", () => {
	// A page waits more than it computes until all of its screen is drawn: its looks are opened at once.
	it.each(SHOWN_SCREENS)("$scene /$route", async (screen) => {
		const faults = await Promise.all(CHOSEN.map((look) => faultsOf(screen, look)));
		expect(faults.flat()).toEqual([]);
	});
});
