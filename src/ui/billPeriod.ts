/** The times of which a household can see what its electricity cost. */
import type { BillHour } from "../node/protocol.js";
import { add, MINUTES_PER_DAY, MS_PER_MINUTE, minuteOf } from "../primitives/units.js";
import { firstMinuteOf, isoDate } from "./calendar.js";

/** In autumn. */
export const HOURS_OF_LONGEST_DAY = 25;

export type BillPeriod = "today" | "yesterday" | "thisMonth" | "lastMonth";

export interface MinuteRange {
	fromMinute: number;
	untilMinute: number;
}

/** The minutes of a period, as far as they have begun. */
export function billRange(period: BillPeriod, nowMs: number): MinuteRange {
	const today = startOf(isoDate(nowMs));
	const thisMonth = startOf(`${isoDate(nowMs).slice(0, 7)}-01`);
	const now = minuteOf(nowMs);
	switch (period) {
		case "today":
			return { fromMinute: today, untilMinute: now };
		case "yesterday":
			return { fromMinute: startOf(dateBefore(today)), untilMinute: today };
		case "thisMonth":
			return { fromMinute: thisMonth, untilMinute: now };
		case "lastMonth":
			return { fromMinute: startOf(`${dateBefore(thisMonth).slice(0, 7)}-01`), untilMinute: thisMonth };
	}
}

/** The hours of each day in one: of a month nobody reads them all. */
export function billDays(hours: readonly BillHour[]): BillHour[] {
	const days = new Map<string, BillHour>();
	for (const hour of hours) {
		const date = isoDate(hour.fromMinute * MS_PER_MINUTE);
		const day = days.get(date);
		if (day === undefined) days.set(date, { ...hour });
		else for (const field of FIGURES) day[field] = add(day[field], hour[field]);
	}
	return [...days.values()];
}

const FIGURES = [
	"minutes",
	"importWh",
	"exportWh",
	"boughtWh",
	"soldWh",
	"fromUtilityWh",
	"toUtilityWh",
	"paidMicroNok",
	"earnedMicroNok",
	"utilityCostMicroNok",
	"utilityIncomeMicroNok",
	"localFeeMicroNok",
	"savedMicroNok",
] as const;

/** The date of the day that ends with a midnight: no day is shorter than half of one. */
function dateBefore(midnight: number): string {
	return isoDate((midnight - MINUTES_PER_DAY / 2) * MS_PER_MINUTE);
}

function startOf(date: string): number {
	return firstMinuteOf(date) ?? 0;
}
