/**
 * The block (thesis 5.2): index, hash of the block before it, timestamp, transactions, and the roots that commit to
 * the transactions and to the whole state after them.
 */
import * as v from "valibot";
import { equalBytes } from "../primitives/bytes.js";
import { type CborValue, type CodecError, decode, encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { minuteOf } from "../primitives/units.js";
import { hash, integer, natural, timestampMs as timestampMsShape } from "./fieldShapes.js";
import { merkleLeaf, merkleRoot } from "./merkle.js";
import type { Transaction } from "./transaction.js";
import { type TransactionCodecError, transactionFromWire, transactionToWire } from "./transactionCodec.js";

/** Version of the encodings, the state root and the rules. */
export const BLOCK_VERSION = 1;
export const MAX_BLOCK_BYTES = 256 * 1024;
/** A genesis may hold the state of an older chain (`refounding.ts`); it still fits into one message of the peer wire. */
export const MAX_GENESIS_BYTES = 480 * 1024;

export interface BlockHeader {
	version: number;
	/** Genesis is 0. */
	index: number;
	previousHash: Uint8Array;
	timestampMs: number;
	/** Raft's term of the leader that proposed it. */
	term: number;
	/** Device index of that leader. */
	proposer: number;
	/** Merkle root over the transactions, signatures included. */
	transactionsRoot: Uint8Array;
	/** Root of the ledger after the block was executed. */
	stateRoot: Uint8Array;
}

export interface Block extends BlockHeader {
	transactions: readonly Transaction[];
}

export type BlockError =
	| CodecError
	| { code: "bad-block-shape" }
	| { code: "bad-transaction"; at: number; cause: TransactionCodecError }
	| { code: "unknown-version"; version: number }
	| { code: "wrong-index"; expected: number; index: number }
	| { code: "wrong-previous-hash"; index: number }
	| { code: "timestamp-not-later"; parentMs: number; timestampMs: number }
	| { code: "term-went-back"; parentTerm: number; term: number };

const hashHeader = taggedHash("block");

/** The block's hash: over the header, and through its roots over everything. */
export function blockHash(header: BlockHeader): Uint8Array {
	return hashHeader(encode(headerFields(header)));
}

/** The header as it is hashed, and as it is sent where it stands alone. */
export function headerFields(header: BlockHeader): CborValue[] {
	return [
		header.version,
		header.index,
		header.previousHash,
		header.timestampMs,
		header.term,
		header.proposer,
		header.transactionsRoot,
		header.stateRoot,
	];
}

/** Merkle root over the transactions in their compact form. */
export function transactionsRoot(transactions: readonly Transaction[], timestampMs: number): Uint8Array {
	return merkleRoot(transactionLeaves(transactions, timestampMs));
}

const leaves = new WeakMap<readonly Transaction[], { baseMinute: number; hashes: readonly Uint8Array[] }>();

/** The leaf hashes of a block's transactions: remembered, since who proves its own ones asks for them once more. */
export function transactionLeaves(transactions: readonly Transaction[], timestampMs: number): readonly Uint8Array[] {
	const baseMinute = minuteOf(timestampMs);
	const known = leaves.get(transactions);
	if (known?.baseMinute === baseMinute) return known.hashes;
	const hashes = transactions.map((transaction) => transactionLeaf(transaction, baseMinute));
	leaves.set(transactions, { baseMinute, hashes });
	return hashes;
}

/** The leaf hash of one transaction in a block of this minute. */
export function transactionLeaf(transaction: Transaction, baseMinute: number): Uint8Array {
	return merkleLeaf(encode(transactionToWire(transaction, baseMinute)));
}

/** What the chain fixes about a block from its parent alone (thesis: validate_block). Rules and roots are the ledger's part. */
export function validateAgainst(
	parent: BlockHeader,
	parentHash: Uint8Array,
	block: BlockHeader,
): Result<true, BlockError> {
	if (block.version !== BLOCK_VERSION) return refused({ code: "unknown-version", version: block.version });
	if (block.index !== parent.index + 1) {
		return refused({ code: "wrong-index", expected: parent.index + 1, index: block.index });
	}
	if (!equalBytes(block.previousHash, parentHash)) return refused({ code: "wrong-previous-hash", index: block.index });
	if (block.timestampMs <= parent.timestampMs) {
		return refused({
			code: "timestamp-not-later",
			parentMs: parent.timestampMs,
			timestampMs: block.timestampMs,
		});
	}
	if (block.term < parent.term) return refused({ code: "term-went-back", parentTerm: parent.term, term: block.term });
	return ok(true);
}

/** Whether two blocks are the same block (thesis: assert_equal). */
export function sameBlock(a: BlockHeader, b: BlockHeader): boolean {
	return equalBytes(blockHash(a), blockHash(b));
}

/** The block as stored and sent: without previousHash and transactionsRoot, which the receiver knows or recomputes. */
export function encodeBlock(block: Block): Uint8Array {
	const baseMinute = minuteOf(block.timestampMs);
	return encode([
		block.version,
		block.index,
		block.timestampMs,
		block.term,
		block.proposer,
		block.stateRoot,
		block.transactions.map((transaction) => transactionToWire(transaction, baseMinute)),
	]);
}

/** Rebuilds a block whose parent's hash is known. Neither rules nor signatures are checked here. */
export function decodeBlock(bytes: Uint8Array, previousHash: Uint8Array): Result<Block, BlockError> {
	const value = decode(bytes, MAX_GENESIS_BYTES);
	if (!value.ok) return value;
	const shaped = v.safeParse(blockShape, value.value, { abortEarly: true });
	if (!shaped.success) return refused({ code: "bad-block-shape" });
	const [version, index, timestampMs, term, proposer, stateRoot, wires] = shaped.output;
	if (index > 0 && bytes.length > MAX_BLOCK_BYTES) {
		return refused({ code: "too-long", bytes: bytes.length, limit: MAX_BLOCK_BYTES });
	}
	const transactions: Transaction[] = [];
	for (const [at, wire] of wires.entries()) {
		const transaction = transactionFromWire(wire as CborValue, minuteOf(timestampMs));
		if (!transaction.ok) return refused({ code: "bad-transaction", at, cause: transaction.error });
		transactions.push(transaction.value);
	}
	return ok({
		version,
		index,
		previousHash,
		timestampMs,
		term,
		proposer,
		transactionsRoot: transactionsRoot(transactions, timestampMs),
		stateRoot,
		transactions,
	});
}

/** Of a header that stands alone. */
export const headerShape = v.pipe(
	v.strictTuple([integer(0, 0xffff), natural, hash, timestampMsShape, natural, integer(0, 0xffff), hash, hash]),
	v.transform(
		([version, index, previousHash, timestampMs, term, proposer, transactionsRoot, stateRoot]): BlockHeader => ({
			version,
			index,
			previousHash,
			timestampMs,
			term,
			proposer,
			transactionsRoot,
			stateRoot,
		}),
	),
);

/** A block as it is stored and sent; its transactions are read one by one. */
export const blockShape = v.strictTuple([
	integer(0, 0xffff),
	natural,
	timestampMsShape,
	natural,
	integer(0, 0xffff),
	hash,
	v.array(v.unknown()),
]);
