/** What the content security policy refuses on a page, and what its node posts to it: noted from the page's beginning on. */
import type { Page } from "playwright-core";
import { flattened } from "../../support/secretSearch.js";

declare global {
	interface Window {
		/** What the policy refused: a directive each, and the address or kind of what was refused. */
		violations: { directive: string; blocked: string }[];
		/** Everything that workers posted, flattened. */
		posted: string[];
		flattened(value: unknown): string;
		/** Set by any injected script that runs. */
		injected?: number;
	}
}

/** Must be called before the page opens the app. The browser's complaints about page and workers are added as they come. */
export async function watchPolicy(page: Page, complaints: string[]): Promise<void> {
	page.on("console", (message) => {
		// The test's own doing (`openPage`).
		if (message.text() === "Service Worker registration blocked by Playwright") return;
		if (["error", "warning"].includes(message.type())) complaints.push(message.text());
	});
	page.on("pageerror", (error) => complaints.push(String(error)));
	await page.addInitScript(() => {
		window.violations = [];
		document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
			window.violations.push({ directive: effectiveDirective, blocked: blockedURI }),
		);
	});
}

/** Must be called before the page opens the app. */
export async function recordPosted(page: Page): Promise<void> {
	await page.addInitScript({ content: `window.flattened = ${flattened.toString()};` });
	await page.addInitScript(() => {
		window.posted = [];
		window.Worker = class extends Worker {
			constructor(url: string | URL, options?: WorkerOptions) {
				super(url, options);
				this.addEventListener("message", ({ data }) => window.posted.push(window.flattened(data)));
			}
		};
	});
}
