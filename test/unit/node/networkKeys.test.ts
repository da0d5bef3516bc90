import { describe, expect, it } from "vitest";
import { networkKeys, newestKey } from "../../../src/node/networkKeys.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { taggedHash } from "../../../src/primitives/hash.js";

const hashKey = taggedHash("network-key");
const FOUNDED = { networkKey: new Uint8Array(16).fill(7), keyGeneration: 0 };
const salts = Array.from({ length: 6 }, (_, at) => ({ salt: new Uint8Array(16).fill(at), timestampMs: 1_000 + at }));

/** Of each generation, worked out apart from what is tested. */
const KEYS = [FOUNDED.networkKey];
for (const { salt } of salts) KEYS.push(hashKey(KEYS.at(-1) ?? FOUNDED.networkKey, salt).slice(0, 16));

const shown = (own: typeof FOUNDED, count: number) =>
	networkKeys(own, salts.slice(0, count)).map(({ networkKey, keyGeneration, replacedMs }) => [
		KEYS.findIndex((key) => toHex(key) === toHex(networkKey)),
		keyGeneration,
		replacedMs,
	]);

describe("the keys that a device speaks and listens under", () => {
	it("are the one that it has, as long as it was not changed", () => {
		expect(networkKeys(FOUNDED, [])).toEqual([{ ...FOUNDED, replacedMs: undefined }]);
	});

	it("are what the salts make of it, one after the other, newest first, with when each was replaced", () => {
		expect(shown(FOUNDED, 2)).toEqual([
			[2, 2, undefined],
			[1, 1, 1_001],
			[0, 0, 1_000],
		]);
		expect(new Set(KEYS.map(toHex)).size).toBe(7);
	});

	it("are four at the most", () => {
		expect(shown(FOUNDED, 6)).toEqual([
			[6, 6, undefined],
			[5, 5, 1_005],
			[4, 4, 1_004],
			[3, 3, 1_003],
		]);
	});

	it("are the same from whichever generation a device came in with, but for those before its own", () => {
		const came = { networkKey: KEYS[4] ?? FOUNDED.networkKey, keyGeneration: 4 };
		expect(shown(came, 6)).toEqual([
			[6, 6, undefined],
			[5, 5, 1_005],
			[4, 4, 1_004],
		]);
		expect(newestKey(came, salts)).toEqual(newestKey(FOUNDED, salts));
		expect(newestKey(came, salts)).toEqual({ networkKey: KEYS[6], keyGeneration: 6 });
	});

	it("are its link's alone while the chain that is known so far is older than the link", () => {
		const came = { networkKey: KEYS[4] ?? FOUNDED.networkKey, keyGeneration: 4 };
		for (const count of [0, 3, 4]) expect(shown(came, count)).toEqual([[4, 4, undefined]]);
		expect(newestKey(came, salts.slice(0, 2))).toEqual(came);
	});
});
