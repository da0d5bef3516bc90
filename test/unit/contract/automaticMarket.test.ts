import { describe, expect, it } from "vitest";
import type { LimitsTransaction } from "../../../src/block/kinds/trading.js";
import { removalStep } from "../../../src/contract/movingOut.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { stateRoot } from "../../../src/contract/stateRoot.js";
import { HOUSEHOLD_NOTICE_MINUTES, TAKE_BACK_MINUTES } from "../../../src/primitives/units.js";
import { FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";

/** The first interval that begins after the founding: 29,000,010 is a quarter of an hour. */
const Q = FIRST_MINUTE + 10;
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
type Limits = Partial<Omit<LimitsTransaction, "kind" | "member" | "nonce" | "signature">>;
const FOLLOWS: Limits = { buyBelowMicroNokPerWh: 0, sellAboveMicroNokPerWh: 0, paysMoreForLocal: false };

/** Everybody trades within the tariff (20–4 øre: 2,000 and 400 µNOK/Wh), and has some money. */
function marketOf(households: number, parameters = {}, limits: Limits = FOLLOWS): TestNeighbourhood {
	const street = new TestNeighbourhood(households, parameters);
	for (let member = 0; member < households; member++) street.giveTokens(member, 100_000_000);
	street.block(soon(street), [street.act("market", 0, { choice: "midMarket", fromMinute: Q })]);
	for (let member = 0; member < households; member++)
		street.block(soon(street), [street.act("limits", member, limits)]);
	return street;
}

/** A minute of everybody's readings: [import, export] by member; undefined: none. */
function minute(street: TestNeighbourhood, at: number, energies: readonly ([number, number] | undefined)[]) {
	const readings = energies.flatMap((energy, member) =>
		energy === undefined ? [] : [street.reading(member, at, ...energy)],
	);
	return street.minute(at, readings);
}

/** A whole interval in which each minute is alike; what the last of its blocks settled. */
function interval(street: TestNeighbourhood, energies: readonly ([number, number] | undefined)[], fromMinute = Q) {
	for (let at = fromMinute; at < fromMinute + 14; at++) minute(street, at, energies);
	return minute(street, fromMinute + 14, energies);
}

const earned = (street: TestNeighbourhood) => street.balances().map((balance) => balance - 100_000_000);

describe("the market that trades by itself", () => {
	it("matches what nobody's contract covers when a quarter of an hour is over", () => {
		const street = marketOf(3);
		for (let at = Q; at < Q + 14; at++)
			expect(
				minute(street, at, [
					[0, 30],
					[20, 0],
					[20, 0],
				]).results.matched,
			).toEqual([]);
		expect(street.household(1)).toMatchObject({ boughtWh: 0, utilityImportWh: 0 });
		const { results } = minute(street, Q + 14, [
			[0, 30],
			[20, 0],
			[20, 0],
		]);
		// ⌊(2,000 + 400) ÷ 2⌋ for each of 450 Wh.
		expect(results.matched).toEqual([
			{
				fromMinute: Q,
				untilMinute: Q + 15,
				choice: "midMarket",
				priceMicroNokPerWh: 1_200,
				shares: [
					{ household: 0, boughtWh: 0, paidMicroNok: 0, soldWh: 450, earnedMicroNok: 540_000 },
					{ household: 1, boughtWh: 225, paidMicroNok: 270_000, soldWh: 0, earnedMicroNok: 0 },
					{ household: 2, boughtWh: 225, paidMicroNok: 270_000, soldWh: 0, earnedMicroNok: 0 },
				],
			},
		]);
		expect(earned(street)).toEqual([540_000, -270_000, -270_000]);
		expect(street.household(0)).toMatchObject({ soldWh: 450, utilityExportWh: 0, open: [] });
		expect(street.household(1)).toMatchObject({ boughtWh: 225, utilityImportWh: 75, open: [] });
	});

	it("leaves out who gives no limits, whose energy is the utility's at once", () => {
		const street = marketOf(3);
		street.block(soon(street), [
			street.act("limits", 2, { buyBelowMicroNokPerWh: undefined, sellAboveMicroNokPerWh: undefined }),
		]);
		minute(street, Q, [
			[0, 30],
			[20, 0],
			[20, 0],
		]);
		expect(street.household(2)).toMatchObject({ utilityImportWh: 20, open: [] });
		expect(street.household(1)).toMatchObject({ utilityImportWh: 0 });
		for (let at = Q + 1; at < Q + 14; at++)
			minute(street, at, [
				[0, 30],
				[20, 0],
				[20, 0],
			]);
		minute(street, Q + 14, [
			[0, 30],
			[20, 0],
			[20, 0],
		]);
		expect(street.ledger.households.map(({ boughtWh }) => boughtWh)).toEqual([0, 300, 0]);
	});

	it("neither matches a household with itself nor nets its surplus with its need", () => {
		const alone = marketOf(2);
		interval(alone, [
			[10, 10],
			[0, 0],
		]);
		expect(alone.household(0)).toMatchObject({ boughtWh: 0, soldWh: 0, utilityImportWh: 150, utilityExportWh: 150 });
		const two = marketOf(2);
		interval(two, [
			[10, 10],
			[4, 0],
		]);
		expect(two.household(0)).toMatchObject({ boughtWh: 0, soldWh: 60, utilityImportWh: 150, utilityExportWh: 90 });
	});

	it("keeps a household's limits, and the tariff's unless it pays more for local energy", () => {
		const trades = (limits: Limits) => {
			const street = marketOf(2);
			street.block(soon(street), [street.act("limits", 1, limits)]);
			interval(street, [
				[0, 10],
				[10, 0],
			]);
			return street.household(1).boughtWh > 0;
		};
		expect(trades({ buyBelowMicroNokPerWh: 1_200 })).toBe(true);
		expect(trades({ buyBelowMicroNokPerWh: 1_199 })).toBe(false);
		const dear = (limits: Limits) => {
			const street = marketOf(2, { localFeeMicroNokPerWh: 900 }, FOLLOWS);
			street.block(soon(street), [
				street.act("market", 0, { choice: "pairwise", fromMinute: Q + HOUSEHOLD_NOTICE_MINUTES }),
			]);
			street.block(soon(street), [street.act("limits", 1, limits)]);
			street.block(soon(street), [street.act("limits", 0, { ...FOLLOWS, sellAboveMicroNokPerWh: 1_500 })]);
			street.minute(Q + HOUSEHOLD_NOTICE_MINUTES - 1);
			const from = Q + HOUSEHOLD_NOTICE_MINUTES;
			interval(
				street,
				[
					[0, 10],
					[10, 0],
				],
				from,
			);
			return street.household(1).boughtWh > 0;
		};
		// With the fee the utility is cheaper than 1,500.
		expect(dear({ buyBelowMicroNokPerWh: 1_600, paysMoreForLocal: false })).toBe(false);
		expect(dear({ buyBelowMicroNokPerWh: 1_600, paysMoreForLocal: true })).toBe(true);
	});

	it("goes by the limits that were given before an interval began", () => {
		const street = marketOf(2);
		street.minute(Q - 1);
		street.block(soon(street), [
			street.act("limits", 1, { buyBelowMicroNokPerWh: undefined, sellAboveMicroNokPerWh: undefined }),
		]);
		interval(street, [
			[0, 10],
			[10, 0],
		]);
		expect(street.household(1).boughtWh).toBe(150);
		interval(
			street,
			[
				[0, 10],
				[10, 0],
			],
			Q + 15,
		);
		expect(street.household(1).boughtWh).toBe(150);
		expect(street.household(1).trading).toHaveLength(1);
	});

	it("sells nothing to a household in minutes in which a contract does", () => {
		const street = marketOf(3);
		street.contractBetween(0, 1, { untilMinute: Q + 5, priceMicroNokPerWh: 1_000 });
		interval(street, [
			[0, 4],
			[10, 0],
			[0, 20],
		]);
		// Five minutes of 4 Wh under the contract, ten minutes of 10 Wh on the market.
		expect(street.household(1)).toMatchObject({ boughtWh: 20 + 100, utilityImportWh: 30 });
		expect(street.household(0).soldWh + street.household(2).soldWh).toBe(120);
	});

	it("waits for a reading no longer than the grace, and takes what comes later as the utility's", () => {
		const street = marketOf(3);
		const late = [[0, 30], [20, 0], undefined] as const;
		interval(
			street,
			late.map((energy) => energy && [...energy]),
		);
		expect(street.household(0).soldWh).toBe(0);
		for (let at = Q + 15; at < Q + 17; at++) street.minute(at);
		expect(street.household(0).soldWh).toBe(0);
		street.minute(Q + 17);
		expect(street.household(0).soldWh).toBe(300);
		street.minute(Q + 18, [street.reading(2, Q + 3, 20, 0)]);
		expect(street.household(2)).toMatchObject({ boughtWh: 0, utilityImportWh: 20, open: [] });
	});

	it("gives the same whatever the order in which readings arrive within the grace", () => {
		const settledIn = (order: (late: number) => number[]) => {
			const street = marketOf(3, { settlementGraceBlocks: 60 });
			for (let at = Q; at < Q + 30; at++) {
				const members = order(at);
				street.minute(
					at,
					members.map((member) => street.reading(member, at, member * 7, (2 - member) * 9)),
				);
			}
			const rest = [0, 1, 2].flatMap((member) =>
				Array.from({ length: 30 }, (_, at) => Q + at)
					.filter((at) => !order(at).includes(member))
					.map((at) => street.reading(member, at, member * 7, (2 - member) * 9)),
			);
			street.minute(Q + 30, rest.reverse());
			return street.ledger.households.map(({ nonce: _, seen: __, ...household }) => household);
		};
		expect(settledIn((at) => [at % 3])).toEqual(settledIn(() => [0, 1, 2]));
	});

	it("lets nobody buy more than it can pay", () => {
		const street = new TestNeighbourhood(2);
		street.giveTokens(1, 60_000);
		street.block(soon(street), [street.act("market", 0, { choice: "midMarket", fromMinute: Q })]);
		for (const member of [0, 1]) street.block(soon(street), [street.act("limits", member, FOLLOWS)]);
		interval(street, [
			[0, 10],
			[10, 0],
		]);
		expect(street.balances()).toEqual([60_000, 0]);
		expect(street.household(1)).toMatchObject({ boughtWh: 50, utilityImportWh: 100 });
	});

	it("does not trade simulated or typed energy for money, only to play", () => {
		const soldOf = (moneyKind: "prepaid" | "trial", quality: "simulated" | "typed") => {
			const street = marketOf(2, { moneyKind });
			for (let at = Q; at < Q + 15; at++) {
				street.minute(at, [street.reading(0, at, 0, 10, quality), street.reading(1, at, 10, 0)]);
			}
			return street.household(0).soldWh;
		};
		expect(soldOf("prepaid", "simulated")).toBe(0);
		expect(soldOf("trial", "simulated")).toBe(150);
		expect(soldOf("trial", "typed")).toBe(0);
	});

	it("comes back from a snapshot in the middle of an interval, and goes on", () => {
		const street = marketOf(3);
		for (let at = Q; at < Q + 7; at++)
			minute(street, at, [
				[0, 30],
				[20, 0],
				[20, 0],
			]);
		const { leaves } = snapshotOf(street.ledger, NO_RESULTS);
		const opened = openSnapshot(street.ledger, leaves);
		if (!opened.ok) throw new Error(opened.error.code);
		expect(stateRoot(opened.value, NO_RESULTS)).toEqual(stateRoot(street.ledger, NO_RESULTS));
		street.ledger = opened.value;
		for (let at = Q + 7; at < Q + 15; at++)
			minute(street, at, [
				[0, 30],
				[20, 0],
				[20, 0],
			]);
		expect(street.household(0).soldWh).toBe(450);
	});
});

describe("the operator", () => {
	it("begins the market at the next interval, and changes its rule with seven days' notice", () => {
		const street = new TestNeighbourhood(3);
		const by = (member: number, fromMinute: number, choice: "pairwise" | "none" = "pairwise") =>
			street.act("market", member, { choice, fromMinute });
		expect(street.refusal(soon(street), [by(1, Q)])).toEqual({ code: "not-operator" });
		expect(street.refusal(soon(street), [by(0, Q + 1)])).toMatchObject({ code: "not-an-interval" });
		expect(street.refusal(soon(street), [by(0, Q - 15)])).toMatchObject({
			code: "market-too-early",
			earliestMinute: Q,
		});
		street.block(soon(street), [by(0, Q)]);
		expect(street.ledger.market?.choices).toEqual([{ fromMinute: Q, choice: "pairwise" }]);
		const earliestMinute = Q + HOUSEHOLD_NOTICE_MINUTES;
		expect(street.refusal(soon(street), [by(0, earliestMinute - 15)])).toEqual({
			code: "market-too-early",
			fromMinute: earliestMinute - 15,
			earliestMinute,
		});
		street.minute(Q);
		street.block(soon(street), [by(0, earliestMinute + 15, "none")]);
		// What has not begun is replaced.
		street.block(soon(street), [by(0, earliestMinute + 30, "none")]);
		expect(street.ledger.market?.choices).toEqual([
			{ fromMinute: Q, choice: "pairwise" },
			{ fromMinute: earliestMinute + 30, choice: "none" },
		]);
		expect(street.ledger.operatorRecord?.at(-1)).toMatchObject({ kind: "market", member: 0 });
	});

	it("ends the market: what has begun is matched, what comes later is the utility's", () => {
		const street = marketOf(2);
		street.minute(Q);
		street.block(soon(street), [
			street.act("market", 0, { choice: "none", fromMinute: Q + 15 + HOUSEHOLD_NOTICE_MINUTES }),
		]);
		const last = Q + 15 + HOUSEHOLD_NOTICE_MINUTES - 15;
		street.minute(last - 1);
		interval(
			street,
			[
				[0, 10],
				[10, 0],
			],
			last,
		);
		expect(street.household(1).boughtWh).toBe(150);
		minute(street, last + 15, [
			[0, 10],
			[10, 0],
		]);
		expect(street.household(1)).toMatchObject({ boughtWh: 150, utilityImportWh: 10, open: [] });
	});

	it("states the tariff from the next minute on, and the market goes by what holds when an interval begins", () => {
		const street = marketOf(2);
		const step = (fromMinute: number, retailMicroNokPerWh: number) => ({
			fromMinute,
			retailMicroNokPerWh,
			feedInMicroNokPerWh: 400,
			localFeeMicroNokPerWh: 0,
		});
		const by = (member: number, steps: ReturnType<typeof step>[]) => street.act("tariff", member, { steps });
		expect(street.refusal(soon(street), [by(1, [step(Q, 1)])])).toEqual({ code: "not-operator" });
		expect(street.refusal(soon(street), [by(0, [step(FIRST_MINUTE, 1)])])).toMatchObject({ code: "tariff-too-early" });
		street.block(soon(street), [by(0, [step(Q + 3, 1_000), step(Q + 15, 3_000), step(Q + 30, 5_000)])]);
		interval(street, [
			[0, 10],
			[10, 0],
		]);
		expect(street.results.at(-1)?.matched[0]?.priceMicroNokPerWh).toBe(1_200);
		// In place of all that was said of later minutes.
		street.block(soon(street), [by(0, [step(Q + 17, 4_000)])]);
		interval(
			street,
			[
				[0, 10],
				[10, 0],
			],
			Q + 15,
		);
		expect(street.results.at(-1)?.matched[0]?.priceMicroNokPerWh).toBe(1_700);
		interval(
			street,
			[
				[0, 10],
				[10, 0],
			],
			Q + 30,
		);
		expect(street.results.at(-1)?.matched[0]?.priceMicroNokPerWh).toBe(2_200);
		expect(street.ledger.tariff).toEqual([step(Q + 17, 4_000)]);
	});

	it("keeps no more than 200 steps", () => {
		const street = new TestNeighbourhood(2);
		const stepsFrom = (fromMinute: number) =>
			Array.from({ length: 50 }, (_, at) => ({
				fromMinute: fromMinute + at,
				retailMicroNokPerWh: 1,
				feedInMicroNokPerWh: 1,
				localFeeMicroNokPerWh: 1,
			}));
		for (let at = 0; at < 4; at++) {
			street.block(soon(street), [street.act("tariff", 0, { steps: stepsFrom(Q + 50 * at) })]);
		}
		const more = street.act("tariff", 0, { steps: stepsFrom(Q + 200) });
		expect(street.refusal(soon(street), [more])).toEqual({ code: "too-many-tariff-steps", limit: 200 });
	});
});

describe("money that is on its way out", () => {
	it("waits for the intervals that it may have to pay for", () => {
		const street = marketOf(2, { settlementGraceBlocks: 60 });
		const members = [[0, 10], undefined] as const;
		for (let at = Q; at < Q + 15; at++)
			minute(
				street,
				at,
				members.map((energy) => energy && [...energy]),
			);
		const redeem = street.act("redeem", 1, { amountMicroNok: 100_000_000 });
		street.block(soon(street), [redeem]);
		for (let at = Q + 15; at < Q + 15 + TAKE_BACK_MINUTES; at++)
			minute(street, at, [
				[0, 0],
				[0, 0],
			]);
		const payout = (amountMicroNok: number) => street.act("payout", 0, { lockId: street.id(redeem), amountMicroNok });
		expect(street.refusal(soon(street), [payout(100_000_000)])).toEqual({ code: "lock-unsettled" });
		street.minute(
			Q + 15 + TAKE_BACK_MINUTES,
			Array.from({ length: 15 }, (_, at) => street.reading(1, Q + at, 10, 0)),
		);
		expect(street.household(1).boughtWh).toBe(150);
		street.block(soon(street), [payout(100_000_000 - 150 * 1_200)]);
		expect(street.ledger.locks.size).toBe(0);
	});

	it("of a household that moves out waits for the end of its interval", () => {
		const street = marketOf(5);
		for (const device of [4, 3]) street.block(soon(street), [street.voters([], [device])]);
		const energies: [number, number][] = [
			[0, 10],
			[0, 0],
			[0, 0],
			[10, 0],
			[0, 0],
		];
		for (let at = Q; at < Q + 5; at++) minute(street, at, energies);
		street.block(soon(street), [street.act("leave", 3)]);
		minute(street, Q + 5, energies);
		expect(removalStep(street.ledger, 3)).toBe("settling");
		const others: ([number, number] | undefined)[] = [[0, 10], [0, 0], [0, 0], undefined, [0, 0]];
		for (let at = Q + 6; at < Q + 15; at++) minute(street, at, others);
		expect(street.household(3).boughtWh).toBe(60);
		expect(removalStep(street.ledger, 3)).toBe("payout");
	});
});
