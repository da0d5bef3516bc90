import { afterEach, describe, expect, test, vi } from "vitest";
import { EVERY_DAY, type Schedule, WEEKDAYS, WEEKEND } from "../../../src/block/schedule.js";
import { setLocale } from "../../../src/ui/locale.svelte.js";
import { scheduleText } from "../../../src/ui/scheduleText.js";

vi.stubGlobal("localStorage", { setItem: () => {}, getItem: () => null });
afterEach(() => setLocale("nb"));

const at = (days: number, fromMinuteOfDay: number, untilMinuteOfDay: number): Schedule => ({
	days,
	fromMinuteOfDay,
	untilMinuteOfDay,
});

describe("the hours of an offer", () => {
	test.each<[Schedule | undefined, string, string]>([
		[undefined, "hele døgnet", "at all hours"],
		[at(WEEKDAYS, 480, 960), "hverdager 08–16", "weekdays 08–16"],
		[at(WEEKEND, 0, 1_440), "helger", "weekends"],
		[at(EVERY_DAY, 1_320, 360), "alle dager 22–06", "every day 22–06"],
		[at(WEEKDAYS, 510, 1_440), "hverdager 08:30–24:00", "weekdays 08:30–24:00"],
		[at(0b0000101, 0, 1_440), "man., ons.", "Mon, Wed"],
		[at(0b1000000, 720, 1_080), "søn. 12–18", "Sun 12–18"],
	])("%o are said in words", (schedule, nb, en) => {
		expect(scheduleText(schedule)).toBe(nb);
		setLocale("en");
		expect(scheduleText(schedule)).toBe(en);
	});
});
