/** Tokens: how they come, and how they go. */
import { act, amountMicroNok, id, moneyAct, reference } from "./fields.js";
import { kindOf, type TransactionOf } from "./kind.js";

/** Money that went through the bank. */
const transfer = {
	amountMicroNok,
	/** The bank's reference. */
	reference,
};

/** Orders tokens: the household has paid, or will pay, this many µNOK to the operator. */
export const BUY = kindOf("buy", { ...moneyAct, amountMicroNok });
export type BuyTransaction = TransactionOf<typeof BUY>;

/** The operator states that an order's money arrived; the tokens are created. */
export const ISSUE = kindOf("issue", {
	...moneyAct,
	/** Id of the `buy` (32 bytes). */
	orderId: id,
	...transfer,
});
export type IssueTransaction = TransactionOf<typeof ISSUE>;

/** Asks for NOK back: the tokens are locked at once. */
export const REDEEM = kindOf("redeem", { ...moneyAct, amountMicroNok });
export type RedeemTransaction = TransactionOf<typeof REDEEM>;

/** Takes an order back, or for a while what was asked back. */
export const CANCEL = kindOf("cancel", {
	...act,
	/** Id of the household's own `buy` or `redeem` (32 bytes). */
	orderId: id,
});
export type CancelTransaction = TransactionOf<typeof CANCEL>;

/** The operator states that the money of locked tokens was paid; they are destroyed. */
export const PAYOUT = kindOf("payout", {
	...moneyAct,
	/** Id of the transaction that asked for the money (32 bytes): the `redeem`; the `remove` or `leave` of who moves out. */
	lockId: id,
	...transfer,
});
export type PayoutTransaction = TransactionOf<typeof PAYOUT>;
