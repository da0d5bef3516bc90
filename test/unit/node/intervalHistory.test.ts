import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MATCHING_RULES } from "../../../src/block/kinds/trading.js";
import type { OrderedInterval } from "../../../src/contract/automaticMarket.js";
import { match } from "../../../src/contract/matching/match.js";
import type { IntervalOrders } from "../../../src/contract/matching/orders.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { decodeDay, IntervalHistory, intervalsWithin } from "../../../src/node/intervalHistory.js";
import { openRecord, sealRecord } from "../../../src/node/records.js";
import type { StoredIntervals } from "../../../src/node/storage.js";
import { anyMarket, ask, bid, market } from "../../support/intervalOrders.js";

const DAY = 20_000;
const FROM = DAY * 1_440;

function ordered(at: number, orders: IntervalOrders): OrderedInterval {
	const fromMinute = FROM + 15 * at;
	const choice = MATCHING_RULES[at % MATCHING_RULES.length] ?? "midMarket";
	return { fromMinute, untilMinute: fromMinute + 15, choice, orders };
}

function add(history: IntervalHistory, ...intervals: OrderedInterval[]): void {
	history.add({ results: { ...NO_RESULTS, ordered: intervals } });
}

const intervalsOf = (stored: readonly StoredIntervals[]) =>
	stored.flatMap(({ day, record }) => decodeDay(record, day) ?? []);

describe("what an interval was matched from", () => {
	it("is kept so that every rule makes the same of it, whatever was ordered", () => {
		fc.assert(
			fc.property(fc.array(anyMarket(), { minLength: 1, maxLength: 96 }), (markets) => {
				const intervals = markets.map((orders, at) => ordered(at, orders));
				const history = new IntervalHistory();
				add(history, ...intervals);
				const kept = intervalsOf(history.takeChangedDays());
				for (const [at, { orders, ...interval }] of intervals.entries()) {
					const { orders: keptOrders, ...keptInterval } = kept[at] ?? ordered(at, market([], []));
					expect(keptInterval).toEqual(interval);
					for (const rule of MATCHING_RULES) expect(match(rule, keptOrders)).toEqual(match(rule, orders));
				}
			}),
			{ numRuns: 60 },
		);
	});

	it("takes three bytes of an order that is for what the tariff makes it, and none where nobody is on one side", () => {
		const lengthOf = (orders: IntervalOrders) => {
			const history = new IntervalHistory();
			add(history, ordered(0, orders));
			return history.takeChangedDays()[0]?.record.length ?? 0;
		};
		const asks = Array.from({ length: 10 }, (_, at) => ask(at, 500, 600));
		const bids = Array.from({ length: 10 }, (_, at) => bid(10 + at, 300, 1_400));
		const prices = 5;
		expect(lengthOf(market(asks, bids)) - lengthOf(market(asks, []))).toBe(prices + 20 * 3);
		expect(lengthOf(market([], bids))).toBe(lengthOf(market([], [])));
	});

	it("goes on in a day that was stored, and takes in twice what it has once", () => {
		const begun = new IntervalHistory();
		add(begun, ordered(0, market([ask(0, 10)], [bid(1, 20)])));
		const again = new IntervalHistory();
		expect(again.restore(begun.takeChangedDays())).toBe(true);
		expect(again.takeChangedDays()).toEqual([]);
		add(again, ordered(0, market([ask(0, 10)], [bid(1, 20)])), ordered(1, market([ask(2, 5)], [bid(0, 7)])));
		expect(intervalsOf(again.storedDays()).map(({ fromMinute }) => fromMinute)).toEqual([FROM, FROM + 15]);
		expect(again.takeChangedDays()).toEqual(again.storedDays());
		expect(again.takeChangedDays()).toEqual([]);
	});

	it("stays in memory for some days only: older ones are read from the database", () => {
		const history = new IntervalHistory();
		for (let day = 0; day < 30; day++) {
			add(history, ordered(96 * day, market([ask(0, 10)], [bid(1, 20)])));
			expect(history.takeChangedDays().map((stored) => stored.day)).toEqual([DAY + day]);
		}
		expect(history.storedDays().length).toBeLessThan(10);
	});

	it("is not believed where a byte of it is another one, or it is of a version to come", () => {
		const history = new IntervalHistory();
		add(history, ordered(0, market([ask(0, 10)], [bid(1, 20)])), ordered(1, market([], [])));
		const { record } = history.takeChangedDays()[0] ?? { record: new Uint8Array() };
		for (let at = 0; at < record.length; at++) {
			const hurt = record.map((byte, place) => (place === at ? byte ^ 1 : byte));
			expect(decodeDay(hurt, DAY)).toBeUndefined();
			expect(new IntervalHistory().restore([{ day: DAY, record: hurt }])).toBe(false);
		}
		const content = openRecord(record);
		if (!content.ok) throw new Error("it was just sealed");
		for (const length of [0, 1, content.value.length - 1]) {
			const short = decodeDay(sealRecord(content.value.slice(0, length)), DAY);
			expect(short?.length ?? 0).toBe(0);
		}
		expect(decodeDay(sealRecord(content.value.with(0, 2)), DAY)).toBeUndefined();
	});
});

it("counts the intervals that begin in a time", () => {
	expect(intervalsWithin(FROM, FROM + 1_440, 15)).toBe(96);
	expect(intervalsWithin(FROM + 1, FROM + 16, 15)).toBe(1);
	expect(intervalsWithin(FROM + 1, FROM + 15, 15)).toBe(0);
	expect(intervalsWithin(FROM + 15, FROM, 15)).toBe(0);
});
