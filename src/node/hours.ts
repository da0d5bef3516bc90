/**
 * A household's local day by the hour: of what the graphs of months and years are made. A twentieth of the day's minutes,
 * and with their money, which minutes are kept of no neighbour's.
 */
import { firstMinuteOfDay, type LocalTimeRule } from "../primitives/localTime.js";
import { MINUTES_PER_HOUR } from "../primitives/units.js";
import { type BilledMinutes, billOf, NO_BILL } from "./bill.js";
import type { Period } from "./periods.js";
import type { BillHour, Series, UsageBand } from "./protocol.js";
import { openRecord, sealRecord } from "./records.js";

/** Of an hour with its minutes' band: all 0 where there is no reading. */
export type HourFigures = BillHour & UsageBand;

/** The day's hours, ascending: 23, 24 or 25. */
export interface DayHours {
	/** Of the neighbourhood's time: days since 1 January 1970 of the calendar. */
	readonly day: number;
	readonly hours: readonly HourFigures[];
}

/** The hours of a day whose minutes these are. */
export function dayHoursOf(day: number, billed: BilledMinutes): DayHours {
	const hours = billOf(billed).hours.map((hour) => ({ ...hour, ...bandOf(billed.series, hour.fromMinute) }));
	return { day, hours };
}

function bandOf({ fromMinute, importWh, exportWh }: Series, hourMinute: number): UsageBand {
	const band: UsageBand = { ...NO_BAND };
	const from = hourMinute - fromMinute;
	let isFirst = true;
	for (let at = from; at < Math.min(from + MINUTES_PER_HOUR, importWh.length); at++) {
		const [imported, exported] = [importWh[at] ?? -1, exportWh[at] ?? -1];
		if (imported < 0) continue;
		band.importMinWh = isFirst ? imported : Math.min(band.importMinWh, imported);
		band.exportMinWh = isFirst ? exported : Math.min(band.exportMinWh, exported);
		band.importMaxWh = Math.max(band.importMaxWh, imported);
		band.exportMaxWh = Math.max(band.exportMaxWh, exported);
		isFirst = false;
	}
	return band;
}

/** First minute of a local day, and of the next one. */
export function minutesOfDay(rule: LocalTimeRule, day: number): Period {
	return { fromMinute: firstMinuteOfDay(rule, day), untilMinute: firstMinuteOfDay(rule, day + 1) };
}

export const NO_BAND: Readonly<UsageBand> = { importMinWh: 0, importMaxWh: 0, exportMinWh: 0, exportMaxWh: 0 };
const COUNTS = [
	"minutes",
	"importWh",
	"exportWh",
	"boughtWh",
	"soldWh",
	"fromUtilityWh",
	"toUtilityWh",
	"importMinWh",
	"importMaxWh",
	"exportMinWh",
	"exportMaxWh",
	"minutesWithoutPrices",
	"minutesWithoutMoney",
] as const satisfies readonly (keyof HourFigures)[];
const AMOUNTS = [
	"paidMicroNok",
	"earnedMicroNok",
	"utilityCostMicroNok",
	"utilityIncomeMicroNok",
	"localFeeMicroNok",
	"savedMicroNok",
] as const satisfies readonly (keyof HourFigures)[];
const BYTES_PER_COUNT = 4;
const BYTES_PER_AMOUNT = 8;
const HEAD_BYTES = 3 * BYTES_PER_COUNT;
const VERSION = 1;

/**
 * As a record: version, number of hours, whether there is money; then hour by hour the counts as little-endian Int32 and, where there is
 * money, the amounts as BigInt64. `withMoney`: only of the own household is it known.
 */
export function encodeHours({ hours }: DayHours, withMoney: boolean): Uint8Array {
	const view = new DataView(new ArrayBuffer(HEAD_BYTES + hours.length * hourBytes(withMoney)));
	for (const [at, value] of [VERSION, hours.length, withMoney ? 1 : 0].entries()) {
		view.setInt32(at * BYTES_PER_COUNT, value, true);
	}
	let at = HEAD_BYTES;
	for (const hour of hours) {
		for (const field of COUNTS) {
			view.setInt32(at, hour[field], true);
			at += BYTES_PER_COUNT;
		}
		for (const field of withMoney ? AMOUNTS : []) {
			view.setBigInt64(at, BigInt(hour[field]), true);
			at += BYTES_PER_AMOUNT;
		}
	}
	return sealRecord(new Uint8Array(view.buffer));
}

/** Undefined: it is no such day. */
export function decodeHours(rule: LocalTimeRule, day: number, record: Uint8Array): DayHours | undefined {
	const content = openRecord(record);
	if (!content.ok || content.value.length < HEAD_BYTES) return undefined;
	const { buffer, byteOffset, length } = content.value;
	const view = new DataView(buffer, byteOffset, length);
	const [version, count, money] = [0, 1, 2].map((place) => view.getInt32(place * BYTES_PER_COUNT, true));
	const { fromMinute, untilMinute } = minutesOfDay(rule, day);
	const withMoney = money === 1;
	if (version !== VERSION || count !== Math.ceil((untilMinute - fromMinute) / MINUTES_PER_HOUR)) return undefined;
	if (length !== HEAD_BYTES + count * hourBytes(withMoney)) return undefined;
	const hours: HourFigures[] = [];
	let at = HEAD_BYTES;
	for (let number = 0; number < count; number++) {
		const hour: HourFigures = { fromMinute: fromMinute + number * MINUTES_PER_HOUR, ...NO_BILL, ...NO_BAND };
		for (const field of COUNTS) {
			hour[field] = view.getInt32(at, true);
			at += BYTES_PER_COUNT;
		}
		for (const field of withMoney ? AMOUNTS : []) {
			hour[field] = Number(view.getBigInt64(at, true));
			at += BYTES_PER_AMOUNT;
		}
		hours.push(hour);
	}
	return { day, hours };
}

function hourBytes(withMoney: boolean): number {
	return COUNTS.length * BYTES_PER_COUNT + (withMoney ? AMOUNTS.length * BYTES_PER_AMOUNT : 0);
}
