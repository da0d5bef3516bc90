/** Demo databases: named apart from the real one, and gone when the demo is. A running demo's name is a Web Lock. */

import { DEMO_PREFIX } from "../../worker/start.js";

/** A demo's name while it runs. */
export interface DemoName {
	/** Before the names of its databases. */
	readonly prefix: string;
	/** The demo is over, its nodes are stopped: its databases may go. */
	release(): void;
}

/** A name that no earlier demo had, so that a new street never finds an old one's data. Held until it is released, or the tab is closed. */
export function takeDemoName(): DemoName {
	const name = `${DEMO_PREFIX}${crypto.randomUUID().slice(0, 8)}`;
	let release = () => {};
	const released = new Promise<void>((resolve) => {
		release = resolve;
	});
	void navigator.locks.request(name, () => released);
	return { prefix: `${name}/`, release };
}

/**
 * Deletes what earlier demos left behind (a tab that was closed could not clean up), and `own`, which is over. What
 * another tab's demo uses stays.
 */
export async function deleteDemoDatabases(own?: DemoName): Promise<void> {
	const { held = [] } = await navigator.locks.query();
	const used = held.map((lock) => `${lock.name}/`).filter((prefix) => prefix !== own?.prefix);
	for (const { name = "" } of (await indexedDB.databases?.()) ?? []) {
		const isUsed = used.some((prefix) => name.startsWith(prefix));
		if (name.startsWith(DEMO_PREFIX) && !isUsed) indexedDB.deleteDatabase(name);
	}
}
