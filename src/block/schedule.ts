/** At which hours of a week an offer holds, as data; what that means in minutes is in `contract/schedule`. */
import * as v from "valibot";
import type { CborValue } from "../primitives/codec.js";
import { MINUTES_PER_DAY } from "../primitives/units.js";
import { integer } from "./fieldShapes.js";

/** Some days of each week, from a time until another, local time. */
export interface Schedule {
	/** Bit 0: Monday … bit 6: Sunday; 1 … 127. */
	readonly days: number;
	/** 0 … 1,439. */
	readonly fromMinuteOfDay: number;
	/** 1 … 1,440, itself no more; not after `fromMinuteOfDay`: of the next day, and the time belongs to the day it began on. */
	readonly untilMinuteOfDay: number;
}

export const EVERY_DAY = 0b1111111;
export const WEEKDAYS = 0b0011111;
export const WEEKEND = 0b1100000;

export const scheduleShape: v.GenericSchema<unknown, Schedule> = v.pipe(
	v.strictTuple([integer(1, EVERY_DAY), integer(0, MINUTES_PER_DAY - 1), integer(1, MINUTES_PER_DAY)]),
	v.transform(([days, fromMinuteOfDay, untilMinuteOfDay]) => ({ days, fromMinuteOfDay, untilMinuteOfDay })),
);

export function scheduleFields({ days, fromMinuteOfDay, untilMinuteOfDay }: Schedule): CborValue[] {
	return [days, fromMinuteOfDay, untilMinuteOfDay];
}

/** Whether it is one: its numbers are whole and within their bounds. */
export function isSchedule(schedule: Schedule): boolean {
	return v.is(scheduleShape, scheduleFields(schedule));
}
