import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { match } from "../../../../src/contract/matching/match.js";
import type { Ask, Bid } from "../../../../src/contract/matching/orders.js";
import { uniformPrice } from "../../../../src/contract/matching/uniform.js";
import { anyMarket, ask, bid, market } from "../../../support/intervalOrders.js";
import { mostHandedOver } from "../../../support/referenceMatching.js";

const energies = (orders: readonly (Ask | Bid)[]) =>
	new Map(orders.map(({ household, energyWh }) => [household, BigInt(energyWh)]));

describe("the uniform price", () => {
	it.each([
		["lies halfway between one ask and one bid", [ask(0, 10, 700)], [bid(1, 10, 1_300)], 1_000],
		["is rounded down", [ask(0, 10, 700)], [bid(1, 10, 701)], 700],
		["is the limit where ask and bid are equal", [ask(0, 10, 700)], [bid(1, 10, 700)], 700],
		["does not exist where the highest bid is below the lowest ask", [ask(0, 10, 701)], [bid(1, 10, 700)], undefined],
		["does not exist without bids", [ask(0, 10, 700)], [], undefined],
		["does not exist where all orders are of one household", [ask(0, 10, 1)], [bid(0, 10, 9)], undefined],
		[
			"lies halfway between the last ask and the last bid that trade",
			[ask(0, 10, 100), ask(1, 10, 300), ask(2, 10, 700)],
			[bid(3, 10, 900), bid(4, 10, 500), bid(5, 10, 200)],
			400,
		],
		["rises to the ask that is needed in part", [ask(0, 10, 100), ask(1, 10, 300)], [bid(2, 11, 500)], 400],
		["falls to the bid that is served in part", [ask(0, 11, 100)], [bid(1, 10, 500), bid(2, 10, 300)], 200],
		// At 1 the first household sells to the second, from 3 on the second to the first, at 2 the second stays away.
		["is of the lowest run where there are more", [ask(0, 1, 1), ask(1, 1, 3)], [bid(0, 1, 4), bid(1, 1, 1)], 1],
		[
			"is of one run over neighbouring limits, between which there is no price",
			[ask(0, 1, 1), ask(1, 1, 2)],
			[bid(0, 1, 9), bid(1, 1, 1)],
			5,
		],
	])("%s", (_, asks, bids, price) => {
		expect(uniformPrice(asks, bids)).toBe(price);
	});

	it("is of the orders as far as they can be paid at their own limits", () => {
		// The first bid can pay for 5 Wh at 900: the second is needed for the other 5, and 500 is its limit.
		const orders = market([ask(0, 10, 100)], [bid(1, 10, 900, 4_999), bid(2, 10, 500)]);
		expect(match("uniform", orders)).toEqual({
			priceMicroNokPerWh: 300,
			shares: [
				{ household: 0, boughtWh: 0, paidMicroNok: 0, soldWh: 10, earnedMicroNok: 3_000 },
				{ household: 1, boughtWh: 3, paidMicroNok: 900, soldWh: 0, earnedMicroNok: 0 },
				{ household: 2, boughtWh: 7, paidMicroNok: 2_100, soldWh: 0, earnedMicroNok: 0 },
			],
		});
	});

	it("is for everybody whose limit it keeps, also for an ask above the last one that was needed", () => {
		const { priceMicroNokPerWh, shares } = match(
			"uniform",
			market([ask(0, 10, 500), ask(1, 10, 600)], [bid(2, 4, 1_000)]),
		);
		expect(priceMicroNokPerWh).toBe(750);
		expect(shares.map(({ soldWh }) => soldWh)).toEqual([2, 2, 0]);
	});

	it("is where nobody has both sides the middle of the last Wh that trade, counted one by one", () => {
		fc.assert(
			fc.property(anyMarket("one"), ({ asks, bids }) => {
				fc.pre([...asks, ...bids].every(({ energyWh }) => energyWh <= 1_000));
				const limits = (orders: readonly (Ask | Bid)[]) =>
					orders.flatMap((order) => Array<number>(order.energyWh).fill(order.limitMicroNokPerWh));
				const cheapest = limits(asks).sort((a, b) => a - b);
				const dearest = limits(bids).sort((a, b) => b - a);
				let last: number | undefined;
				for (const [at, limit] of cheapest.entries()) {
					const bidLimit = dearest[at] ?? 0;
					if (limit <= bidLimit) last = Math.floor((limit + bidLimit) / 2);
				}
				expect(uniformPrice(asks, bids)).toBe(last);
			}),
			{ numRuns: 500 },
		);
	});

	it("trades as much as any price", () => {
		fc.assert(
			fc.property(anyMarket(), (orders) => {
				const funded = orders.bids.map((one) => ({
					...one,
					energyWh: Math.min(one.energyWh, Math.floor(one.payableMicroNok / one.limitMicroNokPerWh)),
				}));
				const limits = [...orders.asks, ...funded].map((order) => order.limitMicroNokPerWh);
				const { shares } = match("uniform", orders);
				const volumeWh = shares.reduce((sum, { soldWh }) => sum + BigInt(soldWh), 0n);
				for (const price of limits) {
					const taking = orders.asks.filter((one) => one.limitMicroNokPerWh <= price);
					const giving = funded.filter((one) => one.limitMicroNokPerWh >= price);
					expect(mostHandedOver(energies(taking), energies(giving))).toBeLessThanOrEqual(volumeWh);
				}
			}),
			{ numRuns: 500 },
		);
	});
});
