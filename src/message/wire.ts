/** Messages as bytes. Everything that comes in is bounded, canonical and of a known shape before anybody looks at it. */
import * as v from "valibot";
import type { AnchorError } from "../block/anchor.js";
import { type CborValue, type CodecError, decode, encode } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { ACCOUNT_SHAPES, accountFields } from "./accountWire.js";
import {
	checkpointOf,
	FETCHING_SHAPES,
	fetchingFields,
	type TransactionsError,
	transactionsOf,
} from "./fetchingWire.js";
import { FOUNDING_SHAPES, foundingFields } from "./foundingWire.js";
import { GREETING_SHAPES, greetingFields } from "./greetingWire.js";
import type { Message } from "./message.js";
import { type EntriesError, entriesOf, RAFT_SHAPES, raftFields } from "./raftWire.js";

export const WIRE_VERSION = 2;
/** Longest message: a full block and its wrapping. Longer things are sent as several messages. */
export const MAX_MESSAGE_BYTES = 512 * 1024;

export type MessageError =
	| CodecError
	| AnchorError
	| EntriesError
	| TransactionsError
	| { code: "unknown-message" }
	| { code: "bad-message-shape"; type: Message["type"] };

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
	"neighbours",
	"householdProof",
	"turnedAway",
	"accounts",
	"accountsKept",
] as const satisfies readonly Message["type"][];

/** By type, the shape of the fields after it. */
const SHAPES = {
	...GREETING_SHAPES,
	...RAFT_SHAPES,
	...FETCHING_SHAPES,
	...FOUNDING_SHAPES,
	...ACCOUNT_SHAPES,
} satisfies { [K in Message["type"]]: v.GenericSchema<unknown, { type: K }> };

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
		case "proof":
		case "hello":
		case "status":
		case "neighbours":
		case "householdProof":
		case "twin":
		case "evidence":
			return greetingFields(message);
		case "preVote":
		case "preVoteReply":
		case "requestVote":
		case "voteReply":
		case "appendEntries":
		case "appendReply":
		case "timeoutNow":
			return raftFields(message);
		case "transactions":
		case "blocksRequest":
		case "blocks":
		case "checkpointRequest":
		case "checkpoint":
		case "chunkRequest":
		case "chunk":
		case "headersRequest":
		case "headers":
		case "turnedAway":
			return fetchingFields(message);
		case "lobbyJoin":
		case "lobbyState":
		case "genesis":
		case "genesisRequest":
		case "refounding":
		case "confirmations":
		case "withdrawal":
			return foundingFields(message);
		case "accounts":
		case "accountsKept":
			return accountFields(message);
	}
}
