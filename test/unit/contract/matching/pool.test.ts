import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Portion } from "../../../../src/contract/matching/orders.js";
import { pool, poolVolume } from "../../../../src/contract/matching/pool.js";
import { anyMarket } from "../../../support/intervalOrders.js";
import { mostHandedOver } from "../../../support/referenceMatching.js";

/** Energies by household, 0: no order. */
const side = (energiesWh: readonly number[]): Portion[] =>
	energiesWh.flatMap((energyWh, household) => (energyWh === 0 ? [] : { household, energyWh }));

/** What each household sells and buys. */
function pooled(asksWh: readonly number[], bidsWh: readonly number[]) {
	const { volumeWh, sold, bought } = pool(side(asksWh), side(bidsWh));
	const of = (portions: readonly Portion[], household: number) =>
		portions.find((portion) => portion.household === household)?.energyWh ?? 0;
	return {
		volumeWh,
		soldWh: asksWh.map((_, household) => of(sold, household)),
		boughtWh: bidsWh.map((_, household) => of(bought, household)),
	};
}

const bigints = (portions: readonly Portion[]) =>
	new Map(portions.map(({ household, energyWh }) => [household, BigInt(energyWh)]));
const sumOf = (portions: readonly Portion[]) => portions.reduce((sum, { energyWh }) => sum + energyWh, 0);

describe("a pool", () => {
	it.each([
		[
			"gives all what they want where it is just enough",
			[30, 20, 0, 0],
			[0, 0, 40, 10],
			[30, 20, 0, 0],
			[0, 0, 40, 10],
		],
		["shares too little surplus pro rata to need", [60, 0, 0], [0, 90, 30], [60, 0, 0], [0, 45, 15]],
		["shares too little need pro rata to surplus", [300, 100, 0], [0, 0, 80], [60, 20, 0], [0, 0, 80]],
		["shares pro rata also with a surplus larger than all need", [900, 100, 0], [0, 0, 10], [9, 1, 0], [0, 0, 10]],
		["rounds by largest remainder", [10, 0, 0, 0], [0, 5, 6, 7], [10, 0, 0, 0], [0, 3, 3, 4]],
		["rounds ties for the lower index", [4, 0, 0, 0], [0, 3, 3, 3], [4, 0, 0, 0], [0, 2, 1, 1]],
		["matches nobody with itself", [50], [50], [0], [0]],
		["lets two households with both exchange", [50, 50], [50, 50], [50, 50], [50, 50]],
		["exchanges no more than the smaller has", [50, 20], [50, 30], [30, 20], [20, 30]],
		["shares pro rata while that leaves nobody to itself", [60, 40, 0], [20, 0, 30], [30, 20, 0], [20, 0, 30]],
		["holds who has much of both to what others want, and they sell the rest", [90, 10], [8, 1], [1, 8], [8, 1]],
		["holds who has most of both to what others want and have", [10, 3, 0], [10, 0, 2], [2, 3, 0], [3, 0, 2]],
		["shares the rest among the others pro rata", [90, 20, 10, 0], [9, 0, 0, 1], [1, 6, 3, 0], [9, 0, 0, 1]],
		["trades nothing where one side is empty", [5, 5], [0, 0], [0, 0], [0, 0]],
	])("%s", (_, asksWh, bidsWh, soldWh, boughtWh) => {
		expect(pooled(asksWh, bidsWh)).toEqual({ volumeWh: soldWh.reduce((a, b) => a + b), soldWh, boughtWh });
	});

	it("trades as much as can be handed over, and what it gives to each can be handed over, nobody to itself", () => {
		fc.assert(
			fc.property(anyMarket(), ({ asks, bids }) => {
				const { volumeWh, sold, bought } = pool(asks, bids);
				expect(BigInt(volumeWh)).toBe(mostHandedOver(bigints(asks), bigints(bids)));
				expect(sumOf(sold)).toBe(volumeWh);
				expect(sumOf(bought)).toBe(volumeWh);
				expect(mostHandedOver(bigints(sold), bigints(bought))).toBe(BigInt(volumeWh));
				for (const { household, energyWh } of sold) {
					expect(energyWh + Number(bigints(bought).get(household) ?? 0n)).toBeLessThanOrEqual(volumeWh);
				}
				for (const [at, { energyWh }] of sold.entries()) expect(energyWh).toBeLessThanOrEqual(asks[at]?.energyWh ?? 0);
				for (const [at, { energyWh }] of bought.entries())
					expect(energyWh).toBeLessThanOrEqual(bids[at]?.energyWh ?? 0);
			}),
			{ numRuns: 1_000 },
		);
	});

	it("trades what its households could trade if each were held to what the others want and have", () => {
		fc.assert(
			fc.property(anyMarket(), ({ asks, bids }) => {
				const held = (own: readonly Portion[], others: readonly Portion[]) =>
					own.reduce((sum, { household, energyWh }) => {
						const theirsWh = sumOf(others.filter((other) => other.household !== household));
						return sum + Math.min(energyWh, theirsWh);
					}, 0);
				expect(pool(asks, bids).volumeWh).toBe(Math.min(held(asks, bids), held(bids, asks)));
			}),
			{ numRuns: 500 },
		);
	});

	it("is exactly pro rata to within a Wh where nobody has both sides", () => {
		fc.assert(
			fc.property(anyMarket("one"), ({ asks, bids }) => {
				const { volumeWh, sold, bought } = pool(asks, bids);
				for (const [orders, shares] of [[asks, sold] as const, [bids, bought] as const]) {
					const allWh = BigInt(sumOf(orders));
					for (const [at, { energyWh }] of shares.entries()) {
						const off = BigInt(energyWh) * allWh - BigInt(volumeWh) * BigInt(orders[at]?.energyWh ?? 0);
						expect(off < 0n ? -off : off).toBeLessThan(allWh === 0n ? 1n : allWh);
					}
				}
			}),
			{ numRuns: 500 },
		);
	});
});

describe("a pool's volume", () => {
	it("is bounded by all surplus, all need, and what goes past the household with most of both", () => {
		expect(poolVolume(100, 70, 0)).toBe(70);
		expect(poolVolume(60, 70, 0)).toBe(60);
		expect(poolVolume(100, 70, 100)).toBe(70);
		expect(poolVolume(100, 70, 140)).toBe(30);
	});
});
