/**
 * In which minutes a schedule is active. It goes by what the clocks show: where an hour is left out it has none of that
 * hour's minutes, and where an hour comes twice it has them twice.
 */
import type { Schedule } from "../block/schedule.js";
import { assert } from "../primitives/assert.js";
import {
	type LocalMinute,
	type LocalTimeRule,
	localMinuteAt,
	localMinuteOf,
	steadyTimeAt,
} from "../primitives/localTime.js";
import { MINUTES_PER_DAY } from "../primitives/units.js";

const DAYS_PER_WEEK = 7;
/**
 * Of 15 days in a row at least seven have one offset, since the clocks are changed every half year: within them they show
 * every minute of the week.
 */
const ALL_WEEK_MINUTES = 15 * MINUTES_PER_DAY;

/** Whether a minute is one of a schedule's; undefined: every minute is. */
export function isActive(schedule: Schedule | undefined, minute: number, rule: LocalTimeRule): boolean {
	return schedule === undefined || isActiveAt(schedule, localMinuteAt(rule, minute));
}

/** Whether a schedule is active when the clocks show this. */
export function isActiveAt(schedule: Schedule, { weekday, minuteOfDay }: LocalMinute): boolean {
	const { fromMinuteOfDay, untilMinuteOfDay } = schedule;
	if (fromMinuteOfDay < untilMinuteOfDay) {
		return isDay(schedule, weekday) && fromMinuteOfDay <= minuteOfDay && minuteOfDay < untilMinuteOfDay;
	}
	if (minuteOfDay >= fromMinuteOfDay && isDay(schedule, weekday)) return true;
	return minuteOfDay < untilMinuteOfDay && isDay(schedule, weekday - 1);
}

/** The first minute of [`fromMinute`, `beforeMinute`) that is one of a schedule's; undefined: none is. */
export function nextActiveMinute(
	schedule: Schedule | undefined,
	fromMinute: number,
	beforeMinute: number,
	rule: LocalTimeRule,
): number | undefined {
	if (schedule === undefined) return fromMinute < beforeMinute ? fromMinute : undefined;
	for (let minute = fromMinute; minute < beforeMinute; ) {
		const { offsetMinutes, untilMinute = beforeMinute } = steadyTimeAt(rule, minute);
		const next = minute + minutesUntilActive(schedule, localMinuteOf(minute + offsetMinutes));
		if (next < untilMinute) return next < beforeMinute ? next : undefined;
		// The clocks are changed before then: from there on they show something else.
		minute = untilMinute;
	}
	return undefined;
}

/** Whether two schedules have a minute of [`fromMinute`, `untilMinute`) in common. */
export function overlaps(
	a: Schedule | undefined,
	b: Schedule | undefined,
	fromMinute: number,
	untilMinute: number,
	rule: LocalTimeRule,
): boolean {
	// What is active at once is so every week, so that it is enough to look at each minute that the clocks show in one.
	const isEveryWeek = a !== undefined && b !== undefined;
	const beforeMinute = isEveryWeek ? Math.min(untilMinute, fromMinute + ALL_WEEK_MINUTES) : untilMinute;
	let minute = nextActiveMinute(a, fromMinute, beforeMinute, rule);
	while (minute !== undefined) {
		const other = nextActiveMinute(b, minute, beforeMinute, rule);
		if (other === undefined) return false;
		minute = nextActiveMinute(a, other, beforeMinute, rule);
		if (minute === other) return true;
	}
	return false;
}

/** How many minutes it is until a schedule is active, 0: now, while the clocks are not changed. */
function minutesUntilActive(schedule: Schedule, local: LocalMinute): number {
	if (isActiveAt(schedule, local)) return 0;
	const { fromMinuteOfDay } = schedule;
	for (let days = 0; days <= DAYS_PER_WEEK; days++) {
		const minutes = days * MINUTES_PER_DAY + fromMinuteOfDay - local.minuteOfDay;
		if (minutes > 0 && isDay(schedule, local.weekday + days)) return minutes;
	}
	assert(false, "a schedule has a day");
	return 0;
}

/** Whether a day of the week, counted on over its ends, is one of a schedule's. */
function isDay({ days }: Schedule, weekday: number): boolean {
	return ((days >> ((weekday + DAYS_PER_WEEK) % DAYS_PER_WEEK)) & 1) === 1;
}
