import { describe, expect, it } from "vitest";
import {
	CENTRAL_EUROPEAN_TIME,
	dateOfDay,
	dayOfDate,
	firstMinuteOfDay,
	firstMinuteOfMonth,
	type LocalTimeRule,
	localMinuteAt,
	offsetMinutesAt,
	steadyTimeAt,
	weekdayOf,
} from "../../../src/primitives/localTime.js";
import { MS_PER_MINUTE } from "../../../src/primitives/units.js";

const DAY = 1_440;
const minuteAt = (text: string) => Date.parse(text) / MS_PER_MINUTE;
const yearsOf = (from: number, until: number, step: number) =>
	Array.from({ length: Math.ceil((until - from) / step) }, (_, at) => from + at * step);

/** What a time zone database says that the clocks show, as if it were UTC. */
function zoneClock(timeZone: string): (minute: number) => number {
	const format = new Intl.DateTimeFormat("en-GB", {
		timeZone,
		hourCycle: "h23",
		year: "numeric",
		month: "numeric",
		day: "numeric",
		hour: "numeric",
		minute: "numeric",
	});
	return (minute) => {
		const parts: Record<string, number> = {};
		for (const { type, value } of format.formatToParts(minute * MS_PER_MINUTE)) parts[type] = Number(value);
		const { year = 0, month = 0, day = 0, hour = 0, minute: past = 0 } = parts;
		return Date.UTC(year, month - 1, day, hour, past) / MS_PER_MINUTE;
	};
}

/** Every so many minutes from the first of January of a year, UTC, to the next. */
function eachOf(year: number, stepMinutes: number, look: (minute: number) => void): void {
	for (let minute = minuteAt(`${year}-01-01T00:00Z`); minute < minuteAt(`${year + 1}-01-01T00:00Z`); ) {
		look(minute);
		minute += stepMinutes;
	}
}

describe.each<[string, LocalTimeRule]>([
	["Europe/Oslo", CENTRAL_EUROPEAN_TIME],
	// Portugal had Central European Time until 1996.
	["Europe/Lisbon", { offsetMinutes: 0, summerTime: true }],
	["Europe/Helsinki", { offsetMinutes: 120, summerTime: true }],
	["Africa/Lagos", { offsetMinutes: 60, summerTime: false }],
	["America/Phoenix", { offsetMinutes: -420, summerTime: false }],
	["Asia/Kolkata", { offsetMinutes: 330, summerTime: false }],
])("in %s", (timeZone, rule) => {
	const clock = zoneClock(timeZone);
	const shown = (minute: number) => {
		const { day, minuteOfDay } = localMinuteAt(rule, minute);
		return day * DAY + minuteOfDay;
	};

	it("the clocks show in every hour what the time zone database says, of years from 1997 on", () => {
		const off: string[] = [];
		for (const year of yearsOf(1997, 2101, 26)) {
			eachOf(year, 60, (minute) => {
				if (shown(minute) !== clock(minute)) off.push(new Date(minute * MS_PER_MINUTE).toISOString());
			});
		}
		expect(off).toEqual([]);
	});

	it("and in every minute about the changes of each year", () => {
		const off: string[] = [];
		for (const year of yearsOf(1997, 2101, 1)) {
			for (const month of ["03", "10"]) {
				// The last Sunday of a month of 31 days is the 25th or later.
				for (let day = 25; day <= 31; day++) {
					const change = minuteAt(`${year}-${month}-${day}T01:00Z`);
					if (new Date(change * MS_PER_MINUTE).getUTCDay() !== 0) continue;
					for (const minute of yearsOf(change - 3, change + 4, 1)) {
						if (shown(minute) !== clock(minute)) off.push(new Date(minute * MS_PER_MINUTE).toISOString());
					}
				}
			}
		}
		expect(off).toEqual([]);
	});

	it("a day begins at midnight, and the minute before it is another's", () => {
		for (const year of [1999, 2026, 2027, 2100]) {
			for (let day = dayOfDate({ year, month: 1, dayOfMonth: 1 }); dateOfDay(day).year === year; day++) {
				const first = firstMinuteOfDay(rule, day);
				expect(clock(first)).toBe(day * DAY);
				expect(clock(first - 1)).toBe(day * DAY - 1);
			}
		}
	});
});

describe("local time", () => {
	it("has days of 23 and 25 hours where the clocks are changed", () => {
		const hoursOf = (year: number, month: number, dayOfMonth: number) => {
			const day = dayOfDate({ year, month, dayOfMonth });
			const length = firstMinuteOfDay(CENTRAL_EUROPEAN_TIME, day + 1) - firstMinuteOfDay(CENTRAL_EUROPEAN_TIME, day);
			return length / 60;
		};
		expect([28, 29, 30].map((day) => hoursOf(2026, 3, day))).toEqual([24, 23, 24]);
		expect([24, 25, 26].map((day) => hoursOf(2026, 10, day))).toEqual([24, 25, 24]);
	});

	it("leaves the hour from two out in March, and has it twice in October", () => {
		const hours = (text: string) =>
			[0, 60, 120].map((later) => localMinuteAt(CENTRAL_EUROPEAN_TIME, minuteAt(text) + later).minuteOfDay / 60);
		expect(hours("2026-03-29T00:00Z")).toEqual([1, 3, 4]);
		expect(hours("2026-10-25T00:00Z")).toEqual([2, 2, 3]);
	});

	it("begins a day where its midnight is left out at the end of the hour that is, and once where it comes twice", () => {
		// An hour west of Greenwich, as in the Azores, the clocks are changed at midnight.
		const azores: LocalTimeRule = { offsetMinutes: -60, summerTime: true };
		const clock = zoneClock("Atlantic/Azores");
		const spring = firstMinuteOfDay(azores, dayOfDate({ year: 2026, month: 3, dayOfMonth: 29 }));
		expect(spring).toBe(minuteAt("2026-03-29T01:00Z"));
		expect([spring - 1, spring].map(clock)).toEqual([minuteAt("2026-03-28T23:59Z"), minuteAt("2026-03-29T01:00Z")]);
		const autumn = firstMinuteOfDay(azores, dayOfDate({ year: 2026, month: 10, dayOfMonth: 25 }));
		expect(autumn).toBe(minuteAt("2026-10-25T00:00Z"));
		expect([autumn, autumn + 60].map(clock)).toEqual([minuteAt("2026-10-25T00:00Z"), minuteAt("2026-10-25T00:00Z")]);
	});

	it("says until when the clocks are not changed", () => {
		const steady = (text: string) => steadyTimeAt(CENTRAL_EUROPEAN_TIME, minuteAt(text));
		const [summer, winter] = [minuteAt("2026-03-29T01:00Z"), minuteAt("2026-10-25T01:00Z")];
		expect(steady("2026-03-29T00:59Z")).toEqual({ offsetMinutes: 60, untilMinute: summer });
		expect(steady("2026-03-29T01:00Z")).toEqual({ offsetMinutes: 120, untilMinute: winter });
		expect(steady("2026-10-25T01:00Z")).toEqual({ offsetMinutes: 60, untilMinute: minuteAt("2027-03-28T01:00Z") });
		expect(steadyTimeAt({ offsetMinutes: 60, summerTime: false }, summer)).toEqual({
			offsetMinutes: 60,
			untilMinute: undefined,
		});
	});

	it("begins months by the offset that they begin with", () => {
		expect(firstMinuteOfMonth(CENTRAL_EUROPEAN_TIME, 2026, 3)).toBe(minuteAt("2026-02-28T23:00Z"));
		expect(firstMinuteOfMonth(CENTRAL_EUROPEAN_TIME, 2026, 4)).toBe(minuteAt("2026-03-31T22:00Z"));
		expect(firstMinuteOfMonth(CENTRAL_EUROPEAN_TIME, 2027, 1)).toBe(minuteAt("2026-12-31T23:00Z"));
	});

	it("is on another day than in Greenwich where it is late, or early", () => {
		expect(localMinuteAt({ offsetMinutes: -720, summerTime: false }, 0)).toEqual({
			day: -1,
			weekday: 2,
			minuteOfDay: 720,
		});
		expect(localMinuteAt({ offsetMinutes: 840, summerTime: false }, 600)).toEqual({
			day: 1,
			weekday: 4,
			minuteOfDay: 0,
		});
		expect(offsetMinutesAt({ offsetMinutes: -720, summerTime: true }, minuteAt("2026-07-01T00:00Z"))).toBe(-660);
	});
});

describe("the calendar", () => {
	it("gives every day of four centuries its date and its weekday, and the date its day", () => {
		const off: number[] = [];
		for (let day = minuteAt("1899-12-25T00:00Z") / DAY; day < minuteAt("2301-02-02T00:00Z") / DAY; day++) {
			const date = new Date(day * DAY * MS_PER_MINUTE);
			const expected = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, dayOfMonth: date.getUTCDate() };
			const said = dateOfDay(day);
			const isSame =
				said.year === expected.year && said.month === expected.month && said.dayOfMonth === expected.dayOfMonth;
			if (!isSame || dayOfDate(expected) !== day || weekdayOf(day) !== (date.getUTCDay() + 6) % 7) off.push(day);
		}
		expect(off).toEqual([]);
	});
});
