/**
 * Minutes for the graphs: readings and settled energy by household and day, derived from the executed chain. Integers;
 * −1 where there is no reading. The screens' totals come from the ledger, never from here.
 */
import type { Transaction } from "../block/transaction.js";
import { allocate } from "../contract/allocation.js";
import { assert } from "../primitives/assert.js";
import { add, MINUTES_PER_DAY } from "../primitives/units.js";
import type { Link } from "./chain.js";
import type { Series } from "./protocol.js";
import { openRecord, sealRecord } from "./records.js";
import type { StoredDay } from "./storage.js";

/** The longest series that is handed out at once. */
export const MAX_SERIES_MINUTES = 31 * MINUTES_PER_DAY;
/** Days that are kept in memory. */
export const KEPT_DAYS = 62;

/** Of a household's day: its readings, what its contracts settled, and the intervals that the market matched. */
interface Day extends Omit<Series, "member" | "fromMinute"> {
	/** By their first minute of the day. */
	readonly matched: Map<number, MatchedEnergy>;
}

/** Minutes [from, until) of the day; an interval divides it. */
interface MatchedEnergy {
	readonly from: number;
	readonly until: number;
	readonly boughtWh: number;
	readonly soldWh: number;
}

export class History {
	/** By member, then by UTC day. */
	readonly #days = new Map<number, Map<number, Day>>();
	/** By member, the days that changed since they were last taken. */
	readonly #changed = new Map<number, Set<number>>();

	/**
	 * Takes in a committed block. Taken in twice it changes nothing more: a reading stands once on the chain, a seller's
	 * minute settles once, and a buyer buys under one contract at a time.
	 */
	add(link: Link): void {
		for (const transaction of link.block.transactions) this.#addReading(transaction);
		for (const { seller, minute, deliveries } of link.results.settled) {
			if (deliveries.length === 0) continue;
			const soldWh = deliveries.reduce((sum, { energyWh }) => sum + energyWh, 0);
			this.#dayOf(seller, minute).soldWh[minute % MINUTES_PER_DAY] = soldWh;
			for (const { buyer, energyWh } of deliveries) {
				this.#dayOf(buyer, minute).boughtWh[minute % MINUTES_PER_DAY] = energyWh;
			}
		}
		for (const { fromMinute, untilMinute, shares } of link.results.matched) {
			const from = fromMinute % MINUTES_PER_DAY;
			const until = from + untilMinute - fromMinute;
			for (const { household, boughtWh, soldWh } of shares) {
				this.#dayOf(household, fromMinute).matched.set(from, { from, until, boughtWh, soldWh });
			}
		}
	}

	#addReading(transaction: Transaction): void {
		if (transaction.kind !== "reading") return;
		const { member, minute, importWh, exportWh } = transaction;
		const day = this.#dayOf(member, minute);
		day.importWh[minute % MINUTES_PER_DAY] = importWh;
		day.exportWh[minute % MINUTES_PER_DAY] = exportWh;
	}

	/** A member's day that is about to be written to. */
	#dayOf(member: number, minute: number): Day {
		const day = Math.floor(minute / MINUTES_PER_DAY);
		const changed = this.#changed.get(member) ?? new Set<number>();
		this.#changed.set(member, changed.add(day));
		return this.#days.get(member)?.get(day) ?? this.#put(member, day, emptyDay());
	}

	#put(member: number, day: number, values: Day): Day {
		const days = this.#days.get(member) ?? new Map<number, Day>();
		this.#days.set(member, days.set(day, values));
		if (days.size > KEPT_DAYS) days.delete(Math.min(...days.keys()));
		return values;
	}

	/** The days that changed since this was last asked for, as they are to be stored. */
	takeChangedDays(): StoredDay[] {
		const changed = [...this.#changed].flatMap(([member, days]) =>
			[...days].flatMap((day): StoredDay[] => {
				const values = this.#days.get(member)?.get(day);
				return values === undefined ? [] : [{ member, day, record: encodeDay(values) }];
			}),
		);
		this.#changed.clear();
		return changed;
	}

	/** All days that are here, as they are to be stored. */
	storedDays(): StoredDay[] {
		return [...this.#days].flatMap(([member, days]) =>
			[...days].map(([day, values]): StoredDay => ({ member, day, record: encodeDay(values) })),
		);
	}

	/** Begins with days that were stored; false: one of them was damaged, and its minutes are without readings. */
	restore(days: readonly StoredDay[]): boolean {
		const values = days.map(({ member, day, record }) => ({ member, day, values: decodeDay(record) }));
		for (const each of values) if (each.values !== undefined) this.#put(each.member, each.day, each.values);
		return values.every((each) => each.values !== undefined);
	}

	/** A household's minutes from one on until another, which it does not include. */
	series(member: number, fromMinute: number, untilMinute: number): Series {
		const length = untilMinute - fromMinute;
		assert(length >= 0 && length <= MAX_SERIES_MINUTES, "the length of a series was checked before");
		const series: Series = { member, fromMinute, ...emptyValues(length) };
		const days = this.#days.get(member);
		for (let minute = fromMinute; minute < untilMinute; ) {
			const day = Math.floor(minute / MINUTES_PER_DAY);
			const until = Math.min(untilMinute, (day + 1) * MINUTES_PER_DAY);
			const values = days?.get(day);
			if (values !== undefined) {
				const from = minute - day * MINUTES_PER_DAY;
				const to = until - day * MINUTES_PER_DAY;
				series.importWh.set(values.importWh.subarray(from, to), minute - fromMinute);
				series.exportWh.set(values.exportWh.subarray(from, to), minute - fromMinute);
				const { boughtWh, soldWh } = withMatched(values);
				series.boughtWh.set(boughtWh.subarray(from, to), minute - fromMinute);
				series.soldWh.set(soldWh.subarray(from, to), minute - fromMinute);
			}
			minute = until;
		}
		return series;
	}
}

/** What was bought and sold of each minute: an interval's energy is shared out by what contracts left of its minutes. */
function withMatched({ importWh, exportWh, boughtWh, soldWh, matched }: Day): Pick<Day, "boughtWh" | "soldWh"> {
	if (matched.size === 0) return { boughtWh, soldWh };
	const all = { boughtWh: boughtWh.slice(), soldWh: soldWh.slice() };
	for (const interval of matched.values()) {
		shareOut(all.boughtWh, importWh, interval, interval.boughtWh);
		shareOut(all.soldWh, exportWh, interval, interval.soldWh);
	}
	return all;
}

/** Adds an interval's energy to what was traded, in proportion to what was metered beyond that. */
function shareOut(traded: Int32Array, metered: Int32Array, { from, until }: MatchedEnergy, energyWh: number): void {
	if (energyWh === 0) return;
	const restWh = Array.from(metered.subarray(from, until), (wh, at) => Math.max(0, wh - (traded[from + at] ?? 0)));
	for (const [at, shareWh] of allocate(energyWh, restWh).entries()) {
		traded[from + at] = add(traded[from + at] ?? 0, shareWh);
	}
}

function emptyDay(): Day {
	return { ...emptyValues(MINUTES_PER_DAY), matched: new Map() };
}

function emptyValues(length: number): Omit<Day, "matched"> {
	return {
		importWh: new Int32Array(length).fill(-1),
		exportWh: new Int32Array(length).fill(-1),
		boughtWh: new Int32Array(length),
		soldWh: new Int32Array(length),
	};
}

const SERIES = ["importWh", "exportWh", "boughtWh", "soldWh"] as const;
const BYTES_PER_VALUE = 4;
const SERIES_BYTES = SERIES.length * MINUTES_PER_DAY * BYTES_PER_VALUE;
const MATCHED = ["from", "until", "boughtWh", "soldWh"] as const;
const MATCHED_BYTES = MATCHED.length * BYTES_PER_VALUE;

/** A day as a record: the four series one after the other, then its matched intervals; each value a little-endian Int32. */
function encodeDay(day: Day): Uint8Array {
	const bytes = new Uint8Array(SERIES_BYTES + day.matched.size * MATCHED_BYTES);
	const view = new DataView(bytes.buffer);
	let at = 0;
	const write = (value: number) => {
		view.setInt32(at, value, true);
		at += BYTES_PER_VALUE;
	};
	for (const series of SERIES) for (const value of day[series]) write(value);
	for (const interval of day.matched.values()) for (const field of MATCHED) write(interval[field]);
	return sealRecord(bytes);
}

function decodeDay(record: Uint8Array): Day | undefined {
	const content = openRecord(record);
	if (!content.ok) return undefined;
	const { buffer, byteOffset, length } = content.value;
	if (length < SERIES_BYTES || (length - SERIES_BYTES) % MATCHED_BYTES !== 0) return undefined;
	const view = new DataView(buffer, byteOffset, length);
	let at = 0;
	const read = () => {
		const value = view.getInt32(at, true);
		at += BYTES_PER_VALUE;
		return value;
	};
	const day = emptyDay();
	for (const series of SERIES) for (let minute = 0; minute < MINUTES_PER_DAY; minute++) day[series][minute] = read();
	while (at < length) {
		const [from, until, boughtWh, soldWh] = [read(), read(), read(), read()];
		if (from < 0 || from >= until || until > MINUTES_PER_DAY || boughtWh < 0 || soldWh < 0) return undefined;
		day.matched.set(from, { from, until, boughtWh, soldWh });
	}
	return day;
}
