/** An operator's promise to admit whoever holds its one-time key. */
import * as v from "valibot";
import { type CborValue, encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";
import { bytes, member, minute, publicKey, signature } from "./fieldShapes.js";

export interface Invitation {
	/** 16 random bytes; used ones are on the chain. */
	id: Uint8Array;
	/** Member index of the operator that signed. */
	operator: number;
	/** Last minute of a block that may hold the `join`. */
	expiryMinute: number;
	/** Public key of the one-time key pair whose secret half travels in the link. */
	oneTimeKey: Uint8Array;
	/** The device that joins by it observes: it is no candidate for a voter. */
	observer: boolean;
	/** The operator's household signature. */
	signature: Uint8Array;
}

/** Stands in an invitation of an observer. */
const OBSERVER = 1;

const invitationHash = taggedHash("invitation");

/** What the operator signs. */
export function invitationDigest(invitation: Omit<Invitation, "signature">, gridId: Uint8Array): Uint8Array {
	return invitationHash(gridId, encode(promiseFields(invitation)));
}

/** The invitation as it stands in a `join` and in a link. */
export function invitationFields(invitation: Invitation): CborValue[] {
	return [...promiseFields(invitation), invitation.signature];
}

/** Where the device may vote nothing is said of that: as it was before it could be otherwise. */
function promiseFields({
	id,
	operator,
	expiryMinute,
	oneTimeKey,
	observer,
}: Omit<Invitation, "signature">): CborValue[] {
	return [id, operator, expiryMinute, oneTimeKey, ...(observer ? [OBSERVER] : [])];
}

export const invitationShape = v.pipe(
	v.union([
		v.strictTuple([bytes(16), member, minute, publicKey, v.literal(OBSERVER), signature]),
		v.pipe(
			v.strictTuple([bytes(16), member, minute, publicKey, signature]),
			v.transform(([id, operator, expiryMinute, oneTimeKey, signed]) => {
				return [id, operator, expiryMinute, oneTimeKey, undefined, signed] as const;
			}),
		),
	]),
	v.transform(
		([id, operator, expiryMinute, oneTimeKey, observer, signed]): Invitation => ({
			id,
			operator,
			expiryMinute,
			oneTimeKey,
			observer: observer === OBSERVER,
			signature: signed,
		}),
	),
);
