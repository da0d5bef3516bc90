/** Where a household stands: what an operator or the street has said about it, beside what it owns and has metered. */
import type { TransactionKind } from "../block/transaction.js";
import type { Household, Ledger } from "./ledger.js";
import type { Refusal } from "./refusal.js";

/** A household's fields that most never need: nothing is said of them until there is something to say. */
export type Standing = Pick<Household, "suspended">;

/** A household of which nothing was said. */
export const ORDINARY: Standing = { suspended: false };

/** What was said of a household; undefined: nothing. */
export function standingOf({ suspended }: Household): Standing | undefined {
	return suspended ? { suspended } : undefined;
}

/** What a suspended household may still sign: a device of its own that was stolen goes out of use all the same. */
const WHILE_SUSPENDED: ReadonlySet<TransactionKind> = new Set(["revoke"]);

/** Why nothing of this kind counts that a household signs; undefined: it does. */
export function standingRefusal({ suspended }: Household, kind: TransactionKind): Refusal | undefined {
	return suspended && !WHILE_SUSPENDED.has(kind) ? { code: "suspended" } : undefined;
}

/** Whether a household runs the neighbourhood, and may. */
export function isActingOperator({ households }: Pick<Ledger, "households">, member: number): boolean {
	const household = households[member];
	return household?.operator === true && !household.suspended;
}

/** Whether there would be no operator any more that may act, without this household. */
export function isLastOperator(ledger: Pick<Ledger, "households">, member: number): boolean {
	return !ledger.households.some(({ index }) => index !== member && isActingOperator(ledger, index));
}
