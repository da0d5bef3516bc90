/** Log replication and commit (Raft paper §5.3, §5.4.2): the leader's side. */

import type { Certificate } from "../block/certificate.js";
import { voterChangeOf } from "../block/voters.js";
import type { AppendReplyMessage, Entry } from "../message/message.js";
import { assert } from "../primitives/assert.js";
import { equalBytes } from "../primitives/bytes.js";
import { makeCertificate } from "./certificate.js";
import { commitTo } from "./commit.js";
import { hasMajority, lowerMedian } from "./quorum.js";
import { becomeFollower } from "./roles.js";
import {
	hashAt,
	isVoter,
	lastOf,
	type Progress,
	persist,
	type RaftState,
	type Turn,
	voterSetsUpTo,
	votersOf,
} from "./state.js";

/** Won: says so to everybody at once. The node proposes an empty block of the new term next (§8). */
export function startLeading(turn: Turn): void {
	const { state } = turn;
	state.role = "leader";
	state.leader = state.self;
	state.waiting = undefined;
	state.votes.clear();
	state.acknowledgements.clear();
	state.proposalDeadlineMs = undefined;
	state.doubtRound = undefined;
	state.transferUntilMs = undefined;
	state.triedSuccessors = { baseIndex: state.base.index, voters: [] };
	state.changeSeq = undefined;
	state.progress.clear();
	for (const peer of state.peers) trackPeer(state, peer);
	turn.effects.push({ type: "becameLeader", term: state.term });
	broadcast(turn);
}

/** Begins to follow a peer's log: optimistically from the end on. */
export function trackPeer(state: RaftState, peer: number): Progress {
	const progress: Progress = {
		nextIndex: lastOf(state).index + 1,
		matchIndex: -1,
		sentIndex: -1,
		commitIndex: -1,
		lastHeardMs: state.nowMs,
		round: 0,
		clockOffsetMs: 0,
	};
	state.progress.set(peer, progress);
	return progress;
}

/** A heartbeat to everybody, with whatever each one lacks. */
export function broadcast(turn: Turn): void {
	const { state } = turn;
	state.round += 1;
	state.nextHeartbeatMs = state.nowMs + state.settings.heartbeatMs;
	for (const peer of state.progress.keys()) sendEntries(turn, peer);
}

/**
 * One appendEntries to one peer: from its nextIndex on what is not on its way already, as much as fits. A large block on
 * a slow channel would otherwise be sent once more with every heartbeat.
 */
export function sendEntries(turn: Turn, peer: number): void {
	const { state } = turn;
	const progress = state.progress.get(peer);
	assert(progress !== undefined, "a leader tracks every peer that it sends to");
	// Whatever a peer says that it has, there is nothing to send beyond the own log.
	const first = Math.min(
		Math.max(progress.nextIndex, progress.sentIndex + 1, state.base.index + 1),
		lastOf(state).index + 1,
	);
	const entries = entriesFrom(state, first);
	progress.sentIndex = first + entries.length - 1;
	const prevHash = hashAt(state, first - 1);
	assert(prevHash !== undefined, "the entry before nextIndex is in the log");
	turn.effects.push({
		type: "send",
		to: peer,
		message: {
			type: "appendEntries",
			term: state.term,
			round: state.round,
			prevIndex: first - 1,
			prevHash,
			entries,
			certificate: certificateFor(state, progress.commitIndex),
		},
		...(state.changeSeq === undefined ? {} : { afterSeq: state.changeSeq }),
	});
}

/** The certificate that a peer lacks: below the voters' last change first the one that proves the change. */
function certificateFor({ base, certificate, votersCertificate }: RaftState, commitIndex: number) {
	if (commitIndex >= base.index) return undefined;
	return commitIndex < base.votersSinceIndex ? (votersCertificate ?? certificate) : certificate;
}

function entriesFrom(state: RaftState, first: number): Entry[] {
	const entries: Entry[] = [];
	let bytes = 0;
	for (const entry of state.tail.slice(first - state.base.index - 1)) {
		bytes += entry.encoded.length;
		if (entries.length > 0 && bytes > state.settings.maxEntriesBytes) break;
		entries.push(entry);
	}
	return entries;
}

/** Whether a block may be proposed now: one uncommitted block of the own term at a time. */
export function mayPropose(state: RaftState): boolean {
	return (
		state.role === "leader" &&
		state.proposalDeadlineMs === undefined &&
		state.doubtRound === undefined &&
		state.transferUntilMs === undefined
	);
}

/**
 * Whether the next block may change the voters: everything below is certified, the last of it in the own term (the
 * condition that Ongaro added in 2015 to the one-at-a-time rule of his thesis, §4.1).
 */
export function mayChangeVoters(state: RaftState): boolean {
	return mayPropose(state) && state.tail.length === 0 && state.base.term === state.term;
}

/** The leader appends its block, which is never replaced within its term, and sends it while it writes it itself. */
export function propose(turn: Turn, entry: Entry): void {
	const { state } = turn;
	const last = lastOf(state);
	assert(mayPropose(state), "only a leader without an open proposal proposes");
	assert(
		entry.block.index === last.index + 1 &&
			entry.block.term === state.term &&
			equalBytes(entry.block.previousHash, last.hash),
		"a proposal extends the leader's log in its term",
	);
	const changesVoters = voterChangeOf(entry.block) !== undefined;
	assert(!changesVoters || mayChangeVoters(state), "one voter change at a time, on a certified block of the own term");
	state.tail.push(entry);
	assert(!changesVoters || isVoter(state), "a leader hands over before it is removed");
	state.acknowledgements.clear();
	state.proposalDeadlineMs = state.nowMs + state.settings.proposalTimeoutMs;
	const acknowledged = { index: entry.block.index, term: entry.block.term, hash: entry.hash };
	state.lastSigned = acknowledged;
	// Of a single voter's change nobody may know before it is written: the old set has no other memory.
	if (!changesVoters) broadcast(turn);
	const seq = persist(turn, { append: entry });
	if (changesVoters) {
		state.changeSeq = seq;
		broadcast(turn);
	}
	// The own acknowledgement counts when the block is written, as everybody's does.
	turn.effects.push({
		type: "send",
		to: state.self,
		message: {
			type: "appendReply",
			term: state.term,
			round: state.round,
			status: "match",
			matchIndex: entry.block.index,
			commitIndex: state.base.index,
			chainMs: state.chainMs,
			acknowledgement: undefined,
			refusedIds: [],
		},
		afterSeq: seq,
		sign: acknowledged,
	});
}

export function onAppendReply(turn: Turn, from: number, reply: AppendReplyMessage): void {
	const { state } = turn;
	if (state.role !== "leader" || reply.term !== state.term) return;
	if (from === state.self) {
		acknowledge(turn, from, reply);
		return;
	}
	const progress = state.progress.get(from);
	if (progress === undefined) return;
	const isFirstAnswer = reply.round > progress.round;
	progress.lastHeardMs = state.nowMs;
	progress.round = Math.max(progress.round, reply.round);
	progress.clockOffsetMs = reply.chainMs - state.chainMs;
	progress.commitIndex = Math.max(progress.commitIndex, reply.commitIndex);
	resolveDoubt(turn);
	if (state.role !== "leader") return;
	switch (reply.status) {
		case "match":
			progress.matchIndex = Math.max(progress.matchIndex, reply.matchIndex);
			progress.nextIndex = Math.max(progress.nextIndex, progress.matchIndex + 1);
			acknowledge(turn, from, reply);
			if (progress.nextIndex <= lastOf(state).index && hashAt(state, progress.nextIndex - 1) !== undefined) {
				sendEntries(turn, from);
			}
			break;
		case "behind":
			// Below the base it catches up by itself.
			if (reply.matchIndex < state.base.index) break;
			// The whole uncommitted tail is short: one step back covers every conflict.
			progress.nextIndex = Math.max(state.base.index + 1, Math.min(progress.nextIndex - 1, reply.matchIndex + 1));
			progress.sentIndex = -1;
			// What it cannot take it is not sent over and over: once a round.
			if (isFirstAnswer) sendEntries(turn, from);
			break;
		case "refused":
			turn.effects.push({ type: "refusedBy", from, ids: reply.refusedIds });
			break;
	}
}

/** §5.4.2: only a block of the leader's current term is committed by counting; blocks below it come with it. */
function acknowledge(turn: Turn, from: number, reply: AppendReplyMessage): void {
	const { state } = turn;
	const entry = state.tail.at(-1);
	if (entry === undefined || reply.acknowledgement === undefined || entry.block.term !== state.term) return;
	if (reply.matchIndex !== entry.block.index || !equalBytes(reply.acknowledgement.hash, entry.hash)) return;
	state.acknowledgements.set(from, reply.acknowledgement.signature);
	const certificate = makeCertificate(
		{ index: entry.block.index, term: entry.block.term, hash: entry.hash },
		state.acknowledgements,
		voterSetsUpTo(state, entry.block.index),
	);
	if (certificate !== undefined) commitAsLeader(turn, certificate);
}

function commitAsLeader(turn: Turn, certificate: Certificate): void {
	const { state } = turn;
	state.proposalDeadlineMs = undefined;
	state.acknowledgements.clear();
	state.changeSeq = undefined;
	// The certificate speaks for itself: it goes out while the own commit is written.
	commitTo(turn, certificate, () => broadcast(turn));
}

/** Check-quorum, the proposal timer (thesis 5.4) and heartbeats. */
export function tickLeader(turn: Turn): void {
	const { state } = turn;
	const { electionTimeoutMaxMs } = state.settings;
	const heard = (voter: number) => {
		if (voter === state.self) return true;
		const progress = state.progress.get(voter);
		return progress !== undefined && state.nowMs - progress.lastHeardMs < electionTimeoutMaxMs;
	};
	if (!isVoter(state) || !hasMajority(votersOf(state), heard)) {
		becomeFollower(turn, "lost-majority");
		return;
	}
	if (state.proposalDeadlineMs !== undefined && state.nowMs >= state.proposalDeadlineMs) {
		state.standNotBeforeMs = state.nowMs + 2 * electionTimeoutMaxMs;
		becomeFollower(turn, "proposal-timeout");
		return;
	}
	// The successor did not win in time: the leader goes on.
	if (state.transferUntilMs !== undefined && state.nowMs >= state.transferUntilMs) state.transferUntilMs = undefined;
	if (state.nowMs >= state.nextHeartbeatMs) broadcast(turn);
}

/** The leader's clock moved otherwise than time did: it asks a majority for theirs before it stamps anything. */
export function doubtClock(turn: Turn): void {
	broadcast(turn);
	turn.state.doubtRound = turn.state.round;
	resolveDoubt(turn);
}

function resolveDoubt(turn: Turn): void {
	const { state } = turn;
	const { doubtRound } = state;
	if (doubtRound === undefined) return;
	const answered = (voter: number) => voter === state.self || (state.progress.get(voter)?.round ?? 0) >= doubtRound;
	const voters = votersOf(state);
	if (!hasMajority(voters, answered)) return;
	const offsets = voters
		.filter(answered)
		.map((voter) => (voter === state.self ? 0 : (state.progress.get(voter)?.clockOffsetMs ?? 0)));
	const offMs = -lowerMedian(offsets);
	if (Math.abs(offMs) > state.settings.clockToleranceMs * state.settings.timeScale) {
		state.clockOffMs = offMs;
		becomeFollower(turn, "clock-jumped");
		return;
	}
	state.clockOffMs = undefined;
	state.doubtRound = undefined;
}
