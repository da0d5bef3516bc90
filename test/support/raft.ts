/** Builders for scripted dialogues with the pure core: entries, voters, and an obedient node around `step`. */
import { BLOCK_VERSION, type Block, blockHash, transactionsRoot } from "../../src/block/block.js";
import { type Acknowledged, acknowledgementDigest, type Certificate } from "../../src/block/certificate.js";
import type { VotersTransaction } from "../../src/block/kinds/network.js";
import { createRaft, type RaftRestart, step } from "../../src/consensus/raft.js";
import {
	baseAfter,
	type LogBase,
	type Persist,
	type RaftEffect,
	type RaftInput,
	type RaftSettings,
	type RaftState,
} from "../../src/consensus/state.js";
import type { AppendEntriesMessage, AppendReplyMessage, Entry, RaftMessage } from "../../src/message/message.js";
import { equalBytes } from "../../src/primitives/bytes.js";
import { taggedHash, ZERO_HASH } from "../../src/primitives/hash.js";

export const START_MS = 1_000_000_000;
export const GENESIS: LogBase = {
	index: 0,
	hash: taggedHash("test")(),
	term: 0,
	timestampMs: START_MS,
	voters: [0, 1, 2],
	votersSinceIndex: 0,
};

export type Parent = Pick<LogBase, "index" | "hash" | "timestampMs">;

/** Where an entry stands, as the parent of the next. */
export function baseAt(entry: Entry, below: LogBase = GENESIS): LogBase {
	return baseAfter(below, entry);
}

/** What the core knows of an entry as it is sent: how long it is. */
const ENTRY_BYTES = 100;

/** An empty block of a term; `variant` makes two of them differ. */
export function entryOn(
	parent: Parent,
	term: number,
	options: {
		timestampMs?: number;
		proposer?: number;
		variant?: number;
		voters?: VoterChange;
		keyOf?: (voter: number) => Uint8Array;
	} = {},
): Entry {
	const timestampMs = options.timestampMs ?? parent.timestampMs + 1;
	const transactions = options.voters === undefined ? [] : [voterChange(options.voters, options.keyOf)];
	const block: Block = {
		version: BLOCK_VERSION,
		index: parent.index + 1,
		previousHash: parent.hash,
		timestampMs,
		term,
		proposer: options.proposer ?? 0,
		transactionsRoot: transactionsRoot(transactions, timestampMs),
		stateRoot: taggedHash("test")(Uint8Array.of(options.variant ?? 0)),
		transactions,
	};
	return { hash: blockHash(block), block, encoded: new Uint8Array(ENTRY_BYTES) };
}

/** Devices that come and go. */
export interface VoterChange {
	added?: readonly number[];
	removed?: readonly number[];
}

function voterChange(
	{ added = [], removed = [] }: VoterChange,
	keyOf: (voter: number) => Uint8Array = () => new Uint8Array(33),
): VotersTransaction {
	return {
		kind: "voters",
		member: 0,
		nonce: 1,
		added: added.map((device) => ({ device, publicKey: keyOf(device) })),
		removed,
		device: undefined,
		signature: new Uint8Array(65),
	};
}

/** A log of empty blocks of these terms, from a parent on. */
export function logOf(terms: readonly number[], parent: LogBase = GENESIS): Entry[] {
	const entries: Entry[] = [];
	let below = parent;
	for (const term of terms) {
		const entry = entryOn(below, term);
		entries.push(entry);
		below = baseAt(entry);
	}
	return entries;
}

export interface VoterOptions extends Partial<Omit<RaftRestart, "self">> {
	/** Who votes at the base. */
	voters?: readonly number[];
	settings?: Partial<RaftSettings>;
	/** Whose hello was heard; by default all voters'. */
	greeted?: readonly number[];
	seed?: number;
}

/** A device that has just started, at START_MS of the chain's clock and 0 of the monotonic one. */
export function device(self: number, options: VoterOptions = {}): RaftState {
	const { settings, greeted, seed, voters = options.base?.voters ?? GENESIS.voters, ...restart } = options;
	const base = { ...(restart.base ?? GENESIS), voters };
	const state = createRaft(
		{
			self,
			term: 0,
			votedFor: undefined,
			lastSigned: undefined,
			suspended: undefined,
			certificate: undefined,
			votersCertificate: undefined,
			tail: [],
			...restart,
			base,
		},
		{ monotonicMs: 0, chainMs: START_MS },
		seed ?? self,
		settings,
	);
	for (const from of greeted ?? voters) if (from !== self) step(state, { type: "greeted", from });
	return state;
}

/** Stands in for a signature: who signed what, so that anybody can check it. */
export function fakeSignature(voter: number, acknowledged: Acknowledged): Uint8Array {
	const signature = new Uint8Array(65);
	signature.set(acknowledgementDigest(ZERO_HASH, acknowledged, voter));
	return signature;
}

export function certify(entry: Entry, voters: readonly number[]): Certificate {
	const acknowledged = { index: entry.block.index, term: entry.block.term, hash: entry.hash };
	return {
		...acknowledged,
		signatures: voters.map((voter) => ({ voter, signature: fakeSignature(voter, acknowledged) })),
	};
}

export function isFairlySigned(certificate: Certificate): boolean {
	return certificate.signatures.every(({ voter, signature }) =>
		equalBytes(signature, fakeSignature(voter, certificate)),
	);
}

type Send = Extract<RaftEffect, { type: "send" }>;

/** What a node makes of a send before it leaves: the acknowledgement is signed. */
export function signed(self: number, effect: Send): RaftMessage {
	const { message, sign } = effect;
	if (message.type !== "appendReply" || sign === undefined) return message;
	return { ...message, acknowledgement: { hash: sign.hash, signature: fakeSignature(self, sign) } };
}

export type Verdict = { valid: true } | { valid: false; refusedIds: Uint8Array[] };

/** An obedient node: writes at once, validates at once, and hands the core what it sends to itself. */
export function run(state: RaftState, input: RaftInput, judge: (entry: Entry) => Verdict = () => ({ valid: true })) {
	const effects: RaftEffect[] = [];
	const inputs: RaftInput[] = [input];
	for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
		for (const effect of step(state, next)) {
			const { self } = state;
			if (effect.type === "send" && effect.to === self) {
				inputs.push({ type: "message", from: self, message: signed(self, effect) });
				continue;
			}
			if (effect.type === "validate") {
				inputs.push({ type: "validated", hash: effect.entry.hash, result: judge(effect.entry) });
			}
			effects.push(effect.type === "send" ? { ...effect, message: signed(self, effect) } : effect);
		}
	}
	return effects;
}

/** Lets time pass on both clocks, in one step. */
export function pass(state: RaftState, ms: number, chainMs: number = ms): RaftEffect[] {
	return run(state, { type: "tick", monotonicMs: state.nowMs + ms, chainMs: state.chainMs + chainMs });
}

export function hear(state: RaftState, from: number, message: RaftMessage): RaftEffect[] {
	return run(state, { type: "message", from, message });
}

/** What was sent to one device, or to everybody. */
export function messages<T extends RaftMessage["type"]>(
	effects: readonly RaftEffect[],
	type: T,
	to?: number,
): Extract<RaftMessage, { type: T }>[] {
	return effects.flatMap((effect) =>
		effect.type === "send" && effect.message.type === type && (to === undefined || effect.to === to)
			? [effect.message as Extract<RaftMessage, { type: T }>]
			: [],
	);
}

export function writes(effects: readonly RaftEffect[]): Persist[] {
	return effects.flatMap((effect) => (effect.type === "persist" ? [effect.persist] : []));
}

export function kinds(effects: readonly RaftEffect[]): RaftEffect["type"][] {
	return effects.map(({ type }) => type);
}

/** Makes a device the leader of the next term with the votes of these others. */
export function elect(state: RaftState, others: readonly number[] = [1, 2]): RaftEffect[] {
	const effects = pass(state, state.settings.electionTimeoutMaxMs);
	for (const from of others) {
		if (state.role !== "preCandidate") break;
		const reply = { type: "preVoteReply", term: state.term + 1, granted: true, chainMs: state.chainMs } as const;
		effects.push(...hear(state, from, reply));
	}
	for (const from of others) {
		if (state.role !== "candidate") break;
		effects.push(...hear(state, from, { type: "voteReply", term: state.term, granted: true }));
	}
	return effects;
}

/** A leader's message with these entries on top of a parent. */
export function append(
	term: number,
	parent: Pick<LogBase, "index" | "hash">,
	entries: readonly Entry[],
	certificate?: Certificate,
): AppendEntriesMessage {
	const { index: prevIndex, hash: prevHash } = parent;
	return { type: "appendEntries", term, round: 1, prevIndex, prevHash, entries, certificate };
}

/** A follower's answer to its leader; with `entry` it acknowledges that block. */
export function matchReply(state: RaftState, from: number, matchIndex: number, entry?: Entry): AppendReplyMessage {
	const acknowledged =
		entry === undefined ? undefined : { index: entry.block.index, term: entry.block.term, hash: entry.hash };
	return {
		type: "appendReply",
		term: state.term,
		round: state.round,
		status: "match",
		matchIndex,
		commitIndex: 0,
		chainMs: state.chainMs,
		acknowledgement:
			acknowledged === undefined
				? undefined
				: { hash: acknowledged.hash, signature: fakeSignature(from, acknowledged) },
		refusedIds: [],
	};
}

/** Proposes an empty block on top of the leader's log. */
export function proposeOn(
	state: RaftState,
	options: { timestampMs?: number; variant?: number; voters?: VoterChange } = {},
) {
	const parent = state.tail.at(-1) === undefined ? state.base : baseAt(state.tail.at(-1) as Entry);
	const entry = entryOn(parent, state.term, { proposer: state.self, ...options });
	return { entry, effects: run(state, { type: "propose", entry }) };
}
