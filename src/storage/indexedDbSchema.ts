/** The object stores of a neighbourhood's database. Values are records, which carry checksums of their own. */
import type { DBSchema, IDBPTransaction } from "idb";
import type { CheckpointRecords } from "../node/storage.js";
import type { SealedRecord } from "./indexedDbSealing.js";

/** The thesis's four logs (5.6), the outbox, and checkpoints. Keys of blocks and certificates are block indices. */
export interface ChainSchema extends DBSchema {
	/** Beside the record, how often the database was opened. Earlier versions did not seal it. */
	config: { key: "config" | "fence"; value: Uint8Array | SealedRecord | number };
	votes: { key: "votes"; value: Uint8Array };
	proposedBlocks: { key: number; value: Uint8Array };
	blockchain: { key: number; value: Uint8Array };
	/**
	 * Where the blockchain begins to be without holes; as records, which of its blocks are not verified, which are proven,
	 * whether the chain ends here, and the neighbours' newest starts; sealed, households' bank accounts.
	 */
	positions: {
		key: "blocksFrom" | "unverified" | "proven" | "refounding" | "boots" | "meter" | "accounts";
		value: Uint8Array | SealedRecord | number;
	};
	certificates: { key: number; value: { record: Uint8Array; isAlwaysKept: boolean } };
	checkpoints: { key: number; value: CheckpointRecords & { derived?: Uint8Array } };
	checkpointChunks: { key: [index: number, number: number]; value: Uint8Array };
	voterSteps: { key: number; value: Uint8Array };
	days: { key: [day: number, member: number]; value: Uint8Array };
	/** By local day. The member comes first: whole years of one are read. */
	hours: { key: [member: number, day: number]; value: Uint8Array };
	intervals: { key: number; value: Uint8Array };
	staging: { key: "checkpoint"; value: CheckpointRecords & { index: number } };
	stagingChunks: { key: number; value: Uint8Array };
	evidence: { key: string; value: Uint8Array };
	/** By the page's last block. */
	proofs: { key: number; value: Uint8Array };
	outbox: { key: string; value: Uint8Array };
}

export const CHAIN_STORES = [
	"config",
	"votes",
	"proposedBlocks",
	"blockchain",
	"positions",
	"certificates",
	"checkpoints",
	"checkpointChunks",
	"voterSteps",
	"days",
	"hours",
	"intervals",
	"staging",
	"stagingChunks",
	"evidence",
	"proofs",
	"outbox",
] as const;

export type StoreName = (typeof CHAIN_STORES)[number];
export type WriteTransaction = IDBPTransaction<ChainSchema, StoreName[], "readwrite">;

/** Aborts the whole transaction: what a change takes must be there. */
export function missing(what: string): DOMException {
	return new DOMException(`${what} is missing`, "NotFoundError");
}

/** Keys and values that were asked for together. */
export function zip<A, B>(as: readonly A[], bs: readonly B[]): [A, B][] {
	return as.flatMap((a, at): [A, B][] => {
		const b = bs[at];
		return b === undefined ? [] : [[a, b]];
	});
}
