/**
 * A household's day by the minute, and its record. Integers; −1 where there is no reading.
 */
import type { TariffStep } from "../block/kinds/trading.js";
import { MINUTES_PER_DAY } from "../primitives/units.js";
import type { Series } from "./protocol.js";
import { openRecord, peekRecord, sealRecord } from "./records.js";
import type { UnsettledRun } from "./view.js";

/** Of a household's day: its readings, what its contracts settled, and the intervals that the market matched. */
export interface Day extends Omit<Series, "member" | "fromMinute"> {
	/** By their first minute of the day. */
	readonly matched: Map<number, MatchedEnergy>;
	/** What contracts moved, by minute of the day; of this device's own household only. */
	readonly money: Map<number, Money>;
	/** Readings that settled nothing, by minute of the day. */
	readonly unsettled: Map<number, UnsettledRun["reason"]>;
}

export interface Money {
	readonly paidMicroNok: number;
	readonly earnedMicroNok: number;
}

/** Minutes [from, until) of the day; an interval divides it. Its money is 0 where an earlier version wrote it down. */
export interface MatchedEnergy extends Money {
	readonly from: number;
	readonly until: number;
	readonly boughtWh: number;
	readonly soldWh: number;
}

export const NO_MONEY: Money = { paidMicroNok: 0, earnedMicroNok: 0 };

export function emptyDay(): Day {
	return { ...emptyValues(MINUTES_PER_DAY), matched: new Map(), money: new Map(), unsettled: new Map() };
}

export function emptyValues(length: number): Omit<Day, "matched" | "money" | "unsettled"> {
	return {
		importWh: new Int32Array(length).fill(-1),
		exportWh: new Int32Array(length).fill(-1),
		boughtWh: new Int32Array(length),
		soldWh: new Int32Array(length),
	};
}

export const METERED = ["importWh", "exportWh"] as const;
export const TRADED = ["boughtWh", "soldWh"] as const;
const SERIES = [...METERED, ...TRADED] as const;
const BYTES_PER_VALUE = 4;
const SERIES_BYTES = SERIES.length * MINUTES_PER_DAY * BYTES_PER_VALUE;
const MATCHED = ["from", "until", "boughtWh", "soldWh"] as const;
const EARLIER_MATCHED_BYTES = MATCHED.length * BYTES_PER_VALUE;
export const MONEY = ["paidMicroNok", "earnedMicroNok"] as const;
const BYTES_PER_AMOUNT = 8;
const MONEY_BYTES = MONEY.length * BYTES_PER_AMOUNT;
const MATCHED_BYTES = EARLIER_MATCHED_BYTES + MONEY_BYTES;
const PRICES = ["fromMinute", "retailMicroNokPerWh", "feedInMicroNokPerWh", "localFeeMicroNokPerWh"] as const;
const PRICE_BYTES = PRICES.length * BYTES_PER_VALUE;
const MINUTE_MONEY_BYTES = BYTES_PER_VALUE + MONEY_BYTES;
/** Records of earlier versions begin with a minute's import, −1 at the least, and know neither money nor prices. */
const SECOND_VERSION = -2;
/** And this one what settled nothing. */
const THIRD_VERSION = -3;
const HEAD_BYTES = 5 * BYTES_PER_VALUE;
const UNSETTLED = ["late", "typed"] as const satisfies readonly UnsettledRun["reason"][];
const UNSETTLED_BYTES = 2 * BYTES_PER_VALUE;

/**
 * A day as a record: the version, how many matched intervals, prices, minutes with money and unsettled minutes there are,
 * then the four series one after the other, then those. Each value is a little-endian Int32, each amount a BigUint64.
 */
export function encodeDay(day: Day, prices: readonly TariffStep[]): Uint8Array {
	const { matched, money, unsettled } = day;
	const length = matched.size * MATCHED_BYTES + prices.length * PRICE_BYTES + money.size * MINUTE_MONEY_BYTES;
	const bytes = new Uint8Array(HEAD_BYTES + SERIES_BYTES + length + unsettled.size * UNSETTLED_BYTES);
	const view = new DataView(bytes.buffer);
	let at = 0;
	const write = (value: number) => {
		view.setInt32(at, value, true);
		at += BYTES_PER_VALUE;
	};
	const writeMoney = (moved: Money) => {
		for (const field of MONEY) {
			view.setBigUint64(at, BigInt(moved[field]), true);
			at += BYTES_PER_AMOUNT;
		}
	};
	for (const value of [THIRD_VERSION, matched.size, prices.length, money.size, unsettled.size]) write(value);
	for (const series of SERIES) for (const value of day[series]) write(value);
	for (const interval of matched.values()) {
		for (const field of MATCHED) write(interval[field]);
		writeMoney(interval);
	}
	for (const step of prices) for (const field of PRICES) write(step[field]);
	for (const [minute, moved] of money) {
		write(minute);
		writeMoney(moved);
	}
	for (const [minute, reason] of unsettled) {
		write(minute);
		write(UNSETTLED.indexOf(reason));
	}
	return sealRecord(bytes);
}

/** What a record says that there is in it, before its checksum is looked at. Earlier versions kept neither. */
export function announced(record: Uint8Array): { prices: number; unsettled: number } {
	const { buffer, byteOffset, length } = peekRecord(record);
	if (length < HEAD_BYTES) return { prices: 0, unsettled: 0 };
	const view = new DataView(buffer, byteOffset, length);
	const at = (place: number) => view.getInt32(place * BYTES_PER_VALUE, true);
	const version = at(0);
	const hasPrices = version === SECOND_VERSION || version === THIRD_VERSION;
	return { prices: hasPrices ? at(2) : 0, unsettled: version === THIRD_VERSION ? at(4) : 0 };
}

/** Undefined: it is no day. */
export function decodeDay(record: Uint8Array): { values: Day; prices: TariffStep[] } | undefined {
	const content = openRecord(record);
	if (!content.ok) return undefined;
	const { buffer, byteOffset, length } = content.value;
	if (length < SERIES_BYTES) return undefined;
	const view = new DataView(buffer, byteOffset, length);
	let at = 0;
	const read = () => {
		const value = view.getInt32(at, true);
		at += BYTES_PER_VALUE;
		return value;
	};
	const version = view.getInt32(0, true);
	const isEarlier = version !== SECOND_VERSION && version !== THIRD_VERSION;
	const readMoney = (): Money => {
		if (isEarlier) return NO_MONEY;
		const [paid, earned] = [view.getBigUint64(at, true), view.getBigUint64(at + BYTES_PER_AMOUNT, true)];
		at += MONEY_BYTES;
		return { paidMicroNok: Number(paid), earnedMicroNok: Number(earned) };
	};
	const earlierMatched = (length - SERIES_BYTES) / EARLIER_MATCHED_BYTES;
	const [, matched = 0, prices = 0, money = 0] = isEarlier ? [0, earlierMatched] : [read(), read(), read(), read()];
	const unsettled = version === THIRD_VERSION ? read() : 0;
	const matchedBytes = matched * (isEarlier ? EARLIER_MATCHED_BYTES : MATCHED_BYTES);
	const unsettledBytes = unsettled * UNSETTLED_BYTES;
	const listsBytes = matchedBytes + prices * PRICE_BYTES + money * MINUTE_MONEY_BYTES + unsettledBytes;
	const counts = [matched, prices, money, unsettled];
	if (!counts.every((count) => Number.isInteger(count) && count >= 0)) return undefined;
	if (length !== at + SERIES_BYTES + listsBytes) return undefined;
	const values = emptyDay();
	for (const series of SERIES) for (let minute = 0; minute < MINUTES_PER_DAY; minute++) values[series][minute] = read();
	for (let left = matched; left > 0; left--) {
		const [from, until, boughtWh, soldWh] = [read(), read(), read(), read()];
		const moved = readMoney();
		if (from < 0 || from >= until || until > MINUTES_PER_DAY || boughtWh < 0 || soldWh < 0) return undefined;
		values.matched.set(from, { from, until, boughtWh, soldWh, ...moved });
	}
	const steps: TariffStep[] = [];
	for (let left = prices; left > 0; left--) {
		const [fromMinute, retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh] = [
			read(),
			read(),
			read(),
			read(),
		];
		steps.push({ fromMinute, retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh });
	}
	for (let left = money; left > 0; left--) values.money.set(read(), readMoney());
	for (let left = unsettled; left > 0; left--) {
		const [minute, reason] = [read(), UNSETTLED[read()]];
		if (minute < 0 || minute >= MINUTES_PER_DAY || reason === undefined) return undefined;
		values.unsettled.set(minute, reason);
	}
	return { values, prices: steps };
}
