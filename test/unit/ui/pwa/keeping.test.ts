import { describe, expect, test } from "vitest";
import { askToKeep, isStorageLow, keeping, lookAtStorage, storageRoom } from "../../../../src/ui/pwa/keeping.svelte.js";

/** A browser that answers so. */
function browser(answers: { before: boolean; after: boolean; usage?: number; quota?: number }): StorageManager {
	let isKept = answers.before;
	return {
		persisted: async () => isKept,
		persist: async () => {
			isKept = answers.after;
			return isKept;
		},
		estimate: async () => ({ usage: answers.usage, quota: answers.quota }),
	} as unknown as StorageManager;
}

describe("what the browser keeps", () => {
	test("is asked for, and then looked at", async () => {
		const storage = browser({ before: false, after: true, usage: 5, quota: 100 });
		await lookAtStorage(storage);
		expect(keeping()).toBe("mayBeDeleted");
		await askToKeep(storage);
		expect(keeping()).toBe("kept");
		expect(storageRoom()).toEqual({ usedBytes: 5, quotaBytes: 100 });
	});

	test("may be deleted when the browser says no", async () => {
		await askToKeep(browser({ before: false, after: false }));
		expect(keeping()).toBe("mayBeDeleted");
		expect(storageRoom()).toBeUndefined();
	});

	test("is not known where the browser says nothing, or fails", async () => {
		await askToKeep({} as StorageManager);
		expect(keeping()).toBe("unknown");
		const failing = { persist: () => Promise.reject(new Error()), persisted: () => Promise.reject(new Error()) };
		await askToKeep(failing as unknown as StorageManager);
		expect(keeping()).toBe("unknown");
	});

	test.each([
		[91, true],
		[90, false],
		[0, false],
	])("%i of 100 bytes used: room is short %s", (usedBytes, isLow) => {
		expect(isStorageLow({ usedBytes, quotaBytes: 100 })).toBe(isLow);
	});
});
