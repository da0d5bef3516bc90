/** What devices tell one another about households' bank accounts, as fields on the wire. */
import * as v from "valibot";
import { flag, hash, MAX_MEMBERS } from "../block/fieldShapes.js";
import { statedAccountFields, statedAccountShape } from "../block/statedAccount.js";
import type { CborValue } from "../primitives/codec.js";
import type { Message } from "./message.js";
import { list } from "./wireShapes.js";

/** Households' words in one message; who has more to tell sends several. */
export const MAX_ACCOUNTS = 100;

export type AccountMessage = Extract<Message, { type: keyof typeof ACCOUNT_SHAPES }>;

/** The fields after the type. */
export function accountFields(message: AccountMessage): CborValue[] {
	switch (message.type) {
		case "accounts":
			return [message.accounts.map(statedAccountFields)];
		case "accountsKept":
			return [message.ids, message.asks ? 1 : 0];
	}
}

/** Their shapes. A device keeps one word of each household at the most. */
export const ACCOUNT_SHAPES = {
	accounts: v.pipe(
		v.strictTuple([v.pipe(list(statedAccountShape, MAX_ACCOUNTS), v.minLength(1))]),
		v.transform(([accounts]) => ({ type: "accounts" as const, accounts })),
	),
	accountsKept: v.pipe(
		v.strictTuple([list(hash, MAX_MEMBERS), flag]),
		v.transform(([ids, asks]) => ({ type: "accountsKept" as const, ids, asks })),
	),
};
