/**
 * What the browser does to a page beside closing it: freezing, caching for "back", sleeping with the machine
 * (Page Lifecycle, https://wicg.github.io/page-lifecycle; HTML, "pagehide" and "pageshow").
 */

/** What is told, and what is asked to be loaded anew. */
export interface PageLifeListener {
	freeze(): void;
	/** `cached`: the page may come back as it is. */
	hide(cached: boolean): void;
	/** It goes on after `sleptMs`; 0: it is looked at again, and nothing is known. */
	wake(sleptMs: number): void;
	/** The computer is in another network, or in one again. */
	move(): void;
	/** It came back out of the cache: its connections, and the lock that it held, are gone. */
	reload(): void;
}

/**
 * The Network Information API, which TypeScript does not know; only some browsers say of which type the connection is.
 * https://wicg.github.io/netinfo/
 */
export type Connection = EventTarget & { readonly type?: string };

/** A machine that sleeps says nothing. Its pages find that a timer came much too late. */
const LOOK_MS = 5_000;
const VISIBLE_GAP_MS = 15_000;
/** Timers of hidden pages come once a minute at worst. */
const HIDDEN_GAP_MS = 90_000;

/** `nowMs` must go on while the machine sleeps, as the time of day does and `performance.now()` does not everywhere. */
export function followPageLife(
	page: EventTarget & {
		document: EventTarget & { visibilityState: DocumentVisibilityState };
		navigator: object;
	},
	listener: PageLifeListener,
	nowMs: () => number = Date.now,
): void {
	const { document } = page;
	const { connection }: { connection?: Connection } = page.navigator;
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
	page.addEventListener("online", () => listener.move());
	followConnection(connection, listener);
	page.addEventListener("pagehide", (event) => listener.hide((event as PageTransitionEvent).persisted));
	page.addEventListener("pageshow", (event) => {
		if ((event as PageTransitionEvent).persisted) listener.reload();
	});
	setInterval(() => {
		const gapMs = see();
		if (gapMs > (document.visibilityState === "visible" ? VISIBLE_GAP_MS : HIDDEN_GAP_MS)) listener.wake(gapMs);
	}, LOOK_MS);
}

/**
 * A phone that goes from Wi-Fi to the mobile network may never be without one, and so come back "online". The browser
 * tells of much else, such as another estimate of the speed: only the type says that it is another network.
 */
function followConnection(connection: Connection | undefined, listener: PageLifeListener): void {
	let type = connection?.type;
	connection?.addEventListener("change", () => {
		const before = type;
		type = connection.type;
		if (type !== undefined && type !== before && type !== "none" && before !== "none") listener.move();
	});
}
