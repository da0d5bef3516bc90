/**
 * Transactions: what members sign. The body of each kind is a positional array; its digest under the kind's own tag is
 * at once what is signed and the transaction's id, so a signature for one kind or one neighbourhood is worth nothing
 * for another.
 */
import type { CborValue } from "../primitives/codec.js";
import { type TaggedHash, taggedHash } from "../primitives/hash.js";
import { type GovernanceTransaction, governanceFields } from "./governance.js";
import type { HouseholdTransaction, MoneyTransaction } from "./householdTransaction.js";
import { type IceServer, iceServerFields } from "./iceServer.js";
import { type Invitation, invitationFields } from "./invitation.js";
import { QUALITIES, type Reading } from "./reading.js";
import {
	type ChainParameters,
	type ConfirmTransaction,
	type RefoundTransaction,
	refoundFields,
	type SealTransaction,
} from "./refounding.js";

/** A metering device's reading of one minute. */
export interface ReadingTransaction extends Reading {
	kind: "reading";
	member: number;
	signature: Uint8Array;
}

/** A promise to sell. */
export interface OfferTransaction extends HouseholdTransaction {
	kind: "offer";
	priceMicroNokPerWh: number;
	fromMinute: number;
	/** First minute that is no longer offered. */
	untilMinute: number;
	/** Per contract; 0: no limit. */
	energyLimitWh: number;
	noticeMinutes: number;
	/** The only member that may accept. */
	buyer: number | undefined;
	/** How many may accept; 0: any number. */
	maxBuyers: number;
}

export interface WithdrawTransaction extends HouseholdTransaction {
	kind: "withdraw";
	/** Id of the `offer` (32 bytes). */
	offerId: Uint8Array;
}

/** Makes a contract of an offer: with the offer's signature both parties have signed. */
export interface AcceptTransaction extends MoneyTransaction {
	kind: "accept";
	offerId: Uint8Array;
}

export interface EndTransaction extends HouseholdTransaction {
	kind: "end";
	/** Id of the `accept` that made the contract (32 bytes). */
	contractId: Uint8Array;
}

/** Orders tokens: the household has paid, or will pay, this many µNOK to the operator. */
export interface BuyTransaction extends MoneyTransaction {
	kind: "buy";
	amountMicroNok: number;
}

/** The operator states that an order's money arrived; the tokens are created. */
export interface IssueTransaction extends MoneyTransaction {
	kind: "issue";
	/** Id of the `buy` (32 bytes). */
	orderId: Uint8Array;
	amountMicroNok: number;
	/** The bank's reference. */
	reference: string;
}

/** A new household. Inside genesis without invitation: everybody who was in the lobby. */
export interface JoinTransaction {
	kind: "join";
	name: string;
	householdKey: Uint8Array;
	deviceKey: Uint8Array;
	/** Whether the device is always on, at the meter: it may become a voter. */
	alwaysOn: boolean;
	invitation: Invitation | undefined;
	signatures: { household: Uint8Array; device: Uint8Array; oneTime: Uint8Array | undefined };
}

/** The operator changes who votes: one device comes or goes; beside a single voter two come at once. */
export interface VotersTransaction extends HouseholdTransaction {
	kind: "voters";
	/** With their keys: who follows the changes alone can check every certificate. */
	added: readonly { device: number; publicKey: Uint8Array }[];
	removed: readonly number[];
	/**
	 * The operator's metering device, where it signs in place of the household: who votes is kept up without anybody being
	 * there. Such a change takes no nonce of the household's, which a stolen device could use up: its `nonce` is the index
	 * of the last change of the voters, plus 1. Undefined: the household's key signs.
	 */
	device: number | undefined;
}

/** A change of the voters that the operator's device has signed. */
export type KeptVotersTransaction = VotersTransaction & { device: number };

/** A household admits one more device of its own: a second one, or a new one for one that lost its storage. */
export interface DeviceTransaction extends HouseholdTransaction {
	kind: "device";
	deviceKey: Uint8Array;
	/** Whether it is always on, at the meter: it may become a voter. */
	alwaysOn: boolean;
	/** Whether it signs the household's readings from the next minute on, in place of the device that did. */
	metering: boolean;
	/** The device whose place it takes, which is out of use from then on. */
	replaces: number | undefined;
	/** By the device itself: nobody admits a key that is another's. */
	deviceSignature: Uint8Array;
}

/** A household takes a device out of use: stolen, copied or thrown away. */
export interface RevokeTransaction extends HouseholdTransaction {
	kind: "revoke";
	device: number;
}

/** The operator says through which servers devices that cannot see each other are to connect. */
export interface IceServersTransaction extends HouseholdTransaction {
	kind: "iceServers";
	/** In place of those before; none: they connect directly, or not at all. */
	servers: readonly IceServer[];
}

/** The operator corrects a household's name. */
export interface RenameTransaction extends HouseholdTransaction {
	kind: "rename";
	/** Member index of the household that gets the name. */
	household: number;
	name: string;
}

/** The operator shares its role, or takes it from a household. */
export interface RoleTransaction extends HouseholdTransaction {
	kind: "role";
	/** Member index. */
	household: number;
	operator: boolean;
}

export const MONEY_KINDS = ["trial", "prepaid"] as const;
export type MoneyKind = (typeof MONEY_KINDS)[number];

/** What a neighbourhood is founded on; money kind and prices change by the rules only. */
export interface FoundingParameters extends ChainParameters {
	moneyKind: MoneyKind;
	retailMicroNokPerWh: number;
	feedInMicroNokPerWh: number;
	localFeeMicroNokPerWh: number;
}

/** First transaction of genesis, by the founder (member 0). */
export interface FoundTransaction extends FoundingParameters {
	kind: "found";
	signature: Uint8Array;
}

export type Transaction =
	| ReadingTransaction
	| OfferTransaction
	| WithdrawTransaction
	| AcceptTransaction
	| EndTransaction
	| BuyTransaction
	| IssueTransaction
	| JoinTransaction
	| FoundTransaction
	| VotersTransaction
	| DeviceTransaction
	| RevokeTransaction
	| IceServersTransaction
	| RenameTransaction
	| RoleTransaction
	| GovernanceTransaction
	| RefoundTransaction
	| ConfirmTransaction
	| SealTransaction;

export type TransactionKind = Transaction["kind"];

/** Kinds that carry a household's nonce. */
export type ActTransaction = Extract<Transaction, HouseholdTransaction>;

/** Whether a household signed it with a nonce. */
export function isAct(transaction: Transaction): transaction is ActTransaction {
	return "nonce" in transaction && !isKeptVoters(transaction);
}

export function isKeptVoters(transaction: Transaction): transaction is KeptVotersTransaction {
	return transaction.kind === "voters" && transaction.device !== undefined;
}

/** A transaction without its signature: what its author fills in. */
export type Unsigned<T extends Transaction> = T extends Transaction
	? Omit<T, "signature" | "signatures" | "deviceSignature">
	: never;

const DIGESTS: Record<TransactionKind, TaggedHash> = {
	reading: taggedHash("reading"),
	offer: taggedHash("offer"),
	withdraw: taggedHash("withdraw"),
	accept: taggedHash("accept"),
	end: taggedHash("end"),
	buy: taggedHash("buy"),
	issue: taggedHash("issue"),
	join: taggedHash("join"),
	found: taggedHash("found"),
	voters: taggedHash("voters"),
	device: taggedHash("device"),
	revoke: taggedHash("revoke"),
	refound: taggedHash("refound"),
	confirm: taggedHash("confirm"),
	seal: taggedHash("seal"),
	iceServers: taggedHash("iceServers"),
	rename: taggedHash("rename"),
	role: taggedHash("role"),
	suspend: taggedHash("suspend"),
	remove: taggedHash("remove"),
	payout: taggedHash("payout"),
	appoint: taggedHash("appoint"),
	rebind: taggedHash("rebind"),
	contest: taggedHash("contest"),
};

/** The hash function under whose tag a kind is signed. */
export function digestOf(kind: TransactionKind): TaggedHash {
	return DIGESTS[kind];
}

/** The body as it is signed: absolute minutes, no signature. */
export function bodyFields(transaction: Unsigned<Transaction>): CborValue[] {
	switch (transaction.kind) {
		case "reading": {
			const { member, minute, importWh, exportWh, quality } = transaction;
			return [member, minute, importWh, exportWh, QUALITIES.indexOf(quality)];
		}
		case "offer":
			return [
				transaction.member,
				transaction.nonce,
				transaction.priceMicroNokPerWh,
				transaction.fromMinute,
				transaction.untilMinute,
				transaction.energyLimitWh,
				transaction.noticeMinutes,
				transaction.buyer === undefined ? [] : [transaction.buyer],
				transaction.maxBuyers,
			];
		case "withdraw":
			return [transaction.member, transaction.nonce, transaction.offerId];
		case "accept":
			return [transaction.member, transaction.nonce, transaction.expiryMinute, transaction.offerId];
		case "end":
			return [transaction.member, transaction.nonce, transaction.contractId];
		case "buy":
			return [transaction.member, transaction.nonce, transaction.expiryMinute, transaction.amountMicroNok];
		case "issue":
			return [
				transaction.member,
				transaction.nonce,
				transaction.expiryMinute,
				transaction.orderId,
				transaction.amountMicroNok,
				transaction.reference,
			];
		case "voters":
			return [
				transaction.member,
				transaction.nonce,
				transaction.added.map(({ device, publicKey }) => [device, publicKey]),
				transaction.removed,
				...(transaction.device === undefined ? [] : [transaction.device]),
			];
		case "device":
			return [
				transaction.member,
				transaction.nonce,
				transaction.deviceKey,
				transaction.alwaysOn ? 1 : 0,
				transaction.metering ? 1 : 0,
				transaction.replaces === undefined ? [] : [transaction.replaces],
			];
		case "revoke":
			return [transaction.member, transaction.nonce, transaction.device];
		case "iceServers":
			return [transaction.member, transaction.nonce, iceServerFields(transaction.servers)];
		case "rename":
			return [transaction.member, transaction.nonce, transaction.household, transaction.name];
		case "role":
			return [transaction.member, transaction.nonce, transaction.household, transaction.operator ? 1 : 0];
		case "suspend":
		case "remove":
		case "payout":
		case "appoint":
		case "rebind":
		case "contest":
			return governanceFields(transaction);
		case "join":
			return [
				transaction.name,
				transaction.householdKey,
				transaction.deviceKey,
				transaction.alwaysOn ? 1 : 0,
				transaction.invitation === undefined ? [] : invitationFields(transaction.invitation),
			];
		case "found":
			return [
				transaction.name,
				MONEY_KINDS.indexOf(transaction.moneyKind),
				transaction.retailMicroNokPerWh,
				transaction.feedInMicroNokPerWh,
				transaction.localFeeMicroNokPerWh,
				transaction.blockIntervalMs,
				transaction.settlementGraceBlocks,
				transaction.readingWindowBlocks,
				transaction.checkpointBlocks,
				transaction.timeScale,
				transaction.salt,
			];
		case "refound":
			return refoundFields(transaction);
		case "confirm":
			return [transaction.member, transaction.proposal];
		case "seal":
			return [transaction.member, transaction.proposal, transaction.confirmations];
	}
}
