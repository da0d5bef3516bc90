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

/** The tree head over leaf hashes (RFC 6962 MTH): complete subtrees left, the rest right. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
	const range = leaves.reduce(appendLeaf, EMPTY_RANGE);
	return rangeRoot(range);
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
