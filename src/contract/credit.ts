/**
 * Credit lines, where money is `monthly`. An operator says of each household how much it may use before it has paid for it.
 * The line is part of the household's balance, so that the market knows nothing of it: a household pays out of its balance,
 * and is through when that is 0. What it has used of the line is what is missing in the balance of it:
 *
 *     debt = line − balance    (negative: what it has of its own)
 *
 * Lines are no money. All tokens together are the money that came in and did not go out, and the lines:
 *
 *     balances + locks = issued − paid out + lines
 *
 * So the reserve, what the bank account has to hold, is issued − paid out as everywhere else. What a household has earned
 * from a neighbour on credit is there as NOK when that neighbour has paid. One that never does costs the others: the last to
 * be paid out waits for ever, unless somebody pays in its stead.
 */
import type { CreditTransaction } from "../block/kinds/treasury.js";
import { add, MAX_CIRCULATION_MICRO_NOK, subtract } from "../primitives/units.js";
import { changeHousehold, type Demand, type Draft, householdOf, type Ledger } from "./ledger.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator } from "./standing.js";

/** A line in place of the one before: the balance goes with it, up or down. */
export function applyCredit(
	draft: Draft,
	{ member, household: index, creditMicroNok }: CreditTransaction,
): Refusal | undefined {
	if (!isActingOperator(draft, member)) return { code: "not-operator" };
	if (draft.parameters.moneyKind !== "monthly") return { code: "not-monthly" };
	const household = draft.households[index];
	if (household === undefined) return { code: "unknown-member", member: index };
	const { balanceMicroNok, creditMicroNok: formerMicroNok, removal } = household;
	// What it gives back of its line makes the debt of who moves out no smaller, and no larger.
	if (removal !== undefined && creditMicroNok >= formerMicroNok) return { code: "moved-out", member: index };
	if (creditMicroNok > formerMicroNok) {
		const moreMicroNok = subtract(creditMicroNok, formerMicroNok);
		const refusal = circulationRefusal(draft, moreMicroNok);
		if (refusal !== undefined) return refusal;
		changeHousehold(draft, index, { creditMicroNok, balanceMicroNok: add(balanceMicroNok, moreMicroNok) });
		return undefined;
	}
	const lessMicroNok = subtract(formerMicroNok, creditMicroNok);
	if (balanceMicroNok < lessMicroNok) {
		return { code: "credit-in-use", usedMicroNok: subtract(formerMicroNok, balanceMicroNok), creditMicroNok };
	}
	changeHousehold(draft, index, { creditMicroNok, balanceMicroNok: subtract(balanceMicroNok, lessMicroNok) });
	return undefined;
}

/** All households' lines, µNOK. */
export function linesMicroNok({ households }: Pick<Ledger, "households">): number {
	return households.reduce((sum, { creditMicroNok }) => add(sum, creditMicroNok), 0);
}

/** The money behind the tokens, µNOK: what came in and did not go out. */
export function reserveMicroNok({ issuedMicroNok, paidOutMicroNok }: Ledger): number {
	return subtract(issuedMicroNok, paidOutMicroNok);
}

/** Why no more tokens may come into being, be it on credit: there would be too many. Undefined: they may. */
export function circulationRefusal(ledger: Ledger, moreMicroNok: number): Refusal | undefined {
	const issuedMicroNok = add(ledger.issuedMicroNok, linesMicroNok(ledger));
	return issuedMicroNok > MAX_CIRCULATION_MICRO_NOK - moreMicroNok
		? { code: "circulation-limit", issuedMicroNok }
		: undefined;
}

/** What a household has been asked to pay and has not, µNOK. */
export function demandedMicroNok({ demands }: Pick<Ledger, "demands">, member: number): number {
	let sumMicroNok = 0;
	for (const demand of demands.values())
		if (demand.member === member) sumMicroNok = add(sumMicroNok, demand.amountMicroNok);
	return sumMicroNok;
}

/** These demands are no more. */
export function dropDemands(draft: Draft, isDropped: (demand: Demand) => boolean): void {
	const left = [...draft.demands].filter(([, demand]) => !isDropped(demand));
	if (left.length < draft.demands.size) draft.demands = new Map(left);
}

/**
 * Takes the line of a household that moves out back from its balance; false: that does not cover it. With the line goes
 * what was still demanded: what has been sold since then has paid for it, and money that comes all the same belongs to
 * nothing.
 */
export function withdrawLine(draft: Draft, member: number): boolean {
	const { balanceMicroNok, creditMicroNok } = householdOf(draft, member);
	if (balanceMicroNok < creditMicroNok) return false;
	if (creditMicroNok > 0) {
		changeHousehold(draft, member, { balanceMicroNok: subtract(balanceMicroNok, creditMicroNok), creditMicroNok: 0 });
	}
	dropDemands(draft, (demand) => demand.member === member);
	return true;
}
