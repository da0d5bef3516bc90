/** Days of the neighbourhood's time zone: midnight in Oslo, on days of 23, 24 and 25 hours. */
import { MS_PER_MINUTE } from "../primitives/units.js";
import { TIME_ZONE } from "./format.js";

const PARTS = new Intl.DateTimeFormat("en-GB", {
	timeZone: TIME_ZONE,
	year: "numeric",
	month: "2-digit",
	day: "2-digit",
	hour: "2-digit",
	minute: "2-digit",
	hourCycle: "h23",
});

const ISO_LOCAL = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})$/;
const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/** The day that a time lies in, as `2026-11-23`: what a date field holds. */
export function isoDate(timestampMs: number): string {
	const { year, month, day } = partsOf(timestampMs);
	return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** First minute (since the epoch) of a day in Oslo, `dayOffset` days later. Absent if it is not a date. */
export function firstMinuteOf(date: string, dayOffset = 0): number | undefined {
	const match = ISO_DATE.exec(date);
	if (match === null) return undefined;
	const utcMs = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]) + dayOffset);
	if (Number.isNaN(utcMs)) return undefined;
	return minuteOfWallClock(utcMs);
}

/** The minute (since the epoch) of a time in Oslo as a field holds it, `2026-11-23T08:15`. Absent if it is none. */
export function minuteOfLocal(text: string): number | undefined {
	const match = ISO_LOCAL.exec(text);
	if (match === null) return undefined;
	const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1).map(Number);
	const utcMs = Date.UTC(year, month - 1, day, hour, minute);
	if (Number.isNaN(utcMs)) return undefined;
	return minuteOfWallClock(utcMs);
}

/** A minute as a field for a time holds it, by Oslo's clock. */
export function localOf(minute: number): string {
	const timestampMs = minute * MS_PER_MINUTE;
	const { hour, minute: past } = partsOf(timestampMs);
	return `${isoDate(timestampMs)}T${String(hour).padStart(2, "0")}:${String(past).padStart(2, "0")}`;
}

/** The hour of the day that a minute lies in, 0–23. */
export function hourOf(minute: number): number {
	return partsOf(minute * MS_PER_MINUTE).hour;
}

/**
 * The minute at which clocks in Oslo show what is given as if it were UTC: by the offset of about that moment, then by
 * the offset of the moment found. Clocks never change at midnight.
 */
function minuteOfWallClock(utcMs: number): number {
	const near = utcMs - offsetMs(utcMs);
	return (utcMs - offsetMs(near)) / MS_PER_MINUTE;
}

function offsetMs(timestampMs: number): number {
	const { year, month, day, hour, minute } = partsOf(timestampMs);
	return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(timestampMs / MS_PER_MINUTE) * MS_PER_MINUTE;
}

function partsOf(timestampMs: number): { year: number; month: number; day: number; hour: number; minute: number } {
	const parts = { year: 0, month: 0, day: 0, hour: 0, minute: 0 };
	for (const { type, value } of PARTS.formatToParts(timestampMs)) {
		if (type in parts) parts[type as keyof typeof parts] = Number(value);
	}
	return parts;
}
