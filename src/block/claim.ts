/** What a new key signs that asks for a household. Which one, the operator says, before everybody. */
import { encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";

const claimHash = taggedHash("claim");

/** Compressed secp256k1 point, 33 bytes; the neighbourhood that the household is of. */
export function claimDigest(householdKey: Uint8Array, gridId: Uint8Array): Uint8Array {
	return claimHash(gridId, encode([householdKey]));
}
