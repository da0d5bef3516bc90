/**
 * A household's word about its bank account. It is on no chain: neighbours' devices tell it to whom it concerns, so it
 * stands for itself by the household's signature, which is worth nothing in another neighbourhood.
 */
import * as v from "valibot";
import { isBankAccount, MAX_HOLDER_LENGTH } from "../primitives/bankAccount.js";
import { compareBytes } from "../primitives/bytes.js";
import { type CborValue, encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";
import { member, perhaps, signature, text, timestampMs } from "./fieldShapes.js";

export interface BankAccount {
	/** Whose it is, as the bank knows it. */
	readonly holder: string;
	/** As `parseBankAccount` gives it. */
	readonly number: string;
}

export interface StatedAccount {
	/** Member index of the household. */
	readonly member: number;
	/** By its device's clock (chain time): of two words of a household the later one holds. */
	readonly timestampMs: number;
	/** Undefined: it has taken back what it said. */
	readonly account: BankAccount | undefined;
	/** The household's. */
	readonly signature: Uint8Array;
}

const hashAccount = taggedHash("account");

/** What the household signs, and by which its word is named. */
export function statedAccountId(stated: Omit<StatedAccount, "signature">, gridId: Uint8Array): Uint8Array {
	return hashAccount(gridId, encode(saidFields(stated)));
}

/** Whether a household's word, of this id, holds instead of another one. Of two of the same moment everybody takes the same. */
export function isNewer(
	[stated, id]: [Pick<StatedAccount, "timestampMs">, Uint8Array],
	[other, otherId]: [Pick<StatedAccount, "timestampMs">, Uint8Array],
): boolean {
	if (stated.timestampMs !== other.timestampMs) return stated.timestampMs > other.timestampMs;
	return compareBytes(id, otherId) > 0;
}

export function isSameAccount(one: BankAccount | undefined, other: BankAccount | undefined): boolean {
	return one?.holder === other?.holder && one?.number === other?.number;
}

function saidFields({ member, timestampMs, account }: Omit<StatedAccount, "signature">): CborValue[] {
	return [member, timestampMs, bankAccountFields(account)];
}

export function statedAccountFields(stated: StatedAccount): CborValue {
	return [...saidFields(stated), stated.signature];
}

/** None, or one. */
export function bankAccountFields(account: BankAccount | undefined): CborValue {
	return account === undefined ? [] : [[account.holder, account.number]];
}

/** One line, no blanks at either end: a name that a screen can show, and a bank takes, as it is. */
export const holderShape = v.pipe(
	text(MAX_HOLDER_LENGTH),
	v.regex(/^[^\p{C}\p{Z}](?:[^\p{C}\p{Zl}\p{Zp}]*[^\p{C}\p{Z}])?$/u),
);

export const bankAccountShape: v.GenericSchema<unknown, BankAccount | undefined> = perhaps(
	v.pipe(
		v.strictTuple([holderShape, v.pipe(v.string(), v.check(isBankAccount))]),
		v.transform(([holder, number]): BankAccount => ({ holder, number })),
	),
);

/** Its signature is not checked here. */
export const statedAccountShape = v.pipe(
	v.strictTuple([member, timestampMs, bankAccountShape, signature]),
	v.transform(
		([member, timestampMs, account, signature]): StatedAccount => ({ member, timestampMs, account, signature }),
	),
);
