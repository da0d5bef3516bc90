import { cp, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Service, startService } from "../../signaling/service.js";
import en from "../../src/ui/messages/en.json" with { type: "json" };
import nb from "../../src/ui/messages/nb.json" with { type: "json" };
import { createScratch } from "../hosts/support/scratch.js";
import { type App, builtApp, startApp } from "./support/app.js";
import { expect as expectPage, until } from "./support/expect.js";
import { goTo, openLobby, start } from "./support/screens.js";
import { watchPolicy } from "./support/watchPolicy.js";

/** A page elsewhere that sends a form, as other apps do when something is shared with this one. */
const LINK_SECRET = "join=abcdefgh";

let app: App;
let context: BrowserContext;
let page: Page;
let newer: Service | undefined;
let elsewhere: Server;
const complaints: string[] = [];

beforeAll(async () => {
	app = await startApp();
	({ context, page } = await app.openPersistent(await app.newFolder()));
	await watchPolicy(page, complaints);
	await openLobby(page, app.url, { neighbourhood: "Bakken", household: "Hus 1" });
	await start(page);
	await heading(page, nb.home_today).waitFor();
});

afterAll(async () => {
	elsewhere?.close();
	await app?.stop();
	await newer?.stop();
});

const heading = (on: Page, name: string) => on.getByRole("heading", { name, exact: true }).first();
const toast = (on: Page) => on.getByText(nb.update_ready);

/** A later build: the same but for its page, which says so, and so for its service worker. */
async function laterBuild(): Promise<string> {
	const { folder } = createScratch("later-build");
	await cp(builtApp(), folder, { recursive: true });
	const change = async (name: string, from: RegExp, to: string) => {
		const text = await readFile(join(folder, name), "utf8");
		const changed = text.replace(from, to);
		expect(changed).not.toBe(text);
		await writeFile(join(folder, name), changed);
	};
	await change("index.html", /<body>/, '<body class="later">');
	await change("sw.js", /(?<=revision"?:")[0-9a-f]{32}(?="[^}]*index\.html)/, "later");
	return folder;
}

declare global {
	interface Window {
		startWorkers(): void;
		/** What moved without anybody having pressed anything: how far, and what. */
		shifts: string[];
	}
}

/** By then a start has found whom it looks for, or says that it has not. */
const SETTLED_MS = 3_000;

/** Runs in the page, by itself. */
function watchLayout(): void {
	window.shifts = [];
	const observer = new PerformanceObserver((list) => {
		for (const entry of list.getEntries() as (PerformanceEntry & { value: number; sources: { node?: Element }[] })[]) {
			const moved = entry.sources.map(({ node }) => node?.className ?? node?.nodeName);
			window.shifts.push(`${entry.value.toFixed(4)} ${moved.join(", ")}`);
		}
	});
	observer.observe({ type: "layout-shift", buffered: true });
}

/** Runs in the page, by itself: what is said to a worker waits. */
function holdWorkers(): void {
	let held: (() => void)[] | undefined = [];
	window.Worker = class extends Worker {
		override postMessage(message: unknown): void {
			if (held === undefined) super.postMessage(message);
			else held.push(() => super.postMessage(message));
		}
	};
	window.startWorkers = () => {
		for (const post of held ?? []) post();
		held = undefined;
	};
}

async function isLater(on: Page): Promise<boolean> {
	return on.evaluate(() => document.body?.classList.contains("later") ?? false).catch(() => false);
}

describe("the installed app", () => {
	it("can be installed, and keeps all that it is made of", async () => {
		await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
		const session = await context.newCDPSession(page);
		const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
		expect(installabilityErrors).toEqual([]);
		const cached = await page.evaluate(async () => {
			const names = await caches.keys();
			const lists = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
			return lists.flat().map(({ url }) => new URL(url).pathname);
		});
		for (const part of [
			/^\/index\.html/,
			/^\/verify\.html/,
			/worker\/main-/,
			/argon2-/,
			/\.woff2$/,
			/^\/first-paint\.js/,
		]) {
			expect(cached.filter((path) => part.test(path))).toHaveLength(1);
		}
	});

	it("shows what it showed last, and when that was, until its node says how things stand", async () => {
		const slow = await context.newPage();
		await slow.addInitScript(holdWorkers);
		await page.goto("about:blank");
		await slow.goto(app.url);
		await heading(slow, nb.home_today).waitFor();
		const since = slow.getByRole("status").filter({ hasText: nb.chip_last_view.replace(/.*\}/, "") });
		await expectPage(since).visible();
		const status = slow.getByText(nb.chip_pending_none);
		await status.waitFor({ state: "hidden" });
		// It is not tried twice: nothing but the node's own view is kept again.
		expect(await slow.evaluate(() => localStorage.getItem("nabostrom/last-view"))).toBeNull();
		await slow.evaluate(() => window.startWorkers());
		await since.waitFor({ state: "hidden" });
		await expectPage(status).visible();
		expect(await slow.evaluate(() => localStorage.getItem("nabostrom/last-view"))).toContain('"name":"Hus 1"');
		await slow.close();
		await page.goto(app.url);
		await heading(page, nb.home_today).waitFor();
	});

	it("says what it is to who comes for the first time before any of its code is there, and to nobody else", async () => {
		const visitor = await app.openPage();
		await visitor.addInitScript(() => Object.defineProperty(navigator, "languages", { get: () => ["fr", "en-GB"] }));
		let letGo = () => {};
		const held = new Promise<void>((resolve) => {
			letGo = resolve;
		});
		await visitor.route(/\/assets\/index-/, (route) => held.then(() => route.continue()));
		await visitor.goto(app.url, { waitUntil: "commit" });
		await heading(visitor, en.welcome_title).waitFor();
		expect(await visitor.getByText(nb.welcome_title).isVisible()).toBe(false);
		// A way in that was pressed too early is gone once there is code for it.
		await visitor.getByRole("link", { name: en.welcome_found }).click();
		letGo();
		await heading(visitor, en.found_title).waitFor();
		expect(await visitor.locator("#first").count()).toBe(0);
		await visitor.context().close();
		const again = await context.newPage();
		await again.goto(app.url);
		expect(await again.evaluate(() => document.documentElement.dataset.first)).toBeUndefined();
		await again.close();
	});

	it("moves nothing that somebody has begun to read, while it starts and finds its neighbours", async () => {
		const reading = await context.newPage();
		await reading.addInitScript(watchLayout);
		await page.goto("about:blank");
		for (const isKept of [true, false]) {
			if (!isKept) await reading.evaluate(() => localStorage.removeItem("nabostrom/last-view"));
			await reading.goto(app.url);
			await heading(reading, nb.first_week_title).waitFor();
			await expectPage(reading.getByText(nb.chip_pending_none)).visible();
			await until(
				() => reading.evaluate(() => performance.now()),
				(nowMs) => nowMs > SETTLED_MS,
				20_000,
			);
			expect(await reading.evaluate(() => window.shifts)).toEqual([]);
		}
		await reading.close();
		await page.goto(app.url);
		await heading(page, nb.home_today).waitFor();
	});

	it("opens with the server gone, shows the household, says that it is offline, and checks proofs", async () => {
		await goTo(page, "more");
		await page.getByRole("button", { name: nb.theme_dark }).click();
		await goTo(page, "");
		await app.stopServer();
		await page.reload();
		// The theme that was chosen is there as well.
		expect(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toBe(
			"rgb(11, 18, 32)",
		);
		await heading(page, nb.home_today).waitFor();
		await expectPage(page.getByText(nb.banner_offline)).visible();
		expect(await page.evaluate(() => document.fonts.load('17px "Source Sans 3 Variable"').then((f) => f.length))).toBe(
			1,
		);
		await goTo(page, "balance");
		await heading(page, nb.balance_title).waitFor();
		const check = await context.newPage();
		await check.goto(`${app.url}/verify.html`);
		await heading(check, nb.verify_title).waitFor();
		await check.close();
	});

	it("takes a newer version when it is told to, in all tabs, and not while a dialog is open in one of them", async () => {
		await goTo(page, "more");
		await page.getByRole("button", { name: nb.leave_button }).first().click();
		await page.getByRole("dialog").waitFor();
		const started = await startService({ port: Number(new URL(app.url).port), staticFolder: await laterBuild() });
		if (!started.ok) throw new Error(started.error.code);
		newer = started.value;
		const other = await context.newPage();
		await other.goto(app.url);
		await heading(other, nb.home_today).waitFor();
		await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
		await toast(other).waitFor();
		expect(await toast(page).count()).toBe(0);
		await other.getByRole("button", { name: nb.update_now }).click();
		await other.getByText(nb.update_awaited).waitFor();
		await page.waitForTimeout(1_500);
		expect([await isLater(page), await isLater(other)]).toEqual([false, false]);
		await page.keyboard.press("Escape");
		for (const tab of [page, other]) await until(() => isLater(tab), Boolean, 20_000);
		await heading(page, nb.more_title).waitFor();
		await other.close();
	});

	it("opens a link that another app shares with it, and the server hears nothing of it", async () => {
		elsewhere = createServer((_request, response) => {
			response.setHeader("Content-Type", "text/html");
			response.end(
				`<form method="post" enctype="multipart/form-data" action="${app.url}/share">
				<input name="title" value="Bli med"><input name="text" value="Kom! ${app.url}/#${LINK_SECRET} Hilsen Anna">
				<button>Del</button></form>`,
			);
		});
		await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
		const sharing = await context.newPage();
		await sharing.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`);
		await sharing.getByRole("button").click();
		// A member's browser says that the link is for somebody else.
		await sharing.getByRole("dialog").getByText(nb.link_ignored_text).waitFor();
		expect(newer?.refusals()["bad-method"] ?? 0).toBe(0);
		await sharing.close();
	});

	it("does it under the page's policy", async () => {
		expect(await page.evaluate(() => window.violations)).toEqual([]);
		expect(complaints.filter((text) => /Content Security Policy|Trusted|TypeError/.test(text))).toEqual([]);
	});
});
