import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MATCHING_RULES, type MatchingRule } from "../../../../src/block/kinds/trading.js";
import { match } from "../../../../src/contract/matching/match.js";
import { type Ask, type Bid, type IntervalOrders, MAX_ORDER_WH } from "../../../../src/contract/matching/orders.js";
import type { MatchedShare } from "../../../../src/contract/matching/shares.js";
import { AssertionError } from "../../../../src/primitives/assert.js";
import { anyMarket, ask, bid, market } from "../../../support/intervalOrders.js";
import { mostHandedOver } from "../../../support/referenceMatching.js";

const sum = (shares: readonly MatchedShare[], field: keyof MatchedShare) =>
	shares.reduce((all, share) => all + BigInt(share[field]), 0n);

describe("the worked example", () => {
	// As CONTRIBUTING.md has it: Anna, Bjørn, Cecilie and David.
	const street: IntervalOrders = {
		asks: [ask(0, 700, 700), ask(1, 300, 900)],
		bids: [bid(1, 50, 1_300), bid(2, 800, 980), bid(3, 400, 1_400)],
		retailMicroNokPerWh: 1_450,
		feedInMicroNokPerWh: 600,
		localFeeMicroNokPerWh: 50,
	};

	it.each<[MatchingRule, number | undefined, number[][]]>([
		[
			"midMarket",
			1_000,
			[
				[0, 0, 0, 315, 315_000],
				[1, 50, 50_000, 135, 135_000],
				[3, 400, 400_000, 0, 0],
			],
		],
		[
			"balance",
			1_044,
			[
				[0, 0, 0, 315, 328_860],
				[1, 50, 52_200, 135, 140_940],
				[3, 400, 417_600, 0, 0],
			],
		],
		[
			"uniform",
			940,
			[
				[0, 0, 0, 700, 658_000],
				[1, 40, 37_600, 300, 282_000],
				[2, 640, 601_600, 0, 0],
				[3, 320, 300_800, 0, 0],
			],
		],
		[
			"pairwise",
			undefined,
			[
				[0, 0, 0, 700, 680_000],
				[1, 50, 50_000, 300, 282_000],
				[2, 550, 492_000, 0, 0],
				[3, 400, 420_000, 0, 0],
			],
		],
	])("under %s is as reckoned by hand", (rule, priceMicroNokPerWh, shares) => {
		expect(match(rule, street)).toEqual({
			priceMicroNokPerWh,
			shares: shares.map(([household, boughtWh, paidMicroNok, soldWh, earnedMicroNok]) => ({
				household,
				boughtWh,
				paidMicroNok,
				soldWh,
				earnedMicroNok,
			})),
		});
	});
});

describe("the rules", () => {
	it("have the numbers that the chain knows them by", () => {
		expect(MATCHING_RULES).toEqual(["midMarket", "uniform", "pairwise", "balance"]);
	});
});

describe.each(MATCHING_RULES)("under %s", (rule) => {
	it("nothing comes of an empty market", () => {
		const nothing = { priceMicroNokPerWh: undefined, shares: [] };
		expect(match(rule, market([], []))).toEqual(nothing);
		expect(match(rule, market([ask(0, 10)], []))).toEqual(nothing);
		expect(match(rule, market([], [bid(0, 10)]))).toEqual(nothing);
		expect(match(rule, market([ask(0, 0)], [bid(1, 0)]))).toEqual(nothing);
	});

	it("energy and money balance, everybody stays within its orders, limits and funds, and whoever is named has energy", () => {
		fc.assert(
			fc.property(anyMarket(), (orders) => {
				const { priceMicroNokPerWh, shares } = match(rule, orders);
				expect(sum(shares, "boughtWh")).toBe(sum(shares, "soldWh"));
				expect(sum(shares, "paidMicroNok")).toBe(sum(shares, "earnedMicroNok"));
				expect(shares.map(({ household }) => household)).toEqual(
					[...new Set(shares.map(({ household }) => household))].sort((a, b) => a - b),
				);
				for (const { household, boughtWh, paidMicroNok, soldWh, earnedMicroNok } of shares) {
					expect(boughtWh + soldWh).toBeGreaterThan(0);
					const sells = orders.asks.find((one) => one.household === household);
					const buys = orders.bids.find((one) => one.household === household);
					expect(soldWh).toBeLessThanOrEqual(sells?.energyWh ?? 0);
					expect(earnedMicroNok).toBeGreaterThanOrEqual(soldWh * (sells?.limitMicroNokPerWh ?? 0));
					expect(boughtWh).toBeLessThanOrEqual(buys?.energyWh ?? 0);
					expect(paidMicroNok).toBeLessThanOrEqual(boughtWh * (buys?.limitMicroNokPerWh ?? 0));
					expect(paidMicroNok).toBeLessThanOrEqual(buys?.payableMicroNok ?? 0);
					if (priceMicroNokPerWh === undefined) continue;
					expect(earnedMicroNok).toBe(soldWh * priceMicroNokPerWh);
					expect(paidMicroNok).toBe(boughtWh * priceMicroNokPerWh);
				}
			}),
			{ numRuns: 1_000 },
		);
	});

	it("all energy can be handed over by neighbours: nobody is matched with itself", () => {
		fc.assert(
			fc.property(anyMarket(), (orders) => {
				const { shares } = match(rule, orders);
				const energies = (field: "soldWh" | "boughtWh") =>
					new Map(shares.map((share) => [share.household, BigInt(share[field])]));
				expect(mostHandedOver(energies("soldWh"), energies("boughtWh"))).toBe(sum(shares, "soldWh"));
			}),
			{ numRuns: 1_000 },
		);
	});

	it("it does not matter how households are numbered, but for the last Wh of each sharing", () => {
		const renumbered = anyMarket("one").chain((orders) => {
			const households = [...orders.asks, ...orders.bids].map(({ household }) => household);
			return fc
				.shuffledSubarray(households, { minLength: households.length })
				.map((others) => ({ orders, names: new Map(households.map((household, at) => [household, others[at] ?? 0])) }));
		});
		fc.assert(
			fc.property(renumbered, ({ orders, names }) => {
				const renamed = <Order extends Ask | Bid>(side: readonly Order[]) =>
					side
						.map((order) => ({ ...order, household: names.get(order.household) ?? 0 }))
						.sort((a, b) => a.household - b.household);
				const before = match(rule, orders);
				const after = match(rule, { ...orders, asks: renamed(orders.asks), bids: renamed(orders.bids) });
				expect(after.priceMicroNokPerWh).toBe(before.priceMicroNokPerWh);
				expect(sum(after.shares, "soldWh")).toBe(sum(before.shares, "soldWh"));
				expect(sum(after.shares, "paidMicroNok")).toBe(sum(before.shares, "paidMicroNok"));
				const energyIn = (shares: readonly MatchedShare[], household: number | undefined) => {
					const share = shares.find((one) => one.household === household);
					return (share?.boughtWh ?? 0) + (share?.soldWh ?? 0);
				};
				// A sharing gives and takes 1 Wh at most, and pairs are shared as often as two groups of limits meet.
				const sharings = rule === "pairwise" ? orders.asks.length + orders.bids.length : 1;
				for (const [household, name] of names) {
					const differenceWh = energyIn(after.shares, name) - energyIn(before.shares, household);
					expect(Math.abs(differenceWh)).toBeLessThanOrEqual(sharings);
				}
			}),
			{ numRuns: 500 },
		);
	});

	it("orders out of bounds or out of order are a defect", () => {
		const good = market([ask(0, 10), ask(1, 10)], [bid(2, 10)]);
		for (const broken of [
			{ ...good, asks: [ask(1, 10), ask(0, 10)] },
			{ ...good, asks: [ask(1, 10), ask(1, 10)] },
			{ ...good, bids: [bid(-1, 10)] },
			{ ...good, bids: [bid(0, MAX_ORDER_WH + 1)] },
			{ ...good, bids: [bid(0, -1)] },
			{ ...good, asks: [ask(0, 1.5)] },
			{ ...good, asks: [ask(0, 10, 0)] },
			{ ...good, bids: [bid(0, 10, 1_000_001)] },
			{ ...good, bids: [bid(0, 10, 1_000, -1)] },
			{ ...good, retailMicroNokPerWh: 1_000_001 },
			{ ...good, localFeeMicroNokPerWh: -1 },
		]) {
			expect(() => match(rule, broken)).toThrow(AssertionError);
		}
	});
});
