/**
 * One price found by the orders themselves: a double auction at a uniform price, halfway between the last ask and the
 * last bid that trade, as the wholesale market of Power TAC clears (Ketter, Collins and Reddy, "Power TAC: a competitive
 * economic simulation of the smart grid", Energy Economics 39, 2013).
 */
import { add, divideFloor } from "../../primitives/units.js";
import { type Ask, type Bid, type IntervalOrders, withinFunds } from "./orders.js";
import { pool, poolVolume } from "./pool.js";
import { type Matching, matchingOf } from "./shares.js";

/**
 * Everybody whose limit the price keeps trades at {@link uniformPrice}. A bid is for what it can pay at its own limit, so
 * that what it wants does not depend on the price that is looked for.
 */
export function matchUniform(orders: IntervalOrders): Matching {
	const bids = orders.bids.map((bid) => withinFunds(bid, bid.limitMicroNokPerWh));
	const priceMicroNokPerWh = uniformPrice(orders.asks, bids);
	if (priceMicroNokPerWh === undefined) return matchingOf([]);
	const asks = orders.asks.filter((ask) => ask.limitMicroNokPerWh <= priceMicroNokPerWh);
	const taking = bids.filter((bid) => bid.limitMicroNokPerWh >= priceMicroNokPerWh);
	return matchingOf([{ priceMicroNokPerWh, ...pool(asks, taking) }]);
}

/**
 * The middle, rounded down, of the lowest run of prices at which most energy changes hands; undefined where none does.
 *
 * Where no household has both an ask and a bid, this is the middle between the last ask and the last bid that trade.
 * There V(p) = min(S(p), D(p)), S rising with the price and D falling. Take the asks Wh by Wh, the cheapest first, and the
 * bids, the dearest first: a_n and b_n are the limits of the n-th. S(p) ≥ n just where p ≥ a_n, and D(p) ≥ n just where
 * p ≤ b_n. So the largest volume V* is the largest n with a_n ≤ b_n, and the prices that reach it are those from a_V*, the
 * dearest Wh that is needed, to b_V*, the cheapest that is served: one run. It holds every price at which supply meets
 * demand, and more: at some of its prices one side has too much, and shares pro rata. Households on both sides can make
 * more runs than one.
 *
 * V changes only at limits, and between two neighbouring ones nobody more takes part than at either: a run begins and
 * ends at limits, and only the gaps inside it need a look.
 */
export function uniformPrice(asks: readonly Ask[], bids: readonly Bid[]): number | undefined {
	const curves = createCurves(asks, bids);
	const { levels } = curves;
	const volumesWh = levels.map((_, at) => curves.volumeWh(at, at));
	const mostWh = volumesWh.reduce((most, volumeWh) => Math.max(most, volumeWh), 0);
	if (mostWh === 0) return undefined;
	const first = volumesWh.indexOf(mostWh);
	let last = first;
	while (volumesWh[last + 1] === mostWh && isOneRun(curves, last, mostWh)) last++;
	return divideFloor(add(levels[first] ?? 0, levels[last] ?? 0), 2);
}

/** Whether the prices between this level and the next, if there are any, trade as much. */
function isOneRun({ levels, volumeWh }: Curves, at: number, mostWh: number): boolean {
	return (levels[at + 1] ?? 0) - (levels[at] ?? 0) === 1 || volumeWh(at, at + 1) === mostWh;
}

/** Supply and demand over the price. */
interface Curves {
	/** All limits, ascending, each once. */
	readonly levels: readonly number[];
	/** What asks up to one level and bids from another one on trade. */
	volumeWh(asksUpTo: number, bidsFrom: number): number;
}

function createCurves(asks: readonly Ask[], bids: readonly Bid[]): Curves {
	const levels = [...new Set([...asks, ...bids].map((order) => order.limitMicroNokPerWh))].sort((a, b) => a - b);
	const levelOf = new Map(levels.map((limit, at) => [limit, at]));
	const atLevel = (order: Ask | Bid) => levelOf.get(order.limitMicroNokPerWh) ?? 0;
	const supplyWh = levels.map(() => 0);
	for (const ask of asks) supplyWh[atLevel(ask)] = add(supplyWh[atLevel(ask)] ?? 0, ask.energyWh);
	for (let at = 1; at < levels.length; at++) supplyWh[at] = add(supplyWh[at] ?? 0, supplyWh[at - 1] ?? 0);
	const demandWh = levels.map(() => 0);
	for (const bid of bids) demandWh[atLevel(bid)] = add(demandWh[atLevel(bid)] ?? 0, bid.energyWh);
	for (let at = levels.length - 2; at >= 0; at--) demandWh[at] = add(demandWh[at] ?? 0, demandWh[at + 1] ?? 0);
	const bidOf = new Map(bids.map((bid) => [bid.household, bid]));
	const bothSided = asks.flatMap((ask) => {
		const bid = bidOf.get(ask.household);
		// One whose own limits exclude each other is never on both sides at once.
		if (bid === undefined || bid.limitMicroNokPerWh < ask.limitMicroNokPerWh) return [];
		return { askLevel: atLevel(ask), bidLevel: atLevel(bid), bothWh: add(ask.energyWh, bid.energyWh) };
	});
	return {
		levels,
		volumeWh(asksUpTo, bidsFrom) {
			let largestBothWh = 0;
			for (const { askLevel, bidLevel, bothWh } of bothSided) {
				if (askLevel <= asksUpTo && bidLevel >= bidsFrom && bothWh > largestBothWh) largestBothWh = bothWh;
			}
			return poolVolume(supplyWh[asksUpTo] ?? 0, demandWh[bidsFrom] ?? 0, largestBothWh);
		},
	};
}
