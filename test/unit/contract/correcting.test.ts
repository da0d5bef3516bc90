import { describe, expect, it } from "vitest";
import { MAX_CORRECTIONS_PER_PAIR } from "../../../src/contract/correcting.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { stateRoot } from "../../../src/contract/stateRoot.js";
import {
	CORRECTION_MINUTES,
	MAX_AMOUNT_MICRO_NOK,
	MAX_CIRCULATION_MICRO_NOK,
	MAX_CORRECTED_MINUTES,
	MINUTES_PER_DAY,
} from "../../../src/primitives/units.js";
import { blockMsOf, FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;
/** The first minute whose block settles the minutes M and M + 1, whatever was read. */
const SETTLED = M + 4;
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
const claimsOf = (street: TestNeighbourhood) =>
	[...street.ledger.claims.values()].map(({ debtor, creditor, amountMicroNok }) => [debtor, creditor, amountMicroNok]);
const openOf = (street: TestNeighbourhood) => [...street.ledger.corrections.values()];

/** Three households, of which some have tokens, and two minutes that have settled. */
function settledStreet(tokens: readonly number[] = []): TestNeighbourhood {
	const street = new TestNeighbourhood(3);
	for (const [member, amount] of tokens.entries()) if (amount > 0) street.giveTokens(member, amount);
	for (let minute = M; minute <= SETTLED; minute++) street.minute(minute);
	return street;
}

type Said = NonNullable<Parameters<TestNeighbourhood["act"]>[2]>;

function propose(street: TestNeighbourhood, member: number, said: Said): Uint8Array {
	const act = street.act("correct", member, said);
	street.block(soon(street), [act]);
	return street.id(act);
}

function answer(street: TestNeighbourhood, member: number, correctionId: Uint8Array, isAgreed = true): void {
	street.block(soon(street), [street.act("answer", member, { correctionId, isAgreed })]);
}

/** Proposed and agreed: the member pays. */
function agree(street: TestNeighbourhood, payer: number, payee: number, amountMicroNok: number): Uint8Array {
	const id = propose(street, payer, { counterparty: payee, amountMicroNok, isPayer: true });
	answer(street, payee, id);
	return id;
}

describe("a correction", () => {
	it("moves nothing until the counterparty agrees, and then the whole amount at once", () => {
		const street = settledStreet([5_000, 0]);
		const id = propose(street, 0, { counterparty: 1, amountMicroNok: 3_000, isPayer: true });
		expect(street.balances()).toEqual([5_000, 0, 0]);
		answer(street, 1, id);
		expect(street.balances()).toEqual([2_000, 3_000, 0]);
		expect([openOf(street), claimsOf(street)]).toEqual([[], []]);
	});

	it("is paid by the counterparty where the author is to get the money", () => {
		const street = settledStreet([0, 5_000]);
		const id = propose(street, 0, { counterparty: 1, amountMicroNok: 3_000, isPayer: false });
		answer(street, 1, id);
		expect(street.balances()).toEqual([3_000, 2_000, 0]);
	});

	it("is between two households that are here", () => {
		const street = settledStreet();
		expect(street.refusal(soon(street), [street.act("correct", 1)])).toEqual({ code: "own-correction" });
		const unknown = street.act("correct", 1, { counterparty: 7 });
		expect(street.refusal(soon(street), [unknown])).toEqual({ code: "unknown-member", member: 7 });
	});

	it("covers a period that has begun and ended, of a year at the most, while both were members", () => {
		const street = settledStreet();
		const refusalOf = (fromMinute: number, untilMinute: number) =>
			street.refusal(soon(street), [street.act("correct", 0, { fromMinute, untilMinute })]);
		expect(refusalOf(M + 1, M + 1)).toEqual({ code: "empty-period", fromMinute: M + 1, untilMinute: M + 1 });
		expect(refusalOf(M - 1, M + 1)).toEqual({ code: "before-membership", minute: M - 1, joinedMinute: M });
		expect(refusalOf(M - MAX_CORRECTED_MINUTES, M + 1)).toEqual({
			code: "correction-too-long",
			limitMinutes: 366 * MINUTES_PER_DAY,
		});
	});

	it("waits until the grace of its last minute has passed", () => {
		const street = new TestNeighbourhood(3);
		for (let minute = M; minute < M + 3; minute++) street.minute(minute);
		const early = street.act("correct", 0, { fromMinute: M, untilMinute: M + 1 });
		// Three blocks have counted since the minute M: the fourth settles it.
		expect(street.refusal(soon(street), [early])).toEqual({ code: "period-not-settled", untilMinute: M + 1 });
		street.minute(M + 3, [street.act("correct", 0, { fromMinute: M, untilMinute: M + 1 })]);
		expect(openOf(street)).toHaveLength(1);
	});

	it("is one of eight at the most that a household has open with another, claims included", () => {
		const street = settledStreet();
		agree(street, 0, 1, 1_000);
		for (let open = 1; open < MAX_CORRECTIONS_PER_PAIR; open++) propose(street, 0, { amountMicroNok: open });
		const refused = { code: "too-many-corrections", limit: 8 };
		expect(street.refusal(soon(street), [street.act("correct", 0)])).toEqual(refused);
		// Nobody can keep a neighbour from proposing by proposing.
		propose(street, 1, { counterparty: 0 });
		propose(street, 0, { counterparty: 2 });
	});

	it("is answered by who was asked, once, and only while it is open", () => {
		const street = settledStreet([5_000]);
		const id = propose(street, 0, { amountMicroNok: 1_000 });
		const refusalOf = (member: number, correctionId: Uint8Array, isAgreed = true) =>
			street.refusal(soon(street), [street.act("answer", member, { correctionId, isAgreed })]);
		expect(refusalOf(2, id)).toEqual({ code: "unknown-correction" });
		expect(refusalOf(1, new Uint8Array(32))).toEqual({ code: "unknown-correction" });
		expect(refusalOf(0, id)).toEqual({ code: "own-correction" });
		answer(street, 1, id);
		expect(refusalOf(1, id)).toEqual({ code: "unknown-correction" });
		expect(street.balances()).toEqual([4_000, 1_000, 0]);
	});

	it("is taken back by its author", () => {
		const street = settledStreet([5_000]);
		const id = propose(street, 0, { amountMicroNok: 1_000 });
		answer(street, 0, id, false);
		expect(openOf(street)).toEqual([]);
	});

	it("lapses after thirty days without an answer, which a dispute does not", () => {
		const street = settledStreet();
		propose(street, 0, { amountMicroNok: 1_000 });
		const declined = propose(street, 0, { amountMicroNok: 2_000 });
		answer(street, 1, declined, false);
		propose(street, 0, { amountMicroNok: 0 });
		const proposedMinute = SETTLED + 1;
		street.minute(proposedMinute + CORRECTION_MINUTES - 2);
		expect(openOf(street)).toHaveLength(3);
		street.minute(proposedMinute + CORRECTION_MINUTES - 1);
		expect(openOf(street).map(({ amountMicroNok }) => amountMicroNok)).toEqual([2_000, 0]);
	});

	it("signed by a suspended household counts for nothing", () => {
		const street = settledStreet();
		street.block(soon(street), [street.act("suspend", 0, { household: 1 })]);
		const act = street.act("correct", 1, { counterparty: 0 });
		expect(street.refusal(soon(street), [act])).toEqual({ code: "suspended" });
	});
});

describe("a dispute", () => {
	it("is a proposal that was declined: it stays with the reason, and can still be agreed upon", () => {
		const street = settledStreet([5_000]);
		const id = propose(street, 0, { amountMicroNok: 1_000 });
		street.block(soon(street), [street.act("answer", 1, { correctionId: id, isAgreed: false, note: "Feil måned" })]);
		expect(openOf(street)).toMatchObject([{ declined: "Feil måned", amountMicroNok: 1_000 }]);
		const again = street.act("answer", 1, { correctionId: id, isAgreed: false });
		expect(street.refusal(soon(street), [again])).toEqual({ code: "already-declined" });
		answer(street, 1, id);
		expect(street.balances()).toEqual([4_000, 1_000, 0]);
	});

	it("or a period without an amount, which nobody can agree to and its author takes back", () => {
		const street = settledStreet([5_000, 5_000]);
		const id = propose(street, 0, { amountMicroNok: 0, note: "Naboens måler sto stille" });
		const yes = street.act("answer", 1, { correctionId: id });
		expect(street.refusal(soon(street), [yes])).toEqual({ code: "no-amount-proposed" });
		answer(street, 0, id, false);
		expect(openOf(street)).toEqual([]);
	});
});

describe("what cannot be paid", () => {
	it("stays a claim, which is paid when the debtor gets money", () => {
		const street = settledStreet([1_000]);
		agree(street, 0, 1, 3_000);
		expect([street.balances(), claimsOf(street)]).toEqual([[0, 1_000, 0], [[0, 1, 2_000]]]);
		street.giveTokens(0, 500);
		expect([street.balances(), claimsOf(street)]).toEqual([[0, 1_500, 0], [[0, 1, 1_500]]]);
		street.giveTokens(0, 5_000);
		expect([street.balances(), claimsOf(street)]).toEqual([[3_500, 3_000, 0], []]);
	});

	it("is paid the oldest first", () => {
		const street = settledStreet();
		agree(street, 0, 2, 1_000);
		agree(street, 0, 1, 1_000);
		street.giveTokens(0, 1_200);
		expect([street.balances(), claimsOf(street)]).toEqual([[0, 200, 1_000], [[0, 1, 800]]]);
		// Nor does a new one come before an old one.
		street.giveTokens(2, 700);
		agree(street, 2, 0, 700);
		expect([street.balances(), claimsOf(street)]).toEqual([[0, 900, 1_000], [[0, 1, 100]]]);
	});

	it("passes on what a creditor gets with the next block", () => {
		const street = settledStreet();
		agree(street, 1, 2, 1_000);
		agree(street, 0, 1, 1_000);
		street.giveTokens(0, 1_000);
		expect(street.balances()).toEqual([0, 1_000, 0]);
		street.block(soon(street));
		expect([street.balances(), claimsOf(street)]).toEqual([[0, 0, 1_000], []]);
	});

	it("comes after the minutes that settle in the same block, and before those that come later", () => {
		const street = settledStreet();
		street.contractBetween(2, 0, { priceMicroNokPerWh: 100 });
		agree(street, 0, 1, 5_000);
		street.minute(SETTLED + 1);
		street.minute(SETTLED + 2, [street.act("buy", 0, { amountMicroNok: 1_000 }), street.reading(0, SETTLED + 2, 4, 0)]);
		const [orderId] = [...street.ledger.orders.values()].map(({ id }) => id);
		street.minute(SETTLED + 3, [
			street.act("issue", 0, { orderId: orderId ?? new Uint8Array(32), amountMicroNok: 1_000 }),
			street.reading(2, SETTLED + 2, 0, 4),
		]);
		expect([street.balances(), claimsOf(street)]).toEqual([[0, 600, 400], [[0, 1, 4_400]]]);
	});

	it("is paid before the debtor gets money back, and leaves alone what was locked before", () => {
		const street = settledStreet([5_000]);
		street.block(soon(street), [street.act("redeem", 0, { amountMicroNok: 4_000 })]);
		agree(street, 0, 1, 3_000);
		expect([street.balances(), claimsOf(street)]).toEqual([[0, 1_000, 0], [[0, 1, 2_000]]]);
		const buy = street.act("buy", 0, { amountMicroNok: 2_500 });
		const issue = street.act("issue", 0, { orderId: street.id(buy), amountMicroNok: 2_500 });
		const redeem = street.act("redeem", 0, { amountMicroNok: 501 });
		expect(street.refusal(soon(street), [buy, issue, redeem])).toEqual({
			code: "claims-first",
			owedMicroNok: 2_000,
			balanceMicroNok: 2_500,
		});
	});

	it("may be more than all the money there can be", () => {
		const street = settledStreet([5_000]);
		for (let claim = 0; claim < MAX_CORRECTIONS_PER_PAIR; claim++) agree(street, 0, 1, MAX_AMOUNT_MICRO_NOK);
		for (let claim = 0; claim < MAX_CORRECTIONS_PER_PAIR; claim++) agree(street, 0, 2, MAX_AMOUNT_MICRO_NOK);
		const buy = street.act("buy", 0, { amountMicroNok: 10 });
		const issue = street.act("issue", 0, { orderId: street.id(buy), amountMicroNok: 10 });
		const redeem = street.act("redeem", 0, { amountMicroNok: 1 });
		expect(street.refusal(soon(street), [buy, issue, redeem])).toEqual({
			code: "claims-first",
			owedMicroNok: MAX_CIRCULATION_MICRO_NOK,
			balanceMicroNok: 10,
		});
	});

	it("is in the state, and comes back from a snapshot with what is open", () => {
		const street = settledStreet();
		agree(street, 0, 2, 1_000);
		agree(street, 0, 1, 1_000);
		propose(street, 1, { counterparty: 2, note: "Måleren ble byttet", energyWh: 12 });
		const { leaves } = snapshotOf(street.ledger, NO_RESULTS);
		const opened = openSnapshot(street.ledger, leaves);
		if (!opened.ok) throw new Error(opened.error.code);
		expect([...opened.value.claims]).toEqual([...street.ledger.claims]);
		expect([...opened.value.corrections]).toEqual([...street.ledger.corrections]);
		expect(stateRoot(opened.value, NO_RESULTS)).toEqual(stateRoot(street.ledger, NO_RESULTS));
	});
});

describe("a household that moves out", () => {
	it("agrees to corrections until it is out, and its claims are paid before the rest is locked", () => {
		const street = settledStreet([0, 5_000]);
		const id = propose(street, 0, { amountMicroNok: 3_000, isPayer: false });
		street.block(soon(street), [street.act("answer", 1, { correctionId: id }), street.act("leave", 1)]);
		expect(street.balances()).toEqual([3_000, 0, 0]);
		expect([...street.ledger.locks.values()]).toMatchObject([{ member: 1, amountMicroNok: 2_000 }]);
	});

	it("gets what neighbours owe it locked when what was locked before is paid out", () => {
		const street = settledStreet([0, 5_000]);
		agree(street, 0, 1, 3_000);
		const leave = street.act("leave", 1);
		street.block(soon(street), [leave]);
		street.giveTokens(0, 1_000);
		// The operator may be at the bank with what was locked: that stays as it is.
		expect([...street.ledger.locks.values()]).toMatchObject([{ member: 1, amountMicroNok: 5_000 }]);
		expect([street.balances(), claimsOf(street)]).toEqual([[0, 1_000, 0], [[0, 1, 2_000]]]);
		street.block(soon(street), [street.act("payout", 0, { lockId: street.id(leave), amountMicroNok: 5_000 })]);
		expect([...street.ledger.locks.values()]).toMatchObject([{ member: 1, amountMicroNok: 1_000 }]);
		expect(street.balances()).toEqual([0, 0, 0]);
		expect(street.household(1).removal?.completed).toBe(false);
	});

	it("leaves its claims to be seen when it is out, and nothing open", () => {
		// Its device has no vote, so that it is out at once.
		const street = new TestNeighbourhood(3, {}, 1);
		for (let minute = M; minute <= SETTLED; minute++) street.minute(minute);
		agree(street, 0, 1, 3_000);
		propose(street, 0, { counterparty: 1 });
		street.block(soon(street), [street.act("leave", 1)]);
		expect(street.household(1).removal?.completed).toBe(true);
		expect([openOf(street), claimsOf(street)]).toEqual([[], [[0, 1, 3_000]]]);
		street.giveTokens(0, 1_000);
		expect([street.balances(), claimsOf(street)]).toEqual([[1_000, 0, 0], [[0, 1, 3_000]]]);
		const late = street.act("correct", 0, { counterparty: 1 });
		expect(street.refusal(blockMsOf(SETTLED + 2), [late])).toEqual({ code: "moved-out", member: 1 });
	});
});
