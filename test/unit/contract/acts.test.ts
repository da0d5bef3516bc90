import { describe, expect, it } from "vitest";
import type { Transaction } from "../../../src/block/transaction.js";
import { executeCandidates, judge, judgeAll } from "../../../src/contract/execute.js";
import { checkSignatures } from "../../../src/contract/signers.js";
import { MAX_OPEN_ORDERS } from "../../../src/contract/treasury.js";
import { createVerifier, sign } from "../../../src/primitives/signature.js";
import { MAX_AMOUNT_MICRO_NOK, MAX_CIRCULATION_MICRO_NOK } from "../../../src/primitives/units.js";
import { blockMsOf, FIRST_MINUTE, secretOf, signedFound, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;

describe("a nonce", () => {
	it("is the household's last + 1, and each household has its own", () => {
		const street = new TestNeighbourhood(2);
		street.block(soon(street), [street.act("offer", 0), street.act("offer", 1), street.act("offer", 0)]);
		expect(street.ledger.households.map(({ nonce }) => nonce)).toEqual([2, 1]);
		expect(street.refusal(soon(street), [street.act("offer", 0, {}, 3)])).toBeUndefined();
	});

	it("that was used is refused, and one after a gap waits", () => {
		const street = new TestNeighbourhood(1);
		street.block(soon(street), [street.act("offer", 0)]);
		expect(street.refusal(soon(street), [street.act("offer", 0, {}, 1)])).toEqual({
			code: "nonce-used",
			nonce: 1,
			last: 1,
		});
		expect(street.refusal(soon(street), [street.act("offer", 0, {}, 3)])).toEqual({
			code: "nonce-gap",
			nonce: 3,
			last: 1,
		});
	});

	it("is not consumed by an act that is refused", () => {
		const street = new TestNeighbourhood(2);
		const bad = street.act("withdraw", 0, {}, 1);
		const good = street.act("offer", 0, {}, 1);
		const frame = { index: 1, previousHash: street.ledger.gridId, timestampMs: soon(street) };
		const { transactions, ledger } = executeCandidates(street.ledger, frame, [bad, good], () => true);
		expect(transactions).toEqual([good]);
		expect(ledger.households[0]?.nonce).toBe(1);
	});

	it("of one act makes the same act twice in a chain impossible", () => {
		const street = new TestNeighbourhood(1);
		const offer = street.act("offer", 0);
		street.block(soon(street), [offer]);
		expect(street.refusal(soon(street), [offer])).toMatchObject({ code: "nonce-used" });
	});
});

describe("an act that moves money", () => {
	it.each(["accept", "buy", "issue"] as const)("%s is refused after its expiry, which itself is still good", (kind) => {
		const street = new TestNeighbourhood(2);
		const buy = street.act("buy", 1);
		const offer = street.act("offer", 0);
		street.block(soon(street), [buy, offer]);
		const fields = { expiryMinute: M + 5, offerId: street.id(offer), orderId: street.id(buy) };
		const member = kind === "issue" ? 0 : 1;
		const act = () => street.act(kind, member, fields);
		expect(street.refusal((M + 6) * 60_000 - 1, [act()])).toBeUndefined();
		expect(street.refusal((M + 6) * 60_000, [act()])).toEqual({
			code: "expired",
			expiryMinute: M + 5,
			minute: M + 6,
		});
	});
});

describe("tokens", () => {
	it("are ordered by a household and created by the operator: balance and circulation grow together", () => {
		const street = new TestNeighbourhood(2);
		const buy = street.act("buy", 1, { amountMicroNok: 500 });
		street.block(soon(street), [buy]);
		expect(street.balances()).toEqual([0, 0]);
		expect([...street.ledger.orders.values()]).toEqual([
			{ id: street.id(buy), member: 1, amountMicroNok: 500, timestampMs: street.head.timestampMs },
		]);
		street.block(soon(street), [street.act("issue", 0, { orderId: street.id(buy), amountMicroNok: 500 })]);
		expect(street.balances()).toEqual([0, 500]);
		expect(street.ledger).toMatchObject({ issuedMicroNok: 500 });
		expect(street.ledger.orders.size).toBe(0);
	});

	it("are issued by the operator only, for an open order only, in its amount only, and once", () => {
		const street = new TestNeighbourhood(2);
		const buy = street.act("buy", 1, { amountMicroNok: 500 });
		street.block(soon(street), [buy]);
		const issue = (member: number, amountMicroNok: number) =>
			street.act("issue", member, { orderId: street.id(buy), amountMicroNok });
		expect(street.refusal(soon(street), [issue(1, 500)])).toEqual({ code: "not-operator" });
		expect(street.refusal(soon(street), [street.act("issue", 0)])).toEqual({ code: "unknown-order" });
		expect(street.refusal(soon(street), [issue(0, 501)])).toEqual({
			code: "amount-differs",
			orderedMicroNok: 500,
			amountMicroNok: 501,
		});
		street.block(soon(street), [issue(0, 500)]);
		expect(street.refusal(soon(street), [issue(0, 500)])).toEqual({ code: "unknown-order" });
	});

	it(`are ordered at most ${MAX_OPEN_ORDERS} times at once by one household`, () => {
		const street = new TestNeighbourhood(2);
		const buys = Array.from({ length: MAX_OPEN_ORDERS }, () => street.act("buy", 1));
		street.block(soon(street), [...buys, street.act("buy", 0)]);
		expect(street.refusal(soon(street), [street.act("buy", 1)])).toEqual({ code: "too-many-orders", limit: 8 });
		const [first] = buys;
		if (first === undefined) throw new Error("an order");
		street.block(soon(street), [street.act("issue", 0, { orderId: street.id(first) })]);
		expect(street.refusal(soon(street), [street.act("buy", 1)])).toBeUndefined();
	});

	it("in circulation stay below 2^53 µNOK", () => {
		const street = new TestNeighbourhood(2);
		for (let i = 0; i < 9; i++) street.giveTokens(1, MAX_AMOUNT_MICRO_NOK);
		expect(street.ledger.issuedMicroNok).toBe(MAX_CIRCULATION_MICRO_NOK);
		const buy = street.act("buy", 1, { amountMicroNok: 1 });
		const issue = street.act("issue", 0, { orderId: street.id(buy), amountMicroNok: 1 });
		expect(street.refusal(soon(street), [buy, issue])).toEqual({
			code: "circulation-limit",
			issuedMicroNok: MAX_CIRCULATION_MICRO_NOK,
		});
	});
});

describe("a transaction of nobody", () => {
	it("is refused: there is no such member", () => {
		const street = new TestNeighbourhood(2);
		const verifier = createVerifier();
		const stranger = { code: "unknown-member", member: 2 };
		for (const transaction of [street.act("offer", 2), street.reading(2, M, 1, 1)]) {
			expect(checkSignatures(street.ledger, transaction, verifier)).toEqual(stranger);
			expect(street.refusal(blockMsOf(M), [transaction])).toEqual(stranger);
		}
	});

	it("that founds is refused outside of genesis", () => {
		const street = new TestNeighbourhood(1);
		const found = signedFound();
		expect(street.refusal(soon(street), [found])).toEqual({ code: "only-in-genesis", kind: "found" });
		expect(checkSignatures(street.ledger, found, createVerifier())).toEqual({ code: "only-in-genesis", kind: "found" });
	});
});

describe("the signature", () => {
	const street = new TestNeighbourhood(2);
	const verifier = createVerifier();
	const codeOf = (transaction: Transaction) => checkSignatures(street.ledger, transaction, verifier)?.code;

	it("of an act is the household's, of a reading its metering device's, and no other's", () => {
		const acts = (["offer", "withdraw", "accept", "end", "buy", "issue"] as const).map((kind) => street.act(kind, 1));
		const reading = street.reading(1, M, 1, 1);
		for (const transaction of [...acts, reading]) {
			expect(codeOf(transaction)).toBeUndefined();
			for (const name of ["household 0", "device 0", transaction === reading ? "household 1" : "device 1"]) {
				expect(codeOf({ ...transaction, signature: sign(street.id(transaction), secretOf(name)) })).toBe(
					"bad-signature",
				);
			}
			expect(codeOf({ ...transaction, member: 0 })).toBe("bad-signature");
		}
		expect(codeOf({ ...reading, importWh: 2 })).toBe("bad-signature");
	});

	it("for another neighbourhood is worth nothing here", () => {
		const elsewhere = new TestNeighbourhood(2, { name: "Furulia" });
		expect(codeOf(elsewhere.act("offer", 1))).toBe("bad-signature");
		expect(codeOf(elsewhere.reading(1, M, 1, 1))).toBe("bad-signature");
	});
});

describe("the proposer", () => {
	it("leaves out what the rules refuse, and stops at what does not fit", () => {
		const street = new TestNeighbourhood(2);
		const frame = { index: 1, previousHash: street.ledger.gridId, timestampMs: blockMsOf(M) };
		const good = [street.reading(0, M, 1, 0), street.reading(1, M, 1, 0)];
		const bad = [street.reading(0, M, 2, 0), street.reading(1, M + 1, 1, 0), street.act("issue", 1)];
		const [a, b] = good;
		if (a === undefined || b === undefined) throw new Error("two readings");
		const all = executeCandidates(street.ledger, frame, [a, ...bad, b], () => true);
		expect(all.transactions).toEqual(good);
		let room = 1;
		const first = executeCandidates(street.ledger, frame, [a, ...bad, b], () => room-- > 0);
		expect(first.transactions).toEqual([a]);
	});

	it("has every candidate judged as in a block of its own; of two readings for one minute the second is refused", () => {
		const street = new TestNeighbourhood(2);
		const [one, two] = [street.reading(0, M, 1, 0), street.reading(0, M, 2, 0)];
		const [first, second] = [street.act("offer", 1, {}, 1), street.act("offer", 1, {}, 2)];
		const codes = judgeAll(street.ledger, blockMsOf(M), [one, two, first, second]).map((cause) => cause?.code);
		expect(codes).toEqual([undefined, "duplicate-reading", undefined, "nonce-gap"]);
		expect(judge(street.ledger, blockMsOf(M), two)).toBeUndefined();
		expect(judge(street.ledger, blockMsOf(M) - 1, two)).toEqual({ code: "minute-not-ended", minute: M });
	});
});
