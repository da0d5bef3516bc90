/**
 * The bank account that holds the money of the tokens. An operator states its balance, and what has come and gone there
 * that belongs to no tokens; a second household confirms that it has seen the same number. Tokens are issued and destroyed
 * all the time, so a balance is compared with what was in circulation where its statement stands in the chain, and what
 * has happened since is left to the next one: who states a balance has first put on the chain what the bank has done.
 */
import type { BankConfirmTransaction, BankTransaction } from "../block/kinds/treasury.js";
import { equalBytes } from "../primitives/bytes.js";
import { add, MAX_AMOUNT_MICRO_NOK, minuteOf, subtract } from "../primitives/units.js";
import type { BankStatement, Draft, Ledger } from "./ledger.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator } from "./standing.js";

/** A balance in place of the one before; fees, interest and unmatched money add up. */
export function applyBank(draft: Draft, bank: BankTransaction, id: Uint8Array): Refusal | undefined {
	const { member, minute, balanceMicroNok } = bank;
	if (!isActingOperator(draft, member)) return { code: "not-operator" };
	if (!hasBank(draft)) return { code: "no-bank" };
	const now = minuteOf(draft.timestampMs);
	if (minute > now) return { code: "bank-in-future", minute: now };
	const before = draft.bank;
	if (before !== undefined && minute < before.minute) return { code: "bank-older", minute: before.minute };
	const openMicroNok = add(before?.unmatchedMicroNok ?? 0, bank.unmatchedMicroNok);
	if (bank.clearedMicroNok > openMicroNok) {
		return { code: "bank-cleared-too-much", openMicroNok, amountMicroNok: bank.clearedMicroNok };
	}
	const sums = {
		circulationMicroNok: subtract(draft.issuedMicroNok, draft.paidOutMicroNok),
		feesMicroNok: add(before?.feesMicroNok ?? 0, bank.feesMicroNok),
		interestMicroNok: add(before?.interestMicroNok ?? 0, bank.interestMicroNok),
		unmatchedMicroNok: subtract(openMicroNok, bank.clearedMicroNok),
	};
	// So that their sum is a safe integer, whoever states what.
	if (Object.values(sums).some((sum) => sum > MAX_AMOUNT_MICRO_NOK)) return { code: "bank-limit" };
	const { timestampMs } = draft;
	draft.bank = { id, member, minute, timestampMs, balanceMicroNok, ...sums, confirmed: before?.confirmed };
	return undefined;
}

/** In place of the confirmation before; again where that has grown old. */
export function applyBankConfirm(draft: Draft, confirm: BankConfirmTransaction): Refusal | undefined {
	const { member, statementId } = confirm;
	if (!hasBank(draft)) return { code: "no-bank" };
	const { bank, timestampMs } = draft;
	if (bank === undefined || !equalBytes(bank.id, statementId)) return { code: "unknown-statement" };
	if (bank.member === member) return { code: "own-statement" };
	draft.bank = { ...bank, confirmed: { statementId, member, timestampMs } };
	return undefined;
}

/** Whether there is money behind the tokens. */
function hasBank({ parameters }: Pick<Ledger, "parameters">): boolean {
	return parameters.moneyKind !== "trial";
}

/** What the account should hold, by the tokens and by all that was explained; negative where fees exceed it all. */
export function expectedMicroNok(bank: BankStatement): number {
	const { circulationMicroNok, interestMicroNok, unmatchedMicroNok, feesMicroNok } = bank;
	return add(circulationMicroNok, add(interestMicroNok, unmatchedMicroNok)) - feesMicroNok;
}

/** What the account holds beyond that; negative: what is missing, and nobody has said why. */
export function differenceMicroNok(bank: BankStatement): number {
	return bank.balanceMicroNok - expectedMicroNok(bank);
}

/** Why no tokens are to be made: money is missing for those that there are. Undefined: they may. */
export function shortfallRefusal({ bank }: Pick<Ledger, "bank">): Refusal | undefined {
	const difference = bank === undefined ? 0 : differenceMicroNok(bank);
	return difference < 0 ? { code: "bank-shortfall", shortfallMicroNok: -difference } : undefined;
}
