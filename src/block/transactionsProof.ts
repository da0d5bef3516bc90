/** Transactions of a block alone, with what leads from them to the block's transactions root. */
import * as v from "valibot";
import type { CborValue } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { minuteOf } from "../primitives/units.js";
import { type Block, transactionLeaf, transactionLeaves } from "./block.js";
import { hash, natural } from "./fieldShapes.js";
import { merkleProof, narrowProof, provenRoot } from "./merkle.js";
import type { Transaction } from "./transaction.js";
import { type TransactionCodecError, transactionFromWire, transactionToWire } from "./transactionCodec.js";

export interface TransactionsProof {
	/** Transactions of the block. */
	readonly count: number;
	readonly path: readonly Uint8Array[];
	/** By place in the block, ascending; at least one. */
	readonly transactions: readonly (readonly [place: number, transaction: Transaction])[];
}

/** Proves those of a block's transactions that are wanted; undefined: none is. */
export function proveTransactions(
	{ timestampMs, transactions }: Pick<Block, "timestampMs" | "transactions">,
	isWanted: (transaction: Transaction) => boolean,
): TransactionsProof | undefined {
	const wanted = [...transactions.entries()].filter(([, transaction]) => isWanted(transaction));
	if (wanted.length === 0) return undefined;
	const places = wanted.map(([place]) => place);
	const path = merkleProof(transactionLeaves(transactions, timestampMs), places);
	return { count: transactions.length, path, transactions: wanted };
}

/** The same proof of some of its transactions alone; undefined: of none. */
export function narrowTransactions(
	proof: TransactionsProof,
	timestampMs: number,
	isWanted: (transaction: Transaction) => boolean,
): TransactionsProof | undefined {
	const transactions = proof.transactions.filter(([, transaction]) => isWanted(transaction));
	if (transactions.length === 0) return undefined;
	const places = transactions.map(([place]) => place);
	const path = narrowProof(proof.count, leavesOf(proof, timestampMs), proof.path, places);
	return path === undefined ? undefined : { ...proof, path, transactions };
}

function leavesOf(
	{ transactions }: TransactionsProof,
	timestampMs: number,
): (readonly [place: number, leaf: Uint8Array])[] {
	const baseMinute = minuteOf(timestampMs);
	return transactions.map(([place, transaction]) => [place, transactionLeaf(transaction, baseMinute)] as const);
}

/** The transactions root to which a proof leads in a block of this time; undefined: to none. */
export function transactionsRootOf(proof: TransactionsProof, timestampMs: number): Uint8Array | undefined {
	return provenRoot(proof.count, leavesOf(proof, timestampMs), proof.path);
}

/** The proof as it is stored: of a block whose time stands beside it. */
export function transactionsProofFields(proof: TransactionsProof, timestampMs: number): CborValue {
	const wires = proof.transactions.map(([place, transaction]): CborValue => {
		return [place, transactionToWire(transaction, minuteOf(timestampMs))];
	});
	return [proof.count, [...proof.path], wires];
}

export const transactionsProofShape = v.strictTuple([
	natural,
	v.array(hash),
	v.pipe(v.array(v.strictTuple([natural, v.array(v.unknown())])), v.minLength(1)),
]);

/** Reads a proof out of its shape. Signatures are not checked here. */
export function openTransactionsProof(
	[count, path, wires]: v.InferOutput<typeof transactionsProofShape>,
	timestampMs: number,
): Result<TransactionsProof, TransactionCodecError> {
	const transactions: [number, Transaction][] = [];
	for (const [place, wire] of wires) {
		const transaction = transactionFromWire(wire as CborValue, minuteOf(timestampMs));
		if (!transaction.ok) return refused(transaction.error);
		transactions.push([place, transaction.value]);
	}
	return ok({ count, path, transactions });
}
