/** Messages as bytes. Everything that comes in is bounded, canonical and of a known shape before anybody looks at it. */
import * as v from "valibot";
import { type Anchor, type AnchorError, anchorFields, anchorShape, openAnchor } from "../block/anchor.js";
import { type BlockError, blockHash, decodeBlock, encodeBlock, headerFields, headerShape } from "../block/block.js";
import { certificateFields, certificateShape } from "../block/certificate.js";
import { doubleSignatureFields, doubleSignatureShape } from "../block/evidence.js";
import { MAX_MEMBERS, member, nameShape } from "../block/fieldShapes.js";
import type { ConfirmTransaction } from "../block/refounding.js";
import type { Transaction } from "../block/transaction.js";
import { decodeTransaction, encodeTransaction, type TransactionCodecError } from "../block/transactionCodec.js";
import { equalBytes } from "../primitives/bytes.js";
import { type CborValue, type CodecError, decode, encode } from "../primitives/codec.js";
import { HASH_BYTES } from "../primitives/hash.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "../primitives/signature.js";
import type { Boot, CheckpointMessage, Entry, Meeting, Message, NodeRole } from "./message.js";

export const WIRE_VERSION = 2;
/** Headers of one answer. */
export const MAX_HEADERS = 1_000;
/** Double signatures of one message. */
export const MAX_EVIDENCE = 100;
/** Longest message: a full block and its wrapping. Longer things are sent as several messages. */
export const MAX_MESSAGE_BYTES = 512 * 1024;

type AnchorWire = v.InferOutput<typeof anchorShape>;

export type MessageError =
	| CodecError
	| AnchorError
	| { code: "unknown-message" }
	| { code: "bad-message-shape"; type: Message["type"] }
	| { code: "bad-block"; at: number; cause: BlockError }
	| { code: "block-hash-differs"; at: number }
	| { code: "bad-gossip"; at: number; cause: TransactionCodecError };

/** The order is the number on the wire: append only. */
const TYPES = [
	"handshake",
	"proof",
	"hello",
	"status",
	"preVote",
	"preVoteReply",
	"requestVote",
	"voteReply",
	"appendEntries",
	"appendReply",
	"transactions",
	"blocksRequest",
	"blocks",
	"lobbyJoin",
	"lobbyState",
	"genesis",
	"genesisRequest",
	"timeoutNow",
	"checkpointRequest",
	"checkpoint",
	"chunkRequest",
	"chunk",
	"headersRequest",
	"headers",
	"twin",
	"evidence",
	"refounding",
	"confirmations",
	"withdrawal",
] as const satisfies readonly Message["type"][];

const ROLES = ["leader", "follower", "candidate", "observer"] as const satisfies readonly NodeRole[];
const REPLY_STATUS = ["match", "behind", "refused"] as const;

/** Encodes a message. */
export function encodeMessage(message: Message): Uint8Array {
	return encode([TYPES.indexOf(message.type), ...messageFields(message)]);
}

/** Decodes a message from a peer. Signatures are not checked here. */
export function decodeMessage(bytes: Uint8Array): Result<Message, MessageError> {
	const decoded = decode(bytes, MAX_MESSAGE_BYTES);
	if (!decoded.ok) return decoded;
	const [head, ...fields] = Array.isArray(decoded.value) ? (decoded.value as CborValue[]) : [];
	const type = typeof head === "number" ? TYPES[head] : undefined;
	if (type === undefined) return refused({ code: "unknown-message" });
	const shaped = v.safeParse(SHAPES[type], fields, { abortEarly: true });
	if (!shaped.success) return refused({ code: "bad-message-shape", type });
	const message = shaped.output;
	switch (message.type) {
		case "appendEntries": {
			const entries = entriesOf(message.prevHash, message.entries);
			return entries.ok ? ok({ ...message, entries: entries.value }) : entries;
		}
		case "transactions": {
			const transactions = transactionsOf(message.transactions);
			return transactions.ok ? ok({ ...message, transactions: transactions.value }) : transactions;
		}
		case "checkpoint": {
			const opened = checkpointOf(message.steps, message.checkpoint);
			return opened.ok ? ok({ type: "checkpoint", ...opened.value }) : opened;
		}
		case "lobbyJoin": {
			const transactions = transactionsOf([message.join]);
			if (!transactions.ok) return transactions;
			const [join] = transactions.value;
			return join?.kind === "join" ? ok({ ...message, join }) : refused({ code: "bad-message-shape", type });
		}
		default:
			return ok(message);
	}
}

function messageFields(message: Message): CborValue[] {
	switch (message.type) {
		case "handshake":
			return [message.version, message.context, message.deviceKey, message.nonce];
		case "proof":
			return [message.signature];
		case "hello":
			return [
				message.headIndex,
				message.headHash,
				message.certificate === undefined ? [] : certificateFields(message.certificate),
				message.term,
				message.chainMs,
				bootFields(message.boot),
				message.knownBoot === undefined ? [] : bootFields(message.knownBoot),
				message.meeting === undefined ? [] : meetingFields(message.meeting),
				message.peers,
			];
		case "twin":
			return [meetingFields(message.meeting)];
		case "evidence":
			return [message.doubleSignatures.map(doubleSignatureFields)];
		case "status":
			return [message.headIndex, message.headHash, message.term, ROLES.indexOf(message.role)];
		case "preVote":
			return [message.term, message.lastTerm, message.lastIndex];
		case "requestVote":
			return [message.term, message.lastTerm, message.lastIndex, message.transfer ? 1 : 0];
		case "timeoutNow":
			return [message.term];
		case "preVoteReply":
			return [message.term, message.granted ? 1 : 0, message.chainMs];
		case "voteReply":
			return [message.term, message.granted ? 1 : 0];
		case "appendEntries":
			return [
				message.term,
				message.round,
				message.prevIndex,
				message.prevHash,
				message.entries.map((entry) => [entry.hash, encodeBlock(entry.block)]),
				message.certificate === undefined ? [] : certificateFields(message.certificate),
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
		case "transactions":
			return [message.transactions.map(encodeTransaction)];
		case "blocksRequest":
			return [message.fromIndex];
		case "blocks":
			return [
				message.fromIndex,
				message.blocks,
				message.certificate === undefined ? [] : certificateFields(message.certificate),
			];
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
		case "lobbyJoin":
			return [encodeTransaction(message.join)];
		case "lobbyState":
			return [
				message.neighbourhood,
				message.members.map((member) => [member.name, member.alwaysOn ? 1 : 0, member.deviceKey]),
			];
		case "genesis":
			return [message.block];
		case "genesisRequest":
			return [];
		case "refounding":
			return [message.proposal, message.confirmations.map(confirmationFields)];
		case "confirmations":
			return [message.confirmations.map(confirmationFields)];
		case "withdrawal":
			return [message.proposal, message.signature];
	}
}

function bootFields({ bootCount, bootId, signature }: Boot): CborValue {
	return [bootCount, bootId, signature];
}

function meetingFields({ bootId, metBootId, signature }: Meeting): CborValue {
	return [bootId, metBootId, signature];
}

function confirmationFields({ member, proposal, signature }: ConfirmTransaction): CborValue {
	return [member, proposal, signature];
}

function entriesOf(
	prevHash: Uint8Array,
	wires: readonly (readonly [Uint8Array, Uint8Array])[],
): Result<Entry[], MessageError> {
	const entries: Entry[] = [];
	let previousHash = prevHash;
	for (const [at, [hash, bytes]] of wires.entries()) {
		const block = decodeBlock(bytes, previousHash);
		if (!block.ok) return refused({ code: "bad-block", at, cause: block.error });
		// previousHash and transactionsRoot were recomputed here: the sender's hash proves that both sides mean the same.
		if (!equalBytes(blockHash(block.value), hash)) return refused({ code: "block-hash-differs", at });
		entries.push({ hash, block: block.value, bytes: bytes.length });
		previousHash = hash;
	}
	return ok(entries);
}

function checkpointOf(
	steps: readonly AnchorWire[],
	checkpoint: readonly [AnchorWire, Uint8Array] | undefined,
): Result<Omit<CheckpointMessage, "type">, MessageError> {
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

function transactionsOf(wires: readonly Uint8Array[]): Result<Transaction[], MessageError> {
	const transactions: Transaction[] = [];
	for (const [at, bytes] of wires.entries()) {
		const transaction = decodeTransaction(bytes);
		if (!transaction.ok) return refused({ code: "bad-gossip", at, cause: transaction.error });
		transactions.push(transaction.value);
	}
	return ok(transactions);
}

// ── shapes ───────────────────────────────────────────────────────────────────────────────────────────────────────

const natural = v.pipe(v.number(), v.integer(), v.minValue(0));
const flag = v.pipe(
	v.picklist([0, 1]),
	v.transform((bit) => bit === 1),
);
const bytes = (length: number) => v.pipe(v.instance(Uint8Array), v.length(length));
const blob = v.instance(Uint8Array);
const hash = bytes(HASH_BYTES);
const deviceKey = bytes(PUBLIC_KEY_BYTES);
const nothing = v.pipe(
	v.strictTuple([]),
	v.transform(() => undefined),
);
const optionalCertificate = v.union([nothing, certificateShape]);
const list = <T extends v.GenericSchema>(item: T, max: number) => v.pipe(v.array(item), v.maxLength(max));

const bootShape = v.pipe(
	v.strictTuple([natural, bytes(16), bytes(SIGNATURE_BYTES)]),
	v.transform(([bootCount, bootId, signature]): Boot => ({ bootCount, bootId, signature })),
);
const meetingShape = v.pipe(
	v.strictTuple([bytes(16), bytes(16), bytes(SIGNATURE_BYTES)]),
	v.transform(([bootId, metBootId, signature]): Meeting => ({ bootId, metBootId, signature })),
);
const confirmationsShape = list(
	v.pipe(
		v.strictTuple([member, hash, bytes(SIGNATURE_BYTES)]),
		v.transform(([of, proposal, signature]) => ({ kind: "confirm" as const, member: of, proposal, signature })),
	),
	MAX_MEMBERS,
);

/** Shapes of the fields after the type. Blocks and transactions inside are decoded by their own codecs. */
const SHAPES = {
	handshake: v.pipe(
		v.strictTuple([natural, hash, deviceKey, bytes(32)]),
		v.transform(([version, context, deviceKey, nonce]) => ({
			type: "handshake" as const,
			version,
			context,
			deviceKey,
			nonce,
		})),
	),
	proof: v.pipe(
		v.strictTuple([bytes(SIGNATURE_BYTES)]),
		v.transform(([signature]) => ({ type: "proof" as const, signature })),
	),
	hello: v.pipe(
		v.strictTuple([
			natural,
			hash,
			optionalCertificate,
			natural,
			natural,
			bootShape,
			v.union([nothing, bootShape]),
			v.union([nothing, meetingShape]),
			list(deviceKey, 1_000),
		]),
		v.transform(([headIndex, headHash, certificate, term, chainMs, boot, knownBoot, meeting, peers]) => ({
			type: "hello" as const,
			headIndex,
			headHash,
			certificate,
			term,
			chainMs,
			boot,
			knownBoot,
			meeting,
			peers,
		})),
	),
	twin: v.pipe(
		v.strictTuple([meetingShape]),
		v.transform(([meeting]) => ({ type: "twin" as const, meeting })),
	),
	evidence: v.pipe(
		v.strictTuple([list(doubleSignatureShape, MAX_EVIDENCE)]),
		v.transform(([doubleSignatures]) => ({ type: "evidence" as const, doubleSignatures })),
	),
	status: v.pipe(
		v.strictTuple([natural, hash, natural, v.picklist([0, 1, 2, 3])]),
		v.transform(([headIndex, headHash, term, role]) => ({
			type: "status" as const,
			headIndex,
			headHash,
			term,
			role: ROLES[role],
		})),
	),
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
	timeoutNow: v.pipe(
		v.strictTuple([natural]),
		v.transform(([term]) => ({ type: "timeoutNow" as const, term })),
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
					v.strictTuple([hash, bytes(SIGNATURE_BYTES)]),
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
	lobbyJoin: v.pipe(
		v.strictTuple([blob]),
		v.transform(([join]) => ({ type: "lobbyJoin" as const, join })),
	),
	lobbyState: v.pipe(
		v.strictTuple([nameShape, list(v.strictTuple([nameShape, flag, deviceKey]), 64)]),
		v.transform(([neighbourhood, members]) => ({
			type: "lobbyState" as const,
			neighbourhood,
			members: members.map(([name, alwaysOn, deviceKey]) => ({ name, alwaysOn, deviceKey })),
		})),
	),
	genesis: v.pipe(
		v.strictTuple([blob]),
		v.transform(([block]) => ({ type: "genesis" as const, block })),
	),
	genesisRequest: v.pipe(
		v.strictTuple([]),
		v.transform(() => ({ type: "genesisRequest" as const })),
	),
	refounding: v.pipe(
		v.strictTuple([blob, confirmationsShape]),
		v.transform(([proposal, confirmations]) => ({ type: "refounding" as const, proposal, confirmations })),
	),
	confirmations: v.pipe(
		v.strictTuple([confirmationsShape]),
		v.transform(([confirmations]) => ({ type: "confirmations" as const, confirmations })),
	),
	withdrawal: v.pipe(
		v.strictTuple([hash, bytes(SIGNATURE_BYTES)]),
		v.transform(([proposal, signature]) => ({ type: "withdrawal" as const, proposal, signature })),
	),
} satisfies { [K in Message["type"]]: v.GenericSchema<unknown, { type: K }> };
