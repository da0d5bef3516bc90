/** Norwegian local time, in which meters tell the time and simulated households live. */
import { CENTRAL_EUROPEAN_TIME, localMinuteAt, offsetMinutesAt } from "../primitives/localTime.js";
import { MS_PER_MINUTE } from "../primitives/units.js";

const MINUTES_PER_HOUR = 60;
const MS_PER_HOUR = MINUTES_PER_HOUR * MS_PER_MINUTE;

export interface LocalTime {
	/** Monday 0 … Sunday 6. */
	weekday: number;
	/** 0 … 24, with its fraction. */
	hour: number;
	/** Days since the epoch, counted from local midnight. */
	day: number;
}

/** Local time in Oslo at a time (ms UTC). */
export function osloTime(timestampMs: number): LocalTime {
	const minute = Math.floor(timestampMs / MS_PER_MINUTE);
	const { day, weekday, minuteOfDay } = localMinuteAt(CENTRAL_EUROPEAN_TIME, minute);
	const msOfMinute = timestampMs - minute * MS_PER_MINUTE;
	return { weekday, hour: (minuteOfDay * MS_PER_MINUTE + msOfMinute) / MS_PER_HOUR, day };
}

/** Local time in Oslo as a meter writes it, `YYYY-MM-DDThh:mm:ss`. */
export function osloClock(timestampMs: number): string {
	const offsetMinutes = offsetMinutesAt(CENTRAL_EUROPEAN_TIME, Math.floor(timestampMs / MS_PER_MINUTE));
	return new Date(timestampMs + offsetMinutes * MS_PER_MINUTE).toISOString().slice(0, 19);
}
