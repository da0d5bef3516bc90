/**
 * Merkle trees after RFC 6962 §2.1, with domain tags in place of its prefix bytes, and the mountain range that grows
 * into the same tree one leaf at a time.
 */
import { assert } from "../primitives/assert.js";
import { taggedHash } from "../primitives/hash.js";

const hashLeaf = taggedHash("leaf");
const hashNode = taggedHash("node");
const EMPTY_ROOT = taggedHash("empty")();

/** The hash of one leaf's data. */
export function merkleLeaf(data: Uint8Array): Uint8Array {
	return hashLeaf(data);
}

/**
 * The tree head over leaf hashes (RFC 6962 MTH): complete subtrees left, the rest right. Level by level this comes out
 * when a last one without a neighbour moves up as it is.
 */
export function merkleRoot(leaves: readonly Uint8Array[], join = hashNode): Uint8Array {
	let level = leaves;
	while (level.length > 1) {
		const above: Uint8Array[] = [];
		for (let at = 0; at < level.length; at += 2) {
			const [left, right] = [level[at], level[at + 1]];
			assert(left !== undefined, "a level has no holes");
			above.push(right === undefined ? left : join(left, right));
		}
		level = above;
	}
	return level[0] ?? EMPTY_ROOT;
}

/**
 * The same, for a tree that is hashed again and again while few of its leaves change: of two hashes that are the same
 * objects as before, the node above is remembered. Nothing that was given may be written to afterwards.
 */
export function rememberingMerkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
	return merkleRoot(leaves, rememberedNode);
}

const nodes = new WeakMap<Uint8Array, { right: Uint8Array; node: Uint8Array }>();

function rememberedNode(left: Uint8Array, right: Uint8Array): Uint8Array {
	const known = nodes.get(left);
	if (known?.right === right) return known.node;
	const node = hashNode(left, right);
	nodes.set(left, { right, node });
	return node;
}

/**
 * The hashes that prove some of a tree's leaves (their places ascending) against its head, all at once: level by level
 * from the leaves up, left to right, each neighbour that the proven ones do not give themselves. Of one leaf it is the
 * audit path of RFC 6962 §2.1.1.
 */
export function merkleProof(leaves: readonly Uint8Array[], places: readonly number[], join = hashNode): Uint8Array[] {
	const proof: Uint8Array[] = [];
	let level = leaves;
	let proven = places;
	while (level.length > 1) {
		const above: Uint8Array[] = [];
		for (const place of proven) {
			const neighbour = level[place ^ 1];
			if (neighbour !== undefined && !proven.includes(place ^ 1)) proof.push(neighbour);
		}
		for (let at = 0; at < level.length; at += 2) {
			const [left, right] = [level[at], level[at + 1]];
			assert(left !== undefined, "a level has no holes");
			above.push(right === undefined ? left : join(left, right));
		}
		level = above;
		proven = placesAbove(proven);
	}
	return proof;
}

/** The same proof, for a tree that is hashed by {@link rememberingMerkleRoot} as well. */
export function rememberingMerkleProof(leaves: readonly Uint8Array[], places: readonly number[]): Uint8Array[] {
	return merkleProof(leaves, places, rememberedNode);
}

/**
 * The head of the tree over `count` leaves in which leaf hashes stand at their places (ascending), by a proof. Undefined:
 * the proof does not belong to such places. Whether the head is the right one is for the caller to compare.
 */
export function provenRoot(
	count: number,
	leaves: readonly (readonly [place: number, leaf: Uint8Array])[],
	proof: readonly Uint8Array[],
): Uint8Array | undefined {
	const isAscending = leaves.every(([place], at) => place > (leaves[at - 1]?.[0] ?? -1) && place < count);
	if (leaves.length === 0 || !isAscending) return undefined;
	let known = new Map(leaves);
	let taken = 0;
	for (let length = count; length > 1; length = Math.ceil(length / 2)) {
		const above = new Map<number, Uint8Array>();
		for (const [place, hash] of known) {
			if (above.has(place >> 1)) continue;
			let neighbour = known.get(place ^ 1);
			if (neighbour === undefined && (place ^ 1) < length) {
				neighbour = proof[taken];
				taken += 1;
				if (neighbour === undefined) return undefined;
			}
			const [left, right] = place % 2 === 0 ? [hash, neighbour] : [neighbour, hash];
			above.set(place >> 1, left === undefined || right === undefined ? hash : hashNode(left, right));
		}
		known = above;
	}
	return taken === proof.length ? known.get(0) : undefined;
}

function placesAbove(places: readonly number[]): number[] {
	return [...new Set(places.map((place) => place >> 1))];
}

/** The perfect subtrees of a tree over `count` leaves, largest first: all that is needed to append to it. */
export interface MountainRange {
	readonly count: number;
	readonly peaks: readonly Uint8Array[];
}

export const EMPTY_RANGE: MountainRange = { count: 0, peaks: [] };

/** Appends a leaf hash: as many peaks merge as `count` has trailing ones in binary. */
export function appendLeaf(range: MountainRange, leaf: Uint8Array): MountainRange {
	const peaks = [...range.peaks];
	let peak = leaf;
	for (let count = range.count; count % 2 === 1; count = (count - 1) / 2) {
		const left = peaks.pop();
		assert(left !== undefined, "a mountain range has one peak for each one bit of its count");
		peak = hashNode(left, peak);
	}
	peaks.push(peak);
	return { count: range.count + 1, peaks };
}

/** The RFC 6962 tree head of a range: its peaks joined from the right. */
export function rangeRoot(range: MountainRange): Uint8Array {
	const last = range.peaks.at(-1);
	if (last === undefined) return EMPTY_ROOT;
	return range.peaks.slice(0, -1).reduceRight((right, left) => hashNode(left, right), last);
}
