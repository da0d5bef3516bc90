import { describe, expect, it } from "vitest";
import { removalStep } from "../../../src/contract/movingOut.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { stateRoot } from "../../../src/contract/stateRoot.js";
import { TAKE_BACK_MINUTES } from "../../../src/primitives/units.js";
import { FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
const locksOf = (street: TestNeighbourhood) =>
	[...street.ledger.locks.values()].map(({ amountMicroNok }) => amountMicroNok);

function redeem(street: TestNeighbourhood, member: number, amountMicroNok: number): Uint8Array {
	const act = street.act("redeem", member, { amountMicroNok });
	street.block(soon(street), [act]);
	return street.id(act);
}

/** Blocks without readings, until nobody can take anything back. */
function waitUntilSure(street: TestNeighbourhood, fromMinute: number): void {
	for (let minute = fromMinute; minute < fromMinute + TAKE_BACK_MINUTES; minute++) street.minute(minute);
}

describe("tokens that are redeemed", () => {
	it("are locked at once, and destroyed when their money was paid", () => {
		const street = new TestNeighbourhood(3);
		street.giveTokens(1, 5_000_000);
		const lockId = redeem(street, 1, 2_000_000);
		expect(street.balances()).toEqual([0, 3_000_000, 0]);
		expect(locksOf(street)).toEqual([2_000_000]);
		waitUntilSure(street, M);
		street.block(soon(street), [street.act("payout", 0, { lockId, amountMicroNok: 2_000_000 })]);
		expect(locksOf(street)).toEqual([]);
		expect(street.ledger).toMatchObject({ issuedMicroNok: 5_000_000, paidOutMicroNok: 2_000_000 });
	});

	it("are no more than the balance, in no more than eight parts, and no play money", () => {
		const street = new TestNeighbourhood(3);
		street.giveTokens(1, 5_000_000);
		const tooMuch = street.act("redeem", 1, { amountMicroNok: 5_000_001 });
		expect(street.refusal(soon(street), [tooMuch])).toEqual({
			code: "balance-too-low",
			balanceMicroNok: 5_000_000,
			amountMicroNok: 5_000_001,
		});
		for (let part = 0; part < 8; part++) redeem(street, 1, 1);
		const ninth = street.act("redeem", 1, { amountMicroNok: 1 });
		expect(street.refusal(soon(street), [ninth])).toEqual({ code: "too-many-orders", limit: 8 });
		const trial = new TestNeighbourhood(3, { moneyKind: "trial" });
		trial.giveTokens(1, 5_000_000);
		const play = trial.act("redeem", 1, { amountMicroNok: 1 });
		expect(trial.refusal(soon(trial), [play])).toEqual({ code: "play-money" });
	});

	it("come back for half an hour, and are not paid out before", () => {
		const street = new TestNeighbourhood(3);
		street.giveTokens(1, 5_000_000);
		const first = redeem(street, 1, 2_000_000);
		const second = redeem(street, 1, 1_000_000);
		street.minute(M + TAKE_BACK_MINUTES - 2);
		// The last minute in which it can be taken back.
		const payout = street.act("payout", 0, { lockId: first, amountMicroNok: 2_000_000 });
		expect(street.refusal(soon(street), [payout])).toEqual({
			code: "lock-too-new",
			untilMinute: M + TAKE_BACK_MINUTES,
		});
		street.block(soon(street), [street.act("cancel", 1, { orderId: first })]);
		expect(street.balances()).toEqual([0, 4_000_000, 0]);
		street.minute(M + TAKE_BACK_MINUTES - 1);
		const late = street.act("cancel", 1, { orderId: second });
		expect(street.refusal(soon(street), [late])).toEqual({
			code: "too-late-to-cancel",
			untilMinute: M + TAKE_BACK_MINUTES,
		});
		street.block(soon(street), [street.act("payout", 0, { lockId: second, amountMicroNok: 1_000_000 })]);
		expect(street.ledger.paidOutMicroNok).toBe(1_000_000);
	});

	it("are nobody else's to take back, and taken back once", () => {
		const street = new TestNeighbourhood(3);
		street.giveTokens(1, 5_000_000);
		const id = redeem(street, 1, 2_000_000);
		expect(street.refusal(soon(street), [street.act("cancel", 2, { orderId: id })])).toEqual({ code: "unknown-order" });
		street.block(soon(street), [street.act("cancel", 1, { orderId: id })]);
		expect(street.refusal(soon(street), [street.act("cancel", 1, { orderId: id })])).toEqual({ code: "unknown-order" });
	});

	it("still pay for the minutes that had ended, after the balance, and for none that came later", () => {
		const street = new TestNeighbourhood(3);
		street.giveTokens(1, 10_000);
		street.contractBetween(0, 1, { priceMicroNokPerWh: 1_000 });
		street.minute(M);
		street.minute(M + 1);
		// In the minute M + 2: the reading of M + 1 is still to come.
		const lockId = redeem(street, 1, 9_000);
		street.minute(M + 2, [street.reading(0, M + 1, 0, 20), street.reading(1, M + 1, 4, 0)]);
		expect(locksOf(street)).toEqual([6_000]);
		expect(street.balances()).toEqual([4_000, 0, 0]);
		street.minute(M + 3, [street.reading(0, M + 2, 0, 20), street.reading(1, M + 2, 4, 0)]);
		expect(street.balances()).toEqual([4_000, 0, 0]);
		expect(locksOf(street)).toEqual([6_000]);
		waitUntilSure(street, M + 4);
		const payout = street.act("payout", 0, { lockId, amountMicroNok: 9_000 });
		expect(street.refusal(soon(street), [payout])).toMatchObject({ code: "amount-differs", orderedMicroNok: 6_000 });
		street.block(soon(street), [street.act("payout", 0, { lockId, amountMicroNok: 6_000 })]);
		expect(locksOf(street)).toEqual([]);
	});

	it("are gone when earlier minutes took all of them", () => {
		const street = new TestNeighbourhood(3);
		street.giveTokens(1, 4_000);
		street.contractBetween(0, 1, { priceMicroNokPerWh: 1_000 });
		street.minute(M);
		street.minute(M + 1);
		redeem(street, 1, 4_000);
		street.minute(M + 2, [street.reading(0, M + 1, 0, 20), street.reading(1, M + 1, 9, 0)]);
		expect(locksOf(street)).toEqual([]);
		expect(street.balances()).toEqual([4_000, 0, 0]);
	});

	it("wait for earlier minutes that have not settled", () => {
		const street = new TestNeighbourhood(3, { settlementGraceBlocks: 60 });
		street.giveTokens(1, 10_000);
		street.contractBetween(0, 1, { priceMicroNokPerWh: 1_000 });
		street.minute(M);
		street.minute(M + 1);
		const lockId = redeem(street, 1, 9_000);
		waitUntilSure(street, M + 2);
		const payout = street.act("payout", 0, { lockId, amountMicroNok: 9_000 });
		expect(street.refusal(soon(street), [payout])).toEqual({ code: "lock-unsettled" });
	});

	it("are in the state, and come back from a snapshot", () => {
		const street = new TestNeighbourhood(3);
		street.giveTokens(1, 5_000_000);
		redeem(street, 1, 2_000_000);
		const { leaves } = snapshotOf(street.ledger, NO_RESULTS);
		const opened = openSnapshot(street.ledger, leaves);
		if (!opened.ok) throw new Error(opened.error.code);
		expect(stateRoot(opened.value, NO_RESULTS)).toEqual(stateRoot(street.ledger, NO_RESULTS));
		expect([...opened.value.locks.values()]).toEqual([...street.ledger.locks.values()]);
	});
});

describe("an order", () => {
	it("is taken back by who made it, and is issued no more", () => {
		const street = new TestNeighbourhood(3);
		const buy = street.act("buy", 1);
		street.block(soon(street), [buy]);
		const orderId = street.id(buy);
		expect(street.refusal(soon(street), [street.act("cancel", 0, { orderId })])).toEqual({ code: "unknown-order" });
		street.block(soon(street), [street.act("cancel", 1, { orderId })]);
		expect(street.ledger.orders.size).toBe(0);
		expect(street.refusal(soon(street), [street.act("issue", 0, { orderId })])).toEqual({ code: "unknown-order" });
	});
});

describe("a household that leaves by its own word", () => {
	it("is out when it is settled and paid, without notice", () => {
		const street = new TestNeighbourhood(4);
		street.block(soon(street), [street.voters([], [3])]);
		street.giveTokens(3, 1_000_000);
		const redeemed = redeem(street, 3, 400_000);
		const leave = street.act("leave", 3);
		street.block(soon(street), [leave]);
		expect(removalStep(street.ledger, 3)).toBe("payout");
		expect(locksOf(street)).toEqual([400_000, 600_000]);
		// What it asked for before waits as it does for everybody.
		street.block(soon(street), [street.act("payout", 0, { lockId: street.id(leave), amountMicroNok: 600_000 })]);
		expect(removalStep(street.ledger, 3)).toBe("payout");
		waitUntilSure(street, M);
		street.block(soon(street), [street.act("payout", 0, { lockId: redeemed, amountMicroNok: 400_000 })]);
		expect(removalStep(street.ledger, 3)).toBe("completed");
	});

	it("may be suspended, but not the last operator, and signs nothing more", () => {
		const street = new TestNeighbourhood(4);
		expect(street.refusal(soon(street), [street.act("leave", 0)])).toEqual({ code: "last-operator" });
		street.block(soon(street), [street.act("suspend", 0, { household: 2 })]);
		street.block(soon(street), [street.act("leave", 2)]);
		expect(street.household(2).removal).toMatchObject({ completed: false });
		expect(street.refusal(soon(street), [street.act("buy", 2)])).toEqual({ code: "moved-out", member: 2 });
	});
});
