import { decode as cborgDecode, encode as cborgEncode } from "cborg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/primitives/bytes.js";
import { type CborValue, decode, encode, MAX_DEPTH } from "../../../src/primitives/codec.js";

const LIMIT_BYTES = 1_000_000;

function decodeHex(hex: string) {
	const bytes = fromHex(hex);
	if (!bytes.ok) throw new Error(hex);
	return decode(bytes.value, LIMIT_BYTES);
}

const codeOf = (hex: string) => {
	const decoded = decodeHex(hex);
	return decoded.ok ? "accepted" : decoded.error.code;
};

const safeInteger = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const leaf: fc.Arbitrary<CborValue> = fc.oneof(
	safeInteger,
	fc.integer({ min: -300, max: 300 }),
	fc.string({ unit: "binary" }),
	fc.string({ unit: "grapheme", maxLength: 60 }),
	fc.uint8Array({ maxLength: 300 }),
);

/** Values that are at most MAX_DEPTH arrays deep. */
function valueOfDepth(depth: number): fc.Arbitrary<CborValue> {
	return depth === 0 ? leaf : fc.oneof(leaf, fc.array(valueOfDepth(depth - 1), { maxLength: 4 }));
}

describe("the codec", () => {
	it.each<[string, CborValue]>([
		// RFC 8949, appendix A.
		["00", 0],
		["17", 23],
		["1818", 24],
		["1864", 100],
		["1903e8", 1_000],
		["1a000f4240", 1_000_000],
		["1b000000e8d4a51000", 1_000_000_000_000],
		["1b001fffffffffffff", Number.MAX_SAFE_INTEGER],
		["20", -1],
		["3863", -100],
		["3903e7", -1_000],
		["3b001ffffffffffffe", Number.MIN_SAFE_INTEGER],
		["40", new Uint8Array()],
		["4401020304", Uint8Array.of(1, 2, 3, 4)],
		["60", ""],
		["6449455446", "IETF"],
		["62c3bc", "ü"],
		["64f0908591", "\u{10151}"],
		["80", []],
		["83010203", [1, 2, 3]],
		["8301820203820405", [1, [2, 3], [4, 5]]],
	])("writes and reads %s as RFC 8949 does", (hex, value) => {
		expect(toHex(encode(value))).toBe(hex);
		expect(decodeHex(hex)).toEqual({ ok: true, value });
	});

	it.each([
		["62c328", "text that is not UTF-8"],
		["61ff", "a byte that is never UTF-8"],
		["62c080", "an overlong zero"],
		["63eda080", "a surrogate in UTF-8"],
	])("refuses %s: %s", (hex) => {
		expect(codeOf(hex)).toBe("not-canonical");
	});

	it.each([
		["1800", "0 in two bytes"],
		["1817", "23 in two bytes"],
		["190018", "24 in three bytes"],
		["1a000003e8", "1,000 in five bytes"],
		["1b00000000000f4240", "1,000,000 in nine bytes"],
		["3800", "−1 in two bytes"],
		["580161", "a length of 1 in two bytes"],
		["780161", "a text's length in two bytes"],
		["980100", "an array's length in two bytes"],
		["", "nothing"],
		["0000", "a second item"],
		["8000", "a byte behind the array"],
		["18", "an integer cut off"],
		["1900", "an integer cut off within"],
		["43", "bytes without bytes"],
		["430102", "bytes cut off"],
		["6161ff61", "text and more"],
		["83", "an array without items"],
		["830102", "an array with an item too few"],
		["5f42010243030405ff", "indefinite bytes"],
		["7f657374726561646d696e67ff", "indefinite text"],
		["9f0102ff", "an indefinite array"],
		["ff", "a break"],
		["1c", "a reserved length"],
		["1f", "an indefinite integer"],
		["a0", "an empty map"],
		["a10102", "a map"],
		["bf0102ff", "an indefinite map"],
		["c074323031332d30332d32315432303a30343a30305a", "a tag"],
		["c249010000000000000000", "a bignum"],
		["f4", "false"],
		["f5", "true"],
		["f6", "null"],
		["f7", "undefined"],
		["f0", "a simple value"],
		["f97e00", "not a number"],
		["f90000", "half-precision zero"],
		["fa47c35000", "a float of four bytes"],
		["fb3ff199999999999a", "a float of eight bytes"],
		["1b0020000000000000", "2^53"],
		["1bffffffffffffffff", "2^64 − 1"],
		["3b001fffffffffffff", "−2^53"],
		["3bffffffffffffffff", "−2^64"],
		["9bffffffffffffffff", "an array of 2^64 − 1"],
		["9b001fffffffffffff", "an array of 2^53 − 1"],
		["9affffffff", "an array of 2^32 − 1"],
		["99ffff00", "an array of 65,535 with one item"],
		["5bffffffffffffffff", "2^64 − 1 bytes"],
		["5a7fffffff00", "2^31 − 1 bytes"],
		["7b001fffffffffffff", "2^53 − 1 bytes of text"],
		["8200f6", "null within an array"],
	])("refuses %s: %s", (hex) => {
		expect(codeOf(hex)).toBe("bad-cbor");
	});

	it("takes 8 arrays within one another and refuses 9", () => {
		expect(codeOf(`${"81".repeat(MAX_DEPTH)}00`)).toBe("accepted");
		expect(codeOf(`${"81".repeat(MAX_DEPTH - 1)}80`)).toBe("accepted");
		expect(decodeHex(`${"81".repeat(MAX_DEPTH + 1)}00`)).toEqual({ ok: false, error: { code: "too-deep", limit: 8 } });
		expect(codeOf(`${"81".repeat(MAX_DEPTH)}80`)).toBe("too-deep");
	});

	it("refuses a bomb of nested arrays at once", () => {
		expect(codeOf("81".repeat(500_000))).toBe("too-deep");
	});

	it("looks at the length before anything else", () => {
		const bytes = encode(new Uint8Array(100));
		expect(decode(bytes, bytes.length).ok).toBe(true);
		expect(decode(bytes, bytes.length - 1)).toEqual({
			ok: false,
			error: { code: "too-long", bytes: 102, limit: 101 },
		});
		expect(decode(new Uint8Array(1_000).fill(0xff), 999)).toMatchObject({ error: { code: "too-long" } });
	});

	it("gives back every value that it writes", () => {
		fc.assert(
			fc.property(valueOfDepth(MAX_DEPTH), (value) => {
				expect(decode(encode(value), LIMIT_BYTES)).toEqual({ ok: true, value });
			}),
			{ numRuns: 300 },
		);
	});

	it("gives back a text that begins with a byte order mark", () => {
		for (const text of ["\uFEFF", "\uFEFFKID 12345", "\uFEFF\uFEFFx", "x\uFEFF"]) {
			expect(decode(encode([text]), LIMIT_BYTES)).toEqual({ ok: true, value: [text] });
		}
	});

	it("has one encoding for every value: what it reads, it writes again to the byte", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
				const decoded = decode(bytes, LIMIT_BYTES);
				if (decoded.ok) expect(toHex(encode(decoded.value))).toBe(toHex(bytes));
			}),
			{ numRuns: 2_000 },
		);
	});

	it("never throws on changed bytes of something that it wrote, and what it still reads is canonical", () => {
		fc.assert(
			fc.property(valueOfDepth(4), fc.nat(), fc.nat(255), (value, at, byte) => {
				const bytes = Uint8Array.from(encode(value));
				bytes[at % bytes.length] = byte;
				const decoded = decode(bytes, LIMIT_BYTES);
				if (decoded.ok) expect(toHex(encode(decoded.value))).toBe(toHex(bytes));
			}),
			{ numRuns: 1_000 },
		);
	});

	it("writes the same bytes as cborg, and reads what cborg reads", () => {
		fc.assert(
			fc.property(valueOfDepth(MAX_DEPTH), (value) => {
				const bytes = encode(value);
				expect(toHex(bytes)).toBe(toHex(cborgEncode(value, { float64: true })));
				// cborg drops a byte order mark.
				if (!JSON.stringify(value).includes("\uFEFF"))
					expect(decode(bytes, LIMIT_BYTES)).toEqual({ ok: true, value: cborgDecode(bytes) });
			}),
			{ numRuns: 300 },
		);
	});

	it("writes every length of head at its boundaries as cborg does", () => {
		for (const edge of [23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
			for (const value of [
				edge,
				-edge,
				edge < 70_000 ? new Uint8Array(edge) : 0,
				edge < 70_000 ? "x".repeat(edge) : "",
			]) {
				expect(toHex(encode(value))).toBe(toHex(cborgEncode(value, { float64: true })));
			}
		}
		for (const count of [23, 24, 255, 256, 65_535, 65_536]) {
			const value = new Array<number>(count).fill(1);
			expect(toHex(encode(value))).toBe(toHex(cborgEncode(value, { float64: true })));
		}
	});

	it("gives copies: what is written to its input afterwards changes nothing", () => {
		const bytes = encode([Uint8Array.of(1, 2, 3)]);
		const decoded = decode(Buffer.from(bytes.buffer), LIMIT_BYTES);
		bytes.fill(0);
		expect(decoded).toEqual({ ok: true, value: [Uint8Array.of(1, 2, 3)] });
	});

	it("throws when a program asks it to write what is no safe integer", () => {
		for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53)]) {
			expect(() => encode([value])).toThrow("safe integer");
		}
		for (const value of [undefined, null, true, {}]) {
			expect(() => encode([value] as unknown as CborValue)).toThrow("what is encoded");
		}
	});
});
