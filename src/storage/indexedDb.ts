/**
 * Storage in IndexedDB. One database says where this browser stands; each neighbourhood has one of its own. Every
 * change is one transaction with `durability: "strict"`, and settles when it is on the disk. Transactions whose stores
 * overlap run in the order in which they were made, across tabs too (Indexed Database API 3.0, 2.7.2): the fence that
 * an opening leaves comes after all that was written before it, and before all that an older opening still tries.
 */
import { type DBSchema, deleteDB, type IDBPDatabase, type IDBPTransaction, openDB } from "idb";
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
import { checkFence, FencedOut, raiseFence } from "./fence.js";

interface ProfileSchema extends DBSchema {
	profile: { key: "profile" | "fence"; value: Uint8Array | number };
}

/** The thesis's four logs (5.6), and the outbox. Keys of blocks and certificates are block indices. */
interface ChainSchema extends DBSchema {
	/** Beside the record, how often the database was opened. */
	config: { key: "config" | "fence"; value: Uint8Array | number };
	votes: { key: "votes"; value: Uint8Array };
	proposedBlocks: { key: number; value: Uint8Array };
	blockchain: { key: number; value: Uint8Array };
	certificates: { key: number; value: Uint8Array };
	outbox: { key: string; value: Uint8Array };
}

const VERSION = 1;
const CHAIN_STORES = ["config", "votes", "proposedBlocks", "blockchain", "certificates", "outbox"] as const;

export class IndexedDbStorage implements StorageRoot {
	readonly #prefix: string;
	#profile: Fenced<ProfileSchema> | undefined;

	/** `prefix` keeps a demo's databases apart from the real ones. */
	constructor(prefix: string) {
		this.#prefix = prefix;
	}

	async #openProfile(): Promise<Fenced<ProfileSchema>> {
		if (this.#profile === undefined) {
			const database = await openDB<ProfileSchema>(`${this.#prefix}profile`, VERSION, {
				upgrade: (created) => {
					created.createObjectStore("profile");
				},
			});
			const transaction = database.transaction("profile", "readwrite", { durability: "strict" });
			this.#profile = { database, fence: await raiseFence(transaction.store) };
			await transaction.done;
		}
		return this.#profile;
	}

	loadProfile(): Promise<Result<Uint8Array | undefined, StorageError>> {
		return attempt("storage-unavailable", async () => {
			const { database } = await this.#openProfile();
			return recordOf(await database.get("profile", "profile"));
		});
	}

	saveProfile(record: Uint8Array): Promise<Result<true, StorageError>> {
		return attempt("storage-write-failed", async () => {
			const { database, fence } = await this.#openProfile();
			const transaction = database.transaction("profile", "readwrite", { durability: "strict" });
			await whole(transaction, [checkFence(transaction.store, fence), transaction.store.put(record, "profile")]);
			return true as const;
		});
	}

	openChain(name: string): Promise<Result<ChainStorage, StorageError>> {
		return attempt("storage-unavailable", async () => {
			const database = await openDB<ChainSchema>(this.#prefix + name, VERSION, {
				upgrade: (created) => {
					for (const store of CHAIN_STORES) created.createObjectStore(store);
				},
			});
			const transaction = database.transaction("config", "readwrite", { durability: "strict" });
			const fence = await raiseFence(transaction.store);
			await transaction.done;
			return new IndexedDbChain({ database, fence });
		});
	}
}

/** Deletes all databases of a prefix: a demo's, when it ends. */
export async function deleteDatabases(prefix: string): Promise<void> {
	const databases = await indexedDB.databases();
	const names = databases.flatMap(({ name }) => (name?.startsWith(prefix) ? [name] : []));
	await Promise.all(names.map((name) => deleteDB(name)));
}

class IndexedDbChain implements ChainStorage {
	readonly #database: IDBPDatabase<ChainSchema>;
	readonly #fence: number;

	constructor({ database, fence }: Fenced<ChainSchema>) {
		this.#database = database;
		this.#fence = fence;
	}

	load(): Promise<Result<StoredChain, StorageError>> {
		return attempt("storage-unavailable", async () => {
			const transaction = this.#database.transaction(CHAIN_STORES, "readonly");
			const proposed = transaction.objectStore("proposedBlocks");
			const outbox = transaction.objectStore("outbox");
			const [config, votes, indices, records, newest, ids, transactions] = await Promise.all([
				transaction.objectStore("config").get("config"),
				transaction.objectStore("votes").get("votes"),
				proposed.getAllKeys(),
				proposed.getAll(),
				transaction.objectStore("certificates").openCursor(null, "prev"),
				outbox.getAllKeys(),
				outbox.getAll(),
			]);
			return {
				config: recordOf(config),
				votes,
				proposed: zip(indices, records).map(([index, record]) => ({ index, record })),
				certificate: newest?.value,
				outbox: zip(ids, transactions).map(([id, record]) => ({ id, transaction: record })),
			};
		});
	}

	write(change: ChainChange): Promise<Result<true, StorageError>> {
		return attempt("storage-write-failed", async () => {
			const stores = storesOf(change);
			if (stores.length === 0) return true as const;
			const transaction = this.#database.transaction(stores, "readwrite", { durability: "strict" });
			await whole(transaction, [
				checkFence(transaction.objectStore("config"), this.#fence),
				...requestsOf(change, transaction),
				moveBlocks(change, transaction),
			]);
			return true as const;
		});
	}

	readBlocks(fromIndex: number, count: number): Promise<Result<StoredBlock[], StorageError>> {
		return attempt("storage-unavailable", async () => {
			const range = IDBKeyRange.bound(fromIndex, fromIndex + count - 1);
			const transaction = this.#database.transaction("blockchain", "readonly");
			const [indices, records] = await Promise.all([
				transaction.store.getAllKeys(range),
				transaction.store.getAll(range),
			]);
			const blocks = zip(indices, records).map(([index, record]) => ({ index, record }));
			// Only what follows without a hole.
			return blocks.filter(({ index }, at) => index === fromIndex + at);
		});
	}

	certificateFrom(index: number): Promise<Result<{ index: number; record: Uint8Array } | undefined, StorageError>> {
		return attempt("storage-unavailable", async () => {
			const cursor = await this.#database
				.transaction("certificates", "readonly")
				.store.openCursor(IDBKeyRange.lowerBound(index));
			return cursor === null ? undefined : { index: cursor.key, record: cursor.value };
		});
	}

	close(): void {
		this.#database.close();
	}
}

type StoreName = (typeof CHAIN_STORES)[number];
type Transaction = IDBPTransaction<ChainSchema, StoreName[], "readwrite">;

/** The stores that a change touches, and the one with the fence: others stay free for readers. None: nothing changes. */
function storesOf(change: ChainChange): StoreName[] {
	const stores = new Set<StoreName>();
	if (change.config !== undefined) stores.add("config");
	if (change.votes !== undefined) stores.add("votes");
	if (change.truncateFrom !== undefined || change.append !== undefined) stores.add("proposedBlocks");
	if (change.commit !== undefined || change.install !== undefined) {
		for (const store of ["proposedBlocks", "blockchain", "certificates"] as const) stores.add(store);
	}
	if (change.outboxPut !== undefined || change.outboxDelete !== undefined) stores.add("outbox");
	if (stores.size > 0) stores.add("config");
	return [...stores];
}

/** Requests run in the order in which they are made; none waits for another's answer. */
function requestsOf(change: ChainChange, transaction: Transaction): Promise<unknown>[] {
	const requests: Promise<unknown>[] = [];
	if (change.config !== undefined) requests.push(transaction.objectStore("config").put(change.config, "config"));
	if (change.votes !== undefined) requests.push(transaction.objectStore("votes").put(change.votes, "votes"));
	if (change.truncateFrom !== undefined) {
		requests.push(transaction.objectStore("proposedBlocks").delete(IDBKeyRange.lowerBound(change.truncateFrom)));
	}
	if (change.append !== undefined) {
		requests.push(transaction.objectStore("proposedBlocks").put(change.append.record, change.append.index));
	}
	for (const { id, transaction: record } of change.outboxPut ?? []) {
		requests.push(transaction.objectStore("outbox").put(record, id));
	}
	for (const id of change.outboxDelete ?? []) requests.push(transaction.objectStore("outbox").delete(id));
	return requests;
}

/** From the proposed blocks to the blockchain, or from a neighbour into it; then the certificate. */
async function moveBlocks(change: ChainChange, transaction: Transaction): Promise<void> {
	const { commit, install } = change;
	if (commit !== undefined) {
		const proposed = transaction.objectStore("proposedBlocks");
		const range = IDBKeyRange.upperBound(commit.upToIndex);
		const [indices, records] = await Promise.all([proposed.getAllKeys(range), proposed.getAll(range)]);
		// Aborts the whole transaction: what is certified must be there.
		if (indices.at(-1) !== commit.upToIndex) throw new DOMException("a certified block is missing", "NotFoundError");
		const blockchain = transaction.objectStore("blockchain");
		await Promise.all([
			...zip(indices, records).map(([index, record]) => blockchain.put(record, index)),
			proposed.delete(range),
			keepCertificate(transaction, commit.upToIndex, commit.certificate),
		]);
	}
	if (install !== undefined) {
		const blockchain = transaction.objectStore("blockchain");
		await Promise.all([
			...install.blocks.map(({ index, record }) => blockchain.put(record, index)),
			transaction.objectStore("proposedBlocks").delete(IDBKeyRange.upperBound(install.upToIndex)),
			install.certificate === undefined
				? undefined
				: keepCertificate(transaction, install.upToIndex, install.certificate),
		]);
	}
}

async function keepCertificate(transaction: Transaction, index: number, record: Uint8Array): Promise<void> {
	const certificates = transaction.objectStore("certificates");
	const newest = await certificates.openKeyCursor(null, "prev");
	if (newest !== null && !staysKept({ index: newest.key }, { index })) await certificates.delete(newest.key);
	await certificates.put(record, index);
}

/** A database, and which opening of it this is. */
interface Fenced<Schema extends DBSchema> {
	database: IDBPDatabase<Schema>;
	fence: number;
}

/** What lies under a record's key, and not under the fence's. */
function recordOf(value: Uint8Array | number | undefined): Uint8Array | undefined {
	return typeof value === "number" ? undefined : value;
}

// ── transactions ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Settles when all of it is on the disk; one request that fails takes everything back. */
async function whole(
	transaction: { readonly done: Promise<void>; abort(): void },
	requests: readonly Promise<unknown>[],
): Promise<void> {
	const { done } = transaction;
	try {
		await Promise.all(requests);
	} catch (error) {
		abort(transaction);
		await done.catch(() => {});
		throw error;
	}
	await done;
}

function abort(transaction: { abort(): void }): void {
	try {
		transaction.abort();
	} catch {
		// A request that failed has aborted it already.
	}
}

function zip<A, B>(as: readonly A[], bs: readonly B[]): [A, B][] {
	return as.flatMap((a, at): [A, B][] => {
		const b = bs[at];
		return b === undefined ? [] : [[a, b]];
	});
}

/** The platform reports by throwing; from here on it is a value. */
async function attempt<T>(
	code: "storage-unavailable" | "storage-write-failed",
	work: () => Promise<T>,
): Promise<Result<T, StorageError>> {
	try {
		return ok(await work());
	} catch (error) {
		if (error instanceof FencedOut) return refused({ code: "storage-taken-over" });
		return refused({ code, reason: error instanceof Error ? error.name : String(error) });
	}
}
