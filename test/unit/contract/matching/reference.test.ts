import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MATCHING_RULES } from "../../../../src/block/kinds/trading.js";
import { match } from "../../../../src/contract/matching/match.js";
import type { IntervalOrders } from "../../../../src/contract/matching/orders.js";
import { anyMarket } from "../../../support/intervalOrders.js";
import { type ReferenceMatching, referenceMatch, uniform } from "../../../support/referenceMatching.js";

/** As the reference says it. */
function matched(rule: (typeof MATCHING_RULES)[number], orders: IntervalOrders): ReferenceMatching {
	const { priceMicroNokPerWh, shares } = match(rule, orders);
	return {
		price: priceMicroNokPerWh === undefined ? undefined : BigInt(priceMicroNokPerWh),
		shares: shares.map((share) => ({
			household: share.household,
			boughtWh: BigInt(share.boughtWh),
			paid: BigInt(share.paidMicroNok),
			soldWh: BigInt(share.soldWh),
			earned: BigInt(share.earnedMicroNok),
		})),
	};
}

describe("the reference", () => {
	it.each(MATCHING_RULES)("matches every market as the rule %s does", (rule) => {
		fc.assert(
			fc.property(anyMarket(), (orders) => {
				expect(matched(rule, orders)).toEqual(referenceMatch(rule, orders));
			}),
			{ numRuns: 3_000 },
		);
	});

	it("finds the uniform price in wide gaps between limits as well", () => {
		// Small limits, doubled so that there is a price between any two, and stretched over the whole range.
		const stretched = (orders: IntervalOrders, factor: number): IntervalOrders => ({
			...orders,
			asks: orders.asks.map((ask) => ({ ...ask, limitMicroNokPerWh: ask.limitMicroNokPerWh * factor })),
			bids: orders.bids.map((bid) => ({
				...bid,
				limitMicroNokPerWh: bid.limitMicroNokPerWh * factor,
				payableMicroNok: bid.energyWh * bid.limitMicroNokPerWh * factor,
			})),
		});
		const small = anyMarket().filter(({ asks, bids }) =>
			[...asks, ...bids].every((order) => order.limitMicroNokPerWh <= 25),
		);
		fc.assert(
			fc.property(small, (orders) => {
				const { run } = uniform(stretched(orders, 2));
				expect(match("uniform", stretched(orders, 40_000)).priceMicroNokPerWh).toBe(
					run === undefined ? undefined : Number((run[0] + run[1]) * 10_000n),
				);
			}),
			{ numRuns: 200 },
		);
	});
});
