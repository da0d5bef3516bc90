/**
 * ECDSA on secp256k1 with RFC 6979 nonces: 64 bytes r ‖ s with low s, then the recovery bit.
 * With `memberKey` and `signatureBatch` the only files that import a curve library.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { etc, getPublicKey, hashes, sign as nobleSign, Point, utils } from "@noble/secp256k1";
import { assert } from "./assert.js";
import { toNumber } from "./bytes.js";
import { KeyCache, ORDER } from "./memberKey.js";
import { type BatchedSignature, findBadOf, type SignatureParts } from "./signatureBatch.js";

hashes.sha256 = sha256;
hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

export const PUBLIC_KEY_BYTES = 33;
export const SECRET_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 65;

/** A signature (65 bytes) that is to be one over `digest` (32 bytes) by `publicKey` (33 bytes, compressed). */
export interface SignatureCheck {
	readonly signature: Uint8Array;
	readonly digest: Uint8Array;
	readonly publicKey: Uint8Array;
}

/** Checks signatures. A node counts through its own; tables are cached for the keys that sign again and again. */
export interface Verifier {
	/** Whether `signature` (65 bytes) over `digest` (32 bytes) is by `publicKey` (33 bytes, compressed). Never throws. */
	verify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
}

/** Checks many at once, too. */
export interface BatchVerifier extends Verifier {
	/** Which of these do not verify, by their places: the same as one by one, and faster where there are many. */
	findBad(checks: readonly SignatureCheck[]): number[];
}

/** The public key (33 bytes) of a secret key (32 bytes, valid). */
export function publicKeyOf(secretKey: Uint8Array): Uint8Array {
	return getPublicKey(secretKey);
}

/** Whether these bytes are a usable secret key (1 … n−1). */
export function isSecretKey(bytes: Uint8Array): boolean {
	return utils.isValidSecretKey(bytes);
}

/** Signs a 32-byte digest. Deterministic: the same key and digest give the same 65 bytes. */
export function sign(digest: Uint8Array, secretKey: Uint8Array): Uint8Array {
	assert(digest.length === 32, "a digest has 32 bytes");
	const recovered = nobleSign(digest, secretKey, { prehash: false, lowS: true, format: "recovered" });
	const recovery = recovered[0] ?? 0;
	// r ≥ n − p happens once in 2^127 signatures; a bit that cannot say so must not try.
	assert(recovery < 2, "the nonce point's x is below the group order");
	const signature = new Uint8Array(SIGNATURE_BYTES);
	signature.set(recovered.subarray(1));
	signature[64] = recovery;
	return signature;
}

/** Makes the real verifier, with tables for at most `cachedKeys` public keys. */
export function createVerifier(cachedKeys = 128): BatchVerifier {
	const keys = new KeyCache(cachedKeys);
	const verify = (signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean => {
		const parts = partsOf(signature, digest);
		const key = parts && keys.get(publicKey);
		if (parts === undefined || key === undefined) return false;
		// SEC 1 §4.1.4: R = u1·G + u2·Q. Asking for R itself (its x equal to r, its y of the stated parity) is the same
		// as asking that (r, s, bit) recovers Q (§4.1.6), without the square root.
		const inverse = etc.invert(parts.s, ORDER);
		const u1 = etc.mod(parts.digest * inverse, ORDER);
		const u2 = etc.mod(parts.r * inverse, ORDER);
		const point = Point.BASE.multiplyUnsafe(u1).add(key.multiply(u2));
		if (point.is0()) return false;
		const { x, y } = point.toAffine();
		return x === parts.r && (y & 1n) === (parts.isOdd ? 1n : 0n);
	};
	return {
		verify,
		findBad(checks) {
			const bad: number[] = [];
			const batch: BatchedSignature[] = [];
			for (const [at, { signature, digest, publicKey }] of checks.entries()) {
				const parts = partsOf(signature, digest);
				const key = parts && keys.get(publicKey);
				const isGood = () => verify(signature, digest, publicKey);
				if (parts === undefined || key === undefined) bad.push(at);
				else batch.push({ ...parts, at, key, isGood, said: [signature, digest, publicKey] });
			}
			return [...bad, ...findBadOf(batch)].sort((a, b) => a - b);
		},
	};
}

/** Undefined: of a form that no signature has. */
function partsOf(signature: Uint8Array, digest: Uint8Array): SignatureParts | undefined {
	if (signature.length !== SIGNATURE_BYTES || digest.length !== 32) return undefined;
	const recovery = signature[64] ?? 2;
	const r = toNumber(signature.subarray(0, 32));
	const s = toNumber(signature.subarray(32, 64));
	if (recovery > 1 || r === 0n || r >= ORDER || s === 0n || s > ORDER >> 1n) return undefined;
	return { r, s, isOdd: recovery === 1, digest: toNumber(digest) };
}
