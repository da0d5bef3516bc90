import { CENTRAL_EUROPEAN_TIME, firstMinuteOfDay, localMinuteAt } from "../primitives/localTime.js";
import { minuteOf } from "../primitives/units.js";

/** First minute of the day that a time lies in, as the screens show days; some have 23 or 25 hours. */
export function startOfDayMinute(timestampMs: number): number {
	return firstMinuteOfDay(CENTRAL_EUROPEAN_TIME, localMinuteAt(CENTRAL_EUROPEAN_TIME, minuteOf(timestampMs)).day);
}
