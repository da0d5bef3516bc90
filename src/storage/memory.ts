/** Storage in memory: for the replay, the simulator and tests. Behaves like a database whose every write is durable at once. */

import {
	type ChainChange,
	type ChainStorage,
	type StorageError,
	type StorageRoot,
	type StoredBlock,
	type StoredChain,
	staysKept,
} from "../node/storage.js";
import { ok, type Result, refused } from "../primitives/result.js";

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

	close(): void {}
}

class MemoryChain {
	/** How often it was opened. */
	fence = 0;
	#config: Uint8Array | undefined;
	#votes: Uint8Array | undefined;
	readonly #proposed = new Map<number, Uint8Array>();
	readonly #blockchain = new Map<number, Uint8Array>();
	readonly #certificates = new Map<number, Uint8Array>();
	readonly #outbox = new Map<string, Uint8Array>();

	async load(): Promise<Result<StoredChain, StorageError>> {
		const newest = Math.max(-1, ...this.#certificates.keys());
		return ok({
			config: this.#config,
			votes: this.#votes,
			proposed: ascending(this.#proposed),
			certificate: this.#certificates.get(newest),
			outbox: [...this.#outbox].map(([id, transaction]) => ({ id, transaction })),
		});
	}

	async write(change: ChainChange): Promise<Result<true, StorageError>> {
		const { commit, install, append, truncateFrom } = change;
		// A transaction that names a block which is not there fails as a whole, before anything is changed.
		const isThere = (index: number) =>
			index === append?.index || (this.#proposed.has(index) && index < (truncateFrom ?? Number.POSITIVE_INFINITY));
		if (commit !== undefined && !isThere(commit.upToIndex)) {
			return refused({ code: "storage-write-failed", reason: "NotFoundError" });
		}
		if (change.config !== undefined) this.#config = change.config;
		if (change.votes !== undefined) this.#votes = change.votes;
		if (truncateFrom !== undefined) {
			for (const index of this.#proposed.keys()) if (index >= truncateFrom) this.#proposed.delete(index);
		}
		if (append !== undefined) this.#proposed.set(append.index, append.record);
		if (commit !== undefined) {
			for (const { index, record } of ascending(this.#proposed)) {
				if (index > commit.upToIndex) continue;
				this.#blockchain.set(index, record);
				this.#proposed.delete(index);
			}
			this.#keepCertificate(commit.upToIndex, commit.certificate);
		}
		if (install !== undefined) {
			for (const { index, record } of install.blocks) this.#blockchain.set(index, record);
			for (const index of [...this.#proposed.keys()]) if (index <= install.upToIndex) this.#proposed.delete(index);
			if (install.certificate !== undefined) this.#keepCertificate(install.upToIndex, install.certificate);
		}
		for (const { id, transaction } of change.outboxPut ?? []) this.#outbox.set(id, transaction);
		for (const id of change.outboxDelete ?? []) this.#outbox.delete(id);
		return ok(true);
	}

	#keepCertificate(index: number, certificate: Uint8Array): void {
		const previous = Math.max(-1, ...this.#certificates.keys());
		if (previous >= 0 && !staysKept({ index: previous }, { index })) this.#certificates.delete(previous);
		this.#certificates.set(index, certificate);
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
		const first = ascending(this.#certificates).find((kept) => kept.index >= index);
		return ok(first);
	}
}

function ascending(store: ReadonlyMap<number, Uint8Array>): StoredBlock[] {
	return [...store].map(([index, record]) => ({ index, record })).sort((a, b) => a.index - b.index);
}
