/** What another rule of the market would have made of a household's past, interval by interval. */
import { MATCHING_RULES, type MatchingRule } from "../block/kinds/trading.js";
import { add, multiply } from "../primitives/units.js";
import type { KeptInterval, OwnShare } from "./intervalHistory.js";
import type { OwnRetailStep, WhatIf, WhatIfFigures } from "./protocol.js";

/** What is asked about: intervals that begin in [fromMinute, untilMinute). */
export interface WhatIfRequest {
	readonly rule: MatchingRule;
	readonly fromMinute: number;
	readonly untilMinute: number;
}

/**
 * Adds up what the rule that held made of kept intervals for this device's household, and what another one would have made.
 * Everybody's orders and funds were those that there were: what people would have said under another rule, or could have
 * paid with what it would have left them, nobody knows. `ownRetail`: what the household says that it pays the utility,
 * ascending.
 */
export function whatIf(
	kept: readonly KeptInterval[],
	{ rule, fromMinute, untilMinute }: WhatIfRequest,
	ownRetail: readonly OwnRetailStep[],
): Omit<WhatIf, "intervals"> {
	const [was, would] = [nothing(), nothing()];
	let count = 0;
	let firstMinute: number | undefined;
	for (const interval of kept) {
		if (interval.fromMinute < fromMinute || interval.fromMinute >= untilMinute) continue;
		count++;
		firstMinute = Math.min(firstMinute ?? interval.fromMinute, interval.fromMinute);
		const own = ownRetail.findLast((step) => step.fromMinute <= interval.fromMinute)?.retailMicroNokPerWh;
		const retail = own || interval.retailMicroNokPerWh;
		addShare(was, interval.shares[MATCHING_RULES.indexOf(interval.choice)], interval, retail);
		addShare(would, interval.shares[MATCHING_RULES.indexOf(rule)], interval, retail);
	}
	return { kept: count, ...(firstMinute === undefined ? {} : { firstMinute }), was, would };
}

function addShare(sums: WhatIfFigures, share: OwnShare | undefined, interval: KeptInterval, retail: number): void {
	if (share === undefined) return;
	const { boughtWh, soldWh, paidMicroNok, earnedMicroNok } = share;
	sums.boughtWh = add(sums.boughtWh, boughtWh);
	sums.soldWh = add(sums.soldWh, soldWh);
	sums.paidMicroNok = add(sums.paidMicroNok, paidMicroNok);
	sums.earnedMicroNok = add(sums.earnedMicroNok, earnedMicroNok);
	// What the utility would have taken for the one, and given for the other.
	const onBought = multiply(boughtWh, retail - interval.localFeeMicroNokPerWh) - paidMicroNok;
	const onSold = earnedMicroNok - multiply(soldWh, interval.feedInMicroNokPerWh);
	sums.savedMicroNok = add(sums.savedMicroNok, onBought + onSold);
}

function nothing(): WhatIfFigures {
	return { boughtWh: 0, soldWh: 0, paidMicroNok: 0, earnedMicroNok: 0, savedMicroNok: 0 };
}
