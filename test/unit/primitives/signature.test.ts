import { createHash } from "node:crypto";
import { verify as nobleVerify, Point, recoverPublicKey } from "@noble/secp256k1";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/primitives/bytes.js";
import { isPublicKey } from "../../../src/primitives/memberKey.js";
import { createVerifier, isSecretKey, publicKeyOf, SIGNATURE_BYTES, sign } from "../../../src/primitives/signature.js";

const { n: ORDER, p: FIELD } = Point.CURVE();
const sha256 = (text: string) => new Uint8Array(createHash("sha256").update(text).digest());
const hex32 = (value: bigint) => value.toString(16).padStart(64, "0");
const digestOf = (value: number) => sha256(`digest ${value}`);
const secretOf = (value: number) => sha256(`secret ${value}`);

function bytesOf(hex: string): Uint8Array {
	const bytes = fromHex(hex);
	if (!bytes.ok) throw new Error(hex);
	return bytes.value;
}

const numberOf = (bytes: Uint8Array) => BigInt(`0x${toHex(bytes)}`);

function signatureOf(r: bigint, s: bigint, recovery: number): Uint8Array {
	return bytesOf(hex32(r) + hex32(s) + recovery.toString(16).padStart(2, "0"));
}

/** What the design asks of a signature, said with noble's own functions. */
function isGood(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean {
	const compact = signature.subarray(0, 64);
	const recovery = signature[64] ?? 9;
	if (recovery > 1 || !nobleVerify(compact, digest, publicKey, { prehash: false, lowS: true })) return false;
	const recovered = recoverPublicKey(Uint8Array.of(recovery, ...compact), digest, { prehash: false });
	return toHex(recovered) === toHex(publicKey);
}

/** RFC 6979 with SHA-256 on secp256k1: the vectors that Bitcoin's libraries share. */
const VECTORS = [
	{
		secret: 1n,
		message: "Satoshi Nakamoto",
		r: "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8",
		s: "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5",
	},
	{
		secret: 1n,
		message: "All those moments will be lost in time, like tears in rain. Time to die...",
		r: "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b",
		s: "547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21",
	},
	{
		secret: ORDER - 1n,
		message: "Satoshi Nakamoto",
		r: "fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d0",
		s: "6b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5",
	},
	{
		secret: 0xf8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181n,
		message: "Alan Turing",
		r: "7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c",
		s: "58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea",
	},
	{
		secret: 0xe91671c46231f833a6406ccbea0e3e392c76c167bac1cb013f6f1013980455c2n,
		message:
			"There is a computer disease that anybody who works with computers knows about. It's a very serious disease " +
			"and it interferes completely with the work. The trouble with computers is that you 'play' with them!",
		r: "b552edd27580141f3b2a5463048cb7cd3e047b97c9f98076c32dbdf85a68718b",
		s: "279fa72dd19bfae05577e06c7c0c1900c371fcd5893f7e1d56a37d30174671f6",
	},
];

describe("signing", () => {
	it.each(VECTORS)("gives the known signature of $message", ({ secret, message, r, s }) => {
		const digest = sha256(message);
		const key = bytesOf(hex32(secret));
		const signature = sign(digest, key);
		expect(toHex(signature.subarray(0, 64))).toBe(r + s);
		expect(createVerifier().verify(signature, digest, publicKeyOf(key))).toBe(true);
	});

	it("is deterministic, and its s is always low", () => {
		for (let i = 0; i < 20; i++) {
			const signature = sign(digestOf(i), secretOf(i));
			expect(signature).toEqual(sign(digestOf(i), secretOf(i)));
			expect(signature).toHaveLength(SIGNATURE_BYTES);
			expect(numberOf(signature.subarray(32, 64)) <= ORDER / 2n).toBe(true);
		}
	});

	it("states the bit with which the author's key is recovered", () => {
		const bits = new Set<number>();
		for (let i = 0; i < 12; i++) {
			const signature = sign(digestOf(i), secretOf(i));
			const bit = signature[64] ?? 9;
			bits.add(bit);
			const recovered = recoverPublicKey(Uint8Array.of(bit, ...signature.subarray(0, 64)), digestOf(i), {
				prehash: false,
			});
			expect(toHex(recovered)).toBe(toHex(publicKeyOf(secretOf(i))));
		}
		expect([...bits].sort()).toEqual([0, 1]);
	});

	it("throws on a digest that has not 32 bytes: only a bug gives one", () => {
		expect(() => sign(new Uint8Array(31), secretOf(1))).toThrow("32 bytes");
	});
});

describe("keys", () => {
	it("are points of the curve in compressed form", () => {
		const key = publicKeyOf(secretOf(1));
		expect(isPublicKey(key)).toBe(true);
		expect(isPublicKey(key.subarray(1))).toBe(false);
		expect(isPublicKey(Point.fromBytes(key).toBytes(false))).toBe(false);
		expect(isPublicKey(Uint8Array.of(4, ...key.subarray(1)))).toBe(false);
		// x = 5 is no point of secp256k1, and x ≥ p is none of any field.
		expect(isPublicKey(bytesOf(`02${hex32(5n)}`))).toBe(false);
		expect(isPublicKey(bytesOf(`02${hex32(FIELD + 1n)}`))).toBe(false);
	});

	it("have secret halves from 1 to n − 1", () => {
		expect(isSecretKey(bytesOf(hex32(1n)))).toBe(true);
		expect(isSecretKey(bytesOf(hex32(ORDER - 1n)))).toBe(true);
		expect(isSecretKey(bytesOf(hex32(0n)))).toBe(false);
		expect(isSecretKey(bytesOf(hex32(ORDER)))).toBe(false);
		expect(isSecretKey(new Uint8Array(31).fill(1))).toBe(false);
	});
});

/** Before and after the key has signed so often that it is given a table. */
const WARM_USES = [0, 20];

describe.each(WARM_USES)("a verifier that has seen the key %i times", (uses) => {
	const secret = secretOf(7);
	const publicKey = publicKeyOf(secret);
	const digest = digestOf(7);
	const good = sign(digest, secret);
	const r = numberOf(good.subarray(0, 32));
	const s = numberOf(good.subarray(32, 64));
	const bit = good[64] ?? 9;

	function warm() {
		const verifier = createVerifier();
		for (let i = 0; i < uses; i++) expect(verifier.verify(good, digest, publicKey)).toBe(true);
		return verifier;
	}
	const verifier = warm();

	it("takes the author's signature, and not another digest, another key or another bit", () => {
		expect(verifier.verify(good, digest, publicKey)).toBe(true);
		expect(verifier.verify(good, digestOf(8), publicKey)).toBe(false);
		expect(verifier.verify(good, digest, publicKeyOf(secretOf(8)))).toBe(false);
		expect(verifier.verify(signatureOf(r, s, 1 - bit), digest, publicKey)).toBe(false);
		for (const other of [2, 3, 27, 255])
			expect(verifier.verify(signatureOf(r, s, other), digest, publicKey)).toBe(false);
	});

	it("refuses the other half of the s values, with either bit", () => {
		expect(verifier.verify(signatureOf(r, ORDER - s, bit), digest, publicKey)).toBe(false);
		expect(verifier.verify(signatureOf(r, ORDER - s, 1 - bit), digest, publicKey)).toBe(false);
		// The library would take it where low s is not asked for: it is the rule that refuses.
		const compact = signatureOf(r, ORDER - s, 0).subarray(0, 64);
		expect(nobleVerify(compact, digest, publicKey, { prehash: false, lowS: false })).toBe(true);
	});

	it.each([
		["r = 0", 0n, undefined],
		["r = n", ORDER, undefined],
		["r = 2^256 − 1", 2n ** 256n - 1n, undefined],
		["s = 0", undefined, 0n],
		["s = n", undefined, ORDER],
		["s = 2^256 − 1", undefined, 2n ** 256n - 1n],
	])("refuses %s", (_, badR, badS) => {
		for (const recovery of [0, 1]) {
			expect(verifier.verify(signatureOf(badR ?? r, badS ?? s, recovery), digest, publicKey)).toBe(false);
		}
	});

	it("agrees with noble's verify and recoverPublicKey over random signatures and damaged ones", () => {
		fc.assert(
			fc.property(
				fc.nat(1_000),
				fc.option(fc.tuple(fc.nat(64), fc.integer({ min: 1, max: 255 })), { nil: undefined, freq: 2 }),
				(which, damage) => {
					const signature = sign(digestOf(which), secret);
					if (damage !== undefined) signature[damage[0]] = (signature[damage[0]] ?? 0) ^ damage[1];
					expect(verifier.verify(signature, digestOf(which), publicKey)).toBe(
						isGood(signature, digestOf(which), publicKey),
					);
				},
			),
			{ numRuns: 60 },
		);
	});

	it("agrees with noble for digests 0, n − 1, n, n + 1 and 2^256 − 1", () => {
		for (const value of [0n, 1n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n]) {
			const edge = bytesOf(hex32(value));
			const signature = sign(edge, secret);
			expect(verifier.verify(signature, edge, publicKey)).toBe(true);
			expect(isGood(signature, edge, publicKey)).toBe(true);
			expect(verifier.verify(good, edge, publicKey)).toBe(false);
		}
	});

	it("refuses garbage of any length without throwing", () => {
		const bytes = fc.uint8Array({ maxLength: 70 });
		fc.assert(
			fc.property(bytes, bytes, bytes, (signature, anyDigest, key) => {
				expect(verifier.verify(signature, anyDigest, key)).toBe(false);
				expect(verifier.verify(signature, digest, publicKey)).toBe(false);
				expect(verifier.verify(good, anyDigest, publicKey)).toBe(false);
				expect(verifier.verify(good, digest, key)).toBe(false);
			}),
		);
		expect(verifier.verify(good.subarray(0, 64), digest, publicKey)).toBe(false);
		expect(verifier.verify(Uint8Array.of(...good, 0), digest, publicKey)).toBe(false);
		expect(verifier.verify(good, digest, Point.fromBytes(publicKey).toBytes(false))).toBe(false);
	});
});

describe("the table of a key", () => {
	it("multiplies like noble for scalars with every pattern of windows", () => {
		// With digest 0 the check is R = (r/s)·Q alone, so choosing s chooses the scalar that the table multiplies by.
		const secret = 3n;
		const publicKey = publicKeyOf(bytesOf(hex32(secret)));
		const verifier = createVerifier();
		const zero = new Uint8Array(32);
		for (let i = 0; i < 20; i++) verifier.verify(sign(digestOf(i), bytesOf(hex32(secret))), digestOf(i), publicKey);
		const inverse = (value: bigint) => {
			let [result, base] = [1n, value];
			for (let e = ORDER - 2n; e > 0n; e >>= 1n) {
				if (e & 1n) result = (result * base) % ORDER;
				base = (base * base) % ORDER;
			}
			return result;
		};
		const all32 = BigInt(`0b${"100000".repeat(42)}`);
		const all33 = BigInt(`0b${"100001".repeat(42)}`);
		const edges = [31n, 32n, 33n, 63n].flatMap((digit) => [0n, 6n, 60n, 246n].map((shift) => digit << shift));
		const scalars = [1n, 2n, 2n ** 255n, 2n ** 256n - 1n, ORDER - 1n, ORDER - 2n, all32, all33, ...edges];
		let good = 0;
		for (const scalar of scalars.map((each) => each % ORDER)) {
			const point = Point.fromBytes(publicKey).multiplyUnsafe(scalar).toAffine();
			const s = (point.x * inverse(scalar)) % ORDER;
			// Half of the scalars would need a high s.
			if (point.x >= ORDER || s > ORDER / 2n) continue;
			good += 1;
			expect(verifier.verify(signatureOf(point.x, s, Number(point.y & 1n)), zero, publicKey)).toBe(true);
			expect(verifier.verify(signatureOf(point.x, s, 1 - Number(point.y & 1n)), zero, publicKey)).toBe(false);
		}
		expect(good).toBeGreaterThan(8);
	});

	it("is right for a key that was dropped from the cache and came back", () => {
		const verifier = createVerifier(2);
		for (let round = 0; round < 5; round++) {
			for (let i = 0; i < 3; i++) {
				expect(verifier.verify(sign(digestOf(round), secretOf(i)), digestOf(round), publicKeyOf(secretOf(i)))).toBe(
					true,
				);
			}
		}
	});
});
