/** The days, weeks, months and years that usage is looked at in, one after the other: whole local days. */
import type { UsageUnit } from "../../node/protocol.js";
import { MS_PER_MINUTE } from "../../primitives/units.js";
import { firstMinuteOf, isoDate } from "../calendar.js";
import { formatLongDate, formatMonth, formatRange } from "../format.js";
import { m } from "../paraglide/messages.js";

export type SpanLength = "day" | "week" | "month" | "year";

export interface Span {
	readonly length: SpanLength;
	readonly fromMinute: number;
	/** First minute after it. */
	readonly untilMinute: number;
}

/** What is looked at: power, energy in its pieces, or what that cost. */
export type Measure = "power" | "energy" | "money";

/** Into what pieces a span is cut, so that there is something to see in each. */
export const UNITS: Readonly<Record<Measure, Readonly<Record<SpanLength, UsageUnit>>>> = {
	power: { day: "minute", week: "quarter", month: "hour", year: "day" },
	energy: { day: "hour", week: "day", month: "day", year: "day" },
	money: { day: "hour", week: "day", month: "day", year: "month" },
};

/** The span of a length that a time lies in. Weeks begin on Mondays. */
export function spanAt(length: SpanLength, timestampMs: number): Span {
	const date = isoDate(timestampMs);
	switch (length) {
		case "day":
			return { length, fromMinute: dayStart(date), untilMinute: dayStart(date, 1) };
		case "week": {
			const sinceMonday = (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
			return { length, fromMinute: dayStart(date, -sinceMonday), untilMinute: dayStart(date, 7 - sinceMonday) };
		}
		case "month":
			return { length, fromMinute: monthStart(date, 0), untilMinute: monthStart(date, 1) };
		case "year": {
			const january = `${date.slice(0, 4)}-01`;
			return { length, fromMinute: monthStart(january, 0), untilMinute: monthStart(january, 12) };
		}
	}
}

/** The span before. */
export function spanBefore({ length, fromMinute }: Span): Span {
	return spanAt(length, fromMinute * MS_PER_MINUTE - 1);
}

/** The span after. */
export function spanAfter({ length, untilMinute }: Span): Span {
	return spanAt(length, untilMinute * MS_PER_MINUTE);
}

/** The shorter span to which a piece of this one leads; absent: there is nothing more to see. */
export function spanOfPiece({ length }: Span, unit: UsageUnit, pieceMinute: number): Span | undefined {
	if (length === "day") return undefined;
	return spanAt(unit === "month" ? "month" : "day", pieceMinute * MS_PER_MINUTE);
}

/** As a heading: `torsdag 18. juni 2026`, `Uke 25 · 15.–21. juni 2026`, `juni 2026`, `2026`. */
export function spanText({ length, fromMinute, untilMinute }: Span): string {
	const fromMs = fromMinute * MS_PER_MINUTE;
	switch (length) {
		case "day":
			return formatLongDate(fromMs);
		case "week": {
			const days = formatRange(fromMs, untilMinute * MS_PER_MINUTE - 1);
			return m.usage_week({ number: weekNumber(isoDate(fromMs)), days });
		}
		case "month":
			return formatMonth(fromMs);
		case "year":
			return isoDate(fromMs).slice(0, 4);
	}
}

/** Of the week that a Monday begins, by ISO 8601: the year's first is the one with its first Thursday. */
function weekNumber(monday: string): number {
	const thursday = new Date(`${monday}T00:00:00Z`);
	thursday.setUTCDate(thursday.getUTCDate() + 3);
	const firstOfYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
	return 1 + Math.floor((thursday.getTime() - firstOfYear) / 604_800_000);
}

function monthStart(date: string, monthsLater: number): number {
	const [year = 0, month = 1] = date.split("-").map(Number);
	const number = year * 12 + month - 1 + monthsLater;
	return dayStart(`${Math.floor(number / 12)}-${String((number % 12) + 1).padStart(2, "0")}-01`);
}

function dayStart(date: string, daysLater = 0): number {
	return firstMinuteOf(date, daysLater) ?? 0;
}
