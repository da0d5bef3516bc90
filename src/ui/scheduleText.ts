/** The hours of an offer in words: `hverdager 08–16`, `Mon, Wed 22–06`. */
import { EVERY_DAY, type Schedule, WEEKDAYS, WEEKEND } from "../block/schedule.js";
import { intlTag } from "./locale.svelte.js";
import { m } from "./paraglide/messages.js";

const DAYS_PER_WEEK = 7;
/** 1 January 2024 was a Monday. */
const A_MONDAY_MS = Date.UTC(2024, 0, 1);
const MS_PER_DAY = 86_400_000;

/** Undefined: at all hours. */
export function scheduleText(schedule: Schedule | undefined): string {
	if (schedule === undefined) return m.schedule_always();
	const days = daysText(schedule.days);
	const { fromMinuteOfDay, untilMinuteOfDay } = schedule;
	if (fromMinuteOfDay === 0 && untilMinuteOfDay === 24 * 60) return days;
	const isWhole = fromMinuteOfDay % 60 === 0 && untilMinuteOfDay % 60 === 0;
	const [from, until] = [fromMinuteOfDay, untilMinuteOfDay].map((minute) => {
		const text = clockText(minute);
		return isWhole ? text.slice(0, 2) : text;
	});
	return m.schedule_hours({ days, from: from ?? "", until: until ?? "" });
}

/** A minute of the day, as a clock shows it: `08:30`; its end is `24:00`. */
export function clockText(minuteOfDay: number): string {
	const past = minuteOfDay % 60;
	return [(minuteOfDay - past) / 60, past].map((part) => String(part).padStart(2, "0")).join(":");
}

/** Name of a day of the week, Monday 0: all of it, or the short one. */
export function weekdayName(weekday: number, length: "long" | "short"): string {
	const format = new Intl.DateTimeFormat(intlTag(), { weekday: length, timeZone: "UTC" });
	return format.format(A_MONDAY_MS + weekday * MS_PER_DAY);
}

function daysText(days: number): string {
	if (days === EVERY_DAY) return m.schedule_every_day();
	if (days === WEEKDAYS) return m.schedule_weekdays();
	if (days === WEEKEND) return m.schedule_weekend();
	const chosen = Array.from({ length: DAYS_PER_WEEK }, (_, weekday) => weekday).filter(
		(weekday) => (days >> weekday) & 1,
	);
	return chosen.map((weekday) => weekdayName(weekday, "short")).join(", ");
}
