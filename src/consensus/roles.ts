/** Changing role and term (Raft paper §5.1, §5.2). */
import type { RaftState, Turn } from "./state.js";
import { nextRandom } from "./state.js";

/** Draws the next election time-out. */
export function resetElectionTimer(state: RaftState): void {
	const { electionTimeoutMinMs, electionTimeoutMaxMs } = state.settings;
	state.electionDeadlineMs =
		state.nowMs + electionTimeoutMinMs + Math.floor(nextRandom(state) * (electionTimeoutMaxMs - electionTimeoutMinMs));
}

/** Steps down, or goes on as a follower. The term and the vote stay: a vote is cleared only when the term rises. */
export function becomeFollower(turn: Turn, reason: string): void {
	const { state } = turn;
	const was = state.role;
	state.role = "follower";
	state.leader = undefined;
	state.votes.clear();
	state.progress.clear();
	state.acknowledgements.clear();
	state.proposalDeadlineMs = undefined;
	state.doubtRound = undefined;
	state.transferUntilMs = undefined;
	state.changeSeq = undefined;
	resetElectionTimer(state);
	if (was === "leader") turn.effects.push({ type: "becameFollower", reason });
}

/** Rules for all servers: a higher term was seen. The caller writes it before anything depends on it. */
export function adoptTerm(turn: Turn, term: number): void {
	const { state } = turn;
	becomeFollower(turn, "higher-term");
	state.term = term;
	state.votedFor = undefined;
	// What was held back belonged to the old term.
	state.waiting = undefined;
}
