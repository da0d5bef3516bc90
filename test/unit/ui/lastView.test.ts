import { beforeEach, describe, expect, it, vi } from "vitest";
import type { StreetView, View } from "../../../src/node/view.js";
import { openLastView } from "../../../src/ui/lastView.js";
import { stubLocalStorage } from "../../support/localStorage.js";
import { street } from "../../ui-preview/views.js";

const ACCOUNT = { holder: "Kari Holder", number: "86011117947" };

let kept: Map<string, string>;

beforeEach(() => {
	kept = stubLocalStorage();
});

const streetAt = (chainMs: number, timeScale = 1) => ({ stage: "street", chainMs, timeScale }) as StreetView;

/** What the next page has, opened by a browser with this version of the app. */
function next(version = "a"): StreetView | undefined {
	return openLastView(version, () => 0).street;
}

describe("the last view", () => {
	it("is what was kept, once", () => {
		openLastView("a", () => 0).keep(streetAt(1));
		expect(next()).toEqual(streetAt(1));
		expect(next()).toBeUndefined();
	});

	it("is kept at once, then once a minute, and when its page is left", () => {
		let nowMs = 0;
		const last = openLastView("a", () => nowMs);
		last.keep(streetAt(1));
		nowMs = 59_999;
		last.keep(streetAt(2));
		expect(next()).toEqual(streetAt(1));
		nowMs = 60_000;
		last.keep(streetAt(3));
		expect(next()).toEqual(streetAt(3));
		nowMs = 60_001;
		last.keep(streetAt(4), true);
		expect(next()).toEqual(streetAt(4));
	});

	it("is none where another version of the app kept it, or where it is damaged", () => {
		openLastView("a", () => 0).keep(streetAt(1));
		expect(next("b")).toBeUndefined();
		openLastView("a", () => 0).keep(streetAt(1));
		for (const [key, text] of kept) kept.set(key, text.slice(0, -3));
		expect(next()).toBeUndefined();
	});

	it.each([
		["no household is", { stage: "welcome" } satisfies View],
		["a household of a demo is", streetAt(2, 30)],
	])("is none where %s", (_, view) => {
		openLastView("a", () => 0).keep(view);
		expect(kept.size).toBe(0);
	});

	it("is forgotten when the household is given up", () => {
		const last = openLastView("a", () => 0);
		last.keep(streetAt(1));
		last.keep({ stage: "welcome" });
		expect(kept.size).toBe(0);
		last.keep(streetAt(2));
		expect(next()).toEqual(streetAt(2));
	});

	it("has nothing in it that storage keeps sealed: no bank account, nothing of a TURN server", () => {
		const view = street(0);
		view.accounts = { operators: [{ member: 0, changedMs: 0, isRecent: false, ...ACCOUNT }], unsigned: ACCOUNT };
		const operator = view.operator;
		if (operator === undefined) throw new Error("the operator's view has its part");
		view.operator = { ...operator, iceServers: [{ urls: "turn:a.example", username: "u-7", credential: "c-7" }] };
		openLastView("a", () => 0).keep(view);
		const [text = ""] = kept.values();
		expect(text).toContain(view.self.name);
		for (const secret of [ACCOUNT.number, ACCOUNT.holder, "turn:a", "u-7", "c-7"]) expect(text).not.toContain(secret);
	});

	it("is none where the browser keeps nothing", () => {
		vi.stubGlobal("localStorage", undefined);
		openLastView("a", () => 0).keep(streetAt(1));
		expect(next()).toBeUndefined();
	});
});
