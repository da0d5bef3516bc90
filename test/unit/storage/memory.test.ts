import { describe, expect, it } from "vitest";
import { MemoryStorage } from "../../../src/storage/memory.js";
import { ACCEPTANCE, findEverything, writeEverything } from "./acceptance.js";

describe("the storage in memory", () => {
	it.each(ACCEPTANCE)("$name", async ({ run }) => {
		const storage = new MemoryStorage();
		await expect(run(storage, async () => storage)).resolves.toBeUndefined();
	});

	it("outlives the node that uses it", async () => {
		const storage = new MemoryStorage();
		await writeEverything(storage);
		await expect(findEverything(storage)).resolves.toBeUndefined();
		await expect(findEverything(new MemoryStorage())).rejects.toThrow("profile");
	});
});
