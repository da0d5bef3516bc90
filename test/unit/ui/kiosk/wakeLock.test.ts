import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepScreenOn } from "../../../../src/ui/kiosk/wakeLock.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class Sentinel extends EventTarget {
	release = vi.fn(async () => void this.dispatchEvent(new Event("release")));
}

/** A page and a browser that grants as long as it is willing. */
function openPage() {
	const page = Object.assign(new EventTarget(), { visibilityState: "visible" as DocumentVisibilityState });
	const granted: Sentinel[] = [];
	const browser = { isWilling: true };
	const request = vi.fn(async () => {
		if (!browser.isWilling) throw new DOMException("low battery", "NotAllowedError");
		const sentinel = new Sentinel();
		granted.push(sentinel);
		return sentinel as unknown as WakeLockSentinel;
	});
	const letGo = keepScreenOn(page, { request });
	const see = (visibilityState: DocumentVisibilityState) => {
		page.visibilityState = visibilityState;
		page.dispatchEvent(new Event("visibilitychange"));
	};
	return { browser, granted, request, letGo, see };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test("the screen is kept on from the beginning, and again whenever the page is seen again", async () => {
	const { granted, request, see } = openPage();
	await pass(0);
	expect(granted).toHaveLength(1);
	see("visible");
	await pass(0);
	expect(request).toHaveBeenCalledTimes(1);
	see("hidden");
	await granted[0]?.release();
	await pass(10_000);
	expect(request).toHaveBeenCalledTimes(1);
	see("visible");
	await pass(0);
	expect(granted).toHaveLength(2);
});

test("a browser that lets go while the page is seen is asked again, one that refuses a minute later", async () => {
	const { browser, granted, request } = openPage();
	await pass(0);
	browser.isWilling = false;
	await granted[0]?.release();
	await pass(1_000);
	expect(request).toHaveBeenCalledTimes(2);
	browser.isWilling = true;
	await pass(60_000);
	expect(granted).toHaveLength(2);
});

test("whoever leaves the kiosk lets the screen go for good", async () => {
	const { granted, letGo, request, see } = openPage();
	await pass(0);
	letGo();
	await pass(5 * 60_000);
	see("visible");
	await pass(0);
	expect([granted[0]?.release.mock.calls.length, request.mock.calls.length]).toEqual([1, 1]);
});
