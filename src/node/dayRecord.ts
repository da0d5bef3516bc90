/**
 * A household's day by the minute, and its record. Integers; −1 where there is no reading.
 */
import type { TariffStep } from "../block/kinds/trading.js";
import { assert } from "../primitives/assert.js";
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
/** The first ones begin with a minute's import, −1 at the least, and know neither money nor prices; the second ones do. */
const FIRST_VERSION = -1;
/** What settled nothing is known from here on. */
const THIRD_VERSION = -3;
/** The series are packed from here on: a year of a street's takes a sixth of the room, and of the time to read it. */
const FOURTH_VERSION = -4;
const HEAD_BYTES = 5 * BYTES_PER_VALUE;
const UNSETTLED = ["late", "typed"] as const satisfies readonly UnsettledRun["reason"][];
const UNSETTLED_BYTES = 2 * BYTES_PER_VALUE;

/**
 * A day as a record: the version, how many matched intervals, prices, minutes with money and unsettled minutes there are,
 * then the four series one after the other, packed, then those. Each value is a little-endian Int32, each amount a BigUint64.
 */
export function encodeDay(day: Day, prices: readonly TariffStep[]): Uint8Array {
	const { matched, money, unsettled } = day;
	const length = matched.size * MATCHED_BYTES + prices.length * PRICE_BYTES + money.size * MINUTE_MONEY_BYTES;
	const packed = packSeries(day);
	const bytes = new Uint8Array(HEAD_BYTES + packed.length + length + unsettled.size * UNSETTLED_BYTES);
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
	for (const value of [FOURTH_VERSION, matched.size, prices.length, money.size, unsettled.size]) write(value);
	bytes.set(packed, at);
	at += packed.length;
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
	const version = versionOf(at(0));
	return { prices: version < FIRST_VERSION ? at(2) : 0, unsettled: version <= THIRD_VERSION ? at(4) : 0 };
}

/** Undefined: it is no day. */
export function decodeDay(record: Uint8Array): { values: Day; prices: TariffStep[] } | undefined {
	const content = openRecord(record);
	if (!content.ok) return undefined;
	const { buffer, byteOffset, length } = content.value;
	if (length < HEAD_BYTES) return undefined;
	const view = new DataView(buffer, byteOffset, length);
	let at = 0;
	const read = () => {
		const value = view.getInt32(at, true);
		at += BYTES_PER_VALUE;
		return value;
	};
	const version = versionOf(view.getInt32(0, true));
	const isEarlier = version === FIRST_VERSION;
	const readMoney = (): Money => {
		if (isEarlier) return NO_MONEY;
		const [paid, earned] = [view.getBigUint64(at, true), view.getBigUint64(at + BYTES_PER_AMOUNT, true)];
		at += MONEY_BYTES;
		return { paidMicroNok: Number(paid), earnedMicroNok: Number(earned) };
	};
	const earlierMatched = (length - SERIES_BYTES) / EARLIER_MATCHED_BYTES;
	const [, matched = 0, prices = 0, money = 0] = isEarlier ? [0, earlierMatched] : [read(), read(), read(), read()];
	const unsettled = version <= THIRD_VERSION ? read() : 0;
	const counts = [matched, prices, money, unsettled];
	if (!counts.every((count) => Number.isInteger(count) && count >= 0)) return undefined;
	const values = emptyDay();
	const seriesEnd = version === FOURTH_VERSION ? unpackSeries(content.value, at, values) : readSeries(view, at, values);
	if (seriesEnd === undefined) return undefined;
	at = seriesEnd;
	const matchedBytes = matched * (isEarlier ? EARLIER_MATCHED_BYTES : MATCHED_BYTES);
	const unsettledBytes = unsettled * UNSETTLED_BYTES;
	const listsBytes = matchedBytes + prices * PRICE_BYTES + money * MINUTE_MONEY_BYTES + unsettledBytes;
	if (length !== at + listsBytes) return undefined;
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

function versionOf(first: number): number {
	return first >= FOURTH_VERSION && first < FIRST_VERSION ? first : FIRST_VERSION;
}

// ── the four series ──────────────────────────────────────────────────────────────────────────────────────────────

/** The longest of a value and the length of its run: each takes seven bits a byte. */
const MAX_RUN_BYTES = 5 + 2;
const MAX_SCALE = 0x80 ** 4;
const MAX_VALUE = 2 ** 31 - 1;
const page = new Uint8Array(SERIES.length * MINUTES_PER_DAY * MAX_RUN_BYTES);

/**
 * Runs of equal minutes: the value, one more than it is, doubled, and one more where it is followed by how many minutes
 * have it. Both are in groups of seven bits, the lowest first, all but the last with the eighth bit set (LEB128).
 */
function packSeries(day: Day): Uint8Array {
	let at = 0;
	const write = (count: number) => {
		let left = count;
		for (; left >= 0x80; left = Math.floor(left / 0x80)) page[at++] = (left % 0x80) | 0x80;
		page[at++] = left;
	};
	for (const name of SERIES) {
		const series = day[name];
		for (let minute = 0; minute < MINUTES_PER_DAY; ) {
			const value = series[minute] ?? -1;
			let until = minute + 1;
			while (until < MINUTES_PER_DAY && series[until] === value) until++;
			assert(value >= -1, "a minute has energy or no reading");
			write(2 * (value + 1) + (until > minute + 1 ? 1 : 0));
			if (until > minute + 1) write(until - minute);
			minute = until;
		}
	}
	return page.slice(0, at);
}

/** Fills a day's series from packed ones, and gives where they end; undefined: they are none. */
function unpackSeries(bytes: Uint8Array, from: number, day: Day): number | undefined {
	let at = from;
	const read = () => {
		let count = 0;
		for (let scale = 1; scale <= MAX_SCALE; scale *= 0x80) {
			// Past the end there are no readings, and in the end it was too far.
			const byte = bytes[at++] ?? 0;
			count += (byte % 0x80) * scale;
			if (byte < 0x80) return count;
		}
		return Number.POSITIVE_INFINITY;
	};
	for (const name of SERIES) {
		for (let minute = 0; minute < MINUTES_PER_DAY; ) {
			const head = read();
			const isRun = head % 2 === 1;
			const value = (head - (isRun ? 1 : 0)) / 2 - 1;
			const until = minute + (isRun ? read() : 1);
			if (value > MAX_VALUE || until <= minute || until > MINUTES_PER_DAY) return undefined;
			day[name].fill(value, minute, until);
			minute = until;
		}
	}
	return at <= bytes.length ? at : undefined;
}

/** The same of series that are not packed, as earlier versions wrote them. */
function readSeries(view: DataView, from: number, day: Day): number | undefined {
	if (view.byteLength < from + SERIES_BYTES) return undefined;
	let at = from;
	for (const name of SERIES) {
		for (let minute = 0; minute < MINUTES_PER_DAY; minute++, at += BYTES_PER_VALUE) {
			day[name][minute] = view.getInt32(at, true);
		}
	}
	return at;
}
