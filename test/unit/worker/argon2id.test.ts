import { describe, expect, it } from "vitest";
import { STRETCH_PARAMETERS } from "../../../src/node/vault.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { stretch } from "../../../src/worker/argon2id.js";

const salt = (text: string) => new TextEncoder().encode(text);

describe("Argon2id, version 19", () => {
	// The reference implementation's own tests (phc-winner-argon2, src/test.c).
	it.each([
		["password", "somesalt", 2, 65_536, 1, "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"],
		["password", "somesalt", 2, 256, 1, "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"],
		["password", "somesalt", 2, 256, 2, "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"],
		["password", "somesalt", 1, 65_536, 1, "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98"],
		["password", "somesalt", 4, 65_536, 1, "9025d48e68ef7395cca9079da4c4ec3affb3c8911fe4f86d1a2520856f63172c"],
		["differentpassword", "somesalt", 2, 65_536, 1, "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde"],
		["password", "diffsalt", 2, 65_536, 1, "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c"],
	])("of %s with %s, %d passes, %d KiB, %d lanes", async (password, text, passes, memoryKib, lanes, key) => {
		const stretched = await stretch({ password, salt: salt(text), parameters: { passes, memoryKib, lanes } });
		expect(stretched && toHex(stretched)).toBe(key);
	});

	it("is asked for 64 MiB, three passes, one lane", () => {
		expect(STRETCH_PARAMETERS).toEqual({ memoryKib: 65_536, passes: 3, lanes: 1 });
	});

	it("says so where there is not so much memory", async () => {
		const parameters = { passes: 1, memoryKib: 2 ** 40, lanes: 1 };
		expect(await stretch({ password: "password", salt: salt("somesalt"), parameters })).toBeUndefined();
	});
});
