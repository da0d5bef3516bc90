/** The bank's balance: the operator's form, from what was typed to the command; and what a statement says, in words. */
import type { BankAmounts, Command } from "../node/protocol.js";
import type { BankView } from "../node/view.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { MINUTES_PER_DAY, MS_PER_MINUTE } from "../primitives/units.js";
import { parseKroner } from "./amount.js";
import { minuteOfLocal } from "./calendar.js";
import { formatKroner } from "./format.js";
import { inputText } from "./inputText.js";
import { m } from "./paraglide/messages.js";

type BankField = keyof BankAmounts;
/** As typed: kroner, and the time as a field holds it. */
export type BankFields = Record<BankField | "time", string>;
export type BankErrors = Partial<Record<BankField | "time", string>>;

const AMOUNTS: readonly BankField[] = [
	"balanceMicroNok",
	"feesMicroNok",
	"interestMicroNok",
	"unmatchedMicroNok",
	"clearedMicroNok",
];

/** What the operator signs, or every field that is wrong. Nothing typed is nothing, but for the balance itself. */
export function readBank(
	fields: BankFields,
	nowMs: number,
): Result<Extract<Command, { type: "bank" }>, { code: "bad-fields"; errors: BankErrors }> {
	const errors: BankErrors = {};
	const minute = minuteOfLocal(fields.time);
	const isPast = minute !== undefined && minute * MS_PER_MINUTE <= nowMs;
	if (!isPast) errors.time = m.bank_form_bad_time();
	const amounts = Object.fromEntries(
		AMOUNTS.map((field) => {
			const isNothing = field !== "balanceMicroNok" && fields[field].trim() === "";
			const parsed = parseKroner(isNothing ? "0" : fields[field], 0);
			if (!parsed.ok) errors[field] = inputText(parsed.error, 2);
			return [field, parsed.ok ? parsed.value : 0];
		}),
	) as Record<BankField, number>;
	if (minute === undefined || Object.keys(errors).length > 0) return refused({ code: "bad-fields", errors });
	return ok({ type: "bank", minute, ...amounts });
}

/** What the account should hold, by what is in circulation now, all earlier statements and this one. */
export function expectedBalance(
	stated: BankAmounts,
	circulationMicroNok: number,
	before: Pick<BankView, "feesMicroNok" | "interestMicroNok" | "unmatchedMicroNok"> | undefined,
): number {
	const came = stated.interestMicroNok + stated.unmatchedMicroNok - stated.clearedMicroNok - stated.feesMicroNok;
	const earlier = before === undefined ? 0 : before.interestMicroNok + before.unmatchedMicroNok - before.feesMicroNok;
	return circulationMicroNok + earlier + came;
}

/** What a balance lacks, or has too much, for the review before it is signed. */
export function reviewedDifference(differenceMicroNok: number): string {
	return inWords(differenceMicroNok, m.bank_form_review_missing, m.bank_form_review_even, m.bank_form_review_surplus);
}

export function differenceText({ differenceMicroNok }: Pick<BankView, "differenceMicroNok">): string {
	return inWords(differenceMicroNok, m.bank_missing, m.bank_even, m.bank_surplus);
}

type AmountText = (inputs: { amount: string }) => string;

function inWords(differenceMicroNok: number, missing: AmountText, even: () => string, surplus: AmountText): string {
	if (differenceMicroNok === 0) return even();
	return (differenceMicroNok < 0 ? missing : surplus)({ amount: formatKroner(Math.abs(differenceMicroNok)) });
}

/** A month, as the household that confirms goes by it. */
const OLD_MS = 31 * MINUTES_PER_DAY * MS_PER_MINUTE;

/** What members are warned of, however often balances are stated; undefined: a household has looked within the month. */
export function confirmationWarning({ confirmed, atMs }: BankView, nowMs: number): string | undefined {
	if (confirmed !== undefined) {
		return nowMs - confirmed.timestampMs > OLD_MS ? m.bank_confirmation_old() : undefined;
	}
	return nowMs - atMs > OLD_MS ? m.bank_never_confirmed_old() : undefined;
}

/** Whether there is something to confirm for a household: a balance that another one stated, and nobody confirmed lately. */
export function mayConfirm(bank: BankView, member: number, nowMs: number): boolean {
	const { confirmed, statedBy } = bank;
	return statedBy !== member && (confirmed?.isOfThis !== true || nowMs - confirmed.timestampMs > OLD_MS);
}
