import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { billOf } from "../../../src/node/bill.js";
import type { PriceRun } from "../../../src/node/priceHistory.js";
import type { OwnRetailStep } from "../../../src/node/protocol.js";
import { CENTRAL_EUROPEAN_TIME, dayOfDate, firstMinuteOfDay } from "../../../src/primitives/localTime.js";

interface Minute {
	importWh: number;
	exportWh: number;
	boughtWh: number;
	soldWh: number;
	neighbourPrice: number;
}

/** Spring's day of 23 hours, an ordinary one, and autumn's of 25. */
const DAYS = [
	{ year: 2026, month: 3, dayOfMonth: 29, hours: 23 },
	{ year: 2026, month: 6, dayOfMonth: 1, hours: 24 },
	{ year: 2026, month: 10, dayOfMonth: 25, hours: 25 },
];

const minuteOfHouse: fc.Arbitrary<Minute> = fc.record({
	importWh: fc.integer({ min: -1, max: 400 }),
	exportWh: fc.integer({ min: 0, max: 300 }),
	boughtWh: fc.integer({ min: 0, max: 400 }),
	soldWh: fc.integer({ min: 0, max: 300 }),
	neighbourPrice: fc.integer({ min: 1, max: 2_000 }),
});

/** Traded is only what is metered. */
function possible(minute: Minute): Minute {
	if (minute.importWh < 0) return { ...minute, exportWh: -1, boughtWh: 0, soldWh: 0 };
	const boughtWh = Math.min(minute.importWh, minute.boughtWh);
	return { ...minute, boughtWh, soldWh: Math.min(minute.exportWh, minute.soldWh) };
}

/** Prices from each minute of the day on, where they change. */
const changes = (hours: number) =>
	fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: hours * 60 - 1 }), fc.integer({ min: 0, max: 3_000 })), {
		selector: ([at]) => at,
		maxLength: 30,
	});

const day = fc.constantFrom(...DAYS).chain(({ hours, ...date }) =>
	fc.record({
		hours: fc.constant(hours),
		fromMinute: fc.constant(firstMinuteOfDay(CENTRAL_EUROPEAN_TIME, dayOfDate(date))),
		nextMinute: fc.constant(firstMinuteOfDay(CENTRAL_EUROPEAN_TIME, dayOfDate(date) + 1)),
		minutes: fc.array(minuteOfHouse, { minLength: hours * 60, maxLength: hours * 60, size: "max" }),
		tariff: changes(hours),
		own: changes(hours),
	}),
);

function minutesOf(fromMinute: number, minutes: readonly Minute[]) {
	const all = minutes.map(possible);
	const column = (field: "importWh" | "exportWh" | "boughtWh" | "soldWh") =>
		Int32Array.from(all, (each) => each[field]);
	return {
		series: {
			member: 0,
			fromMinute,
			importWh: column("importWh"),
			exportWh: column("exportWh"),
			boughtWh: column("boughtWh"),
			soldWh: column("soldWh"),
		},
		paidMicroNok: all.map(({ boughtWh, neighbourPrice }) => boughtWh * neighbourPrice),
		earnedMicroNok: all.map(({ soldWh, neighbourPrice }) => soldWh * neighbourPrice),
	};
}

const FLAT: PriceRun = {
	fromMinute: 0,
	retailMicroNokPerWh: 1_500,
	feedInMicroNokPerWh: 500,
	localFeeMicroNokPerWh: 100,
	isKept: true,
};

describe("a household's bill", () => {
	it("is what each minute cost at its own prices, on days of 23, 24 and 25 hours", () => {
		fc.assert(
			fc.property(day, ({ hours, fromMinute, nextMinute, minutes, tariff, own }) => {
				expect(nextMinute - fromMinute).toBe(hours * 60);
				const run = (at: number, price: number): PriceRun => ({
					fromMinute: fromMinute + at,
					retailMicroNokPerWh: price,
					feedInMicroNokPerWh: Math.floor(price / 2),
					localFeeMicroNokPerWh: Math.floor(price / 7),
					isKept: price % 2 === 0,
				});
				const prices = [run(0, 1_111), ...tariff.sort(([a], [b]) => a - b).map(([at, price]) => run(at, price))];
				const ownRetail: OwnRetailStep[] = own
					.sort(([a], [b]) => a - b)
					.map(([at, price]) => ({ fromMinute: fromMinute + at, retailMicroNokPerWh: price < 1_000 ? 0 : price }));
				const billed = minutesOf(fromMinute, minutes);
				const bill = billOf({ ...billed, prices, ownRetail });

				// The same, of each hour by itself, every price looked up anew.
				const expected = Array.from({ length: hours }, () => ({
					cost: 0,
					income: 0,
					fee: 0,
					saved: 0,
					minutes: 0,
					paid: 0,
				}));
				let unkept = 0;
				for (const [at, each] of minutes.map(possible).entries()) {
					const hour = expected[Math.floor(at / 60)];
					if (hour === undefined || each.importWh < 0) continue;
					const price = prices.filter((step) => step.fromMinute <= fromMinute + at).at(-1) ?? FLAT;
					const said = ownRetail.filter((step) => step.fromMinute <= fromMinute + at).at(-1)?.retailMicroNokPerWh;
					const retail = said === undefined || said === 0 ? price.retailMicroNokPerWh : said;
					if (!price.isKept) unkept++;
					hour.minutes++;
					hour.cost += (each.importWh - each.boughtWh) * retail;
					hour.income += (each.exportWh - each.soldWh) * price.feedInMicroNokPerWh;
					hour.fee += each.boughtWh * price.localFeeMicroNokPerWh;
					hour.paid += each.boughtWh * each.neighbourPrice;
					// Each Wh that a neighbour sold in the utility's place, and each that one bought.
					hour.saved += each.boughtWh * (retail - price.localFeeMicroNokPerWh - each.neighbourPrice);
					hour.saved += each.soldWh * (each.neighbourPrice - price.feedInMicroNokPerWh);
				}
				expect(
					bill.hours.map((hour) => ({
						cost: hour.utilityCostMicroNok,
						income: hour.utilityIncomeMicroNok,
						fee: hour.localFeeMicroNok,
						saved: hour.savedMicroNok,
						minutes: hour.minutes,
						paid: hour.paidMicroNok,
					})),
				).toEqual(expected);
				expect(bill.hours.map((hour) => hour.fromMinute)).toEqual(expected.map((_, at) => fromMinute + at * 60));
				expect(bill.total.savedMicroNok).toBe(expected.reduce((sum, { saved }) => sum + saved, 0));
				expect(bill.total.minutesWithoutPrices).toBe(unkept);
				expect(bill.total.minutesWithoutMoney).toBe(0);
				const { importWh, boughtWh, fromUtilityWh, exportWh, soldWh, toUtilityWh } = bill.total;
				expect([importWh, exportWh]).toEqual([boughtWh + fromUtilityWh, soldWh + toUtilityWh]);
			}),
			{ numRuns: 40 },
		);
	});

	it("says nothing of what a minute saved whose money nobody kept", () => {
		const one = { importWh: 100, exportWh: 0, boughtWh: 40, soldWh: 0, neighbourPrice: 1_000 };
		const billed = minutesOf(600, [one, one]);
		const bill = billOf({ ...billed, paidMicroNok: [0, 40_000], prices: [FLAT], ownRetail: [] });
		expect(bill.total).toMatchObject({ minutesWithoutMoney: 1, minutesWithoutPrices: 0 });
		expect(bill.total).toMatchObject({ paidMicroNok: 40_000, savedMicroNok: 40 * 400, utilityCostMicroNok: 180_000 });
	});

	it("of no minutes has no hours", () => {
		expect(billOf({ ...minutesOf(600, []), prices: [FLAT], ownRetail: [] }).hours).toEqual([]);
	});
});
