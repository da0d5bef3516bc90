/** Leader election (Raft paper §5.2, §5.4.1) with pre-vote and check-quorum (Raft thesis §6.2, §9.6). */
import type { PreVoteMessage, PreVoteReplyMessage, RequestVoteMessage, VoteReplyMessage } from "../message/message.js";
import { hasMajority, lowerMedian } from "./quorum.js";
import { startLeading } from "./replication.js";
import { adoptTerm, resetElectionTimer } from "./roles.js";
import { isVoter, lastOf, persist, type RaftState, type Turn, votersOf } from "./state.js";

/**
 * Whether this device may vote or acknowledge: it is a voter, its key is not suspected of a twin, and hellos of this
 * run make a majority with itself, so that a majority's knowledge of its earlier life has reached it.
 */
export function mayVote(state: RaftState): boolean {
	return (
		state.suspended === undefined &&
		hasMajority(votersOf(state), (voter) => voter === state.self || state.greeted.has(voter))
	);
}

/** The election time-out passed without a leader: asks whether standing would succeed. */
export function startPreVote(turn: Turn): void {
	const { state } = turn;
	resetElectionTimer(state);
	state.leader = undefined;
	if (!isVoter(state) || !mayVote(state) || state.nowMs < state.standNotBeforeMs) return;
	state.role = "preCandidate";
	state.votes = new Map([[state.self, { granted: true, clockOffsetMs: 0 }]]);
	const last = lastOf(state);
	ask(turn, { type: "preVote", term: state.term + 1, lastTerm: last.term, lastIndex: last.index });
	countPreVotes(turn);
}

function ask(turn: Turn, message: PreVoteMessage | RequestVoteMessage, afterSeq?: number): void {
	for (const voter of votersOf(turn.state)) {
		if (voter === turn.state.self) continue;
		turn.effects.push({ type: "send", to: voter, message, ...(afterSeq === undefined ? {} : { afterSeq }) });
	}
}

/** Answers a pre-vote. Changes nothing: neither the term nor the vote. */
export function onPreVote(turn: Turn, from: number, message: PreVoteMessage): void {
	const { state } = turn;
	const granted = mayVote(state) && message.term > state.term && isUpToDate(state, message) && !hearsLeader(state);
	turn.effects.push({
		type: "send",
		to: from,
		message: { type: "preVoteReply", term: granted ? message.term : state.term, granted, chainMs: state.chainMs },
	});
}

/** §5.4.1: the candidate's last (term, index) is at least as up to date as the own one. */
function isUpToDate(state: RaftState, candidate: { lastTerm: number; lastIndex: number }): boolean {
	const last = lastOf(state);
	return candidate.lastTerm !== last.term ? candidate.lastTerm > last.term : candidate.lastIndex >= last.index;
}

/** A leader was heard within the minimum election time-out: a returning tab must not depose it. */
function hearsLeader(state: RaftState): boolean {
	if (state.role === "leader") return true;
	return state.leader !== undefined && state.nowMs - state.lastLeaderContactMs < state.settings.electionTimeoutMinMs;
}

export function onPreVoteReply(turn: Turn, from: number, reply: PreVoteReplyMessage): void {
	const { state } = turn;
	if (!reply.granted && reply.term > state.term) {
		adoptTerm(turn, reply.term);
		persist(turn, {});
		return;
	}
	if (state.role !== "preCandidate" || (reply.granted && reply.term !== state.term + 1)) return;
	if (!votersOf(state).includes(from)) return;
	state.votes.set(from, { granted: reply.granted, clockOffsetMs: reply.chainMs - state.chainMs });
	countPreVotes(turn);
}

function countPreVotes(turn: Turn): void {
	const { state } = turn;
	if (!hasMajority(votersOf(state), (voter) => state.votes.get(voter)?.granted === true)) return;
	// A node stands only with a clock that its answerers share: a leader's clock stamps the blocks.
	const offMs = -lowerMedian([...state.votes.values()].map((vote) => vote.clockOffsetMs));
	if (Math.abs(offMs) > state.settings.clockToleranceMs * state.settings.timeScale) {
		// Answers that still come may outvote the one that is wrong.
		state.clockOffMs = offMs;
		return;
	}
	state.clockOffMs = undefined;
	standForElection(turn);
}

/** §5.2: increments its term, votes for itself, and asks the others once that is written. */
export function standForElection(turn: Turn, transfer = false): void {
	const { state } = turn;
	state.role = "candidate";
	state.term += 1;
	state.votedFor = state.self;
	state.votes = new Map();
	state.waiting = undefined;
	resetElectionTimer(state);
	const seq = persist(turn, {});
	const last = lastOf(state);
	ask(turn, { type: "requestVote", term: state.term, lastTerm: last.term, lastIndex: last.index, transfer }, seq);
	// The own vote counts when it is written, as everybody's does.
	turn.effects.push({
		type: "send",
		to: state.self,
		message: { type: "voteReply", term: state.term, granted: true },
		afterSeq: seq,
	});
}

/** §5.2, §5.4.1: one vote a term, first come first served, only for a log that is at least as up to date. */
export function onRequestVote(turn: Turn, from: number, message: RequestVoteMessage): void {
	const { state } = turn;
	// Raft thesis §4.2.3: with a leader alive, a request to replace it is not even looked at, unless the leader itself
	// wants to be replaced by this voter.
	const isWanted = message.transfer && votersOf(state).includes(from);
	if (message.term > state.term && hearsLeader(state) && !isWanted) return;
	if (message.term > state.term) {
		adoptTerm(turn, message.term);
		persist(turn, {});
	}
	const granted =
		message.term === state.term &&
		mayVote(state) &&
		(state.votedFor === undefined || state.votedFor === from) &&
		isUpToDate(state, message);
	if (granted && state.votedFor === undefined) {
		state.votedFor = from;
		persist(turn, {});
	}
	if (granted) resetElectionTimer(state);
	turn.effects.push({
		type: "send",
		to: from,
		message: { type: "voteReply", term: state.term, granted },
		afterSeq: state.nextSeq - 1,
	});
}

export function onVoteReply(turn: Turn, from: number, reply: VoteReplyMessage): void {
	const { state } = turn;
	if (reply.term > state.term) {
		adoptTerm(turn, reply.term);
		persist(turn, {});
		return;
	}
	// Votes count for the current term only.
	if (state.role !== "candidate" || reply.term !== state.term) return;
	state.votes.set(from, { granted: reply.granted, clockOffsetMs: 0 });
	if (hasMajority(votersOf(state), (voter) => state.votes.get(voter)?.granted === true)) startLeading(turn);
}
