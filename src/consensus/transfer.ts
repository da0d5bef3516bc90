/** Leadership transfer (Raft thesis §3.10): a leader that is about to leave names a successor, which stands at once. */
import type { TimeoutNowMessage } from "../message/message.js";
import { mayVote, standForElection } from "./election.js";
import { isVoter, lastOf, type RaftState, type Turn, votersOf } from "./state.js";

/**
 * The leader proposes nothing more and asks the best successor to stand. Without one it stays, and so it does when all
 * were asked in vain: they are asked again when another block is certified.
 */
export function transferLeadership(turn: Turn): void {
	const { state } = turn;
	if (state.role !== "leader" || state.transferUntilMs !== undefined) return;
	const to = successorOf(state);
	if (to === undefined) return;
	state.triedSuccessors = { baseIndex: state.base.index, voters: [...triedSuccessors(state), to] };
	state.transferUntilMs = state.nowMs + state.settings.electionTimeoutMinMs;
	turn.effects.push({ type: "send", to, message: { type: "timeoutNow", term: state.term } });
}

function triedSuccessors({ base, triedSuccessors: { baseIndex, voters } }: RaftState): readonly number[] {
	return baseIndex === base.index ? voters : [];
}

/**
 * A voter that has the whole log and a right clock, and was not asked in vain: what keeps it from standing, a twin or a
 * majority it has not met, the leader does not know. Of several the one that was heard last, then the lowest.
 */
function successorOf(state: RaftState): number | undefined {
	const { settings, progress } = state;
	const tried = triedSuccessors(state);
	let best: { voter: number; lastHeardMs: number } | undefined;
	for (const voter of votersOf(state)) {
		const known = voter === state.self || tried.includes(voter) ? undefined : progress.get(voter);
		if (known === undefined || known.matchIndex !== lastOf(state).index) continue;
		if (Math.abs(known.clockOffsetMs) > settings.clockToleranceMs * settings.timeScale) continue;
		if (best === undefined || known.lastHeardMs > best.lastHeardMs) best = { voter, lastHeardMs: known.lastHeardMs };
	}
	return best?.voter;
}

/** The leader of this term wants this voter to stand, without waiting and without a pre-vote. */
export function onTimeoutNow(turn: Turn, from: number, { term }: TimeoutNowMessage): void {
	const { state } = turn;
	if (term !== state.term || state.role !== "follower" || state.leader !== from) return;
	if (isVoter(state) && mayVote(state)) standForElection(turn, true);
}
