import { expect, test } from "vitest";
import { billOf } from "../../../src/node/bill.js";
import { billDays, billRange } from "../../../src/ui/billPeriod.js";

const at = (iso: string) => Date.parse(iso) / 60_000;
const NOW = Date.parse("2026-11-01T08:15:30Z");

test("yesterday, this month and last month are cut at midnight, also where a month has an hour more", () => {
	expect(billRange("today", NOW)).toEqual({
		fromMinute: at("2026-10-31T23:00Z"),
		untilMinute: at("2026-11-01T08:15Z"),
	});
	expect(billRange("thisMonth", NOW)).toEqual(billRange("today", NOW));
	expect(billRange("yesterday", NOW)).toEqual({
		fromMinute: at("2026-10-30T23:00Z"),
		untilMinute: at("2026-10-31T23:00Z"),
	});
	const october = billRange("lastMonth", NOW);
	expect(october).toEqual({ fromMinute: at("2026-09-30T22:00Z"), untilMinute: at("2026-10-31T23:00Z") });
	expect(october.untilMinute - october.fromMinute).toBe(31 * 1_440 + 60);
});

test("the day after autumn's change has the long day for its yesterday", () => {
	const { fromMinute, untilMinute } = billRange("yesterday", Date.parse("2026-10-26T12:00Z"));
	expect(untilMinute - fromMinute).toBe(25 * 60);
});

test("a month is told by the day: each has its own hours, and together they are the whole", () => {
	const { fromMinute, untilMinute } = billRange("lastMonth", NOW);
	const length = untilMinute - fromMinute;
	const wh = (factor: number) => Int32Array.from({ length }, (_, at) => (at * factor) % 97);
	const amounts = Array.from({ length }, (_, at) => 1 + (at % 1_009));
	const bill = billOf({
		series: { member: 0, fromMinute, importWh: wh(7), exportWh: wh(5), boughtWh: wh(0), soldWh: wh(0) },
		paidMicroNok: amounts,
		earnedMicroNok: amounts,
		prices: [
			{ fromMinute, retailMicroNokPerWh: 1_450, feedInMicroNokPerWh: 600, localFeeMicroNokPerWh: 50, isKept: true },
		],
		ownRetail: [],
	});
	const days = billDays(bill.hours);
	expect(days).toHaveLength(31);
	expect(days.map(({ minutes }) => minutes)).toEqual([...Array(24).fill(1_440), 1_500, ...Array(6).fill(1_440)]);
	for (const field of ["importWh", "exportWh", "paidMicroNok", "utilityCostMicroNok", "savedMicroNok"] as const) {
		expect(days.reduce((sum, day) => sum + day[field], 0)).toBe(bill.total[field]);
	}
	expect(billDays([])).toEqual([]);
});
