/** Raft's messages, as fields on the wire. */
import * as v from "valibot";
import { type BlockError, blockHash, decodeBlock } from "../block/block.js";
import { blob, flag, hash, natural, signature } from "../block/fieldShapes.js";
import { equalBytes } from "../primitives/bytes.js";
import type { CborValue } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Entry, RaftMessage } from "./message.js";
import { list, nothing, optionalCertificate, optionalCertificateFields } from "./wireShapes.js";

export type EntriesError =
	| { code: "bad-block"; at: number; cause: BlockError }
	| { code: "block-hash-differs"; at: number };

const REPLY_STATUS = ["match", "behind", "refused"] as const;

/** The fields after the type. */
export function raftFields(message: RaftMessage): CborValue[] {
	switch (message.type) {
		case "preVote":
			return [message.term, message.lastTerm, message.lastIndex];
		case "preVoteReply":
			return [message.term, message.granted ? 1 : 0, message.chainMs];
		case "requestVote":
			return [message.term, message.lastTerm, message.lastIndex, message.transfer ? 1 : 0];
		case "voteReply":
			return [message.term, message.granted ? 1 : 0];
		case "appendEntries":
			return [
				message.term,
				message.round,
				message.prevIndex,
				message.prevHash,
				message.entries.map((entry) => [entry.hash, entry.encoded]),
				optionalCertificateFields(message.certificate),
			];
		case "appendReply":
			return [
				message.term,
				message.round,
				REPLY_STATUS.indexOf(message.status),
				message.matchIndex,
				message.commitIndex,
				message.chainMs,
				message.acknowledgement === undefined ? [] : [message.acknowledgement.hash, message.acknowledgement.signature],
				message.refusedIds,
			];
		case "timeoutNow":
			return [message.term];
	}
}

/** Their shapes. Blocks and transactions inside are decoded by their own codecs. */
export const RAFT_SHAPES = {
	preVote: v.pipe(
		v.strictTuple([natural, natural, natural]),
		v.transform(([term, lastTerm, lastIndex]) => ({ type: "preVote" as const, term, lastTerm, lastIndex })),
	),
	preVoteReply: v.pipe(
		v.strictTuple([natural, flag, natural]),
		v.transform(([term, granted, chainMs]) => ({ type: "preVoteReply" as const, term, granted, chainMs })),
	),
	requestVote: v.pipe(
		v.strictTuple([natural, natural, natural, flag]),
		v.transform(([term, lastTerm, lastIndex, transfer]) => ({
			type: "requestVote" as const,
			term,
			lastTerm,
			lastIndex,
			transfer,
		})),
	),
	voteReply: v.pipe(
		v.strictTuple([natural, flag]),
		v.transform(([term, granted]) => ({ type: "voteReply" as const, term, granted })),
	),
	appendEntries: v.pipe(
		v.strictTuple([natural, natural, natural, hash, list(v.strictTuple([hash, blob]), 1_000), optionalCertificate]),
		v.transform(([term, round, prevIndex, prevHash, entries, certificate]) => ({
			type: "appendEntries" as const,
			term,
			round,
			prevIndex,
			prevHash,
			entries,
			certificate,
		})),
	),
	appendReply: v.pipe(
		v.strictTuple([
			natural,
			natural,
			v.picklist([0, 1, 2]),
			natural,
			natural,
			natural,
			v.union([
				nothing,
				v.pipe(
					v.strictTuple([hash, signature]),
					v.transform(([hash, signature]) => ({ hash, signature })),
				),
			]),
			list(hash, 100),
		]),
		v.transform(([term, round, status, matchIndex, commitIndex, chainMs, acknowledgement, refusedIds]) => ({
			type: "appendReply" as const,
			term,
			round,
			status: REPLY_STATUS[status],
			matchIndex,
			commitIndex,
			chainMs,
			acknowledgement,
			refusedIds,
		})),
	),
	timeoutNow: v.pipe(
		v.strictTuple([natural]),
		v.transform(([term]) => ({ type: "timeoutNow" as const, term })),
	),
};

/** The entries of `appendEntries`, as blocks that follow one another after a hash. */
export function entriesOf(
	prevHash: Uint8Array,
	wires: readonly (readonly [Uint8Array, Uint8Array])[],
): Result<Entry[], EntriesError> {
	const entries: Entry[] = [];
	let previousHash = prevHash;
	for (const [at, [hash, bytes]] of wires.entries()) {
		const block = decodeBlock(bytes, previousHash);
		if (!block.ok) return refused({ code: "bad-block", at, cause: block.error });
		// previousHash and transactionsRoot were recomputed here: the sender's hash proves that both sides mean the same.
		if (!equalBytes(blockHash(block.value), hash)) return refused({ code: "block-hash-differs", at });
		entries.push({ hash, block: block.value, encoded: bytes });
		previousHash = hash;
	}
	return ok(entries);
}
