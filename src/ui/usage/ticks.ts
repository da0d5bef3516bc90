/** Where the time axis is marked: at hours, days, weeks or months, as many as there is room for. */
import { MS_PER_MINUTE } from "../../primitives/units.js";
import { firstMinuteOf, hourOf, isoDate } from "../calendar.js";
import { formatDayOfMonth, formatShortMonth, formatTime, formatWeekday, formatWeekdayLetter } from "../format.js";

export interface Tick {
	readonly minute: number;
	readonly text: string;
}

const DAY_MINUTES = 1_440;
/** A day with the hour that autumn has twice. */
const LONGEST_DAY = DAY_MINUTES + 60;
const LONGEST_WEEK = 7 * DAY_MINUTES + 60;
const LONGEST_MONTH = 31 * DAY_MINUTES + 60;
const HOUR_STEPS = [1, 2, 3, 4, 6, 12];
const DAY_STEPS = [1, 2, 5, 7, 10, 15];
const MONTH_STEPS = [1, 2, 3, 6];

/** `starts`: of the pieces, and their end. At most `room` ticks. */
export function ticksOf(starts: Int32Array, room: number): Tick[] {
	const [from, until] = [starts[0] ?? 0, starts.at(-1) ?? 0];
	const length = until - from;
	if (length <= LONGEST_DAY) return hourTicks(from, until, stepFor(HOUR_STEPS, 24, room));
	const dates = datesOf(from, until);
	if (length <= LONGEST_WEEK) return ticks(dates, room < dates.length ? formatWeekdayLetter : formatWeekday);
	if (length <= LONGEST_MONTH) {
		const step = stepFor(DAY_STEPS, dates.length, room);
		return ticks(
			dates.filter((_, at) => at % step === 0),
			formatDayOfMonth,
		);
	}
	const months = dates.filter((date) => date.endsWith("-01"));
	const step = stepFor(MONTH_STEPS, months.length, room);
	return ticks(
		months.filter((_, at) => at % step === 0),
		formatShortMonth,
	);
}

/** The shortest step with which all fit. */
function stepFor(steps: readonly number[], count: number, room: number): number {
	return steps.find((step) => Math.ceil(count / step) <= room) ?? steps.at(-1) ?? 1;
}

function hourTicks(from: number, until: number, step: number): Tick[] {
	const found: Tick[] = [];
	for (let minute = from; minute < until; minute += 60) {
		if (hourOf(minute) % step === 0) found.push({ minute, text: formatTime(minute * MS_PER_MINUTE) });
	}
	return found;
}

function datesOf(from: number, until: number): string[] {
	const first = isoDate(from * MS_PER_MINUTE);
	const dates: string[] = [];
	for (let at = 0; ; at++) {
		const minute = firstMinuteOf(first, at) ?? until;
		if (minute >= until) return dates;
		dates.push(isoDate(minute * MS_PER_MINUTE));
	}
}

function ticks(dates: readonly string[], text: (timestampMs: number) => string): Tick[] {
	return dates.map((date) => {
		const minute = firstMinuteOf(date) ?? 0;
		return { minute, text: text(minute * MS_PER_MINUTE) };
	});
}
