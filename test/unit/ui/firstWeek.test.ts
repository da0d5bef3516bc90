import { describe, expect, it } from "vitest";
import { FREE_ORDER_MICRO_NOK as OF_NODE } from "../../../src/node/firstWeek.js";
import type { FirstWeekView } from "../../../src/node/view.js";
import {
	FREE_ORDER_MICRO_NOK,
	isFirstWeekOver,
	lackingMinutes,
	pointsOf,
	readDisplay,
} from "../../../src/ui/firstWeek.js";

const DONE: FirstWeekView = {
	register: { state: "compared", atMs: 1_740_000_000_000, importWh: { displayWh: 1_903_000, registerWh: 1_903_410 } },
	minutes: { have: 1_440, all: 1_440, needed: 1_426, isWhole: true },
	wordsKept: true,
	test: "inAndOut",
	isGreen: true,
};
const statesOf = (firstWeek: FirstWeekView, isTrial = false) =>
	pointsOf(firstWeek, isTrial).map(({ name, state }) => `${name} ${state}`);

describe("the list of the first week", () => {
	it("has what a person does first, and what comes by itself after it", () => {
		expect(statesOf(DONE)).toEqual(["words done", "register done", "minutes done", "test done"]);
		const open: FirstWeekView = {
			register: { state: "open", asksExport: false },
			minutes: { have: 600, all: 1_440, needed: 1_426, isWhole: false },
			wordsKept: false,
			test: "none",
			isGreen: false,
		};
		expect(statesOf(open)).toEqual(["words open", "register open", "minutes waiting", "test waiting"]);
	});

	it("asks a household without a meter for its words alone", () => {
		expect(statesOf({ wordsKept: false, test: "none", isGreen: false }, true)).toEqual(["words open", "test waiting"]);
	});

	it("tries of trial kroner only the way in, and of real ones both ways", () => {
		expect(isFirstWeekOver({ ...DONE, test: "in" }, true)).toBe(true);
		expect(isFirstWeekOver({ ...DONE, test: "in" }, false)).toBe(false);
		expect(isFirstWeekOver(DONE, false)).toBe(true);
	});

	it("names the households that meter and lack minutes", () => {
		const minutes = { all: 1_440, needed: 1_426 };
		const households = [
			{ member: 0, meters: true, have: 1_426, ...minutes },
			{ member: 1, meters: true, have: 1_425, ...minutes },
			{ member: 2, meters: false, have: 0, ...minutes },
		];
		expect(lackingMinutes(households).map(({ member }) => member)).toEqual([1]);
	});

	it("lets as much be ordered as the node does", () => {
		expect(FREE_ORDER_MICRO_NOK).toBe(OF_NODE);
	});
});

describe("what is read off a display", () => {
	it("says how fine the display is", () => {
		expect(readDisplay("1903")).toEqual({ ok: true, value: { wh: 1_903_000, stepWh: 1_000 } });
		expect(readDisplay("1 903,4")).toEqual({ ok: true, value: { wh: 1_903_400, stepWh: 100 } });
		expect(readDisplay("1903.40")).toEqual({ ok: true, value: { wh: 1_903_400, stepWh: 10 } });
		expect(readDisplay(" 0,000 ")).toEqual({ ok: true, value: { wh: 0, stepWh: 1 } });
	});

	it("is a number", () => {
		expect(["", "x", "-4", "1,2345"].map((text) => readDisplay(text).ok)).toEqual([false, false, false, false]);
	});
});
