/**
 * What the matching of each interval needed, by day: so that a household can ask what another rule would have made of its
 * past, when the blocks are gone. Days are days since the epoch, UTC.
 *
 * Kept is what can make a difference, and as few bytes of it as possible: no orders where only one side has any, no limit
 * that is what the tariff makes it, no funds that suffice at the own limit, above which no rule lets anybody pay.
 */
import { MATCHING_RULES } from "../block/kinds/trading.js";
import type { OrderedInterval } from "../contract/automaticMarket.js";
import type { Ask, Bid, IntervalOrders } from "../contract/matching/orders.js";
import type { Tariff } from "../contract/tariff.js";
import { add, divideFloor, MINUTES_PER_DAY, multiply, subtract } from "../primitives/units.js";
import type { Link } from "./chain.js";
import { openRecord, sealRecord } from "./records.js";
import type { StoredIntervals } from "./storage.js";

/** A year, and a month to look at it in. */
export const KEPT_INTERVAL_DAYS = 400;
/** Days that stay in memory: more than are ever begun and not written. */
const DAYS_IN_MEMORY = 8;

export class IntervalHistory {
	/** By day, then by first minute, as bytes. */
	readonly #days = new Map<number, Map<number, Uint8Array>>();
	/** Days that changed since they were last taken. */
	readonly #changed = new Set<number>();

	/** Takes in a committed block. Taken in twice it changes nothing: an interval is matched once. */
	add({ results }: Pick<Link, "results">): void {
		for (const interval of results.ordered) {
			const day = dayOf(interval.fromMinute);
			this.#put(day, interval.fromMinute, encodeInterval(interval));
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

const VERSION = 1;

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
export function decodeDay(record: Uint8Array, day: number): OrderedInterval[] | undefined {
	const content = openRecord(record);
	if (!content.ok) return undefined;
	const reader: Reader = { bytes: content.value, at: 0 };
	if (readNumber(reader) !== VERSION) return undefined;
	const intervals: OrderedInterval[] = [];
	while (reader.at < reader.bytes.length) {
		const until = readNumber(reader) + reader.at;
		const interval = readInterval(reader, day);
		if (interval === undefined || reader.at !== until || until > reader.bytes.length) return undefined;
		intervals.push(interval);
	}
	return intervals;
}

/**
 * Minute of the day, length, rule, number of asks and of bids; then, where there are both, the prices, and each order:
 * how far its household is from the one before; its energy with what is usual about it; what is not.
 */
function encodeInterval({ fromMinute, untilMinute, choice, orders }: OrderedInterval): Uint8Array {
	const bytes: number[] = [];
	const write = (value: number) => writeNumber(bytes, value);
	const canTrade = orders.asks.length > 0 && orders.bids.length > 0;
	const { asks, bids } = canTrade ? orders : { asks: [], bids: [] };
	write(fromMinute % MINUTES_PER_DAY);
	write(untilMinute - fromMinute);
	write(MATCHING_RULES.indexOf(choice));
	write(asks.length);
	write(bids.length);
	if (canTrade) for (const field of PRICES) write(orders[field]);
	let before = 0;
	for (const { household, energyWh, limitMicroNokPerWh } of asks) {
		const isUsual = limitMicroNokPerWh === usualAsk(orders);
		write(subtract(household, before));
		write(multiply(energyWh, 2) + (isUsual ? 1 : 0));
		if (!isUsual) write(limitMicroNokPerWh);
		before = household;
	}
	before = 0;
	for (const { household, energyWh, limitMicroNokPerWh, payableMicroNok } of bids) {
		const isUsual = limitMicroNokPerWh === usualBid(orders);
		const isFunded = payableMicroNok >= multiply(energyWh, limitMicroNokPerWh);
		write(subtract(household, before));
		write(multiply(energyWh, 4) + (isUsual ? 1 : 0) + (isFunded ? 2 : 0));
		if (!isUsual) write(limitMicroNokPerWh);
		if (!isFunded) write(payableMicroNok);
		before = household;
	}
	return Uint8Array.from(bytes);
}

/** Undefined: it is by a rule that is not known here. */
function readInterval(reader: Reader, day: number): OrderedInterval | undefined {
	const read = () => readNumber(reader);
	const fromMinute = add(multiply(day, MINUTES_PER_DAY), read());
	const untilMinute = add(fromMinute, read());
	const choice = MATCHING_RULES[read()];
	if (choice === undefined) return undefined;
	const [askCount, bidCount] = [read(), read()];
	const tariff: Record<(typeof PRICES)[number], number> = { ...NO_PRICES };
	if (askCount > 0) for (const field of PRICES) tariff[field] = read();
	const asks: Ask[] = [];
	let household = 0;
	while (asks.length < askCount && reader.at < reader.bytes.length) {
		household = add(household, read());
		const said = read();
		const limitMicroNokPerWh = said % 2 === 1 ? usualAsk(tariff) : read();
		asks.push({ household, energyWh: divideFloor(said, 2), limitMicroNokPerWh });
	}
	const bids: Bid[] = [];
	household = 0;
	while (bids.length < bidCount && reader.at < reader.bytes.length) {
		household = add(household, read());
		const said = read();
		const energyWh = divideFloor(said, 4);
		const limitMicroNokPerWh = said % 2 === 1 ? usualBid(tariff) : read();
		const payableMicroNok = said % 4 >= 2 ? multiply(energyWh, limitMicroNokPerWh) : read();
		bids.push({ household, energyWh, limitMicroNokPerWh, payableMicroNok });
	}
	return { fromMinute, untilMinute, choice, orders: { asks, bids, ...tariff } };
}

const PRICES = ["retailMicroNokPerWh", "feedInMicroNokPerWh", "localFeeMicroNokPerWh"] as const;
const NO_PRICES: Tariff = { retailMicroNokPerWh: 0, feedInMicroNokPerWh: 0, localFeeMicroNokPerWh: 0 };

type Prices = Pick<IntervalOrders, (typeof PRICES)[number]>;

/** The limits of who sells and buys as the tariff makes it. */
function usualAsk({ feedInMicroNokPerWh }: Prices): number {
	return Math.max(feedInMicroNokPerWh, 1);
}

function usualBid({ retailMicroNokPerWh, localFeeMicroNokPerWh }: Prices): number {
	return retailMicroNokPerWh - localFeeMicroNokPerWh;
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
