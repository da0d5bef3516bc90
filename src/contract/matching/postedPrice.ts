/** What the rules have in common whose price follows from the utility's prices, and whom it suits takes part. */
import { MIN_PRICE_MICRO_NOK_PER_WH, subtract } from "../../primitives/units.js";
import { type IntervalOrders, withinFunds } from "./orders.js";
import { pool } from "./pool.js";
import { type Matching, matchingOf } from "./shares.js";

/**
 * How much more a neighbour's Wh is worth to who needs it than to who has it, in µNOK: retail − local fee − feed-in.
 * Undefined where it is worth less: then neighbours have nothing to gain from one another.
 */
export function localGain(orders: IntervalOrders): number | undefined {
	const { retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh } = orders;
	if (retailMicroNokPerWh < localFeeMicroNokPerWh) return undefined;
	const ceilingMicroNokPerWh = subtract(retailMicroNokPerWh, localFeeMicroNokPerWh);
	return ceilingMicroNokPerWh < feedInMicroNokPerWh ? undefined : subtract(ceilingMicroNokPerWh, feedInMicroNokPerWh);
}

/** Everybody trades whose limit the price keeps, bids within their funds. Without a price, or below 1, nobody does. */
export function matchAt(priceMicroNokPerWh: number | undefined, orders: IntervalOrders): Matching {
	if (priceMicroNokPerWh === undefined || priceMicroNokPerWh < MIN_PRICE_MICRO_NOK_PER_WH) return matchingOf([]);
	const asks = orders.asks.filter((ask) => ask.limitMicroNokPerWh <= priceMicroNokPerWh);
	const bids = orders.bids
		.filter((bid) => bid.limitMicroNokPerWh >= priceMicroNokPerWh)
		.map((bid) => withinFunds(bid, priceMicroNokPerWh));
	return matchingOf([{ priceMicroNokPerWh, ...pool(asks, bids) }]);
}
