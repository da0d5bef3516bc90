/** What a household can do about its own money and membership, each as it is reviewed before it is done. */
import type { BankView, CreditView, MoneyProposalView, OrderView } from "../node/view.js";
import { ok } from "../primitives/result.js";
import type { Household } from "./context.js";
import { formatCount, formatDateTime, formatKroner } from "./format.js";
import { moneyKindText } from "./moneyKind.js";
import { memberName } from "./names.js";
import type { CommandResult } from "./nodeClient.svelte.js";
import { m } from "./paraglide/messages.js";
import type { Review } from "./review.js";

/** An order for tokens is taken back. */
export function cancelOrderReview({ client, street }: Household, { id, amountMicroNok }: OrderView): Review {
	const amount = formatKroner(amountMicroNok);
	const isTrial = street.moneyKind === "trial";
	return {
		title: m.balance_cancel_order(),
		sentence: isTrial ? m.balance_cancel_order_review_trial({ amount }) : m.balance_cancel_order_review({ amount }),
		confirmLabel: m.balance_cancel(),
		run: () => client.command({ type: "cancel", orderId: id }),
	};
}

/** Locked tokens go back to the balance. */
export function cancelRedemptionReview({ client }: Household, { id, amountMicroNok }: OrderView): Review {
	return {
		title: m.balance_cancel_redeem(),
		sentence: m.balance_cancel_redeem_review({ amount: formatKroner(amountMicroNok) }),
		confirmLabel: m.balance_cancel(),
		run: () => client.command({ type: "cancel", orderId: id }),
	};
}

/** The household says that it has seen the balance on the bank's own statement. */
export function confirmBankReview({ client }: Household, { id, balanceMicroNok, atMs }: BankView): Review {
	return {
		title: m.bank_confirm_title(),
		sentence: m.bank_confirm_review({ amount: formatKroner(balanceMicroNok), time: formatDateTime(atMs) }),
		confirmLabel: m.bank_confirm(),
		run: () => client.command({ type: "bankConfirm", statementId: id }),
	};
}

/** An operator says how much a household may use before it has paid. */
export function creditReview(
	{ client, street }: Household,
	{ member, lineMicroNok }: CreditView,
	creditMicroNok: number,
): Review {
	const name = memberName(street, member);
	const [amount, former] = [formatKroner(creditMicroNok), formatKroner(lineMicroNok)];
	return {
		title: m.credit_lines_title(),
		sentence: m.credit_lines_review({ name, amount, former }),
		confirmLabel: m.credit_lines_submit(),
		run: () => client.command({ type: "credit", household: member, creditMicroNok }),
	};
}

/** The same line for every household that has another one: an act for each of them, as far as none is refused. */
export function creditForAllReview(
	{ client, street }: Household,
	lines: readonly CreditView[],
	creditMicroNok: number,
): Review {
	const changed = lines.filter(({ lineMicroNok }) => lineMicroNok !== creditMicroNok);
	const names = changed.map(({ member }) => memberName(street, member)).join(", ");
	return {
		title: m.credit_lines_title(),
		sentence: m.credit_lines_review_all({ names, amount: formatKroner(creditMicroNok) }),
		confirmLabel: m.credit_lines_submit(),
		run: async () => {
			let result: CommandResult = ok({ type: "done" });
			for (const { member: household } of changed) {
				result = await client.command({ type: "credit", household, creditMicroNok });
				if (!result.ok) break;
			}
			return result;
		},
	};
}

/** An operator proposes tokens that are worth NOK in place of trial kroner. */
export function proposeMoneyReview(
	{ client, street }: Household,
	proposed: Pick<MoneyProposalView, "moneyKind" | "reason">,
): Review {
	const kind = moneyKindText(proposed.moneyKind);
	return {
		title: m.money_form_title(),
		sentence: m.money_form_review({ neighbourhood: street.neighbourhood, kind, effect: m.money_effect() }),
		confirmLabel: m.money_form_submit(),
		run: () => client.command({ type: "money", proposed }),
	};
}

/** Nothing is left of the proposal. */
export function takeMoneyBackReview({ client }: Household): Review {
	return {
		title: m.money_take_back(),
		sentence: m.money_take_back_review(),
		confirmLabel: m.money_take_back(),
		run: () => client.command({ type: "money" }),
	};
}

/** The household agrees that tokens are worth NOK. */
export function confirmMoneyReview({ client }: Household, { id, moneyKind }: MoneyProposalView): Review {
	return {
		title: m.money_confirm_title(),
		sentence: m.money_confirm_review({ kind: moneyKindText(moneyKind) }),
		confirmLabel: m.money_confirm(),
		run: () => client.command({ type: "moneyConfirm", proposalId: id }),
	};
}

/** The household moves out by its own word: nothing undoes that. */
export function leaveReview({ client, street }: Household): Review {
	const contracts = street.market.contracts.filter(({ mine, state }) => mine && state !== "ended");
	const [name, neighbourhood] = [street.self.name, street.neighbourhood];
	return {
		title: m.leave_title(),
		sentence: m.leave_review({ name, neighbourhood, contracts: formatCount(contracts.length) }),
		confirmLabel: m.leave_button(),
		statement: {
			warning: m.leave_warning(),
			title: m.leave_statement(),
			text: m.leave_statement_text(),
			unticked: m.leave_unticked(),
		},
		run: () => client.command({ type: "leave" }),
	};
}
