/** What comes of a matching: each household's energy and money. */
import { add, multiply } from "../../primitives/units.js";
import type { Pooled } from "./pool.js";

/** One household's part of an interval's market. */
export interface MatchedShare {
	readonly household: number;
	readonly boughtWh: number;
	readonly paidMicroNok: number;
	readonly soldWh: number;
	readonly earnedMicroNok: number;
}

/** An interval's market as it was settled: Σ bought = Σ sold, and Σ paid = Σ earned to the µNOK. */
export interface Matching {
	/** The price at which all of it traded; undefined where nothing did, or (pairwise) not all at the same. */
	readonly priceMicroNokPerWh: number | undefined;
	/** By household ascending; households without any energy are left out. */
	readonly shares: readonly MatchedShare[];
}

/** A pool, and the price at which it traded. */
export interface Trade extends Pooled {
	readonly priceMicroNokPerWh: number;
}

/** A share while it is added up. */
type OpenShare = { -readonly [Field in keyof MatchedShare]: MatchedShare[Field] };

/** Adds up what each household sold and bought in these trades. */
export function matchingOf(trades: readonly Trade[]): Matching {
	const shares = new Map<number, OpenShare>();
	const shareOf = (household: number) => {
		let share = shares.get(household);
		if (share === undefined) {
			share = { household, boughtWh: 0, paidMicroNok: 0, soldWh: 0, earnedMicroNok: 0 };
			shares.set(household, share);
		}
		return share;
	};
	const prices = new Set<number>();
	for (const { priceMicroNokPerWh, volumeWh, sold, bought } of trades) {
		if (volumeWh > 0) prices.add(priceMicroNokPerWh);
		for (const { household, energyWh } of sold) {
			if (energyWh === 0) continue;
			const share = shareOf(household);
			share.soldWh = add(share.soldWh, energyWh);
			share.earnedMicroNok = add(share.earnedMicroNok, multiply(energyWh, priceMicroNokPerWh));
		}
		for (const { household, energyWh } of bought) {
			if (energyWh === 0) continue;
			const share = shareOf(household);
			share.boughtWh = add(share.boughtWh, energyWh);
			share.paidMicroNok = add(share.paidMicroNok, multiply(energyWh, priceMicroNokPerWh));
		}
	}
	const [priceMicroNokPerWh] = prices.size === 1 ? prices : [];
	return { priceMicroNokPerWh, shares: [...shares.values()].sort((a, b) => a.household - b.household) };
}
