/**
 * Storage in IndexedDB. One database says where this browser stands; each neighbourhood has one of its own. Every
 * change is one transaction with `durability: "strict"`, and settles when it is on the disk. Transactions whose stores
 * overlap run in the order in which they were made, across tabs too (Indexed Database API 3.0, 2.7.2): the fence that
 * an opening leaves comes after all that was written before it, and before all that an older opening still tries.
 */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from "idb";
import type {
	ChainChange,
	ChainStorage,
	StagedCheckpoint,
	StorageError,
	StorageRoot,
	StoredBlock,
	StoredChain,
	StoredCheckpoint,
	StoredDay,
	StoredHours,
	StoredIntervals,
	StoredProofPage,
	VoterStepRecord,
} from "../node/storage.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { applyInOrder, requestsOf, storesOf } from "./indexedDbChange.js";
import { checkFence, type Fenced, FencedOut, raiseFence, recordOf, whole } from "./indexedDbFence.js";
import { CHAIN_STORES, type ChainSchema, zip } from "./indexedDbSchema.js";
import { createSealingKey, openStored, type SealedRecord, sealStored } from "./indexedDbSealing.js";

interface ProfileSchema extends DBSchema {
	/** `sealingKey`: of all records with keys or bank accounts in them, here and in the neighbourhoods' databases. */
	profile: { key: "profile" | "fence" | "sealingKey"; value: Uint8Array | SealedRecord | number | CryptoKey };
}

/** The profile's database, and the key by which it is sealed. */
type OpenProfile = Fenced<ProfileSchema> & { sealingKey: CryptoKey };

const PROFILE_PLACE = "profile";
const PROFILE_VERSION = 1;
/** Each version added stores, none was changed: opening an older one creates what is missing. */
const CHAIN_VERSION = 4;

export class IndexedDbStorage implements StorageRoot {
	readonly #prefix: string;
	#profile: OpenProfile | undefined;

	/** `prefix` keeps a demo's databases apart from the real ones. */
	constructor(prefix: string) {
		this.#prefix = prefix;
	}

	async #openProfile(): Promise<OpenProfile> {
		if (this.#profile === undefined) {
			const database = await openDB<ProfileSchema>(`${this.#prefix}profile`, PROFILE_VERSION, {
				upgrade: (created) => {
					created.createObjectStore("profile");
				},
				blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
			});
			// Made before the transaction, which would not wait for it; put only where there is none yet.
			const fresh = await createSealingKey();
			const transaction = database.transaction("profile", "readwrite", { durability: "strict" });
			const [fence, known] = await Promise.all([raiseFence(transaction.store), transaction.store.get("sealingKey")]);
			if (!(known instanceof CryptoKey)) await transaction.store.put(fresh, "sealingKey");
			await transaction.done;
			this.#profile = { database, fence, sealingKey: known instanceof CryptoKey ? known : fresh };
		}
		return this.#profile;
	}

	loadProfile(): Promise<Result<Uint8Array | undefined, StorageError>> {
		return attempt("storage-unavailable", async () => {
			const { database, sealingKey } = await this.#openProfile();
			const stored = await database.get("profile", "profile");
			return openStored(sealingKey, PROFILE_PLACE, isRecord(stored) ? stored : undefined);
		});
	}

	saveProfile(record: Uint8Array): Promise<Result<true, StorageError>> {
		return attempt("storage-write-failed", async () => {
			const { database, fence, sealingKey } = await this.#openProfile();
			const sealed = await sealStored(sealingKey, PROFILE_PLACE, record);
			const transaction = database.transaction("profile", "readwrite", { durability: "strict" });
			await whole(transaction, [checkFence(transaction.store, fence), transaction.store.put(sealed, "profile")]);
			return true as const;
		});
	}

	openChain(name: string): Promise<Result<ChainStorage, StorageError>> {
		return attempt("storage-unavailable", async () => {
			const { sealingKey } = await this.#openProfile();
			const database = await openChainDatabase(this.#prefix + name);
			const transaction = database.transaction("config", "readwrite", { durability: "strict" });
			const fence = await raiseFence(transaction.store);
			await transaction.done;
			return new IndexedDbChain({ database, fence, sealingKey, name });
		});
	}
}

/** An older connection that is asked to gives way; one that sleeps cannot, and nobody knows for how long. */
function openChainDatabase(name: string): Promise<IDBPDatabase<ChainSchema>> {
	return new Promise((resolve, reject) => {
		let isGivenUp = false;
		openDB<ChainSchema>(name, CHAIN_VERSION, {
			upgrade: (created) => {
				const missing = CHAIN_STORES.filter((store) => !created.objectStoreNames.contains(store));
				for (const store of missing) created.createObjectStore(store);
			},
			blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
			blocked: () => {
				isGivenUp = true;
				reject(new OpenElsewhere());
			},
		}).then((database) => (isGivenUp ? database.close() : resolve(database)), reject);
	});
}

/** Another connection keeps the database from being brought to this version. */
class OpenElsewhere extends Error {}

/** Deletes all databases of a prefix: a demo's, when it ends. */
export async function deleteDatabases(prefix: string): Promise<void> {
	const databases = await indexedDB.databases();
	const names = databases.flatMap(({ name }) => (name?.startsWith(prefix) ? [name] : []));
	await Promise.all(names.map((name) => deleteDB(name)));
}

class IndexedDbChain implements ChainStorage {
	readonly #database: IDBPDatabase<ChainSchema>;
	readonly #fence: number;
	readonly #sealingKey: CryptoKey;
	readonly #name: string;
	/** Settles when all that was to be sealed so far is: writes keep their order. */
	#sealed: Promise<unknown> = Promise.resolve();

	constructor({ database, fence, sealingKey, name }: Fenced<ChainSchema> & { sealingKey: CryptoKey; name: string }) {
		this.#database = database;
		this.#fence = fence;
		this.#sealingKey = sealingKey;
		this.#name = name;
	}

	get #accountsPlace(): string {
		return `${this.#name}/accounts`;
	}

	load(): Promise<Result<StoredChain, StorageError>> {
		return attempt("storage-unavailable", async () => {
			const transaction = this.#database.transaction(CHAIN_STORES, "readonly");
			const proposed = transaction.objectStore("proposedBlocks");
			const outbox = transaction.objectStore("outbox");
			const [config, votes, indices, records, newest, ...more] = await Promise.all([
				transaction.objectStore("config").get("config"),
				transaction.objectStore("votes").get("votes"),
				proposed.getAllKeys(),
				proposed.getAll(),
				transaction.objectStore("certificates").openCursor(null, "prev"),
				transaction.objectStore("positions").get("blocksFrom"),
				transaction.objectStore("positions").get("unverified"),
				transaction.objectStore("positions").get("proven"),
				transaction.objectStore("positions").get("refounding"),
				transaction.objectStore("positions").get("boots"),
				transaction.objectStore("positions").get("meter"),
				transaction.objectStore("positions").get("accounts"),
				transaction.objectStore("evidence").getAll(),
				outbox.getAllKeys(),
				outbox.getAll(),
			]);
			const [blocksFrom, unverified, proven, refounding, boots, meter, accounts, evidence, ids, transactions] = more;
			return {
				config: await openStored(this.#sealingKey, this.#name, isRecord(config) ? config : undefined),
				votes,
				proposed: zip(indices, records).map(([index, record]) => ({ index, record })),
				certificate: newest?.value.record,
				blocksFrom: typeof blocksFrom === "number" ? blocksFrom : 0,
				unverified: recordOf(unverified),
				evidence,
				proven: recordOf(proven),
				refounding: recordOf(refounding),
				boots: recordOf(boots),
				accounts: await openStored(this.#sealingKey, this.#accountsPlace, isRecord(accounts) ? accounts : undefined),
				meter: recordOf(meter),
				outbox: zip(ids, transactions).map(([id, record]) => ({ id, transaction: record })),
			};
		});
	}

	write(change: ChainChange): Promise<Result<true, StorageError>> {
		return attempt("storage-write-failed", async () => {
			const stores = storesOf(change);
			if (stores.length === 0) return true as const;
			const sealed = this.#seal(this.#name, change.config);
			const [config, accounts] = await Promise.all([sealed, this.#seal(this.#accountsPlace, change.accounts)]);
			const transaction = this.#database.transaction(stores, "readwrite", { durability: "strict" });
			await whole(transaction, [
				checkFence(transaction.objectStore("config"), this.#fence),
				...requestsOf(change, transaction),
				...(config === undefined ? [] : [transaction.objectStore("config").put(config, "config")]),
				...(accounts === undefined ? [] : [transaction.objectStore("positions").put(accounts, "accounts")]),
				applyInOrder(change, transaction),
			]);
			return true as const;
		});
	}

	/** Not async itself: whoever waits for it goes on in the order in which it was called. */
	#seal(place: string, record: Uint8Array | undefined): Promise<SealedRecord | undefined> {
		const sealing = record === undefined ? undefined : sealStored(this.#sealingKey, place, record);
		const sealed = this.#sealed.then(
			() => sealing,
			() => sealing,
		);
		this.#sealed = sealed;
		return sealed;
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
			return cursor === null ? undefined : { index: cursor.key, record: cursor.value.record };
		});
	}

	newestCheckpoint(belowIndex?: number): Promise<Result<StoredCheckpoint | undefined, StorageError>> {
		return attempt("storage-unavailable", async () => {
			const range = belowIndex === undefined ? null : IDBKeyRange.upperBound(belowIndex, true);
			const cursor = await this.#database.transaction("checkpoints", "readonly").store.openCursor(range, "prev");
			return cursor === null ? undefined : { index: cursor.key, ...cursor.value };
		});
	}

	checkpointChunk(index: number, number: number): Promise<Result<Uint8Array | undefined, StorageError>> {
		return attempt("storage-unavailable", () => this.#database.get("checkpointChunks", [index, number]));
	}

	voterSteps(fromIndex: number): Promise<Result<VoterStepRecord[], StorageError>> {
		return attempt("storage-unavailable", async () => {
			const range = IDBKeyRange.lowerBound(fromIndex);
			const { store } = this.#database.transaction("voterSteps", "readonly");
			const [indices, records] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
			return zip(indices, records).map(([index, record]) => ({ index, record }));
		});
	}

	readDays(fromDay: number, untilDay = Number.MAX_SAFE_INTEGER): Promise<Result<StoredDay[], StorageError>> {
		return attempt("storage-unavailable", async () => {
			const { store } = this.#database.transaction("days", "readonly");
			const range = IDBKeyRange.bound([fromDay], [untilDay], false, true);
			const [keys, records] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
			return zip(keys, records).map(([[day, member], record]) => ({ member, day, record }));
		});
	}

	readIntervals(fromDay: number, untilDay: number): Promise<Result<StoredIntervals[], StorageError>> {
		return attempt("storage-unavailable", async () => {
			const range = IDBKeyRange.bound(fromDay, untilDay, false, true);
			const { store } = this.#database.transaction("intervals", "readonly");
			const [days, records] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
			return zip(days, records).map(([day, record]) => ({ day, record }));
		});
	}

	readMemberDays(member: number, fromDay: number, untilDay: number): Promise<Result<StoredDay[], StorageError>> {
		return attempt("storage-unavailable", async () => {
			const { store } = this.#database.transaction("days", "readonly");
			const days = Array.from({ length: Math.max(0, untilDay - fromDay) }, (_, at) => fromDay + at);
			const records = await Promise.all(days.map((day) => store.get([day, member])));
			return zip(days, records).flatMap(([day, record]) => (record === undefined ? [] : [{ member, day, record }]));
		});
	}

	readHours(member: number, fromDay: number, untilDay: number): Promise<Result<StoredHours[], StorageError>> {
		return attempt("storage-unavailable", async () => {
			const range = IDBKeyRange.bound([member, fromDay], [member, untilDay], false, true);
			const { store } = this.#database.transaction("hours", "readonly");
			const [keys, records] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
			return zip(keys, records).map(([[, day], record]) => ({ member, day, record }));
		});
	}

	proofPageFrom(index: number): Promise<Result<StoredProofPage | undefined, StorageError>> {
		return attempt("storage-unavailable", async () => {
			const cursor = await this.#database
				.transaction("proofs", "readonly")
				.store.openCursor(IDBKeyRange.lowerBound(index));
			return cursor === null ? undefined : { index: cursor.key, record: cursor.value };
		});
	}

	staged(): Promise<Result<StagedCheckpoint | undefined, StorageError>> {
		return attempt("storage-unavailable", async () => {
			const transaction = this.#database.transaction(["staging", "stagingChunks"], "readonly");
			const [staged, chunks] = await Promise.all([
				transaction.objectStore("staging").get("checkpoint"),
				transaction.objectStore("stagingChunks").getAllKeys(),
			]);
			return staged === undefined ? undefined : { ...staged, chunks };
		});
	}

	stagedChunk(number: number): Promise<Result<Uint8Array | undefined, StorageError>> {
		return attempt("storage-unavailable", () => this.#database.get("stagingChunks", number));
	}

	close(): void {
		this.#database.close();
	}
}

function isRecord<T>(stored: T): stored is Extract<T, Uint8Array | SealedRecord> {
	return typeof stored === "object" && !(stored instanceof CryptoKey);
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
		if (error instanceof OpenElsewhere) return refused({ code: "storage-blocked" });
		return refused({ code, reason: error instanceof Error ? error.name : String(error) });
	}
}
