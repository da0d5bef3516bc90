import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Service } from "../../signaling/service.js";
import { serveApp } from "./support/app.js";
import { expect as expectPage, until } from "./support/expect.js";
import { type OwnBrowser, setFrozen, startOwnBrowser } from "./support/ownBrowser.js";
import { comeIn, goTo, openLobby, standingOf, start } from "./support/screens.js";
import { storedConfig } from "./support/storedConfig.js";
import { seenOf, watchNode } from "./support/watchNode.js";

/**
 * The life of a browser's tabs: one runs the node, the others are screens of it; it is closed, it freezes, it is robbed.
 * Three households, so that there is a chain to go on with; each test stands on the one before.
 */
const HOUSEHOLDS = ["Lia 1", "Lia 2", "Lia 3"];
/** What the home screen asks for: today, this month and the one before. */
const HOME_QUESTIONS = 3;
let service: Service;
const browsers: OwnBrowser[] = [];
/** The first household's browser and its tabs. */
let context: BrowserContext;
let first: Page;
let second: Page;
let neighbours: Page[] = [];

beforeAll(async () => {
	service = await serveApp();
	const pages: Page[] = [];
	let link = "";
	for (const household of HOUSEHOLDS) {
		const browser = await startOwnBrowser();
		browsers.push(browser);
		const page = await browser.context.newPage();
		pages.push(page);
		await watchNode(page);
		if (pages.length > 1) await comeIn(page, link, household);
		else {
			const shared = await openLobby(page, service.localUrl, { neighbourhood: "Solbakken", household });
			link = `${service.localUrl}/${shared.slice(shared.indexOf("#"))}`;
		}
	}
	[first, ...neighbours] = pages as [Page, ...Page[]];
	context = first.context();
	await expectPage(first.getByText("Lia 3")).visible();
	await start(first);
	await expectPage(first.getByText("2 av 2 naboer på nett")).visible();
	await led(pages);
});

afterAll(async () => {
	for (const browser of browsers) await browser.stop();
	await service?.stop();
});

/** Waits until pages see one leader, who has made a block; gives its name. */
async function led(pages: readonly Page[]): Promise<string> {
	const all = await until(
		() => Promise.all(pages.map(standingOf)),
		(seen) =>
			seen.every(({ leader, headIndex }) => /^Lia/.test(leader) && leader === seen[0]?.leader && headIndex >= 1),
		30_000,
	);
	return all[0]?.leader ?? "";
}

/** Counts the starts of this device, as its database says. */
async function bootCount(page: Page): Promise<number> {
	return (await storedConfig(page)).bootCount;
}

/** Workers that run a node. One that checks a password comes and goes. */
const nodesOf = (page: Page) => page.workers().filter((worker) => worker.url().includes("/assets/worker/main"));
/** Those of all tabs of the first household's browser. */
const workers = () => context.pages().reduce((sum, page) => sum + nodesOf(page).length, 0);

async function orderTokens(page: Page, amount: string): Promise<void> {
	await goTo(page, "balance");
	await page.getByLabel("Beløp").fill(amount);
	await page.getByRole("button", { name: "Be om prøvekroner" }).last().click();
	await page.getByRole("dialog").getByRole("textbox").fill(amount);
	await page.getByRole("dialog").getByRole("button", { name: "Be om prøvekroner" }).click();
}

describe("a second tab", () => {
	it("shows the same home screen, with no worker of its own", async () => {
		await goTo(first, "");
		second = await context.newPage();
		const openedMs = Date.now();
		await second.goto(service.localUrl);
		await expectPage(second.getByText("Akkurat nå")).visible();
		await expectPage(second.getByText("2 av 2 naboer på nett")).visible();
		console.log(`second tab: its home screen after ${Date.now() - openedMs} ms`);
		expect(await second.getByRole("heading", { level: 1 }).first().textContent()).toBe("Lia 1");
		expect([nodesOf(first).length, nodesOf(second).length]).toEqual([1, 0]);
	});

	it("gives a command that takes effect, and is answered there", async () => {
		const { headIndex } = await standingOf(second);
		await orderTokens(second, "100");
		await expectPage(second.getByRole("dialog").getByText(/[Ss]ignert|[Ss]endt|[Bb]ekreftet|I blokk/)).visible();
		await until(
			() => standingOf(first),
			(seen) => seen.headIndex > headIndex,
			10_000,
		);
		await goTo(second, "meter");
		await second
			.getByRole("button", { name: /[Ff]orbruk/ })
			.last()
			.click();
		await goTo(first, "meter");
		await expectPage(first.getByRole("button", { name: /Koble fra|Slutt|Stopp/ })).visible();
	});

	it("has its numbers asked for with each block, and not whenever the meter speaks", async () => {
		await goTo(first, "");
		await expectPage(first.getByText("Akkurat nå")).visible();
		await goTo(second, "more");
		const before = await seenOf(first);
		// The simulated meter speaks every two seconds.
		const after = await until(
			() => seenOf(first),
			({ views }) => views >= before.views + 4,
			15_000,
		);
		const blocks = after.heads.length - before.heads.length;
		const asked = (after.commands.usage ?? 0) - (before.commands.usage ?? 0);
		expect(asked).toBeLessThanOrEqual(HOME_QUESTIONS * (blocks + 1));
	});

	it("takes over within seconds when the first is closed, with the same database", async () => {
		const before = { boots: await bootCount(second), ...(await standingOf(second)) };
		let most = 0;
		const counting = setInterval(() => {
			most = Math.max(most, workers());
		}, 10);
		const closedMs = Date.now();
		await first.close({ runBeforeUnload: false });
		await until(
			async () => nodesOf(second).length,
			(count) => count === 1,
			10_000,
		);
		const workerMs = Date.now() - closedMs;
		await until(
			() => bootCount(second),
			(boots) => boots === before.boots + 1,
			10_000,
		);
		const bootMs = Date.now() - closedMs;
		await expectPage(second.getByText("2 av 2 naboer på nett")).visible();
		const meshMs = Date.now() - closedMs;
		clearInterval(counting);
		console.log(
			`first tab closed: worker after ${workerMs} ms, booted after ${bootMs} ms, both neighbours after ${meshMs} ms`,
		);
		expect(most).toBe(1);
		const standing = await standingOf(second);
		expect(standing.headIndex).toBeGreaterThanOrEqual(before.headIndex);
		await orderTokens(second, "50");
		await until(
			() => standingOf(second),
			(seen) => seen.headIndex > standing.headIndex,
			15_000,
		);
	});
});

const passed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("a leader whose page freezes for 20 s", () => {
	it("is replaced by another while it sleeps, and is in the street again soon after it thaws", async () => {
		const pages = [second, ...neighbours];
		const leader = await led(pages);
		const frozen = pages[Number(leader.replace("Lia ", "")) - 1];
		if (frozen === undefined) throw new Error(`no page of ${leader}`);
		const others = pages.filter((page) => page !== frozen);
		await setFrozen(frozen, true);
		const frozenMs = Date.now();
		const [other] = others;
		if (other === undefined) throw new Error("three pages");
		const replaced = await until(
			() => standingOf(other),
			(seen) => /^Lia/.test(seen.leader) && seen.leader !== leader,
			20_000,
		);
		console.log(`${leader} froze: ${replaced.leader} leads after ${Date.now() - frozenMs} ms`);
		await orderTokens(other, "25");
		const without = await until(
			() => standingOf(other),
			(seen) => seen.headIndex > replaced.headIndex,
			15_000,
		);
		await passed(Math.max(0, 20_000 - (Date.now() - frozenMs)));
		await setFrozen(frozen, false);
		const thawedMs = Date.now();
		const back = await until(
			() => standingOf(frozen),
			(seen) => seen.headIndex >= without.headIndex && /^Lia/.test(seen.leader),
			40_000,
		);
		const backMs = Date.now() - thawedMs;
		await expectPage(frozen.getByText("2 av 2 naboer på nett")).visible();
		console.log(
			`thawed: head ${back.headIndex} under ${back.leader} after ${backMs} ms, both neighbours after ${Date.now() - thawedMs} ms`,
		);
		expect(back.term).toBeGreaterThanOrEqual(replaced.term);
		await led(pages);
	});
});

describe("a tab whose node's tab is asleep", () => {
	let third: Page;

	it("says so, and takes over when a person wants it", async () => {
		third = await context.newPage();
		await third.goto(service.localUrl);
		await expectPage(third.getByText("2 av 2 naboer på nett")).visible();
		const boots = await bootCount(third);
		await setFrozen(second, true);
		const frozenMs = Date.now();
		await expectPage(third.getByText("Fanen som kjører noden din, sover.")).visible();
		console.log(`asleep: noticed after ${Date.now() - frozenMs} ms`);
		await goTo(third, "");
		expect(nodesOf(third)).toHaveLength(0);
		await third.getByRole("button", { name: "Overta i denne fanen" }).click();
		const takenMs = Date.now();
		await until(
			() => bootCount(third),
			(now) => now === boots + 1,
			15_000,
		);
		await expectPage(third.getByText("2 av 2 naboer på nett")).visible();
		console.log(`taken over: booted and both neighbours after ${Date.now() - takenMs} ms`);
		expect(nodesOf(third)).toHaveLength(1);
	});

	it("which stops its worker when it thaws, and is a screen of the other", async () => {
		const early = nodesOf(second).length === 0;
		await setFrozen(second, false);
		const thawedMs = Date.now();
		await until(
			async () => nodesOf(second).length,
			(count) => count === 0,
			5_000,
		);
		console.log(
			`robbed: its worker was gone ${early ? "before it thawed" : `${Date.now() - thawedMs} ms after it thawed`}`,
		);
		await expectPage(second.getByText("2 av 2 naboer på nett")).visible();
		// Nothing is clicked in a page that nobody looks at.
		await second.bringToFront();
		const { headIndex } = await standingOf(second);
		await orderTokens(second, "10");
		await until(
			() => standingOf(third),
			(seen) => seen.headIndex > headIndex,
			15_000,
		);
		expect([nodesOf(second).length, nodesOf(third).length]).toEqual([0, 1]);
	});

	it("and which is left and comes back by the browser's button is a screen, whether it was cached or not", async () => {
		await third.evaluate(() =>
			addEventListener("pagehide", (event) => localStorage.setItem("cached", String(event.persisted))),
		);
		const boots = await bootCount(third);
		await third.bringToFront();
		await third.goto(`${service.localUrl}/favicon.svg`);
		// Asked where somebody looks: the other tab is hidden, and is just taking the node over.
		await until(
			() => bootCount(third),
			(now) => now === boots + 1,
			30_000,
			[second, third],
		);
		// A page out of the cache loads itself anew: there may be no event of its load to wait for.
		await third.goBack({ waitUntil: "commit" });
		await expectPage(third.getByText("2 av 2 naboer på nett")).visible();
		const cached = await second.evaluate(() => localStorage.getItem("cached"));
		console.log(`left and came back: offered to the cache: ${cached}`);
		expect([nodesOf(second).length, nodesOf(third).length]).toEqual([1, 0]);
		// Somebody who presses the button in the only tab has a node again, too.
		await second.goto(`${service.localUrl}/favicon.svg`);
		await until(
			() => bootCount(third),
			(now) => now === boots + 2,
			10_000,
		);
		await third.goto(`${service.localUrl}/favicon.svg`);
		await third.goBack({ waitUntil: "commit" });
		await expectPage(third.getByText("2 av 2 naboer på nett")).visible();
		await until(
			() => bootCount(third),
			(now) => now === boots + 3,
			10_000,
		);
	});
});
