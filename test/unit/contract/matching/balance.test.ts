import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { balancePrice } from "../../../../src/contract/matching/balance.js";
import { match } from "../../../../src/contract/matching/match.js";
import { midMarketPrice } from "../../../../src/contract/matching/midMarket.js";
import { anyMarket, ask, bid, market } from "../../../support/intervalOrders.js";

describe("the price of the balance", () => {
	const priceWith = (surplusWh: number, needWh: number, fee = 0) =>
		match("balance", market([ask(0, surplusWh)], [bid(1, needWh)], { localFeeMicroNokPerWh: fee })).priceMicroNokPerWh;

	it("rises with need and falls with surplus, rounded down", () => {
		expect(priceWith(100, 100)).toBe(1_000);
		expect(priceWith(100, 300)).toBe(1_200);
		expect(priceWith(300, 100)).toBe(800);
		expect(priceWith(100, 200)).toBe(1_133);
		expect(priceWith(100, 100, 200)).toBe(900);
		expect(priceWith(60_000_000, 1)).toBe(600);
	});

	it("is exact with the largest orders and prices", () => {
		const asks = Array.from({ length: 100 }, (_, household) => ask(household, 60_000_000));
		const bids = Array.from({ length: 100 }, (_, household) => bid(100 + household, 59_999_999));
		const orders = market(asks, bids, { retailMicroNokPerWh: 1_000_000, feedInMicroNokPerWh: 0 });
		expect(balancePrice(orders)).toBe(499_999);
	});

	it("counts what is for sale and needed, whatever its limit and funds", () => {
		const orders = market([ask(0, 100), ask(2, 100, 900_000)], [bid(1, 100), bid(3, 100, 1), bid(4, 200, 2_000, 0)]);
		// 600 + 800 × 400 ÷ 600.
		expect(match("balance", orders)).toEqual({
			priceMicroNokPerWh: 1_133,
			shares: [
				{ household: 0, boughtWh: 0, paidMicroNok: 0, soldWh: 100, earnedMicroNok: 113_300 },
				{ household: 1, boughtWh: 100, paidMicroNok: 113_300, soldWh: 0, earnedMicroNok: 0 },
			],
		});
	});

	it("matches nothing where neighbours have nothing to gain, the price would be nothing, or there is no energy", () => {
		expect(priceWith(10, 10, 801)).toBeUndefined();
		expect(priceWith(0, 0)).toBeUndefined();
		const giftlike = market([ask(0, 1_000)], [bid(1, 1)], { retailMicroNokPerWh: 500, feedInMicroNokPerWh: 0 });
		expect(match("balance", giftlike)).toEqual({ priceMicroNokPerWh: undefined, shares: [] });
	});

	it("lies between the utility's prices, and is the mid-market rate where the street is in balance", () => {
		fc.assert(
			fc.property(anyMarket(), (orders) => {
				const price = balancePrice(orders);
				if (price === undefined) return;
				expect(price).toBeGreaterThanOrEqual(orders.feedInMicroNokPerWh);
				expect(price).toBeLessThanOrEqual(orders.retailMicroNokPerWh - orders.localFeeMicroNokPerWh);
				if (orders.bids.every(({ energyWh }) => energyWh === 0)) return;
				const mirrored = { ...orders, asks: orders.bids.map(({ household, energyWh }) => ask(household, energyWh)) };
				expect(balancePrice(mirrored)).toBe(midMarketPrice(mirrored));
			}),
		);
	});
});
