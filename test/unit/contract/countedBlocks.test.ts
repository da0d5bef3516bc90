import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { appendCounted, type CountedBlocks, countedSince, counts } from "../../../src/contract/countedBlocks.js";
import { addMinute, dropBefore, hasMinute, type MinuteRanges } from "../../../src/contract/minuteRanges.js";

describe("a block", () => {
	it("counts when its interval is later than its parent's", () => {
		expect(counts(120_000, 119_999, 60_000)).toBe(true);
		expect(counts(179_999, 120_000, 60_000)).toBe(false);
		expect(counts(120_001, 120_000, 60_000)).toBe(false);
		expect(counts(9_000_000, 120_000, 60_000)).toBe(true);
		expect(counts(140_000, 139_999, 20_000)).toBe(true);
	});
});

describe("the counted blocks", () => {
	/** Slots ascending, with and without gaps. */
	const slots = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 40 }).map((gaps) => {
		let slot = 300;
		return gaps.map((gap) => {
			slot += gap > 2 ? gap : 1;
			return slot;
		});
	});

	it("are as many since a minute as there are, as far back as they are kept", () => {
		fc.assert(
			fc.property(slots, fc.integer({ min: 1, max: 12 }), fc.constantFrom(60_000, 20_000), (all, keep, intervalMs) => {
				const counted = all.reduce<CountedBlocks>((runs, slot) => appendCounted(runs, slot, keep), []);
				const kept = all.slice(-keep);
				expect(counted.flatMap(([first, last]) => range(first, last))).toEqual(kept);
				for (let minute = 95; minute < 500; minute++) {
					const endMs = (minute + 1) * 60_000;
					expect(countedSince(counted, minute, intervalMs)).toBe(
						kept.filter((slot) => slot * intervalMs >= endMs).length,
					);
				}
			}),
			{ numRuns: 50 },
		);
	});

	it("are one run while the chain never stands still", () => {
		let counted: CountedBlocks = [];
		for (let slot = 100; slot < 400; slot++) counted = appendCounted(counted, slot, 50);
		expect(counted).toEqual([[350, 399]]);
	});
});

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, at) => first + at);

describe("a set of minutes", () => {
	it("holds what was added, in whatever order, in as few ranges as can be", () => {
		fc.assert(
			fc.property(fc.uniqueArray(fc.nat(40), { maxLength: 30 }), fc.nat(42), (minutes, floor) => {
				const ranges = minutes.reduce<MinuteRanges>(addMinute, []);
				for (let minute = -1; minute < 45; minute++) expect(hasMinute(ranges, minute)).toBe(minutes.includes(minute));
				const ends = ranges.flat();
				expect(ends).toEqual([...new Set(ends)].sort((a, b) => a - b));
				// What is dropped lies before the floor; nothing at or after it is lost.
				const rest = dropBefore(ranges, floor);
				for (let minute = floor; minute < 45; minute++) {
					expect(hasMinute(rest, minute)).toBe(minutes.includes(minute));
				}
				for (const [, until] of rest) expect(until).toBeGreaterThan(floor);
			}),
		);
	});
});
