import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Day, decodeDay, emptyDay, encodeDay } from "../../../src/node/dayRecord.js";
import { openRecord, sealRecord } from "../../../src/node/records.js";
import { MINUTES_PER_DAY } from "../../../src/primitives/units.js";

const SERIES = ["importWh", "exportWh", "boughtWh", "soldWh"] as const;
const PRICES = [{ fromMinute: 7, retailMicroNokPerWh: 1_500, feedInMicroNokPerWh: 500, localFeeMicroNokPerWh: 0 }];

/** Runs of equal minutes, which fill a day. */
const runs = (leastWh: number) =>
	fc.array(
		fc.record({
			wh: fc.oneof(fc.integer({ min: leastWh, max: 200 }), fc.integer({ min: leastWh, max: 2 ** 31 - 1 })),
			minutes: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: MINUTES_PER_DAY })),
		}),
		{ maxLength: 40 },
	);

function filled(each: readonly (readonly { wh: number; minutes: number }[])[]): Day {
	const day = emptyDay();
	for (const [index, name] of SERIES.entries()) {
		let at = 0;
		for (const { wh, minutes } of each[index] ?? []) {
			day[name].fill(wh, at, at + minutes);
			at += minutes;
		}
	}
	day.matched.set(15, { from: 15, until: 30, boughtWh: 4, soldWh: 0, paidMicroNok: 3_000, earnedMicroNok: 0 });
	day.money.set(3, { paidMicroNok: 2 ** 40, earnedMicroNok: 1 });
	day.unsettled.set(9, "typed");
	return day;
}

function contentOf(record: Uint8Array): Uint8Array {
	const content = openRecord(record);
	if (!content.ok) throw new Error("it was just sealed");
	return content.value;
}

/** As the version before wrote it: each minute in four bytes, between the head and the lists. */
function unpacked(day: Day): Uint8Array {
	const lists = contentOf(encodeDay(day, PRICES)).subarray(-(32 + 16 + 20 + 8));
	const bytes = new Uint8Array(20 + SERIES.length * MINUTES_PER_DAY * 4 + lists.length);
	const view = new DataView(bytes.buffer);
	const head = [-3, day.matched.size, PRICES.length, day.money.size, day.unsettled.size];
	for (const [at, value] of [...head, ...SERIES.flatMap((name) => [...day[name]])].entries()) {
		view.setInt32(at * 4, value, true);
	}
	bytes.set(lists, bytes.length - lists.length);
	return sealRecord(bytes);
}

describe("a day's record", () => {
	it("says all that was in the day, and so does one whose minutes are not packed", () => {
		fc.assert(
			fc.property(fc.tuple(runs(-1), runs(-1), runs(0), runs(0)), (each) => {
				const day = filled(each);
				expect(decodeDay(encodeDay(day, PRICES))).toEqual({ values: day, prices: PRICES });
				expect(decodeDay(unpacked(day))).toEqual({ values: day, prices: PRICES });
			}),
			{ numRuns: 60 },
		);
	});

	it("of a house with panels takes a fifth of what its minutes would take one by one", () => {
		const day = emptyDay();
		for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
			const exportWh = Math.max(0, Math.round(60 * Math.sin(((minute - 360) / 720) * Math.PI)));
			day.exportWh[minute] = exportWh;
			day.importWh[minute] = exportWh > 0 ? 0 : 5 + ((minute * 7_919) % 80);
			day.soldWh[minute] = Math.floor(exportWh / 2);
		}
		expect(encodeDay(day, []).length).toBeLessThan((SERIES.length * MINUTES_PER_DAY * 4) / 5);
	});

	it("that ends anywhere before its end, or goes on, is none", () => {
		const whole = contentOf(
			encodeDay(
				filled([
					[
						{ wh: 30, minutes: 700 },
						{ wh: 2 ** 31 - 1, minutes: 1 },
						{ wh: 3, minutes: 9 },
					],
				]),
				PRICES,
			),
		);
		for (let length = 0; length < whole.length; length++) {
			expect(decodeDay(sealRecord(whole.slice(0, length)))).toBeUndefined();
		}
		expect(decodeDay(sealRecord(new Uint8Array([...whole, 0])))).toBeUndefined();
	});

	it("with bytes of somebody's own is none, or a day with all its minutes", () => {
		const whole = contentOf(encodeDay(filled([[{ wh: 30, minutes: 700 }]]), []));
		fc.assert(
			fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 }), (changes) => {
				const bytes = whole.slice();
				for (const [at, byte] of changes) bytes[at] = byte;
				const day = decodeDay(sealRecord(bytes));
				for (const name of SERIES) {
					for (const wh of day?.values[name] ?? []) expect(wh).toBeGreaterThanOrEqual(-1);
				}
			}),
		);
	});
});
