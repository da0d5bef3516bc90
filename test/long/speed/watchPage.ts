/** When a page shows what, and how long its main thread was busy in one go: noted in the page from its beginning on. */
import type { Page } from "playwright-core";

export interface PageTimes {
	/** Since the navigation, ms, by name: when an element was first there and the next frame had been drawn. */
	shownMs: Record<string, number>;
	/** The largest contentful paint so far. */
	largestMs: number;
	/** Tasks of the main thread of 50 ms and more. */
	longTasks: { fromMs: number; durationMs: number }[];
}

declare global {
	interface Window {
		pageTimes: PageTimes;
	}
}

/** Must be called before the page is opened. `selectors`: of what is looked for, by name. */
export async function watchPage(page: Page, selectors: Record<string, string>): Promise<void> {
	await page.addInitScript(watch, selectors);
}

export function timesOf(page: Page): Promise<PageTimes> {
	return page.evaluate(() => window.pageTimes);
}

/** Runs in the page, by itself. */
function watch(selectors: Record<string, string>): void {
	const times: PageTimes = { shownMs: {}, largestMs: 0, longTasks: [] };
	window.pageTimes = times;
	const observe = (type: string, note: (entry: PerformanceEntry) => void) =>
		new PerformanceObserver((list) => {
			for (const entry of list.getEntries()) note(entry);
		}).observe({ type, buffered: true });
	observe("largest-contentful-paint", ({ startTime }) => {
		times.largestMs = startTime;
	});
	observe("longtask", ({ startTime, duration }) => {
		times.longTasks.push({ fromMs: startTime, durationMs: duration });
	});
	let awaited = Object.entries(selectors);
	const look = () => {
		awaited = awaited.filter(([name, selector]) => {
			if (document.querySelector(selector) === null) return true;
			// After the next frame, when input is handled again.
			requestAnimationFrame(() =>
				setTimeout(() => {
					times.shownMs[name] = performance.now();
				}),
			);
			return false;
		});
	};
	look();
	new MutationObserver(look).observe(document, { subtree: true, childList: true });
}
