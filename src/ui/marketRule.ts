/** How the rules of the automatic market are called, and what each means. */
import type { AutomaticMarketView } from "../node/view.js";
import { m } from "./paraglide/messages.js";

type MarketChoice = AutomaticMarketView["choice"];
export type MatchingRule = Exclude<MarketChoice, "none">;

const RULES: Record<MarketChoice, { name: () => string; text: () => string }> = {
	midMarket: { name: m.rule_midMarket, text: m.rule_midMarket_text },
	uniform: { name: m.rule_uniform, text: m.rule_uniform_text },
	pairwise: { name: m.rule_pairwise, text: m.rule_pairwise_text },
	balance: { name: m.rule_balance, text: m.rule_balance_text },
	none: { name: m.rule_none, text: m.rule_none_text },
};

/** In the order in which they are offered. */
export const CHOICES = Object.keys(RULES) as MarketChoice[];

/** Those by which something is matched. */
export const MATCHING_RULES = CHOICES.filter((choice) => choice !== "none");

/** A rule of which a record says the name. */
export function ruleName(choice: string): string {
	return CHOICES.find((each) => each === choice) === undefined ? choice : RULES[choice as MarketChoice].name();
}

export function ruleText(choice: MarketChoice): string {
	return RULES[choice].text();
}
