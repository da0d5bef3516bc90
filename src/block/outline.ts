/**
 * What a block holds, read without rebuilding it: for lists of many. Neither its hash nor rules nor signatures are looked
 * at.
 */
import * as v from "valibot";
import { type CborValue, decode } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { minuteOf } from "../primitives/units.js";
import { type BlockError, blockShape, MAX_GENESIS_BYTES } from "./block.js";
import { numberOf, type Transaction } from "./transaction.js";
import { transactionFromWire } from "./transactionCodec.js";

export interface BlockOutline {
	readonly index: number;
	readonly timestampMs: number;
	/** So many of its transactions are readings. */
	readonly readings: number;
	readonly others: readonly Transaction[];
}

/** Reads an encoded block. */
export function readOutline(bytes: Uint8Array): Result<BlockOutline, BlockError> {
	const value = decode(bytes, MAX_GENESIS_BYTES);
	if (!value.ok) return value;
	const shaped = v.safeParse(blockShape, value.value, { abortEarly: true });
	if (!shaped.success) return refused({ code: "bad-block-shape" });
	const [, index, timestampMs, , , , wires] = shaped.output;
	const others: Transaction[] = [];
	for (const [at, wire] of wires.entries()) {
		if (Array.isArray(wire) && wire[0] === READING) continue;
		const transaction = transactionFromWire(wire as CborValue, minuteOf(timestampMs));
		if (!transaction.ok) return refused({ code: "bad-transaction", at, cause: transaction.error });
		others.push(transaction.value);
	}
	return ok({ index, timestampMs, readings: wires.length - others.length, others });
}

const READING = numberOf("reading");
