/**
 * A neighbourhood that lost a majority of its voters for good is founded again. The genesis of the new chain holds, in
 * this order, the `refound` of whoever proposed it, the `confirm` of each household that agreed, and the proposer's
 * `seal`: one proposal has one genesis, whoever else holds the same confirmations.
 */
import { encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";
import type { ConfirmTransaction } from "./kinds/founding.js";

const hashConfirmations = taggedHash("confirmations");
const hashWithdrawal = taggedHash("withdrawal");

/** What a `seal` names. */
export function confirmationsHash(confirmations: readonly ConfirmTransaction[]): Uint8Array {
	return hashConfirmations(encode(confirmations.map(({ member, signature }) => [member, signature])));
}

/** What the proposer's household signs to take its proposal back. */
export function withdrawalDigest(gridId: Uint8Array, proposal: Uint8Array): Uint8Array {
	return hashWithdrawal(gridId, proposal);
}
