/** How the kinds of money are called that are worth NOK, and what each means. */
import type { MoneyProposalView } from "../node/view.js";
import { m } from "./paraglide/messages.js";

type RealMoneyKind = MoneyProposalView["moneyKind"];

const KINDS: Record<RealMoneyKind, { name: () => string; text: () => string }> = {
	prepaid: { name: m.found_money_prepaid, text: m.found_money_prepaid_text },
	monthly: { name: m.found_money_monthly, text: m.found_money_monthly_text },
};

/** In the order in which they are offered. */
export const REAL_MONEY_KINDS = Object.keys(KINDS) as RealMoneyKind[];

/** A kind of which a record says the name. */
export function moneyKindName(kind: string): string {
	const known = REAL_MONEY_KINDS.find((each) => each === kind);
	return known === undefined ? kind : KINDS[known].name();
}

export function moneyKindText(kind: RealMoneyKind): string {
	return KINDS[kind].text();
}
