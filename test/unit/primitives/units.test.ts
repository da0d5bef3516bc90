import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	add,
	divideFloor,
	MAX_AMOUNT_MICRO_NOK,
	MAX_CIRCULATION_MICRO_NOK,
	MAX_MINUTE,
	MAX_NOTICE_MINUTES,
	MAX_PRICE_MICRO_NOK_PER_WH,
	MAX_READING_WH,
	MIN_PRICE_MICRO_NOK_PER_WH,
	MS_PER_MINUTE,
	minuteOf,
	multiply,
	multiplyDivide,
	subtract,
	wholeOreFor,
	wholeOreOf,
} from "../../../src/primitives/units.js";

const natural = fc.nat(Number.MAX_SAFE_INTEGER);
/** Products of two are on both sides of 2^53. */
const factor = fc.oneof(natural, fc.nat(2 ** 27), fc.nat(1_000));

describe("the bounds", () => {
	it("are those of the design", () => {
		expect(MAX_READING_WH).toBe(1_000_000);
		expect([MIN_PRICE_MICRO_NOK_PER_WH, MAX_PRICE_MICRO_NOK_PER_WH]).toEqual([1, 1_000_000]);
		expect(MAX_AMOUNT_MICRO_NOK).toBe(10 ** 15);
		expect(MAX_NOTICE_MINUTES).toBe(30 * 24 * 60);
	});

	it("keep every product and every sum of balances a safe integer", () => {
		expect(Number.isSafeInteger(MAX_READING_WH * MAX_PRICE_MICRO_NOK_PER_WH)).toBe(true);
		expect(Number.isSafeInteger(MAX_CIRCULATION_MICRO_NOK)).toBe(true);
		expect(Number.isSafeInteger((MAX_MINUTE + 1) * MS_PER_MINUTE)).toBe(true);
	});
});

describe("integer arithmetic", () => {
	it("is exact where the result is a safe integer", () => {
		fc.assert(
			fc.property(natural, natural, (a, b) => {
				const sum = BigInt(a) + BigInt(b);
				if (sum <= Number.MAX_SAFE_INTEGER) expect(add(a, b)).toBe(Number(sum));
				else expect(() => add(a, b)).toThrow("safe integer");
				if (a >= b) expect(subtract(a, b)).toBe(a - b);
				else expect(() => subtract(a, b)).toThrow("not negative");
				const product = BigInt(a) * BigInt(b);
				if (product <= Number.MAX_SAFE_INTEGER) expect(multiply(a, b)).toBe(Number(product));
				else expect(() => multiply(a, b)).toThrow("safe integer");
			}),
		);
		expect(multiply(3_000_000, 3_000)).toBe(9_000_000_000);
	});

	it("divides down exactly, also where a floating-point quotient would be rounded up", () => {
		fc.assert(
			fc.property(natural, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (a, b) => {
				expect(divideFloor(a, b)).toBe(Number(BigInt(a) / BigInt(b)));
			}),
		);
		expect(Math.floor((3 * 3_002_399_751_580_330 - 1) / 3)).toBe(3_002_399_751_580_329);
		expect(divideFloor(Number.MAX_SAFE_INTEGER, 2)).toBe(4_503_599_627_370_495);
		expect(() => divideFloor(1, 0)).toThrow("defined");
		expect(() => divideFloor(-1, 2)).toThrow("defined");
		expect(() => divideFloor(1.5, 2)).toThrow("defined");
	});

	it("multiplies and divides exactly, also where the product exceeds 2^53", () => {
		fc.assert(
			fc.property(factor, factor, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (a, b, c) => {
				const quotient = (BigInt(a) * BigInt(b)) / BigInt(c);
				if (quotient > Number.MAX_SAFE_INTEGER) {
					expect(() => multiplyDivide(a, b, c)).toThrow("safe integer");
					return;
				}
				const result = multiplyDivide(a, b, c);
				expect(BigInt(result.quotient) * BigInt(c) + BigInt(result.remainder)).toBe(BigInt(a) * BigInt(b));
				expect(result.remainder).toBeLessThan(c);
			}),
		);
		expect(multiplyDivide(Number.MAX_SAFE_INTEGER, 3, Number.MAX_SAFE_INTEGER)).toEqual({ quotient: 3, remainder: 0 });
		expect(multiplyDivide(7, 5, 4)).toEqual({ quotient: 8, remainder: 3 });
		expect(() => multiplyDivide(1, 1, 0)).toThrow();
		expect(() => multiplyDivide(0.5, 2, 1)).toThrow();
	});

	it("puts a time into its minute: its first ms is in it, its end is not", () => {
		expect(minuteOf(0)).toBe(0);
		expect(minuteOf(59_999)).toBe(0);
		expect(minuteOf(60_000)).toBe(1);
	});
});

describe("whole øre", () => {
	it.each([
		[0, 0, 0],
		[1, 0, 10_000],
		[9_999, 0, 10_000],
		[10_000, 10_000, 10_000],
		[79_753_214, 79_750_000, 79_760_000],
	])("of %i µNOK are at most %i, and to pay it at least %i", (amount, most, fewest) => {
		expect([wholeOreOf(amount), wholeOreFor(amount)]).toEqual([most, fewest]);
	});
});
