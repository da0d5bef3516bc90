/**
 * Transactions as bytes: a flat array of kind, body and signature. Inside a block the minute of a reading is written
 * as its distance to the block's minute, which makes it one byte; the signed body is rebuilt from it.
 */
import { type CborValue, type CodecError, decode, encode } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { RefoundTransaction } from "./kinds/founding.js";
import {
	bodyFields,
	kindNamed,
	kindNumbered,
	numberOf,
	type Transaction,
	type TransactionKind,
} from "./transaction.js";

export const MAX_TRANSACTION_BYTES = 1_024;
/** With the confirmations of MAX_MEMBERS households it is still a genesis. */
export const MAX_PROPOSAL_BYTES = 360 * 1_024;

export type TransactionCodecError =
	| CodecError
	| { code: "unknown-kind" }
	| { code: "bad-shape"; kind: TransactionKind };

/** A transaction by itself (gossip, outbox): ≤ MAX_TRANSACTION_BYTES. */
export function encodeTransaction(transaction: Transaction): Uint8Array {
	return encode(transactionToWire(transaction, 0));
}

/** Reads a transaction by itself. Its signature is not checked here. */
export function decodeTransaction(bytes: Uint8Array): Result<Transaction, TransactionCodecError> {
	const value = decode(bytes, MAX_TRANSACTION_BYTES);
	return value.ok ? transactionFromWire(value.value, 0) : value;
}

/** A proposal to found a neighbourhood again, by itself; much longer than any other transaction. */
export function encodeProposal(refound: RefoundTransaction): Uint8Array {
	return encode(transactionToWire(refound, 0));
}

/** Reads a proposal. Nothing in it is checked here but its shape. */
export function decodeProposal(bytes: Uint8Array): Result<RefoundTransaction, TransactionCodecError> {
	const value = decode(bytes, MAX_PROPOSAL_BYTES);
	if (!value.ok) return value;
	const transaction = transactionFromWire(value.value, 0);
	if (!transaction.ok) return transaction;
	return transaction.value.kind === "refound"
		? ok(transaction.value)
		: refused({ code: "bad-shape", kind: transaction.value.kind });
}

/** Where a reading's minute stands on the wire: behind kind and member. */
const MINUTE_AT = 2;

/** The compact form. `baseMinute` is the block's minute, 0 outside of blocks. */
export function transactionToWire(transaction: Transaction, baseMinute: number): CborValue {
	const wire = [
		numberOf(transaction.kind),
		...bodyFields(transaction),
		kindNamed(transaction.kind).signatures(transaction),
	];
	if (transaction.kind === "reading") wire[MINUTE_AT] = baseMinute - transaction.minute;
	return wire;
}

/** Rebuilds a transaction from its compact form. */
export function transactionFromWire(wire: CborValue, baseMinute: number): Result<Transaction, TransactionCodecError> {
	const [number, ...fields] = Array.isArray(wire) ? (wire as CborValue[]) : [];
	const kind = typeof number === "number" ? kindNumbered(number) : undefined;
	if (kind === undefined) return refused({ code: "unknown-kind" });
	const distance = fields[MINUTE_AT - 1];
	if (kind.name === "reading" && typeof distance === "number") fields[MINUTE_AT - 1] = baseMinute - distance;
	const transaction = kind.read(fields);
	return transaction === undefined ? refused({ code: "bad-shape", kind: kind.name }) : ok(transaction);
}
