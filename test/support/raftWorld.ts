/**
 * Worlds for the explorer: some cores with their disks and what is under way between them, as values. A device that did
 * not change is shared between worlds; whatever only time or chance decides is taken out, so that equal worlds are equal.
 */
import { createRaft } from "../../src/consensus/raft.js";
import type { Persist, RaftState } from "../../src/consensus/state.js";
import type { Entry, RaftMessage } from "../../src/message/message.js";
import { START_MS } from "./raft.js";
import { type Disk, restartFrom } from "./raftDisk.js";

/** The one moment of monotonic time: long after everything that was ever heard. */
export const NOW_MS = 1_000_000;

export interface Sent {
	readonly from: number;
	readonly to: number;
	readonly message: RaftMessage;
}

/** A core, its disk, and its writes under way with what waits for them. */
export interface Device {
	state: RaftState;
	disk: Disk;
	isUp: boolean;
	writes: Persist[];
	held: (Sent & { afterSeq: number })[];
	/** Equal for equal devices; 0 while it changes. */
	key: number;
}

export interface World {
	readonly devices: readonly Device[];
	/** Under way, each message once, by ascending key. Nothing is ever lost but by never arriving. */
	readonly network: readonly Letter[];
	readonly left: Budget;
	/** Who ever led which term. */
	readonly leaders: ReadonlyMap<number, number>;
	/** All blocks that were ever certified. */
	readonly certified: readonly Entry[];
}

export interface Letter extends Sent {
	readonly key: number;
}

/** What may still happen. */
export interface Budget {
	readonly elections: number;
	readonly proposals: number;
	readonly changes: number;
	readonly crashes: number;
	readonly transfers: number;
	readonly heartbeats: number;
	readonly fetches: number;
}

export function cloneDevice(device: Device): Device {
	const { state } = device;
	return {
		...device,
		state: {
			...state,
			// Everybody has met everybody: peers and greeted stay what they are, and are shared.
			tail: [...state.tail],
			votes: copyOf(state.votes),
			progress: copyOf(state.progress, (progress) => ({ ...progress })),
			acknowledgements: copyOf(state.acknowledgements),
			waiting: state.waiting === undefined ? undefined : { ...state.waiting },
		},
		writes: [...device.writes],
		held: [...device.held],
		key: 0,
	};
}

function copyOf<V>(map: ReadonlyMap<number, V>, copy: (value: V) => V = (value) => value): Map<number, V> {
	const copied = new Map<number, V>();
	for (const [key, value] of map) copied.set(key, copy(value));
	return copied;
}

/** A device that starts from its disk, and has met everybody. */
export function boot(self: number, disk: Disk, everybody: readonly number[]): Device {
	const state = createRaft(restartFrom(self, disk), { monotonicMs: NOW_MS, chainMs: START_MS }, 0);
	for (const other of everybody) {
		if (other === self) continue;
		state.peers.add(other);
		state.greeted.add(other);
	}
	timeless(state);
	return { state, disk, isUp: true, writes: [], held: [], key: 0 };
}

/** Takes out what only time and chance decide. Nobody counts as heard lately: so every election is possible. */
export function timeless(state: RaftState): void {
	state.nowMs = NOW_MS;
	state.chainMs = START_MS;
	state.electionDeadlineMs = NOW_MS + 1;
	state.lastLeaderContactMs = 0;
	state.standNotBeforeMs = 0;
	state.nextHeartbeatMs = NOW_MS + 1;
	state.round = 0;
	state.random = 0;
	if (state.proposalDeadlineMs !== undefined) state.proposalDeadlineMs = NOW_MS + 1;
	if (state.transferUntilMs !== undefined) state.transferUntilMs = NOW_MS + 1;
	for (const progress of state.progress.values()) {
		progress.lastHeardMs = NOW_MS;
		progress.round = 0;
	}
}

/** The same message whatever the round and the clock. */
export function timelessMessage(message: RaftMessage): RaftMessage {
	if (message.type === "appendEntries") return { ...message, round: 0 };
	if (message.type === "appendReply") return { ...message, round: 0, chainMs: START_MS };
	return message;
}
