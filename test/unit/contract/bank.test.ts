import { describe, expect, it } from "vitest";
import type { BankTransaction } from "../../../src/block/kinds/treasury.js";
import { differenceMicroNok } from "../../../src/contract/bank.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { stateRoot } from "../../../src/contract/stateRoot.js";
import { MAX_AMOUNT_MICRO_NOK, TAKE_BACK_MINUTES } from "../../../src/primitives/units.js";
import { FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
type Said = Partial<Omit<BankTransaction, "kind" | "member" | "nonce" | "signature">>;

/** Three households; the second has tokens for 5 kr. */
function funded(): TestNeighbourhood {
	const street = new TestNeighbourhood(3);
	street.giveTokens(1, 5_000_000);
	return street;
}

function state(street: TestNeighbourhood, said: Said, member = 0): Uint8Array {
	const act = street.act("bank", member, said);
	street.block(soon(street), [act]);
	return street.id(act);
}

const difference = ({ ledger: { bank } }: TestNeighbourhood) => bank && differenceMicroNok(bank);
const refusalOf = (street: TestNeighbourhood, said: Said, member = 0) =>
	street.refusal(soon(street), [street.act("bank", member, said)]);

/** Why an order of the third household is not issued. */
function issueRefusal(street: TestNeighbourhood) {
	const buy = street.act("buy", 2);
	return street.refusal(soon(street), [buy, street.act("issue", 0, { orderId: street.id(buy) })]);
}

describe("the bank's balance", () => {
	it("is compared with what was in circulation, fees, interest and unmatched money counted in", () => {
		const street = funded();
		state(street, { balanceMicroNok: 5_000_000 });
		expect(difference(street)).toBe(0);
		state(street, {
			balanceMicroNok: 5_690_000,
			feesMicroNok: 30_000,
			interestMicroNok: 20_000,
			unmatchedMicroNok: 700_000,
		});
		expect(difference(street)).toBe(0);
		// What was said before still counts.
		state(street, { balanceMicroNok: 5_685_000, feesMicroNok: 5_000 });
		expect(difference(street)).toBe(0);
		expect(street.ledger.bank).toMatchObject({
			feesMicroNok: 35_000,
			interestMicroNok: 20_000,
			unmatchedMicroNok: 700_000,
			circulationMicroNok: 5_000_000,
		});
	});

	it("counts what is locked as in circulation, and no more what was paid out", () => {
		const street = funded();
		const redeem = street.act("redeem", 1, { amountMicroNok: 2_000_000 });
		street.block(soon(street), [redeem]);
		state(street, { balanceMicroNok: 5_000_000 });
		expect(difference(street)).toBe(0);
		for (let minute = M; minute < M + TAKE_BACK_MINUTES; minute++) street.minute(minute);
		const lockId = street.id(redeem);
		street.block(soon(street), [street.act("payout", 0, { lockId, amountMicroNok: 2_000_000 })]);
		state(street, { balanceMicroNok: 3_000_000 });
		expect(difference(street)).toBe(0);
	});

	it("stops the issuing of tokens while money is missing, and names how much", () => {
		const street = funded();
		state(street, { balanceMicroNok: 4_999_999 });
		expect(issueRefusal(street)).toEqual({ code: "bank-shortfall", shortfallMicroNok: 1 });
		// It was a fee.
		state(street, { balanceMicroNok: 4_999_999, feesMicroNok: 1 });
		expect(issueRefusal(street)).toBeUndefined();
	});

	it("stops nothing where there is too much, and no payout even where money is missing", () => {
		const street = funded();
		state(street, { balanceMicroNok: 6_000_000 });
		expect(difference(street)).toBe(1_000_000);
		expect(issueRefusal(street)).toBeUndefined();
		const redeem = street.act("redeem", 1, { amountMicroNok: 2_000_000 });
		street.block(soon(street), [redeem]);
		state(street, { balanceMicroNok: 0 });
		for (let minute = M; minute < M + TAKE_BACK_MINUTES; minute++) street.minute(minute);
		street.block(soon(street), [street.act("payout", 0, { lockId: street.id(redeem), amountMicroNok: 2_000_000 })]);
		expect(street.ledger.paidOutMicroNok).toBe(2_000_000);
	});

	it("is not made worse by tokens that came after it", () => {
		const street = funded();
		state(street, { balanceMicroNok: 5_000_000 });
		street.giveTokens(2, 3_000_000);
		expect(difference(street)).toBe(0);
		expect(issueRefusal(street)).toBeUndefined();
		state(street, { balanceMicroNok: 8_000_000 });
		expect(difference(street)).toBe(0);
	});

	it("knows of unmatched money that has found its order, or went back", () => {
		const street = funded();
		state(street, { balanceMicroNok: 6_500_000, unmatchedMicroNok: 1_500_000 });
		street.giveTokens(2, 1_000_000);
		state(street, { balanceMicroNok: 6_500_000, clearedMicroNok: 1_000_000 });
		expect(difference(street)).toBe(0);
		expect(refusalOf(street, { clearedMicroNok: 500_001 })).toEqual({
			code: "bank-cleared-too-much",
			openMicroNok: 500_000,
			amountMicroNok: 500_001,
		});
		state(street, { balanceMicroNok: 6_000_000, clearedMicroNok: 500_000 });
		expect(street.ledger.bank?.unmatchedMicroNok).toBe(0);
		expect(difference(street)).toBe(0);
	});

	it("is stated by operators, of a time that has passed, and never of one before the last", () => {
		const street = funded();
		street.minute(M + 5);
		state(street, { minute: M + 3 });
		expect(refusalOf(street, {}, 1)).toEqual({ code: "not-operator" });
		expect(refusalOf(street, { minute: M + 7 })).toEqual({ code: "bank-in-future", minute: M + 6 });
		expect(refusalOf(street, { minute: M + 2 })).toEqual({ code: "bank-older", minute: M + 3 });
		expect(refusalOf(street, { minute: M + 3 })).toBeUndefined();
		expect(refusalOf(street, { minute: M + 6 })).toBeUndefined();
	});

	it("is refused where sums grow beyond what is exact", () => {
		const street = funded();
		state(street, { interestMicroNok: MAX_AMOUNT_MICRO_NOK, unmatchedMicroNok: MAX_AMOUNT_MICRO_NOK });
		expect(refusalOf(street, { interestMicroNok: 1 })).toEqual({ code: "bank-limit" });
		expect(refusalOf(street, { unmatchedMicroNok: 1 })).toEqual({ code: "bank-limit" });
		expect(refusalOf(street, { feesMicroNok: MAX_AMOUNT_MICRO_NOK })).toBeUndefined();
	});

	it("is none where play money is used", () => {
		const street = new TestNeighbourhood(3, { moneyKind: "trial" });
		expect(refusalOf(street, {})).toEqual({ code: "no-bank" });
		expect(street.refusal(soon(street), [street.act("bankConfirm", 1)])).toEqual({ code: "no-bank" });
	});

	it("stands in the operators' record", () => {
		const street = funded();
		state(street, { balanceMicroNok: 5_000_000 });
		expect(street.ledger.operatorRecord?.at(-1)).toMatchObject({
			kind: "bank",
			member: 0,
			amountMicroNok: 5_000_000,
			texts: [String(M)],
		});
	});
});

describe("the confirmation of a balance", () => {
	const confirmRefusal = (street: TestNeighbourhood, member: number, statementId: Uint8Array) =>
		street.refusal(soon(street), [street.act("bankConfirm", member, { statementId })]);

	it("is another household's, of the last statement", () => {
		const street = funded();
		const first = state(street, { balanceMicroNok: 5_000_000 });
		const second = state(street, { balanceMicroNok: 5_000_000 });
		expect(confirmRefusal(street, 1, first)).toEqual({ code: "unknown-statement" });
		expect(confirmRefusal(street, 0, second)).toEqual({ code: "own-statement" });
		street.block(soon(street), [street.act("bankConfirm", 1, { statementId: second })]);
		expect(street.ledger.bank?.confirmed).toEqual({
			statementId: second,
			member: 1,
			timestampMs: street.head.timestampMs,
		});
		expect(street.household(1).nonce).toBe(2);
	});

	it("is not a suspended household's, nor anybody's where nothing was stated", () => {
		const street = funded();
		expect(confirmRefusal(street, 1, new Uint8Array(32))).toEqual({ code: "unknown-statement" });
		const statementId = state(street, { balanceMicroNok: 5_000_000 });
		street.block(soon(street), [street.act("suspend", 0, { household: 2 })]);
		expect(confirmRefusal(street, 2, statementId)).toEqual({ code: "suspended" });
	});

	it("is remembered when another balance is stated, until that is confirmed", () => {
		const street = funded();
		const first = state(street, { balanceMicroNok: 5_000_000 });
		street.block(soon(street), [street.act("bankConfirm", 1, { statementId: first })]);
		const second = state(street, { balanceMicroNok: 5_000_000 });
		expect(street.ledger.bank?.confirmed).toMatchObject({ statementId: first, member: 1 });
		street.block(soon(street), [street.act("bankConfirm", 2, { statementId: second })]);
		expect(street.ledger.bank?.confirmed).toMatchObject({ statementId: second, member: 2 });
	});
});

describe("in the state, the bank's balance", () => {
	it("is a leaf that is there only once it was stated, and comes out as it was", () => {
		const street = funded();
		const before = snapshotOf({ ...street.ledger, operatorRecord: undefined }, NO_RESULTS).leaves.length;
		const statementId = state(street, { balanceMicroNok: 5_000_000, unmatchedMicroNok: 3 });
		street.block(soon(street), [street.act("bankConfirm", 1, { statementId })]);
		expect(snapshotOf({ ...street.ledger, operatorRecord: undefined }, NO_RESULTS).leaves).toHaveLength(before + 1);
		const opened = openSnapshot(street.ledger, snapshotOf(street.ledger, NO_RESULTS).leaves);
		expect(opened.ok && opened.value.bank).toEqual(street.ledger.bank);
		const root = stateRoot(street.ledger, NO_RESULTS);
		expect(opened.ok && stateRoot(opened.value, NO_RESULTS)).toEqual(root);
	});

	it("names members only", () => {
		const street = funded();
		state(street, { balanceMicroNok: 5_000_000 });
		const { bank } = street.ledger;
		const damaged = { ...street.ledger, bank: bank && { ...bank, member: 3 } };
		const opened = openSnapshot(street.ledger, snapshotOf(damaged, NO_RESULTS).leaves);
		expect(opened).toEqual({ ok: false, error: { code: "inconsistent-snapshot", what: "references" } });
	});
});
