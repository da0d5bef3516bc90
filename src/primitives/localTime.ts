/**
 * Local time by a rule instead of a time zone database, of which every device may have another edition. Minutes are
 * minutes since the Unix epoch (UTC), days are days since 1 January 1970 of the calendar (local ones, where a rule is
 * given). A clock on the wall that is put forward leaves an hour out, and one that is put back shows an hour twice.
 */
import { assert } from "./assert.js";
import { MINUTES_PER_DAY } from "./units.js";

/** How the clocks of a neighbourhood go. */
export interface LocalTimeRule {
	/** What they are ahead of UTC in winter: east is positive, −720 … 840. */
	readonly offsetMinutes: number;
	/** Directive 2000/84/EC: an hour more from the last Sunday of March, 01:00 UTC, until that of October. */
	readonly summerTime: boolean;
}

export const MIN_OFFSET_MINUTES = -720;
export const MAX_OFFSET_MINUTES = 840;

/** Norway's, and that of most of its neighbours. */
export const CENTRAL_EUROPEAN_TIME: LocalTimeRule = { offsetMinutes: 60, summerTime: true };

/** What a clock on the wall shows. */
export interface LocalMinute {
	/** Days since 1 January 1970. */
	readonly day: number;
	/** Monday 0 … Sunday 6. */
	readonly weekday: number;
	/** 0 … 1,439. */
	readonly minuteOfDay: number;
}

/** A date of the (Gregorian) calendar. */
export interface CivilDate {
	readonly year: number;
	/** 1 … 12. */
	readonly month: number;
	/** 1 … 31. */
	readonly dayOfMonth: number;
}

/** A time over which the clocks run on without being changed. */
export interface SteadyTime {
	/** What local time is ahead of UTC. */
	readonly offsetMinutes: number;
	/** First minute at which it may be another; undefined: it never changes. */
	readonly untilMinute: number | undefined;
}

const SUMMER_MINUTES = 60;
const DAYS_PER_WEEK = 7;
/** 1 January 1970 was a Thursday. */
const WEEKDAY_OF_DAY_0 = 3;

/** What local time is ahead of UTC in a minute. */
export function offsetMinutesAt(rule: LocalTimeRule, minute: number): number {
	return steadyTimeAt(rule, minute).offsetMinutes;
}

/** What local time is ahead of UTC in a minute, and until when it stays so. */
export function steadyTimeAt({ offsetMinutes, summerTime }: LocalTimeRule, minute: number): SteadyTime {
	if (!summerTime) return { offsetMinutes, untilMinute: undefined };
	const { year } = dateOfDay(floorDivide(minute, MINUTES_PER_DAY));
	const [summer, winter] = changesOf(year);
	if (minute < summer) return { offsetMinutes, untilMinute: summer };
	if (minute < winter) return { offsetMinutes: offsetMinutes + SUMMER_MINUTES, untilMinute: winter };
	return { offsetMinutes, untilMinute: changesOf(year + 1)[0] };
}

/** What the clocks show in a minute. */
export function localMinuteAt(rule: LocalTimeRule, minute: number): LocalMinute {
	return localMinuteOf(minute + offsetMinutesAt(rule, minute));
}

/** The same, of a minute with what local time is ahead of UTC in it. */
export function localMinuteOf(shown: number): LocalMinute {
	const day = floorDivide(shown, MINUTES_PER_DAY);
	return { day, weekday: weekdayOf(day), minuteOfDay: shown - day * MINUTES_PER_DAY };
}

/** First minute at which the clocks have come to a day: midnight, or where an hour is left out there, the end of that. */
export function firstMinuteOfDay(rule: LocalTimeRule, day: number): number {
	const inWinter = day * MINUTES_PER_DAY - rule.offsetMinutes;
	const inSummer = inWinter - SUMMER_MINUTES;
	const isSummer = (minute: number) => offsetMinutesAt(rule, minute) !== rule.offsetMinutes;
	if (isSummer(inSummer)) return inSummer;
	if (!isSummer(inWinter)) return inWinter;
	const { untilMinute } = steadyTimeAt(rule, inSummer);
	assert(untilMinute !== undefined, "summer begins between the two");
	return untilMinute;
}

/** First minute of the local day that a minute lies in. */
export function startOfDayMinute(rule: LocalTimeRule, minute: number): number {
	return firstMinuteOfDay(rule, localMinuteAt(rule, minute).day);
}

/** First minute of a month (1 … 12) of local time. */
export function firstMinuteOfMonth(rule: LocalTimeRule, year: number, month: number): number {
	return firstMinuteOfDay(rule, dayOfDate({ year, month, dayOfMonth: 1 }));
}

const MONTHS_PER_YEAR = 12;

/** The month of local time that a minute lies in, counted from January of the year 0: year × 12 + 0 … 11. */
export function monthNumberAt(rule: LocalTimeRule, minute: number): number {
	const { year, month } = dateOfDay(localMinuteAt(rule, minute).day);
	return year * MONTHS_PER_YEAR + month - 1;
}

/** Year and month (1 … 12) of a month's number. */
export function monthOfNumber(number: number): Pick<CivilDate, "year" | "month"> {
	const sinceJanuary = floorRest(number, MONTHS_PER_YEAR);
	return { year: floorDivide(number, MONTHS_PER_YEAR), month: sinceJanuary + 1 };
}

/** Weekday of a day: Monday 0 … Sunday 6. */
export function weekdayOf(day: number): number {
	return floorRest(day + WEEKDAY_OF_DAY_0, DAYS_PER_WEEK);
}

// ── the calendar ─────────────────────────────────────────────────────────────────────────────────────────────────

/** The Gregorian calendar repeats itself after 400 years, each of which is taken to begin with 1 March. */
const DAYS_PER_ERA = 146_097;
const YEARS_PER_ERA = 400;
/** From 1 March of the year 0 to 1 January 1970. */
const DAYS_BEFORE_1970 = 719_468;
const DAYS_PER_4_YEARS = 1_461;
const DAYS_PER_CENTURY = 36_524;
/** From March on, five months have 153 days, over and over. */
const DAYS_PER_5_MONTHS = 153;

/** The date of a day. */
export function dateOfDay(day: number): CivilDate {
	const sinceMarch = day + DAYS_BEFORE_1970;
	const era = floorDivide(sinceMarch, DAYS_PER_ERA);
	const dayOfEra = sinceMarch - era * DAYS_PER_ERA;
	// Without the leap days that had come by then every year has 365 days.
	const leapDays =
		floorDivide(dayOfEra, DAYS_PER_4_YEARS - 1) -
		floorDivide(dayOfEra, DAYS_PER_CENTURY) +
		floorDivide(dayOfEra, DAYS_PER_ERA - 1);
	const yearOfEra = floorDivide(dayOfEra - leapDays, 365);
	const dayOfYear = dayOfEra - daysBeforeYear(yearOfEra);
	const monthFromMarch = floorDivide(5 * dayOfYear + 2, DAYS_PER_5_MONTHS);
	const dayOfMonth = dayOfYear - daysBeforeMonth(monthFromMarch) + 1;
	const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
	const year = era * YEARS_PER_ERA + yearOfEra + (month <= 2 ? 1 : 0);
	return { year, month, dayOfMonth };
}

/** The day of a date, which must be one. */
export function dayOfDate({ year, month, dayOfMonth }: CivilDate): number {
	const marchYear = month <= 2 ? year - 1 : year;
	const era = floorDivide(marchYear, YEARS_PER_ERA);
	const monthFromMarch = month <= 2 ? month + 9 : month - 3;
	const dayOfYear = daysBeforeMonth(monthFromMarch) + dayOfMonth - 1;
	const yearOfEra = marchYear - era * YEARS_PER_ERA;
	return era * DAYS_PER_ERA + daysBeforeYear(yearOfEra) + dayOfYear - DAYS_BEFORE_1970;
}

function daysBeforeYear(yearOfEra: number): number {
	return 365 * yearOfEra + floorDivide(yearOfEra, 4) - floorDivide(yearOfEra, 100);
}

function daysBeforeMonth(monthFromMarch: number): number {
	return floorDivide(DAYS_PER_5_MONTHS * monthFromMarch + 2, 5);
}

/** The minutes of a year in which summer begins, and ends. */
function changesOf(year: number): readonly [summer: number, winter: number] {
	return [lastSundayMinute(year, 3), lastSundayMinute(year, 10)];
}

/** 01:00 UTC on the last Sunday of a month of 31 days. */
function lastSundayMinute(year: number, month: number): number {
	const last = dayOfDate({ year, month, dayOfMonth: 31 });
	const sinceSunday = (weekdayOf(last) + 1) % DAYS_PER_WEEK;
	return (last - sinceSunday) * MINUTES_PER_DAY + 60;
}

/** a ÷ b rounded down, of integers, b > 0: west of Greenwich the first local day lies before the epoch. */
function floorDivide(a: number, b: number): number {
	return (a - floorRest(a, b)) / b;
}

function floorRest(a: number, b: number): number {
	const rest = a % b;
	return rest < 0 ? rest + b : rest;
}
