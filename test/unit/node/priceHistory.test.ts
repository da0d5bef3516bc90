import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TariffStep } from "../../../src/block/kinds/trading.js";
import { tariffAt } from "../../../src/contract/tariff.js";
import { PriceHistory } from "../../../src/node/priceHistory.js";
import { DEFAULT_PARAMETERS } from "../../support/ledger.js";

const DAY = 1_440;
const MS = 60_000;
const KEPT_DAYS = 62;

const step = (fromMinute: number, price: number): TariffStep => ({
	fromMinute,
	retailMicroNokPerWh: price,
	feedInMicroNokPerWh: price + 1,
	localFeeMicroNokPerWh: price + 2,
});
const parameters = { ...DEFAULT_PARAMETERS, ...step(0, 1_000) };

/** The price of each minute, written out. */
function written(history: PriceHistory, fromMinute: number, untilMinute: number): { price: number; isKept: boolean }[] {
	const runs = history.runs(fromMinute, untilMinute, step(0, 7));
	return Array.from({ length: untilMinute - fromMinute }, (_, at) => {
		const run = runs.findLast((each) => each.fromMinute <= fromMinute + at);
		return { price: run?.retailMicroNokPerWh ?? -1, isKept: run?.isKept ?? false };
	});
}

describe("the prices that held", () => {
	it("are each minute's own, however blocks lie and though the ledger forgets, also after a restart", () => {
		const gaps = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 2, maxLength: 12 });
		const steps = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 3 })), {
			selector: ([at]) => at,
			maxLength: 20,
		});
		fc.assert(
			fc.property(gaps, steps, fc.nat(11), (minutes, changes, restartAt) => {
				const begin = 100 * DAY + 777;
				const tariff = changes.sort(([a], [b]) => a - b).map(([at, price]) => step(begin + at, price));
				let history = new PriceHistory(KEPT_DAYS);
				let minute = begin;
				for (const [at, gap] of minutes.entries()) {
					// What `forgetTariffBefore` leaves.
					const first = Math.max(
						0,
						tariff.findLastIndex(({ fromMinute }) => fromMinute <= minute),
					);
					const parent = { parameters, tariff: tariff.slice(first), timestampMs: minute * MS + 5 };
					minute += gap;
					history.add(parent, minute * MS + 59_999);
					expect(history.add(parent, minute * MS + 59_999)).toEqual([]);
					if (at !== restartAt) continue;
					const again = new PriceHistory(KEPT_DAYS);
					for (let day = 100; day < 110; day++) again.put(day, history.ofDay(day));
					history = again;
				}
				const expected = Array.from({ length: minute - begin }, (_, at) => ({
					price: tariffAt({ parameters, tariff }, begin + at).retailMicroNokPerWh,
					isKept: true,
				}));
				expect(written(history, begin, minute)).toEqual(expected);
			}),
		);
	});

	it("of days from before are the earliest known, and say so", () => {
		const history = new PriceHistory(KEPT_DAYS);
		expect(written(history, 0, 1)).toEqual([{ price: 7, isKept: false }]);
		history.add({ parameters, tariff: undefined, timestampMs: (5 * DAY + 3) * MS }, (5 * DAY + 4) * MS);
		const unkept = { price: 1_000, isKept: false };
		expect(written(history, 4 * DAY + 9, 4 * DAY + 10)).toEqual([unkept]);
		expect(written(history, 5 * DAY + 1, 5 * DAY + 4)).toEqual([unkept, unkept, { price: 1_000, isKept: true }]);
	});

	it("are kept for a bounded number of days, also after a long silence", () => {
		const history = new PriceHistory(3);
		const tariff = [step(50 * DAY, 9)];
		expect(history.add({ parameters, tariff, timestampMs: 0 }, 50 * DAY * MS)).toEqual([48, 49, 50]);
		history.add({ parameters, tariff, timestampMs: 50 * DAY * MS }, 51 * DAY * MS);
		expect([48, 49, 50, 51].map((day) => history.ofDay(day).length)).toEqual([0, 1, 1, 1]);
	});
});
