/** What this device keeps of households' bank accounts: their own words, and who else keeps this household's. */
import * as v from "valibot";
import { hash, natural, perhaps, publicKey, timestampMs } from "../block/fieldShapes.js";
import {
	type BankAccount,
	bankAccountFields,
	bankAccountShape,
	type StatedAccount,
	statedAccountFields,
	statedAccountShape,
} from "../block/statedAccount.js";
import type { Result } from "../primitives/result.js";
import { decodeRecord, encodeRecord, optional, type RecordError } from "./records.js";

export interface KeptAccount {
	readonly stated: StatedAccount;
	/** By which it is named (`statedAccountId`). */
	readonly id: Uint8Array;
	/** The household's key, by which its signature was found good. */
	readonly householdKey: Uint8Array;
	/** Since when this account holds, as this device can tell (chain time): another one that it knew held until it heard of this. */
	readonly changedMs: number;
}

/** This household's account while nobody has signed it for this chain: the household's key was locked. */
export interface UnsignedAccount {
	readonly account: BankAccount;
	readonly timestampMs: number;
	readonly changedMs: number;
}

export interface AccountsRecord {
	readonly kept: readonly KeptAccount[];
	/** Keys of operators' devices that said that they keep this household's newest word. */
	readonly heldBy: readonly Uint8Array[];
	readonly unsigned: UnsignedAccount | undefined;
}

export const NO_ACCOUNTS: AccountsRecord = { kept: [], heldBy: [], unsigned: undefined };

const keptShape = v.pipe(
	v.strictTuple([statedAccountShape, hash, publicKey, natural]),
	v.transform(([stated, id, householdKey, changedMs]): KeptAccount => ({ stated, id, householdKey, changedMs })),
);

const unsignedShape = v.pipe(
	v.strictTuple([bankAccountShape, timestampMs, natural]),
	v.transform(([account, timestampMs, changedMs]) => account && { account, timestampMs, changedMs }),
);

const shape = v.pipe(
	v.strictTuple([v.array(keptShape), v.array(publicKey), perhaps(unsignedShape)]),
	v.transform(([kept, heldBy, unsigned]): AccountsRecord => ({ kept, heldBy, unsigned })),
);

export function encodeAccounts({ kept, heldBy, unsigned }: AccountsRecord): Uint8Array {
	return encodeRecord([
		kept.map(({ stated, id, householdKey, changedMs }) => [statedAccountFields(stated), id, householdKey, changedMs]),
		heldBy,
		optional(
			unsigned === undefined
				? undefined
				: [bankAccountFields(unsigned.account), unsigned.timestampMs, unsigned.changedMs],
		),
	]);
}

export function decodeAccounts(record: Uint8Array): Result<AccountsRecord, RecordError> {
	return decodeRecord(record, shape);
}
