/** Tokens: how they come, and how they go. */
import * as v from "valibot";
import * as shapes from "../fieldShapes.js";
import {
	act,
	amountMicroNok,
	amountOrNothingMicroNok,
	id,
	member,
	minute,
	moneyAct,
	perhaps,
	reference,
} from "./fields.js";
import { MONEY_KINDS, type RealMoneyKind, realMoneyShape } from "./founding.js";
import { type Field, kindOf, type TransactionOf } from "./kind.js";

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
	/** Id of the `buy` (32 bytes), or of the demand (`netting.ts`). */
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
	/**
	 * Id of what asked for the money (32 bytes): the `redeem`; the `remove` or `leave` of who moves out; of a month's netting.
	 */
	lockId: id,
	...transfer,
});
export type PayoutTransaction = TransactionOf<typeof PAYOUT>;

/** The operator says how much of its balance a household may use before it has paid for it; 0: nothing. */
export const CREDIT = kindOf("credit", {
	...moneyAct,
	/** Member index of the household. */
	household: member,
	/** In place of what it was before. */
	creditMicroNok: amountOrNothingMicroNok,
});
export type CreditTransaction = TransactionOf<typeof CREDIT>;

/**
 * The operator states what the bank account with the members' money holds, and what has come and gone there since the
 * statement before that belongs to no tokens.
 */
export const BANK = kindOf("bank", {
	...moneyAct,
	/** In which the account held so much. */
	minute,
	balanceMicroNok: amountOrNothingMicroNok,
	/** Taken by the bank, and given. */
	feesMicroNok: amountOrNothingMicroNok,
	interestMicroNok: amountOrNothingMicroNok,
	/** Came, and belongs to no order. */
	unmatchedMicroNok: amountOrNothingMicroNok,
	/** Of all such money so far: has found its order, or was sent back. */
	clearedMicroNok: amountOrNothingMicroNok,
});
export type BankTransaction = TransactionOf<typeof BANK>;

/** A household has seen the same balance on the bank's own statement. */
export const BANK_CONFIRM = kindOf("bankConfirm", {
	...act,
	/** Id of the `bank` (32 bytes). */
	statementId: id,
});
export type BankConfirmTransaction = TransactionOf<typeof BANK_CONFIRM>;

/** Tokens that are worth NOK, in place of trial kroner. */
export interface RealMoney {
	readonly moneyKind: RealMoneyKind;
	/** Why the utility does not bill the same energy as well: a common meter, a written agreement. */
	readonly reason: string;
}

const realMoney: Field<RealMoney> = {
	shape: v.pipe(
		v.strictTuple([realMoneyShape, shapes.reason]),
		v.transform(([moneyKind, reason]) => ({ moneyKind, reason })),
	),
	write: ({ moneyKind, reason }) => [MONEY_KINDS.indexOf(moneyKind), reason],
};

/** The operator proposes that trial kroner end and tokens are worth NOK; in place of what was proposed before. */
export const MONEY = kindOf("money", {
	...moneyAct,
	/** Undefined: what was proposed is taken back. */
	proposed: perhaps(realMoney),
});
export type MoneyTransaction = TransactionOf<typeof MONEY>;

/** A household agrees to it. */
export const MONEY_CONFIRM = kindOf("moneyConfirm", {
	...moneyAct,
	/** Id of the `money` (32 bytes). */
	proposalId: id,
});
export type MoneyConfirmTransaction = TransactionOf<typeof MONEY_CONFIRM>;
