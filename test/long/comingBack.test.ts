/** A household that is a member already, on one more browser: beside the first, and with its words alone. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import nb from "../../src/ui/messages/nb.json" with { type: "json" };
import { type App, startApp } from "../e2e/support/app.js";
import { expect as expectPage } from "../e2e/support/expect.js";
import { choosePassword, goTo, linkOf, openLobby, PASSWORD, start } from "../e2e/support/screens.js";

let app: App;
let words: string[] = [];

beforeAll(async () => {
	app = await startApp();
}, 120_000);

afterAll(async () => {
	await app?.stop();
});

const dialogOf = (page: Page, name: string) => page.getByRole("dialog", { name });

describe("a household that is a member already", () => {
	let link: string;

	it("brings a further device in by its link and the password that held when the link was made", async () => {
		const founder = await app.openPage();
		await openLobby(founder, app.url, { neighbourhood: "Lia", household: "Olsen" });
		await start(founder);
		await goTo(founder, "more");
		await founder.getByRole("button", { name: nb.restore_reveal }).click();
		const shared = await linkOf(founder);
		link = `${app.url}/${shared.slice(shared.indexOf("#"))}`;
		await founder.getByRole("button", { name: nb.words_show }).click();
		const dialog = dialogOf(founder, nb.words_title);
		await dialog.getByLabel(nb.password, { exact: true }).fill(PASSWORD);
		await dialog.getByRole("button", { name: nb.words_reveal }).click();
		await expectPage(dialog.getByRole("listitem").first()).visible();
		words = await dialog.getByRole("listitem").allInnerTexts();
		await dialog.getByRole("button", { name: nb.words_later }).click();

		const phone = await app.openPage();
		await phone.goto(link);
		await phone.getByLabel(nb.password, { exact: true }).fill("et annet passord");
		await phone.getByRole("button", { name: nb.join_restore_submit }).click();
		await expectPage(phone.getByText(nb.error_password_wrong)).visible();
		await phone.getByLabel(nb.password, { exact: true }).fill(PASSWORD);
		await phone.getByRole("button", { name: nb.join_restore_submit }).click();
		await expectPage(phone.getByText(nb.home_today).first()).visible(40_000);
		await goTo(phone, "more");
		await expectPage(phone.getByText(nb.keys_locked)).visible();
		const other = phone.locator("li", { has: phone.getByRole("button", { name: /ut av bruk/ }) });
		await expectPage(other.getByText(nb.devices_metering)).visible();
		await phone.goto(link);
		await expectPage(phone.getByText(nb.link_ignored_text)).visible();
	}, 120_000);

	it("that has forgotten its password comes back by its words, and chooses another", async () => {
		const tablet = await app.openPage();
		await tablet.goto(link);
		await tablet.getByRole("radio", { name: nb.restore_by_words }).check();
		await tablet.getByLabel(nb.restore_words).fill(`${words.slice(1).join(" ")} blåbær`);
		await choosePassword(tablet);
		await tablet.getByRole("button", { name: nb.join_restore_submit }).click();
		await expectPage(tablet.getByText("Ord 12, «blåbær»")).visible();
		await tablet.getByLabel(nb.restore_words).fill(words.join(" "));
		await tablet.getByRole("button", { name: nb.join_restore_submit }).click();
		await expectPage(tablet.getByText(nb.home_today).first()).visible(40_000);
		await goTo(tablet, "more");
		await expectPage(tablet.getByText("Olsen").first()).visible();
	}, 90_000);
});
