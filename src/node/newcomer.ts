/**
 * What a device shows to be let in that the chain does not know: that it belongs to a household, or that a household may
 * join. Without either its neighbours give it nothing of the chain, whatever link it came by.
 */
import type { JoinTransaction } from "../block/kinds/members.js";
import type { Transaction, Unsigned } from "../block/transaction.js";
import { transactionId } from "../block/transaction.js";
import type { HouseholdProofMessage, Message } from "../message/message.js";
import { assert } from "../primitives/assert.js";
import { encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";
import type { Signer } from "./dependencies.js";
import type { HouseholdKey } from "./householdKey.js";
import { decodeLink } from "./link.js";
import type { ChainConfig } from "./records.js";

export interface Newcomer {
	readonly gridId: Uint8Array;
	readonly config: Pick<ChainConfig, "alwaysOn" | "householdName" | "invitationLink" | "keys">;
	readonly household: HouseholdKey;
	readonly signer: Signer;
}

const hashHouseholdProof = taggedHash("household-proof");

/** What a household's key signs of a device that is its own: nobody else's device can show it. */
export function householdProofDigest(deviceKey: Uint8Array, gridId: Uint8Array): Uint8Array {
	return hashHouseholdProof(gridId, encode([deviceKey]));
}

/** A household's word, whose key must be open, that a device is its own. */
export function householdProofOf(
	gridId: Uint8Array,
	deviceKey: Uint8Array,
	household: HouseholdKey,
): HouseholdProofMessage {
	const signature = household.sign(householdProofDigest(deviceKey, gridId));
	return { type: "householdProof", householdKey: household.publicKey, signature };
}

/** The messages that show it; none while the household's key is locked, which it is for members only. */
export function credentialsOf(newcomer: Newcomer): Message[] {
	const { gridId, config, household, signer } = newcomer;
	if (household.isLocked) return [];
	const proof = householdProofOf(gridId, signer.publicKeyOf(config.keys.deviceSecret), household);
	if (config.invitationLink === undefined) return [proof];
	return [proof, { type: "transactions", transactions: [createJoin(newcomer, config.invitationLink)] }];
}

/** The invited household's `join`, signed with its own two keys and the invitation's one-time key: each time the same. */
export function createJoin({ gridId, config, household, signer }: Newcomer, invitationLink: string): JoinTransaction {
	const link = decodeLink(invitationLink);
	assert(link.ok && link.value.kind === "join", "the invitation was read before it was kept");
	const { householdName, alwaysOn, keys } = config;
	const { invitation, oneTimeSecret } = link.value;
	const unsigned: Unsigned<JoinTransaction> = {
		kind: "join",
		name: householdName,
		householdKey: household.publicKey,
		deviceKey: signer.publicKeyOf(keys.deviceSecret),
		alwaysOn,
		invitation,
	};
	const digest = transactionId(unsigned as Unsigned<Transaction>, gridId);
	return {
		...unsigned,
		signatures: {
			household: household.sign(digest),
			device: signer.sign(digest, keys.deviceSecret),
			oneTime: signer.sign(digest, oneTimeSecret),
		},
	};
}
