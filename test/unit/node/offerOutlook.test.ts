import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WEEKDAYS } from "../../../src/block/schedule.js";
import { lossOf } from "../../../src/node/contractCheck.js";
import { likelyShareOf, pastShareOf, shareOfFirst, surplusByHour } from "../../../src/node/offerOutlook.js";
import { CENTRAL_EUROPEAN_TIME, dayOfDate, firstMinuteOfDay } from "../../../src/primitives/localTime.js";

/** Wednesday 18 November 2026, 00:00 in Norway. */
const WEDNESDAY = firstMinuteOfDay(CENTRAL_EUROPEAN_TIME, dayOfDate({ year: 2026, month: 11, dayOfMonth: 18 }));
const RULE = CENTRAL_EUROPEAN_TIME;
const wh = (values: readonly number[]) => Int32Array.from(values);
const always = (values: readonly number[]) => ({ importWh: wh(values), schedule: undefined });
const seller = (values: readonly number[], fromMinute = WEDNESDAY) => ({ fromMinute, exportWh: wh(values) });

describe("the share of the first who takes of a surplus", () => {
	it("is what it needs, what there is, or its part of what several need", () => {
		expect(shareOfFirst(seller([100, 30, 50]), [always([40, 40, 40])], RULE)).toEqual([40, 30, 40]);
		expect(shareOfFirst(seller([100, 30, 50]), [always([40, 40, 40]), always([60, 80, 0])], RULE)).toEqual([
			40, 10, 40,
		]);
	});

	it("is nothing where a reading is missing, and others' missing ones take nothing", () => {
		expect(shareOfFirst(seller([-1, 30, 30]), [always([40, -1, 40]), always([0, 0, -1])], RULE)).toEqual([0, 0, 30]);
	});

	it("ends with the contract's energy", () => {
		expect(shareOfFirst(seller([100, 100, 100]), [always([40, 40, 40])], RULE, 70)).toEqual([40, 30, 0]);
	});

	it("is taken in the hours of its schedule, and of the others' theirs", () => {
		const morning = { days: WEEKDAYS, fromMinuteOfDay: 1, untilMinuteOfDay: 3 };
		const first = { importWh: wh([10, 10, 10, 10]), schedule: morning };
		expect(shareOfFirst(seller([8, 8, 8, 8]), [first], RULE)).toEqual([0, 8, 8, 0]);
		const other = { importWh: wh([10, 10, 10, 10]), schedule: { ...morning, untilMinuteOfDay: 2 } };
		expect(shareOfFirst(seller([8, 8, 8, 8]), [first, other], RULE)).toEqual([0, 4, 8, 0]);
		// Four days later it is Sunday.
		expect(shareOfFirst(seller([8, 8, 8, 8], WEDNESDAY + 4 * 1_440), [first], RULE)).toEqual([0, 0, 0, 0]);
	});

	it("never is more than was needed, or than there was", () => {
		const minutes = fc.array(fc.tuple(fc.integer({ min: -1, max: 90 }), fc.integer({ min: -1, max: 90 })), {
			minLength: 1,
			maxLength: 40,
		});
		fc.assert(
			fc.property(minutes, fc.integer({ min: 0, max: 200 }), (values, limitWh) => {
				const exported = values.map(([each]) => each);
				const needed = values.map(([, each]) => each);
				const shares = shareOfFirst(seller(exported), [always(needed), always(exported)], RULE, limitWh);
				for (const [at, share] of shares.entries()) {
					expect(share).toBeLessThanOrEqual(Math.max(0, Math.min(exported[at] ?? 0, needed[at] ?? 0)));
				}
				const sum = shares.reduce((all, share) => all + share, 0);
				if (limitWh > 0) expect(sum).toBeLessThanOrEqual(limitWh);
			}),
		);
	});

	it("is likely as large, of what was needed in its hours with both readings", () => {
		const morning = { days: WEEKDAYS, fromMinuteOfDay: 1, untilMinuteOfDay: 4 };
		const first = { importWh: wh([10, 10, -1, 10, 10]), schedule: morning };
		expect(likelyShareOf(seller([8, 8, 8, -1, 8]), [first], RULE)).toEqual({ neededWh: 10, shareWh: 8 });
	});
});

const FLAT = { fromMinute: 0, retailMicroNokPerWh: 1_500, feedInMicroNokPerWh: 500, localFeeMicroNokPerWh: 100 };

function billed(importWh: readonly number[], boughtWh: readonly number[], paidMicroNok: readonly number[]) {
	const nothing = wh(importWh.map(() => 0));
	return {
		series: {
			member: 1,
			fromMinute: WEDNESDAY,
			importWh: wh(importWh),
			exportWh: nothing,
			boughtWh: wh(boughtWh),
			soldWh: nothing,
		},
		paidMicroNok,
		earnedMicroNok: importWh.map(() => 0),
		prices: [{ ...FLAT, isKept: true }],
		ownRetail: [],
	};
}

describe("a household's past under an offer", () => {
	it("costs the share with its fee and the rest from the utility, beside what it did cost", () => {
		// 50 Wh, of which 20 were bought for 1,000 µNOK/Wh. At 800 they would have been 30.
		expect(pastShareOf(billed([50], [20], [20_000]), [30], 800)).toEqual({
			minutes: 1,
			importWh: 50,
			shareWh: 30,
			didCostMicroNok: 30 * 1_500 + 20 * 100 + 20_000,
			wouldCostMicroNok: 20 * 1_500 + 30 * (800 + 100),
		});
	});

	it("leaves out minutes without a reading, and those whose money nobody kept", () => {
		const past = pastShareOf(billed([50, -1, 50], [0, 0, 10], [0, 0, 0]), [30, 0, 30], 800);
		expect(past).toMatchObject({ minutes: 1, importWh: 50, shareWh: 30 });
	});

	it("goes by the household's own price from the minute on for which it said one", () => {
		const own = {
			...billed([10, 10], [0, 0], [0, 0]),
			ownRetail: [{ fromMinute: WEDNESDAY + 1, retailMicroNokPerWh: 2_000 }],
		};
		expect(pastShareOf(own, [0, 0], 800).didCostMicroNok).toBe(10 * 1_500 + 10 * 2_000);
	});
});

describe("what a seller had left by the hour", () => {
	it("is a day's mean of the minutes with a reading, less what contracts took, by the neighbourhood's clocks", () => {
		const length = 2 * 1_440;
		const exportWh = new Int32Array(length).fill(-1);
		const soldWh = new Int32Array(length);
		// 09–10 on both days, of the second only half an hour; an hour of 12 Wh a minute and one of 4.
		for (let at = 0; at < 60; at++) exportWh[540 + at] = 12;
		for (let at = 0; at < 30; at++) exportWh[1_440 + 540 + at] = 4;
		for (let at = 0; at < 60; at++) soldWh[540 + at] = 3;
		const hours = surplusByHour({ fromMinute: WEDNESDAY, exportWh, soldWh }, RULE);
		expect(hours).toHaveLength(24);
		expect(hours[9]).toEqual({ minutes: 90, surplusWh: Math.floor(((60 * 9 + 30 * 4) * 60) / 90) });
		expect(hours[8]).toEqual({ minutes: 0, surplusWh: 0 });
	});

	it("puts both hours of an autumn night under the one that the clocks show", () => {
		const fromMinute = firstMinuteOfDay(RULE, dayOfDate({ year: 2026, month: 10, dayOfMonth: 25 }));
		const exportWh = new Int32Array(25 * 60).fill(1);
		const hours = surplusByHour({ fromMinute, exportWh, soldWh: new Int32Array(25 * 60) }, RULE);
		expect(hours[2]).toEqual({ minutes: 120, surplusWh: 60 });
		expect(hours[3]).toEqual({ minutes: 60, surplusWh: 60 });
	});
});

describe("what a contract was worse than the utility by", () => {
	const minutes = { fromMinute: WEDNESDAY, boughtWh: wh([10, 0, 20]) };
	const prices = { prices: [{ ...FLAT, isKept: true }], ownRetail: [] };

	it("is for the buyer the price with the fee above its own, for the seller the feed-in price above it", () => {
		const contract = { buyer: 1, priceMicroNokPerWh: 1_450 };
		expect(lossOf(contract, 1, minutes, prices)).toBe(30 * (1_450 + 100 - 1_500));
		expect(lossOf(contract, 0, minutes, prices)).toBe(30 * (500 - 1_450));
		const ownRetail = [{ fromMinute: WEDNESDAY + 1, retailMicroNokPerWh: 1_000 }];
		expect(lossOf(contract, 1, minutes, { ...prices, ownRetail })).toBe(10 * 50 + 20 * 550);
	});
});
