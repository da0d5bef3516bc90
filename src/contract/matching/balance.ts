/**
 * A price that follows the balance of the street: after Mihaylov, Jurado, Van Moffaert, Avellana and Nowé,
 * "NRG-X-Change: a novel mechanism for trading of renewable energy in smart grids", SMARTGREENS 2014 (NRGcoin), where
 * what a Wh is worth depends on how much the neighbours feed in and draw at the time.
 */
import { add, multiplyDivide } from "../../primitives/units.js";
import { type IntervalOrders, sumOf } from "./orders.js";
import { localGain, matchAt } from "./postedPrice.js";
import type { Matching } from "./shares.js";

/**
 * The price is feed-in + ⌊(retail − local fee − feed-in) × D ÷ (S + D)⌋, S and D being all that is for sale and all that
 * is needed, before limits and funds: the more there is, the less it costs, and whoever shifts its consumption into the
 * sun pays less. With as much surplus as need it is the mid-market rate.
 */
export function matchBalance(orders: IntervalOrders): Matching {
	return matchAt(balancePrice(orders), orders);
}

/** µNOK/Wh; undefined where there is no energy, or neighbours have nothing to gain from one another. */
export function balancePrice(orders: IntervalOrders): number | undefined {
	const gain = localGain(orders);
	const demandWh = sumOf(orders.bids);
	const energyWh = add(sumOf(orders.asks), demandWh);
	if (gain === undefined || energyWh === 0) return undefined;
	return add(orders.feedInMicroNokPerWh, multiplyDivide(gain, demandWh, energyWh).quotient);
}
