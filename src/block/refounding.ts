/**
 * A neighbourhood that lost a majority of its voters for good is founded again. The genesis of the new chain holds, in
 * this order, the `refound` of whoever proposed it, the `confirm` of each household that agreed, and the proposer's
 * `seal`: one proposal has one genesis, whoever else holds the same confirmations.
 */
import type { CborValue } from "../primitives/codec.js";
import { encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";

/** What a chain runs by from its founding on: nothing changes it. */
export interface ChainParameters {
	name: string;
	/** A block for each such interval of chain time; divides a minute. */
	blockIntervalMs: number;
	settlementGraceBlocks: number;
	readingWindowBlocks: number;
	/** A checkpoint for so many counted blocks: a day of minutes by default. */
	checkpointBlocks: number;
	/** How much faster than the world the chain's clock runs; not 1: a demo. */
	timeScale: number;
	/** 16 random bytes: two neighbourhoods of one name founded at one instant are two. */
	salt: Uint8Array;
}

/** Where the new chain begins: the last certified block of the old one, with all of its state. */
export interface PredecessorState {
	/** The old neighbourhood's grid id (32 bytes). */
	gridId: Uint8Array;
	/** Its genesis block's timestamp, ms. */
	genesisTimestampMs: number;
	/** The certified block's header, encoded as it is hashed. */
	header: Uint8Array;
	/** The certificate for that very block, encoded as it is sent. */
	certificate: Uint8Array;
	/** Preimages of the leaves of the block's state root, in their order. */
	leaves: readonly Uint8Array[];
}

/**
 * First transaction of the genesis; by itself, the proposal that households confirm. The parameters are the old chain's,
 * but for the salt.
 */
export interface RefoundTransaction extends ChainParameters {
	kind: "refound";
	/** Member index of the household that proposes it. */
	member: number;
	/** The new genesis block's timestamp. */
	timestampMs: number;
	/** Device indices of those who vote from then on, ascending. */
	voters: readonly number[];
	predecessor: PredecessorState;
	signature: Uint8Array;
}

/** A household goes over to the new chain. In its genesis, or later in a block. */
export interface ConfirmTransaction {
	kind: "confirm";
	member: number;
	/** Id of the `refound` (32 bytes). */
	proposal: Uint8Array;
	signature: Uint8Array;
}

/** Last transaction of the genesis: the proposer closes the list of those who confirmed. */
export interface SealTransaction {
	kind: "seal";
	/** The proposer. */
	member: number;
	proposal: Uint8Array;
	/** Hash over the confirmations, signatures included (32 bytes). */
	confirmations: Uint8Array;
	signature: Uint8Array;
}

const hashConfirmations = taggedHash("confirmations");
const hashWithdrawal = taggedHash("withdrawal");

/** What a `seal` names. */
export function confirmationsHash(confirmations: readonly ConfirmTransaction[]): Uint8Array {
	return hashConfirmations(encode(confirmations.map(({ member, signature }) => [member, signature])));
}

/** What the proposer's household signs to take its proposal back. */
export function withdrawalDigest(gridId: Uint8Array, proposal: Uint8Array): Uint8Array {
	return hashWithdrawal(gridId, proposal);
}

/** The signed body of a `refound`. */
export function refoundFields(refound: Omit<RefoundTransaction, "signature">): CborValue[] {
	const { predecessor } = refound;
	return [
		refound.member,
		refound.timestampMs,
		refound.voters,
		refound.name,
		refound.blockIntervalMs,
		refound.settlementGraceBlocks,
		refound.readingWindowBlocks,
		refound.checkpointBlocks,
		refound.timeScale,
		refound.salt,
		predecessor.gridId,
		predecessor.genesisTimestampMs,
		predecessor.header,
		predecessor.certificate,
		predecessor.leaves,
	];
}
