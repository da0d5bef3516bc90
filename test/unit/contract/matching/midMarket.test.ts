import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { match } from "../../../../src/contract/matching/match.js";
import { midMarketPrice } from "../../../../src/contract/matching/midMarket.js";
import type { IntervalOrders } from "../../../../src/contract/matching/orders.js";
import { anyMarket, ask, bid, market } from "../../../support/intervalOrders.js";
import { least } from "../../../support/referenceAllocation.js";

const priceAt = (retailMicroNokPerWh: number, feedInMicroNokPerWh: number, localFeeMicroNokPerWh: number) =>
	match(
		"midMarket",
		market([ask(0, 10)], [bid(1, 10)], { retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh }),
	).priceMicroNokPerWh;

describe("the mid-market rate", () => {
	it("lies halfway between what the utility gives and what it takes, less the local fee, rounded down", () => {
		expect(priceAt(1_400, 600, 0)).toBe(1_000);
		expect(priceAt(1_400, 600, 100)).toBe(950);
		expect(priceAt(1_401, 600, 0)).toBe(1_000);
		expect(priceAt(1_000_000, 999_999, 0)).toBe(999_999);
		expect(priceAt(600, 600, 0)).toBe(600);
		expect(priceAt(2, 0, 0)).toBe(1);
	});

	it("matches nothing where neighbours have nothing to gain from one another, or the price would be nothing", () => {
		expect(priceAt(599, 600, 0)).toBeUndefined();
		expect(priceAt(650, 600, 51)).toBeUndefined();
		expect(priceAt(50, 0, 51)).toBeUndefined();
		expect(priceAt(1, 0, 0)).toBeUndefined();
		expect(priceAt(0, 0, 0)).toBeUndefined();
	});

	it("is for everybody whose limit it keeps: a µNOK more or less keeps a household out", () => {
		const shares = match(
			"midMarket",
			market([ask(0, 10, 1_000), ask(1, 10, 1_001)], [bid(2, 20, 1_000), bid(3, 20, 999)]),
		).shares;
		expect(shares).toEqual([
			{ household: 0, boughtWh: 0, paidMicroNok: 0, soldWh: 10, earnedMicroNok: 10_000 },
			{ household: 2, boughtWh: 10, paidMicroNok: 10_000, soldWh: 0, earnedMicroNok: 0 },
		]);
	});

	it("sells to whom can pay: whole Wh, and the others share the rest", () => {
		const { shares } = match(
			"midMarket",
			market([ask(0, 10)], [bid(1, 10, 2_000, 2_999), bid(2, 10), bid(3, 10, 2_000, 999)]),
		);
		// Of 12 Wh that can be paid for there are 10: ⅚ of 2 and of 10 are 1⅔ and 8⅓.
		expect(shares.map(({ household, boughtWh }) => [household, boughtWh])).toEqual([
			[0, 0],
			[1, 2],
			[2, 8],
		]);
	});

	const generous = (orders: IntervalOrders): IntervalOrders => ({
		...orders,
		asks: orders.asks.map((one) => ({ ...one, limitMicroNokPerWh: 1 })),
		bids: orders.bids.map((one) => ({
			...one,
			limitMicroNokPerWh: 1_000_000,
			payableMicroNok: Number.MAX_SAFE_INTEGER,
		})),
	});

	/** D, S and what each household of a side pays or earns in all, from neighbours (with the fee) and from the utility. */
	function totals(orders: IntervalOrders) {
		const { shares } = match("midMarket", orders);
		const shareOf = (household: number) => shares.find((share) => share.household === household);
		const sum = (side: readonly { energyWh: number }[]) =>
			side.reduce((all, { energyWh }) => all + BigInt(energyWh), 0n);
		return {
			supply: sum(orders.asks),
			demand: sum(orders.bids),
			costs: orders.bids.map(({ household, energyWh }) => {
				const { boughtWh = 0, paidMicroNok = 0 } = shareOf(household) ?? {};
				const feeMicroNok = BigInt(boughtWh) * BigInt(orders.localFeeMicroNokPerWh);
				const utility = BigInt(energyWh - boughtWh) * BigInt(orders.retailMicroNokPerWh);
				return BigInt(paidMicroNok) + feeMicroNok + utility;
			}),
			incomes: orders.asks.map(({ household, energyWh }) => {
				const { soldWh = 0, earnedMicroNok = 0 } = shareOf(household) ?? {};
				return BigInt(earnedMicroNok) + BigInt(energyWh - soldWh) * BigInt(orders.feedInMicroNokPerWh);
			}),
		};
	}

	it("gives, with the utility's part, the average prices of the paper: exactly where whole Wh allow it", () => {
		// 250 Wh for 1,000: each buyer pays (250 × 1,000 + 750 × 1,400) ÷ 1,000 = 1,300 for a Wh.
		const scarce = totals(market([ask(0, 200), ask(1, 50)], [bid(2, 600), bid(3, 400)]));
		expect(scarce.costs).toEqual([600n * 1_300n, 400n * 1_300n]);
		expect(scarce.incomes).toEqual([200n * 1_000n, 50n * 1_000n]);
		// 1,000 Wh for 250: each seller earns (250 × 1,000 + 750 × 600) ÷ 1,000 = 700 for a Wh.
		const plenty = totals(market([ask(0, 800), ask(1, 200)], [bid(2, 50), bid(3, 200)]));
		expect(plenty.incomes).toEqual([800n * 700n, 200n * 700n]);
		expect(plenty.costs).toEqual([50n * 1_000n, 200n * 1_000n]);
	});

	it("gives them in every market in which nobody has both sides, to within one Wh of rounding", () => {
		fc.assert(
			fc.property(anyMarket("one").map(generous), (orders) => {
				const midMarket = midMarketPrice(orders);
				if (midMarket === undefined || midMarket < 1) return;
				const price = BigInt(midMarket);
				const buying = price + BigInt(orders.localFeeMicroNokPerWh);
				const retail = BigInt(orders.retailMicroNokPerWh);
				const feedIn = BigInt(orders.feedInMicroNokPerWh);
				const { supply, demand, costs, incomes } = totals(orders);
				const traded = least(supply, demand);
				for (const [at, { energyWh }] of orders.bids.entries()) {
					const ofPaper = BigInt(energyWh) * (traded * buying + (demand - traded) * retail);
					const off = (costs[at] ?? 0n) * demand - ofPaper;
					expect(off < 0n ? -off : off).toBeLessThanOrEqual((retail - buying) * demand);
				}
				for (const [at, { energyWh }] of orders.asks.entries()) {
					const ofPaper = BigInt(energyWh) * (traded * price + (supply - traded) * feedIn);
					const off = (incomes[at] ?? 0n) * supply - ofPaper;
					expect(off < 0n ? -off : off).toBeLessThanOrEqual((price - feedIn) * supply);
				}
			}),
			{ numRuns: 1_000 },
		);
	});
});
