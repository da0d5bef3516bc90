/** What the contracts leave of one interval: who would sell and who would buy, how much, and at which prices. */
import { assert } from "../../primitives/assert.js";
import {
	add,
	divideFloor,
	MAX_PRICE_MICRO_NOK_PER_WH,
	MAX_READING_WH,
	MIN_PRICE_MICRO_NOK_PER_WH,
} from "../../primitives/units.js";

/** The longest interval is an hour: of so many readings an order can be at most. */
const MAX_INTERVAL_MINUTES = 60;
export const MAX_ORDER_WH = MAX_INTERVAL_MINUTES * MAX_READING_WH;

/** One household's energy on one side of the market. */
export interface Portion {
	readonly household: number;
	readonly energyWh: number;
}

/** A household's surplus, for sale at its limit or above. */
export interface Ask extends Portion {
	readonly limitMicroNokPerWh: number;
}

/** A household's need, to be bought at its limit or below, and for no more than it can pay in all. */
export interface Bid extends Portion {
	readonly limitMicroNokPerWh: number;
	readonly payableMicroNok: number;
}

/**
 * The market of one interval. Asks and bids by household ascending, at most one of each for a household: one that fed in
 * at noon and drew current a minute later has both. Limits 1 … 1,000,000 µNOK/Wh, the utility's prices and the fee
 * 0 … 1,000,000, energies 0 … 60,000,000 Wh.
 */
export interface IntervalOrders {
	readonly asks: readonly Ask[];
	readonly bids: readonly Bid[];
	/** What the utility takes for a Wh. */
	readonly retailMicroNokPerWh: number;
	/** What the utility gives for a Wh. */
	readonly feedInMicroNokPerWh: number;
	/** What a buyer still owes grid and state for a neighbour's Wh. */
	readonly localFeeMicroNokPerWh: number;
}

/** Orders are made by this program, out of readings and terms that were checked: only a bug breaks their bounds. */
export function assertOrders(orders: IntervalOrders): void {
	for (const price of [orders.retailMicroNokPerWh, orders.feedInMicroNokPerWh, orders.localFeeMicroNokPerWh]) {
		assert(isWithin(price, 0, MAX_PRICE_MICRO_NOK_PER_WH), "the utility's prices are within their bounds");
	}
	for (const side of [orders.asks, orders.bids]) {
		let before = -1;
		for (const { household, energyWh, limitMicroNokPerWh } of side) {
			assert(Number.isSafeInteger(household) && household > before, "one order per household and side, ascending");
			assert(isWithin(energyWh, 0, MAX_ORDER_WH), "an order's energy is within its bounds");
			assert(
				isWithin(limitMicroNokPerWh, MIN_PRICE_MICRO_NOK_PER_WH, MAX_PRICE_MICRO_NOK_PER_WH),
				"an order's limit is within its bounds",
			);
			before = household;
		}
	}
	for (const { payableMicroNok } of orders.bids) {
		assert(isWithin(payableMicroNok, 0, Number.MAX_SAFE_INTEGER), "what a bid can pay is an amount");
	}
}

function isWithin(value: number, least: number, most: number): boolean {
	return Number.isSafeInteger(value) && value >= least && value <= most;
}

/** The bid with no more energy than it can pay at this price (µNOK/Wh, at least 1): whole Wh. */
export function withinFunds(bid: Bid, priceMicroNokPerWh: number): Bid {
	const affordableWh = divideFloor(bid.payableMicroNok, priceMicroNokPerWh);
	return affordableWh >= bid.energyWh ? bid : { ...bid, energyWh: affordableWh };
}

/** All of one side together. */
export function sumOf(side: readonly Portion[]): number {
	return side.reduce((sumWh, { energyWh }) => add(sumWh, energyWh), 0);
}
