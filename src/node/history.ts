/**
 * Minutes for the graphs: readings and settled energy by household and day, derived from the executed chain. Integers;
 * −1 where there is no reading. The screens' totals come from the ledger, never from here.
 */
import type { Transaction } from "../block/transaction.js";
import { allocate } from "../contract/allocation.js";
import { countedSince } from "../contract/countedBlocks.js";
import type { Ledger } from "../contract/ledger.js";
import { settles } from "../contract/metering.js";
import type { Tariff } from "../contract/tariff.js";
import { assert } from "../primitives/assert.js";
import { equalBytes } from "../primitives/bytes.js";
import { type LocalTimeRule, localMinuteAt } from "../primitives/localTime.js";
import { add, MINUTES_PER_DAY, minuteOf, multiplyDivide } from "../primitives/units.js";
import type { BilledMinutes } from "./bill.js";
import type { Link } from "./chain.js";
import {
	announced,
	type Day,
	decodeDay,
	emptyDay,
	emptyValues,
	encodeDay,
	type MatchedEnergy,
	METERED,
	MONEY,
	type Money,
	NO_MONEY,
	TRADED,
} from "./dayRecord.js";
import { type DayHours, dayHoursOf, encodeHours, minutesOfDay } from "./hours.js";
import { PriceHistory, type PriceRun } from "./priceHistory.js";
import type { Series } from "./protocol.js";
import type { StoredDay, StoredHours } from "./storage.js";
import type { UnsettledRun } from "./view.js";

/** The longest series that is handed out at once: a month, with the hour that autumn has twice. */
export const MAX_SERIES_MINUTES = 31 * MINUTES_PER_DAY + 60;
/** Days that are kept in memory. */
export const KEPT_DAYS = 62;

export class History {
	/** By member, then by UTC day. What was stored is opened when it is asked for: a start does not wait for months of days. */
	readonly #days = new Map<number, Map<number, Day | Uint8Array>>();
	/** By member, the days that changed since they were last taken. */
	readonly #changed = new Map<number, Set<number>>();
	/** By member, the days that changed since they were opened: of what is stored of the others is to be believed. */
	readonly #touched = new Map<number, Set<number>>();
	/** Stored with each household's day. */
	readonly #prices = new PriceHistory(KEPT_DAYS);
	/** By member, then by local day, made when they are asked for, and by what the household itself paid then. */
	readonly #hours = new Map<number, Map<number, { of: BilledMinutes["ownRetail"]; hours: DayHours }>>();
	/** By member, newest first: made when it is asked for. */
	readonly #unsettled = new Map<number, UnsettledRun[]>();
	readonly #householdKey: Uint8Array;
	readonly #onDamaged: () => void;

	/**
	 * `householdKey`: whose money is kept by the minute. `onDamaged`: a day that was stored is none; its minutes are without
	 * readings.
	 */
	constructor(householdKey: Uint8Array, onDamaged: () => void = () => {}) {
		this.#householdKey = householdKey;
		this.#onDamaged = onDamaged;
	}

	/**
	 * Takes in a committed block; `parent` is the ledger before it. Taken in twice it changes nothing more: a reading stands
	 * once on the chain, a seller's minute settles once, and a buyer buys under one contract at a time.
	 */
	add(parent: Ledger, link: Link): void {
		for (let day = dayOf(minuteOf(parent.timestampMs)); day <= dayOf(minuteOf(link.block.timestampMs)); day++) {
			this.#openPrices(day);
		}
		for (const day of this.#prices.add(parent, link.block.timestampMs)) {
			for (const [member, days] of this.#days) if (days.has(day)) this.#change(member, day);
		}
		const isOwn = (member: number) => {
			const household = link.ledger.households[member];
			return household !== undefined && equalBytes(household.publicKey, this.#householdKey);
		};
		for (const transaction of link.block.transactions) this.#addReading(parent, transaction);
		for (const { seller, minute, deliveries } of link.results.settled) {
			if (deliveries.length === 0) continue;
			const soldWh = deliveries.reduce((sum, { energyWh }) => sum + energyWh, 0);
			this.#dayOf(seller, minute).soldWh[minute % MINUTES_PER_DAY] = soldWh;
			if (isOwn(seller)) {
				const earnedMicroNok = deliveries.reduce((sum, { amountMicroNok }) => add(sum, amountMicroNok), 0);
				this.#setMoney(seller, minute, { earnedMicroNok });
			}
			for (const { buyer, energyWh, amountMicroNok: paidMicroNok } of deliveries) {
				this.#dayOf(buyer, minute).boughtWh[minute % MINUTES_PER_DAY] = energyWh;
				if (isOwn(buyer)) this.#setMoney(buyer, minute, { paidMicroNok });
			}
		}
		for (const { fromMinute, untilMinute, shares } of link.results.matched) {
			const from = fromMinute % MINUTES_PER_DAY;
			const until = from + untilMinute - fromMinute;
			for (const { household, boughtWh, soldWh, paidMicroNok, earnedMicroNok } of shares) {
				const energy = { from, until, boughtWh, soldWh, paidMicroNok, earnedMicroNok };
				this.#dayOf(household, fromMinute).matched.set(from, energy);
			}
		}
	}

	#addReading(parent: Ledger, transaction: Transaction): void {
		if (transaction.kind !== "reading") return;
		const { member, minute, importWh, exportWh } = transaction;
		const day = this.#dayOf(member, minute);
		day.importWh[minute % MINUTES_PER_DAY] = importWh;
		day.exportWh[minute % MINUTES_PER_DAY] = exportWh;
		const { blockIntervalMs, settlementGraceBlocks } = parent.parameters;
		// The block that ends the grace settles with the readings that it holds itself.
		const isLate = countedSince(parent.counted, minute, blockIntervalMs) > settlementGraceBlocks;
		if (!isLate && settles(parent, transaction)) return;
		if (!isLate && transaction.quality !== "typed") return;
		day.unsettled.set(minute % MINUTES_PER_DAY, transaction.quality === "typed" ? "typed" : "late");
		this.#unsettled.delete(member);
	}

	#setMoney(member: number, minute: number, moved: Partial<Money>): void {
		const { money } = this.#dayOf(member, minute);
		const at = minute % MINUTES_PER_DAY;
		money.set(at, { ...NO_MONEY, ...money.get(at), ...moved });
	}

	#change(member: number, day: number): void {
		for (const days of [this.#changed, this.#touched]) {
			const changed = days.get(member) ?? new Set<number>();
			days.set(member, changed.add(day));
		}
		// Of the local days that a day lies in; there is no clock that is two days off.
		for (const localDay of [day - 1, day, day + 1]) this.#hours.get(member)?.delete(localDay);
	}

	/** A member's day that is about to be written to. */
	#dayOf(member: number, minute: number): Day {
		const day = dayOf(minute);
		this.#change(member, day);
		return this.#open(member, day) ?? this.#put(member, day, emptyDay());
	}

	/** A member's day; undefined: it is not here. */
	#open(member: number, day: number): Day | undefined {
		const known = this.#days.get(member)?.get(day);
		if (!(known instanceof Uint8Array)) return known;
		const opened = decodeDay(known);
		if (opened === undefined) {
			this.#days.get(member)?.delete(day);
			this.#onDamaged();
			return undefined;
		}
		this.#days.get(member)?.set(day, opened.values);
		this.#prices.put(day, opened.prices);
		return opened.values;
	}

	/** Each household's record of a day says what the prices were: they are written anew when those change. */
	#openPrices(day: number): void {
		for (const [member, days] of this.#days) {
			if (this.#prices.ofDay(day).length > 0) return;
			const record = days.get(day);
			if (record instanceof Uint8Array && announced(record).prices !== 0) this.#open(member, day);
		}
	}

	#put<Kept extends Day | Uint8Array>(member: number, day: number, values: Kept): Kept {
		this.#unsettled.delete(member);
		const days = this.#days.get(member) ?? new Map<number, Day | Uint8Array>();
		this.#days.set(member, days.set(day, values));
		if (days.size > KEPT_DAYS) {
			const oldest = Math.min(...days.keys());
			days.delete(oldest);
			this.#touched.get(member)?.delete(oldest);
		}
		return values;
	}

	/** The days that changed since this was last asked for, as they are to be stored: by the minute and by the hour. */
	takeChangedDays(of: HoursAsked): { days: StoredDay[]; hours: StoredHours[] } {
		const days: StoredDay[] = [];
		const hours: StoredHours[] = [];
		for (const [member, changed] of this.#changed) {
			for (const day of changed) {
				const values = this.#open(member, day);
				if (values !== undefined) days.push({ member, day, record: encodeDay(values, this.#prices.ofDay(day)) });
			}
			hours.push(...this.#storedHours(member, changed, of));
		}
		this.#changed.clear();
		return { days, hours };
	}

	/** The hours of all days that changed since they were opened, as they are to be stored. */
	touchedHours(of: HoursAsked): StoredHours[] {
		return [...this.#touched].flatMap(([member, days]) => this.#storedHours(member, days, of));
	}

	#storedHours(member: number, days: ReadonlySet<number>, of: HoursAsked): StoredHours[] {
		return [...localDaysOf(of.localTime, days)].map((day) => {
			const record = encodeHours(this.hours(member, day, of), member === of.ownMember);
			return { member, day, record };
		});
	}

	/** A member's local day by the hour, of the minutes that are here. */
	hours(member: number, day: number, { localTime, ownRetail, otherwise }: HoursAsked): DayHours {
		const days = this.#hours.get(member) ?? new Map<number, { of: typeof ownRetail; hours: DayHours }>();
		this.#hours.set(member, days);
		const known = days.get(day);
		if (known?.of === ownRetail) return known.hours;
		const { fromMinute, untilMinute } = minutesOfDay(localTime, day);
		const hours = dayHoursOf(day, { ...this.billed(member, fromMinute, untilMinute, otherwise), ownRetail });
		days.set(day, { of: ownRetail, hours });
		return hours;
	}

	/** A member's local days that are newer here than wherever they are stored. */
	touchedDays(member: number, localTime: LocalTimeRule): ReadonlySet<number> {
		return localDaysOf(localTime, this.#touched.get(member) ?? new Set());
	}

	/** All days that are here, as they are to be stored. */
	storedDays(): StoredDay[] {
		return [...this.#days].flatMap(([member, days]) =>
			[...days].map(([day, values]): StoredDay => {
				const record = values instanceof Uint8Array ? values : encodeDay(values, this.#prices.ofDay(day));
				return { member, day, record };
			}),
		);
	}

	/** Begins with days that were stored. */
	restore(days: readonly StoredDay[]): void {
		for (const { member, day, record } of days) this.#put(member, day, record);
		// Minutes of which no prices are kept are reckoned at the earliest that are.
		const ascending = [...new Set(days.map(({ day }) => day))].sort((a, b) => a - b);
		for (const day of ascending) {
			this.#openPrices(day);
			if (this.#prices.ofDay(day).length > 0) return;
		}
	}

	/** Takes in older days that were stored; one that is here already is newer. */
	restoreOlder(days: readonly StoredDay[]): void {
		for (const { member, day, record } of days) {
			if (this.#days.get(member)?.has(day) !== true) this.#put(member, day, record);
		}
	}

	/** How many of a household's minutes from one on until another have a reading. */
	countReadings(member: number, fromMinute: number, untilMinute: number): number {
		let count = 0;
		for (let day = dayOf(fromMinute); day * MINUTES_PER_DAY < untilMinute; day++) {
			const [from, until] = [fromMinute, untilMinute].map((minute) => Math.max(0, minute - day * MINUTES_PER_DAY));
			for (const wh of this.#open(member, day)?.importWh.subarray(from, until) ?? []) if (wh >= 0) count++;
		}
		return count;
	}

	/** What was metered in a minute, Wh; undefined: there is no reading. */
	reading(member: number, minute: number): { importWh: number; exportWh: number } | undefined {
		const values = this.#open(member, dayOf(minute));
		const [importWh, exportWh] = [values?.importWh, values?.exportWh].map((wh) => wh?.[minute % MINUTES_PER_DAY] ?? -1);
		return importWh === undefined || exportWh === undefined || importWh < 0 ? undefined : { importWh, exportWh };
	}

	/**
	 * A household's days from one on until another (days since the epoch, UTC; at most KEPT_DAYS), of which older ones were
	 * read from storage: those that are here are newer. Undefined: one of them was damaged.
	 */
	past(member: number, fromDay: number, untilDay: number, stored: readonly StoredDay[]): History | undefined {
		const past = new History(this.#householdKey);
		const records = new Map(stored.map(({ day, record }) => [day, record]));
		for (let day = fromDay; day < untilDay; day++) {
			const values = this.#open(member, day);
			const record = records.get(day);
			if (values !== undefined) past.#put(member, day, values);
			else if (record !== undefined) {
				const opened = decodeDay(record);
				if (opened === undefined) return undefined;
				past.#put(member, day, opened.values);
				past.#prices.put(day, opened.prices);
			}
			this.#openPrices(day);
			past.#prices.put(day, this.#prices.ofDay(day));
		}
		return past;
	}

	/**
	 * The own household's minutes from one on until another with their money and the utility's prices; `otherwise`: what
	 * counts where no prices are kept yet.
	 */
	billed(member: number, fromMinute: number, untilMinute: number, otherwise: Tariff): Omit<BilledMinutes, "ownRetail"> {
		const prices = this.prices(fromMinute, untilMinute, otherwise);
		return { ...this.#minutes(member, fromMinute, untilMinute, tradedOf), prices };
	}

	/** The utility's prices in those minutes. */
	prices(fromMinute: number, untilMinute: number, otherwise: Tariff): PriceRun[] {
		for (let day = dayOf(fromMinute); day <= dayOf(untilMinute); day++) this.#openPrices(day);
		return this.#prices.runs(fromMinute, untilMinute, otherwise);
	}

	/** A household's readings of the days that are kept that settled nothing between neighbours, newest first. */
	unsettled(member: number): readonly UnsettledRun[] {
		const known = this.#unsettled.get(member);
		if (known !== undefined) return known;
		const days = [...(this.#days.get(member) ?? [])]
			.filter(([, values]) => !(values instanceof Uint8Array) || announced(values).unsettled !== 0)
			.map(([day]) => day)
			.sort((a, b) => a - b);
		const runs = days
			.reduce<UnsettledRun[]>((all, day) => {
				const values = this.#open(member, day);
				return values === undefined ? all : withUnsettled(all, day, values);
			}, [])
			.reverse();
		this.#unsettled.set(member, runs);
		return runs;
	}

	/** A household's minutes from one on until another, which it does not include. */
	series(member: number, fromMinute: number, untilMinute: number): Series {
		return this.#minutes(member, fromMinute, untilMinute, tradedOf).series;
	}

	/** The same, with the energy of contracts alone. */
	contracted(member: number, fromMinute: number, untilMinute: number): Series {
		return this.#minutes(member, fromMinute, untilMinute, contractedOf).series;
	}

	/** The same with the money of each minute, which is kept of the own household. */
	#minutes(
		member: number,
		fromMinute: number,
		untilMinute: number,
		movedOf: (day: Day) => Traded,
	): Omit<BilledMinutes, "prices" | "ownRetail"> {
		const length = untilMinute - fromMinute;
		assert(length >= 0 && length <= MAX_SERIES_MINUTES, "the length of a series was checked before");
		const series: Series = { member, fromMinute, ...emptyValues(length) };
		const money = { paidMicroNok: zeros(length), earnedMicroNok: zeros(length) };
		for (let minute = fromMinute; minute < untilMinute; ) {
			const day = dayOf(minute);
			const until = Math.min(untilMinute, (day + 1) * MINUTES_PER_DAY);
			const values = this.#open(member, day);
			if (values !== undefined) {
				const from = minute - day * MINUTES_PER_DAY;
				const to = until - day * MINUTES_PER_DAY;
				const traded = movedOf(values);
				for (const field of METERED) series[field].set(values[field].subarray(from, to), minute - fromMinute);
				for (const field of TRADED) series[field].set(traded[field].subarray(from, to), minute - fromMinute);
				for (const field of MONEY) {
					for (let at = from; at < to; at++) money[field][minute - fromMinute + at - from] = traded[field][at] ?? 0;
				}
			}
			minute = until;
		}
		return { series, ...money };
	}
}

function dayOf(minute: number): number {
	return Math.floor(minute / MINUTES_PER_DAY);
}

/** For whom, and by which clock and prices, days are summed up by the hour. */
export interface HoursAsked extends Pick<BilledMinutes, "ownRetail"> {
	readonly localTime: LocalTimeRule;
	/** The household of this device: of no other one the money is known. */
	readonly ownMember: number | undefined;
	/** Counts where no prices are kept. */
	readonly otherwise: Tariff;
}

/** The local days in which minutes of some days (UTC) lie. */
function localDaysOf(localTime: LocalTimeRule, days: ReadonlySet<number>): Set<number> {
	return new Set(
		[...days].flatMap((day) => {
			const first = localMinuteAt(localTime, day * MINUTES_PER_DAY).day;
			const last = localMinuteAt(localTime, (day + 1) * MINUTES_PER_DAY - 1).day;
			return first === last ? [first] : [first, last];
		}),
	);
}

/** Adds a day's minutes to runs of earlier ones, ascending. */
function withUnsettled(runs: UnsettledRun[], day: number, { unsettled, importWh, exportWh }: Day): UnsettledRun[] {
	for (const [at, reason] of [...unsettled].sort(([a], [b]) => a - b)) {
		const minute = day * MINUTES_PER_DAY + at;
		const energy = { importWh: importWh[at] ?? 0, exportWh: exportWh[at] ?? 0 };
		const last = runs.at(-1);
		if (last?.reason === reason && last.untilMinute === minute) {
			last.untilMinute += 1;
			last.importWh = add(last.importWh, energy.importWh);
			last.exportWh = add(last.exportWh, energy.exportWh);
		} else {
			runs.push({ reason, fromMinute: minute, untilMinute: minute + 1, ...energy });
		}
	}
	return runs;
}

/** Of each minute of a day, what was bought and sold and for how much. */
interface Traded extends Pick<Day, "boughtWh" | "soldWh"> {
	readonly paidMicroNok: number[];
	readonly earnedMicroNok: number[];
}

/** What contracts moved. */
function contractedOf(day: Day): Traded {
	const contracted: Traded = {
		boughtWh: day.boughtWh.slice(),
		soldWh: day.soldWh.slice(),
		paidMicroNok: zeros(MINUTES_PER_DAY),
		earnedMicroNok: zeros(MINUTES_PER_DAY),
	};
	for (const [at, { paidMicroNok, earnedMicroNok }] of day.money) {
		contracted.paidMicroNok[at] = paidMicroNok;
		contracted.earnedMicroNok[at] = earnedMicroNok;
	}
	return contracted;
}

/** With the market: an interval's energy is shared out by what contracts left of its minutes, and its money by its energy. */
function tradedOf(day: Day): Traded {
	const traded = contractedOf(day);
	const { boughtWh, soldWh, paidMicroNok, earnedMicroNok } = traded;
	for (const interval of day.matched.values()) {
		const bought = sharesOf(interval, interval.boughtWh, day.importWh, day.boughtWh);
		addAll(boughtWh, interval.from, bought);
		addAll(paidMicroNok, interval.from, sharedMoney(interval.paidMicroNok, bought));
		const sold = sharesOf(interval, interval.soldWh, day.exportWh, day.soldWh);
		addAll(soldWh, interval.from, sold);
		addAll(earnedMicroNok, interval.from, sharedMoney(interval.earnedMicroNok, sold));
	}
	return traded;
}

function addAll(sums: Int32Array | number[], from: number, values: readonly number[]): void {
	for (const [at, value] of values.entries()) sums[from + at] = add(sums[from + at] ?? 0, value);
}

function zeros(length: number): number[] {
	return new Array<number>(length).fill(0);
}

/** An interval's energy by minute, in proportion to what was metered beyond what contracts traded. */
function sharesOf({ from, until }: MatchedEnergy, energyWh: number, metered: Int32Array, traded: Int32Array): number[] {
	if (energyWh === 0) return [];
	return allocate(
		energyWh,
		Array.from(metered.subarray(from, until), (wh, at) => Math.max(0, wh - (traded[from + at] ?? 0))),
	);
}

/** An interval's money by minute, in proportion to its energy: to the µNOK, rounding falls to the earlier minutes. */
function sharedMoney(amountMicroNok: number, sharesWh: readonly number[]): number[] {
	let leftWh = sharesWh.reduce(add, 0);
	let leftMicroNok = amountMicroNok;
	return sharesWh.map((wh) => {
		if (wh === 0) return 0;
		const { quotient, remainder } = multiplyDivide(leftMicroNok, wh, leftWh);
		const amount = remainder === 0 ? quotient : quotient + 1;
		leftWh -= wh;
		leftMicroNok -= amount;
		return amount;
	});
}
