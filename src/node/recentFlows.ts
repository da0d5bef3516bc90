/** Between whom energy flowed in the last minutes that have settled, for the operator's picture of the neighbourhood. */

import { MINUTES_PER_DAY, MINUTES_PER_HOUR, minuteOf } from "../primitives/units.js";
import type { Link } from "./chain.js";
import type { FlowsView } from "./view.js";

/** The mean of so many minutes: one alone says little. */
const MEAN_MINUTES = 15;
/** What settled last and lies further back than this is no news; the longest grace is shorter. */
const FORGOTTEN_MINUTES = MINUTES_PER_DAY;

interface Delivered {
	readonly seller: number;
	readonly buyer: number;
	readonly energyWh: number;
}

type Interval = Link["results"]["matched"][number];

export class RecentFlows {
	/** What contracts delivered, by minute; at most MEAN_MINUTES of them. */
	readonly #minutes = new Map<number, Delivered[]>();
	/** What the market matched last. */
	#interval: Interval | undefined;

	/** Takes in a committed block; taken in twice it changes nothing more. */
	add({ block, results }: Pick<Link, "block" | "results">): void {
		const bySeller = new Map<number, Delivered[]>();
		for (const { seller, minute, deliveries } of results.settled) {
			const delivered = deliveries.map(({ buyer, energyWh }) => ({ seller, buyer, energyWh }));
			bySeller.set(minute, [...(bySeller.get(minute) ?? []), ...delivered]);
		}
		for (const [minute, delivered] of bySeller) {
			const sellers = new Set(delivered.map(({ seller }) => seller));
			const others = (this.#minutes.get(minute) ?? []).filter(({ seller }) => !sellers.has(seller));
			this.#minutes.set(minute, [...others, ...delivered]);
		}
		for (const interval of results.matched) {
			if (interval.untilMinute > (this.#interval?.untilMinute ?? 0)) this.#interval = interval;
		}
		const nowMinute = minuteOf(block.timestampMs);
		const newest = Math.max(...this.#minutes.keys());
		for (const minute of [...this.#minutes.keys()]) {
			if (minute <= newest - MEAN_MINUTES || minute < nowMinute - FORGOTTEN_MINUTES) this.#minutes.delete(minute);
		}
		if ((this.#interval?.untilMinute ?? nowMinute) < nowMinute - FORGOTTEN_MINUTES) this.#interval = undefined;
	}

	/** Mean power, W; undefined: nothing has settled lately. */
	view(): FlowsView | undefined {
		const minutes = [...this.#minutes.keys()];
		if (minutes.length === 0 && this.#interval === undefined) return undefined;
		const [fromMinute, untilMinute] = [Math.min(...minutes), Math.max(...minutes) + 1];
		const sums = new Map<string, Delivered>();
		for (const { seller, buyer, energyWh } of [...this.#minutes.values()].flat()) {
			const key = `${seller}/${buyer}`;
			sums.set(key, { seller, buyer, energyWh: (sums.get(key)?.energyWh ?? 0) + energyWh });
		}
		const between = [...sums.values()].map(({ seller, buyer, energyWh }) => {
			return { seller, buyer, powerW: meanPowerW(energyWh, untilMinute - fromMinute) };
		});
		return {
			...(minutes.length === 0 ? {} : { contracts: { fromMinute, untilMinute, between } }),
			...(this.#interval === undefined ? {} : { market: marketOf(this.#interval) }),
		};
	}
}

function marketOf({ fromMinute, untilMinute, shares }: Interval): NonNullable<FlowsView["market"]> {
	const length = untilMinute - fromMinute;
	return {
		fromMinute,
		untilMinute,
		shares: shares.map(({ household, boughtWh, soldWh }) => {
			return { member: household, boughtW: meanPowerW(boughtWh, length), soldW: meanPowerW(soldWh, length) };
		}),
	};
}

function meanPowerW(energyWh: number, minutes: number): number {
	return Math.floor((energyWh * MINUTES_PER_HOUR) / minutes);
}
