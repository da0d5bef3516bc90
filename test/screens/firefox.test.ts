/**
 * A Firefox without Web Serial. Everything else works in it: it comes into a street of Chromium pages by an invitation,
 * follows the chain, and shows its household. One story, told from its beginning on.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import nb from "../../src/ui/messages/nb.json" with { type: "json" };
import { type App, startApp } from "../e2e/support/app.js";
import { expect as expectPage } from "../e2e/support/expect.js";
import {
	comeIn,
	givePasswordWhenAsked,
	goTo,
	linkOf,
	openLobby,
	orderTokens,
	PASSWORD,
	standingOf,
	start,
} from "../e2e/support/screens.js";
import { FIREFOX, type Firefox, startFirefox } from "./support/firefox.js";

if (FIREFOX === undefined) console.log("There is no firefox-esr on PATH: what Firefox does is not tested.");

const NEIGHBOURS = ["Bjørkeveien 1", "Bjørkeveien 2", "Bjørkeveien 3"];

describe.skipIf(FIREFOX === undefined)("a Firefox among Chromium pages", () => {
	let app: App;
	let firefox: Firefox;
	const pages: Page[] = [];
	const founder = () => pages[0] as Page;

	const linkAt = (shared: string) => `${app.url}/${shared.slice(shared.indexOf("#"))}`;

	beforeAll(async () => {
		app = await startApp();
		firefox = await startFirefox(FIREFOX ?? "");
		const [first = "", ...others] = NEIGHBOURS;
		pages.push(await app.openPage());
		const shared = await openLobby(founder(), app.url, { neighbourhood: "Solbakken", household: first });
		for (const name of others) {
			const page = await app.openPage();
			pages.push(page);
			await comeIn(page, linkAt(shared), name);
		}
		await expectPage(founder().getByText(NEIGHBOURS.at(-1) ?? "")).visible();
		await start(founder());
		for (const page of pages) await expectPage(page.getByText(nb.home_now)).visible();
	}, 240_000);

	afterAll(async () => {
		await firefox?.stop();
		await app?.stop();
	});

	it("comes in by an invitation, and stands on Home with its neighbours around it", async () => {
		await goTo(founder(), "members");
		await founder().getByRole("button", { name: nb.operations_invite_make }).click();
		await firefox.open(linkAt(await linkOf(founder())));
		await firefox.write(nb.found_household_name, "Revehiet");
		await firefox.write(nb.password_new, PASSWORD);
		await firefox.write(nb.password_again, PASSWORD);
		await firefox.press(nb.join_submit);
		await firefox.says(nb.home_now);
		await firefox.says(nb.chip_neighbours.replace("{online}", "3").replace("{total}", "3"));
		await expectPage(founder().getByRole("listitem").filter({ hasText: "Revehiet" })).visible();
	});

	it("says that it cannot read a port, and what to do", async () => {
		await firefox.goTo("meter");
		await firefox.says(nb.meter_no_serial);
		await firefox.says(nb.csv_title);
	});

	it("shows the household's numbers", async () => {
		await firefox.press(nb.meter_simulate_consumer);
		await firefox.says(nb.meter_source_simulated);
		await firefox.goTo("");
		await firefox.page.waitForFunction(() => /[1-9]\S*\sk?W\b/u.test(document.body.textContent ?? ""));
	});

	it("follows the chain of the others", async () => {
		const before = await standingOf(founder());
		await orderTokens(founder());
		await expect
			.poll(async () => (await standingOf(founder())).headIndex, { timeout: 20_000 })
			.toBeGreaterThan(before.headIndex);
		await firefox.goTo("chain");
		await expect
			.poll(
				async () => {
					const { headHash } = await standingOf(founder());
					return firefox.page.evaluate(
						(hash) => (document.body.textContent ?? "").replace(/\s/gu, "").includes(hash),
						headHash,
					);
				},
				{ timeout: 30_000 },
			)
			.toBe(true);
	});

	it("signs an order, and has the balance once it is issued", async () => {
		await firefox.goTo("balance");
		await firefox.write(nb.balance_amount, "100");
		await firefox.press(nb.balance_buy_trial);
		await firefox.write(nb.balance_retype, "100");
		await firefox.page.locator("dialog[open] button.primary").click();
		await firefox.write(nb.password, PASSWORD);
		await firefox.press(nb.unlock_submit);
		await firefox.says(nb.done_title);
		await firefox.press(nb.close);
		const operator = founder();
		await givePasswordWhenAsked(operator);
		await goTo(operator, "operations");
		const order = operator.locator("li", { hasText: "Revehiet" }).filter({ has: operator.locator("form") });
		await order.getByLabel(nb.operations_reference_trial).fill("prøve");
		await order.getByRole("button", { name: nb.operations_issue }).click();
		const review = operator.locator("dialog[open]");
		await review.getByRole("textbox").first().fill("100");
		await review.locator("button.primary").first().click();
		await expectPage(review.getByText(nb.done_title)).visible();
		await firefox.goTo("");
		await firefox.says("100,00 kr");
	});
});
