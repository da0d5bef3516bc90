/**
 * The fence that an opening of a database leaves for the openings before it (`node/storage.ts` says why): a number that
 * rises, kept beside the records and looked at in the same transaction in which something is written.
 */

/** The part of a store that a fence needs. */
interface FenceStore {
	get(key: "fence"): Promise<unknown>;
	put(value: number, key: "fence"): Promise<unknown>;
}

/** The database was opened again after the opening that tries to write. */
export class FencedOut extends Error {}

/** Counts this opening: older ones fail in {@link checkFence} from here on. */
export async function raiseFence(store: FenceStore): Promise<number> {
	const fence = fenceOf(await store.get("fence")) + 1;
	await store.put(fence, "fence");
	return fence;
}

/** The first request of every write: rejects with {@link FencedOut}, which takes all of it back. */
export async function checkFence(store: Pick<FenceStore, "get">, fence: number): Promise<void> {
	if (fenceOf(await store.get("fence")) !== fence) throw new FencedOut();
}

/** A database from before there were fences has none. */
function fenceOf(value: unknown): number {
	return typeof value === "number" ? value : 0;
}
