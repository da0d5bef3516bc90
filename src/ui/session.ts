/** One tab of an origin runs the node: the tab that holds the Web Lock. The others wait, and take over when it is freed. */
import { createSubscriber } from "svelte/reactivity";
import type { NodeClient } from "./nodeClient.js";

const LOCK_NAME = "nabostrom/node";

export type SessionState =
	| { type: "starting" }
	/** Another tab holds the lock. */
	| { type: "otherTab" }
	/** Not a secure origin: the browser keeps locks, keys and serial ports from it. */
	| { type: "insecure" }
	| { type: "running"; client: NodeClient };

export interface Session {
	/** Reactive. */
	readonly state: SessionState;
}

/** Takes the lock, now or when it becomes free, and then starts the node. The lock is held until the page is gone. */
export function startSession(locks: LockManager | undefined, startNode: () => NodeClient): Session {
	let state: SessionState = locks === undefined ? { type: "insecure" } : { type: "starting" };
	const listeners = new Set<() => void>();
	const subscribe = createSubscriber((update) => {
		listeners.add(update);
		return () => listeners.delete(update);
	});

	function change(next: SessionState): void {
		state = next;
		for (const listener of listeners) listener();
	}

	function hold(): Promise<never> {
		change({ type: "running", client: startNode() });
		return new Promise<never>(() => {});
	}

	void locks?.request(LOCK_NAME, { ifAvailable: true }, (lock) => {
		if (lock !== null) return hold();
		change({ type: "otherTab" });
		// Not awaited: the answer to this request must end before the next one is granted.
		void locks.request(LOCK_NAME, hold);
		return undefined;
	});

	return {
		get state() {
			subscribe();
			return state;
		},
	};
}
