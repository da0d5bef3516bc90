/**
 * Shapes of single fields, of whatever is read: blocks, messages, records; and the limits that those of transactions
 * stand for.
 */
import * as v from "valibot";
import { HASH_BYTES } from "../primitives/hash.js";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "../primitives/signature.js";
import { MAX_AMOUNT_MICRO_NOK, MAX_MINUTE, MS_PER_MINUTE } from "../primitives/units.js";

export const MAX_NAME_LENGTH = 40;
export const MAX_MEMBERS = 1_000;
/** Given once and never reused: devices come and go. */
export const MAX_DEVICES = 16_000;

export const integer = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
export const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const blob: v.GenericSchema<unknown, Uint8Array> = v.instance(Uint8Array);
export const bytes = (length: number): v.GenericSchema<unknown, Uint8Array> =>
	v.pipe(v.instance(Uint8Array), v.length(length));
export const hash = bytes(HASH_BYTES);
export const flag = v.pipe(
	v.picklist([0, 1]),
	v.transform((bit) => bit === 1),
);
/** A field that may be missing, as a list of none or one. */
export const perhaps = <T>(shape: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, T | undefined> =>
	v.pipe(
		v.union([v.strictTuple([]), v.strictTuple([shape])]),
		v.transform(([only]): T | undefined => only),
	);
export const text = (max: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(max));

export const member = integer(0, MAX_MEMBERS - 1);
export const deviceIndex = integer(0, MAX_DEVICES - 1);
export const minute = integer(0, MAX_MINUTE);
export const timestampMs = integer(0, MAX_MINUTE * MS_PER_MINUTE);
export const id = bytes(32);
/** As much of the bank's reference as is kept. */
export const MAX_REFERENCE_LENGTH = 64;
export const reference = text(MAX_REFERENCE_LENGTH);
/** What a household says with a correction. */
export const MAX_NOTE_LENGTH = 140;
// One line, for a screen to show as it is.
export const note = v.pipe(text(MAX_NOTE_LENGTH), v.regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u));
export const amountMicroNok = integer(1, MAX_AMOUNT_MICRO_NOK);
export const nonce = integer(1, Number.MAX_SAFE_INTEGER);
export const publicKey = bytes(PUBLIC_KEY_BYTES);
export const signature = bytes(SIGNATURE_BYTES);

export const nameShape = v.pipe(
	text(MAX_NAME_LENGTH),
	// One line, no control characters, no blanks at either end: a name that a screen can show as it is.
	v.regex(/^[^\p{C}\p{Z}](?:[^\p{C}\p{Zl}\p{Zp}]*[^\p{C}\p{Z}])?$/u),
);
