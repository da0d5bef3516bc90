/**
 * Minutes and hours of households as this device keeps them: what is in memory is newer than what is stored, and of what
 * is older only storage knows. Nothing waits for it, and it changes nothing.
 */
import { tariffAt } from "../../contract/tariff.js";
import { ok, type Result, refused } from "../../primitives/result.js";
import { divideFloor, MINUTES_PER_DAY } from "../../primitives/units.js";
import type { BilledMinutes } from "../bill.js";
import { type History, KEPT_DAYS } from "../history.js";
import { type DayHours, dayHoursOf, decodeHours, minutesOfDay } from "../hours.js";
import type { Period } from "../periods.js";
import type { StorageError } from "../storage.js";
import type { StreetContext } from "./context.js";

/** So many local days of minutes are read at once: with the days of UTC in which they lie, as many as memory holds. */
const DAYS_AT_ONCE = KEPT_DAYS - 2;

export class KeptMinutes {
	readonly #context: StreetContext;
	readonly #history: History;

	constructor(context: StreetContext, history: History) {
		this.#context = context;
		this.#history = history;
	}

	/** A household's minutes of a time with their prices, and with their money if they are its own; two months at the most. */
	async billing(member: number, whole: Period): Promise<Result<(part: Period) => BilledMinutes, StorageError>> {
		const { chain, config, storage } = this.#context;
		const fromDay = divideFloor(whole.fromMinute, MINUTES_PER_DAY);
		const untilDay = divideFloor(whole.untilMinute - 1, MINUTES_PER_DAY) + 1;
		const stored = await storage.readMemberDays(member, fromDay, untilDay);
		if (!stored.ok) return stored;
		const past = this.#history.past(member, fromDay, untilDay, stored.value);
		if (past === undefined) return refused({ code: "record-damaged", store: "days", key: String(fromDay) });
		const { ownRetail } = config;
		return ok(({ fromMinute, untilMinute }) => {
			const otherwise = tariffAt(chain.head.ledger, fromMinute);
			return { ...past.billed(member, fromMinute, untilMinute, otherwise), ownRetail };
		});
	}

	/**
	 * A household's hours of the local days from one on until another, ascending. Days that were stored before hours were are
	 * summed up of their minutes; a damaged one is, too.
	 */
	async hours(member: number, fromDay: number, untilDay: number): Promise<Result<DayHours[], StorageError>> {
		const { storage, hoursAsked } = this.#context;
		const { localTime } = hoursAsked;
		const stored = await storage.readHours(member, fromDay, untilDay);
		if (!stored.ok) return stored;
		const known = new Map<number, DayHours>();
		for (const { day, record } of stored.value) {
			const hours = decodeHours(localTime, day, record);
			if (hours !== undefined) known.set(day, hours);
		}
		for (const day of this.#history.touchedDays(member, localTime)) {
			if (day >= fromDay && day < untilDay) known.set(day, this.#history.hours(member, day, hoursAsked));
		}
		for (const [from, until] of missingRuns(known, fromDay, untilDay)) {
			const run = {
				fromMinute: minutesOfDay(localTime, from).fromMinute,
				untilMinute: minutesOfDay(localTime, until).fromMinute,
			};
			const billing = await this.billing(member, run);
			if (!billing.ok) return billing;
			for (let day = from; day < until; day++) {
				known.set(day, dayHoursOf(day, billing.value(minutesOfDay(localTime, day))));
			}
		}
		return ok([...known.values()].sort((a, b) => a.day - b.day));
	}
}

/** The days from one on until another that are not known, as runs [from, until) that can be read at once. */
function missingRuns(known: ReadonlyMap<number, unknown>, fromDay: number, untilDay: number): [number, number][] {
	const runs: [number, number][] = [];
	for (let day = fromDay; day < untilDay; day++) {
		if (known.has(day)) continue;
		const last = runs.at(-1);
		if (last !== undefined && last[1] === day && day - last[0] < DAYS_AT_ONCE) last[1] = day + 1;
		else runs.push([day, day + 1]);
	}
	return runs;
}
