import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EVERY_DAY, isSchedule, type Schedule, WEEKDAYS, WEEKEND } from "../../../src/block/schedule.js";
import { isActive, nextActiveMinute, overlaps } from "../../../src/contract/schedule.js";
import { CENTRAL_EUROPEAN_TIME, type LocalTimeRule } from "../../../src/primitives/localTime.js";
import { schedule } from "../../support/arbitraries.js";

const DAY = 1_440;
const minuteAt = (text: string) => Date.parse(text) / 60_000;
const hours = (days: number, from: number, until: number): Schedule => ({
	days,
	fromMinuteOfDay: from * 60,
	untilMinuteOfDay: until * 60,
});

/** Where clocks are changed, and where not; what a time zone database says of them. */
const PLACES: { rule: LocalTimeRule; timeZone: string }[] = [
	{ rule: CENTRAL_EUROPEAN_TIME, timeZone: "Europe/Oslo" },
	{ rule: { offsetMinutes: 0, summerTime: true }, timeZone: "Europe/Lisbon" },
	{ rule: { offsetMinutes: -60, summerTime: true }, timeZone: "Atlantic/Azores" },
	{ rule: { offsetMinutes: 330, summerTime: false }, timeZone: "Asia/Kolkata" },
];

const offsets = new Map<string, number>();

/** By the database, asked once for each hour. */
function offsetMs(timeZone: string, minute: number): number {
	const hourMs = Math.floor(minute / 60) * 3_600_000;
	const key = `${timeZone} ${hourMs}`;
	let offset = offsets.get(key);
	if (offset === undefined) {
		const shown = new Date(hourMs).toLocaleString("sv-SE", { timeZone });
		offset = Date.parse(`${shown.replace(" ", "T")}Z`) - hourMs;
		offsets.set(key, offset);
	}
	return offset;
}

/** What is said of one minute, by a calendar that was not written for it. */
function isOn(schedule: Schedule | undefined, minute: number, timeZone: string): boolean {
	if (schedule === undefined) return true;
	const shown = new Date(minute * 60_000 + offsetMs(timeZone, minute));
	const minuteOfDay = shown.getUTCHours() * 60 + shown.getUTCMinutes();
	const names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
	const chosen = names.filter((_, at) => Math.floor(schedule.days / 2 ** at) % 2 === 1);
	const today = names[(shown.getUTCDay() + 6) % 7] ?? "";
	const yesterday = names[(shown.getUTCDay() + 5) % 7] ?? "";
	const { fromMinuteOfDay: from, untilMinuteOfDay: until } = schedule;
	if (until > from) return chosen.includes(today) && minuteOfDay >= from && minuteOfDay < until;
	return (chosen.includes(today) && minuteOfDay >= from) || (chosen.includes(yesterday) && minuteOfDay < until);
}

const place = fc.constantFrom(...PLACES);
/** Mostly about a night in which the clocks are changed. */
const start = fc.oneof(
	fc
		.tuple(
			fc.constantFrom(minuteAt("2026-03-29T01:00Z"), minuteAt("2026-10-25T01:00Z")),
			fc.integer({ min: -12 * DAY, max: DAY }),
		)
		.map(([change, later]) => change + later),
	fc.integer({ min: minuteAt("2026-01-01T00:00Z"), max: minuteAt("2028-01-01T00:00Z") }),
);
const length = fc.oneof(fc.integer({ min: -10, max: 3 * DAY }), fc.integer({ min: 0, max: 17 * DAY }));
const maybe = fc.option(schedule, { nil: undefined, freq: 8 });

describe("a schedule", () => {
	it("on weekdays from 8 to 16 is active then, by the clocks of its neighbourhood", () => {
		const office = hours(WEEKDAYS, 8, 16);
		const at = (text: string) => isActive(office, minuteAt(text), CENTRAL_EUROPEAN_TIME);
		// Friday 27 March and Monday 30 March 2026: from the Sunday between them on it is summer.
		expect([at("2026-03-27T06:59Z"), at("2026-03-27T07:00Z")]).toEqual([false, true]);
		expect([at("2026-03-27T14:59Z"), at("2026-03-27T15:00Z")]).toEqual([true, false]);
		expect([at("2026-03-28T12:00Z"), at("2026-03-29T12:00Z")]).toEqual([false, false]);
		expect([at("2026-03-30T05:59Z"), at("2026-03-30T06:00Z")]).toEqual([false, true]);
	});

	it("over midnight belongs to the day on which it began", () => {
		const nights = hours(0b0010000, 22, 6);
		const at = (text: string) => isActive(nights, minuteAt(text), { offsetMinutes: 0, summerTime: false });
		expect([at("2026-06-19T21:59Z"), at("2026-06-19T22:00Z")]).toEqual([false, true]);
		expect([at("2026-06-20T05:59Z"), at("2026-06-20T06:00Z"), at("2026-06-20T22:00Z")]).toEqual([true, false, false]);
	});

	it("from a time until the same one goes round the clock", () => {
		const round = { days: 1, fromMinuteOfDay: 480, untilMinuteOfDay: 480 };
		const minutes = Array.from({ length: 7 * DAY }, (_, at) => minuteAt("2026-06-15T00:00Z") + at);
		const active = minutes.filter((minute) => isActive(round, minute, { offsetMinutes: 0, summerTime: false }));
		expect([active.length, active[0]]).toEqual([DAY, minuteAt("2026-06-15T08:00Z")]);
	});

	it("has no minute of an hour that is left out, and both of one that comes twice", () => {
		const small = hours(EVERY_DAY, 2, 3);
		const minutesFrom = (text: string) =>
			Array.from({ length: 300 }, (_, at) => minuteAt(text) + at).filter((minute) =>
				isActive(small, minute, CENTRAL_EUROPEAN_TIME),
			).length;
		expect(minutesFrom("2026-03-28T23:00Z")).toBe(0);
		expect(minutesFrom("2026-10-24T22:00Z")).toBe(120);
	});

	it("is active in the minutes that the time zone database says, one by one", () => {
		fc.assert(
			fc.property(schedule, place, start, (one, { rule, timeZone }, from) => {
				for (let minute = from; minute < from + 3 * DAY; minute += 7) {
					expect(isActive(one, minute, rule)).toBe(isOn(one, minute, timeZone));
				}
			}),
			{ numRuns: 60 },
		);
	});

	it("has the next minute that counting on finds, or none before the end", () => {
		let none = 0;
		fc.assert(
			fc.property(maybe, place, start, length, (one, { rule, timeZone }, from, minutes) => {
				let expected: number | undefined;
				for (let minute = from; minute < from + minutes && expected === undefined; minute++) {
					if (isOn(one, minute, timeZone)) expected = minute;
				}
				if (expected === undefined) none += 1;
				expect(nextActiveMinute(one, from, from + minutes, rule)).toBe(expected);
			}),
			{ numRuns: 400 },
		);
		expect(none).toBeGreaterThan(10);
	});

	it("is found far ahead without counting there", () => {
		const never = { days: 1, fromMinuteOfDay: 150, untilMinuteOfDay: 151 };
		const startedMs = performance.now();
		for (let at = 0; at < 10_000; at++)
			nextActiveMinute(never, minuteAt("2026-03-30T01:00Z"), 121_000_000, CENTRAL_EUROPEAN_TIME);
		expect(performance.now() - startedMs).toBeLessThan(2_000);
	});

	it.each<[Schedule, boolean]>([
		[hours(WEEKEND, 0, 24), true],
		[hours(1, 23, 1), true],
		[hours(0, 8, 16), false],
		[hours(128, 8, 16), false],
		[hours(1, 24, 8), false],
		[hours(1, 8, 0), false],
		[hours(1, 8, 25), false],
		[{ days: 1, fromMinuteOfDay: 0.5, untilMinuteOfDay: 8 }, false],
		[{ days: Number.NaN, fromMinuteOfDay: 0, untilMinuteOfDay: 8 }, false],
	])("%o is one: %s", (one, isOne) => {
		expect(isSchedule(one)).toBe(isOne);
	});
});

describe("two schedules", () => {
	const UTC: LocalTimeRule = { offsetMinutes: 0, summerTime: false };
	/** A week and a day from a Monday on. */
	const from = minuteAt("2026-06-15T00:00Z");
	const meet = (a: Schedule | undefined, b: Schedule | undefined, days = 8) =>
		overlaps(a, b, from, from + days * DAY, UTC);

	it("overlap by a single minute, and do not where one begins when the other ends", () => {
		expect(meet(hours(WEEKDAYS, 8, 16), hours(EVERY_DAY, 16, 20))).toBe(false);
		expect(meet(hours(WEEKDAYS, 8, 16), { ...hours(EVERY_DAY, 16, 20), fromMinuteOfDay: 959 })).toBe(true);
		expect(meet(hours(WEEKDAYS, 8, 16), hours(WEEKEND, 8, 16))).toBe(false);
	});

	it("overlap after midnight of a day on which the other one is not", () => {
		expect(meet(hours(0b0010000, 22, 6), hours(WEEKEND, 0, 8))).toBe(true);
		expect(meet(hours(0b0001000, 22, 6), hours(WEEKEND, 0, 8))).toBe(false);
	});

	it("overlap only in the minutes that are asked about", () => {
		expect(meet(hours(WEEKEND, 8, 16), undefined, 5)).toBe(false);
		expect(meet(hours(WEEKEND, 8, 16), undefined, 6)).toBe(true);
		expect(meet(undefined, undefined, 0)).toBe(false);
		expect(meet(undefined, undefined, 1)).toBe(true);
	});

	it("overlap where counting minute by minute says so, in the weeks in which clocks are changed as well", () => {
		const seen = { yes: 0, no: 0 };
		const pair = fc.oneof(
			fc.tuple(maybe, maybe),
			// Those that touch, or nearly do.
			fc
				.tuple(
					schedule,
					fc.integer({ min: -1, max: 1 }),
					fc.integer({ min: 1, max: 300 }),
					fc.integer({ min: 1, max: 127 }),
				)
				.map(([one, by, minutes, days]): [Schedule, Schedule] => {
					const fromMinuteOfDay = (one.untilMinuteOfDay + by + DAY) % DAY;
					return [one, { days, fromMinuteOfDay, untilMinuteOfDay: Math.min(DAY, fromMinuteOfDay + minutes) }];
				}),
		);
		fc.assert(
			fc.property(pair, place, start, length, ([a, b], { rule, timeZone }, begins, minutes) => {
				let expected = false;
				for (let minute = begins; minute < begins + minutes && !expected; minute++) {
					expected = isOn(a, minute, timeZone) && isOn(b, minute, timeZone);
				}
				seen[expected ? "yes" : "no"] += 1;
				expect(overlaps(a, b, begins, begins + minutes, rule)).toBe(expected);
			}),
			{ numRuns: 300 },
		);
		expect(Math.min(seen.yes, seen.no)).toBeGreaterThan(50);
	});

	it("that meet only in an hour that is left out in this week meet in the next, and so for years", () => {
		const [night, other] = [hours(0b1000000, 2, 3), { days: 0b1000000, fromMinuteOfDay: 130, untilMinuteOfDay: 140 }];
		const sunday = minuteAt("2026-03-28T23:00Z");
		expect(overlaps(night, other, sunday, sunday + 6 * DAY, CENTRAL_EUROPEAN_TIME)).toBe(false);
		expect(overlaps(night, other, sunday, sunday + 8 * DAY, CENTRAL_EUROPEAN_TIME)).toBe(true);
		expect(overlaps(night, other, sunday, sunday + 3_000 * DAY, CENTRAL_EUROPEAN_TIME)).toBe(true);
		expect(overlaps(night, hours(WEEKDAYS, 0, 24), sunday, 121_000_000, CENTRAL_EUROPEAN_TIME)).toBe(false);
	});
});
