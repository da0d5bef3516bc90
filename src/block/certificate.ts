/**
 * Certificates: the signed acknowledgements of a majority of voters for one block. By the hash chain one covers all
 * blocks below.
 */
import * as v from "valibot";
import { type CborValue, encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";
import { hash, natural, signature } from "./fieldShapes.js";

/** What a voter acknowledges: that it validated and durably stored this block in this term. */
export interface Acknowledged {
	readonly index: number;
	/** The block's term, which was the voter's current term. */
	readonly term: number;
	readonly hash: Uint8Array;
}

export interface Certificate extends Acknowledged {
	/** By voter (device index) ascending, each voter once. */
	readonly signatures: readonly { readonly voter: number; readonly signature: Uint8Array }[];
}

const hashAcknowledgement = taggedHash("acknowledgement");

/** What a voter's device key signs. */
export function acknowledgementDigest(gridId: Uint8Array, acknowledged: Acknowledged, voter: number): Uint8Array {
	return hashAcknowledgement(gridId, encode([acknowledged.index, acknowledged.term, acknowledged.hash, voter]));
}

/** The certificate as stored and sent. */
export function certificateFields(certificate: Certificate): CborValue {
	return [
		certificate.index,
		certificate.term,
		certificate.hash,
		certificate.signatures.map(({ voter, signature }) => [voter, signature]),
	];
}

export const certificateShape = v.pipe(
	v.strictTuple([
		natural,
		natural,
		hash,
		v.pipe(
			v.array(v.strictTuple([natural, signature])),
			v.minLength(1),
			v.maxLength(64),
			// Ascending and so distinct: nobody is counted twice.
			v.check((list) => list.every(([voter], at) => at === 0 || (list[at - 1]?.[0] ?? voter) < voter)),
		),
	]),
	v.transform(
		([index, term, hash, list]): Certificate => ({
			index,
			term,
			hash,
			signatures: list.map(([voter, signature]) => ({ voter, signature })),
		}),
	),
);
