/** A time cut where a local day or month ends: some days have 23 or 25 hours. */
import {
	dateOfDay,
	dayOfDate,
	firstMinuteOfDay,
	type LocalTimeRule,
	localMinuteAt,
	startOfDayMinute,
} from "../primitives/localTime.js";

/** [fromMinute, untilMinute). */
export interface Period {
	readonly fromMinute: number;
	readonly untilMinute: number;
}

/** Ten years and the days of leap years: nothing longer is asked for at once. */
export const MAX_PERIOD_DAYS = 3_653;

/** Whether both ends are the first minute of a local day, in their order, and not too far apart. */
export function isWholeDays(rule: LocalTimeRule, { fromMinute, untilMinute }: Period): boolean {
	const isDay = (minute: number) =>
		Number.isSafeInteger(minute) && minute >= 0 && startOfDayMinute(rule, minute) === minute;
	return (
		fromMinute < untilMinute &&
		untilMinute - fromMinute <= MAX_PERIOD_DAYS * 1_440 + 60 &&
		isDay(fromMinute) &&
		isDay(untilMinute)
	);
}

/** A period's local days, ascending. */
export function daysOf(rule: LocalTimeRule, period: Period): Period[] {
	return cut(rule, period, (day) => day + 1);
}

/** A period's local months, ascending; the first and the last one as far as they lie in it. */
export function monthsOf(rule: LocalTimeRule, period: Period): Period[] {
	return cut(rule, period, (day) => {
		const { year, month } = dateOfDay(day);
		return dayOfDate(
			month === 12 ? { year: year + 1, month: 1, dayOfMonth: 1 } : { year, month: month + 1, dayOfMonth: 1 },
		);
	});
}

function cut(rule: LocalTimeRule, { fromMinute, untilMinute }: Period, next: (day: number) => number): Period[] {
	const periods: Period[] = [];
	for (let from = fromMinute; from < untilMinute; ) {
		const until = Math.min(untilMinute, firstMinuteOfDay(rule, next(localMinuteAt(rule, from).day)));
		periods.push({ fromMinute: from, untilMinute: until });
		from = until;
	}
	return periods;
}
