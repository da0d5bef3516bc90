/**
 * ECDSA on secp256k1 with RFC 6979 nonces: 64 bytes r ‖ s with low s, then the recovery bit.
 * The only file that imports a curve library.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { etc, getPublicKey, hashes, sign as nobleSign, Point, utils } from "@noble/secp256k1";
import { assert } from "./assert.js";
import { toHex } from "./bytes.js";

hashes.sha256 = sha256;
hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

export const PUBLIC_KEY_BYTES = 33;
export const SECRET_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 65;

const { n: ORDER } = Point.CURVE();

/** Checks signatures. A node counts through its own; tables are cached for the keys that sign again and again. */
export interface Verifier {
	/** Whether `signature` (65 bytes) over `digest` (32 bytes) is by `publicKey` (33 bytes, compressed). Never throws. */
	verify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
}

/** The public key (33 bytes) of a secret key (32 bytes, valid). */
export function publicKeyOf(secretKey: Uint8Array): Uint8Array {
	return getPublicKey(secretKey);
}

/** Whether these bytes are a compressed point of the curve. */
export function isPublicKey(bytes: Uint8Array): boolean {
	return utils.isValidPublicKey(bytes, true);
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
export function createVerifier(cachedKeys = 128): Verifier {
	const keys = new KeyCache(cachedKeys);
	return {
		verify(signature, digest, publicKey) {
			if (signature.length !== SIGNATURE_BYTES || digest.length !== 32) return false;
			const recovery = signature[64] ?? 2;
			if (recovery > 1) return false;
			const r = toNumber(signature.subarray(0, 32));
			const s = toNumber(signature.subarray(32, 64));
			if (r === 0n || r >= ORDER || s === 0n || s > ORDER >> 1n) return false;
			const key = keys.get(publicKey);
			if (key === undefined) return false;
			// SEC 1 §4.1.4: R = u1·G + u2·Q. Asking for R itself (its x equal to r, its y of the stated parity) is the same
			// as asking that (r, s, bit) recovers Q (§4.1.6), without the square root.
			const inverse = etc.invert(s, ORDER);
			const u1 = etc.mod(toNumber(digest) * inverse, ORDER);
			const u2 = etc.mod(r * inverse, ORDER);
			const point = Point.BASE.multiplyUnsafe(u1).add(key.multiply(u2));
			if (point.is0()) return false;
			const { x, y } = point.toAffine();
			return x === r && Number(y & 1n) === recovery;
		},
	};
}

function toNumber(bytes: Uint8Array): bigint {
	return BigInt(`0x${toHex(bytes)}`);
}

/** A key is given a table only once it has signed this often: building one costs as much as some ten verifications. */
const USES_BEFORE_TABLE = 12;
/** Bits of a window: the sum over 43 windows of 32 signed multiples each. */
const WINDOW_BITS = 6;

/** Public keys that were seen, decompressed once, least recently used dropped first. */
class KeyCache {
	readonly #keys = new Map<string, MemberKey>();
	readonly #limit: number;

	constructor(limit: number) {
		this.#limit = limit;
	}

	get(publicKey: Uint8Array): MemberKey | undefined {
		const name = toHex(publicKey);
		let key = this.#keys.get(name);
		if (key === undefined) {
			if (!isPublicKey(publicKey)) return undefined;
			key = new MemberKey(Point.fromBytes(publicKey));
		} else {
			this.#keys.delete(name);
		}
		this.#keys.set(name, key);
		if (this.#keys.size > this.#limit) {
			for (const oldest of this.#keys.keys()) {
				this.#keys.delete(oldest);
				break;
			}
		}
		return key;
	}
}

/** A public key with its multiples: fixed-window multiplication with signed digits, as noble does it for the base point. */
class MemberKey {
	readonly #point: Point;
	#uses = 0;
	#table: Point[] = [];

	constructor(point: Point) {
		this.#point = point;
	}

	/** scalar · Q, for 0 ≤ scalar < n. Variable time: both are public. */
	multiply(scalar: bigint): Point {
		this.#uses += 1;
		if (this.#uses < USES_BEFORE_TABLE) return this.#point.multiplyUnsafe(scalar);
		if (this.#table.length === 0) this.#table = multiplesOf(this.#point);
		const half = 1 << (WINDOW_BITS - 1);
		let rest = scalar;
		let sum = Point.ZERO;
		for (let base = 0; rest > 0n; base += half) {
			let digit = Number(rest & BigInt(2 * half - 1));
			rest >>= BigInt(WINDOW_BITS);
			if (digit > half) {
				// digit − 64 is a smaller negative multiple, and the window above takes the borrow.
				digit -= 2 * half;
				rest += 1n;
			}
			if (digit === 0) continue;
			const multiple = this.#table[base + Math.abs(digit) - 1];
			assert(multiple !== undefined, "the table covers every window of a scalar below the group order");
			sum = sum.add(digit > 0 ? multiple : multiple.negate());
		}
		return sum;
	}
}

/** For each window w the points 1 … 32 times 2^(6w)·Q. */
function multiplesOf(point: Point): Point[] {
	const half = 1 << (WINDOW_BITS - 1);
	const windows = Math.ceil(257 / WINDOW_BITS);
	const table: Point[] = [];
	let base = point;
	for (let w = 0; w < windows; w++) {
		let multiple = base;
		for (let i = 0; i < half; i++) {
			table.push(multiple);
			multiple = multiple.add(base);
		}
		for (let bit = 0; bit < WINDOW_BITS; bit++) base = base.double();
	}
	return table;
}
