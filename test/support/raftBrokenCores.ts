/** The core with one mistake each, to show that the explorer finds it. The mistakes are made around `step`. */
import { step } from "../../src/consensus/raft.js";
import { mayChangeVoters, mayPropose } from "../../src/consensus/replication.js";
import { lastOf, type RaftEffect, type RaftInput, type RaftState } from "../../src/consensus/state.js";
import type { Entry } from "../../src/message/message.js";
import type { Core } from "./raftScope.js";

/** Votes whatever the candidate's log holds (against Raft paper §5.4.1). */
export const VOTES_FOR_ANY_LOG: Core = {
	mayChangeVoters,
	step: (state, input) => {
		if (input.type !== "message" || input.message.type !== "requestVote") return step(state, input);
		const { term: lastTerm, index: lastIndex } = lastOf(state);
		return step(state, { ...input, message: { ...input.message, lastTerm, lastIndex } });
	},
};

/** Acknowledges a block while it is being written (against figure 2). */
export const ACKNOWLEDGES_BEFORE_WRITE: Core = {
	mayChangeVoters,
	step: (state, input) => step(state, input).map((effect) => (isSaid(effect, "appendReply") ? atOnce(effect) : effect)),
};

/** Writes its term, but not whom it voted for (against figure 2). */
export const FORGETS_ITS_VOTE: Core = {
	mayChangeVoters,
	step: (state, input) =>
		step(state, input).map((effect) => {
			if (effect.type !== "persist") return effect;
			const { persist } = effect;
			return { ...effect, persist: { ...persist, votes: { ...persist.votes, votedFor: undefined } } };
		}),
};

/** Tells of its voter change while it is being written: of a single voter's nobody else has a memory. */
export const TELLS_OF_CHANGE_BEFORE_WRITE: Core = {
	mayChangeVoters,
	step: (state, input) =>
		step(state, input).map((effect) => (isSaid(effect, "appendEntries") ? atOnce(effect) : effect)),
};

/** Changes the voters without a certified block of its own term below (against Ongaro 2015). */
export const CHANGES_VOTERS_AT_ONCE: Core = {
	mayChangeVoters: mayPropose,
	step: (state, input) => (input.type === "propose" ? proposeUnchecked(state, input.entry) : step(state, input)),
};

function isSaid(effect: RaftEffect, type: "appendReply" | "appendEntries"): boolean {
	return effect.type === "send" && effect.message.type === type;
}

function atOnce(effect: RaftEffect): RaftEffect {
	return effect.type === "send" ? { ...effect, afterSeq: 0 } : effect;
}

/** The proposal passes the core's own assertion in disguise: as a block that changes nothing. */
function proposeUnchecked(state: RaftState, entry: Entry): RaftEffect[] {
	const disguised: Entry = { ...entry, block: { ...entry.block, transactions: [] } };
	const input: RaftInput = { type: "propose", entry: disguised };
	const bare = (one: Entry) => (one === disguised ? entry : one);
	const effects = step(state, input).map((effect): RaftEffect => {
		if (effect.type === "persist" && effect.persist.append !== undefined) {
			return { ...effect, persist: { ...effect.persist, append: entry } };
		}
		if (effect.type === "send" && effect.message.type === "appendEntries") {
			return { ...effect, message: { ...effect.message, entries: effect.message.entries.map(bare) } };
		}
		return effect;
	});
	state.tail = state.tail.map(bare);
	return effects;
}
