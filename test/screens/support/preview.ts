/** The screens with canned views, built once and served, in a browser whose clock stands still. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { build, type PreviewServer, preview as serve } from "vite";
import { CHROMIUM_ARGS, chromiumPath } from "../../e2e/support/app.js";
import type { ShownScreen } from "./shownScreens.js";

const CONFIG = new URL("../../ui-preview/vite.config.ts", import.meta.url).pathname;
/** What the preview's views are about; a few seconds after their minute began. */
const NOW_MS = Date.UTC(2026, 5, 18, 12, 6, 18);
/** Longer than any machine takes from installing a clock to holding it. */
const HELD_WITHIN_MS = 600_000;

export interface Look {
	readonly width: number;
	readonly theme: "light" | "dark";
	readonly language: "nb" | "en";
}

export interface Preview {
	/** Opens a screen, and waits until all of it is drawn. */
	show(screen: ShownScreen, look: Look): Promise<Page>;
	/** The same in a browser of its own, whose clock stands where it always stands when it is drawn. Close its context. */
	showAlone(screen: ShownScreen, look: Look): Promise<Page>;
	stop(): Promise<void>;
}

/** A phone upright, and everything that is wider. */
export function viewportOf(width: number): { width: number; height: number } {
	return { width, height: width < 700 ? 780 : 900 };
}

/** What a page threw, which then may draw nothing for ever. */
const thrown = new WeakMap<Page, Error>();

/** Code that was fetched is run when the machine comes to it: until there is a screen, and it stays as it is. */
async function untilDrawn(page: Page): Promise<void> {
	let last = "";
	for (let same = 0; same < 3; ) {
		const error = thrown.get(page);
		if (error !== undefined) throw error;
		const now = await page.evaluate(() => {
			const content = document.querySelector("main") ?? document.body;
			return content.textContent?.trim() === "" ? "" : document.body.innerHTML;
		});
		same = now !== "" && now === last ? same + 1 : 0;
		last = now;
		await new Promise((resolve) => setTimeout(resolve, 30));
	}
}

export async function startPreview(): Promise<Preview> {
	const outDir = mkdtempSync(join(tmpdir(), "nabostrom-preview-"));
	await build({ configFile: CONFIG, logLevel: "error", build: { outDir, emptyOutDir: true } });
	const server: PreviewServer = await serve({
		configFile: CONFIG,
		logLevel: "error",
		build: { outDir },
		preview: { host: "127.0.0.1", port: 0, strictPort: false },
	});
	const address = server.httpServer.address();
	if (address === null || typeof address === "string") throw new Error("the preview has a port");
	const origin = `http://127.0.0.1:${address.port}`;
	const browser: Browser = await chromium.launch({ args: CHROMIUM_ARGS, executablePath: chromiumPath() });
	const pages = new Map<string, Page>();

	async function newPage({ width, theme, language }: Look): Promise<Page> {
		const context = await browser.newContext({
			viewport: viewportOf(width),
			colorScheme: theme,
			locale: language === "nb" ? "nb-NO" : "en-GB",
			timezoneId: "Europe/Oslo",
			reducedMotion: "reduce",
		});
		const page = await context.newPage();
		page.on("pageerror", (error) => thrown.set(page, error));
		return page;
	}

	async function pageFor(look: Look): Promise<Page> {
		const key = `${look.width}/${look.theme}/${look.language}`;
		const known = pages.get(key);
		if (known !== undefined) return known;
		const page = await newPage(look);
		await page.clock.install({ time: NOW_MS });
		pages.set(key, page);
		return page;
	}

	async function open(page: Page, { scene, route }: ShownScreen, { language }: Look): Promise<Page> {
		const english = language === "en" ? "&en" : "";
		await page.goto(`${origin}/?scene=${scene}${english}#/${route}`, { waitUntil: "load" });
		await untilDrawn(page);
		// Answers take a moment of the page's own time, and some bring code that has to be fetched first.
		for (let round = 0; round < 3; round++) {
			await page.clock.runFor(600);
			await untilDrawn(page);
		}
		await page.evaluate(() => document.fonts.ready.then(() => undefined));
		return page;
	}

	return {
		async show(screen, look) {
			const page = await pageFor(look);
			await page.goto("about:blank");
			return open(page, screen, look);
		},
		async showAlone(screen, look) {
			const page = await newPage(look);
			// An installed clock goes on by itself until it is held, and that only at a time that is still to come.
			await page.clock.install({ time: NOW_MS - HELD_WITHIN_MS });
			await page.clock.pauseAt(NOW_MS);
			return open(page, screen, look);
		},
		async stop() {
			await browser.close();
			await new Promise((resolve) => server.httpServer.close(resolve));
			rmSync(outDir, { recursive: true, force: true });
		},
	};
}
