/** The prices that held for a household in each of some minutes: the neighbourhood's, and its own where it said one. */
import { assert } from "../primitives/assert.js";
import type { PriceRun } from "./priceHistory.js";
import type { OwnRetailStep } from "./protocol.js";

export interface HouseholdPrices {
	/** Ascending, the first at or before the first minute. */
	readonly prices: readonly PriceRun[];
	/** What the household itself says that it pays, ascending; before the first step: the neighbourhood's price. */
	readonly ownRetail: readonly OwnRetailStep[];
}

/** Answers for minutes by their place after the first, which must be asked for in their order. */
export function pricesByMinute({ prices, ownRetail }: HouseholdPrices, fromMinute: number): (at: number) => PriceRun {
	let priceAt = 0;
	let ownAt = -1;
	let price: PriceRun | undefined;
	return (at) => {
		const minute = fromMinute + at;
		for (; (prices[priceAt + 1]?.fromMinute ?? Number.POSITIVE_INFINITY) <= minute; priceAt++) price = undefined;
		for (; (ownRetail[ownAt + 1]?.fromMinute ?? Number.POSITIVE_INFINITY) <= minute; ownAt++) price = undefined;
		price ??= withOwn(prices[priceAt], ownRetail[ownAt]);
		return price;
	};
}

function withOwn(price: PriceRun | undefined, own: OwnRetailStep | undefined): PriceRun {
	assert(price !== undefined, "prices begin with the first minute");
	return { ...price, retailMicroNokPerWh: own?.retailMicroNokPerWh || price.retailMicroNokPerWh };
}
