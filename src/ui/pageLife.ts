/**
 * What the browser does to a page beside closing it: freezing, caching for "back", sleeping with the machine
 * (Page Lifecycle, https://wicg.github.io/page-lifecycle; HTML, "pagehide" and "pageshow").
 */

/** What is told, and what is asked to be loaded anew. */
export interface PageLifeListener {
	freeze(): void;
	/** `cached`: the page may come back as it is. */
	hide(cached: boolean): void;
	/** It goes on after `sleptMs`; 0: it is looked at again, or the network came back, and nothing is known. */
	wake(sleptMs: number): void;
	/** It came back out of the cache: its connections, and the lock that it held, are gone. */
	reload(): void;
}

/** A machine that sleeps says nothing. Its pages find that a timer came much too late. */
const LOOK_MS = 5_000;
const VISIBLE_GAP_MS = 15_000;
/** Timers of hidden pages come once a minute at worst. */
const HIDDEN_GAP_MS = 90_000;

/** `nowMs` must go on while the machine sleeps, as the time of day does and `performance.now()` does not everywhere. */
export function followPageLife(
	page: EventTarget & { document: EventTarget & { visibilityState: DocumentVisibilityState } },
	listener: PageLifeListener,
	nowMs: () => number = Date.now,
): void {
	const { document } = page;
	let seenMs = nowMs();

	/** How long it was not seen; it is now. */
	function see(): number {
		const gapMs = nowMs() - seenMs;
		seenMs = nowMs();
		return gapMs;
	}

	document.addEventListener("freeze", () => {
		see();
		listener.freeze();
	});
	document.addEventListener("resume", () => listener.wake(see()));
	document.addEventListener("visibilitychange", () => {
		if (document.visibilityState === "visible") listener.wake(0);
	});
	page.addEventListener("online", () => listener.wake(0));
	page.addEventListener("pagehide", (event) => listener.hide((event as PageTransitionEvent).persisted));
	page.addEventListener("pageshow", (event) => {
		if ((event as PageTransitionEvent).persisted) listener.reload();
	});
	setInterval(() => {
		const gapMs = see();
		if (gapMs > (document.visibilityState === "visible" ? VISIBLE_GAP_MS : HIDDEN_GAP_MS)) listener.wake(gapMs);
	}, LOOK_MS);
}
