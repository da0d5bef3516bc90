/** Demo databases: named apart from the real one, and gone when the demo is. */

import { DEMO_PREFIX } from "../../worker/start.js";

/** A name that no earlier demo had, so that a new street never finds an old one's data. */
export function newDemoName(): string {
	return crypto.randomUUID().slice(0, 8);
}

/** Deletes what this and earlier demos left behind: a tab that was closed could not clean up. */
export async function deleteDemoDatabases(): Promise<void> {
	for (const { name } of (await indexedDB.databases?.()) ?? []) {
		if (name?.startsWith(DEMO_PREFIX)) indexedDB.deleteDatabase(name);
	}
}
