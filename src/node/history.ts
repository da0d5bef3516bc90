/**
 * Minutes for the graphs: readings and settled energy by household and day, derived from the executed chain. Integers;
 * −1 where there is no reading. The screens' totals come from the ledger, never from here.
 */
import type { Transaction } from "../block/transaction.js";
import { assert } from "../primitives/assert.js";
import { MINUTES_PER_DAY } from "../primitives/units.js";
import type { Link } from "./chain.js";
import type { Series } from "./protocol.js";

/** The longest series that is handed out at once. */
export const MAX_SERIES_MINUTES = 31 * MINUTES_PER_DAY;
/** Days that are kept in memory. */
const KEPT_DAYS = 62;

type Values = Omit<Series, "member" | "fromMinute">;

export class History {
	/** By member, then by UTC day. */
	readonly #days = new Map<number, Map<number, Values>>();

	/** Takes in a committed block. */
	add(link: Link): void {
		for (const transaction of link.block.transactions) this.#addReading(transaction);
		for (const { seller, minute, deliveries } of link.results.settled) {
			for (const { buyer, energyWh } of deliveries) {
				this.#add(seller, minute, "soldWh", energyWh);
				this.#add(buyer, minute, "boughtWh", energyWh);
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

	#add(member: number, minute: number, key: "boughtWh" | "soldWh", energyWh: number): void {
		const values = this.#dayOf(member, minute)[key];
		const at = minute % MINUTES_PER_DAY;
		values[at] = (values[at] ?? 0) + energyWh;
	}

	#dayOf(member: number, minute: number): Values {
		let days = this.#days.get(member);
		if (days === undefined) {
			days = new Map();
			this.#days.set(member, days);
		}
		const day = Math.floor(minute / MINUTES_PER_DAY);
		let values = days.get(day);
		if (values === undefined) {
			values = emptyValues(MINUTES_PER_DAY);
			days.set(day, values);
			if (days.size > KEPT_DAYS) days.delete(Math.min(...days.keys()));
		}
		return values;
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
