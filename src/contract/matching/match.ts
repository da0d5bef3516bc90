/**
 * The market of one interval: what contracts leave over of the neighbours' surplus and need is matched by itself, by the
 * rule that the neighbourhood has chosen. Nobody is matched with itself, nobody trades beyond its limit or pays more
 * than it can, and what is left goes to the utility.
 */
import type { MatchingRule } from "../../block/kinds/trading.js";
import { matchBalance } from "./balance.js";
import { matchMidMarket } from "./midMarket.js";
import { assertOrders, type IntervalOrders } from "./orders.js";
import { matchPairwise } from "./pairwise.js";
import type { Matching } from "./shares.js";
import { matchUniform } from "./uniform.js";

const MATCHERS: Readonly<Record<MatchingRule, (orders: IntervalOrders) => Matching>> = {
	midMarket: matchMidMarket,
	uniform: matchUniform,
	pairwise: matchPairwise,
	balance: matchBalance,
};

/** Matches one interval's orders: the same orders give the same shares on every node. */
export function match(rule: MatchingRule, orders: IntervalOrders): Matching {
	assertOrders(orders);
	return MATCHERS[rule](orders);
}
