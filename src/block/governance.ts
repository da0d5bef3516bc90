/** What is decided about a household's membership: by an operator. */
import type { CborValue } from "../primitives/codec.js";
import type { HouseholdTransaction } from "./householdTransaction.js";

/** The operator suspends a household, or lifts it: it goes on metering and settling, and signs nothing new. */
export interface SuspendTransaction extends HouseholdTransaction {
	kind: "suspend";
	/** Member index. */
	household: number;
	suspended: boolean;
}

export type GovernanceTransaction = SuspendTransaction;

/** The body as it is signed. */
export function governanceFields(transaction: Omit<GovernanceTransaction, "signature">): CborValue[] {
	switch (transaction.kind) {
		case "suspend":
			return [transaction.member, transaction.nonce, transaction.household, transaction.suspended ? 1 : 0];
	}
}
