/**
 * The highest bid with the cheapest ask, at a price between the two: the double auction of Quartierstrom in Walenstadt.
 * Brenzikofer, Meeuw, Schopfer, Wörner and Dürr, "Quartierstrom: a decentralized local P2P solar energy market on a
 * self-governed blockchain", CIRED 2019; Ableitner et al., arXiv:1905.07242.
 */
import { add, divideFloor, subtract } from "../../primitives/units.js";
import { type Ask, type Bid, type IntervalOrders, type Portion, withinFunds } from "./orders.js";
import { pool } from "./pool.js";
import { type Matching, matchingOf, type Trade } from "./shares.js";

/**
 * From the highest bids down, each with the asks from the cheapest up as far as the limits allow, at
 * ⌊(ask + bid) ÷ 2⌋. Orders of the same limit trade as one, pro rata: whoever has the lower index has no advantage. A
 * bid is for what it can pay at its own limit, which no price is above.
 */
export function matchPairwise(orders: IntervalOrders): Matching {
	const askGroups = groupByLimit(orders.asks).sort((a, b) => a.limitMicroNokPerWh - b.limitMicroNokPerWh);
	const bidGroups = groupByLimit(orders.bids.map((bid) => withinFunds(bid, bid.limitMicroNokPerWh))).sort(
		(a, b) => b.limitMicroNokPerWh - a.limitMicroNokPerWh,
	);
	const trades: Trade[] = [];
	for (const bids of bidGroups) {
		for (const asks of askGroups) {
			if (asks.limitMicroNokPerWh > bids.limitMicroNokPerWh || bids.left.length === 0) break;
			if (asks.left.length === 0) continue;
			const pooled = pool(asks.left, bids.left);
			if (pooled.volumeWh === 0) continue;
			asks.left = without(asks.left, pooled.sold);
			bids.left = without(bids.left, pooled.bought);
			const priceMicroNokPerWh = divideFloor(add(asks.limitMicroNokPerWh, bids.limitMicroNokPerWh), 2);
			trades.push({ priceMicroNokPerWh, ...pooled });
		}
	}
	return matchingOf(trades);
}

/** Orders of one side and limit, by household ascending, and what is left of them. */
interface LimitGroup {
	readonly limitMicroNokPerWh: number;
	left: readonly Portion[];
}

function groupByLimit(side: readonly (Ask | Bid)[]): LimitGroup[] {
	const groups = new Map<number, Portion[]>();
	for (const order of side) {
		if (order.energyWh === 0) continue;
		const group = groups.get(order.limitMicroNokPerWh);
		if (group === undefined) groups.set(order.limitMicroNokPerWh, [order]);
		else group.push(order);
	}
	return [...groups].map(([limitMicroNokPerWh, left]) => ({ limitMicroNokPerWh, left }));
}

/** What remains when these portions, in the same order, are taken away; without those of which nothing remains. */
function without(left: readonly Portion[], taken: readonly Portion[]): Portion[] {
	return left
		.map(({ household, energyWh }, at) => ({ household, energyWh: subtract(energyWh, taken[at]?.energyWh ?? 0) }))
		.filter(({ energyWh }) => energyWh > 0);
}
