/** What we use of each primitive gives what others published, and refuses what they say has to be refused. */
import { createECDH, createHash, createHmac } from "node:crypto";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/primitives/bytes.js";
import { isPublicKey } from "../../../src/primitives/memberKey.js";
import { seal, unseal } from "../../../src/primitives/sealing.js";
import { createVerifier, isSecretKey, sign } from "../../../src/primitives/signature.js";
import { bytesOf, readVectors } from "./vectors.js";

describe("SHA-256", () => {
	it("gives the digests of NIST's CAVP", () => {
		const vectors = readVectors("sha256");
		for (const [bits, message, digest] of vectors) {
			const bytes = bytesOf(message);
			expect(bytes.length * 8, bits).toBe(Number(bits));
			expect(toHex(sha256(bytes)), bits).toBe(digest);
		}
		expect(vectors).toHaveLength(70);
	});
});

describe("HMAC-SHA-256", () => {
	it("gives the tags of Wycheproof, and none of those that it changed", () => {
		const vectors = readVectors("hmacSha256");
		const results = new Map<string | undefined, number>();
		for (const [name, result, key, message, tag = ""] of vectors) {
			const own = toHex(hmac(sha256, bytesOf(key), bytesOf(message))).slice(0, tag.length);
			expect(own === tag, name).toBe(result === "valid");
			results.set(result, (results.get(result) ?? 0) + 1);
		}
		expect(Object.fromEntries(results)).toEqual({ valid: 66, invalid: 108 });
	});
});

describe("AES-256-GCM", () => {
	it("seals and opens as Wycheproof and NIST's CAVP do, and opens nothing that they changed", () => {
		const vectors = readVectors("aes256Gcm");
		const results = new Map<string | undefined, number>();
		for (const [name, result, key, nonce, associated, plaintext, sealed] of vectors) {
			const [k, n, a] = [bytesOf(key), bytesOf(nonce), bytesOf(associated)];
			const opened = unseal(k, n, a, bytesOf(sealed));
			expect(opened === undefined ? "invalid" : "valid", name).toBe(result);
			if (opened !== undefined) {
				expect(toHex(opened), name).toBe(plaintext);
				expect(toHex(seal(k, n, a, bytesOf(plaintext))), name).toBe(sealed);
			}
			results.set(result, (results.get(result) ?? 0) + 1);
		}
		expect(Object.fromEntries(results)).toEqual({ valid: 71, invalid: 77 });
	});
});

/** secp256k1's group order n and field prime p (SEC 2 §2.4.1). */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const numberOf = (hex: string) => BigInt(`0x${hex}`);

/**
 * ECDSA's signatures in which the nonce point's x is not below n. r is then x − n, which a recovery bit cannot say: what
 * the design calls a signature has none of them, and nobody meets one by chance.
 */
const ABOVE_THE_ORDER = new Set(["b346"]);

interface Case {
	name: string;
	key: string;
	isValid: boolean;
	digest: Uint8Array;
	signature: string;
}

function ecdsaCases(): Case[] {
	let key = "";
	return readVectors("ecdsaSecp256k1").flatMap(([name = "", result = "", message, signature = ""]) => {
		if (name === "key") key = result;
		if (name === "key") return [];
		const digest = new Uint8Array(createHash("sha256").update(bytesOf(message)).digest());
		// The P1363 suite does not ask for low s; we do.
		const isValid = result === "valid" && numberOf(signature.slice(64)) <= ORDER / 2n;
		return [{ name, key, isValid, digest, signature }];
	});
}

/** Enough to be given a table (primitives/signature.ts). */
const WARM_USES = 20;

describe("ECDSA on secp256k1", () => {
	it.each([
		["seldom seen", 0],
		["seen so often that it has a table", WARM_USES],
	])("takes what Wycheproof calls valid and low, with one of two bits, and nothing else (a key %s)", (_, uses) => {
		const cases = ecdsaCases();
		const verifier = createVerifier();
		let warm = "";
		let valid = 0;
		for (const { name, key, isValid, digest, signature } of cases) {
			const publicKey = bytesOf(key);
			expect(isPublicKey(publicKey), name).toBe(true);
			if (key !== warm) {
				const any = new Uint8Array(65).fill(1).fill(0, 64);
				for (let use = 0; use < uses; use++) verifier.verify(any, digest, publicKey);
				warm = key;
			}
			const taken = [0, 1, 2, 3].filter((bit) =>
				verifier.verify(Uint8Array.of(...bytesOf(signature), bit), digest, publicKey),
			);
			const isSaid = isValid && !ABOVE_THE_ORDER.has(name);
			expect(taken.length, name).toBe(isSaid ? 1 : 0);
			expect(
				taken.every((bit) => bit < 2),
				name,
			).toBe(true);
			if (isSaid) valid += 1;
		}
		expect([cases.length, valid]).toEqual([311, 161]);
	});
});

/** RFC 6979 §3.2 with SHA-256, for a digest and a secret key of 32 bytes each; written out with Node.js's HMAC alone. */
function rfc6979Nonce(digest: Uint8Array, secretKey: Uint8Array): bigint {
	const mac = (key: Uint8Array, ...parts: Uint8Array[]) => {
		const state = createHmac("sha256", key);
		for (const part of parts) state.update(part);
		return new Uint8Array(state.digest());
	};
	// bits2octets (§2.3.4): the digest modulo the order.
	const reduced = bytesOf((numberOf(toHex(digest)) % ORDER).toString(16).padStart(64, "0"));
	let v: Uint8Array = new Uint8Array(32).fill(1);
	let k: Uint8Array = new Uint8Array(32);
	for (const step of [0, 1]) {
		k = mac(k, v, Uint8Array.of(step), secretKey, reduced);
		v = mac(k, v);
	}
	for (;;) {
		v = mac(k, v);
		const nonce = numberOf(toHex(v));
		if (nonce > 0n && nonce < ORDER) return nonce;
		k = mac(k, v, Uint8Array.of(0));
		v = mac(k, v);
	}
}

/** x of a multiple of the base point, by Node.js's OpenSSL. */
function xOf(scalar: bigint): bigint {
	const multiple = createECDH("secp256k1");
	multiple.setPrivateKey(Buffer.from(scalar.toString(16).padStart(64, "0"), "hex"));
	return numberOf(multiple.getPublicKey("hex", "uncompressed").slice(2, 66));
}

describe("RFC 6979", () => {
	it("names the nonce: r is its point's x, and s belongs to it", () => {
		const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
		const edges = [1n, 2n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n, 0n].map((value) =>
			bytesOf(value.toString(16).padStart(64, "0")),
		);
		fc.assert(
			fc.property(fc.oneof(bytes32, fc.constantFrom(...edges)), bytes32.filter(isSecretKey), (digest, secretKey) => {
				const signature = toHex(sign(digest, secretKey));
				const nonce = rfc6979Nonce(digest, secretKey);
				const [r, s] = [numberOf(signature.slice(0, 64)), numberOf(signature.slice(64, 128))];
				expect(r).toBe(xOf(nonce) % ORDER);
				// SEC 1 §4.1.3: s·k = e + r·d, or its negative where s was made low.
				const product = (s * nonce) % ORDER;
				const sum = (numberOf(toHex(digest)) + r * numberOf(toHex(secretKey))) % ORDER;
				expect([product, ORDER - product]).toContain(sum);
			}),
			{ numRuns: 60 },
		);
	});
});
