import { describe, expect, test } from "vitest";
import { firstMinuteOf, hourOf, isoDate, minuteOfLocal } from "../../../src/ui/calendar.js";

const minute = (iso: string): number => Date.parse(iso) / 60_000;

describe("days in Oslo", () => {
	test("midnight by summer time and by winter time", () => {
		expect(firstMinuteOf("2026-06-18")).toBe(minute("2026-06-17T22:00Z"));
		expect(firstMinuteOf("2026-12-18")).toBe(minute("2026-12-17T23:00Z"));
	});

	test("the day on which the clocks go forward has 23 hours, the one on which they go back 25", () => {
		const hours = (date: string): number => ((firstMinuteOf(date, 1) ?? 0) - (firstMinuteOf(date) ?? 0)) / 60;
		expect([hours("2026-03-28"), hours("2026-03-29"), hours("2026-10-25")]).toEqual([24, 23, 25]);
	});

	test("the day after the last of a month and of a year", () => {
		expect(firstMinuteOf("2026-12-31", 1)).toBe(minute("2026-12-31T23:00Z"));
	});

	test("what is not a date is none", () => {
		expect(firstMinuteOf("")).toBeUndefined();
		expect(firstMinuteOf("18.06.2026")).toBeUndefined();
	});

	test("a time as a field holds it", () => {
		expect(minuteOfLocal("2026-06-18T08:15")).toBe(minute("2026-06-18T06:15Z"));
		expect(minuteOfLocal("2026-12-18T00:00")).toBe(minute("2026-12-17T23:00Z"));
		expect(minuteOfLocal("2026-12-18")).toBeUndefined();
		expect(minuteOfLocal("")).toBeUndefined();
	});

	test("the date and the hour that a time lies in", () => {
		expect(isoDate(Date.parse("2026-06-17T22:00Z"))).toBe("2026-06-18");
		expect(hourOf(minute("2026-06-17T22:00Z"))).toBe(0);
		expect(hourOf(minute("2026-12-18T12:59Z"))).toBe(13);
	});
});
