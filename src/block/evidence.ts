/** Evidence as data: two signatures of one voter that exclude one another. `consensus/evidence` finds and judges it. */
import * as v from "valibot";
import type { CborValue } from "../primitives/codec.js";
import { hash, natural, signature as signatureShape } from "./fieldShapes.js";

/** One of the two: what was signed, and how. */
export interface SignedHash {
	readonly hash: Uint8Array;
	readonly signature: Uint8Array;
}

export interface DoubleSignature {
	/** Device index. */
	readonly voter: number;
	readonly index: number;
	readonly term: number;
	/** Ascending by hash: the same two signatures are the same evidence, whoever found it. */
	readonly signed: readonly [SignedHash, SignedHash];
}

/** The evidence as stored and sent. */
export function doubleSignatureFields({ voter, index, term, signed }: DoubleSignature): CborValue {
	return [voter, index, term, ...signed.map(({ hash, signature }) => [hash, signature])];
}

const signedHashShape = v.pipe(
	v.strictTuple([hash, signatureShape]),
	v.transform(([hash, signature]): SignedHash => ({ hash, signature })),
);

export const doubleSignatureShape = v.pipe(
	v.strictTuple([natural, natural, natural, signedHashShape, signedHashShape]),
	v.transform(([voter, index, term, one, other]): DoubleSignature => ({ voter, index, term, signed: [one, other] })),
);
