import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import nb from "../../src/ui/messages/nb.json" with { type: "json" };
import { type App, startApp } from "./support/app.js";
import { expect as expectPage } from "./support/expect.js";
import { choosePassword, comeIn, givePasswordWhenAsked, goTo, linkOf, start } from "./support/screens.js";

/**
 * Two browsers in a neighbourhood that settles by the month: a line of credit, and an account that goes from one to the
 * other without the chain. One story, told from its beginning to its end.
 */
let app: App;
let operator: Page;
let neighbour: Page;

beforeAll(async () => {
	app = await startApp();
	operator = await app.openPage();
	neighbour = await app.openPage();
});

afterAll(async () => {
	await app?.stop();
});

/** Reads the review, types the amount again where it asks for it, and confirms. */
async function confirm(page: Page, says: string, amount?: string): Promise<void> {
	const review = page.locator("dialog[open]");
	await expectPage(review.getByText(says)).visible();
	if (amount !== undefined) await review.getByRole("textbox").fill(amount);
	await review.locator("button.primary").click();
}

/** The act is signed, says so, and is put away. */
async function putAway(page: Page): Promise<void> {
	await page.locator("dialog[open]").getByRole("button", { name: nb.close }).click();
}

/** The tenth digit checks the others. */
const REFERENCE = /^\d{10}$/u;

describe("money between two browsers", () => {
	it("is founded with monthly settlement", async () => {
		await operator.goto(app.url);
		await operator.getByRole("link", { name: /Start et nabolag/ }).click();
		await operator.getByLabel(nb.found_neighbourhood_name).fill("Solbakken");
		await operator.getByLabel(nb.found_household_name).fill("Hansen");
		await operator.getByLabel(nb.found_retail).fill("145");
		await operator.getByLabel(nb.found_feed_in).fill("60");
		await operator.getByRole("radio", { name: nb.found_money_monthly }).check();
		await choosePassword(operator);
		await operator.locator('button[type="submit"]').click();
		await givePasswordWhenAsked(operator);
		const shared = await linkOf(operator);
		await comeIn(neighbour, `${app.url}/${shared.slice(shared.indexOf("#"))}`, "Berg", false);
		await expectPage(operator.getByText("Berg")).visible();
		await start(operator);
		await expectPage(neighbour.getByText(nb.home_now)).visible();
	});

	it("lets the neighbour use a line that the operator sets", async () => {
		await goTo(operator, "treasury");
		await operator.getByLabel(nb.credit_lines_household).selectOption({ label: "Berg" });
		await operator.getByLabel(nb.credit_lines_amount).fill("500");
		await operator.getByRole("button", { name: nb.credit_lines_submit }).click();
		await confirm(operator, "Berg");
		await putAway(operator);
		await goTo(neighbour, "balance");
		await expectPage(neighbour.getByText("500,00", { exact: false }).first()).visible();
	});

	it("tells the neighbour to which account it pays, and the operator to which it pays out", async () => {
		await operator.getByLabel(nb.account_holder).fill("Solbakken velforening");
		await operator.getByLabel(nb.account_number).fill("1234 56 78903");
		await operator.getByRole("button", { name: nb.account_submit }).click();
		await confirm(operator, "1234 56 78903");
		await neighbour.getByLabel(nb.account_holder).fill("Berg");
		await neighbour.getByLabel(nb.account_number).fill("NO93 8601 1117 947");
		await neighbour.getByRole("button", { name: nb.account_submit }).click();
		await confirm(neighbour, "NO93 8601 1117 947");
		await expectPage(neighbour.getByText(nb.account_held, { exact: false })).visible();
	});

	it("takes no more than a first amount before the first week's list is done, and says so", async () => {
		await neighbour.getByLabel(nb.balance_amount).first().fill("100,01");
		await neighbour.getByRole("button", { name: nb.balance_buy }).click();
		await expectPage(neighbour.getByRole("alert").getByText("100,00", { exact: false })).visible();
		await expectPage(neighbour.getByRole("link", { name: nb.first_week_open })).visible();
	});

	it("issues what was ordered and paid with the reference that stands beside the account", async () => {
		await neighbour.getByLabel(nb.balance_amount).first().fill("100");
		await neighbour.getByRole("button", { name: nb.balance_buy }).click();
		await confirm(neighbour, "100,00", "100");
		await putAway(neighbour);
		await expectPage(neighbour.getByText("1234 56 78903")).visible();
		const reference = await neighbour.getByText(REFERENCE).textContent();
		expect(reference).toMatch(REFERENCE);
		await operator.getByLabel(nb.operations_reference).fill(reference ?? "");
		await operator.getByRole("button", { name: nb.operations_issue, exact: true }).click();
		await confirm(operator, "100,00", "100");
		await putAway(operator);
		await expectPage(neighbour.getByText("600,00", { exact: false }).first()).visible();
	});
});
