import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AssertionError, assert, unreachable } from "../../../src/primitives/assert.js";
import { compareBytes, equalBytes, fromHex, toHex } from "../../../src/primitives/bytes.js";

describe("bytes", () => {
	it("come back from hex, in either case", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
				expect(toHex(bytes)).toBe(Buffer.from(bytes).toString("hex"));
				expect(fromHex(toHex(bytes))).toEqual({ ok: true, value: bytes });
				expect(fromHex(toHex(bytes).toUpperCase())).toEqual({ ok: true, value: bytes });
			}),
		);
	});

	it.each(["0", "abc", "0g", "0x12", " 12", "12 ", "١٢", "-1", "1.5e"])("refuse %j as hex", (text) => {
		expect(fromHex(text)).toEqual({ ok: false, error: { code: "bad-hex", length: text.length } });
	});

	it("are equal when all of them are, and are ordered as unsigned numbers from the left", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 5 }), fc.uint8Array({ maxLength: 5 }), (a, b) => {
				expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
				expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
				expect(equalBytes(a, Uint8Array.from(a))).toBe(true);
			}),
			{ numRuns: 300 },
		);
		expect(compareBytes(Uint8Array.of(127), Uint8Array.of(128))).toBeLessThan(0);
		expect(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0);
	});
});

describe("an assertion", () => {
	it("throws what must hold when it does not hold", () => {
		expect(() => assert(false, "water is wet")).toThrow(new AssertionError("water is wet"));
		expect(() => assert(true, "water is wet")).not.toThrow();
		expect(() => unreachable("x" as never)).toThrow(AssertionError);
	});
});
