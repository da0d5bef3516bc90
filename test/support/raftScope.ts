/** What is explored: a core, and how much may happen to it. */
import { step } from "../../src/consensus/raft.js";
import { mayChangeVoters } from "../../src/consensus/replication.js";
import type { RaftEffect, RaftInput, RaftState } from "../../src/consensus/state.js";
import type { VoterChange } from "./raft.js";
import type { Budget } from "./raftWorld.js";

/** The core to explore: the real one, or one broken on purpose. */
export interface Core {
	readonly step: (state: RaftState, input: RaftInput) => RaftEffect[];
	readonly mayChangeVoters: (state: RaftState) => boolean;
}

export const REAL_CORE: Core = { step, mayChangeVoters };

export interface Bounds extends Partial<Budget> {
	/** Devices 0 … voters − 1 vote, the observers follow them. */
	voters: number;
	observers?: number;
	/** Begin with device 0 leading term 1 and its first block certified everywhere. */
	settled?: boolean;
	/** Voter changes to choose from. */
	choices?: readonly VoterChange[];
	/** Writes settle one by one, whenever; else each is settled, or lost in a crash, before the next thing happens. */
	slowWrites?: boolean;
	/** Whether "said before written" is a violation of its own, or only what may come of it. */
	allowsEarlyWord?: boolean;
	breadthFirst?: boolean;
	maxStates?: number;
}

export const NOTHING_LEFT: Budget = {
	elections: 0,
	proposals: 0,
	changes: 0,
	crashes: 0,
	transfers: 0,
	heartbeats: 0,
	fetches: 0,
};
