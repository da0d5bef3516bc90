/** An operator's promise to admit whoever holds its one-time key. */
import { type CborValue, encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";

export interface Invitation {
	/** 16 random bytes; used ones are on the chain. */
	id: Uint8Array;
	/** Member index of the operator that signed. */
	operator: number;
	/** Last minute of a block that may hold the `join`. */
	expiryMinute: number;
	/** Public key of the one-time key pair whose secret half travels in the link. */
	oneTimeKey: Uint8Array;
	/** The operator's household signature. */
	signature: Uint8Array;
}

const invitationHash = taggedHash("invitation");

/** What the operator signs. */
export function invitationDigest(invitation: Omit<Invitation, "signature">, gridId: Uint8Array): Uint8Array {
	const { id, operator, expiryMinute, oneTimeKey } = invitation;
	return invitationHash(gridId, encode([id, operator, expiryMinute, oneTimeKey]));
}

/** The invitation as it stands in a `join` and in a link. */
export function invitationFields(invitation: Invitation): CborValue[] {
	return [invitation.id, invitation.operator, invitation.expiryMinute, invitation.oneTimeKey, invitation.signature];
}
