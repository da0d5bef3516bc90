/** Who must have signed a transaction. Rules come after signatures: what nobody signed is not even looked at. */
import { claimDigest } from "../block/claim.js";
import { invitationDigest } from "../block/invitation.js";
import { bodyFields, digestOf, type Transaction } from "../block/transaction.js";
import { encode } from "../primitives/codec.js";
import { ZERO_HASH } from "../primitives/hash.js";
import type { Verifier } from "../primitives/signature.js";
import { type Device, type Household, isInUse, type Ledger } from "./ledger.js";
import type { Refusal } from "./refusal.js";

/** Whose keys there are. */
export type KeyHolders = Pick<Ledger, "gridId" | "households" | "devices">;

/** Checks every signature of a transaction against the ledger's keys. One bad signature refuses it. */
export function checkSignatures(ledger: KeyHolders, transaction: Transaction, verifier: Verifier): Refusal | undefined {
	const required = requiredSignatures(ledger, transaction);
	if ("code" in required) return required;
	return areGood(required, verifier) ? undefined : { code: "bad-signature", kind: transaction.kind };
}

export interface RequiredSignature {
	readonly signature: Uint8Array;
	readonly publicKey: Uint8Array;
	/** What is signed: made only when it is verified, which may be later. */
	digest(): Uint8Array;
}

export function areGood(signatures: readonly RequiredSignature[], verifier: Verifier): boolean {
	return signatures.every(({ signature, digest, publicKey }) => verifier.verify(signature, digest(), publicKey));
}

/** The signatures that a transaction must bear after a ledger, unverified; a refusal where nobody could sign it. */
export function requiredSignatures(ledger: KeyHolders, transaction: Transaction): RequiredSignature[] | Refusal {
	const { gridId } = ledger;
	switch (transaction.kind) {
		case "found":
		case "refound":
		case "seal":
			return { code: "only-in-genesis", kind: transaction.kind };
		case "join": {
			const { invitation, signatures } = transaction;
			if (invitation === undefined || signatures.oneTime === undefined) return { code: "invitation-missing" };
			const operator = ledger.households[invitation.operator];
			if (operator === undefined) return { code: "unknown-member", member: invitation.operator };
			const digest = () => digestOf("join")(gridId, encode(bodyFields(transaction)));
			return [
				...joinSignatures(transaction, digest),
				{ signature: signatures.oneTime, digest, publicKey: invitation.oneTimeKey },
				{
					signature: invitation.signature,
					digest: () => invitationDigest(invitation, gridId),
					publicKey: operator.publicKey,
				},
			];
		}
		case "device": {
			const household = ledger.households[transaction.member];
			if (household === undefined) return { code: "unknown-member", member: transaction.member };
			const digest = () => digestOf("device")(gridId, encode(bodyFields(transaction)));
			return [
				{ signature: transaction.signature, digest, publicKey: household.publicKey },
				{ signature: transaction.deviceSignature, digest, publicKey: transaction.deviceKey },
			];
		}
		case "rebind": {
			const { householdKey, keySignature, member, signature } = transaction;
			const operator = ledger.households[member];
			if (operator === undefined) return { code: "unknown-member", member };
			const digest = () => digestOf("rebind")(gridId, encode(bodyFields(transaction)));
			return [
				{ signature, digest, publicKey: operator.publicKey },
				{ signature: keySignature, digest: () => claimDigest(householdKey, gridId), publicKey: householdKey },
			];
		}
		case "voters": {
			const household = ledger.households[transaction.member];
			if (household === undefined) return { code: "unknown-member", member: transaction.member };
			const signer = signerOfVoters(ledger, household, transaction.device);
			if ("code" in signer) return signer;
			const digest = () => digestOf("voters")(gridId, encode(bodyFields(transaction)));
			return [{ signature: transaction.signature, digest, publicKey: signer.publicKey }];
		}
		default: {
			const household = ledger.households[transaction.member];
			if (household === undefined) return { code: "unknown-member", member: transaction.member };
			const device = ledger.devices[household.meteringDevice];
			const publicKey = transaction.kind === "reading" ? device?.publicKey : household.publicKey;
			if (publicKey === undefined) return { code: "unknown-member", member: transaction.member };
			if (transaction.kind === "reading" && device !== undefined && !isInUse(device)) {
				return { code: "device-revoked", device: device.index };
			}
			const digest = () => digestOf(transaction.kind)(gridId, encode(bodyFields(transaction)));
			return [{ signature: transaction.signature, digest, publicKey }];
		}
	}
}

/** The household itself, or a device of it. Whether that one may is the rule's part (`voters`): it may change. */
function signerOfVoters(
	ledger: KeyHolders,
	household: Household,
	index: number | undefined,
): Household | Device | Refusal {
	if (index === undefined) return household;
	const device = ledger.devices[index];
	return device?.household === household.index ? device : { code: "unknown-device", device: index };
}

function joinSignatures(join: Extract<Transaction, { kind: "join" }>, digest: () => Uint8Array): RequiredSignature[] {
	return [
		{ signature: join.signatures.household, digest, publicKey: join.householdKey },
		{ signature: join.signatures.device, digest, publicKey: join.deviceKey },
	];
}

/** Whether a lobby's `join` is signed by both its keys. Before the genesis exists, the grid id is zeros. */
export function isFoundingJoinSigned(join: Extract<Transaction, { kind: "join" }>, verifier: Verifier): boolean {
	return areGood(
		joinSignatures(join, () => digestOf("join")(ZERO_HASH, encode(bodyFields(join)))),
		verifier,
	);
}
