/** The form of an offer, from what was typed to the command. */
import { type Schedule, WEEKDAYS, WEEKEND } from "../block/schedule.js";
import type { Command } from "../node/protocol.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { minuteOf } from "../primitives/units.js";
import { type InputError, parseKwh, parsePrice, parseWhole } from "./amount.js";
import { firstMinuteOf } from "./calendar.js";

export type OfferCommand = Extract<Command, { type: "offer" }>;

/** When an offer holds. */
export interface ScheduleFields {
	when: "always" | "weekdays" | "weekend" | "own";
	/** Of one's own choice: Monday 0 … Sunday 6. */
	days: number[];
	fromMinuteOfDay: number;
	/** Not after the other: of the next day. */
	untilMinuteOfDay: number;
}

export type ScheduleFieldError = Extract<InputError, { code: "required" }>;

export interface OfferFields {
	price: string;
	/** Days as `2026-11-23`; the last one is included. */
	fromDate: string;
	untilDate: string;
	energyLimit: string;
	noticeMinutes: number;
	/** Member index, or "" for everybody. */
	buyer: string;
	maxBuyers: string;
	schedule: ScheduleFields;
}

export type OfferFieldError = (InputError | { code: "bad-date" } | { code: "until-before-from" }) & {
	field: keyof OfferFields;
};

const MAX_BUYERS = 1000;

/** The offer that the fields describe. A first day that has begun means the next minute. */
export function readOffer(fields: OfferFields, chainNowMs: number): Result<OfferCommand, OfferFieldError> {
	const price = parsePrice(fields.price);
	if (!price.ok) return refused({ ...price.error, field: "price" });
	const dayStart = firstMinuteOf(fields.fromDate);
	if (dayStart === undefined) return refused({ code: "bad-date", field: "fromDate" });
	const untilMinute = firstMinuteOf(fields.untilDate, 1);
	if (untilMinute === undefined) return refused({ code: "bad-date", field: "untilDate" });
	const fromMinute = Math.max(dayStart, minuteOf(chainNowMs) + 1);
	if (untilMinute <= fromMinute) return refused({ code: "until-before-from", field: "untilDate" });
	const offer: OfferCommand = {
		type: "offer",
		priceMicroNokPerWh: price.value,
		fromMinute,
		untilMinute,
		noticeMinutes: fields.noticeMinutes,
	};
	if (fields.energyLimit.trim() !== "") {
		const limit = parseKwh(fields.energyLimit);
		if (!limit.ok) return refused({ ...limit.error, field: "energyLimit" });
		offer.energyLimitWh = limit.value;
	}
	if (fields.buyer !== "") offer.buyer = Number(fields.buyer);
	else if (fields.maxBuyers.trim() !== "") {
		const maxBuyers = parseWhole(fields.maxBuyers, 1, MAX_BUYERS);
		if (!maxBuyers.ok) return refused({ ...maxBuyers.error, field: "maxBuyers" });
		offer.maxBuyers = maxBuyers.value;
	}
	const schedule = readSchedule(fields.schedule);
	if (!schedule.ok) return refused({ ...schedule.error, field: "schedule" });
	if (schedule.value !== undefined) offer.schedule = schedule.value;
	return ok(offer);
}

/** Undefined: always. */
function readSchedule({
	when,
	days,
	fromMinuteOfDay,
	untilMinuteOfDay,
}: ScheduleFields): Result<Schedule | undefined, ScheduleFieldError> {
	if (when === "always") return ok(undefined);
	const own = days.reduce((bits, weekday) => bits | (1 << weekday), 0);
	const chosen = { weekdays: WEEKDAYS, weekend: WEEKEND, own }[when];
	return chosen === 0 ? refused({ code: "required" }) : ok({ days: chosen, fromMinuteOfDay, untilMinuteOfDay });
}
