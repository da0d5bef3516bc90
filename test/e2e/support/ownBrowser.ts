/**
 * A browser of its own for one household, as it is at home. Playwright makes its pages believe that they are always
 * looked at, and such a page cannot be frozen: here it only speaks to a browser that was started without it.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { CHROMIUM_ARGS, chromiumPath } from "./app.js";

export interface OwnBrowser {
	context: BrowserContext;
	stop(): Promise<void>;
}

export async function startOwnBrowser(): Promise<OwnBrowser> {
	const folder = await mkdtemp(join(tmpdir(), "nabostrom-"));
	const args = [
		...CHROMIUM_ARGS,
		"--headless=new",
		"--remote-debugging-port=0",
		`--user-data-dir=${folder}`,
		"--no-first-run",
		"--force-prefers-reduced-motion",
		"--accept-lang=nb-NO",
		"about:blank",
	];
	const child = spawn(chromiumPath(), args, { stdio: ["ignore", "ignore", "pipe"] });
	const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
	const address = await new Promise<string>((resolve, reject) => {
		let said = "";
		child.stderr.on("data", (data: Buffer) => {
			said += data.toString();
			const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
			if (found !== undefined) resolve(found);
		});
		child.once("exit", () => reject(new Error(`chromium ended: ${said}`)));
	});
	const browser = await chromium.connectOverCDP(address, { noDefaults: true });
	const [context] = browser.contexts();
	if (context === undefined) throw new Error("a browser has a context");
	return {
		context,
		async stop() {
			await browser.close();
			child.kill();
			await ended;
			await rm(folder, { recursive: true, force: true, maxRetries: 5 });
		},
	};
}

/** Freezes a page, as a browser does with one that it wants to save power on, or lets it go on. Its worker stands still too. */
export async function setFrozen(page: Page, frozen: boolean): Promise<void> {
	const session = await page.context().newCDPSession(page);
	await session.send("Page.setWebLifecycleState", { state: frozen ? "frozen" : "active" });
	await session.detach();
}
