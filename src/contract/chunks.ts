/**
 * A snapshot on its way: the manifest, which is the hashes of all leaves and checked against a certified block's state
 * root, and chunks of leaves, each checked alone against the manifest before it is kept.
 */
import { merkleLeaf, merkleRoot } from "../block/merkle.js";
import { equalBytes } from "../primitives/bytes.js";
import { type CborValue, decode, encode } from "../primitives/codec.js";
import { HASH_BYTES } from "../primitives/hash.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { MAX_LEAF_BYTES } from "./snapshot.js";

/** Leaves are put together up to here; one that is larger goes alone. */
export const CHUNK_BYTES = 100_000;
/** A chunk as it is received; fits into one message of the peer wire. */
export const MAX_CHUNK_BYTES = MAX_LEAF_BYTES + 1_024;

export type ChunkError =
	/** Not 32 bytes for each leaf, or none. */
	| { code: "bad-manifest"; bytes: number }
	/** Its root is not the block's state root. */
	| { code: "manifest-differs-from-state-root"; root: Uint8Array; stateRoot: Uint8Array }
	| { code: "bad-chunk" }
	/** A leaf that the manifest does not name at this place. */
	| { code: "chunk-differs-from-manifest"; leaf: number }
	/** No chunk holds this leaf. */
	| { code: "incomplete-snapshot"; leaf: number };

/** Hashes of all leaves, one after the other. */
export function manifestOf(leaves: readonly Uint8Array[]): Uint8Array {
	const manifest = new Uint8Array(leaves.length * HASH_BYTES);
	for (const [at, leaf] of leaves.entries()) manifest.set(merkleLeaf(leaf), at * HASH_BYTES);
	return manifest;
}

/** How many leaves a manifest names. */
export function leafCountOf(manifest: Uint8Array): number {
	return Math.floor(manifest.length / HASH_BYTES);
}

function hashAt(manifest: Uint8Array, leaf: number): Uint8Array {
	return manifest.subarray(leaf * HASH_BYTES, (leaf + 1) * HASH_BYTES);
}

/** Whether a manifest is the leaves of a state root. */
export function checkManifest(manifest: Uint8Array, stateRoot: Uint8Array): Result<true, ChunkError> {
	const count = leafCountOf(manifest);
	if (count === 0 || manifest.length !== count * HASH_BYTES) {
		return refused({ code: "bad-manifest", bytes: manifest.length });
	}
	const root = merkleRoot(Array.from({ length: count }, (_, leaf) => hashAt(manifest, leaf)));
	return equalBytes(root, stateRoot)
		? ok(true)
		: refused({ code: "manifest-differs-from-state-root", root, stateRoot });
}

/** Cuts leaves into chunks `[first leaf, preimage …]` of at most `maxBytes`, or of one leaf. The same in every node. */
export function chunkLeaves(leaves: readonly Uint8Array[], maxBytes = CHUNK_BYTES): Uint8Array[] {
	const chunks: Uint8Array[] = [];
	for (let first = 0; first < leaves.length; ) {
		let bytes = HEAD_BYTES;
		let until = first;
		for (let leaf = leaves[until]; leaf !== undefined; leaf = leaves[until]) {
			bytes += leaf.length + LEAF_HEAD_BYTES;
			if (until > first && bytes > maxBytes) break;
			until += 1;
		}
		chunks.push(encode([first, ...leaves.slice(first, until)]));
		first = until;
	}
	return chunks;
}

/** At most so much do an array's head and the number in front take in CBOR, and a byte string's head. */
const HEAD_BYTES = 5 + 5;
const LEAF_HEAD_BYTES = 5;

export interface CheckedChunk {
	firstLeaf: number;
	leaves: Uint8Array[];
}

/** Reads a chunk, each of whose leaves must be the one that the manifest names at its place. */
export function checkChunk(chunk: Uint8Array, manifest: Uint8Array): Result<CheckedChunk, ChunkError> {
	const decoded = decode(chunk, MAX_CHUNK_BYTES);
	if (!decoded.ok || !Array.isArray(decoded.value)) return refused({ code: "bad-chunk" });
	const [firstLeaf, ...leaves] = decoded.value as CborValue[];
	if (typeof firstLeaf !== "number" || firstLeaf < 0 || leaves.length === 0 || !leaves.every(isBytes)) {
		return refused({ code: "bad-chunk" });
	}
	for (const [at, leaf] of leaves.entries()) {
		if (!equalBytes(merkleLeaf(leaf), hashAt(manifest, firstLeaf + at))) {
			return refused({ code: "chunk-differs-from-manifest", leaf: firstLeaf + at });
		}
	}
	return ok({ firstLeaf, leaves });
}

function isBytes(value: CborValue): value is Uint8Array {
	return value instanceof Uint8Array;
}

/** All leaves of a manifest out of its chunks, in order. */
export function joinChunks(chunks: Iterable<Uint8Array>, manifest: Uint8Array): Result<Uint8Array[], ChunkError> {
	const leaves: Uint8Array[] = [];
	for (const chunk of chunks) {
		const checked = checkChunk(chunk, manifest);
		if (!checked.ok) return checked;
		if (checked.value.firstLeaf !== leaves.length) return refused({ code: "incomplete-snapshot", leaf: leaves.length });
		leaves.push(...checked.value.leaves);
	}
	return leaves.length === leafCountOf(manifest)
		? ok(leaves)
		: refused({ code: "incomplete-snapshot", leaf: leaves.length });
}
