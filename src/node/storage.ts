/**
 * What the node needs of a database (thesis 5.6: logs that survive a crash). Implemented by storage/indexedDb and
 * storage/memory; one acceptance suite runs against both. Every record is bytes with a checksum (`records.ts`).
 */
import type { Acknowledged, Certificate } from "../block/certificate.js";
import type { Result } from "../primitives/result.js";

export type StorageError =
	/** The database cannot be opened: `reason` is the platform's error name. */
	| { code: "storage-unavailable"; reason: string }
	/** A tab from before an update still has the database open, and sleeps: it has to be closed first. */
	| { code: "storage-blocked" }
	/** A write failed (the disk is full, the browser took the storage away). Nothing of it was kept. */
	| { code: "storage-write-failed"; reason: string }
	/** The same database was opened again after this: only who opened it last may write. Nothing was kept. */
	| { code: "storage-taken-over" }
	/** A record does not match its checksum or shape. */
	| { code: "record-damaged"; store: string; key: string };

/**
 * Chooses a database by name: `lobby` before a neighbourhood is joined, one of its own for each neighbourhood and device.
 *
 * Opening is also a fence: from then on whoever had the same database open before can still read, but every write is
 * refused with `storage-taken-over`. What was written before the fence is seen by `load`, what comes after it is not
 * kept, so two nodes that both think that they are this device never vote or acknowledge from two memories. (A fencing
 * token, Kleppmann, "How to do distributed locking", 2016.) The Web Lock of the page keeps two nodes apart; the fence is
 * for the node that was frozen while its lock was taken, and thaws in the middle of a write.
 */
export interface StorageRoot {
	/** The one small record that says where this browser stands; undefined at the very first start. */
	loadProfile(): Promise<Result<Uint8Array | undefined, StorageError>>;
	saveProfile(record: Uint8Array): Promise<Result<true, StorageError>>;
	/** Opens, and creates if need be, a neighbourhood's database, and shuts out who had it open before. `name` contains grid id and device id. */
	openChain(name: string): Promise<Result<ChainStorage, StorageError>>;
}

export interface Votes {
	term: number;
	votedFor: number | undefined;
	lastSigned: Acknowledged | undefined;
	suspended: string | undefined;
}

/** One strict transaction: all of it is kept, or nothing. Applied in the order of the fields. */
export interface ChainChange {
	config?: Uint8Array;
	votes?: Uint8Array;
	/** Delete proposed blocks from this index on … */
	truncateFrom?: number;
	/** … then append. */
	append?: StoredBlock;
	/** Move the proposed blocks up to the certificate's to the blockchain. */
	commit?: { upToIndex: number; certificate: Uint8Array; keepCertificate?: KeepCertificate };
	/**
	 * Puts pieces of a checkpoint that is being fetched aside, each checked before, so that an interrupted download goes
	 * on where it stopped. `checkpoint` comes first; one of another index takes the place of all that was staged.
	 */
	stage?: { index: number; checkpoint?: CheckpointRecords; chunks?: readonly StoredChunk[] };
	/** Throw away what is staged. */
	unstage?: true;
	/**
	 * What is staged of this index becomes the newest checkpoint, and the blockchain begins above it: older blocks and
	 * certificates go as with `prune`. Its certificate is installed by `install` of the same change. `derived`: what this
	 * device had derived of the blocks that it did have.
	 */
	installCheckpoint?: { index: number; keepBlocks: readonly number[]; derived?: Uint8Array };
	/** Committed blocks that came another way, ascending, ending at the certificate's (genesis has none). */
	install?: {
		blocks: readonly StoredBlock[];
		upToIndex: number;
		certificate: Uint8Array | undefined;
		keepCertificate?: KeepCertificate;
	};
	/** The newest checkpoint. It and the one before are kept, older ones are deleted. */
	checkpoint?: StoredCheckpoint & { chunks: readonly StoredChunk[] };
	/** Proofs of voter changes, kept for ever: whoever comes later walks along them. */
	voterSteps?: readonly VoterStepRecord[];
	/** Days of the history, each written over as a whole. */
	days?: readonly StoredDay[];
	/** The same days by the hour, and by local time. */
	hours?: readonly StoredHours[];
	/** Forget old days, and their hours, of all members but one. */
	forgetDays?: { belowDay: number; exceptMember: number };
	/** Days of the market's intervals, each written over as a whole; days below `keepFromDay` are forgotten. */
	intervals?: { days: readonly StoredIntervals[]; keepFromDay: number };
	/** Proofs of one's own, kept for ever; `proven` says of which blocks they are, and takes the place of the last one. */
	proofs?: { pages: readonly StoredProofPage[]; proven: Uint8Array };
	/**
	 * Delete blocks below an index, which must not lie above the older of the two checkpoints; absent `fromIndex`: from
	 * the first on. Genesis stays, and the named blocks (they changed the voters), and certificates that are kept always.
	 */
	prune?: { fromIndex?: number; belowIndex: number; keepBlocks: readonly number[] };
	/** Which blocks stand on their certificate alone for now: the record takes the place of the last one. */
	unverified?: Uint8Array;
	/** Proofs that a voter signed two blocks for one place, kept for ever. */
	evidence?: readonly { key: string; record: Uint8Array }[];
	/** Whether this chain is left for one that the neighbourhood is founded again with: takes the place of the last one. */
	refounding?: Uint8Array;
	/** The newest starts of the neighbours' devices: the record takes the place of the last one. */
	boots?: Uint8Array;
	/** What is kept of households' bank accounts: the record, sealed where it lies, takes the place of the last one. */
	accounts?: Uint8Array;
	/** What is begun of this household's meter: with the readings that were made of it, so that no energy counts twice. */
	meter?: Uint8Array;
	/** Signed transactions, and beside them that one was refused. */
	outboxPut?: readonly { id: string; transaction: Uint8Array }[];
	outboxDelete?: readonly string[];
}

/** "spacing": while it is the newest, and then if it is the last of CERTIFICATE_SPACING blocks. A voter change's: "always". */
export type KeepCertificate = "spacing" | "always";

/** A certified block with the hashes of the state's leaves after it, as records. */
export interface CheckpointRecords {
	/** The block with its parent's hash. */
	block: Uint8Array;
	/** The first certificate at or above it. */
	certificate: Uint8Array;
	manifest: Uint8Array;
}

export interface StoredCheckpoint extends CheckpointRecords {
	index: number;
	/**
	 * What this device derives from the chain for its own household: up to the checkpoint, or where that was fetched, of the
	 * blocks that this device had.
	 */
	derived?: Uint8Array;
}

/** A block that changed the voters, with what proves it, as record. */
export interface VoterStepRecord {
	index: number;
	record: Uint8Array;
}

/** Leaves of a checkpoint's state; numbered from 0. */
export interface StoredChunk {
	number: number;
	record: Uint8Array;
}

/** A member's minutes of one day (days since the epoch, UTC). */
export interface StoredDay {
	member: number;
	day: number;
	record: Uint8Array;
}

/** A member's hours of one local day (days since 1 January 1970 of the calendar). */
export interface StoredHours {
	member: number;
	day: number;
	record: Uint8Array;
}

/** What the market's intervals of one day (since the epoch, UTC) were matched from. */
export interface StoredIntervals {
	day: number;
	record: Uint8Array;
}

/** A page of proofs as record; `index`: of its last block. */
export interface StoredProofPage {
	index: number;
	record: Uint8Array;
}

export interface StagedCheckpoint extends CheckpointRecords {
	index: number;
	/** Numbers of the chunks that are there, ascending. */
	chunks: number[];
}

export interface StoredBlock {
	index: number;
	/** The block as record. */
	record: Uint8Array;
}

/** Everything but the blockchain itself, which is read in runs. */
export interface StoredChain {
	config: Uint8Array | undefined;
	votes: Uint8Array | undefined;
	proposed: StoredBlock[];
	/** Newest kept certificate. */
	certificate: Uint8Array | undefined;
	/** From this index on the blockchain has no holes; 0: all of it is here. Genesis is here in any case. */
	blocksFrom: number;
	/** The record of the blocks whose signatures are not verified; undefined: there never were any. */
	unverified: Uint8Array | undefined;
	/** By key ascending. */
	evidence: Uint8Array[];
	/** The record of the blocks whose proofs are written; undefined: none were yet. */
	proven: Uint8Array | undefined;
	/** The record of how this chain is left; undefined: nobody ever thought of it. */
	refounding: Uint8Array | undefined;
	/** The record of the neighbours' newest starts; undefined: none was heard yet. */
	boots: Uint8Array | undefined;
	/** The record of households' bank accounts; undefined: none was ever stated. */
	accounts: Uint8Array | undefined;
	/** The record of what is begun of the meter; undefined: none was read yet. */
	meter: Uint8Array | undefined;
	outbox: { id: string; transaction: Uint8Array }[];
}

export interface ChainStorage {
	load(): Promise<Result<StoredChain, StorageError>>;
	/** Settles when everything is durable (strict). */
	write(change: ChainChange): Promise<Result<true, StorageError>>;
	/** Up to `count` blocks of the blockchain from an index on, ascending, without holes; fewer at the end. */
	readBlocks(fromIndex: number, count: number): Promise<Result<StoredBlock[], StorageError>>;
	/** The first kept certificate at or above an index. */
	certificateFrom(index: number): Promise<Result<{ index: number; record: Uint8Array } | undefined, StorageError>>;
	/** The newest checkpoint below an index (default: of all). */
	newestCheckpoint(belowIndex?: number): Promise<Result<StoredCheckpoint | undefined, StorageError>>;
	/** Undefined: there are not so many. */
	checkpointChunk(index: number, number: number): Promise<Result<Uint8Array | undefined, StorageError>>;
	/** Proofs of the voter changes from an index on, ascending. */
	voterSteps(fromIndex: number): Promise<Result<VoterStepRecord[], StorageError>>;
	/** All members' days from one on, or from there until another, by day and member ascending. */
	readDays(fromDay: number, untilDay?: number): Promise<Result<StoredDay[], StorageError>>;
	/** The market's intervals of the days from one on until another, ascending. */
	readIntervals(fromDay: number, untilDay: number): Promise<Result<StoredIntervals[], StorageError>>;
	/** One member's days from one on until another, ascending. */
	readMemberDays(member: number, fromDay: number, untilDay: number): Promise<Result<StoredDay[], StorageError>>;
	/** One member's hours of the local days from one on until another, ascending. */
	readHours(member: number, fromDay: number, untilDay: number): Promise<Result<StoredHours[], StorageError>>;
	/** The page of proofs that holds a block, or the first one above it. */
	proofPageFrom(index: number): Promise<Result<StoredProofPage | undefined, StorageError>>;
	staged(): Promise<Result<StagedCheckpoint | undefined, StorageError>>;
	stagedChunk(number: number): Promise<Result<Uint8Array | undefined, StorageError>>;
	close(): void;
}

/** Checkpoints that are kept: if the newest is damaged, the one before is not. */
export const KEPT_CHECKPOINTS = 2;

/** The runs [from, until) of block indices that pruning deletes: all in between but genesis and what is kept. */
export function prunedRuns({
	fromIndex = 1,
	belowIndex,
	keepBlocks,
}: NonNullable<ChainChange["prune"]>): [fromIndex: number, untilIndex: number][] {
	if (belowIndex <= fromIndex) return [];
	const between = keepBlocks.filter((index) => index >= fromIndex && index < belowIndex);
	const kept = [fromIndex - 1, ...between, belowIndex].sort((a, b) => a - b);
	return kept.flatMap((index, at): [number, number][] => {
		const next = kept[at + 1];
		return next === undefined || next <= index + 1 ? [] : [[index + 1, next]];
	});
}

/** A certificate is kept for every so many blocks, besides the newest: any node can serve runs that end in one. */
export const CERTIFICATE_SPACING = 64;

/** Whether the certificate that was the newest stays when a newer one is stored. */
export function staysKept(previous: Pick<Certificate, "index">, next: Pick<Certificate, "index">): boolean {
	return Math.floor(previous.index / CERTIFICATE_SPACING) !== Math.floor(next.index / CERTIFICATE_SPACING);
}
