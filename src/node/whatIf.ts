/** What another rule of the market would have made of a household's past, interval by interval. */
import type { MatchingRule } from "../block/kinds/trading.js";
import type { OrderedInterval } from "../contract/automaticMarket.js";
import { match } from "../contract/matching/match.js";
import type { Matching } from "../contract/matching/shares.js";
import { add, multiply } from "../primitives/units.js";
import type { OwnRetailStep, WhatIf, WhatIfFigures } from "./protocol.js";

/** What is asked about: intervals that begin in [fromMinute, untilMinute). */
export interface WhatIfRequest {
	readonly member: number;
	readonly rule: MatchingRule;
	readonly fromMinute: number;
	readonly untilMinute: number;
}

/**
 * Matches kept intervals once by the rule that held and once by another, for one household. Everybody's orders and funds
 * are those that there were: what people would have said under another rule, or could have paid with what it would have
 * left them, nobody knows. `ownRetail`: what the household says that it pays the utility, ascending.
 */
export function whatIf(
	kept: readonly OrderedInterval[],
	{ member, rule, fromMinute, untilMinute }: WhatIfRequest,
	ownRetail: readonly OwnRetailStep[],
): Omit<WhatIf, "intervals"> {
	const [was, would] = [nothing(), nothing()];
	let count = 0;
	let firstMinute: number | undefined;
	for (const interval of kept) {
		if (interval.fromMinute < fromMinute || interval.fromMinute >= untilMinute) continue;
		count++;
		firstMinute = Math.min(firstMinute ?? interval.fromMinute, interval.fromMinute);
		const { choice, orders } = interval;
		const isOrdered = [orders.asks, orders.bids].some((side) => side.some(({ household }) => household === member));
		if (!isOrdered) continue;
		const own = ownRetail.findLast((step) => step.fromMinute <= interval.fromMinute)?.retailMicroNokPerWh;
		const retail = own || orders.retailMicroNokPerWh;
		const really = match(choice, orders);
		addShare(was, really, interval, member, retail);
		addShare(would, rule === choice ? really : match(rule, orders), interval, member, retail);
	}
	return { kept: count, ...(firstMinute === undefined ? {} : { firstMinute }), was, would };
}

function addShare(
	sums: WhatIfFigures,
	{ shares }: Matching,
	{ orders }: OrderedInterval,
	member: number,
	retail: number,
): void {
	const share = shares.find(({ household }) => household === member);
	if (share === undefined) return;
	const { boughtWh, soldWh, paidMicroNok, earnedMicroNok } = share;
	sums.boughtWh = add(sums.boughtWh, boughtWh);
	sums.soldWh = add(sums.soldWh, soldWh);
	sums.paidMicroNok = add(sums.paidMicroNok, paidMicroNok);
	sums.earnedMicroNok = add(sums.earnedMicroNok, earnedMicroNok);
	// What the utility would have taken for the one, and given for the other.
	const onBought = multiply(boughtWh, retail - orders.localFeeMicroNokPerWh) - paidMicroNok;
	const onSold = earnedMicroNok - multiply(soldWh, orders.feedInMicroNokPerWh);
	sums.savedMicroNok = add(sums.savedMicroNok, onBought + onSold);
}

function nothing(): WhatIfFigures {
	return { boughtWh: 0, soldWh: 0, paidMicroNok: 0, earnedMicroNok: 0, savedMicroNok: 0 };
}
