/**
 * Minutes for the graphs: readings and settled energy by household and day, derived from the executed chain. Integers;
 * −1 where there is no reading. The screens' totals come from the ledger, never from here.
 */
import type { Transaction } from "../block/transaction.js";
import { assert } from "../primitives/assert.js";
import { MINUTES_PER_DAY } from "../primitives/units.js";
import type { Link } from "./chain.js";
import type { Series } from "./protocol.js";
import { openRecord, sealRecord } from "./records.js";
import type { StoredDay } from "./storage.js";

/** The longest series that is handed out at once. */
export const MAX_SERIES_MINUTES = 31 * MINUTES_PER_DAY;
/** Days that are kept in memory. */
export const KEPT_DAYS = 62;

type Values = Omit<Series, "member" | "fromMinute">;

export class History {
	/** By member, then by UTC day. */
	readonly #days = new Map<number, Map<number, Values>>();
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
	}

	#addReading(transaction: Transaction): void {
		if (transaction.kind !== "reading") return;
		const { member, minute, importWh, exportWh } = transaction;
		const day = this.#dayOf(member, minute);
		day.importWh[minute % MINUTES_PER_DAY] = importWh;
		day.exportWh[minute % MINUTES_PER_DAY] = exportWh;
	}

	/** A member's day that is about to be written to. */
	#dayOf(member: number, minute: number): Values {
		const day = Math.floor(minute / MINUTES_PER_DAY);
		const changed = this.#changed.get(member) ?? new Set<number>();
		this.#changed.set(member, changed.add(day));
		return this.#days.get(member)?.get(day) ?? this.#put(member, day, emptyValues(MINUTES_PER_DAY));
	}

	#put(member: number, day: number, values: Values): Values {
		const days = this.#days.get(member) ?? new Map<number, Values>();
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
				series.boughtWh.set(values.boughtWh.subarray(from, to), minute - fromMinute);
				series.soldWh.set(values.soldWh.subarray(from, to), minute - fromMinute);
			}
			minute = until;
		}
		return series;
	}
}

function emptyValues(length: number): Values {
	return {
		importWh: new Int32Array(length).fill(-1),
		exportWh: new Int32Array(length).fill(-1),
		boughtWh: new Int32Array(length),
		soldWh: new Int32Array(length),
	};
}

const SERIES = ["importWh", "exportWh", "boughtWh", "soldWh"] as const;
const BYTES_PER_VALUE = 4;
const DAY_BYTES = SERIES.length * MINUTES_PER_DAY * BYTES_PER_VALUE;

/** A day as a record: the four series one after the other, each value a little-endian Int32. */
function encodeDay(values: Values): Uint8Array {
	const bytes = new Uint8Array(DAY_BYTES);
	const view = new DataView(bytes.buffer);
	let at = 0;
	for (const series of SERIES) {
		for (const value of values[series]) {
			view.setInt32(at, value, true);
			at += BYTES_PER_VALUE;
		}
	}
	return sealRecord(bytes);
}

function decodeDay(record: Uint8Array): Values | undefined {
	const content = openRecord(record);
	if (!content.ok || content.value.length !== DAY_BYTES) return undefined;
	const view = new DataView(content.value.buffer, content.value.byteOffset, DAY_BYTES);
	const values = emptyValues(MINUTES_PER_DAY);
	let at = 0;
	for (const series of SERIES) {
		for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
			values[series][minute] = view.getInt32(at, true);
			at += BYTES_PER_VALUE;
		}
	}
	return values;
}
