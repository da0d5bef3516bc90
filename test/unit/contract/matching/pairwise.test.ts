import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { match } from "../../../../src/contract/matching/match.js";
import type { Ask, Bid } from "../../../../src/contract/matching/orders.js";
import { anyMarket, ask, bid, market } from "../../../support/intervalOrders.js";

/** By household: sold, earned, bought, paid. */
const matched = (asks: readonly Ask[], bids: readonly Bid[]) =>
	match("pairwise", market(asks, bids)).shares.map((share) => [
		share.household,
		share.soldWh,
		share.earnedMicroNok,
		share.boughtWh,
		share.paidMicroNok,
	]);

describe("pairs", () => {
	it("are made of the highest bid and the cheapest ask, each at the middle of its two limits, rounded down", () => {
		expect(matched([ask(0, 10, 300), ask(1, 10, 101)], [bid(2, 10, 400), bid(3, 10, 900)])).toEqual([
			[0, 10, 3_500, 0, 0],
			[1, 10, 5_000, 0, 0],
			[2, 0, 0, 10, 3_500],
			[3, 0, 0, 10, 5_000],
		]);
	});

	it("go on with what is left of either order, as far as the limits allow", () => {
		expect(matched([ask(0, 5, 100), ask(1, 5, 200), ask(2, 5, 800)], [bid(3, 8, 700), bid(4, 8, 400)])).toEqual([
			[0, 5, 2_000, 0, 0],
			[1, 5, 3 * 450 + 2 * 300, 0, 0],
			[3, 0, 0, 8, 2_000 + 3 * 450],
			[4, 0, 0, 2, 600],
		]);
	});

	it("share pro rata among orders of the same limit, not by index", () => {
		expect(matched([ask(0, 6, 100), ask(3, 3, 100)], [bid(1, 2, 300), bid(2, 4, 300)])).toEqual([
			[0, 4, 800, 0, 0],
			[1, 0, 0, 2, 400],
			[2, 0, 0, 4, 800],
			[3, 2, 400, 0, 0],
		]);
	});

	it("are never of one household: its bid goes on to the next ask", () => {
		expect(matched([ask(0, 10, 100), ask(1, 4, 300)], [bid(0, 10, 500)])).toEqual([
			[0, 0, 0, 4, 1_600],
			[1, 4, 1_600, 0, 0],
		]);
		expect(matched([ask(0, 10, 100)], [bid(0, 10, 500)])).toEqual([]);
	});

	it("are of bids as far as they can be paid at their own limits", () => {
		expect(matched([ask(0, 10, 100)], [bid(1, 10, 300, 1_499)])).toEqual([
			[0, 4, 800, 0, 0],
			[1, 0, 0, 4, 800],
		]);
	});

	it("have one price only if all traded at it", () => {
		const priceOf = (asks: readonly Ask[], bids: readonly Bid[]) =>
			match("pairwise", market(asks, bids)).priceMicroNokPerWh;
		expect(priceOf([ask(0, 10, 100)], [bid(1, 5, 300)])).toBe(200);
		expect(priceOf([ask(0, 10, 100)], [bid(1, 5, 300), bid(2, 5, 200)])).toBeUndefined();
		expect(priceOf([ask(0, 5, 100), ask(3, 5, 200)], [bid(1, 5, 300), bid(2, 5, 200)])).toBe(200);
		expect(priceOf([ask(0, 10, 400)], [bid(1, 5, 300)])).toBeUndefined();
	});

	it("leave no ask and bid of two households that could still trade", () => {
		fc.assert(
			fc.property(anyMarket(), (orders) => {
				const { shares } = match("pairwise", orders);
				const shareOf = (household: number) => shares.find((share) => share.household === household);
				const asksLeft = orders.asks.filter((one) => one.energyWh > (shareOf(one.household)?.soldWh ?? 0));
				const bidsLeft = orders.bids.filter((one) => {
					const affordableWh = Math.floor(one.payableMicroNok / one.limitMicroNokPerWh);
					return Math.min(one.energyWh, affordableWh) > (shareOf(one.household)?.boughtWh ?? 0);
				});
				for (const left of asksLeft) {
					for (const other of bidsLeft) {
						if (left.household === other.household) continue;
						expect(left.limitMicroNokPerWh).toBeGreaterThan(other.limitMicroNokPerWh);
					}
				}
			}),
			{ numRuns: 1_000 },
		);
	});
});
