/**
 * A claim is what a browser with a new household key shows to the operator, as text: the key, and its signature that it
 * asks for a household of this neighbourhood.
 */
import { claimDigest } from "../block/claim.js";
import type { RebindTransaction } from "../block/kinds/members.js";
import { fromBase64Url, toBase64Url } from "../primitives/base64.js";
import { joinBytes } from "../primitives/bytes.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "../primitives/signature.js";
import type { HouseholdKey } from "./householdKey.js";

export type Claim = Pick<RebindTransaction, "householdKey" | "keySignature">;

export function encodeClaim({ householdKey, keySignature }: Claim): string {
	return toBase64Url(joinBytes([householdKey, keySignature]));
}

/** What a household's key, which must be open, asks for in a neighbourhood that does not know it. */
export function createClaim(household: HouseholdKey, gridId: Uint8Array): string {
	const { publicKey: householdKey } = household;
	return encodeClaim({ householdKey, keySignature: household.sign(claimDigest(householdKey, gridId)) });
}

/** Its signature is not checked here. Blanks around it come with copying. */
export function decodeClaim(text: string): Result<Claim, { code: "bad-claim" }> {
	const bytes = fromBase64Url(text.trim());
	if (bytes?.length !== PUBLIC_KEY_BYTES + SIGNATURE_BYTES) return refused({ code: "bad-claim" });
	return ok({ householdKey: bytes.slice(0, PUBLIC_KEY_BYTES), keySignature: bytes.slice(PUBLIC_KEY_BYTES) });
}
