/** A bank account: the form, from what was typed to the command, and what is reviewed before it is told. */
import type { Command } from "../node/protocol.js";
import { formatBankAccount, MAX_HOLDER_LENGTH, parseBankAccount } from "../primitives/bankAccount.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Household } from "./context.js";
import { codeText } from "./lateText.svelte.js";
import { m } from "./paraglide/messages.js";
import type { Review } from "./review.js";

type Account = NonNullable<Extract<Command, { type: "account" }>["account"]>;
/** As typed. */
export type AccountFields = Record<keyof Account, string>;
export type AccountErrors = Partial<AccountFields>;

/** The account, or every field that is wrong. */
export function readAccount({
	holder,
	number,
}: AccountFields): Result<Account, { code: "bad-fields"; errors: AccountErrors }> {
	const errors: AccountErrors = {};
	// A name that was copied out of a table brings its blanks along.
	const name = holder.trim().replace(/\s+/gu, " ");
	if (name === "" || name.length > MAX_HOLDER_LENGTH) errors.holder = codeText("bad-holder");
	const parsed = parseBankAccount(number);
	if (!parsed.ok) errors.number = codeText(parsed.error.code);
	if (!parsed.ok || errors.holder !== undefined) return refused({ code: "bad-fields", errors });
	return ok({ holder: name, number: parsed.value });
}

/** Whether a household's account is for all members to see. */
function isForAll({ street }: Household): boolean {
	return street.self.operator;
}

/** The account is told to whom it concerns. `onDone`: once it is signed. */
export function accountReview(home: Household, account: Account, onDone: () => void): Review {
	const { holder } = account;
	const said = { holder, number: formatBankAccount(account.number) };
	return {
		title: isForAll(home) ? m.account_title_operator() : m.account_title_payout(),
		sentence: isForAll(home) ? m.account_review_operator(said) : m.account_review_payout(said),
		confirmLabel: m.account_submit(),
		run: async () => {
			const result = await home.client.command({ type: "account", account });
			if (result.ok) onDone();
			return result;
		},
	};
}

/** Nobody is to pay to it any more. */
export function withdrawAccountReview(home: Household): Review {
	return {
		title: m.account_withdraw(),
		sentence: isForAll(home) ? m.account_withdraw_review_operator() : m.account_withdraw_review_payout(),
		confirmLabel: m.account_withdraw(),
		run: () => home.client.command({ type: "account" }),
	};
}
