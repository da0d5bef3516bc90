import { mkdir } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type App, startApp } from "../e2e/support/app.js";
import { expect as expectPage, until } from "../e2e/support/expect.js";
import { comeBack, comeIn, goTo, linkOf, openLobby, type Standing, standingOf, start } from "../e2e/support/screens.js";

/**
 * Three households whose devices all vote. Two of the browsers are gone for good; the households have their restore
 * links. With the one that is left they found the neighbourhood again, on their screens, and it goes on.
 */
let app: App;
let operator: Page;
const neighbours: { page: Page; name: string; restoreLink: string }[] = [];
/** Pictures for a person to look at, where somebody wants them. */
const pictures = process.env.NABOSTROM_PICTURES;

beforeAll(async () => {
	app = await startApp();
	if (pictures !== undefined) await mkdir(pictures, { recursive: true });
}, 120_000);

afterAll(async () => {
	await app?.stop();
});

async function picture(page: Page, name: string): Promise<void> {
	if (pictures === undefined) return;
	for (const [width, height] of [
		[360, 760],
		[800, 1_000],
		[1_280, 800],
	] as const) {
		await page.setViewportSize({ width, height });
		await page.screenshot({ path: `${pictures}/${name}-${width}.png` });
	}
}

async function headFrom(page: Page, index: number, timeoutMs = 90_000): Promise<Standing> {
	return until(
		() => standingOf(page),
		({ headIndex, leader }) => headIndex >= index && leader !== "ingen",
		timeoutMs,
	);
}

/** Says yes to the card that the household is shown. */
async function sayYes(page: Page): Promise<void> {
	await page.getByRole("button", { name: "Ja, bli med videre" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Ja, bli med videre" }).click();
	await expectPage(page.getByText("Husstanden din har sagt ja.")).visible();
}

describe("a street of three that loses two of its browsers for good", () => {
	let before: Standing;

	it("has blocks, and an order for tokens that was issued", async () => {
		operator = await app.openPage();
		const shared = await openLobby(operator, app.url, { neighbourhood: "Solbakken", household: "Hansen" });
		for (const name of ["Olsen", "Berg"]) {
			const page = await app.openPage();
			await comeIn(page, `${app.url}/${shared.slice(shared.indexOf("#"))}`, name);
			neighbours.push({ page, name, restoreLink: "" });
		}
		await expectPage(operator.getByText("Berg")).visible();
		await start(operator);
		await headFrom(operator, 1);
		const [olsen] = neighbours;
		if (olsen === undefined) throw new Error("there are neighbours");
		await goTo(olsen.page, "balance");
		await olsen.page.getByLabel("Beløp").fill("250");
		await olsen.page.getByRole("button", { name: "Be om prøvekroner" }).last().click();
		await olsen.page.getByRole("dialog").getByRole("textbox").fill("250");
		await olsen.page.getByRole("dialog").getByRole("button", { name: "Be om prøvekroner" }).click();
		await goTo(operator, "operations");
		await operator.getByLabel("Merknad").fill("KID 1");
		await operator.getByRole("button", { name: "Utsted" }).click();
		const dialog = operator.getByRole("dialog");
		await dialog.getByRole("textbox").fill("250");
		await dialog.getByRole("button", { name: "Utsted" }).click();
		await dialog.getByRole("button", { name: "Lukk" }).click();
		await goTo(olsen.page, "balance");
		await expectPage(olsen.page.locator(".figure", { hasText: "250,00" })).visible(30_000);
		for (const each of neighbours) {
			await goTo(each.page, "more");
			await each.page.getByRole("button", { name: "Vis gjenopprettingslenken" }).click();
			each.restoreLink = await linkOf(each.page);
		}
		before = await headFrom(operator, 1);
	}, 180_000);

	it("stands still without them, and says what can be done", async () => {
		for (const { page } of neighbours) await page.context().close();
		await goTo(operator, "");
		await expectPage(operator.getByRole("link", { name: "Hva kan gjøres?" })).visible(60_000);
		await operator.getByRole("link", { name: "Hva kan gjøres?" }).click();
		await expectPage(operator.getByText("Et flertall av enhetene som stemmer, er ikke å nå.")).visible();
		await picture(operator, "possible");
	}, 90_000);

	it("is founded again by all three, two of them on new browsers", async () => {
		for (const each of neighbours) {
			each.page = await app.openPage();
			const { restoreLink } = each;
			await comeBack(each.page, `${app.url}/${restoreLink.slice(restoreLink.indexOf("#"))}`);
		}
		await goTo(operator, "operations");
		await operator.getByRole("button", { name: "Se over og foreslå" }).click();
		await picture(operator, "review");
		await operator.getByRole("dialog").getByRole("button", { name: "Foreslå for alle" }).click();
		await expectPage(operator.getByText("Husstanden din har sagt ja.")).visible();
		const [olsen, berg] = neighbours;
		if (olsen === undefined || berg === undefined) throw new Error("there are neighbours");
		await expectPage(olsen.page.getByText("250,00")).visible();
		await picture(olsen.page, "asked");
		await sayYes(olsen.page);
		await picture(operator, "waiting");
		await expectPage(berg.page.getByRole("button", { name: "Ja, bli med videre" })).visible();
		await berg.page.getByRole("button", { name: "Ja, bli med videre" }).click();
		await berg.page.getByRole("dialog").getByRole("button", { name: "Ja, bli med videre" }).click();
		const after = await until(
			() => standingOf(operator),
			({ headIndex, leader }) => leader === "Hansen" && headIndex >= 1,
			60_000,
		);
		expect(after.headHash).not.toBe(before.headHash);
		await expectPage(operator.getByText("Grunnlagt på nytt")).visible();
		await expectPage(operator.getByText("alle har sagt ja")).visible();
		await picture(operator, "after");
	}, 180_000);

	it("lets the new devices in, with the balances of before", async () => {
		for (const { page } of neighbours) await expectPage(page.getByText("Akkurat nå")).visible(60_000);
		const [olsen] = neighbours;
		if (olsen === undefined) throw new Error("there are neighbours");
		await goTo(olsen.page, "balance");
		await expectPage(olsen.page.locator(".figure", { hasText: "250,00" })).visible(30_000);
		await expectPage(olsen.page.getByText("Med fra den gamle kjeden")).visible();
		await picture(olsen.page, "balance");
		await expectPage(operator.getByText("2 av 2 naboer på nett")).visible();
	}, 180_000);
});
