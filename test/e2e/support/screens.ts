/** What a person does on the screens, in Norwegian. */

import type { Page } from "playwright-core";
import { expect } from "vitest";
import nb from "../../../src/ui/messages/nb.json" with { type: "json" };
import { expect as expectPage, until } from "./expect.js";

export interface Standing {
	headIndex: number;
	headHash: string;
	stateRoot: string;
	leader: string;
	term: number;
}

export const PASSWORD = "blåbær trapp kanon";

/** Starts a neighbourhood and stays in its lobby; gives the lobby's link. `answers`: and later types the password when asked. */
export async function openLobby(
	page: Page,
	url: string,
	names: { neighbourhood: string; household: string },
	answers = true,
): Promise<string> {
	await page.goto(url);
	await page.getByRole("link", { name: /Start et nabolag/ }).click();
	await page.getByLabel("Nabolagets navn").fill(names.neighbourhood);
	await page.getByLabel("Husstandens navn").fill(names.household);
	await page.getByLabel("Strøm fra strømselskapet").fill("145");
	await page.getByLabel("Strøm solgt til strømselskapet").fill("60");
	await stayOn(page);
	await choosePassword(page);
	await page.locator('button[type="submit"]').click();
	if (answers) await givePasswordWhenAsked(page);
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
	if (alwaysOn) await stayOn(page);
	await choosePassword(page);
	await page.locator('button[type="submit"]').click();
	await givePasswordWhenAsked(page);
}

/** Comes back by a household's restore link and its password, in place of the device that it had. */
export async function comeBack(page: Page, link: string): Promise<void> {
	await page.goto(link);
	await page.getByLabel(nb.password, { exact: true }).fill(PASSWORD);
	await page.getByRole("radio", { name: nb.restore_instead }).check();
	await stayOn(page);
	await page.getByRole("button", { name: nb.join_restore_submit }).click();
	await givePasswordWhenAsked(page);
}

/** Ticks that the device stays at the meter. */
export async function stayOn(page: Page): Promise<void> {
	await page.getByRole("checkbox", { name: nb.always_on }).check();
}

/** Types the household's new password. */
export async function choosePassword(page: Page): Promise<void> {
	await page.getByLabel(nb.password_new).fill(PASSWORD);
	await page.getByLabel(nb.password_again).fill(PASSWORD);
}

/** From now on somebody sits at the page who types the password whenever it is asked for. */
export async function givePasswordWhenAsked(page: Page): Promise<void> {
	const asked = { title: nb.unlock_title, password: PASSWORD };
	// In whatever page of this browser.
	await page.context().addInitScript(watchForQuestion, asked);
	await page.evaluate(watchForQuestion, asked);
}

/** Runs in the page, by itself. */
function watchForQuestion({ title, password }: { title: string; password: string }): void {
	let isAnswering = false;
	const answer = () => {
		isAnswering = false;
		for (const dialog of document.querySelectorAll("dialog[open]")) {
			const field = dialog.querySelector("input");
			if (dialog.querySelector("h1")?.textContent !== title || field === null || field.value !== "") continue;
			field.value = password;
			field.dispatchEvent(new Event("input", { bubbles: true }));
			dialog.querySelector("form")?.requestSubmit();
		}
	};
	// As a person does, in a moment of its own: who answers a refusal within the task that brought it does so for ever, and
	// the node's return, which would end it, is never heard.
	const answerSoon = () => {
		if (!isAnswering) setTimeout(answer, 100);
		isAnswering = true;
	};
	new MutationObserver(answerSoon).observe(document, { subtree: true, childList: true, attributes: true });
}

export async function start(page: Page): Promise<void> {
	await page.getByRole("button", { name: "Start nabolaget" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Start nabolaget" }).click();
}

/** A screen of the running neighbourhood, by its address. */
export type ScreenName =
	| ""
	| "usage"
	| "meter"
	| "market"
	| "balance"
	| "chain"
	| "operations"
	| "treasury"
	| "network"
	| "members"
	| "neighbourhood"
	| "inbox"
	| "more"
	| "refounding"
	| "statement"
	| "export";

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
