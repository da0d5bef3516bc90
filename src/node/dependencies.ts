/** What the node is given: everything that differs between a browser, the simulator and the replay. */

import type { RaftSettings } from "../consensus/state.js";
import type { LocalTimeRule } from "../primitives/localTime.js";
import type { Result } from "../primitives/result.js";
import type { BatchVerifier } from "../primitives/signature.js";
import { MINUTES_PER_DAY } from "../primitives/units.js";
import type { NodeOutput } from "./protocol.js";
import type { StorageRoot } from "./storage.js";
import type { StretchParameters } from "./vault.js";

/** The two clocks. */
export interface Clocks {
	/** The chain's time: minutes, timestamps, block interval. May run faster than the world in a demo or a replay. */
	chainMs(): number;
	/** Heartbeats, elections, time-outs. Never runs faster, never goes back. */
	monotonicMs(): number;
}

export interface Signer {
	/** Public key (33 bytes) of a secret key. */
	publicKeyOf(secretKey: Uint8Array): Uint8Array;
	/** 65 bytes over a 32-byte digest. */
	sign(digest: Uint8Array, secretKey: Uint8Array): Uint8Array;
}

export interface NodeSettings {
	raft: Partial<RaftSettings>;
	/** After a minute's end the leader waits so long (chain time) for its readings. */
	readingDelayMs: number;
	/** A block's transactions, encoded; halved after a proposal time-out. */
	maxBlockBytes: number;
	/** A channel on which nothing came for so long is closed. */
	silenceMs: number;
	/** Up to so many devices in use everybody is connected with everybody. */
	fullMeshDevices: number;
	/** Before real kroner move, a household has nearly so many minutes in a row; 0: nobody is asked for a first week. */
	firstWeekMinutes: number;
	/** The screens are drawn anew at most so often. */
	viewMs: number;
	/** What a neighbourhood is founded with. */
	founding: {
		blockIntervalMs: number;
		settlementGraceBlocks: number;
		readingWindowBlocks: number;
		checkpointBlocks: number;
		timeScale: number;
	};
}

export const DEFAULT_NODE_SETTINGS: NodeSettings = {
	raft: {},
	readingDelayMs: 5_000,
	maxBlockBytes: 200_000,
	silenceMs: 5_000,
	fullMeshDevices: 30,
	firstWeekMinutes: MINUTES_PER_DAY,
	viewMs: 200,
	founding: {
		blockIntervalMs: 60_000,
		settlementGraceBlocks: 180,
		readingWindowBlocks: 10_080,
		checkpointBlocks: 1_440,
		timeScale: 1,
	},
};

export interface NodeDependencies {
	clocks: Clocks;
	storage: StorageRoot;
	signer: Signer;
	verifier: BatchVerifier;
	/** Fresh random bytes, fit for keys. */
	randomBytes(length: number): Uint8Array;
	/**
	 * What Argon2id (RFC 9106) makes of a password: 32 bytes. It takes most of a second and runs beside the node; where the
	 * device has not got the memory for it, that is said.
	 */
	stretchPassword(
		password: string,
		salt: Uint8Array,
		parameters: StretchParameters,
	): Promise<Result<Uint8Array, { code: "password-not-stretched" }>>;
	/** How the clocks go by which the household's screens show days and months. */
	localTime: LocalTimeRule;
	emit(output: NodeOutput): void;
	settings: NodeSettings;
}
