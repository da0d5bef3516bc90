import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	BLOCK_VERSION,
	type Block,
	blockHash,
	decodeBlock,
	encodeBlock,
	MAX_BLOCK_BYTES,
	MAX_GENESIS_BYTES,
	sameBlock,
	transactionsRoot,
	validateAgainst,
} from "../../../src/block/block.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { type CborValue, encode } from "../../../src/primitives/codec.js";
import { taggedHash, ZERO_HASH } from "../../../src/primitives/hash.js";
import { block as anyBlock, transactionsByKind } from "../../support/arbitraries.js";

const ROOT = new Uint8Array(32).fill(4);
const EMPTY = transactionsRoot([], 0);

const parent: Block = {
	version: BLOCK_VERSION,
	index: 7,
	previousHash: ZERO_HASH,
	timestampMs: 1_740_000_000_000,
	term: 3,
	proposer: 1,
	transactionsRoot: EMPTY,
	stateRoot: ROOT,
	transactions: [],
};
const child: Block = {
	...parent,
	index: 8,
	previousHash: blockHash(parent),
	timestampMs: parent.timestampMs + 60_000,
};

describe("a block", () => {
	it("comes back from its bytes when its parent is known, with the same hash", () => {
		fc.assert(
			fc.property(anyBlock, (original) => {
				const decoded = decodeBlock(encodeBlock(original), original.previousHash);
				expect(decoded).toEqual({ ok: true, value: original });
				if (decoded.ok) expect(sameBlock(decoded.value, original)).toBe(true);
			}),
			{ numRuns: 200 },
		);
	});

	it("has another hash under another parent", () => {
		const elsewhere = decodeBlock(encodeBlock(child), ROOT);
		if (!elsewhere.ok) throw new Error(elsewhere.error.code);
		expect(sameBlock(elsewhere.value, child)).toBe(false);
	});

	it("is hashed over its whole header", () => {
		expect(toHex(blockHash(child))).toBe(
			toHex(
				taggedHash("block")(
					encode([1, 8, child.previousHash, child.timestampMs, 3, 1, child.transactionsRoot, child.stateRoot]),
				),
			),
		);
		const others: Block[] = [
			{ ...child, version: 2 },
			{ ...child, index: 9 },
			{ ...child, previousHash: ROOT },
			{ ...child, timestampMs: child.timestampMs + 1 },
			{ ...child, term: 4 },
			{ ...child, proposer: 2 },
			{ ...child, transactionsRoot: ROOT },
			{ ...child, stateRoot: ZERO_HASH },
		];
		expect(new Set([child, ...others].map((block) => toHex(blockHash(block)))).size).toBe(9);
		for (const other of others) expect(sameBlock(other, child)).toBe(false);
	});

	it("commits to its transactions with their signatures, in their order", () => {
		const reading = { kind: "reading", member: 0, minute: 5, importWh: 1, exportWh: 0, quality: "measured" } as const;
		const [a, b, c] = [1, 2, 3].map((byte) => ({ ...reading, signature: new Uint8Array(65).fill(byte) }));
		if (a === undefined || b === undefined || c === undefined) throw new Error("three");
		const root = toHex(transactionsRoot([a, b], 600_000));
		expect(toHex(transactionsRoot([b, a], 600_000))).not.toBe(root);
		expect(toHex(transactionsRoot([a, c], 600_000))).not.toBe(root);
		expect(toHex(transactionsRoot([a], 600_000))).not.toBe(root);
	});
});

describe("a block after its parent", () => {
	const codeOf = (change: Partial<Block>) => {
		const result = validateAgainst(parent, blockHash(parent), { ...child, ...change });
		return result.ok ? "accepted" : result.error;
	};

	it("is taken when it follows it", () => {
		expect(codeOf({})).toBe("accepted");
		expect(codeOf({ timestampMs: parent.timestampMs + 1 })).toBe("accepted");
		expect(codeOf({ term: 900 })).toBe("accepted");
		expect(codeOf({ proposer: 24 })).toBe("accepted");
	});

	it.each<[string, Partial<Block>, object]>([
		["another version", { version: 2 }, { code: "unknown-version", version: 2 }],
		["its parent's index", { index: 7 }, { code: "wrong-index", expected: 8, index: 7 }],
		["an index left out", { index: 9 }, { code: "wrong-index", expected: 8, index: 9 }],
		["another parent", { previousHash: ROOT }, { code: "wrong-previous-hash", index: 8 }],
		[
			"its parent's time",
			{ timestampMs: parent.timestampMs },
			{ code: "timestamp-not-later", parentMs: parent.timestampMs, timestampMs: parent.timestampMs },
		],
		[
			"an earlier time",
			{ timestampMs: parent.timestampMs - 1 },
			{ code: "timestamp-not-later", parentMs: parent.timestampMs, timestampMs: parent.timestampMs - 1 },
		],
		["an earlier term", { term: 2 }, { code: "term-went-back", parentTerm: 3, term: 2 }],
	])("is refused with %s", (_, change, error) => {
		expect(codeOf(change)).toEqual(error);
	});
});

describe("a block's bytes", () => {
	const GOOD: CborValue[] = [1, 8, 1_740_000_000_000, 3, 1, ROOT, []];
	const codeOf = (wire: CborValue) => {
		const decoded = decodeBlock(encode(wire), ZERO_HASH);
		return decoded.ok ? "accepted" : decoded.error.code;
	};

	it.each<[string, number, CborValue]>([
		["a version beyond 16 bits", 0, 65_536],
		["a negative index", 1, -1],
		["a negative time", 2, -1],
		["a time after the year 2200", 2, 121_000_000 * 60_000 + 1],
		["a negative term", 3, -1],
		["a proposer beyond 16 bits", 4, 65_536],
		["a state root of 31 bytes", 5, ROOT.subarray(1)],
		["transactions that are no list", 6, 0],
	])("with %s are refused", (_, at, value) => {
		expect(codeOf(GOOD)).toBe("accepted");
		expect(codeOf(GOOD.map((field, index) => (index === at ? value : field)))).toBe("bad-block-shape");
	});

	it("with a field too few or too many, or that are no list, are refused", () => {
		for (const wire of [GOOD.slice(0, -1), [...GOOD, 0], [], 7, "block", ROOT])
			expect(codeOf(wire)).toBe("bad-block-shape");
	});

	it("with a transaction that cannot be are refused, and the error says which and why", () => {
		const good = [2, 3, 1, ROOT, new Uint8Array(65)];
		expect(decodeBlock(encode([...GOOD.slice(0, 6), [good, [99]]]), ZERO_HASH)).toEqual({
			ok: false,
			error: { code: "bad-transaction", at: 1, cause: { code: "unknown-kind" } },
		});
		expect(decodeBlock(encode([...GOOD.slice(0, 6), [[2, 3, 0, ROOT, new Uint8Array(65)]]]), ZERO_HASH)).toEqual({
			ok: false,
			error: { code: "bad-transaction", at: 0, cause: { code: "bad-shape", kind: "withdraw" } },
		});
	});

	it("with a reading from before the epoch or behind the year 2200 are refused", () => {
		const readingAt = (distance: number) => [0, 3, distance, 1, 1, 0, new Uint8Array(65)];
		const inBlock = (distance: number) => [1, 8, 600_000, 3, 1, ROOT, [readingAt(distance)]];
		expect(codeOf(inBlock(10))).toBe("accepted");
		expect(codeOf(inBlock(11))).toBe("bad-transaction");
		expect(codeOf(inBlock(-121_000_000))).toBe("bad-transaction");
	});

	it(`above ${MAX_GENESIS_BYTES} are refused before they are read`, () => {
		expect(decodeBlock(new Uint8Array(MAX_GENESIS_BYTES + 1), ZERO_HASH)).toMatchObject({
			error: { code: "too-long" },
		});
	});

	it(`above ${MAX_BLOCK_BYTES} are a genesis that holds an older chain's state, or are refused`, () => {
		const [refound] = fc.sample(transactionsByKind.refound, { numRuns: 1, seed: 1 });
		if (refound === undefined) throw new Error("there is a sample");
		const predecessor = { ...refound.predecessor, leaves: [new Uint8Array(MAX_BLOCK_BYTES)] };
		const bytesAt = (index: number) => encodeBlock({ ...parent, index, transactions: [{ ...refound, predecessor }] });
		expect(decodeBlock(bytesAt(0), ZERO_HASH)).toMatchObject({ ok: true });
		expect(decodeBlock(bytesAt(1), ZERO_HASH)).toMatchObject({ error: { code: "too-long", limit: MAX_BLOCK_BYTES } });
	});

	it("never make the reader throw, however they are changed", () => {
		fc.assert(
			fc.property(
				anyBlock,
				fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
				(block, changes) => {
					const bytes = Uint8Array.from(encodeBlock(block));
					for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
					const decoded = decodeBlock(bytes, block.previousHash);
					if (decoded.ok) expect(toHex(encodeBlock(decoded.value))).toBe(toHex(bytes));
				},
			),
			{ numRuns: 300 },
		);
	});
});
