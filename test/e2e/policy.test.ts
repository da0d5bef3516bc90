import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import en from "../../src/ui/messages/en.json" with { type: "json" };
import nb from "../../src/ui/messages/nb.json" with { type: "json" };
import { formsOf } from "../support/secretSearch.js";
import { type App, startApp } from "./support/app.js";
import { expect as expectPage, until } from "./support/expect.js";
import { comeIn, goTo, linkOf, openLobby, type ScreenName, start } from "./support/screens.js";
import { storedConfig } from "./support/storedConfig.js";
import { recordPosted, watchPolicy } from "./support/watchPolicy.js";

/** Names that would be markup, script or an address if anything took them for more than text. */
const NEIGHBOURHOOD = "<img src=x onerror=injected=1>";
const FOUNDER = '"><script>injected=1</script>';
const GUEST = "<svg onload=injected=1>";
const LATE_GUEST = "javascript:injected=1";
/** U+202E turns the direction of all text behind it. */
const TURNED = "Hus \u202E1";

let app: App;
let founder: Page;
let guest: Page;
let lateGuest: Page;
/** What the browser complained about on any of the pages. */
const complaints: string[] = [];

beforeAll(async () => {
	app = await startApp();
	[founder, guest, lateGuest] = [await app.openPage("allow"), await app.openPage("allow"), await app.openPage("allow")];
	for (const page of [founder, guest, lateGuest]) {
		await watchPolicy(page, complaints);
		await recordPosted(page);
	}
});

afterAll(async () => {
	await app?.stop();
});

/** The heading by which a screen is known. */
const HEADINGS: Record<ScreenName, keyof typeof nb & keyof typeof en> = {
	"": "home_today",
	usage: "usage_title",
	meter: "meter_title",
	market: "market_title",
	balance: "balance_title",
	chain: "chain_title",
	operations: "operations_title",
	treasury: "treasury_title",
	network: "network_title",
	members: "members_screen_title",
	neighbourhood: "neighbourhood_title",
	inbox: "inbox_title",
	more: "more_title",
	refounding: "refound_title",
	statement: "statement_title",
	export: "export_title",
};
const SCREENS = Object.keys(HEADINGS) as ScreenName[];

async function show(page: Page, screen: ScreenName, messages: typeof nb | typeof en = nb): Promise<void> {
	await goTo(page, screen);
	await page
		.locator("#content")
		.getByRole("heading", { name: String(messages[HEADINGS[screen]]), exact: true })
		.first()
		.waitFor();
}

/** Nothing that was typed has become an element, an address or a script, and nothing was refused. */
async function expectOnlyText(page: Page): Promise<void> {
	const found = await page.evaluate(() => ({
		injected: window.injected,
		elements: [
			...document.querySelectorAll('img[src="x"], svg[onload], script:not([src]), [onerror], [href^="javascript:"]'),
		].map(({ outerHTML }) => outerHTML),
		violations: window.violations,
	}));
	expect(found).toEqual({ injected: undefined, elements: [], violations: [] });
}

describe("names that are markup", () => {
	it("are text while the neighbourhood is founded, and such as turn the text's direction are refused", async () => {
		const names = { neighbourhood: NEIGHBOURHOOD, household: FOUNDER };
		const lobby = await openLobby(founder, app.url, names);
		const link = `${app.url}/${lobby.slice(lobby.indexOf("#"))}`;
		await expectPage(founder.getByRole("heading", { name: NEIGHBOURHOOD })).visible();
		await comeIn(guest, link, TURNED);
		await expectPage(guest.getByText(nb.error_bad_name)).visible();
		await guest.getByLabel("Husstandens navn").fill(GUEST);
		await guest.locator('button[type="submit"]').click();
		await expectPage(founder.getByText(GUEST, { exact: true })).visible();
		await expectPage(guest.getByText(FOUNDER, { exact: true })).visible();
		for (const page of [founder, guest]) await expectOnlyText(page);
		await start(founder);
		for (const page of [founder, guest]) await expectPage(page.getByText("1 av 1 naboer på nett")).visible();
	});

	it("are text to who comes later, in an order, and in a file of minutes", async () => {
		await show(founder, "members");
		await founder.getByRole("button", { name: nb.operations_invite_make }).click();
		const shared = await linkOf(founder);
		await comeIn(lateGuest, `${app.url}/${shared.slice(shared.indexOf("#"))}`, LATE_GUEST, false);
		await show(guest, "balance");
		await guest.getByLabel("Beløp").fill("100");
		await guest.getByRole("button", { name: nb.balance_buy_trial }).last().click();
		await guest.getByRole("dialog").getByRole("textbox").fill("100");
		await guest.getByRole("dialog").getByRole("button", { name: nb.balance_buy_trial }).click();
		await show(founder, "operations");
		await expectPage(founder.getByText(`${GUEST} venter på`)).visible();
		await founder.getByLabel(nb.operations_reference_trial).fill(NEIGHBOURHOOD);
		await founder.getByRole("button", { name: nb.operations_issue, exact: true }).click();
		await expectPage(founder.getByRole("dialog").getByText(GUEST)).visible();
		await founder.getByRole("dialog").getByRole("textbox").fill("100");
		await founder.getByRole("dialog").getByRole("button", { name: nb.operations_issue, exact: true }).click();
		await expectPage(founder.getByText(nb.operations_orders_empty)).visible();
		// The receipt is there though its order has left the list.
		await expectPage(founder.getByRole("dialog").getByText(nb.done_title)).visible();
		await founder.getByRole("dialog").getByRole("button", { name: nb.close, exact: true }).click();
		await show(founder, "meter");
		await founder.getByText(nb.csv_title).click();
		const file = {
			name: `${GUEST}.csv`,
			mimeType: "text/csv",
			buffer: Buffer.from(`minute,importWh,exportWh\n${NEIGHBOURHOOD},1,1`),
		};
		await founder.locator('input[type="file"]').setInputFiles(file);
		await expectPage(founder.getByText(NEIGHBOURHOOD).nth(1)).visible();
		await expectPage(lateGuest.getByText("Akkurat nå")).visible();
		for (const page of [founder, guest, lateGuest]) await expectOnlyText(page);
	});

	it("are text on every screen, the operator's among them, in both languages; nothing was refused or complained about", async () => {
		for (const messages of [en, nb]) {
			await show(founder, "more", messages === en ? nb : en);
			await founder.getByRole("button", { name: messages === en ? "English" : "Norsk" }).click();
			for (const screen of SCREENS) {
				await show(founder, screen, messages);
				const text = await founder.locator("body").textContent();
				const named = screen === "more" ? [NEIGHBOURHOOD, FOUNDER, GUEST, LATE_GUEST] : [NEIGHBOURHOOD, FOUNDER];
				for (const name of named) expect(text).toContain(name);
				await expectOnlyText(founder);
			}
		}
		await show(founder, "network");
		await founder.getByRole("button", { name: `Vis kurve for ${GUEST}` }).click();
		await expectPage(founder.getByRole("heading", { name: new RegExp(GUEST) })).visible();
		await show(guest, "more");
		await guest.getByRole("button", { name: nb.restore_reveal }).click();
		await linkOf(guest);
		for (const page of [founder, guest, lateGuest]) await expectOnlyText(page);
		expect(complaints).toEqual([]);
	});
});

describe("keys", () => {
	it("never come from the worker to the page, and the household's lies in the database sealed alone", async () => {
		for (const page of [founder, guest, lateGuest]) {
			const { household, deviceSecret } = (await storedConfig(page)).keys;
			const posted = (forms: string[]) =>
				page.evaluate(
					(given) => window.posted.filter((text) => given.some((form) => text.includes(form))).length,
					forms,
				);
			expect(await posted(["view"])).toBeGreaterThan(0);
			expect(await posted(formsOf(deviceSecret))).toBe(0);
			expect(household.vault).toBeDefined();
			expect(household.seed).toBeUndefined();
		}
	});
});

/** Runs in a page or in its worker, by itself: what an injected script would try, and the error that each of it meets. */
async function attempt(): Promise<{ errors: Record<string, string>; directives: string[] }> {
	const directives = new Set<string>();
	self.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => directives.add(effectiveDirective));
	const factory = (self as unknown as { trustedTypes: { createPolicy(name: string, rules: object): unknown } })
		.trustedTypes;
	const acts: Record<string, () => unknown> = {
		// biome-ignore lint/security/noGlobalEval: it has to be refused.
		eval: () => eval("injected = 1"),
		function: () => new Function("injected = 1")(),
		timer: () => setTimeout("injected = 1"),
		worker: () => new Worker("/assets/other.js"),
		policyOfItsOwn: () => factory.createPolicy("own", {}),
		policyOfSvelte: () => factory.createPolicy("svelte-trusted-html", {}),
		policyOfTheWorker: () => factory.createPolicy("nabostrom-worker", {}),
		fetch: () => fetch("http://127.0.0.1:9/"),
	};
	if ("document" in self) {
		const { body } = document;
		Object.assign(acts, {
			innerHTML: () => Object.assign(body, { innerHTML: "<b>text</b>" }),
			insertAdjacentHTML: () => body.insertAdjacentHTML("beforeend", "<b>text</b>"),
			write: () => document.write("<b>text</b>"),
			parser: () => new DOMParser().parseFromString("<b>text</b>", "text/html"),
			frameText: () => Object.assign(document.createElement("iframe"), { srcdoc: "<b>text</b>" }),
			scriptText: () => Object.assign(document.createElement("script"), { text: "injected = 1" }),
			scriptAddress: () => Object.assign(document.createElement("script"), { src: "/assets/other.js" }),
			handler: () => body.setAttribute("onclick", "injected = 1"),
		});
	} else acts.ownServer = () => fetch("/health");
	const errors: Record<string, string> = {};
	for (const [name, act] of Object.entries(acts)) {
		errors[name] = await new Promise((resolve) => {
			// Later, so that the debugger's own leave does not hold for it.
			setTimeout(async () => {
				try {
					await act();
					resolve("none");
				} catch (error) {
					resolve((error as Error).name);
				}
			});
		});
	}
	return { errors, directives: [...directives].sort() };
}

/** In the page: what is refused without an error. */
function attemptInMarkup(): void {
	const element = <K extends keyof HTMLElementTagNameMap>(name: K, fields: Partial<HTMLElementTagNameMap[K]>) => {
		const made = Object.assign(document.createElement(name), fields);
		document.body.append(made);
		return made;
	};
	element("script", {}).append("injected = 1");
	element("a", { href: "javascript:injected = 1" }).click();
	element("div", {}).setAttribute("style", "color: red");
	element("style", { textContent: "body { color: red }" });
	element("img", { src: "http://127.0.0.1:9/?secret" });
	element("iframe", { src: "http://127.0.0.1:9/?secret" });
	element("form", { action: "http://127.0.0.1:9/", method: "post" }).submit();
	new WebSocket("ws://127.0.0.1:9/");
}

const refusedOn = (page: Page) =>
	page.evaluate(() => [...new Set(window.violations.map(({ directive }) => directive))].sort());

const CODE_ERRORS = { eval: "EvalError", function: "EvalError" };
const TEXT_ERRORS = Object.fromEntries(
	["timer", "worker", "policyOfItsOwn", "policyOfSvelte", "policyOfTheWorker", "fetch"].map((name) => [
		name,
		"TypeError",
	]),
);

describe("the policy", () => {
	it("holds for a page without script, style or handlers in its markup", async () => {
		const markup = await (await fetch(app.url)).text();
		expect(markup).toContain("<script");
		expect(markup).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:/i);
	});

	it("refuses the page whatever makes script or markup of text, and connections to elsewhere", async () => {
		const { errors, directives } = await guest.evaluate(attempt);
		const markup = ["innerHTML", "insertAdjacentHTML", "write", "parser", "frameText", "scriptText", "scriptAddress"];
		const markupErrors = Object.fromEntries([...markup, "handler"].map((name) => [name, "TypeError"]));
		expect(errors).toEqual({ ...CODE_ERRORS, ...TEXT_ERRORS, ...markupErrors });
		expect(directives).toEqual(["connect-src", "require-trusted-types-for", "trusted-types"]);
	});

	it("refuses what is put into the page as elements, wherever it leads", async () => {
		expect(await refusedOn(lateGuest)).toEqual([]);
		await lateGuest.evaluate(attemptInMarkup);
		const markup = ["script-src-elem", "style-src-attr", "style-src-elem", "require-trusted-types-for"];
		const expected = [...markup, "connect-src", "form-action", "frame-src", "img-src"].sort();
		await until(
			() => refusedOn(lateGuest),
			(seen) => seen.length >= expected.length,
			10_000,
		);
		expect(await refusedOn(lateGuest)).toEqual(expected);
		expect(await lateGuest.evaluate(() => window.injected)).toBeUndefined();
	});

	it("refuses the worker the same, and every connection", async () => {
		const [worker] = guest.workers();
		expect(await worker?.evaluate(attempt)).toEqual({
			errors: { ...CODE_ERRORS, ...TEXT_ERRORS, ownServer: "TypeError" },
			directives: ["connect-src", "require-trusted-types-for", "trusted-types"],
		});
	});
});
