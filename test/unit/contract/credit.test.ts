import { describe, expect, it } from "vitest";
import { linesMicroNok } from "../../../src/contract/credit.js";
import { removalStep } from "../../../src/contract/movingOut.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { stateRoot } from "../../../src/contract/stateRoot.js";
import { MAX_AMOUNT_MICRO_NOK, TAKE_BACK_MINUTES } from "../../../src/primitives/units.js";
import { FIRST_MINUTE, signedInvitation, signedJoin, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;
const KR = 1_000_000;
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
const monthly = (households = 4) => new TestNeighbourhood(households, { moneyKind: "monthly" }, 3);

function giveLine(street: TestNeighbourhood, household: number, creditMicroNok: number): void {
	street.block(soon(street), [street.act("credit", 0, { household, creditMicroNok })]);
}

/** One household buys of another in one minute, which is still to come, for so many kroner. */
function trade(street: TestNeighbourhood, minute: number, seller: number, buyer: number, kroner: number): void {
	const terms = { priceMicroNokPerWh: 1_000, fromMinute: minute, untilMinute: minute + 1 };
	street.contractBetween(seller, buyer, terms);
	const energyWh = kroner * 1_000;
	street.minute(minute, [street.reading(seller, minute, 0, energyWh), street.reading(buyer, minute, energyWh, 0)]);
}

const demandsOf = (street: TestNeighbourhood) =>
	[...street.ledger.demands.values()].map(({ member, amountMicroNok }) => [member, amountMicroNok]);
const locksOf = (street: TestNeighbourhood) =>
	[...street.ledger.locks.values()].map(({ member, amountMicroNok }) => [member, amountMicroNok]);

describe("a credit line", () => {
	it("is part of the balance, goes up and down with it, and is no money", () => {
		const street = monthly();
		giveLine(street, 1, 500 * KR);
		expect(street.household(1)).toMatchObject({ balanceMicroNok: 500 * KR, creditMicroNok: 500 * KR });
		giveLine(street, 1, 700 * KR);
		expect(street.household(1)).toMatchObject({ balanceMicroNok: 700 * KR, creditMicroNok: 700 * KR });
		giveLine(street, 1, 0);
		expect(street.household(1)).toMatchObject({ balanceMicroNok: 0, creditMicroNok: 0 });
		expect(street.ledger).toMatchObject({ issuedMicroNok: 0, paidOutMicroNok: 0 });
	});

	it("lets a household buy before it has paid, and no more than that", () => {
		const street = monthly();
		giveLine(street, 1, 5 * KR);
		trade(street, M + 1, 0, 1, 8);
		expect(street.balances()).toEqual([5 * KR, 0, 0, 0]);
		expect(street.household(1).boughtWh).toBe(5_000);
	});

	it("is lowered by no more than what is not in use", () => {
		const street = monthly();
		giveLine(street, 1, 5 * KR);
		trade(street, M + 1, 0, 1, 3);
		const lower = (creditMicroNok: number) => street.act("credit", 0, { household: 1, creditMicroNok });
		expect(street.refusal(soon(street), [lower(3 * KR - 1)])).toEqual({
			code: "credit-in-use",
			usedMicroNok: 3 * KR,
			creditMicroNok: 3 * KR - 1,
		});
		street.block(soon(street), [lower(3 * KR)]);
		expect(street.household(1)).toMatchObject({ balanceMicroNok: 0, creditMicroNok: 3 * KR });
	});

	it("is an operator's word, about a household that there is, where money is monthly", () => {
		const street = monthly();
		expect(street.refusal(soon(street), [street.act("credit", 1)])).toEqual({ code: "not-operator" });
		expect(street.refusal(soon(street), [street.act("credit", 0, { household: 9 })])).toEqual({
			code: "unknown-member",
			member: 9,
		});
		for (const moneyKind of ["trial", "prepaid"] as const) {
			const other = new TestNeighbourhood(3, { moneyKind });
			expect(other.refusal(soon(other), [other.act("credit", 0)])).toEqual({ code: "not-monthly" });
		}
	});

	it("is in the operators' record, with what it was before", () => {
		const street = monthly();
		giveLine(street, 1, 5 * KR);
		giveLine(street, 1, 2 * KR);
		expect(street.ledger.operatorRecord).toMatchObject([
			{ kind: "credit", member: 0, household: 1, amountMicroNok: 5 * KR, texts: ["0"] },
			{ kind: "credit", member: 0, household: 1, amountMicroNok: 2 * KR, texts: [String(5 * KR)] },
		]);
	});

	it("counts in what may be in circulation, for other lines and for what is issued", () => {
		const street = new TestNeighbourhood(4, { moneyKind: "monthly" }, 3);
		const { gridId } = street.ledger;
		for (let member = 4; member < 10; member++) {
			const invited = signedInvitation(gridId, { id: new Uint8Array(16).fill(member) });
			street.block(soon(street), [signedJoin(member, gridId, {}, invited)]);
		}
		for (let member = 0; member < 8; member++) giveLine(street, member, MAX_AMOUNT_MICRO_NOK);
		street.giveTokens(8, MAX_AMOUNT_MICRO_NOK - 7);
		const limit = { code: "circulation-limit", issuedMicroNok: 9 * MAX_AMOUNT_MICRO_NOK - 7 };
		expect(street.refusal(soon(street), [street.act("credit", 0, { household: 9, creditMicroNok: 8 })])).toEqual(limit);
		const buy = street.act("buy", 9, { amountMicroNok: 8 });
		const issue = street.act("issue", 0, { orderId: street.id(buy), amountMicroNok: 8 });
		expect(street.refusal(soon(street), [buy, issue])).toEqual(limit);
		giveLine(street, 9, 7);
		expect(linesMicroNok(street.ledger)).toBe(8 * MAX_AMOUNT_MICRO_NOK + 7);
	});

	it("is in the state only where there is one, and comes back from a snapshot that adds up", () => {
		const street = monthly();
		const { length } = snapshotOf(street.ledger, NO_RESULTS).leaves;
		giveLine(street, 1, 5 * KR);
		giveLine(street, 2, 1 * KR);
		giveLine(street, 2, 0);
		const { leaves } = snapshotOf(street.ledger, NO_RESULTS);
		// The line, and three things that an operator did.
		expect(leaves).toHaveLength(length + 4);
		const opened = openSnapshot(street.ledger, leaves);
		if (!opened.ok) throw new Error(opened.error.code);
		expect(opened.value.households).toEqual(street.ledger.households);
		expect(stateRoot(opened.value, NO_RESULTS)).toEqual(stateRoot(street.ledger, NO_RESULTS));
		const damaged = [
			{ households: street.ledger.households.map((each) => ({ ...each, creditMicroNok: 0 })) },
			{ nettedMonth: undefined },
			{ paidOutMicroNok: 1, issuedMicroNok: 0 },
		];
		for (const change of damaged) {
			const other = snapshotOf({ ...street.ledger, ...change }, NO_RESULTS).leaves;
			expect(openSnapshot(street.ledger, other)).toMatchObject({
				error: { code: "inconsistent-snapshot", what: "money" },
			});
		}
	});
});

describe("what is above the line", () => {
	it("is all that can be redeemed", () => {
		const street = monthly();
		giveLine(street, 1, 5 * KR);
		street.giveTokens(1, 2 * KR);
		const tooMuch = street.act("redeem", 1, { amountMicroNok: 2 * KR + 1 });
		expect(street.refusal(soon(street), [tooMuch])).toEqual({
			code: "credit-not-yours",
			ownMicroNok: 2 * KR,
			creditMicroNok: 5 * KR,
			amountMicroNok: 2 * KR + 1,
		});
		street.block(soon(street), [street.act("redeem", 1, { amountMicroNok: 2 * KR })]);
		expect(locksOf(street)).toEqual([[1, 2 * KR]]);
		expect(street.refusal(soon(street), [street.act("redeem", 1, { amountMicroNok: 1 })])).toMatchObject({
			code: "credit-not-yours",
			ownMicroNok: 0,
		});
	});

	it("is paid out when the money for it has come in, and not before", () => {
		const street = monthly();
		giveLine(street, 1, 500 * KR);
		trade(street, M + 1, 2, 1, 80);
		const redeem = street.act("redeem", 2, { amountMicroNok: 80 * KR });
		street.block(soon(street), [redeem]);
		for (let minute = M + 2; minute < M + 2 + TAKE_BACK_MINUTES; minute++) street.minute(minute);
		const payout = () => street.act("payout", 0, { lockId: street.id(redeem), amountMicroNok: 80 * KR });
		const tooLow = (reserveMicroNok: number) => ({
			code: "reserve-too-low",
			reserveMicroNok,
			amountMicroNok: 80 * KR,
		});
		expect(street.refusal(soon(street), [payout()])).toEqual(tooLow(0));
		street.giveTokens(1, 80 * KR - 1);
		expect(street.refusal(soon(street), [payout()])).toEqual(tooLow(80 * KR - 1));
		street.giveTokens(3, 1);
		street.block(soon(street), [payout()]);
		expect(street.ledger).toMatchObject({ issuedMicroNok: 80 * KR, paidOutMicroNok: 80 * KR });
	});
});

describe("a household with a credit line that moves out", () => {
	/** The third, whose device does not vote. */
	const MOVER = 3;

	function leave(street: TestNeighbourhood): Uint8Array {
		const act = street.act("leave", MOVER);
		street.block(soon(street), [act]);
		return street.id(act);
	}

	it("gives the line back, and gets what it has above it", () => {
		const street = monthly();
		giveLine(street, MOVER, 500 * KR);
		street.giveTokens(MOVER, 3 * KR);
		const id = leave(street);
		expect(street.household(MOVER)).toMatchObject({ balanceMicroNok: 0, creditMicroNok: 0 });
		expect(locksOf(street)).toEqual([[MOVER, 3 * KR]]);
		expect(removalStep(street.ledger, MOVER)).toBe("payout");
		street.block(soon(street), [street.act("payout", 0, { lockId: id, amountMicroNok: 3 * KR })]);
		expect(removalStep(street.ledger, MOVER)).toBe("completed");
	});

	it("is out at once when it has used nothing", () => {
		const street = monthly();
		giveLine(street, MOVER, 500 * KR);
		leave(street);
		expect(removalStep(street.ledger, MOVER)).toBe("completed");
		expect(linesMicroNok(street.ledger)).toBe(0);
	});

	it("owes nothing that it has earned since it was asked for it", () => {
		const street = monthly();
		giveLine(street, MOVER, 500 * KR);
		giveLine(street, 1, 500 * KR);
		trade(street, M + 1, 0, MOVER, 80);
		// In March.
		street.block(Date.UTC(2025, 2, 1));
		expect(demandsOf(street)).toEqual([[MOVER, 80 * KR]]);
		trade(street, Math.floor(soon(street) / 60_000) + 1, MOVER, 1, 100);
		const id = leave(street);
		expect(demandsOf(street)).toEqual([]);
		expect(locksOf(street).at(-1)).toEqual([MOVER, 20 * KR]);
		street.giveTokens(1, 100 * KR);
		street.block(soon(street), [street.act("payout", 0, { lockId: id, amountMicroNok: 20 * KR })]);
		expect(removalStep(street.ledger, MOVER)).toBe("completed");
	});

	it("owes the last µNOK, too", () => {
		const street = monthly();
		giveLine(street, MOVER, 500 * KR);
		const terms = { priceMicroNokPerWh: 1, fromMinute: M + 1, untilMinute: M + 2 };
		street.contractBetween(0, MOVER, terms);
		street.minute(M + 1, [street.reading(0, M + 1, 0, 1), street.reading(MOVER, M + 1, 1, 0)]);
		leave(street);
		expect(demandsOf(street)).toEqual([[MOVER, 1]]);
		expect(removalStep(street.ledger, MOVER)).toBe("debt");
	});

	it("stays until somebody has paid what it has used", () => {
		const street = monthly();
		giveLine(street, MOVER, 500 * KR);
		trade(street, M + 1, 0, MOVER, 80);
		const id = leave(street);
		expect(demandsOf(street)).toEqual([[MOVER, 80 * KR]]);
		expect(removalStep(street.ledger, MOVER)).toBe("debt");
		expect(locksOf(street)).toEqual([]);
		// No operator can make the debt less by a word.
		const lower = (creditMicroNok: number) => street.act("credit", 0, { household: MOVER, creditMicroNok });
		expect(street.refusal(soon(street), [lower(0)])).toMatchObject({ code: "credit-in-use", usedMicroNok: 80 * KR });
		expect(street.refusal(soon(street), [lower(600 * KR)])).toEqual({ code: "moved-out", member: MOVER });
		expect(street.refusal(soon(street), [lower(500 * KR)])).toEqual({ code: "moved-out", member: MOVER });
		street.block(soon(street), [lower(80 * KR)]);
		expect(street.household(MOVER)).toMatchObject({ balanceMicroNok: 0, creditMicroNok: 80 * KR });
		expect(demandsOf(street)).toEqual([[MOVER, 80 * KR]]);
		street.block(soon(street), [street.act("issue", 0, { orderId: id, amountMicroNok: 80 * KR })]);
		expect(removalStep(street.ledger, MOVER)).toBe("completed");
		expect(street.ledger).toMatchObject({ issuedMicroNok: 80 * KR });
		expect(demandsOf(street)).toEqual([]);
		expect(linesMicroNok(street.ledger)).toBe(0);
	});

	it("is asked for the rest when a correction takes more, and is asked for it alone", () => {
		const street = monthly();
		giveLine(street, MOVER, 500 * KR);
		trade(street, M + 1, 0, MOVER, 80);
		for (let minute = M + 2; minute < M + 8; minute++) street.minute(minute);
		const id = leave(street);
		const correct = street.act("correct", 0, {
			counterparty: MOVER,
			fromMinute: M + 1,
			untilMinute: M + 2,
			amountMicroNok: 7 * KR,
			isPayer: false,
		});
		const answer = street.act("answer", MOVER, { correctionId: street.id(correct) });
		street.block(soon(street), [correct, answer]);
		expect(demandsOf(street)).toEqual([[MOVER, 80 * KR]]);
		street.block(soon(street), [street.act("issue", 0, { orderId: id, amountMicroNok: 80 * KR })]);
		expect(demandsOf(street)).toEqual([[MOVER, 7 * KR]]);
		expect(removalStep(street.ledger, MOVER)).toBe("debt");
		street.block(soon(street), [street.act("issue", 0, { orderId: id, amountMicroNok: 7 * KR })]);
		expect(removalStep(street.ledger, MOVER)).toBe("completed");
	});
});
