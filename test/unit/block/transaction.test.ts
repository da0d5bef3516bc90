import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { invitationDigest } from "../../../src/block/invitation.js";
import { isAct, type Transaction, transactionId } from "../../../src/block/transaction.js";
import {
	decodeTransaction,
	encodeTransaction,
	MAX_TRANSACTION_BYTES,
	transactionFromWire,
	transactionToWire,
} from "../../../src/block/transactionCodec.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { type CborValue, decode, encode } from "../../../src/primitives/codec.js";
import { taggedHash } from "../../../src/primitives/hash.js";
import { createVerifier, publicKeyOf, sign } from "../../../src/primitives/signature.js";
import { bytesOf, transaction, transactionsByKind } from "../../support/arbitraries.js";
import { secretOf } from "../../support/ledger.js";

const KINDS = Object.keys(transactionsByKind) as (keyof typeof transactionsByKind)[];
const SIGNATURE = new Uint8Array(65).fill(9);
const ID = new Uint8Array(32).fill(5);
const KEY = new Uint8Array(33).fill(2);
const gridA = new Uint8Array(32).fill(1);
const gridB = new Uint8Array(32).fill(2);

/** The kinds by their number on the wire, each with good fields. */
const GOOD: Record<string, CborValue[]> = {
	reading: [0, 3, -29_000_000, 12, 0, 0, SIGNATURE],
	offer: [1, 3, 1, 1_000, 100, 200, 0, 0, [], 0, SIGNATURE],
	withdraw: [2, 3, 1, ID, SIGNATURE],
	accept: [3, 3, 1, 100, ID, SIGNATURE],
	end: [4, 3, 1, ID, SIGNATURE],
	buy: [5, 3, 1, 100, 1_000, SIGNATURE],
	issue: [6, 0, 1, 100, ID, 1_000, "KID 1", SIGNATURE],
	join: [7, "Hus", KEY, KEY, 1, [], [SIGNATURE, SIGNATURE]],
	found: [8, "Solbakken", 0, 2_000, 400, 0, 60_000, 180, 10_080, 1_440, 1, new Uint8Array(16), SIGNATURE],
};

function codeOf(wire: CborValue): string {
	const decoded = decodeTransaction(encode(wire));
	return decoded.ok ? "accepted" : decoded.error.code;
}

const changed = (kind: string, at: number, value: CborValue): CborValue[] =>
	(GOOD[kind] ?? []).map((field, index) => (index === at ? value : field));

describe("a transaction by itself", () => {
	it.each(KINDS)("of kind %s comes back from its bytes", (kind) => {
		fc.assert(
			fc.property<[Transaction]>(transactionsByKind[kind], (original) => {
				expect(decodeTransaction(encodeTransaction(original))).toEqual({ ok: true, value: original });
			}),
		);
	});

	it.each(Object.keys(GOOD))("of kind %s has the written shape", (kind) => {
		expect(codeOf(GOOD[kind] ?? [])).toBe("accepted");
	});

	it.each<[string, string, number, CborValue]>([
		["a reading's member above 999", "reading", 1, 1_000],
		["a reading's negative member", "reading", 1, -1],
		["a reading of a minute before the epoch", "reading", 2, 1],
		["a reading of a minute after the year 2200", "reading", 2, -121_000_001],
		["a reading's import above 1 MWh", "reading", 3, 1_000_001],
		["a reading's negative import", "reading", 3, -1],
		["a reading's export above 1 MWh", "reading", 4, 1_000_001],
		["a reading's negative export", "reading", 4, -1],
		["a quality that is not on the list", "reading", 5, 6],
		["a negative quality", "reading", 5, -1],
		["a signature of 64 bytes", "reading", 6, SIGNATURE.subarray(1)],
		["a signature that is text", "reading", 6, "x"],
		["a nonce of 0", "offer", 2, 0],
		["a price of 0", "offer", 3, 0],
		["a price above 1,000,000 µNOK/Wh", "offer", 3, 1_000_001],
		["a negative from", "offer", 4, -1],
		["an until after the year 2200", "offer", 5, 121_000_001],
		["a negative energy limit", "offer", 6, -1],
		["an energy limit above 1 TWh", "offer", 6, 1_000_000_000_001],
		["a notice of more than 30 days", "offer", 7, 43_201],
		["a negative notice", "offer", 7, -1],
		["two named buyers", "offer", 8, [1, 2]],
		["a named buyer that is no member index", "offer", 8, [1_000]],
		["a named buyer without its list", "offer", 8, 1],
		["a negative number of buyers", "offer", 9, -1],
		["an offer id of 31 bytes", "withdraw", 3, ID.subarray(1)],
		["a negative expiry", "accept", 3, -1],
		["an offer id of 33 bytes", "accept", 4, new Uint8Array(33)],
		["a contract id that is text", "end", 3, "x".repeat(32)],
		["an order of nothing", "buy", 4, 0],
		["an order above 10^15 µNOK", "buy", 4, 10 ** 15 + 1],
		["an issue of nothing", "issue", 5, 0],
		["an issue without reference", "issue", 6, ""],
		["a reference longer than 64", "issue", 6, "x".repeat(65)],
		["a join without name", "join", 1, ""],
		["a name longer than 40", "join", 1, "x".repeat(41)],
		["a name of two lines", "join", 1, "Hus\n1"],
		["a name with a blank before it", "join", 1, " Hus"],
		["a name with a blank behind it", "join", 1, "Hus "],
		["a name that turns the writing direction", "join", 1, "Hus \u202E1"],
		["a name with a line separator", "join", 1, "Hus\u20281"],
		["a household key of 32 bytes", "join", 2, KEY.subarray(1)],
		["a device key of 65 bytes", "join", 3, new Uint8Array(65)],
		["always on as 2", "join", 4, 2],
		["an invitation without its one-time signature", "join", 5, [new Uint8Array(16), 0, 100, KEY, SIGNATURE]],
		["a one-time signature without its invitation", "join", 6, [SIGNATURE, SIGNATURE, SIGNATURE]],
		["a join that only one signed", "join", 6, [SIGNATURE]],
		["an unknown kind of money", "found", 2, 3],
		["a negative tariff", "found", 3, -1],
		["a tariff above the highest price", "found", 4, 1_000_001],
		["a block interval that does not divide a minute", "found", 6, 7_000],
		["a block interval below a second", "found", 6, 500],
		["a block interval above a minute", "found", 6, 120_000],
		["a negative grace", "found", 7, -1],
		["no reading window", "found", 8, 0],
		["checkpoints closer than 10 blocks", "found", 9, 9],
		["checkpoints more than 100,000 blocks apart", "found", 9, 100_001],
		["a time scale of 0", "found", 10, 0],
		["a salt of 15 bytes", "found", 11, new Uint8Array(15)],
	])("with %s is refused", (_, kind, at, value) => {
		expect(decodeTransaction(encode(changed(kind, at, value)))).toEqual({
			ok: false,
			error: { code: "bad-shape", kind },
		});
	});

	it.each(Object.keys(GOOD))("of kind %s with a field too few or too many is refused", (kind) => {
		const good = GOOD[kind] ?? [];
		expect(codeOf(good.slice(0, -1))).toBe("bad-shape");
		expect(codeOf([...good, 0])).toBe("bad-shape");
	});

	it("at the edge of every bound is taken", () => {
		expect(codeOf([0, 999, -121_000_000, 1_000_000, 1_000_000, 5, SIGNATURE])).toBe("accepted");
		expect(codeOf([0, 0, 0, 0, 0, 0, SIGNATURE])).toBe("accepted");
		const top = Number.MAX_SAFE_INTEGER;
		const offer = [1, 0, top, 1_000_000, 0, 121_000_000, 10 ** 12, 43_200, [999], 1_000, SIGNATURE];
		expect(codeOf(offer)).toBe("accepted");
		expect(codeOf([5, 0, 1, 121_000_000, 10 ** 15, SIGNATURE])).toBe("accepted");
		expect(codeOf(changed("join", 1, "𝒳".repeat(20)))).toBe("accepted");
	});

	it("of a kind that nobody knows is refused", () => {
		for (const wire of [[99], [-1], [255, 1], [], ["reading"], 0, "reading", [[0]], new Uint8Array(3)]) {
			expect(codeOf(wire)).toBe("unknown-kind");
		}
	});

	it(`is refused above ${MAX_TRANSACTION_BYTES} bytes before it is read`, () => {
		expect(decodeTransaction(new Uint8Array(MAX_TRANSACTION_BYTES + 1))).toMatchObject({ error: { code: "too-long" } });
	});

	it("never throws on bytes of any kind, nor on changed bytes of a real one", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
				decodeTransaction(bytes);
			}),
			{ numRuns: 500 },
		);
		fc.assert(
			fc.property(transaction, fc.nat(), fc.nat(255), (original, at, byte) => {
				const bytes = Uint8Array.from(encodeTransaction(original));
				bytes[at % bytes.length] = byte;
				const decoded = decodeTransaction(bytes);
				if (decoded.ok) expect(toHex(encodeTransaction(decoded.value))).toBe(toHex(bytes));
			}),
			{ numRuns: 500 },
		);
	});

	it("is an act when its household signs it with a nonce", () => {
		const acts = fc.sample(transaction, { numRuns: 2_000, seed: 1 }).filter(isAct);
		expect(new Set(acts.map(({ kind }) => kind))).toEqual(
			new Set([
				"offer",
				"withdraw",
				"accept",
				"end",
				"buy",
				"issue",
				"voters",
				"device",
				"revoke",
				"iceServers",
				"rename",
				"role",
				"suspend",
				"remove",
				"payout",
				"appoint",
				"rebind",
				"contest",
				"redeem",
				"cancel",
				"leave",
				"limits",
				"market",
				"tariff",
				"bank",
				"bankConfirm",
				"correct",
				"answer",
				"money",
				"moneyConfirm",
				"credit",
			]),
		);
	});
});

describe("a transaction in a block", () => {
	it.each(KINDS)("of kind %s comes back from its compact form with the block's minute", (kind) => {
		fc.assert(
			fc.property<[Transaction, number]>(transactionsByKind[kind], fc.nat(120_000_000), (original, baseMinute) => {
				const wire = decode(encode(transactionToWire(original, baseMinute)), 10_000);
				if (!wire.ok) throw new Error(wire.error.code);
				expect(transactionFromWire(wire.value, baseMinute)).toEqual({ ok: true, value: original });
			}),
		);
	});

	it("costs at most 100 bytes when it is a reading, signature included", () => {
		const base = 29_000_000;
		const day = { kind: "reading", quality: "estimated", signature: SIGNATURE } as const;
		const usual: Transaction = { ...day, member: 29, minute: base - 1, importWh: 83, exportWh: 0 };
		const worst: Transaction = { ...day, member: 999, minute: base - 10_080, importWh: 1_000_000, exportWh: 1_000_000 };
		expect(encode(transactionToWire(usual, base)).length).toBeLessThanOrEqual(80);
		expect(encode(transactionToWire(worst, base)).length).toBeLessThanOrEqual(100);
	});

	it("names minutes relative to the block, and the signed body all the same names them absolutely", () => {
		const wire = [0, 3, 1, 12, 0, 0, SIGNATURE];
		const [early, late] = [transactionFromWire(wire, 1_000), transactionFromWire(wire, 2_000)];
		if (!early.ok || !late.ok) throw new Error("refused");
		expect([early.value, late.value]).toMatchObject([{ minute: 999 }, { minute: 1_999 }]);
		expect(toHex(transactionId(early.value, gridA))).not.toBe(toHex(transactionId(late.value, gridA)));
	});
});

describe("a transaction's id", () => {
	it("is the tagged hash of its kind over grid id and body, without the signature", () => {
		const unsigned = { kind: "withdraw" as const, member: 3, nonce: 7, offerId: ID };
		const id = transactionId(unsigned, gridA);
		expect(toHex(id)).toBe(toHex(taggedHash("withdraw")(gridA, encode([3, 7, ID]))));
		const signed: Transaction = { ...unsigned, signature: SIGNATURE };
		expect(toHex(transactionId(signed, gridA))).toBe(toHex(id));
	});

	it("changes with every field of the body, whatever the kind", () => {
		fc.assert(
			fc.property(transaction, transaction, (a, b) => {
				const sameBody =
					a.kind === b.kind &&
					toHex(encodeTransaction(a)).slice(0, -134) === toHex(encodeTransaction(b)).slice(0, -134);
				if (!sameBody) expect(toHex(transactionId(a, gridA))).not.toBe(toHex(transactionId(b, gridA)));
				expect(toHex(transactionId(a, gridA))).not.toBe(toHex(transactionId(a, gridB)));
			}),
		);
	});

	it("signed for one kind or one grid is worth nothing for another", () => {
		const secret = secretOf("a");
		const publicKey = publicKeyOf(secret);
		const verifier = createVerifier();
		// `withdraw` and `end` have bodies of the same shape: only the tag tells them apart.
		const withdraw = { kind: "withdraw" as const, member: 3, nonce: 7, offerId: ID };
		const end = { kind: "end" as const, member: 3, nonce: 7, contractId: ID };
		const signature = sign(transactionId(withdraw, gridA), secret);
		expect(verifier.verify(signature, transactionId(withdraw, gridA), publicKey)).toBe(true);
		expect(verifier.verify(signature, transactionId(end, gridA), publicKey)).toBe(false);
		expect(verifier.verify(signature, transactionId(withdraw, gridB), publicKey)).toBe(false);
	});

	it("of an invitation depends on the grid and on every field", () => {
		const invitation = { id: new Uint8Array(16), operator: 0, expiryMinute: 5, oneTimeKey: KEY, observer: false };
		const digests = [
			invitationDigest(invitation, gridA),
			invitationDigest(invitation, gridB),
			invitationDigest({ ...invitation, id: new Uint8Array(16).fill(1) }, gridA),
			invitationDigest({ ...invitation, operator: 1 }, gridA),
			invitationDigest({ ...invitation, expiryMinute: 6 }, gridA),
			invitationDigest({ ...invitation, oneTimeKey: new Uint8Array(33) }, gridA),
		].map(toHex);
		expect(new Set(digests).size).toBe(digests.length);
	});

	it("is different for any two grids", () => {
		fc.assert(
			fc.property(bytesOf(32), bytesOf(32), (a, b) => {
				const unsigned = { kind: "end" as const, member: 3, nonce: 7, contractId: ID };
				const same = toHex(transactionId(unsigned, a)) === toHex(transactionId(unsigned, b));
				expect(same).toBe(toHex(a) === toHex(b));
			}),
		);
	});
});
