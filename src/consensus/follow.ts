/** The follower's side of log replication (Raft paper §5.3). */
import type { Certificate } from "../block/certificate.js";
import { voterChangeOf } from "../block/voters.js";
import type { AppendEntriesMessage, AppendReplyMessage, Entry } from "../message/message.js";
import { assert } from "../primitives/assert.js";
import { equalBytes } from "../primitives/bytes.js";
import { onCertificate, recoverLog } from "./commit.js";
import { mayVote } from "./election.js";
import { adoptTerm, becomeFollower, resetElectionTimer } from "./roles.js";
import { hashAt, lastOf, persist, type RaftState, type Turn, voterSetsUpTo } from "./state.js";

export function onAppendEntries(turn: Turn, from: number, message: AppendEntriesMessage): void {
	const { state } = turn;
	if (message.term < state.term) {
		// The sender learns the newer term and steps down.
		reply(turn, from, message.round, { status: "behind", matchIndex: state.base.index });
		return;
	}
	if (message.term > state.term) {
		adoptTerm(turn, message.term);
		persist(turn, {});
	}
	// §5.2: a term has one leader. Whoever says otherwise is not believed, and stops nobody.
	if (state.leader !== undefined && state.leader !== from) {
		turn.effects.push({ type: "misbehaved", from, code: "second-leader-in-term" });
		return;
	}
	// §5.2: an appendEntries of the current term is a won election.
	if (state.role !== "follower") becomeFollower(turn, "another-leads");
	state.leader = from;
	state.lastLeaderContactMs = state.nowMs;
	resetElectionTimer(state);
	const agreed = skipKnown(state, message);
	if (agreed === undefined) {
		// First the certificate, so that the answer says how far this log is certified.
		if (message.certificate !== undefined) onCertificate(turn, from, message.certificate);
		reply(turn, from, message.round, { status: "behind", matchIndex: state.base.index });
		return;
	}
	const { matchIndex, fresh } = agreed;
	if (fresh.length > 0) {
		// A leader never replaces a block of its own term (§5.3, leader append-only): what was acknowledged in it stays.
		if (state.tail[matchIndex - state.base.index]?.block.term === state.term) {
			turn.effects.push({ type: "misbehaved", from, code: "replaced-in-term" });
			return;
		}
		truncate(turn, matchIndex + 1);
	}
	// What is certified already does not wait for the entries above it, which may be held back or refused.
	const { certificate } = message;
	const covers = certificate !== undefined && certificate.index <= matchIndex;
	if (covers) onCertificate(turn, from, certificate);
	state.waiting = {
		leader: from,
		round: message.round,
		entries: fresh,
		held: false,
		certificate: covers ? undefined : certificate,
	};
	goOn(turn, matchIndex);
}

/**
 * Drops from a message what the log already holds. Undefined: the entry before it is not held. Entries at or below the
 * base are certified and so the same everywhere.
 */
function skipKnown(
	state: RaftState,
	message: AppendEntriesMessage,
): { matchIndex: number; fresh: Entry[] } | undefined {
	let matchIndex = message.prevIndex;
	if (matchIndex >= state.base.index) {
		const own = hashAt(state, matchIndex);
		if (own === undefined || !equalBytes(own, message.prevHash)) return undefined;
	}
	let at = 0;
	for (const entry of message.entries) {
		if (entry.block.index !== matchIndex + 1) return undefined;
		if (entry.block.index > state.base.index) {
			const own = hashAt(state, entry.block.index);
			if (own === undefined || !equalBytes(own, entry.hash)) break;
		}
		matchIndex += 1;
		at += 1;
	}
	return { matchIndex, fresh: message.entries.slice(at) };
}

/** §5.3: an entry conflicts with a new one: it and all that follow go. Committed ones are below the base, out of reach. */
function truncate(turn: Turn, fromIndex: number): void {
	const { state } = turn;
	const keep = fromIndex - state.base.index - 1;
	assert(keep >= 0, "nothing committed is ever truncated");
	if (keep >= state.tail.length) return;
	const gone = state.tail.slice(keep);
	state.tail = state.tail.slice(0, keep);
	persist(turn, { truncateFrom: fromIndex });
	turn.effects.push({ type: "truncated", fromIndex, blocks: gone.map((entry) => entry.block) });
}

/** Has the next waiting entry validated, holds it, or, when there is none left, answers the leader. */
export function goOn(turn: Turn, matchIndex: number): void {
	const { state } = turn;
	const { waiting } = state;
	if (waiting === undefined) return;
	const next = waiting.entries[0];
	if (next !== undefined) {
		waiting.held = isAheadOfClock(state, next);
		if (!waiting.held) turn.effects.push({ type: "validate", entry: next });
		return;
	}
	finish(turn, waiting.leader, waiting.round, matchIndex, waiting.certificate);
}

function finish(
	turn: Turn,
	leader: number,
	round: number,
	matchIndex: number,
	certificate: Certificate | undefined,
): void {
	turn.state.waiting = undefined;
	// First the certificate, so that the answer says how far this log is certified; one that came before its block, too.
	const { ahead } = turn.state;
	if (certificate !== undefined) onCertificate(turn, leader, certificate);
	if (ahead !== undefined && ahead.index <= matchIndex) onCertificate(turn, leader, ahead);
	reply(turn, leader, round, { status: "match", matchIndex });
}

/**
 * A voter only holds, neither stored nor acknowledged, a block of its current term that is stamped further ahead of its
 * clock than clocks may differ. Older blocks are never judged by the clock.
 */
function isAheadOfClock(state: RaftState, entry: Entry): boolean {
	const { clockToleranceMs, timeScale } = state.settings;
	const { timestampMs, term } = entry.block;
	return (
		signsFor(state, entry) &&
		term === state.term &&
		timestampMs > state.chainMs + clockToleranceMs * timeScale &&
		timestampMs > lastOf(state).timestampMs + 1
	);
}

/** Time passed: a held block may have come of age. */
export function tickHeld(turn: Turn): void {
	const { state } = turn;
	if (state.waiting?.held === true) goOn(turn, lastOf(state).index);
}

export function onValidated(
	turn: Turn,
	hash: Uint8Array,
	result: { valid: true } | { valid: false; refusedIds: Uint8Array[] },
): void {
	const { state } = turn;
	const { waiting } = state;
	const entry = waiting?.entries[0];
	// The verdict on something that was replaced in the meantime.
	if (waiting === undefined || entry === undefined || !equalBytes(entry.hash, hash)) return;
	if (!result.valid) {
		// Nothing is stored: the leader hears the evidence, and its timer does the rest.
		state.waiting = undefined;
		reply(turn, waiting.leader, waiting.round, {
			status: "refused",
			matchIndex: lastOf(state).index,
			refusedIds: result.refusedIds,
		});
		return;
	}
	waiting.entries = waiting.entries.slice(1);
	state.tail.push(entry);
	recoverLog(state);
	const last = waiting.entries.length === 0;
	// The last one is written together with what the acknowledgement says about it.
	if (last && maySign(state, entry)) state.lastSigned = signedOf(entry);
	persist(turn, { append: entry });
	goOn(turn, entry.block.index);
}

function signedOf(entry: Entry): { index: number; term: number; hash: Uint8Array } {
	return { index: entry.block.index, term: entry.block.term, hash: entry.hash };
}

/** Old and new voters sign an uncommitted change, and what lies above it. */
function signsFor(state: RaftState, { block }: Entry): boolean {
	return voterSetsUpTo(state, block.index).some((voters) => voters.includes(state.self));
}

/**
 * Only a block of the current term is signed, and never two hashes for one (index, term). A voter change only by who
 * holds the certificate of the block before it: then no other change can be uncommitted anywhere (Ongaro 2015).
 */
function maySign(state: RaftState, entry: Entry): boolean {
	if (!signsFor(state, entry) || !mayVote(state) || entry.block.term !== state.term) return false;
	if (voterChangeOf(entry.block) !== undefined && state.base.index < entry.block.index - 1) return false;
	const { lastSigned } = state;
	if (lastSigned === undefined || lastSigned.term < entry.block.term) return true;
	if (lastSigned.term > entry.block.term || lastSigned.index > entry.block.index) return false;
	return lastSigned.index < entry.block.index || equalBytes(lastSigned.hash, entry.hash);
}

function reply(
	turn: Turn,
	to: number,
	round: number,
	answer: { status: AppendReplyMessage["status"]; matchIndex: number; refusedIds?: Uint8Array[] },
): void {
	const { state } = turn;
	const entry = state.tail.at(-1);
	const signs =
		answer.status === "match" &&
		entry !== undefined &&
		entry.block.index === answer.matchIndex &&
		maySign(state, entry);
	if (signs && !(state.lastSigned !== undefined && equalBytes(state.lastSigned.hash, entry.hash))) {
		state.lastSigned = signedOf(entry);
		persist(turn, {});
	}
	turn.effects.push({
		type: "send",
		to,
		message: {
			type: "appendReply",
			term: state.term,
			round,
			status: answer.status,
			matchIndex: answer.matchIndex,
			commitIndex: state.base.index,
			chainMs: state.chainMs,
			acknowledgement: undefined,
			refusedIds: answer.refusedIds ?? [],
		},
		afterSeq: state.nextSeq - 1,
		...(signs ? { sign: signedOf(entry) } : {}),
	});
}
