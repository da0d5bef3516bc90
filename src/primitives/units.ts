/**
 * Units and bounds. Money is integer µNOK, energy integer Wh, time integer ms or minutes since the Unix epoch (UTC);
 * there is no floating point anywhere in the core.
 */
import { assert } from "./assert.js";

export const MS_PER_MINUTE = 60_000;
export const MINUTES_PER_HOUR = 60;
export const MINUTES_PER_DAY = 1_440;
/** 1 token = 1 NOK = 1,000,000 µNOK. */
export const MICRO_NOK_PER_NOK = 1_000_000;
/** A bank pays whole øre; what trades leave is a matter of millionths of a krone. */
export const MICRO_NOK_PER_ORE = 10_000;
/** 1 øre/kWh = 10 µNOK/Wh. */
export const MICRO_NOK_PER_WH_PER_ORE_PER_KWH = 10;

/** One household's energy in one minute. 1 MWh a minute is far above any fuse, and keeps every product safe. */
export const MAX_READING_WH = 1_000_000;
export const MIN_PRICE_MICRO_NOK_PER_WH = 1;
export const MAX_PRICE_MICRO_NOK_PER_WH = 1_000_000;
/** The largest single amount, and so the largest balance that one order can make. */
export const MAX_AMOUNT_MICRO_NOK = 1_000_000_000_000_000;
/** Tokens in circulation altogether: below 2^53, so that every sum of balances is a safe integer. */
export const MAX_CIRCULATION_MICRO_NOK = 9_000_000_000_000_000;
/** 30 days: a household is never bound longer than that against its will. */
export const MAX_NOTICE_MINUTES = 30 * MINUTES_PER_DAY;
/** 7 days: nobody loses the household's key or membership by an operator's word in less, and may object until then. */
export const HOUSEHOLD_NOTICE_MINUTES = 7 * MINUTES_PER_DAY;
/**
 * So long can a household take back that it wants money for tokens, and nobody pays it out before: else the operator could
 * be at the bank while the tokens go back.
 */
export const TAKE_BACK_MINUTES: number = 30;
/** 30 days: a correction that nobody has answered by then is no more. */
export const CORRECTION_MINUTES: number = 30 * MINUTES_PER_DAY;
/** A year: so long a period one correction may be about. */
export const MAX_CORRECTED_MINUTES: number = 366 * MINUTES_PER_DAY;
/** The last minute that a contract may name: the year 2200 leaves every ms timestamp a safe integer. */
export const MAX_MINUTE = 121_000_000;

// These run for every Wh and µNOK: the sentence of a failure is written only when there is one.

/** Adds two integers; the sum must be a safe integer (bounds above make sure that it is). */
export function add(a: number, b: number): number {
	const sum = a + b;
	if (!Number.isSafeInteger(sum)) assert(false, `${a} + ${b} is a safe integer`);
	return sum;
}

/** Subtracts; the difference must be a safe integer that is not negative. */
export function subtract(a: number, b: number): number {
	const difference = a - b;
	if (!Number.isSafeInteger(difference) || difference < 0) {
		assert(false, `${a} - ${b} is a safe integer, not negative`);
	}
	return difference;
}

/** Multiplies two integers; the product must be a safe integer. */
export function multiply(a: number, b: number): number {
	const product = a * b;
	if (!Number.isSafeInteger(product)) assert(false, `${a} × ${b} is a safe integer`);
	return product;
}

/** Whole part of a ÷ b for integers a ≥ 0, b > 0, exact for every safe integer (a rounded quotient is corrected). */
export function divideFloor(a: number, b: number): number {
	if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b) || a < 0 || b <= 0) assert(false, `${a} ÷ ${b} is defined`);
	return (a - (a % b)) / b;
}

/** ⌊a × b ÷ c⌋ and the remainder, exact even where a × b exceeds 2^53. Integers, a, b ≥ 0, c > 0. */
export function multiplyDivide(a: number, b: number, c: number): { quotient: number; remainder: number } {
	const product = a * b;
	// A safe product of integers was not rounded, and numbers divide many times faster than bigints.
	if (Number.isSafeInteger(product) && Number.isInteger(a) && Number.isInteger(b) && Number.isInteger(c) && c > 0) {
		const remainder = product % c;
		return { quotient: (product - remainder) / c, remainder };
	}
	const exact = BigInt(a) * BigInt(b);
	const divisor = BigInt(c);
	const quotient = Number(exact / divisor);
	assert(Number.isSafeInteger(quotient), `${a} × ${b} ÷ ${c} is a safe integer`);
	return { quotient, remainder: Number(exact % divisor) };
}

/** The minute (since the epoch) that a time lies in. */
export function minuteOf(timestampMs: number): number {
	return divideFloor(timestampMs, MS_PER_MINUTE);
}

/** The most whole øre that an amount has, µNOK. */
export function wholeOreOf(amountMicroNok: number): number {
	return subtract(amountMicroNok, amountMicroNok % MICRO_NOK_PER_ORE);
}

/** The fewest whole øre that pay an amount, µNOK. */
export function wholeOreFor(amountMicroNok: number): number {
	return wholeOreOf(add(amountMicroNok, MICRO_NOK_PER_ORE - 1));
}
