/**
 * Sums of many multiples of points of secp256k1 (y² = x³ + 7 modulo P), by Pippenger's buckets with signed digits. All
 * additions are affine and made in rounds, so that thousands of divisions become one (Montgomery's trick). Variable time:
 * for what is public only.
 */
import { assert } from "./assert.js";

/** A point of the curve that is not at infinity. */
export interface CurvePoint {
	readonly x: bigint;
	readonly y: bigint;
}

const C = 0x1000003d1n;
/** The order of the field. */
export const P = (1n << 256n) - C;

/** Modulo P, to which 2²⁵⁶ is C: what is above counts C times below. For 0 ≤ value < 2⁵¹³. */
function reduce(value: bigint): bigint {
	const once = BigInt.asUintN(256, value) + (value >> 256n) * C;
	const twice = BigInt.asUintN(256, once) + (once >> 256n) * C;
	return twice >= P ? twice - P : twice;
}

function multiply(a: bigint, b: bigint): bigint {
	return reduce(a * b);
}

/** For 0 ≤ a, b < P. */
function subtract(a: bigint, b: bigint): bigint {
	return a >= b ? a - b : a - b + P;
}

/** Squared so many times. */
function squared(value: bigint, times: number): bigint {
	let result = value;
	for (let i = 0; i < times; i++) result = reduce(result * result);
	return result;
}

/** value^((P + 1) / 4): the exponent is 223 ones, a zero, 22 ones, four zeros, two ones and two zeros in binary. */
function rootOf(value: bigint): bigint {
	const ones2 = multiply(squared(value, 1), value);
	const ones3 = multiply(squared(ones2, 1), value);
	const ones6 = multiply(squared(ones3, 3), ones3);
	const ones9 = multiply(squared(ones6, 3), ones3);
	const ones11 = multiply(squared(ones9, 2), ones2);
	const ones22 = multiply(squared(ones11, 11), ones11);
	const ones44 = multiply(squared(ones22, 22), ones22);
	const ones88 = multiply(squared(ones44, 44), ones44);
	const ones176 = multiply(squared(ones88, 88), ones88);
	const ones220 = multiply(squared(ones176, 44), ones44);
	const ones223 = multiply(squared(ones220, 3), ones3);
	return squared(multiply(squared(multiply(squared(ones223, 23), ones22), 6), ones2), 2);
}

/** The point of this x whose y is odd, or even; undefined: the curve has none. For 0 ≤ x < P. */
export function pointAt(x: bigint, isOdd: boolean): CurvePoint | undefined {
	const square = reduce(multiply(multiply(x, x), x) + 7n);
	const root = rootOf(square);
	if (multiply(root, root) !== square) return undefined;
	// No point has y = 0: the group's order is odd.
	return { x, y: (root & 1n) === (isOdd ? 1n : 0n) ? root : P - root };
}

/** Inverses, modulo a prime, of values that are not 0: one inversion, and three multiplications for each. */
export function invertAll(values: readonly bigint[], modulus = P): bigint[] {
	const multiplied = modulus === P ? multiply : (a: bigint, b: bigint) => (a * b) % modulus;
	const below: bigint[] = [];
	let product = 1n;
	for (const value of values) {
		below.push(product);
		product = multiplied(product, value);
	}
	let inverse = invert(product, modulus);
	const inverses = new Array<bigint>(values.length);
	for (let at = values.length - 1; at >= 0; at--) {
		inverses[at] = multiplied(inverse, below[at] ?? 1n);
		inverse = multiplied(inverse, values[at] ?? 1n);
	}
	return inverses;
}

/** By Euclid's algorithm. */
function invert(value: bigint, modulus: bigint): bigint {
	let [a, b, u, v] = [value, modulus, 1n, 0n];
	while (a !== 0n) {
		const quotient = b / a;
		[a, b, u, v] = [b - quotient * a, a, v - quotient * u, u];
	}
	assert(b === 1n, "what is not 0 has an inverse");
	return v < 0n ? v + modulus : v;
}

/**
 * The sum of each list; undefined: it is at infinity. Lists are used up. In every round the points of all lists are added
 * in pairs, with one inversion.
 */
function sumsOf(lists: CurvePoint[][]): (CurvePoint | undefined)[] {
	for (;;) {
		const divisors: bigint[] = [];
		for (const list of lists) {
			for (let at = 1; at < list.length; at += 2) {
				const [a, b] = [list[at - 1], list[at]];
				if (a !== undefined && b !== undefined) divisors.push(divisorOf(a, b));
			}
		}
		if (divisors.length === 0) return lists.map(([sum]) => sum);
		const inverses = invertAll(divisors);
		let next = 0;
		for (const list of lists) {
			let kept = 0;
			for (let at = 0; at < list.length; at += 2) {
				const [a, b] = [list[at], list[at + 1]];
				if (a === undefined) continue;
				const sum = b === undefined ? a : added(a, b, inverses[next++] ?? 0n);
				if (sum !== undefined) list[kept++] = sum;
			}
			list.length = kept;
		}
	}
}

/** What the slope of the line through two points is divided by; 1 where they add up to infinity. */
function divisorOf(a: CurvePoint, b: CurvePoint): bigint {
	if (a.x !== b.x) return subtract(b.x, a.x);
	return a.y === b.y ? reduce(a.y * 2n) : 1n;
}

/** The sum of two points, given the inverse of their divisor. */
function added(a: CurvePoint, b: CurvePoint, inverse: bigint): CurvePoint | undefined {
	let rise: bigint;
	if (a.x !== b.x) rise = subtract(b.y, a.y);
	else if (a.y === b.y) rise = reduce(3n * multiply(a.x, a.x));
	else return undefined;
	const slope = multiply(rise, inverse);
	const x = subtract(subtract(multiply(slope, slope), a.x), b.x);
	return { x, y: subtract(multiply(slope, subtract(a.x, x)), a.y) };
}

export const FACTOR_BYTES = 16;
const FACTOR_BITS = 8 * FACTOR_BYTES;

const MIN_WIDTH = 3;
const MAX_WIDTH = 9;

/** A point and how often it counts: 16 bytes, little-endian, below 2^127. */
export interface Multiple {
	readonly point: CurvePoint;
	readonly factor: Uint8Array;
}

/**
 * Parts of Σ factor · point: of the powers of two from 0 on, how often (as a point) each is in it; undefined: not at all.
 * What is left, Σ 2^at · parts[at], is a hundred doublings whatever there is to add.
 */
export function partsOfSum(multiples: readonly Multiple[]): (CurvePoint | undefined)[] {
	const width = widthFor(multiples.length);
	const windows = Math.ceil(FACTOR_BITS / width);
	const half = 1 << (width - 1);
	// By window and size of the digit.
	const buckets: CurvePoint[][] = Array.from({ length: windows * half }, () => []);
	for (const { factor, point } of multiples) {
		const opposite = { x: point.x, y: P - point.y };
		let carry = 0;
		for (let window = 0; window < windows; window++) {
			let digit = bitsAt(factor, window * width, width) + carry;
			// The window above takes it back.
			carry = digit > half ? 1 : 0;
			digit -= carry * 2 * half;
			if (digit !== 0) buckets[window * half + Math.abs(digit) - 1]?.push(digit > 0 ? point : opposite);
		}
		assert(carry === 0, "a factor is below 2^127");
	}
	// Σ digit · bucket, by the bits that the digits have.
	const planes: CurvePoint[][] = Array.from({ length: windows * width }, () => []);
	for (const [at, sum] of sumsOf(buckets).entries()) {
		if (sum === undefined) continue;
		const window = Math.floor(at / half);
		const digit = (at % half) + 1;
		for (let bit = 0; bit < width; bit++) if ((digit >> bit) & 1) planes[window * width + bit]?.push(sum);
	}
	return sumsOf(planes);
}

/** Bits of a digit: buckets cost as much as they save where there are few points. */
function widthFor(count: number): number {
	return Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, Math.round(Math.log2(Math.max(1, count))) - 2));
}

/** A few bits of little-endian bytes, and zeros above them. */
function bitsAt(bytes: Uint8Array, from: number, count: number): number {
	const at = from >> 3;
	const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
	return (word >> (from & 7)) & ((1 << count) - 1);
}
