/**
 * What people type, read exactly: decimal comma or point, spaces between thousands, to an integer of the smallest unit.
 * No floating point: the digits are moved, not multiplied.
 */
import { ok, type Result, refused } from "../primitives/result.js";
import { MAX_AMOUNT_MICRO_NOK, MAX_PRICE_MICRO_NOK_PER_WH, MIN_PRICE_MICRO_NOK_PER_WH } from "../primitives/units.js";

export type InputError =
	| { code: "required" }
	| { code: "bad-number" }
	| { code: "too-many-decimals"; max: number }
	/** Limits are in the smallest unit of what was typed. */
	| { code: "too-small"; min: number }
	| { code: "too-large"; max: number };

const NUMBER = /^(\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d+)(?:[.,](\d+))?$/;

/** `text` × 10^`decimals` as an integer in [min, max]. Zeros at the end do not count as decimals. */
export function parseDecimal(text: string, decimals: number, min: number, max: number): Result<number, InputError> {
	const trimmed = text.trim();
	if (trimmed === "") return refused({ code: "required" });
	const match = NUMBER.exec(trimmed);
	if (match === null) return refused({ code: "bad-number" });
	const whole = (match[1] ?? "").replace(/\D/g, "");
	const fraction = (match[2] ?? "").replace(/0+$/, "");
	if (fraction.length > decimals) return refused({ code: "too-many-decimals", max: decimals });
	const value = BigInt(whole + fraction.padEnd(decimals, "0"));
	if (value > BigInt(max)) return refused({ code: "too-large", max });
	if (value < BigInt(min)) return refused({ code: "too-small", min });
	return ok(Number(value));
}

/** øre/kWh, one decimal, to µNOK/Wh (1 øre/kWh = 10 µNOK/Wh). Zero only where `min` allows it. */
export function parsePrice(text: string, min: number = MIN_PRICE_MICRO_NOK_PER_WH): Result<number, InputError> {
	return parseDecimal(text, 1, min, MAX_PRICE_MICRO_NOK_PER_WH);
}

/** Kroner, at most two decimals, to µNOK; at least one øre, or `minOre`. */
export function parseKroner(text: string, minOre = 1): Result<number, InputError> {
	const parsed = parseDecimal(text, 2, minOre, MAX_AMOUNT_MICRO_NOK / 10_000);
	return parsed.ok ? ok(parsed.value * 10_000) : parsed;
}

/** kWh, at most three decimals, to Wh; at least 1 Wh. */
export function parseKwh(text: string): Result<number, InputError> {
	return parseDecimal(text, 3, 1, 1_000_000_000_000);
}

/** A whole number in [min, max]. */
export function parseWhole(text: string, min: number, max: number): Result<number, InputError> {
	return parseDecimal(text, 0, min, max);
}
