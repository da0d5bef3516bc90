/**
 * Whether the browser keeps what it has stored: the chain and this household's keys. It is asked when there is something
 * to lose; some browsers ask the person then, others decide by how the page is used.
 */

/** `unknown`: not a secure origin, or the browser does not say. */
export type Keeping = "kept" | "mayBeDeleted" | "unknown";

export interface StorageRoom {
	usedBytes: number;
	quotaBytes: number;
}

/** Below this share of the browser's quota people are told. */
const LOW_SHARE = 0.1;

let state = $state.raw<Keeping>("unknown");
let room = $state.raw<StorageRoom>();

/** Reactive. */
export function keeping(): Keeping {
	return state;
}

/** What the browser tells of it, which is a rough figure on purpose; absent where it tells nothing. Reactive. */
export function storageRoom(): StorageRoom | undefined {
	return room;
}

export function isStorageLow({ usedBytes, quotaBytes }: StorageRoom): boolean {
	return quotaBytes - usedBytes < quotaBytes * LOW_SHARE;
}

/** Looks again; nothing is asked. */
export async function lookAtStorage(storage: StorageManager | undefined = navigator.storage): Promise<void> {
	try {
		const isKept = await storage?.persisted?.();
		state = isKept === undefined ? "unknown" : isKept ? "kept" : "mayBeDeleted";
		const { usage, quota } = (await storage?.estimate?.()) ?? {};
		room = usage === undefined || quota === undefined ? undefined : { usedBytes: usage, quotaBytes: quota };
	} catch {
		state = "unknown";
	}
}

/** Asks the browser to keep it for good, at best while a person has just pressed something. Never rejects. */
export async function askToKeep(storage: StorageManager | undefined = navigator.storage): Promise<void> {
	try {
		await storage?.persist?.();
	} catch {
		// It says itself how it stands.
	}
	await lookAtStorage(storage);
}
