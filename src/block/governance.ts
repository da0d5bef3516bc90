/** What is decided about a household's membership, and paid out to it when it ends. */
import { type CborValue, encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";
import type { HouseholdTransaction, MoneyTransaction } from "./householdTransaction.js";

/** The operator suspends a household, or lifts it: it goes on metering and settling, and signs nothing new. */
export interface SuspendTransaction extends HouseholdTransaction {
	kind: "suspend";
	/** Member index. */
	household: number;
	suspended: boolean;
}

/** The operator states that a household moves out: it ends, settles and is paid out. */
export interface RemoveTransaction extends HouseholdTransaction {
	kind: "remove";
	/** Member index. */
	household: number;
}

/** The operator states that the money of locked tokens was paid; they are destroyed. */
export interface PayoutTransaction extends MoneyTransaction {
	kind: "payout";
	/** Id of the transaction that asked for the money (32 bytes): the `remove` of who moves out. */
	lockId: Uint8Array;
	amountMicroNok: number;
	/** The bank's reference. */
	reference: string;
}

/** A household's vote, in place of the one before: who is to be an operator where none is left that can act. */
export interface AppointTransaction extends HouseholdTransaction {
	kind: "appoint";
	/** Member index; undefined: it takes its vote back. */
	household: number | undefined;
}

/**
 * The operator gives notice that a household which lost its words is to have another key. Nobody is bound to a key that
 * nobody holds: the new key has signed that it asks for a household of this neighbourhood.
 */
export interface RebindTransaction extends HouseholdTransaction {
	kind: "rebind";
	/** Member index. */
	household: number;
	/** Compressed secp256k1 point, 33 bytes. */
	householdKey: Uint8Array;
	/** By the new key, over `claimDigest`. */
	keySignature: Uint8Array;
}

/** The household itself, by the key that it has, or an operator takes such a notice back. */
export interface ContestTransaction extends HouseholdTransaction {
	kind: "contest";
	/** Member index of the household that was to have another key. */
	household: number;
}

export type GovernanceTransaction =
	| SuspendTransaction
	| RemoveTransaction
	| PayoutTransaction
	| AppointTransaction
	| RebindTransaction
	| ContestTransaction;

const claimHash = taggedHash("claim");

/** What a new key signs that asks for a household. Which one, the operator says, before everybody. */
export function claimDigest(householdKey: Uint8Array, gridId: Uint8Array): Uint8Array {
	return claimHash(gridId, encode([householdKey]));
}

type Body<T> = T extends unknown ? Omit<T, "signature"> : never;

/** The body as it is signed. */
export function governanceFields(transaction: Body<GovernanceTransaction>): CborValue[] {
	switch (transaction.kind) {
		case "suspend":
			return [transaction.member, transaction.nonce, transaction.household, transaction.suspended ? 1 : 0];
		case "rebind":
			return [
				transaction.member,
				transaction.nonce,
				transaction.household,
				transaction.householdKey,
				transaction.keySignature,
			];
		case "contest":
		case "remove":
			return [transaction.member, transaction.nonce, transaction.household];
		case "appoint":
			return [
				transaction.member,
				transaction.nonce,
				transaction.household === undefined ? [] : [transaction.household],
			];
		case "payout":
			return [
				transaction.member,
				transaction.nonce,
				transaction.expiryMinute,
				transaction.lockId,
				transaction.amountMicroNok,
				transaction.reference,
			];
	}
}
