/** Tokens: how they come, and how they go. */
import { amountMicroNok, id, moneyAct, reference } from "./fields.js";
import { kindOf, type TransactionOf } from "./kind.js";

/** Orders tokens: the household has paid, or will pay, this many µNOK to the operator. */
export const BUY = kindOf("buy", { ...moneyAct, amountMicroNok });
export type BuyTransaction = TransactionOf<typeof BUY>;

/** The operator states that an order's money arrived; the tokens are created. */
export const ISSUE = kindOf("issue", {
	...moneyAct,
	/** Id of the `buy` (32 bytes). */
	orderId: id,
	amountMicroNok,
	/** The bank's reference. */
	reference,
});
export type IssueTransaction = TransactionOf<typeof ISSUE>;

/** The operator states that the money of locked tokens was paid; they are destroyed. */
export const PAYOUT = kindOf("payout", {
	...moneyAct,
	/** Id of the transaction that asked for the money (32 bytes): the `remove` of who moves out. */
	lockId: id,
	amountMicroNok,
	/** The bank's reference. */
	reference,
});
export type PayoutTransaction = TransactionOf<typeof PAYOUT>;
