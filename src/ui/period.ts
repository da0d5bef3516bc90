/** A month or a year of local time, as it is chosen for a statement or an export. */
import { MS_PER_MINUTE } from "../primitives/units.js";
import { firstMinuteOf, isoDate } from "./calendar.js";
import { formatMonth } from "./format.js";

/** `month`: 1 … 12; 0: the whole year. */
export interface PeriodChoice {
	readonly year: number;
	readonly month: number;
}

/** So many years are offered: receipts are kept for five, and who asks late asks for the one before. */
const YEARS = 10;

/** The month that a time lies in. */
export function monthAt(timestampMs: number): PeriodChoice {
	const [year = 0, month = 0] = isoDate(timestampMs).split("-").map(Number);
	return { year, month };
}

/** Its first minute, and the first one after it. */
export function periodRange({ year, month }: PeriodChoice): { fromMinute: number; untilMinute: number } {
	const next = month === 0 || month === 12 ? `${year + 1}-01` : `${year}-${twoDigits(month + 1)}`;
	return { fromMinute: startOf(`${year}-${twoDigits(month || 1)}`), untilMinute: startOf(next) };
}

/** Newest first. */
export function yearsUntil(nowMs: number): number[] {
	const { year } = monthAt(nowMs);
	return Array.from({ length: YEARS }, (_, at) => year - at);
}

/** The months of a year that have begun. */
export function monthsUntil(year: number, nowMs: number): number[] {
	const now = monthAt(nowMs);
	const count = year < now.year ? 12 : now.month;
	return Array.from({ length: count }, (_, at) => at + 1);
}

/** `november 2026`, or `2026`. */
export function periodText(period: PeriodChoice): string {
	if (period.month === 0) return String(period.year);
	return formatMonth(periodRange(period).fromMinute * MS_PER_MINUTE);
}

/** `2026-11`, or `2026`: in names of files. */
export function periodName({ year, month }: PeriodChoice): string {
	return month === 0 ? String(year) : `${year}-${twoDigits(month)}`;
}

function startOf(month: string): number {
	return firstMinuteOf(`${month}-01`) ?? 0;
}

function twoDigits(value: number): string {
	return String(value).padStart(2, "0");
}
