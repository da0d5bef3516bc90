/**
 * The mid-market rate: Long, Wu, Zhang, Thomas, Cheng and Jenkins, "Peer-to-peer energy trading in a community
 * microgrid", IEEE PES General Meeting 2017.
 */
import { add, divideFloor } from "../../primitives/units.js";
import type { IntervalOrders } from "./orders.js";
import { localGain, matchAt } from "./postedPrice.js";
import type { Matching } from "./shares.js";

/**
 * Neighbours share what they gain from one another by halves: the price is ⌊(retail − local fee + feed-in) ÷ 2⌋.
 *
 * What is not matched is settled with the utility at its own prices, and so households pay and earn on average what the
 * paper says: where there is too little, a buyer pays (S · price + (D − S) · retail) ÷ D for each Wh that it needs;
 * where there is too much, a seller earns (D · price + (S − D) · feed-in) ÷ S for each that it has. It differs by the
 * rounding to whole Wh, and where limits or funds keep somebody out or a household would have to trade with itself.
 */
export function matchMidMarket(orders: IntervalOrders): Matching {
	return matchAt(midMarketPrice(orders), orders);
}

/** µNOK/Wh; undefined where neighbours have nothing to gain from one another. */
export function midMarketPrice(orders: IntervalOrders): number | undefined {
	const gain = localGain(orders);
	return gain === undefined ? undefined : add(orders.feedInMicroNokPerWh, divideFloor(gain, 2));
}
