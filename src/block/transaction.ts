/**
 * Transactions: what members sign. The body of each kind is a positional array (`kinds`); its digest under the kind's own
 * tag is at once what is signed and the transaction's id, so a signature for one kind or one neighbourhood is worth
 * nothing for another.
 */
import { assert } from "../primitives/assert.js";
import { type CborValue, encode } from "../primitives/codec.js";
import type { TaggedHash } from "../primitives/hash.js";
import { ANSWER, CORRECT } from "./kinds/correcting.js";
import { CONFIRM, FOUND, REFOUND, SEAL } from "./kinds/founding.js";
import type { Kind, SignatureName, TransactionOf } from "./kinds/kind.js";
import { ACCEPT, END, OFFER, WITHDRAW } from "./kinds/market.js";
import {
	APPOINT,
	CONTEST,
	DEVICE,
	JOIN,
	LEAVE,
	REBIND,
	REMOVE,
	RENAME,
	REVOKE,
	ROLE,
	SUSPEND,
} from "./kinds/members.js";
import { READING } from "./kinds/metering.js";
import { ICE_SERVERS, VOTERS, type VotersTransaction } from "./kinds/network.js";
import { LIMITS, MARKET, TARIFF } from "./kinds/trading.js";
import {
	BANK,
	BANK_CONFIRM,
	BUY,
	CANCEL,
	CREDIT,
	ISSUE,
	MONEY,
	MONEY_CONFIRM,
	PAYOUT,
	REDEEM,
} from "./kinds/treasury.js";

/** A kind's place is its number on the wire: append only. */
const KINDS = [
	READING,
	OFFER,
	WITHDRAW,
	ACCEPT,
	END,
	BUY,
	ISSUE,
	JOIN,
	FOUND,
	VOTERS,
	DEVICE,
	REVOKE,
	REFOUND,
	CONFIRM,
	SEAL,
	ICE_SERVERS,
	RENAME,
	ROLE,
	SUSPEND,
	REMOVE,
	PAYOUT,
	APPOINT,
	REBIND,
	CONTEST,
	REDEEM,
	CANCEL,
	LEAVE,
	LIMITS,
	MARKET,
	TARIFF,
	BANK,
	BANK_CONFIRM,
	CORRECT,
	ANSWER,
	MONEY,
	MONEY_CONFIRM,
	CREDIT,
] as const;

export type Transaction = TransactionOf<(typeof KINDS)[number]>;
export type TransactionKind = Transaction["kind"];

/** Kinds that carry a household's nonce. */
export type ActTransaction = Extract<Transaction, { nonce: number }>;

/** A change of the voters that the operator's device has signed. */
export type KeptVotersTransaction = VotersTransaction & { device: number };

/** Whether a household signed it with a nonce. */
export function isAct(transaction: Transaction): transaction is ActTransaction {
	return "nonce" in transaction && !isKeptVoters(transaction);
}

export function isKeptVoters(transaction: Transaction): transaction is KeptVotersTransaction {
	return transaction.kind === "voters" && transaction.device !== undefined;
}

/** A transaction without its signature: what its author fills in. */
export type Unsigned<T extends Transaction> = T extends Transaction ? Omit<T, SignatureName> : never;

const BY_NAME: ReadonlyMap<string, Kind<Transaction>> = new Map(KINDS.map((kind) => [kind.name, kind]));
const NUMBERS: ReadonlyMap<string, number> = new Map(KINDS.map(({ name }, number) => [name, number]));

/** What is known of a kind by its name. */
export function kindNamed(name: TransactionKind): Kind<Transaction> {
	const kind = BY_NAME.get(name);
	assert(kind !== undefined, "every kind is on the list");
	return kind;
}

/** By its number on the wire; undefined: there is none. */
export function kindNumbered(number: number): Kind<Transaction> | undefined {
	return KINDS[number];
}

/** A kind's number on the wire. */
export function numberOf(name: TransactionKind): number {
	const number = NUMBERS.get(name);
	assert(number !== undefined, "every kind is on the list");
	return number;
}

/** The hash function under whose tag a kind is signed. */
export function digestOf(kind: TransactionKind): TaggedHash {
	return kindNamed(kind).digest;
}

/** The body as it is signed: absolute minutes, no signature. */
export function bodyFields(transaction: Unsigned<Transaction>): CborValue[] {
	return kindNamed(transaction.kind).fields(transaction as Transaction);
}

/** The transaction's id, and what its author signs: H(kind, gridId ‖ body). */
export function transactionId(transaction: Unsigned<Transaction>, gridId: Uint8Array): Uint8Array {
	return digestOf(transaction.kind)(gridId, encode(bodyFields(transaction)));
}
