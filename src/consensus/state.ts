/**
 * Raft's state, inputs and effects (consensus.md's names are the Raft paper's). The core is a pure state machine: no
 * clock, no await, no randomness but the generator inside the state. All of it can be cloned structurally.
 */

import type { Block } from "../block/block.js";
import type { Acknowledged, Certificate } from "../block/certificate.js";
import { type VoterSet, votersAfter } from "../block/voters.js";
import type { Entry, RaftMessage } from "../message/message.js";

export interface RaftSettings {
	heartbeatMs: number;
	/** An election timeout is drawn from [min, max). */
	electionTimeoutMinMs: number;
	electionTimeoutMaxMs: number;
	/** A leader whose block finds no majority in this time steps down (thesis 5.4). */
	proposalTimeoutMs: number;
	/** How far clocks may differ, in chain time: blocks ahead of it are held, candidates outside of it do not stand. */
	clockToleranceMs: number;
	/** Chain ms per monotonic ms: not 1 in a demo. */
	timeScale: number;
	/** Entries of one appendEntries, in encoded bytes; one entry is always sent. */
	maxEntriesBytes: number;
}

export const DEFAULT_RAFT_SETTINGS: RaftSettings = {
	heartbeatMs: 1_000,
	electionTimeoutMinMs: 3_000,
	electionTimeoutMaxMs: 5_000,
	proposalTimeoutMs: 15_000,
	clockToleranceMs: 30_000,
	timeScale: 1,
	maxEntriesBytes: 200_000,
};

/** Where the certified part of the log ends, and who votes there. */
export interface LogBase {
	readonly index: number;
	readonly hash: Uint8Array;
	readonly term: number;
	readonly timestampMs: number;
	/** Device indices of the voters after this block, ascending, and the block that made them the voters. */
	readonly voters: VoterSet;
	readonly votersSinceIndex: number;
}

export type Role = "follower" | "preCandidate" | "candidate" | "leader";

/** What a leader knows of a peer (Raft paper, figure 2). */
export interface Progress {
	nextIndex: number;
	matchIndex: number;
	/** The newest entry that was sent to it: it is on its way and not sent again, unless the peer says that it lacks it. */
	sentIndex: number;
	/** Its newest certified block. */
	commitIndex: number;
	lastHeardMs: number;
	/** Newest round that it answered, and its clock minus ours at that answer. */
	round: number;
	clockOffsetMs: number;
}

export interface RaftState {
	readonly self: number;
	readonly settings: RaftSettings;
	// Persistent (figure 2): currentTerm, votedFor, log; and what this key last signed.
	term: number;
	votedFor: number | undefined;
	lastSigned: Acknowledged | undefined;
	/** Set when this key was found to have signed what this device does not know: it stops voting until admitted anew. */
	suspended: string | undefined;
	base: LogBase;
	certificate: Certificate | undefined;
	/** The first certificate at or above the voters' last change: who is below the change can follow it by nothing else. */
	votersCertificate: Certificate | undefined;
	/** The uncommitted log: entries base.index + 1 … */
	tail: Entry[];

	// Volatile.
	role: Role;
	leader: number | undefined;
	/** Devices whose authenticated hello was heard in this run, and that are still connected. */
	peers: Set<number>;
	/** Voters whose hello was ever heard in this run: with a majority of them this voter may vote. */
	greeted: Set<number>;
	nowMs: number;
	chainMs: number;
	electionDeadlineMs: number;
	lastLeaderContactMs: number;
	/** After a proposal timed out this node does not stand before this time. */
	standNotBeforeMs: number;
	/** Granted (pre-)votes of this (pre-)candidacy, with the answerer's clock minus ours. */
	votes: Map<number, { granted: boolean; clockOffsetMs: number }>;
	/** Own clock minus the lower median of the answerers', when that kept this node from standing or leading. */
	clockOffMs: number | undefined;
	progress: Map<number, Progress>;
	nextHeartbeatMs: number;
	round: number;
	/** The leader's clock jumped at this round: nothing is proposed before a majority's clocks agree. */
	doubtRound: number | undefined;
	proposalDeadlineMs: number | undefined;
	/** The leader hands over: it proposes nothing until its successor stands, or until this time. */
	transferUntilMs: number | undefined;
	/** Who was asked to stand since this head was certified, and did not win. */
	triedSuccessors: { baseIndex: number; voters: readonly number[] };
	/** The write of the own, uncommitted voter change: nothing that tells of it leaves before. */
	changeSeq: number | undefined;
	/** Signatures for the open proposal, the newest entry of the own term. */
	acknowledgements: Map<number, Uint8Array>;
	/** Received entries that wait: for their validation, or held in memory because they are stamped ahead of the clock. */
	waiting:
		| { leader: number; round: number; entries: Entry[]; held: boolean; certificate: Certificate | undefined }
		| undefined;
	/** Newest certificate for a block that is not held yet. */
	ahead: Certificate | undefined;
	nextSeq: number;
	random: number;
}

export type RaftInput =
	| { type: "tick"; monotonicMs: number; chainMs: number }
	/** The tab was frozen: whatever was believed about time is void. */
	| { type: "resume"; monotonicMs: number; chainMs: number }
	/** An authenticated hello of this run. */
	| { type: "greeted"; from: number }
	| { type: "gone"; from: number }
	/** From an authenticated device; signatures inside were verified. */
	| { type: "message"; from: number; message: RaftMessage }
	| { type: "propose"; entry: Entry }
	| { type: "validated"; hash: Uint8Array; result: { valid: true } | { valid: false; refusedIds: Uint8Array[] } }
	/** Committed blocks came another way (catching up): the log now starts above them. */
	| {
			type: "installed";
			base: LogBase;
			certificate: Certificate;
			/** The certificate for the voters' last change, where one came with these blocks. */
			votersCertificate: Certificate | undefined;
	  }
	| { type: "suspend"; code: string }
	/** A certificate with a good signature of this device, of whatever block. */
	| { type: "shown"; certificate: Certificate }
	/** This device is about to be gone, or may vote no longer: a leader hands over (Raft thesis §3.10). */
	| { type: "transferLeadership" };

/** What to write, in one strict transaction. */
export interface Persist {
	seq: number;
	votes: {
		term: number;
		votedFor: number | undefined;
		lastSigned: Acknowledged | undefined;
		suspended: string | undefined;
	};
	/** First delete uncommitted entries from this index on … */
	truncateFrom?: number;
	/** … then append. */
	append?: Entry;
	/** Move all entries up to here from the proposed blocks to the blockchain. */
	commit?: { certificate: Certificate; changesVoters: boolean };
}

export type RaftEffect =
	| { type: "persist"; persist: Persist }
	/** `afterSeq`: not before that write has settled. To itself: feed it back as a message. `sign`: add the acknowledgement. */
	| { type: "send"; to: number; message: RaftMessage; afterSeq?: number; sign?: Acknowledged }
	/** Check this block on top of the entry before it, and answer with `validated`. */
	| { type: "validate"; entry: Entry }
	/** Entries that are certified now, ascending; written already. */
	| { type: "commit"; entries: readonly Entry[]; certificate: Certificate }
	/** The uncommitted log from this index on is gone; its transactions wait again. */
	| { type: "truncated"; fromIndex: number; blocks: readonly Block[] }
	| { type: "becameLeader"; term: number }
	| { type: "becameFollower"; reason: string }
	/** A certified block above the own log was heard of from this peer. */
	| { type: "behind"; from: number; certificate: Certificate }
	/** A voter's ledger refuses transactions of the open proposal. */
	| { type: "refusedBy"; from: number; ids: readonly Uint8Array[] }
	| { type: "evidence"; code: "conflicting-certificates" | "unknown-own-signature"; certificate: Certificate }
	/** A message that no correct device sends: it changed nothing. */
	| { type: "misbehaved"; from: number; code: "second-leader-in-term" | "replaced-in-term" | "term-leap" };

/** One step in the making: the state is changed in place, the effects are collected in order. */
export interface Turn {
	readonly state: RaftState;
	readonly effects: RaftEffect[];
}

/** Index and term of the last entry of the log. */
export function lastOf(state: RaftState): Pick<LogBase, "index" | "term" | "hash" | "timestampMs"> {
	const last = state.tail.at(-1);
	if (last === undefined) return state.base;
	const { index, term, timestampMs } = last.block;
	return { index, term, hash: last.hash, timestampMs };
}

/** The base after one more entry was certified. */
export function baseAfter(base: LogBase, { block, hash }: Entry): LogBase {
	const { index, term, timestampMs } = block;
	const voters = votersAfter(base.voters, block);
	const votersSinceIndex = voters === base.voters ? base.votersSinceIndex : index;
	return { index, hash, term, timestampMs, voters, votersSinceIndex };
}

/** The hash at an index of the own log, base included; undefined where the log does not hold it. */
export function hashAt(state: RaftState, index: number): Uint8Array | undefined {
	return index === state.base.index ? state.base.hash : state.tail[index - state.base.index - 1]?.hash;
}

/**
 * The voter sets in force from the base up to an index of the log: the certified one, and one more for each uncommitted
 * change. A change holds as soon as it is appended (Raft thesis §4.1).
 */
export function voterSetsUpTo(state: RaftState, index: number): readonly VoterSet[] {
	const sets = [state.base.voters];
	let voters = state.base.voters;
	for (const { block } of state.tail) {
		if (block.index > index) break;
		const after = votersAfter(voters, block);
		if (after !== voters) sets.push(after);
		voters = after;
	}
	return sets;
}

/** Who votes by the own log: elections count these (Raft thesis §4.1: the latest configuration in the log). */
export function votersOf(state: RaftState): VoterSet {
	return state.tail.reduce((voters, { block }) => votersAfter(voters, block), state.base.voters);
}

/** Whether this device counts towards the majority. */
export function isVoter(state: RaftState): boolean {
	return votersOf(state).includes(state.self);
}

/** Emits a write of the votes, and of whatever else is given; returns its number. */
export function persist(turn: Turn, change: Omit<Persist, "seq" | "votes">): number {
	const { state } = turn;
	const seq = state.nextSeq;
	state.nextSeq += 1;
	const { term, votedFor, lastSigned, suspended } = state;
	turn.effects.push({ type: "persist", persist: { seq, votes: { term, votedFor, lastSigned, suspended }, ...change } });
	return seq;
}

/** A number in [0, 1) from the generator inside the state (mulberry32). */
export function nextRandom(state: RaftState): number {
	state.random = (state.random + 0x6d2b79f5) | 0;
	let t = Math.imul(state.random ^ (state.random >>> 15), 1 | state.random);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}
