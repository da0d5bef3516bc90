import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64Url, toBase64Url } from "../../../src/primitives/base64.js";
import { seal, unseal } from "../../../src/primitives/sealing.js";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ""), "hex"));

/** McGrew and Viega, The Galois/Counter Mode of Operation, appendix B: test cases 13 to 16, of 256-bit keys and 96-bit nonces. */
const KEY = "feffe9928665731c6d6a8f9467308308 feffe9928665731c6d6a8f9467308308";
const NONCE = "cafebabefacedbaddecaf888";
const PLAINTEXT =
	"d9313225f88406e5a55909c5aff5269a 86a7a9531534f7da2e4c303d8a318a72 1c3c0c95956809532fcf0e2449a6b525 b16aedf5aa0de657ba637b391aafd255";
const CIPHERTEXT =
	"522dc1f099567d07f47f37a32a84427d 643a8cdcbfe5c0c97598a2bd2555d1aa 8cb08e48590dbb3da7b08b1056828838 c5f61e6393ba7a0abcc9f662898015ad";
const VECTORS = [
	{
		key: "00".repeat(32),
		nonce: "00".repeat(12),
		plaintext: "",
		associated: "",
		sealed: "530f8afbc74536b9a963b4f1c4cb738b",
	},
	{
		...{ key: "00".repeat(32), nonce: "00".repeat(12), plaintext: "00".repeat(16), associated: "" },
		sealed: "cea7403d4d606b6e074ec5d3baf39d18 d0d1c8a799996bf0265b98b5d48ab919",
	},
	{
		...{ key: KEY, nonce: NONCE, plaintext: PLAINTEXT, associated: "" },
		sealed: `${CIPHERTEXT} b094dac5d93471bdec1a502270e3cc6c`,
	},
	{
		...{ key: KEY, nonce: NONCE, plaintext: PLAINTEXT.slice(0, -8) },
		associated: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
		sealed: `${CIPHERTEXT.slice(0, -8)} 76fc6ece0f4e1768cddf8853bb2d551b`,
	},
];

describe("sealing", () => {
	it.each(VECTORS)("gives what the mode's authors give ($sealed)", ({ key, nonce, plaintext, associated, sealed }) => {
		const [k, n, a] = [bytes(key), bytes(nonce), bytes(associated)];
		expect(seal(k, n, a, bytes(plaintext))).toEqual(bytes(sealed));
		expect(unseal(k, n, a, bytes(sealed))).toEqual(bytes(plaintext));
	});

	it("opens nothing that was changed, cut off, or sealed otherwise", () => {
		const [key, nonce, associated] = [new Uint8Array(32).fill(1), new Uint8Array(12).fill(2), Uint8Array.of(3)];
		const sealed = seal(key, nonce, associated, Uint8Array.of(1, 2, 3, 4, 5));
		for (let at = 0; at < sealed.length; at++) {
			expect(unseal(key, nonce, associated, sealed.with(at, (sealed[at] ?? 0) ^ 1))).toBeUndefined();
			expect(unseal(key, nonce, associated, sealed.subarray(0, at))).toBeUndefined();
		}
		expect(unseal(key.with(0, 9), nonce, associated, sealed)).toBeUndefined();
		expect(unseal(key, nonce.with(0, 9), associated, sealed)).toBeUndefined();
		expect(unseal(key, nonce, Uint8Array.of(4), sealed)).toBeUndefined();
		expect(unseal(key, nonce, associated, sealed)).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
	});
});

describe("base64url", () => {
	it("is what others write, and reads back", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
				const text = toBase64Url(data);
				expect(text).toBe(Buffer.from(data).toString("base64url"));
				expect(fromBase64Url(text)).toEqual(data);
			}),
		);
	});

	it("has no other characters", () => {
		for (const text of ["AA=", "A+", "A/", "æ", "A A", "\0"]) expect(fromBase64Url(text)).toBeUndefined();
	});
});
