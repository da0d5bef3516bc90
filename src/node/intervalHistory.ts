/**
 * What every rule would have made of each interval of the market for this device's household, by day: so that it can ask
 * what another rule would have made of its past, when the blocks are gone. Days are days since the epoch, UTC.
 *
 * It is reckoned when an interval is matched, while everybody's orders are at hand. Of the neighbours nothing is kept, and
 * an answer about a year is a sum.
 */
import { MATCHING_RULES, type MatchingRule } from "../block/kinds/trading.js";
import type { OrderedInterval } from "../contract/automaticMarket.js";
import type { Household } from "../contract/ledger.js";
import { match } from "../contract/matching/match.js";
import type { IntervalOrders } from "../contract/matching/orders.js";
import type { MatchedShare } from "../contract/matching/shares.js";
import type { Tariff } from "../contract/tariff.js";
import { equalBytes } from "../primitives/bytes.js";
import { add, divideFloor, MINUTES_PER_DAY, multiply } from "../primitives/units.js";
import { openRecord, sealRecord } from "./records.js";
import type { StoredIntervals } from "./storage.js";

/** A year, and a month to look at it in. */
export const KEPT_INTERVAL_DAYS = 400;
/** Days that stay in memory: more than are ever begun and not written. */
const DAYS_IN_MEMORY = 8;

/** One household's part of an interval. */
export type OwnShare = Omit<MatchedShare, "household">;

/** An interval as it is kept. */
export interface KeptInterval extends Tariff {
	readonly fromMinute: number;
	/** The rule that held. */
	readonly choice: MatchingRule;
	/** The household's by each rule, in the order of `MATCHING_RULES`. */
	readonly shares: readonly OwnShare[];
}

/** What is needed of a block's link. */
interface MatchingBlock {
	readonly ledger: { readonly households: readonly Pick<Household, "index" | "publicKey">[] };
	readonly results: { readonly ordered: readonly OrderedInterval[] };
}

export class IntervalHistory {
	/** By day, then by first minute, as bytes. */
	readonly #days = new Map<number, Map<number, Uint8Array>>();
	/** Days that changed since they were last taken. */
	readonly #changed = new Set<number>();
	readonly #householdKey: Uint8Array;

	/** `householdKey`: whose shares are kept. */
	constructor(householdKey: Uint8Array) {
		this.#householdKey = householdKey;
	}

	/** Takes in a committed block. Taken in twice it changes nothing: an interval is matched once. */
	add({ ledger, results }: MatchingBlock): void {
		if (results.ordered.length === 0) return;
		const own = ledger.households.find(({ publicKey }) => equalBytes(publicKey, this.#householdKey))?.index;
		for (const interval of results.ordered) {
			const day = dayOf(interval.fromMinute);
			this.#put(day, interval.fromMinute, encodeInterval(keptOf(interval, own)));
			this.#changed.add(day);
		}
	}

	#put(day: number, fromMinute: number, bytes: Uint8Array): void {
		const intervals = this.#days.get(day) ?? new Map<number, Uint8Array>();
		this.#days.set(day, intervals.set(fromMinute, bytes));
		if (this.#days.size > DAYS_IN_MEMORY) this.#days.delete(Math.min(...this.#days.keys()));
	}

	/** The days that changed since this was last asked for, as they are to be stored. */
	takeChangedDays(): StoredIntervals[] {
		const changed = [...this.#changed].flatMap((day) => this.#stored(day));
		this.#changed.clear();
		return changed;
	}

	/** The days that are here, as they are to be stored: each in the place of what is stored of it. */
	storedDays(): StoredIntervals[] {
		return [...this.#days.keys()].flatMap((day) => this.#stored(day));
	}

	#stored(day: number): StoredIntervals[] {
		const intervals = this.#days.get(day);
		return intervals === undefined ? [] : [{ day, record: encodeDay([...intervals.values()]) }];
	}

	/**
	 * Begins with days that were stored: all those in which something may still be matched. False: one of them was damaged,
	 * and what it said is not known any more.
	 */
	restore(days: readonly StoredIntervals[]): boolean {
		let isWhole = true;
		for (const { day, record } of days) {
			const intervals = decodeDay(record, day);
			if (intervals === undefined) isWhole = false;
			else for (const interval of intervals) this.#put(day, interval.fromMinute, encodeInterval(interval));
		}
		return isWhole;
	}
}

/** The day that an interval lies in: none crosses a midnight, UTC. */
export function dayOf(minute: number): number {
	return divideFloor(minute, MINUTES_PER_DAY);
}

/** How many intervals begin in [fromMinute, untilMinute). */
export function intervalsWithin(fromMinute: number, untilMinute: number, intervalMinutes: number): number {
	const begunBefore = (minute: number) => divideFloor(add(minute, intervalMinutes - 1), intervalMinutes);
	return Math.max(0, begunBefore(untilMinute) - begunBefore(fromMinute));
}

// ── as bytes ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** The first one kept everybody's orders: they are not read any more, and go when their day is due. */
const VERSION = 2;
const VERSION_OF_ORDERS = 1;

/** The version, then each interval with its length before it. */
function encodeDay(intervals: readonly Uint8Array[]): Uint8Array {
	const bytes: number[] = [];
	writeNumber(bytes, VERSION);
	for (const interval of intervals) {
		writeNumber(bytes, interval.length);
		for (const byte of interval) bytes.push(byte);
	}
	return sealRecord(Uint8Array.from(bytes));
}

/** The intervals of a stored day; undefined: it is damaged. */
export function decodeDay(record: Uint8Array, day: number): KeptInterval[] | undefined {
	const content = openRecord(record);
	if (!content.ok) return undefined;
	const reader: Reader = { bytes: content.value, at: 0 };
	const version = readNumber(reader);
	if (version === VERSION_OF_ORDERS) return [];
	if (version !== VERSION) return undefined;
	const intervals: KeptInterval[] = [];
	while (reader.at < reader.bytes.length) {
		const until = readNumber(reader) + reader.at;
		const interval = readInterval(reader, day);
		if (interval === undefined || reader.at !== until || until > reader.bytes.length) return undefined;
		intervals.push(interval);
	}
	return intervals;
}

/**
 * Minute of the day; the rule, and whether any lets the household trade. If so the prices, and for each rule energy and
 * money of what is bought and sold: of a side without energy its 0 alone.
 */
function encodeInterval({ fromMinute, choice, shares, ...prices }: KeptInterval): Uint8Array {
	const bytes: number[] = [];
	const write = (value: number) => writeNumber(bytes, value);
	const isTraded = shares.some(({ boughtWh, soldWh }) => boughtWh + soldWh > 0);
	write(fromMinute % MINUTES_PER_DAY);
	write(MATCHING_RULES.indexOf(choice) * 2 + (isTraded ? 1 : 0));
	if (!isTraded) return Uint8Array.from(bytes);
	for (const field of PRICES) write(prices[field]);
	for (const { boughtWh, paidMicroNok, soldWh, earnedMicroNok } of shares) {
		write(boughtWh);
		if (boughtWh > 0) write(paidMicroNok);
		write(soldWh);
		if (soldWh > 0) write(earnedMicroNok);
	}
	return Uint8Array.from(bytes);
}

/** Undefined: it is by a rule that is not known here. */
function readInterval(reader: Reader, day: number): KeptInterval | undefined {
	const read = () => readNumber(reader);
	const fromMinute = add(multiply(day, MINUTES_PER_DAY), read());
	const said = read();
	const choice = MATCHING_RULES[divideFloor(said, 2)];
	if (choice === undefined) return undefined;
	if (said % 2 === 0) return { fromMinute, choice, ...NO_PRICES, shares: MATCHING_RULES.map(() => NO_SHARE) };
	const prices: Record<(typeof PRICES)[number], number> = { ...NO_PRICES };
	for (const field of PRICES) prices[field] = read();
	const shares = MATCHING_RULES.map((): OwnShare => {
		const boughtWh = read();
		const paidMicroNok = boughtWh > 0 ? read() : 0;
		const soldWh = read();
		const earnedMicroNok = soldWh > 0 ? read() : 0;
		return { boughtWh, paidMicroNok, soldWh, earnedMicroNok };
	});
	return { fromMinute, choice, ...prices, shares };
}

const PRICES = ["retailMicroNokPerWh", "feedInMicroNokPerWh", "localFeeMicroNokPerWh"] as const;
const NO_PRICES: Tariff = { retailMicroNokPerWh: 0, feedInMicroNokPerWh: 0, localFeeMicroNokPerWh: 0 };
const NO_SHARE: OwnShare = { boughtWh: 0, paidMicroNok: 0, soldWh: 0, earnedMicroNok: 0 };

/** What every rule makes of an interval for one household; `own`: undefined where it is not among them yet. */
function keptOf({ fromMinute, choice, orders }: OrderedInterval, own: number | undefined): KeptInterval {
	const { retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh } = orders;
	const prices = { retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh };
	const isOrdered = [orders.asks, orders.bids].some((side) => side.some(({ household }) => household === own));
	const shares = MATCHING_RULES.map((rule) => (isOrdered ? shareOf(rule, orders, own) : NO_SHARE));
	return { fromMinute, choice, ...prices, shares };
}

function shareOf(rule: MatchingRule, orders: IntervalOrders, own: number | undefined): OwnShare {
	return match(rule, orders).shares.find(({ household }) => household === own) ?? NO_SHARE;
}

interface Reader {
	readonly bytes: Uint8Array;
	at: number;
}

/** Seven bits a byte, the lowest first; the highest bit says that more follow. A safe integer ≥ 0. */
function writeNumber(bytes: number[], value: number): void {
	let left = value;
	while (left >= MORE) {
		bytes.push(MORE + (left % MORE));
		left = divideFloor(left, MORE);
	}
	bytes.push(left);
}

const MORE = 128;

function readNumber(reader: Reader): number {
	let value = 0;
	for (let factor = 1; ; factor *= MORE) {
		const byte = reader.bytes[reader.at++] ?? 0;
		value += (byte % MORE) * factor;
		if (byte < MORE) return value;
	}
}
