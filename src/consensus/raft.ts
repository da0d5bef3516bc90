/**
 * Raft as a pure core: `step(state, input) → effects`. The same for the browser, the simulator and the replay. The state
 * is changed in place; effects are to be carried out in order.
 */
import type { Acknowledged, Certificate } from "../block/certificate.js";
import type { Entry, RaftMessage } from "../message/message.js";
import { assert } from "../primitives/assert.js";
import { equalBytes } from "../primitives/bytes.js";
import { checkOwnSignature, LOG_DAMAGED, recoverLog } from "./commit.js";
import { onPreVote, onPreVoteReply, onRequestVote, onVoteReply, startPreVote } from "./election.js";
import { onAppendEntries, onValidated, tickHeld } from "./follow.js";
import { doubtClock, onAppendReply, propose, sendEntries, tickLeader, trackPeer } from "./replication.js";
import { adoptTerm, becomeFollower, resetElectionTimer } from "./roles.js";
import {
	DEFAULT_RAFT_SETTINGS,
	type LogBase,
	persist,
	type RaftEffect,
	type RaftInput,
	type RaftSettings,
	type RaftState,
	type Turn,
} from "./state.js";
import { onTimeoutNow, transferLeadership } from "./transfer.js";

/** What survived the last run. */
export interface RaftRestart {
	self: number;
	term: number;
	votedFor: number | undefined;
	lastSigned: Acknowledged | undefined;
	suspended: string | undefined;
	base: LogBase;
	certificate: Certificate | undefined;
	/** The first one at or above `base.votersSinceIndex`. */
	votersCertificate: Certificate | undefined;
	tail: Entry[];
}

/** Starts as a follower (Raft paper §5.2). */
export function createRaft(
	restart: RaftRestart,
	clocks: { monotonicMs: number; chainMs: number },
	seed: number,
	settings: Partial<RaftSettings> = {},
): RaftState {
	// Blocks that came while this device took no part may be of a newer term than the vote that was written.
	const isOvertaken = restart.base.term > restart.term;
	const state: RaftState = {
		...restart,
		term: isOvertaken ? restart.base.term : restart.term,
		votedFor: isOvertaken ? undefined : restart.votedFor,
		settings: { ...DEFAULT_RAFT_SETTINGS, ...settings },
		role: "follower",
		leader: undefined,
		peers: new Set(),
		greeted: new Set(),
		nowMs: clocks.monotonicMs,
		chainMs: clocks.chainMs,
		electionDeadlineMs: 0,
		lastLeaderContactMs: clocks.monotonicMs,
		standNotBeforeMs: 0,
		votes: new Map(),
		clockOffMs: undefined,
		progress: new Map(),
		nextHeartbeatMs: 0,
		round: 0,
		doubtRound: undefined,
		transferUntilMs: undefined,
		triedSuccessors: { baseIndex: restart.base.index, voters: [] },
		changeSeq: undefined,
		proposalDeadlineMs: undefined,
		acknowledgements: new Map(),
		waiting: undefined,
		ahead: undefined,
		nextSeq: 1,
		random: seed | 0,
	};
	resetElectionTimer(state);
	return state;
}

/** One input, its effects. */
export function step(state: RaftState, input: RaftInput): RaftEffect[] {
	const turn: Turn = { state, effects: [] };
	switch (input.type) {
		case "tick":
			onTick(turn, input.monotonicMs, input.chainMs);
			break;
		case "resume":
			state.nowMs = input.monotonicMs;
			state.chainMs = input.chainMs;
			becomeFollower(turn, "resumed");
			break;
		case "greeted":
			onGreeted(turn, input.from);
			break;
		case "gone":
			state.peers.delete(input.from);
			state.progress.delete(input.from);
			break;
		case "message":
			onMessage(turn, input.from, input.message);
			break;
		case "propose":
			propose(turn, input.entry);
			break;
		case "validated":
			onValidated(turn, input.hash, input.result);
			break;
		case "installed":
			onInstalled(turn, input);
			break;
		case "suspend":
			// A damaged log heals by itself; what comes to it does not.
			if (state.suspended === undefined || state.suspended === LOG_DAMAGED) {
				state.suspended = input.code;
				becomeFollower(turn, "suspended");
				persist(turn, {});
			}
			break;
		case "shown":
			checkOwnSignature(turn, input.certificate);
			break;
		case "transferLeadership":
			transferLeadership(turn);
			break;
	}
	return turn.effects;
}

function onTick(turn: Turn, monotonicMs: number, chainMs: number): void {
	const { state } = turn;
	const jumpMs = chainMs - state.chainMs - (monotonicMs - state.nowMs) * state.settings.timeScale;
	state.nowMs = monotonicMs;
	state.chainMs = chainMs;
	if (state.role === "leader") {
		if (Math.abs(jumpMs) > CLOCK_JUMP_MS * state.settings.timeScale) doubtClock(turn);
		if (state.role === "leader") tickLeader(turn);
		return;
	}
	// The clock was set: whether it is right is found out anew.
	if (Math.abs(jumpMs) > CLOCK_JUMP_MS * state.settings.timeScale) state.clockOffMs = undefined;
	tickHeld(turn);
	if (monotonicMs >= state.electionDeadlineMs) startPreVote(turn);
}

/** The two clocks disagree by more than scheduling explains: the wall clock was set. */
const CLOCK_JUMP_MS = 1_000;

function onGreeted(turn: Turn, from: number): void {
	const { state } = turn;
	state.peers.add(from);
	state.greeted.add(from);
	if (state.role === "leader") {
		trackPeer(state, from);
		sendEntries(turn, from);
	}
}

/** No neighbourhood has so many elections while a device is away: one bad message must not use up all terms there are. */
const MAX_TERM_LEAP = 1_000_000;

function onMessage(turn: Turn, from: number, message: RaftMessage): void {
	const { state } = turn;
	if (message.term > state.term + MAX_TERM_LEAP) {
		turn.effects.push({ type: "misbehaved", from, code: "term-leap" });
		return;
	}
	switch (message.type) {
		case "preVote":
			onPreVote(turn, from, message);
			break;
		case "preVoteReply":
			onPreVoteReply(turn, from, message);
			break;
		case "requestVote":
			onRequestVote(turn, from, message);
			break;
		case "voteReply":
			onVoteReply(turn, from, message);
			break;
		case "timeoutNow":
			onTimeoutNow(turn, from, message);
			break;
		case "appendEntries":
			onAppendEntries(turn, from, message);
			break;
		case "appendReply":
			if (message.term > state.term) {
				adoptTerm(turn, message.term);
				persist(turn, {});
			} else {
				onAppendReply(turn, from, message);
			}
			break;
	}
}

/** Blocks that were certified elsewhere are in storage: the log starts above them. Own entries above stay if they fit. */
function onInstalled(turn: Turn, installed: Extract<RaftInput, { type: "installed" }>): void {
	const { state } = turn;
	const { base, certificate, votersCertificate } = installed;
	assert(base.index >= state.base.index, "the certified part of the log never shrinks");
	// §5.1: its signers were in that term. Who led an older one follows, and never builds on a newer block than its term.
	if (certificate.term > state.term) adoptTerm(turn, certificate.term);
	const above = state.tail.filter((entry) => entry.block.index > base.index);
	const fits = above[0] === undefined || equalBytes(above[0].block.previousHash, base.hash);
	const kept = fits ? above : [];
	const gone = state.tail.filter((entry) => !kept.includes(entry) && !(entry.block.index <= base.index));
	state.base = base;
	state.certificate = certificate;
	state.votersCertificate = votersCertificate ?? state.votersCertificate;
	state.tail = kept;
	state.waiting = undefined;
	if (state.ahead !== undefined && state.ahead.index <= base.index) state.ahead = undefined;
	recoverLog(state);
	checkOwnSignature(turn, certificate);
	if (kept.length === 0) {
		// An open proposal is among what was certified, or is gone.
		state.proposalDeadlineMs = undefined;
		state.acknowledgements.clear();
	}
	persist(turn, { truncateFrom: (kept.at(-1)?.block.index ?? base.index) + 1 });
	if (gone.length > 0) {
		turn.effects.push({ type: "truncated", fromIndex: base.index + 1, blocks: gone.map((entry) => entry.block) });
	}
}
