/** What a person does on the screens, in Norwegian. */

import type { Page } from "playwright-core";
import { expect } from "vitest";
import { expect as expectPage, until } from "./expect.js";

export interface Standing {
	headIndex: number;
	headHash: string;
	stateRoot: string;
	leader: string;
	term: number;
}

/** Starts a neighbourhood and stays in its lobby; gives the lobby's link. */
export async function openLobby(
	page: Page,
	url: string,
	names: { neighbourhood: string; household: string },
): Promise<string> {
	await page.goto(url);
	await page.getByRole("link", { name: /Start et nabolag/ }).click();
	await page.getByLabel("Nabolagets navn").fill(names.neighbourhood);
	await page.getByLabel("Husstandens navn").fill(names.household);
	await page.getByLabel("Strøm fra strømselskapet").fill("145");
	await page.getByLabel("Strøm solgt til strømselskapet").fill("60");
	await page.getByRole("checkbox").check();
	await page.locator('button[type="submit"]').click();
	return linkOf(page);
}

/** The link on the screen, to this page's own address. */
export async function linkOf(page: Page): Promise<string> {
	return page.getByRole("textbox", { name: "Lenke" }).inputValue();
}

/** Opens a link and comes in, to a lobby or to a running neighbourhood. */
export async function comeIn(page: Page, link: string, household: string, alwaysOn = true): Promise<void> {
	await page.goto(link);
	await page.getByLabel("Husstandens navn").fill(household);
	if (alwaysOn) await page.getByRole("checkbox").check();
	await page.locator('button[type="submit"]').click();
}

export async function start(page: Page): Promise<void> {
	await page.getByRole("button", { name: "Start nabolaget" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Start nabolaget" }).click();
}

/** A screen of the running neighbourhood, by its address. */
export type ScreenName = "" | "meter" | "market" | "balance" | "chain" | "operations" | "more" | "refounding";

/** Goes to a screen of the running neighbourhood. */
export async function goTo(page: Page, screen: ScreenName) {
	await page.evaluate((hash) => {
		location.hash = hash;
	}, `#/${screen}`);
}

/** What the chain's screen says. */
export async function standingOf(page: Page): Promise<Standing> {
	await goTo(page, "chain");
	await expectPage(page.getByText("Tilstandsrot")).visible();
	const rows = await page
		.locator("dl")
		.evaluateAll((lists) =>
			Object.fromEntries(
				lists.flatMap((list) =>
					[...list.querySelectorAll("dt")].map((term) => [
						term.textContent?.trim(),
						term.nextElementSibling?.textContent?.trim() ?? "",
					]),
				),
			),
		);
	const text = (name: string): string => String(rows[name] ?? "");
	const number = (name: string) => Number((text(name).split("·")[0] ?? "").replace(/\s/g, ""));
	return {
		headIndex: number("Siste blokk"),
		headHash: text("Hash").replace(/\s/g, ""),
		stateRoot: text("Tilstandsrot").replace(/\s/g, ""),
		leader: text("Leder"),
		term: number("Periode"),
	};
}

/** Waits until all pages show the same head and state, at or above an index. */
export async function sameHead(of: readonly Page[], fromIndex: number, timeoutMs: number): Promise<Standing> {
	const all = await until(
		() => Promise.all(of.map(standingOf)),
		(seen) => seen.every(({ headHash, headIndex }) => headHash === seen[0]?.headHash && headIndex >= fromIndex),
		timeoutMs,
	);
	expect(new Set(all.map(({ stateRoot }) => stateRoot)).size).toBe(1);
	const [first] = all;
	if (first === undefined) throw new Error("no pages");
	return first;
}

/** Something for a block that does not wait for the minute: 100 trial kroner. */
export async function orderTokens(page: Page): Promise<void> {
	await goTo(page, "balance");
	await page.getByLabel("Beløp").fill("100");
	await page.getByRole("button", { name: "Be om prøvekroner" }).last().click();
	await page.getByRole("dialog").getByRole("textbox").fill("100");
	await page.getByRole("dialog").getByRole("button", { name: "Be om prøvekroner" }).click();
}
