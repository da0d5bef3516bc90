/**
 * SHA-256 with a domain tag (the construction of BIP-340): H(tag, m) = sha256(sha256(tag) ‖ sha256(tag) ‖ m).
 * What is hashed for one purpose can never be taken for something hashed for another.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";

export const HASH_BYTES = 32;
/** Stands for "no hash yet": the parent of genesis, and the grid id inside it. */
export const ZERO_HASH: Uint8Array = new Uint8Array(HASH_BYTES);

const TAG_PREFIX = "nabostrom/v1/";

/** A hash function of one domain. The two tag blocks fill one 64-byte compression, which is computed once. */
export type TaggedHash = (...parts: Uint8Array[]) => Uint8Array;

/** Makes the hash function of the domain `nabostrom/v1/…`. */
export function taggedHash(tag: string): TaggedHash {
	const tagHash = sha256(utf8ToBytes(TAG_PREFIX + tag));
	const primed = sha256.create().update(tagHash).update(tagHash);
	// One object for all: making it costs as much as hashing a short message does.
	const hash = primed.clone();
	return (...parts) => {
		primed._cloneInto(hash);
		for (const part of parts) hash.update(part);
		return hash.digest();
	};
}
