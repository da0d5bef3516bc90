import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	appendLeaf,
	EMPTY_RANGE,
	isInRange,
	merkleLeaf,
	merkleProof,
	merkleRoot,
	narrowProof,
	provenRoot,
	rangePath,
	rangeRoot,
	rememberingMerkleProof,
} from "../../../src/block/merkle.js";
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

/** RFC 6962 §2.1.1, as it is written there: the audit path of one leaf. */
function auditPath(at: number, leaves: Uint8Array[]): Uint8Array[] {
	if (leaves.length === 1) return [];
	let k = 1;
	while (k * 2 < leaves.length) k *= 2;
	const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
	return at < k ? [...auditPath(at, left), treeHead(right)] : [...auditPath(at - k, right), treeHead(left)];
}

/** Places of a tree and its number of leaves. */
const treeWithPlaces = fc.integer({ min: 1, max: LEAVES.length }).chain((count) =>
	fc.record({
		count: fc.constant(count),
		places: fc
			.uniqueArray(fc.nat(count - 1), { minLength: 1, maxLength: 12 })
			.map((list) => list.sort((a, b) => a - b)),
	}),
);

describe("a Merkle proof", () => {
	const proven = (count: number, places: readonly number[], proof: readonly Uint8Array[]) =>
		provenRoot(
			count,
			places.map((place) => [place, LEAVES[place] ?? new Uint8Array()] as const),
			proof,
		);

	it("of one leaf is RFC 6962's audit path", () => {
		for (const count of [1, 2, 3, 7, 8, 100]) {
			const leaves = LEAVES.slice(0, count);
			for (let at = 0; at < count; at++) {
				expect(merkleProof(leaves, [at]).map(toHex)).toEqual(auditPath(at, leaves).map(toHex));
			}
		}
	});

	it("of any leaves leads to the tree's head, and holds nothing that is not needed", () => {
		fc.assert(
			fc.property(treeWithPlaces, ({ count, places }) => {
				const leaves = LEAVES.slice(0, count);
				const proof = merkleProof(leaves, places);
				expect(rememberingMerkleProof(leaves, places)).toEqual(proof);
				expect(proven(count, places, proof)).toEqual(treeHead(leaves));
				expect(proven(count, places, [...proof, new Uint8Array(32)])).toBeUndefined();
				if (proof.length > 0) expect(proven(count, places, proof.slice(0, -1))).toBeUndefined();
			}),
		);
	});

	it("proves nothing else: another leaf, another place or another hash leads elsewhere", () => {
		fc.assert(
			fc.property(treeWithPlaces, fc.nat(), fc.nat(), ({ count, places }, which, change) => {
				const head = treeHead(LEAVES.slice(0, count));
				const proof = merkleProof(LEAVES.slice(0, count), places);
				const known = places.map((place) => [place, LEAVES[place] ?? new Uint8Array()] as const);
				const [place, leaf] = known[which % known.length] ?? [0, new Uint8Array()];
				const others = known.filter(([other]) => other !== place);
				const forged = merkleLeaf(Uint8Array.of(9, 9, 9, change & 255));
				expect(
					provenRoot(
						count,
						[...others, [place, forged] as const].sort(([a], [b]) => a - b),
						proof,
					),
				).not.toEqual(head);
				const elsewhere = (place + 1 + (change % count)) % (count + 1);
				if (elsewhere !== place && !places.includes(elsewhere)) {
					const moved = [...others, [elsewhere, leaf] as const].sort(([a], [b]) => a - b);
					expect(provenRoot(count, moved, proof)).not.toEqual(head);
				}
				if (proof.length > 0)
					expect(provenRoot(count, known, proof.with(change % proof.length, forged))).not.toEqual(head);
			}),
		);
	});

	it("of no leaf, of leaves that are not there, or out of order, is none", () => {
		const [a = new Uint8Array(), b = new Uint8Array()] = LEAVES;
		expect(provenRoot(2, [], [a, b])).toBeUndefined();
		expect(provenRoot(2, [[2, a]], [b])).toBeUndefined();
		expect(
			provenRoot(
				2,
				[
					[1, b],
					[0, a],
				],
				[],
			),
		).toBeUndefined();
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

describe("a proof of several leaves", () => {
	it("gives the proof of some of them alone", () => {
		const places = fc.uniqueArray(fc.nat(39), { minLength: 1, maxLength: 8 }).map((all) => all.sort((a, b) => a - b));
		fc.assert(
			fc.property(places, fc.integer({ min: 40, max: 60 }), fc.nat(254), (all, count, mask) => {
				const leaves = LEAVES.slice(0, count);
				const some = all.filter((_, at) => ((mask + 1) >> at) & 1);
				if (some.length === 0) return;
				const proven = all.map((place) => [place, merkleLeaf(dataOf(place))] as const);
				const narrowed = narrowProof(count, proven, merkleProof(leaves, all), some);
				expect(narrowed?.map(toHex)).toEqual(merkleProof(leaves, some).map(toHex));
			}),
		);
		expect(narrowProof(4, [[0, merkleLeaf(dataOf(0))]], [], [0])).toBeUndefined();
	});
});

describe("a leaf of a mountain range", () => {
	const rangeOf = (count: number) => LEAVES.slice(0, count).reduce(appendLeaf, EMPTY_RANGE);

	it("is proven by the range below the newer leaves, and those", () => {
		for (const [firstCount, count] of [
			[0, 1],
			[0, 7],
			[5, 6],
			[3, 64],
			[8, 9],
			[13, 100],
			[64, 129],
			[99, 200],
		] as const) {
			const [first, range] = [rangeOf(firstCount), rangeOf(count)];
			for (let place = firstCount; place < count; place++) {
				const leaf = LEAVES[place] ?? new Uint8Array();
				const path = rangePath(first, LEAVES.slice(firstCount, count), place);
				expect(isInRange(range, place, leaf, path)).toBe(true);
				expect(isInRange(range, place, merkleLeaf(dataOf(201)), path)).toBe(false);
				expect(isInRange(range, place + 1, leaf, path)).toBe(false);
				expect(isInRange(range, place, leaf, [...path, leaf])).toBe(false);
				if (path.length > 0) expect(isInRange(range, place, leaf, path.slice(1))).toBe(false);
			}
		}
	});
});
