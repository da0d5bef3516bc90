/**
 * The leaves of the state root, each a complete encoding of its part of the ledger: how it is written, and beside it the
 * shape in which it is read. Every leaf begins with its kind. What reads it (`snapshot.ts`) writes it again and compares
 * the bytes, so that each state has one encoding.
 */
import * as v from "valibot";
import type { CborValue } from "../primitives/codec.js";
import { HASH_BYTES } from "../primitives/hash.js";
import { PUBLIC_KEY_BYTES } from "../primitives/signature.js";

/** How a kind of leaf is written, and read. */
export interface LeafCodec<Part, Read = Part> {
	fields(part: Part): CborValue;
	shape: v.GenericSchema<unknown, Read>;
}

export const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const bytes = (length: number) => v.pipe(v.instance(Uint8Array), v.length(length));
export const hash = bytes(HASH_BYTES);
export const publicKey = bytes(PUBLIC_KEY_BYTES);
export const flag = v.pipe(
	v.picklist([0, 1]),
	v.transform((bit) => bit === 1),
);
export const bit = (value: boolean): CborValue => (value ? 1 : 0);
export const perhaps = <T>(shape: v.GenericSchema<unknown, T>) =>
	v.pipe(
		v.union([v.strictTuple([]), v.strictTuple([shape])]),
		v.transform(([only]): T | undefined => only),
	);
export const runs = v.array(v.strictTuple([natural, natural]));
