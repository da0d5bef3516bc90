import { describe, expect, test } from "vitest";
import { monthAt, monthsUntil, periodName, periodRange, periodText, yearsUntil } from "../../../src/ui/period.js";

const minute = (iso: string) => Date.parse(iso) / 60_000;

describe("months and years in Oslo", () => {
	test("begin and end at local midnight", () => {
		expect(periodRange({ year: 2026, month: 10 })).toEqual({
			fromMinute: minute("2026-09-30T22:00Z"),
			untilMinute: minute("2026-10-31T23:00Z"),
		});
		expect(periodRange({ year: 2026, month: 12 }).untilMinute).toBe(minute("2026-12-31T23:00Z"));
		const { fromMinute, untilMinute } = periodRange({ year: 2026, month: 0 });
		expect([fromMinute, untilMinute]).toEqual([minute("2025-12-31T23:00Z"), minute("2026-12-31T23:00Z")]);
	});

	test("are those that have begun, by the clock on the wall", () => {
		const newYear = Date.parse("2026-12-31T23:30Z");
		expect(monthAt(newYear)).toEqual({ year: 2027, month: 1 });
		expect(monthsUntil(2027, newYear)).toEqual([1]);
		expect(monthsUntil(2026, newYear)).toHaveLength(12);
		expect(yearsUntil(newYear).slice(0, 2)).toEqual([2027, 2026]);
	});

	test("are named", () => {
		expect([periodText({ year: 2026, month: 3 }), periodText({ year: 2026, month: 0 })]).toEqual(["mars 2026", "2026"]);
		expect([periodName({ year: 2026, month: 3 }), periodName({ year: 2026, month: 0 })]).toEqual(["2026-03", "2026"]);
	});
});
