import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { appendLeaf, EMPTY_RANGE, merkleLeaf, merkleRoot, rangeRoot } from "../../../src/block/merkle.js";
import { toHex } from "../../../src/primitives/bytes.js";

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());

function tagged(tag: string, ...parts: Uint8Array[]): Uint8Array {
	const tagHash = sha256(new TextEncoder().encode(`nabostrom/v1/${tag}`));
	return sha256(Buffer.concat([tagHash, tagHash, ...parts]));
}

/** RFC 6962 §2.1, as it is written there: k is the largest power of two smaller than n. */
function treeHead(leaves: Uint8Array[]): Uint8Array {
	const [only] = leaves;
	if (only === undefined) return tagged("empty");
	if (leaves.length === 1) return only;
	let k = 1;
	while (k * 2 < leaves.length) k *= 2;
	return tagged("node", treeHead(leaves.slice(0, k)), treeHead(leaves.slice(k)));
}

const dataOf = (at: number) => Uint8Array.of(at >> 8, at & 255);
const LEAVES = Array.from({ length: 200 }, (_, at) => merkleLeaf(dataOf(at)));

describe("the Merkle tree", () => {
	it("is RFC 6962's, for every number of leaves up to 200", () => {
		for (let count = 0; count <= LEAVES.length; count++) {
			const leaves = LEAVES.slice(0, count);
			expect(toHex(merkleRoot(leaves))).toBe(toHex(treeHead(leaves)));
		}
	});

	it("hashes leaves and nodes under tags of their own, so that a node is never taken for a leaf", () => {
		expect(toHex(merkleLeaf(dataOf(3)))).toBe(toHex(tagged("leaf", dataOf(3))));
		const [a, b] = LEAVES;
		if (a === undefined || b === undefined) throw new Error("two leaves");
		expect(toHex(merkleLeaf(Buffer.concat([a, b])))).not.toBe(toHex(merkleRoot([a, b])));
	});

	it("tells the order of its leaves, and a repeated last leaf, apart", () => {
		const [a, b, c] = LEAVES.map((leaf) => leaf);
		if (a === undefined || b === undefined || c === undefined) throw new Error("three leaves");
		const roots = [[a, b, c], [a, c, b], [a, b, c, c], [a, b], []].map((leaves) => toHex(merkleRoot(leaves)));
		expect(new Set(roots).size).toBe(roots.length);
	});
});

describe("the mountain range", () => {
	it("has at every length the root of the tree over the same leaves", () => {
		let range = EMPTY_RANGE;
		expect(toHex(rangeRoot(range))).toBe(toHex(treeHead([])));
		for (const [at, leaf] of LEAVES.entries()) {
			range = appendLeaf(range, leaf);
			expect(range.count).toBe(at + 1);
			expect(toHex(rangeRoot(range))).toBe(toHex(treeHead(LEAVES.slice(0, at + 1))));
		}
	});

	it("has a peak for each one bit of its count, and an older range stays as it was", () => {
		let range = EMPTY_RANGE;
		const older: string[] = [];
		const ranges = LEAVES.map((leaf) => {
			older.push(toHex(rangeRoot(range)));
			const before = range;
			range = appendLeaf(range, leaf);
			expect(range.peaks).toHaveLength([...range.count.toString(2)].filter((bit) => bit === "1").length);
			return before;
		});
		expect(ranges.map((each) => toHex(rangeRoot(each)))).toEqual(older);
	});
});
