/**
 * The utility's prices as they held, by day: the ledger forgets what no minute needs any more, and a day's bill is reckoned
 * at the prices of then. Days are days since the epoch, UTC.
 */
import type { TariffStep } from "../block/kinds/trading.js";
import type { Ledger } from "../contract/ledger.js";
import { type Tariff, tariffAt } from "../contract/tariff.js";
import { MINUTES_PER_DAY, minuteOf } from "../primitives/units.js";

/** Prices from a minute on until the next run's. */
export interface PriceRun extends TariffStep {
	/** False: what held then was not kept, and these are the earliest prices that are known. */
	readonly isKept: boolean;
}

export class PriceHistory {
	/** The first step of a day says what held when it began, or when this device began to keep prices. */
	readonly #days = new Map<number, readonly TariffStep[]>();
	readonly #keptDays: number;

	constructor(keptDays: number) {
		this.#keptDays = keptDays;
	}

	/**
	 * Takes in the minutes from a block until the next one, of which the ledger after the first knows the prices: no block
	 * changes those of a minute that has begun. Gives the days of which there is more to tell. Taken in twice it changes nothing.
	 */
	add(parent: Pick<Ledger, "parameters" | "tariff" | "timestampMs">, timestampMs: number): number[] {
		const last = minuteOf(timestampMs);
		const lastDay = dayOf(last);
		const first = Math.max(minuteOf(parent.timestampMs), (lastDay - this.#keptDays + 1) * MINUTES_PER_DAY);
		const changed: number[] = [];
		for (let day = dayOf(first); day <= lastDay; day++) {
			const from = Math.max(first, day * MINUTES_PER_DAY);
			const until = Math.min(last + 1, (day + 1) * MINUTES_PER_DAY);
			const known = this.#days.get(day) ?? [];
			const steps = [...known];
			const within = (parent.tariff ?? []).filter(({ fromMinute }) => fromMinute > from && fromMinute < until);
			for (const step of [stepOf(from, tariffAt(parent, from)), ...within]) {
				const before = steps.at(-1);
				if (before === undefined || (step.fromMinute > before.fromMinute && !isSame(step, before))) steps.push(step);
			}
			if (steps.length === known.length) continue;
			this.put(day, steps);
			changed.push(day);
		}
		return changed;
	}

	/** A day's steps, ascending; none: they were not kept. */
	ofDay(day: number): readonly TariffStep[] {
		return this.#days.get(day) ?? [];
	}

	/** Begins with a day that was stored. Households' records of one day may be of different ages: the longest says most. */
	put(day: number, steps: readonly TariffStep[]): void {
		if (steps.length <= this.ofDay(day).length) return;
		this.#days.set(day, steps);
		if (this.#days.size > this.#keptDays) this.#days.delete(Math.min(...this.#days.keys()));
	}

	/**
	 * The prices of the minutes from one on until another, ascending, the first from the first minute on. `otherwise`: what
	 * counts for all of them where no prices are known yet.
	 */
	runs(fromMinute: number, untilMinute: number, otherwise: Tariff): PriceRun[] {
		const earliest = this.#days.get(Math.min(...this.#days.keys()))?.[0] ?? otherwise;
		const runs: PriceRun[] = [];
		for (let day = dayOf(fromMinute); day * MINUTES_PER_DAY < untilMinute; day++) {
			const begin = Math.max(fromMinute, day * MINUTES_PER_DAY);
			const steps = this.ofDay(day);
			const at = steps.findLast((step) => step.fromMinute <= begin);
			runs.push({ ...stepOf(begin, at ?? earliest), isKept: at !== undefined });
			for (const step of steps) {
				if (step.fromMinute > begin && step.fromMinute < untilMinute) runs.push({ ...step, isKept: true });
			}
		}
		return runs;
	}
}

function dayOf(minute: number): number {
	return Math.floor(minute / MINUTES_PER_DAY);
}

function stepOf(
	fromMinute: number,
	{ retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh }: Tariff,
): TariffStep {
	return { fromMinute, retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh };
}

function isSame(a: Tariff, b: Tariff): boolean {
	return (
		a.retailMicroNokPerWh === b.retailMicroNokPerWh &&
		a.feedInMicroNokPerWh === b.feedInMicroNokPerWh &&
		a.localFeeMicroNokPerWh === b.localFeeMicroNokPerWh
	);
}
