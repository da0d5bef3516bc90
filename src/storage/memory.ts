/** Storage in memory: for the replay, the simulator and tests. Behaves like a database whose every write is durable at once. */
import {
	type ChainChange,
	type ChainStorage,
	type KeepCertificate,
	prunedRuns,
	type StagedCheckpoint,
	type StorageError,
	type StorageRoot,
	type StoredBlock,
	type StoredChain,
	type StoredCheckpoint,
	type StoredDay,
	type StoredHours,
	type StoredIntervals,
	type StoredProofPage,
	staysKept,
	type VoterStepRecord,
} from "../node/storage.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { MemoryCheckpoints } from "./memoryCheckpoints.js";

/** What survives when the node that uses it is gone. */
export class MemoryStorage implements StorageRoot {
	#profile: Uint8Array | undefined;
	readonly #chains = new Map<string, MemoryChain>();

	async loadProfile(): Promise<Result<Uint8Array | undefined, StorageError>> {
		return ok(this.#profile);
	}

	async saveProfile(record: Uint8Array): Promise<Result<true, StorageError>> {
		this.#profile = record;
		return ok(true);
	}

	async openChain(name: string): Promise<Result<ChainStorage, StorageError>> {
		let chain = this.#chains.get(name);
		if (chain === undefined) {
			chain = new MemoryChain();
			this.#chains.set(name, chain);
		}
		return ok(new OpenChain(chain));
	}
}

/** One opening of a chain's data: it may write until the next one. */
class OpenChain implements ChainStorage {
	readonly #chain: MemoryChain;
	readonly #fence: number;

	constructor(chain: MemoryChain) {
		this.#chain = chain;
		chain.fence += 1;
		this.#fence = chain.fence;
	}

	load(): Promise<Result<StoredChain, StorageError>> {
		return this.#chain.load();
	}

	async write(change: ChainChange): Promise<Result<true, StorageError>> {
		if (this.#fence !== this.#chain.fence) return refused({ code: "storage-taken-over" });
		return this.#chain.write(change);
	}

	readBlocks(fromIndex: number, count: number): Promise<Result<StoredBlock[], StorageError>> {
		return this.#chain.readBlocks(fromIndex, count);
	}

	certificateFrom(index: number): ReturnType<ChainStorage["certificateFrom"]> {
		return this.#chain.certificateFrom(index);
	}

	newestCheckpoint(belowIndex?: number): Promise<Result<StoredCheckpoint | undefined, StorageError>> {
		return this.#chain.newestCheckpoint(belowIndex);
	}

	checkpointChunk(index: number, number: number): Promise<Result<Uint8Array | undefined, StorageError>> {
		return this.#chain.checkpointChunk(index, number);
	}

	voterSteps(fromIndex: number): Promise<Result<VoterStepRecord[], StorageError>> {
		return this.#chain.voterSteps(fromIndex);
	}

	readDays(fromDay: number, untilDay?: number): Promise<Result<StoredDay[], StorageError>> {
		return this.#chain.readDays(fromDay, untilDay);
	}

	readIntervals(fromDay: number, untilDay: number): Promise<Result<StoredIntervals[], StorageError>> {
		return this.#chain.readIntervals(fromDay, untilDay);
	}

	readMemberDays(member: number, fromDay: number, untilDay: number): Promise<Result<StoredDay[], StorageError>> {
		return this.#chain.readMemberDays(member, fromDay, untilDay);
	}

	readHours(member: number, fromDay: number, untilDay: number): Promise<Result<StoredHours[], StorageError>> {
		return this.#chain.readHours(member, fromDay, untilDay);
	}

	proofPageFrom(index: number): Promise<Result<StoredProofPage | undefined, StorageError>> {
		return this.#chain.proofPageFrom(index);
	}

	staged(): Promise<Result<StagedCheckpoint | undefined, StorageError>> {
		return this.#chain.staged();
	}

	stagedChunk(number: number): Promise<Result<Uint8Array | undefined, StorageError>> {
		return this.#chain.stagedChunk(number);
	}

	close(): void {}
}

class MemoryChain {
	/** How often it was opened. */
	fence = 0;
	#config: Uint8Array | undefined;
	#votes: Uint8Array | undefined;
	readonly #proposed = new Map<number, Uint8Array>();
	readonly #blockchain = new Map<number, Uint8Array>();
	#blocksFrom = 0;
	#unverified: Uint8Array | undefined;
	#refounding: Uint8Array | undefined;
	#boots: Uint8Array | undefined;
	#accounts: Uint8Array | undefined;
	#meter: Uint8Array | undefined;
	readonly #certificates = new Map<number, { record: Uint8Array; isAlwaysKept: boolean }>();
	readonly #checkpoints = new MemoryCheckpoints();
	readonly #voterSteps = new Map<number, Uint8Array>();
	readonly #evidence = new Map<string, Uint8Array>();
	readonly #proofs = new Map<number, Uint8Array>();
	#proven: Uint8Array | undefined;
	readonly #intervals = new Map<number, Uint8Array>();
	readonly #outbox = new Map<string, Uint8Array>();

	async load(): Promise<Result<StoredChain, StorageError>> {
		const newest = Math.max(-1, ...this.#certificates.keys());
		return ok({
			config: this.#config,
			votes: this.#votes,
			proposed: ascending(this.#proposed),
			certificate: this.#certificates.get(newest)?.record,
			blocksFrom: this.#blocksFrom,
			unverified: this.#unverified,
			evidence: [...this.#evidence].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record),
			proven: this.#proven,
			refounding: this.#refounding,
			boots: this.#boots,
			accounts: this.#accounts,
			meter: this.#meter,
			outbox: [...this.#outbox].map(([id, transaction]) => ({ id, transaction })),
		});
	}

	async write(change: ChainChange): Promise<Result<true, StorageError>> {
		// A transaction that names what is not there fails as a whole, before anything is changed.
		if (!this.#hasCommitted(change) || !this.#checkpoints.hasStaged(change)) {
			return refused({ code: "storage-write-failed", reason: "NotFoundError" });
		}
		if (change.config !== undefined) this.#config = change.config;
		if (change.votes !== undefined) this.#votes = change.votes;
		if (change.unverified !== undefined) this.#unverified = change.unverified;
		if (change.refounding !== undefined) this.#refounding = change.refounding;
		if (change.boots !== undefined) this.#boots = change.boots;
		if (change.accounts !== undefined) this.#accounts = change.accounts;
		if (change.meter !== undefined) this.#meter = change.meter;
		this.#applyProposed(change);
		this.#checkpoints.stage(change);
		if (change.installCheckpoint !== undefined) {
			const { index, keepBlocks } = change.installCheckpoint;
			this.#deleteProposed(index);
			this.#prune({ belowIndex: index + 1, keepBlocks });
		}
		this.#applyInstall(change);
		this.#checkpoints.keep(change);
		if (change.prune !== undefined) this.#prune(change.prune);
		if (change.proofs !== undefined) this.#proven = change.proofs.proven;
		for (const { index, record } of change.proofs?.pages ?? []) this.#proofs.set(index, record);
		for (const { index, record } of change.voterSteps ?? []) this.#voterSteps.set(index, record);
		for (const { day, record } of change.intervals?.days ?? []) this.#intervals.set(day, record);
		const keepFromDay = change.intervals?.keepFromDay ?? 0;
		for (const day of [...this.#intervals.keys()]) if (day < keepFromDay) this.#intervals.delete(day);
		for (const { key, record } of change.evidence ?? []) this.#evidence.set(key, record);
		for (const { id, transaction } of change.outboxPut ?? []) this.#outbox.set(id, transaction);
		for (const id of change.outboxDelete ?? []) this.#outbox.delete(id);
		return ok(true);
	}

	#hasCommitted({ commit, append, truncateFrom }: ChainChange): boolean {
		if (commit === undefined || commit.upToIndex === append?.index) return true;
		return this.#proposed.has(commit.upToIndex) && commit.upToIndex < (truncateFrom ?? Number.POSITIVE_INFINITY);
	}

	#applyProposed({ truncateFrom, append, commit }: ChainChange): void {
		if (truncateFrom !== undefined) {
			for (const index of this.#proposed.keys()) if (index >= truncateFrom) this.#proposed.delete(index);
		}
		if (append !== undefined) this.#proposed.set(append.index, append.record);
		if (commit === undefined) return;
		for (const { index, record } of ascending(this.#proposed)) {
			if (index <= commit.upToIndex) this.#blockchain.set(index, record);
		}
		this.#deleteProposed(commit.upToIndex);
		this.#keepCertificate(commit.upToIndex, commit.certificate, commit.keepCertificate);
	}

	#applyInstall({ install }: ChainChange): void {
		if (install === undefined) return;
		for (const { index, record } of install.blocks) this.#blockchain.set(index, record);
		this.#deleteProposed(install.upToIndex);
		if (install.certificate === undefined) return;
		this.#keepCertificate(install.upToIndex, install.certificate, install.keepCertificate);
	}

	#deleteProposed(upToIndex: number): void {
		for (const index of [...this.#proposed.keys()]) if (index <= upToIndex) this.#proposed.delete(index);
	}

	#keepCertificate(index: number, record: Uint8Array, keep: KeepCertificate | undefined): void {
		const previous = Math.max(-1, ...this.#certificates.keys());
		const isKept = this.#certificates.get(previous)?.isAlwaysKept === true || staysKept({ index: previous }, { index });
		if (previous >= 0 && !isKept) this.#certificates.delete(previous);
		this.#certificates.set(index, { record, isAlwaysKept: keep === "always" });
	}

	#prune(prune: NonNullable<ChainChange["prune"]>): void {
		const { belowIndex } = prune;
		for (const [fromIndex, untilIndex] of prunedRuns(prune)) {
			for (const index of [...this.#blockchain.keys()]) {
				if (index >= fromIndex && index < untilIndex) this.#blockchain.delete(index);
			}
		}
		for (const [index, { isAlwaysKept }] of [...this.#certificates]) {
			if (index < belowIndex && !isAlwaysKept) this.#certificates.delete(index);
		}
		this.#blocksFrom = Math.max(this.#blocksFrom, belowIndex);
	}

	async readBlocks(fromIndex: number, count: number): Promise<Result<StoredBlock[], StorageError>> {
		const blocks: StoredBlock[] = [];
		for (let index = fromIndex; blocks.length < count; index++) {
			const record = this.#blockchain.get(index);
			if (record === undefined) break;
			blocks.push({ index, record });
		}
		return ok(blocks);
	}

	async certificateFrom(
		index: number,
	): Promise<Result<{ index: number; record: Uint8Array } | undefined, StorageError>> {
		const first = Math.min(...[...this.#certificates.keys()].filter((kept) => kept >= index));
		const kept = this.#certificates.get(first);
		return ok(kept === undefined ? undefined : { index: first, record: kept.record });
	}

	async newestCheckpoint(belowIndex?: number): Promise<Result<StoredCheckpoint | undefined, StorageError>> {
		return ok(this.#checkpoints.newest(belowIndex));
	}

	async checkpointChunk(index: number, number: number): Promise<Result<Uint8Array | undefined, StorageError>> {
		return ok(this.#checkpoints.chunk(index, number));
	}

	async voterSteps(fromIndex: number): Promise<Result<VoterStepRecord[], StorageError>> {
		return ok(ascending(this.#voterSteps).filter(({ index }) => index >= fromIndex));
	}

	async readDays(fromDay: number, untilDay?: number): Promise<Result<StoredDay[], StorageError>> {
		return ok(this.#checkpoints.days(fromDay, untilDay));
	}

	async readIntervals(fromDay: number, untilDay: number): Promise<Result<StoredIntervals[], StorageError>> {
		const days = ascending(this.#intervals).filter(({ index }) => index >= fromDay && index < untilDay);
		return ok(days.map(({ index, record }) => ({ day: index, record })));
	}

	async readMemberDays(member: number, fromDay: number, untilDay: number): Promise<Result<StoredDay[], StorageError>> {
		return ok(this.#checkpoints.days(fromDay).filter((each) => each.member === member && each.day < untilDay));
	}

	async readHours(member: number, fromDay: number, untilDay: number): Promise<Result<StoredHours[], StorageError>> {
		return ok(this.#checkpoints.hours(member, fromDay, untilDay));
	}

	async proofPageFrom(index: number): Promise<Result<StoredProofPage | undefined, StorageError>> {
		return ok(ascending(this.#proofs).find((page) => page.index >= index));
	}

	async staged(): Promise<Result<StagedCheckpoint | undefined, StorageError>> {
		return ok(this.#checkpoints.staged());
	}

	async stagedChunk(number: number): Promise<Result<Uint8Array | undefined, StorageError>> {
		return ok(this.#checkpoints.stagedChunk(number));
	}
}

function ascending(store: ReadonlyMap<number, Uint8Array>): StoredBlock[] {
	return [...store].map(([index, record]) => ({ index, record })).sort((a, b) => a.index - b.index);
}
