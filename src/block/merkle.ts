/**
 * Merkle trees after RFC 6962 §2.1, with domain tags in place of its prefix bytes, and the mountain range that grows
 * into the same tree one leaf at a time.
 */
import { assert } from "../primitives/assert.js";
import { equalBytes } from "../primitives/bytes.js";
import { taggedHash } from "../primitives/hash.js";

const hashLeaf = taggedHash("leaf");
const hashNode = taggedHash("node");
const EMPTY_ROOT = taggedHash("empty")();

/** The hash of one leaf's data. */
export function merkleLeaf(data: Uint8Array): Uint8Array {
	return hashLeaf(data);
}

/**
 * A tree level by level, from its leaves' hashes up to its head alone: complete subtrees left, the rest right (RFC 6962).
 * That comes out when a last one without a neighbour moves up as it is.
 */
export function merkleLevels(leaves: readonly Uint8Array[], join = hashNode): readonly (readonly Uint8Array[])[] {
	let level = leaves;
	const levels = [level];
	while (level.length > 1) {
		const above: Uint8Array[] = [];
		for (let at = 0; at < level.length; at += 2) {
			const [left, right] = [level[at], level[at + 1]];
			assert(left !== undefined, "a level has no holes");
			above.push(right === undefined ? left : join(left, right));
		}
		level = above;
		levels.push(level);
	}
	return levels;
}

/** The head of a tree (RFC 6962 MTH). */
export function headOf(levels: readonly (readonly Uint8Array[])[]): Uint8Array {
	return levels.at(-1)?.[0] ?? EMPTY_ROOT;
}

/** The tree head over leaf hashes. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
	return headOf(merkleLevels(leaves));
}

/**
 * The same, for a tree that is hashed again and again while few of its leaves change: of two hashes that are the same
 * objects as before, the node above is remembered. Nothing that was given may be written to afterwards.
 */
export function rememberingMerkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
	return headOf(merkleLevels(leaves, rememberedNode));
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
export function merkleProof(leaves: readonly Uint8Array[], places: readonly number[]): Uint8Array[] {
	return proofIn(merkleLevels(leaves), places);
}

/** The same proof, in a tree whose levels are at hand. */
export function proofIn(levels: readonly (readonly Uint8Array[])[], places: readonly number[]): Uint8Array[] {
	const proof: Uint8Array[] = [];
	let proven = places;
	for (const level of levels) {
		for (const place of proven) {
			const neighbour = level[place ^ 1];
			if (neighbour !== undefined && !proven.includes(place ^ 1)) proof.push(neighbour);
		}
		proven = placesAbove(proven);
	}
	return proof;
}

/** The same proof, for a tree that is hashed by {@link rememberingMerkleRoot} as well. */
export function rememberingMerkleProof(leaves: readonly Uint8Array[], places: readonly number[]): Uint8Array[] {
	return proofIn(merkleLevels(leaves, rememberedNode), places);
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
	return provenLevels(count, leaves, proof)?.at(-1)?.get(0);
}

/**
 * Of a proof of several leaves the proof of some of them alone (their places ascending): the others are known by their
 * hashes. Undefined: it is no proof of such leaves.
 */
export function narrowProof(
	count: number,
	leaves: readonly (readonly [place: number, leaf: Uint8Array])[],
	proof: readonly Uint8Array[],
	places: readonly number[],
): Uint8Array[] | undefined {
	const levels = provenLevels(count, leaves, proof);
	if (levels === undefined) return undefined;
	const narrowed: Uint8Array[] = [];
	let proven = places;
	for (const level of levels.slice(0, -1)) {
		for (const place of proven) {
			const neighbour = proven.includes(place ^ 1) ? undefined : level.get(place ^ 1);
			if (neighbour !== undefined) narrowed.push(neighbour);
		}
		proven = placesAbove(proven);
	}
	return narrowed;
}

/** All nodes that leaves and proof give, level by level from the leaves up; the last one is the head alone. */
function provenLevels(
	count: number,
	leaves: readonly (readonly [place: number, leaf: Uint8Array])[],
	proof: readonly Uint8Array[],
): Map<number, Uint8Array>[] | undefined {
	const isAscending = leaves.every(([place], at) => place > (leaves[at - 1]?.[0] ?? -1) && place < count);
	if (leaves.length === 0 || !isAscending) return undefined;
	let known = new Map(leaves);
	const levels = [known];
	let taken = 0;
	for (let length = count; length > 1; length = Math.ceil(length / 2)) {
		const above = new Map<number, Uint8Array>();
		for (const [place, hash] of [...known]) {
			if (above.has(place >> 1)) continue;
			let neighbour = known.get(place ^ 1);
			if (neighbour === undefined && (place ^ 1) < length) {
				neighbour = proof[taken];
				taken += 1;
				if (neighbour === undefined) return undefined;
				known.set(place ^ 1, neighbour);
			}
			const [left, right] = place % 2 === 0 ? [hash, neighbour] : [neighbour, hash];
			above.set(place >> 1, left === undefined || right === undefined ? hash : hashNode(left, right));
		}
		known = above;
		levels.push(known);
	}
	return taken === proof.length ? levels : undefined;
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

/** Where a leaf of a range stands: under which peak, and the first leaf and the number of leaves below that one. */
function mountainOf(count: number, place: number): { peak: number; start: number; size: number } | undefined {
	let start = 0;
	for (let peak = 0; start < count; peak++) {
		let size = 1;
		while (size * 2 <= count - start) size *= 2;
		if (place < start + size) return { peak, start, size };
		start += size;
	}
	return undefined;
}

/**
 * The hashes that lead from one of the newer leaves of a range up to its peak. `first`: the range below these `leaves`
 * (hashes), which follow it without a hole and make of it the range that is meant. `place`: in the whole of it.
 */
export function rangePath(first: MountainRange, leaves: readonly Uint8Array[], place: number): Uint8Array[] {
	const mountain = mountainOf(first.count + leaves.length, place);
	assert(mountain !== undefined && place >= first.count, "a path leads from one of the newer leaves");
	const path: Uint8Array[] = [];
	for (let size = 1; size < mountain.size; size *= 2) {
		const number = Math.floor((place - mountain.start) / size);
		path.push(nodeOf(first, leaves, mountain.start + (number ^ 1) * size, size));
	}
	return path;
}

/** A perfect subtree: one that lies below the newer leaves, while what stands above it does not, is one of their range's peaks. */
function nodeOf(first: MountainRange, leaves: readonly Uint8Array[], start: number, size: number): Uint8Array {
	if (start + size <= first.count) {
		const mountain = mountainOf(first.count, start);
		const peak = mountain?.start === start && mountain.size === size ? first.peaks[mountain.peak] : undefined;
		assert(peak !== undefined, "what is complete and has no complete one above it is a peak");
		return peak;
	}
	if (size === 1) {
		const leaf = leaves[start - first.count];
		assert(leaf !== undefined, "a mountain has no holes");
		return leaf;
	}
	return hashNode(nodeOf(first, leaves, start, size / 2), nodeOf(first, leaves, start + size / 2, size / 2));
}

/** Whether a leaf hash stands at a place of a range, by its path. */
export function isInRange(range: MountainRange, place: number, leaf: Uint8Array, path: readonly Uint8Array[]): boolean {
	const mountain = mountainOf(range.count, place);
	if (mountain === undefined) return false;
	let hash = leaf;
	let { size } = mountain;
	let number = place - mountain.start;
	for (const neighbour of path) {
		if (size === 1) return false;
		hash = number % 2 === 0 ? hashNode(hash, neighbour) : hashNode(neighbour, hash);
		number = Math.floor(number / 2);
		size /= 2;
	}
	const peak = range.peaks[mountain.peak];
	return size === 1 && peak !== undefined && equalBytes(hash, peak);
}
