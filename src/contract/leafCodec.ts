/**
 * The leaves of the state root, each a complete encoding of its part of the ledger: how it is written, and beside it the
 * shape in which it is read. Every leaf begins with its kind. What reads it (`snapshot.ts`) writes it again and compares
 * the bytes, so that each state has one encoding.
 */
import * as v from "valibot";
import { natural } from "../block/fieldShapes.js";
import type { CborValue } from "../primitives/codec.js";

/** How a kind of leaf is written, and read. */
export interface LeafCodec<Part, Read = Part> {
	fields(part: Part): CborValue;
	shape: v.GenericSchema<unknown, Read>;
}

export const bit = (value: boolean): CborValue => (value ? 1 : 0);
export const runs = v.array(v.strictTuple([natural, natural]));
