import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { followPageLife } from "../../../src/ui/pageLife.js";

/** A page that is only its events, and what was heard of them. */
let page: EventTarget & {
	document: EventTarget & { visibilityState: DocumentVisibilityState };
	navigator: { connection: EventTarget & { type: string } };
};
let heard: unknown[][];
let nowMs: number;

beforeEach(() => {
	vi.useFakeTimers({ toFake: ["setInterval"] });
	const document = Object.assign(new EventTarget(), { visibilityState: "visible" as DocumentVisibilityState });
	const connection = Object.assign(new EventTarget(), { type: "wifi" });
	page = Object.assign(new EventTarget(), { document, navigator: { connection } });
	heard = [];
	nowMs = 1_000;
	const listener = {
		freeze: () => heard.push(["freeze"]),
		hide: (cached: boolean) => heard.push(["hide", cached]),
		wake: (sleptMs: number) => heard.push(["wake", sleptMs]),
		move: () => heard.push(["move"]),
		reload: () => heard.push(["reload"]),
	};
	followPageLife(page, listener, () => nowMs);
});

afterEach(() => {
	vi.useRealTimers();
});

/** A timer that comes after so long. */
function timerAfter(ms: number): void {
	nowMs += ms;
	vi.advanceTimersByTime(5_000);
}

const transition = (type: string, persisted: boolean) => Object.assign(new Event(type), { persisted });

test("a page that freezes is told before, and hears how long it slept", () => {
	timerAfter(5_000);
	page.document.dispatchEvent(new Event("freeze"));
	nowMs += 20_000;
	page.document.dispatchEvent(new Event("resume"));
	timerAfter(5_000);
	expect(heard).toEqual([["freeze"], ["wake", 20_000]]);
});

test("a machine that slept says nothing: the timer that comes too late does", () => {
	timerAfter(5_000);
	timerAfter(3_600_000);
	timerAfter(5_000);
	expect(heard).toEqual([["wake", 3_600_000]]);
});

test("a hidden page, whose timers come once a minute, has not slept", () => {
	page.document.visibilityState = "hidden";
	page.document.dispatchEvent(new Event("visibilitychange"));
	timerAfter(61_000);
	expect(heard).toEqual([]);
	timerAfter(100_000);
	expect(heard).toEqual([["wake", 100_000]]);
});

test("one that is looked at again looks for its neighbours; one that has a network again begins anew", () => {
	page.document.dispatchEvent(new Event("visibilitychange"));
	page.dispatchEvent(new Event("online"));
	expect(heard).toEqual([["wake", 0], ["move"]]);
});

test("one whose connection is of another type is in another network; other changes of it say nothing", () => {
	const { connection } = page.navigator;
	const change = (type: string) => {
		connection.type = type;
		connection.dispatchEvent(new Event("change"));
	};
	change("wifi");
	expect(heard).toEqual([]);
	change("cellular");
	change("cellular");
	expect(heard).toEqual([["move"]]);
	// None at all, and one again: the page comes back online, which is said by itself.
	change("none");
	change("wifi");
	expect(heard).toEqual([["move"]]);
});

test("one that comes back out of the cache is loaded anew; one that is shown for the first time is not", () => {
	page.dispatchEvent(transition("pageshow", false));
	page.dispatchEvent(transition("pagehide", true));
	page.dispatchEvent(transition("pageshow", true));
	page.dispatchEvent(transition("pagehide", false));
	expect(heard).toEqual([["hide", true], ["reload"], ["hide", false]]);
});
