import { describe, expect, it } from "vitest";
import { daysOf, isWholeDays, monthsOf } from "../../../src/node/periods.js";
import { CENTRAL_EUROPEAN_TIME as OSLO } from "../../../src/primitives/localTime.js";

const minute = (iso: string) => Date.parse(iso) / 60_000;
const YEAR = { fromMinute: minute("2025-12-31T23:00Z"), untilMinute: minute("2026-12-31T23:00Z") };
const lengths = (periods: { fromMinute: number; untilMinute: number }[]) =>
	periods.map(({ fromMinute, untilMinute }) => untilMinute - fromMinute);

describe("a year of local time", () => {
	it("has months that end at local midnight: March has an hour less, October one more", () => {
		const days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
		const expected = days.map((count, at) => count * 1_440 + (at === 2 ? -60 : at === 9 ? 60 : 0));
		expect(lengths(monthsOf(OSLO, YEAR))).toEqual(expected);
		expect(monthsOf(OSLO, YEAR)[3]?.fromMinute).toBe(minute("2026-03-31T22:00Z"));
	});

	it("has 365 days without a hole, one of 23 hours and one of 25", () => {
		const days = daysOf(OSLO, YEAR);
		expect(days.length).toBe(365);
		expect(lengths(days).reduce((sum, length) => sum + length)).toBe(525_600);
		expect(days.every((day, at) => at === 0 || day.fromMinute === days[at - 1]?.untilMinute)).toBe(true);
		const odd = days.filter((day) => day.untilMinute - day.fromMinute !== 1_440);
		expect(odd).toEqual([
			{ fromMinute: minute("2026-03-28T23:00Z"), untilMinute: minute("2026-03-29T22:00Z") },
			{ fromMinute: minute("2026-10-24T22:00Z"), untilMinute: minute("2026-10-25T23:00Z") },
		]);
	});

	it("is whole days only from midnight to midnight, and ten years at the most", () => {
		const { fromMinute, untilMinute } = YEAR;
		expect(isWholeDays(OSLO, YEAR)).toBe(true);
		for (const wrong of [
			{ fromMinute: fromMinute + 1, untilMinute },
			{ fromMinute, untilMinute: untilMinute - 60 },
			{ fromMinute: untilMinute, untilMinute: fromMinute },
			{ fromMinute, untilMinute: fromMinute },
			{ fromMinute: Number.NaN, untilMinute },
			{ fromMinute, untilMinute: minute("2036-01-31T23:00Z") },
		]) {
			expect(isWholeDays(OSLO, wrong)).toBe(false);
		}
	});

	it("is cut at its own ends where they lie within a month", () => {
		const part = { fromMinute: minute("2026-06-09T22:00Z"), untilMinute: minute("2026-07-01T22:00Z") };
		expect(monthsOf(OSLO, part)).toEqual([
			{ fromMinute: part.fromMinute, untilMinute: minute("2026-06-30T22:00Z") },
			{ fromMinute: minute("2026-06-30T22:00Z"), untilMinute: part.untilMinute },
		]);
	});
});
