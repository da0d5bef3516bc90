import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MATCHING_RULES } from "../../../src/block/kinds/trading.js";
import type { OrderedInterval } from "../../../src/contract/automaticMarket.js";
import { match } from "../../../src/contract/matching/match.js";
import type { IntervalOrders } from "../../../src/contract/matching/orders.js";
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

const KEYS = Array.from({ length: 40 }, (_, member) => new Uint8Array(33).fill(member));
const households = KEYS.map((publicKey, index) => ({ index, publicKey }));
const NOTHING = { boughtWh: 0, paidMicroNok: 0, soldWh: 0, earnedMicroNok: 0 };

/** Of the device of a household. */
function historyOf(member: number): IntervalHistory {
	return new IntervalHistory(KEYS[member] ?? new Uint8Array());
}

function add(history: IntervalHistory, ...intervals: OrderedInterval[]): void {
	history.add({ ledger: { households }, results: { ordered: intervals } });
}

const intervalsOf = (stored: readonly StoredIntervals[]) =>
	stored.flatMap(({ day, record }) => decodeDay(record, day) ?? []);

describe("what the rules make of an interval", () => {
	it("is kept for the own household, whatever was ordered", () => {
		fc.assert(
			fc.property(fc.array(anyMarket(), { minLength: 1, maxLength: 96 }), fc.nat({ max: 8 }), (markets, member) => {
				const intervals = markets.map((orders, at) => ordered(at, orders));
				const history = historyOf(member);
				add(history, ...intervals);
				const kept = intervalsOf(history.takeChangedDays());
				expect(kept.length).toBe(intervals.length);
				for (const [at, { fromMinute, choice, orders }] of intervals.entries()) {
					const shares = MATCHING_RULES.map((rule) => {
						const own = match(rule, orders).shares.find(({ household }) => household === member);
						const { household: _, ...share } = own ?? { household: member, ...NOTHING };
						return share;
					});
					expect(kept[at]).toMatchObject({ fromMinute, choice, shares });
					if (shares.every(({ boughtWh, soldWh }) => boughtWh + soldWh === 0)) continue;
					const { asks: _asks, bids: _bids, ...prices } = orders;
					expect(kept[at]).toMatchObject(prices);
				}
			}),
			{ numRuns: 60 },
		);
	});

	it("takes no more bytes for many neighbours than for two, and hardly any where the household does not trade", () => {
		const lengthOf = (member: number, orders: IntervalOrders) => {
			const history = historyOf(member);
			add(history, ordered(0, orders));
			return history.takeChangedDays()[0]?.record.length ?? 0;
		};
		const asks = Array.from({ length: 10 }, (_, at) => ask(at, 500, 600));
		const bids = Array.from({ length: 10 }, (_, at) => bid(10 + at, 300, 1_400));
		expect(lengthOf(12, market(asks, bids))).toBe(lengthOf(12, market(asks.slice(0, 1), bids.slice(2, 3))));
		expect(lengthOf(30, market(asks, bids))).toBe(lengthOf(12, market([], bids)));
		expect(lengthOf(12, market(asks, bids)) - lengthOf(30, market(asks, bids))).toBeLessThan(40);
	});

	it("is nothing where the household was not there yet", () => {
		const history = new IntervalHistory(new Uint8Array(33).fill(99));
		add(history, ordered(0, market([ask(0, 10)], [bid(1, 20)])));
		expect(intervalsOf(history.takeChangedDays())).toMatchObject([{ shares: MATCHING_RULES.map(() => NOTHING) }]);
	});

	it("goes on in a day that was stored, and takes in twice what it has once", () => {
		const begun = historyOf(0);
		add(begun, ordered(0, market([ask(0, 10)], [bid(1, 20)])));
		const again = historyOf(0);
		expect(again.restore(begun.takeChangedDays())).toBe(true);
		expect(again.takeChangedDays()).toEqual([]);
		add(again, ordered(0, market([ask(0, 10)], [bid(1, 20)])), ordered(1, market([ask(2, 5)], [bid(0, 7)])));
		expect(intervalsOf(again.storedDays()).map(({ fromMinute }) => fromMinute)).toEqual([FROM, FROM + 15]);
		expect(again.takeChangedDays()).toEqual(again.storedDays());
		expect(again.takeChangedDays()).toEqual([]);
	});

	it("stays in memory for some days only: older ones are read from the database", () => {
		const history = historyOf(0);
		for (let day = 0; day < 30; day++) {
			add(history, ordered(96 * day, market([ask(0, 10)], [bid(1, 20)])));
			expect(history.takeChangedDays().map((stored) => stored.day)).toEqual([DAY + day]);
		}
		expect(history.storedDays().length).toBeLessThan(10);
	});

	it("is not believed where a byte of it is another one, or it is of a version to come", () => {
		const history = historyOf(0);
		add(history, ordered(0, market([ask(0, 10)], [bid(1, 20)])), ordered(1, market([], [])));
		const { record } = history.takeChangedDays()[0] ?? { record: new Uint8Array() };
		for (let at = 0; at < record.length; at++) {
			const hurt = record.map((byte, place) => (place === at ? byte ^ 1 : byte));
			expect(decodeDay(hurt, DAY)).toBeUndefined();
			expect(historyOf(0).restore([{ day: DAY, record: hurt }])).toBe(false);
		}
		const content = openRecord(record);
		if (!content.ok) throw new Error("it was just sealed");
		for (const length of [0, 1, content.value.length - 1]) {
			const short = decodeDay(sealRecord(content.value.slice(0, length)), DAY);
			expect(short?.length ?? 0).toBe(0);
		}
		expect(decodeDay(sealRecord(content.value.with(0, 3)), DAY)).toBeUndefined();
		// What the version before kept of all neighbours is read no more.
		expect(decodeDay(sealRecord(content.value.with(0, 1)), DAY)).toEqual([]);
	});
});

it("counts the intervals that begin in a time", () => {
	expect(intervalsWithin(FROM, FROM + 1_440, 15)).toBe(96);
	expect(intervalsWithin(FROM + 1, FROM + 16, 15)).toBe(1);
	expect(intervalsWithin(FROM + 1, FROM + 15, 15)).toBe(0);
	expect(intervalsWithin(FROM + 15, FROM, 15)).toBe(0);
});
