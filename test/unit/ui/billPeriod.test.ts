import { expect, test } from "vitest";
import { billRange } from "../../../src/ui/billPeriod.js";

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
