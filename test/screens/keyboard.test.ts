/**
 * Two households with nothing but a keyboard: Tab, Enter, Space, arrows, letters. One founds a neighbourhood, the other
 * comes by its link; they agree on a contract, and tokens are ordered and issued. One story, told from its beginning on.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import nb from "../../src/ui/messages/nb.json" with { type: "json" };
import { type App, startApp } from "../e2e/support/app.js";
import { expect as expectPage } from "../e2e/support/expect.js";
import { linkOf, PASSWORD } from "../e2e/support/screens.js";
import { type Keyboard, keyboardOf } from "./support/keyboard.js";

let app: App;
/** At a large screen with the rail, and with a phone's width and its bar below. */
let operator: Keyboard;
let neighbour: Keyboard;

beforeAll(async () => {
	app = await startApp();
	operator = keyboardOf(await app.openPage());
	neighbour = keyboardOf(await app.openPage());
	await operator.page.setViewportSize({ width: 1280, height: 800 });
	await neighbour.page.setViewportSize({ width: 360, height: 640 });
}, 180_000);

afterAll(async () => {
	await app?.stop();
});

const openDialog = ({ page }: Keyboard) => page.locator("dialog[open]");

/** Writes the password twice, and has a look at it. */
async function choosePassword(person: Keyboard): Promise<void> {
	const { page } = person;
	await person.write(page.getByLabel(nb.password_new), PASSWORD);
	await person.write(page.getByLabel(nb.password_again), PASSWORD);
	await person.reach(page.getByRole("checkbox", { name: nb.password_show }));
	await person.press("Space");
	expect(await page.getByLabel(nb.password_new).getAttribute("type")).toBe("text");
}

/** Goes to another screen by the navigation. */
async function goTo(person: Keyboard, name: string, title: string): Promise<void> {
	const { page } = person;
	await person.enter(page.getByRole("navigation", { name: nb.nav_label }).getByRole("link", { name }), "Shift+Tab");
	await expectPage(page.getByRole("heading", { name: title, exact: true })).visible();
	await person.expectFocusKept();
}

/** Reads the review, writes the amount again where it is asked for, confirms, and puts the receipt away. */
async function confirm(person: Keyboard, label: string, amount?: string): Promise<void> {
	const dialog = openDialog(person);
	if (amount !== undefined) await person.write(dialog.getByRole("textbox"), amount);
	await person.enter(dialog.getByRole("button", { name: label, exact: true }));
	// Once it was given, the key is open for two minutes.
	const asked = dialog.getByLabel(nb.password, { exact: true });
	const done = dialog.getByRole("heading", { name: nb.done_title, exact: true });
	await asked.or(done).waitFor();
	if (await asked.isVisible()) {
		await person.write(asked, PASSWORD);
		await person.press("Enter");
	}
	await done.waitFor();
	await person.expectFocusKept();
	await person.enter(dialog.getByRole("button", { name: nb.close }));
	await dialog.waitFor({ state: "detached" });
	await person.expectFocusKept();
}

/** Dozens of stops, each of them looked at, on a machine that may be busy. */
const STEP_MS = 120_000;

describe("with nothing but the keyboard", { timeout: STEP_MS }, () => {
	it("founds a neighbourhood", async () => {
		const { page } = operator;
		await page.goto(app.url);
		await operator.enter(page.getByRole("link", { name: /Start et nabolag/ }));
		await expectPage(page.getByRole("heading", { name: nb.found_title })).visible();
		await operator.expectFocusKept();
		await operator.write(page.getByLabel(nb.found_neighbourhood_name), "Solbakken");
		await operator.write(page.getByLabel(nb.found_household_name), "Hansen");
		await choosePassword(operator);
		await operator.write(page.getByLabel(nb.found_retail), "145");
		await operator.write(page.getByLabel(nb.found_feed_in), "60");
		await operator.reach(page.getByRole("radio", { name: nb.found_money_trial }));
		await operator.press("ArrowDown");
		expect(await page.getByRole("radio", { name: nb.found_money_prepaid }).isChecked()).toBe(true);
		await operator.reach(page.getByRole("checkbox", { name: nb.always_on }));
		await operator.press("Space");
		await operator.enter(page.getByRole("button", { name: nb.found_submit }));
		await expectPage(page.getByRole("textbox", { name: nb.link_label })).visible();
		await operator.expectFocusKept();
	});

	it("is joined by a link", async () => {
		const shared = await linkOf(operator.page);
		const { page } = neighbour;
		await page.goto(`${app.url}/${shared.slice(shared.indexOf("#"))}`);
		await neighbour.write(page.getByLabel(nb.found_household_name), "Berg");
		await choosePassword(neighbour);
		await neighbour.enter(page.getByRole("button", { name: nb.join_submit }));
		await expectPage(operator.page.getByText("Berg")).visible();
		await neighbour.expectFocusKept();
		await operator.enter(operator.page.getByRole("button", { name: nb.lobby_start }));
		await operator.enter(openDialog(operator).getByRole("button", { name: nb.lobby_start }));
		for (const person of [operator, neighbour]) {
			await expectPage(person.page.getByText(nb.home_now)).visible();
			await person.expectFocusKept();
		}
	});

	it("shows the words, and asks for two of them", async () => {
		const { page } = neighbour;
		const dialog = openDialog(neighbour);
		await neighbour.enter(page.getByRole("button", { name: nb.words_show }));
		await neighbour.write(dialog.getByLabel(nb.password, { exact: true }), PASSWORD);
		await neighbour.press("Enter");
		await expectPage(dialog.getByRole("listitem")).visible();
		await neighbour.expectFocusKept();
		const words = await dialog.getByRole("listitem").allTextContents();
		await neighbour.enter(dialog.getByRole("button", { name: nb.words_written }));
		await expectPage(dialog.getByRole("textbox")).visible();
		await neighbour.expectFocusKept();
		for (const field of await dialog.getByRole("textbox").all()) {
			const place = Number(
				/\d+/u.exec((await field.evaluate((node) => (node as HTMLInputElement).labels?.[0]?.textContent)) ?? "")?.[0],
			);
			await neighbour.write(field, words[place - 1] ?? "");
		}
		await neighbour.press("Enter");
		await dialog.waitFor({ state: "detached" });
		await page.getByRole("button", { name: nb.words_show }).waitFor({ state: "detached" });
		await neighbour.expectFocusKept();
	});

	it("puts an offer out, which the neighbour accepts", async () => {
		await goTo(operator, nb.nav_market, nb.market_offers);
		await operator.write(operator.page.getByLabel(nb.market_price, { exact: true }), "100");
		await operator.enter(operator.page.getByRole("button", { name: nb.market_publish }));
		await confirm(operator, nb.market_publish);
		await goTo(neighbour, nb.nav_market, nb.market_offers);
		const accept = neighbour.page.getByRole("button", { name: nb.market_accept, exact: true });
		await neighbour.enter(accept);
		await openDialog(neighbour).waitFor();
		await neighbour.press("Escape");
		await openDialog(neighbour).waitFor({ state: "detached" });
		expect(await accept.evaluate((node) => node === document.activeElement)).toBe(true);
		await neighbour.press("Enter");
		await confirm(neighbour, nb.market_accept);
		await accept.waitFor({ state: "detached" });
		await neighbour.expectFocusKept();
		for (const { page } of [operator, neighbour])
			await page.getByText(nb.contract_empty).waitFor({ state: "detached" });
	});

	it("leaps over the navigation", async () => {
		const { page } = operator;
		await operator.enter(page.getByRole("link", { name: nb.skip_to_content }), "Shift+Tab");
		await operator.press("Tab");
		expect(await page.evaluate(() => document.activeElement?.closest("main") !== null)).toBe(true);
	});

	it("locks its key", async () => {
		await goTo(operator, nb.nav_more, nb.more_keys);
		await operator.enter(operator.page.getByRole("button", { name: nb.keys_lock }));
		await operator.page.getByText(nb.keys_locked).waitFor();
		await operator.expectFocusKept();
	});

	it("orders tokens, which the operator issues", async () => {
		await goTo(neighbour, nb.nav_balance, nb.balance_buy);
		await neighbour.write(neighbour.page.getByLabel(nb.balance_amount).first(), "100");
		await neighbour.press("Enter");
		await confirm(neighbour, nb.balance_buy, "100");
		await goTo(operator, nb.nav_operations, nb.operations_orders);
		const { page } = operator;
		await operator.write(page.getByLabel(nb.operations_reference), "betalt av Berg");
		await operator.enter(page.getByRole("button", { name: nb.operations_issue, exact: true }));
		await confirm(operator, nb.operations_issue, "100");
		await page.getByRole("button", { name: nb.operations_issue, exact: true }).waitFor({ state: "detached" });
		await operator.expectFocusKept();
		await expectPage(neighbour.page.getByText("100,00").first()).visible();
	});
});
