/** The screens with canned views, built once and served, in a browser whose clock stands still. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { build, type PreviewServer, preview as serve } from "vite";
import { CHROMIUM_ARGS, chromiumPath } from "../../e2e/support/app.js";
import type { ShownScreen } from "./shownScreens.js";

const CONFIG = new URL("../../ui-preview/vite.config.ts", import.meta.url).pathname;
/** What the preview's views are about; a few seconds after their minute began. */
const NOW_MS = Date.UTC(2026, 5, 18, 12, 6, 18);

export interface Look {
	readonly width: number;
	readonly theme: "light" | "dark";
	readonly language: "nb" | "en";
}

export interface Preview {
	/** Opens a screen, and waits until all of it is drawn. */
	show(screen: ShownScreen, look: Look): Promise<Page>;
	stop(): Promise<void>;
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
	const contexts = new Map<string, { context: BrowserContext; page: Page }>();

	async function pageFor({ width, theme, language }: Look): Promise<Page> {
		const key = `${width}/${theme}/${language}`;
		const known = contexts.get(key);
		if (known !== undefined) return known.page;
		const context = await browser.newContext({
			viewport: { width, height: width < 700 ? 780 : 900 },
			colorScheme: theme,
			locale: language === "nb" ? "nb-NO" : "en-GB",
			timezoneId: "Europe/Oslo",
			reducedMotion: "reduce",
		});
		const page = await context.newPage();
		await page.clock.install({ time: NOW_MS });
		contexts.set(key, { context, page });
		return page;
	}

	return {
		async show({ scene, route }, look) {
			const page = await pageFor(look);
			await page.goto("about:blank");
			const english = look.language === "en" ? "&en" : "";
			await page.goto(`${origin}/?scene=${scene}${english}#/${route}`, { waitUntil: "networkidle" });
			// Answers take a moment of the page's own time, and some bring code that has to be fetched first.
			for (let round = 0; round < 3; round++) {
				await page.clock.runFor(600);
				await page.waitForLoadState("networkidle");
			}
			await page.evaluate(() => document.fonts.ready.then(() => undefined));
			return page;
		},
		async stop() {
			await browser.close();
			await new Promise((resolve) => server.httpServer.close(resolve));
			rmSync(outDir, { recursive: true, force: true });
		},
	};
}
