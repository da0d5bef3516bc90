/** Norwegian local time without a time zone database, which the core has not got. */
const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 24 * MS_PER_HOUR;

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
	const localMs = timestampMs + osloOffsetMs(timestampMs);
	const day = Math.floor(localMs / MS_PER_DAY);
	return {
		weekday: (day + 3) % 7, // 1 January 1970 was a Thursday
		hour: (localMs - day * MS_PER_DAY) / MS_PER_HOUR,
		day,
	};
}

/** Local time in Oslo as a meter writes it, `YYYY-MM-DDThh:mm:ss`. */
export function osloClock(timestampMs: number): string {
	return new Date(timestampMs + osloOffsetMs(timestampMs)).toISOString().slice(0, 19);
}

/** Directive 2000/84/EC: UTC+2 from the last Sunday of March, 01:00 UTC, to that of October; else UTC+1. */
export function osloOffsetMs(timestampMs: number): number {
	const year = new Date(timestampMs).getUTCFullYear();
	const isSummer = timestampMs >= lastSundayMs(year, 2) && timestampMs < lastSundayMs(year, 9);
	return (isSummer ? 2 : 1) * MS_PER_HOUR;
}

/** 01:00 UTC on the last Sunday of a month of 31 days (March 2, October 9). */
function lastSundayMs(year: number, month: number): number {
	const last = Date.UTC(year, month, 31, 1);
	return last - new Date(last).getUTCDay() * MS_PER_DAY;
}
