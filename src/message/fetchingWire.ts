/** Transactions, and what is fetched, as fields on the wire. */
import * as v from "valibot";
import { type Anchor, type AnchorError, anchorFields, anchorShape, openAnchor } from "../block/anchor.js";
import { headerFields, headerShape } from "../block/block.js";
import { blob, natural } from "../block/fieldShapes.js";
import type { Transaction } from "../block/transaction.js";
import { decodeTransaction, encodeTransaction, type TransactionCodecError } from "../block/transactionCodec.js";
import type { CborValue } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { CheckpointMessage, Message } from "./message.js";
import { list, nothing, optionalCertificate, optionalCertificateFields } from "./wireShapes.js";

/** Headers of one answer. */
export const MAX_HEADERS = 1_000;

export type TransactionsError = { code: "bad-gossip"; at: number; cause: TransactionCodecError };

type AnchorWire = v.InferOutput<typeof anchorShape>;

export type FetchingMessage = Extract<Message, { type: keyof typeof FETCHING_SHAPES }>;

/** The fields after the type. */
export function fetchingFields(message: FetchingMessage): CborValue[] {
	switch (message.type) {
		case "transactions":
			return [message.transactions.map(encodeTransaction)];
		case "blocksRequest":
			return [message.fromIndex];
		case "blocks":
			return [message.fromIndex, message.blocks, optionalCertificateFields(message.certificate)];
		case "checkpointRequest":
			return [message.haveIndex];
		case "checkpoint": {
			const { steps, checkpoint } = message;
			const last = checkpoint === undefined ? [] : [anchorFields(checkpoint.anchor), checkpoint.manifest];
			return [steps.map(anchorFields), last];
		}
		case "chunkRequest":
			return [message.index, message.number];
		case "chunk":
			return [message.index, message.number, message.bytes];
		case "headersRequest":
			return [message.fromIndex];
		case "headers":
			return [message.headers.map(headerFields)];
		case "turnedAway":
			return [message.code];
	}
}

/** Their shapes. Blocks and transactions inside are decoded by their own codecs. */
export const FETCHING_SHAPES = {
	transactions: v.pipe(
		v.strictTuple([list(blob, 500)]),
		v.transform(([transactions]) => ({ type: "transactions" as const, transactions })),
	),
	blocksRequest: v.pipe(
		v.strictTuple([natural]),
		v.transform(([fromIndex]) => ({ type: "blocksRequest" as const, fromIndex })),
	),
	blocks: v.pipe(
		v.strictTuple([natural, list(blob, 1_000), optionalCertificate]),
		v.transform(([fromIndex, blocks, certificate]) => ({ type: "blocks" as const, fromIndex, blocks, certificate })),
	),
	checkpointRequest: v.pipe(
		v.strictTuple([natural]),
		v.transform(([haveIndex]) => ({ type: "checkpointRequest" as const, haveIndex })),
	),
	checkpoint: v.pipe(
		v.strictTuple([list(anchorShape, 100), v.union([nothing, v.strictTuple([anchorShape, blob])])]),
		v.transform(([steps, checkpoint]) => ({ type: "checkpoint" as const, steps, checkpoint })),
	),
	chunkRequest: v.pipe(
		v.strictTuple([natural, natural]),
		v.transform(([index, number]) => ({ type: "chunkRequest" as const, index, number })),
	),
	chunk: v.pipe(
		v.strictTuple([natural, natural, blob]),
		v.transform(([index, number, bytes]) => ({ type: "chunk" as const, index, number, bytes })),
	),
	headersRequest: v.pipe(
		v.strictTuple([natural]),
		v.transform(([fromIndex]) => ({ type: "headersRequest" as const, fromIndex })),
	),
	headers: v.pipe(
		v.strictTuple([list(headerShape, MAX_HEADERS)]),
		v.transform(([headers]) => ({ type: "headers" as const, headers })),
	),
	turnedAway: v.pipe(
		v.strictTuple([v.pipe(v.string(), v.regex(/^[a-z][a-z-]{0,39}$/))]),
		v.transform(([code]) => ({ type: "turnedAway" as const, code })),
	),
};

/** A checkpoint with the steps to it, opened. */
export function checkpointOf(
	steps: readonly AnchorWire[],
	checkpoint: readonly [AnchorWire, Uint8Array] | undefined,
): Result<Omit<CheckpointMessage, "type">, AnchorError> {
	const opened: Anchor[] = [];
	for (const fields of steps) {
		const step = openAnchor(fields);
		if (!step.ok) return step;
		opened.push(step.value);
	}
	if (checkpoint === undefined) return ok({ steps: opened, checkpoint });
	const [fields, manifest] = checkpoint;
	const anchor = openAnchor(fields);
	return anchor.ok ? ok({ steps: opened, checkpoint: { anchor: anchor.value, manifest } }) : anchor;
}

/** Transactions, decoded by their own codec. */
export function transactionsOf(wires: readonly Uint8Array[]): Result<Transaction[], TransactionsError> {
	const transactions: Transaction[] = [];
	for (const [at, bytes] of wires.entries()) {
		const transaction = decodeTransaction(bytes);
		if (!transaction.ok) return refused({ code: "bad-gossip", at, cause: transaction.error });
		transactions.push(transaction.value);
	}
	return ok(transactions);
}
