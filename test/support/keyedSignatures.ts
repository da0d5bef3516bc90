/**
 * Keyed hashes instead of signatures: a thousand times as fast, and just as good where nobody forges. Whoever knows a
 * public key could sign for it, so they are for tests alone.
 */
import type { Signer } from "../../src/node/dependencies.js";
import { equalBytes, toHex } from "../../src/primitives/bytes.js";
import { taggedHash } from "../../src/primitives/hash.js";
import { type BatchVerifier, publicKeyOf, SIGNATURE_BYTES } from "../../src/primitives/signature.js";
import { oneByOne } from "./oneByOne.js";

const hashSignature = taggedHash("test signature");
const publicKeys = new Map<string, Uint8Array>();

function cachedPublicKeyOf(secretKey: Uint8Array): Uint8Array {
	const name = toHex(secretKey);
	const known = publicKeys.get(name) ?? publicKeyOf(secretKey);
	publicKeys.set(name, known);
	return known;
}

function keyedSignature(digest: Uint8Array, publicKey: Uint8Array): Uint8Array {
	const signature = new Uint8Array(SIGNATURE_BYTES);
	signature.set(hashSignature(publicKey, digest));
	return signature;
}

export function keyedSign(digest: Uint8Array, secretKey: Uint8Array): Uint8Array {
	return keyedSignature(digest, cachedPublicKeyOf(secretKey));
}

export const keyedSigner: Signer = { publicKeyOf: cachedPublicKeyOf, sign: keyedSign };

export const keyedVerifier: BatchVerifier = oneByOne((signature, digest, publicKey) =>
	equalBytes(signature, keyedSignature(digest, publicKey)),
);
