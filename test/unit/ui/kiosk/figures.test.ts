import { describe, expect, test } from "vitest";
import type { StreetView } from "../../../../src/node/view.js";
import { flowNow, isNight, isSwapped, linesOf, MAX_SHIFT_PX, shiftAt } from "../../../../src/ui/kiosk/figures.js";
import { foundedAgain, outOfUse, refounding, street, troubled } from "../../../ui-preview/views.js";

const MINUTE = 60_000;

describe("the large number", () => {
	function flowing(self: number, importW: number, exportW: number, change: (view: StreetView) => void = () => {}) {
		const view = street(self);
		if (view.meter.live !== undefined) Object.assign(view.meter.live, { importW, exportW });
		change(view);
		return flowNow(view);
	}
	const without = (view: StreetView) => {
		view.market.contracts = [];
	};
	const paused = (view: StreetView) => {
		view.market.contracts = view.market.contracts.map((contract) => ({ ...contract, state: "paused" }));
	};

	test("sells under contracts that hold now, and otherwise sends into the grid", () => {
		expect(flowing(0, 0, 3420)).toMatchObject({ flow: "selling", powerW: 3420 });
		expect(flowing(0, 0, 3420, without)).toEqual({ flow: "sending", powerW: 3420, others: [] });
		expect(flowing(0, 0, 3420, paused)).toEqual({ flow: "sending", powerW: 3420, others: [] });
	});

	test("buys under the contract that holds now, and otherwise draws from the grid", () => {
		expect(flowing(1, 1310, 0)).toEqual({ flow: "buying", powerW: 1310, others: [2] });
		expect(flowing(1, 1310, 0, without)).toEqual({ flow: "drawing", powerW: 1310, others: [] });
		expect(flowing(1, 1310, 0, paused)).toEqual({ flow: "drawing", powerW: 1310, others: [] });
	});

	test("is even where nothing flows, and unknown before the meter's first figure", () => {
		expect(flowing(0, 0, 0)).toEqual({ flow: "even", powerW: 0, others: [] });
		expect(flowing(0, 0, 0, (view) => delete view.meter.live)).toBeUndefined();
	});
});

describe("what is said below", () => {
	const types = (view: StreetView) => linesOf(view, view.chainMs).map(({ type }) => type);

	test("is nothing while all is well, whatever a household's words and password are", () => {
		expect(types(street(0))).toEqual([]);
		expect(types({ ...street(0), lock: { state: "none", wordsKept: false } })).toEqual([]);
		expect(types(foundedAgain(1))).toEqual([]);
	});

	test("is faults first, and at most three lines", () => {
		expect(types(troubled())).toEqual(["fault", "alone", "notVoting"]);
	});

	test("names a device that has stopped, and what only a person can decide", () => {
		expect(linesOf(outOfUse("twin-device"), street(0).chainMs)).toEqual([{ type: "notVoting", code: "twin-device" }]);
		expect(types(refounding(1, "proposed"))).toEqual(["wanted"]);
		expect(types(refounding(1, "possible"))).toEqual(["noLeader"]);
	});

	test("stays the same while the meter is silent: its age is said elsewhere", () => {
		const view = street(0);
		const at = (minutes: number) => linesOf(view, view.chainMs + minutes * MINUTE);
		expect(at(4)).toEqual([]);
		expect(at(6)).toEqual([{ type: "meterSilent" }]);
		expect(at(600)).toEqual(at(6));
	});
});

describe("nothing burns in", () => {
	const fromMs = Date.UTC(2026, 10, 27);
	const places = Array.from({ length: 25 * 25 }, (_, minute) => shiftAt(fromMs + minute * MINUTE));

	test("everything stands elsewhere each minute, within 24 px, and in all those places in turn", () => {
		expect(new Set(places.map(({ xPx, yPx }) => `${xPx},${yPx}`)).size).toBe(625);
		for (const { xPx, yPx } of places) {
			expect([xPx >= 0, yPx >= 0, xPx <= MAX_SHIFT_PX, yPx <= MAX_SHIFT_PX]).not.toContain(false);
		}
		expect(shiftAt(fromMs + 59_999)).toEqual(shiftAt(fromMs));
	});

	test("halves change places every hour", () => {
		const hours = Array.from({ length: 6 }, (_, hour) => isSwapped(fromMs + hour * 60 * MINUTE));
		expect(hours).toEqual([hours[0], !hours[0], hours[0], !hours[0], hours[0], !hours[0]]);
	});
});

test("it is night from 23 to 6 o'clock in Oslo, in summer and in winter", () => {
	const at = (...date: [number, number, number, number, number]) => isNight(Date.UTC(...date));
	expect([at(2026, 10, 27, 21, 59), at(2026, 10, 27, 22, 0), at(2026, 10, 28, 4, 59), at(2026, 10, 28, 5, 0)]).toEqual([
		false,
		true,
		true,
		false,
	]);
	expect([at(2026, 5, 18, 20, 59), at(2026, 5, 18, 21, 0), at(2026, 5, 19, 3, 59), at(2026, 5, 19, 4, 0)]).toEqual([
		false,
		true,
		true,
		false,
	]);
});
