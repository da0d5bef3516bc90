/**
 * The fence: each opening of a database counts up, and a write of an older opening fails. Whoever was frozen while its
 * database was opened again writes nothing when it thaws.
 */
import type { DBSchema, IDBPDatabase } from "idb";

/** A database, and which opening of it this is. */
export interface Fenced<Schema extends DBSchema> {
	database: IDBPDatabase<Schema>;
	fence: number;
}

/** The part of a store that a fence needs. */
interface FenceStore {
	get(key: "fence"): Promise<unknown>;
	put(value: number, key: "fence"): Promise<unknown>;
}

export class FencedOut extends Error {}

/** Counts this opening: older ones fail in {@link checkFence} from here on. */
export async function raiseFence(store: FenceStore): Promise<number> {
	const fence = fenceOf(await store.get("fence")) + 1;
	await store.put(fence, "fence");
	return fence;
}

/** The first request of every write: rejects, and thereby aborts it all, when the database was opened again. */
export async function checkFence(store: Pick<FenceStore, "get">, fence: number): Promise<void> {
	if (fenceOf(await store.get("fence")) !== fence) throw new FencedOut();
}

/** A database from before there were fences has none. */
function fenceOf(value: unknown): number {
	return typeof value === "number" ? value : 0;
}

/** A record that lies there as it is. */
export function recordOf<T>(value: T | Uint8Array): Uint8Array | undefined {
	return value instanceof Uint8Array ? value : undefined;
}

// ── transactions ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Settles when all of it is on the disk; one request that fails takes everything back. */
export async function whole(
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
