/**
 * A device's disk: writes take their time. One that is under way when the power goes is lost, or reaches the disk
 * though nobody hears of it, or tears. All that was ever written is kept in a journal, so that a backup or a copy is
 * exactly what the disk held then.
 */
import { decodeVotes } from "../../src/node/records.js";
import type {
	ChainChange,
	ChainStorage,
	CheckpointRecords,
	StorageError,
	StorageRoot,
	Votes,
} from "../../src/node/storage.js";
import { assert } from "../../src/primitives/assert.js";
import type { Result } from "../../src/primitives/result.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { carryOut, interceptWrites, type Writing, type Written } from "../support/interceptedStorage.js";

/** What a write is about, by the most important thing in it. */
export type WriteKind =
	| "profile"
	| "start"
	| "install"
	| "commit"
	| "append"
	| "truncate"
	| "outbox"
	| "votes"
	/** With the proofs that go with one, or a piece of one that is fetched. */
	| "checkpoint"
	/** What else is derived from blocks. */
	| "derived";

/** Of the oldest write that is under way when the power goes. */
export type PowerOffFate = "lost" | "kept" | "torn" | "votes torn";

export interface Write {
	readonly kind: WriteKind;
	readonly writing: Writing;
	/** Lets the node know. */
	readonly answer: (written: Written) => void;
}

export function kindOf(writing: Writing): WriteKind {
	if ("profile" in writing) return "profile";
	const { config, install, commit, append, truncateFrom, outboxPut, votes } = writing.change;
	const { checkpoint, proofs, stage } = writing.change;
	if (config !== undefined) return "start";
	if (install !== undefined) return "install";
	if (commit !== undefined) return "commit";
	if (append !== undefined) return "append";
	if (truncateFrom !== undefined) return "truncate";
	if (outboxPut !== undefined) return "outbox";
	if (votes !== undefined) return "votes";
	return (checkpoint ?? proofs ?? stage) === undefined ? "derived" : "checkpoint";
}

export class Disk implements StorageRoot {
	readonly #inner = new MemoryStorage();
	readonly #intercepted = interceptWrites(this.#inner, (writing) => this.#begin(writing));
	readonly #journal: Writing[] | undefined;
	#journalLength = 0;
	/** Oldest first. */
	readonly underWay: Write[] = [];
	/** What is on the disk, as far as promises depend on it. Undefined: nothing yet, or it tore. */
	votes: Votes | undefined;
	commitIndex = 0;
	/** Something on it cannot be read. */
	isDamaged = false;
	/** The votes were torn: the device does not know any more what it promised. */
	isWithoutVotes = false;
	/** A page of proofs was torn, or what says of which blocks they are: there is no other copy. */
	isWithoutProofs = false;
	onBegin: (write: Write) => void = () => {};
	onWritten: (write: Write) => void = () => {};

	/** Whether this device belongs somewhere. */
	hasProfile = false;
	readonly #keptAs: (writing: Writing) => Writing;

	/** Without a journal there are no backups and no copies; `keptAs` may give what many disks hold alike as one object. */
	constructor(hasJournal = true, keptAs: (writing: Writing) => Writing = (writing) => writing) {
		this.#journal = hasJournal ? [] : undefined;
		this.#keptAs = keptAs;
	}

	/** The last chain that was written to. */
	get chainName(): string | undefined {
		return this.#journal?.findLast((writing) => "chain" in writing)?.chain;
	}

	get journalLength(): number {
		return this.#journalLength;
	}

	loadProfile(): Promise<Result<Uint8Array | undefined, StorageError>> {
		return this.#intercepted.loadProfile();
	}

	saveProfile(record: Uint8Array): Promise<Written> {
		return this.#intercepted.saveProfile(record);
	}

	openChain(name: string): Promise<Result<ChainStorage, StorageError>> {
		return this.#intercepted.openChain(name);
	}

	#begin(writing: Writing): Promise<Written> {
		return new Promise((answer) => {
			const write: Write = { kind: kindOf(writing), writing, answer };
			this.underWay.push(write);
			this.onBegin(write);
		});
	}

	/** The oldest write reaches the disk. */
	async settle(): Promise<{ write: Write; written: Written } | undefined> {
		const write = this.underWay.shift();
		if (write === undefined) return undefined;
		return { write, written: await this.#keep(write) };
	}

	async #keep(write: Write): Promise<Written> {
		const writing = this.#keptAs(write.writing);
		this.#journal?.push(writing);
		this.#journalLength += 1;
		this.hasProfile ||= "profile" in writing;
		const written = await carryOut(this.#inner, writing);
		if (!written.ok || !("chain" in writing)) return written;
		const { votes, commit, install } = writing.change;
		if (votes !== undefined) {
			const decoded = decodeVotes(votes);
			this.votes = decoded.ok ? decoded.value : undefined;
		}
		this.commitIndex = Math.max(this.commitIndex, commit?.upToIndex ?? 0, install?.upToIndex ?? 0);
		this.onWritten(write);
		return written;
	}

	/** The power goes: of what was under way the oldest write may have reached the disk, whole or torn; the rest is lost. */
	async powerOff(fate: PowerOffFate): Promise<void> {
		const [first] = this.underWay.splice(0);
		if (first === undefined || fate === "lost") return;
		const torn = fate === "kept" ? undefined : tear(first.writing, fate, this.#journalLength);
		if (torn !== undefined) this.isDamaged = true;
		if (torn?.proofsAreTorn === true) this.isWithoutProofs = true;
		if (torn?.votesAreTorn === true) this.isWithoutVotes = true;
		await this.#keep(torn === undefined ? first : { ...first, writing: { chain: torn.chain, change: torn.change } });
	}

	/** A disk with everything that was on this one when its journal had this length. */
	async copy(journalLength: number): Promise<Disk> {
		assert(this.#journal !== undefined, "only a disk with a journal is copied");
		const copy = new Disk();
		for (const writing of this.#journal.slice(0, journalLength)) {
			await copy.#keep({ kind: kindOf(writing), writing, answer: () => {} });
		}
		return copy;
	}
}

interface Torn {
	readonly chain: string;
	readonly change: ChainChange;
	readonly votesAreTorn: boolean;
	readonly proofsAreTorn: boolean;
}

/**
 * One record of the write is damaged: the votes, or the newest block if there is one, or, where the write is about
 * something else, `which` of its records. Without the config there is no device.
 */
function tear(writing: Writing, fate: "torn" | "votes torn", which: number): Torn | undefined {
	if (!("chain" in writing) || writing.change.config !== undefined) return undefined;
	const { chain, change } = writing;
	const torn = tearChange(change, fate, which);
	if (torn === undefined) return undefined;
	const [votesAreTorn, proofsAreTorn] = [torn.votes !== change.votes, torn.proofs !== change.proofs];
	return { chain, change: torn, votesAreTorn, proofsAreTorn };
}

function tearChange(change: ChainChange, fate: "torn" | "votes torn", which: number): ChainChange | undefined {
	const { votes, append, commit, outboxPut } = change;
	if (votes !== undefined && (fate === "votes torn" || (append ?? commit) === undefined)) {
		return { ...change, votes: spoil(votes) };
	}
	if (append !== undefined) return { ...change, append: { ...append, record: spoil(append.record) } };
	if (commit !== undefined) return { ...change, commit: { ...commit, certificate: spoil(commit.certificate) } };
	if (outboxPut !== undefined) {
		const spoilt = outboxPut.map(({ id, transaction }) => ({ id, transaction: spoil(transaction) }));
		return { ...change, outboxPut: spoilt };
	}
	const others = tornOthers(change);
	const other = others[which % others.length];
	return other === undefined ? undefined : { ...change, ...other };
}

/** The ways in which a write of fetched or derived records tears. */
function tornOthers({ install, checkpoint, stage, proofs, unverified }: ChainChange): Partial<ChainChange>[] {
	const others: Partial<ChainChange>[] = [];
	if (install !== undefined) {
		const { blocks, certificate } = install;
		if (blocks.length > 0) others.push({ install: { ...install, blocks: spoilLast(blocks) } });
		if (certificate !== undefined) others.push({ install: { ...install, certificate: spoil(certificate) } });
	}
	if (checkpoint !== undefined) {
		others.push(...tornCheckpoints(checkpoint).map((torn) => ({ checkpoint: torn })), {
			checkpoint: { ...checkpoint, chunks: spoilLast(checkpoint.chunks) },
		});
	}
	if (stage !== undefined) {
		const { checkpoint: staged, chunks } = stage;
		if (staged !== undefined) {
			others.push(...tornCheckpoints(staged).map((torn) => ({ stage: { ...stage, checkpoint: torn } })));
		}
		if (chunks !== undefined) others.push({ stage: { ...stage, chunks: spoilLast(chunks) } });
	}
	if (proofs !== undefined) {
		if (proofs.pages.length > 0) others.push({ proofs: { ...proofs, pages: spoilLast(proofs.pages) } });
		others.push({ proofs: { ...proofs, proven: spoil(proofs.proven) } });
	}
	if (unverified !== undefined) others.push({ unverified: spoil(unverified) });
	return others;
}

function tornCheckpoints<Records extends CheckpointRecords>(records: Records): Records[] {
	const { block, certificate, manifest } = records;
	return [
		{ ...records, block: spoil(block) },
		{ ...records, certificate: spoil(certificate) },
		{ ...records, manifest: spoil(manifest) },
	];
}

function spoilLast<Item extends { readonly record: Uint8Array }>(items: readonly Item[]): Item[] {
	return items.map((item, at) => (at === items.length - 1 ? { ...item, record: spoil(item.record) } : item));
}

function spoil(record: Uint8Array): Uint8Array {
	const spoilt = record.slice();
	const at = spoilt.length - 1;
	spoilt[at] = (spoilt[at] ?? 0) ^ 0x55;
	return spoilt;
}
