import { MS_PER_MINUTE, minuteOf } from "../primitives/units.js";

/** Where the neighbourhood's days begin. */
const TIME_ZONE = "Europe/Oslo";

const parts = new Intl.DateTimeFormat("en-GB", {
	timeZone: TIME_ZONE,
	hourCycle: "h23",
	year: "numeric",
	month: "numeric",
	day: "numeric",
	hour: "numeric",
	minute: "numeric",
});

/** What the local clock is ahead of UTC at a time, ms. */
function offsetMs(timestampMs: number): number {
	const local = Object.fromEntries(parts.formatToParts(timestampMs).map(({ type, value }) => [type, Number(value)]));
	const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = local;
	return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(timestampMs / MS_PER_MINUTE) * MS_PER_MINUTE;
}

/** First minute of the local day that a time lies in; days with a change of summer time have 23 or 25 hours. */
export function startOfDayMinute(timestampMs: number): number {
	const localMs = timestampMs + offsetMs(timestampMs);
	const midnightAsUtcMs = localMs - (((localMs % 86_400_000) + 86_400_000) % 86_400_000);
	// The offset at midnight may be another than now; summer time never changes within an hour of midnight.
	return minuteOf(midnightAsUtcMs - offsetMs(midnightAsUtcMs - offsetMs(timestampMs)));
}
