/** What neighbours put right between them when a period has settled and something about it was wrong. */
import { integer } from "../fieldShapes.js";
import { flag, id, member, minute, moneyAct, note, omittable, oneOf, plain, settlementAmount } from "./fields.js";
import { kindOf, type TransactionOf } from "./kind.js";

/** A reason's place is its number on the wire: append only. */
export const CORRECTION_REASONS = ["meterExchanged", "wrongRegister", "typedRegisters", "other"] as const;
export type CorrectionReason = (typeof CORRECTION_REASONS)[number];

/** Energy of a whole period, Wh. */
export const MAX_CORRECTED_WH = 1_000_000_000_000;

/** Proposes one net amount for a period, or without an amount disputes it. Nothing moves until the counterparty agrees. */
export const CORRECT = kindOf("correct", {
	...moneyAct,
	counterparty: member,
	fromMinute: minute,
	/** First minute after the period. */
	untilMinute: minute,
	reason: oneOf(CORRECTION_REASONS),
	/** The net energy that it is about: for people to read, nothing is reckoned with it. */
	energyWh: plain(integer(0, MAX_CORRECTED_WH)),
	/** 0: no amount is proposed, the period is disputed. */
	amountMicroNok: settlementAmount,
	/** Whether the author pays the amount, or the counterparty. */
	isPayer: flag,
	note: omittable(note),
});
export type CorrectTransaction = TransactionOf<typeof CORRECT>;

/** The counterparty agrees or declines; the author's own "no" takes it back. */
export const ANSWER = kindOf("answer", {
	...moneyAct,
	/** Id of the `correct` (32 bytes). */
	correctionId: id,
	isAgreed: flag,
	/** Why not. */
	note: omittable(note),
});
export type AnswerTransaction = TransactionOf<typeof ANSWER>;
