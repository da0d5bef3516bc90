/**
 * Blocks that stand on their certificate alone for now: they are executed and kept, and the signatures of their
 * transactions are verified later. What is left to do is written down, so that a restart goes on with it.
 */
import * as v from "valibot";
import type { Block } from "../block/block.js";
import { natural } from "../block/fieldShapes.js";
import type { Transaction } from "../block/transaction.js";
import type { Ledger } from "../contract/ledger.js";
import type { Refusal } from "../contract/refusal.js";
import { type RequiredSignature, requiredSignatures } from "../contract/signers.js";
import type { Result } from "../primitives/result.js";
import { decodeRecord, encodeRecord, type RecordError } from "./records.js";

/** A transaction of a certified block that is not signed as it must be: its place in the block. */
export interface BadSignature {
	readonly index: number;
	readonly at: number;
}

/** What is kept of it: blocks from an index on, up to and not including another, and what was found. */
export interface Unverified {
	readonly fromIndex: number;
	/** Equal to `fromIndex`: nothing is left. */
	readonly untilIndex: number;
	readonly bad: readonly BadSignature[];
}

export const NOTHING_UNVERIFIED: Unverified = { fromIndex: 0, untilIndex: 0, bad: [] };
/** Of more than these it is enough to know that there are some. */
export const MAX_BAD = 16;

/** What verifying a block takes. The ledger before it is not kept: only the keys in it are. */
export interface UnverifiedBlock {
	readonly index: number;
	readonly transactions: readonly {
		readonly at: number;
		readonly signatures: readonly RequiredSignature[] | Refusal;
	}[];
}

/** What there is to verify in a block after a ledger; `isVerified` names what was verified when it came by itself. */
export function unverifiedBlock(
	parent: Ledger,
	block: Block,
	isVerified: (transaction: Transaction, at: number) => boolean,
): UnverifiedBlock {
	const transactions = block.transactions.flatMap((transaction, at) =>
		isVerified(transaction, at) ? [] : [{ at, signatures: requiredSignatures(parent, transaction) }],
	);
	return { index: block.index, transactions };
}

const shape = v.pipe(
	v.strictTuple([natural, natural, v.pipe(v.array(v.strictTuple([natural, natural])), v.maxLength(MAX_BAD))]),
	v.transform(
		([fromIndex, untilIndex, bad]): Unverified => ({
			fromIndex,
			untilIndex,
			bad: bad.map(([index, at]) => ({ index, at })),
		}),
	),
);

export function encodeUnverified({ fromIndex, untilIndex, bad }: Unverified): Uint8Array {
	return encodeRecord([fromIndex, untilIndex, bad.map(({ index, at }) => [index, at])]);
}

export function decodeUnverified(record: Uint8Array): Result<Unverified, RecordError> {
	return decodeRecord(record, shape);
}
