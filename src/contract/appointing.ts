/**
 * Whom the households want for an operator, where the operator's key was lost or is in wrong hands. Each household has one
 * vote, and it stands until the household withdraws or changes it, or one of the two has moved out. Whom more than two
 * thirds of the households want is an operator at the end of every block, and no operator takes that back: whoever has
 * got hold of an operator's key can do all that an operator may, so that nothing of it may undo what the votes have done.
 */
import type { AppointTransaction } from "../block/kinds/members.js";
import { changeHousehold, type Draft, householdOf } from "./ledger.js";
import { byRule, record } from "./operatorRecord.js";
import type { Refusal } from "./refusal.js";
import { type Electorate, electorsOf, isActingOperator, isMoreThanTwoThirds, partyRefusal } from "./standing.js";

/** A household says whom it wants for an operator, be it one already: so it stays one. */
export function applyAppoint(draft: Draft, { member, household }: AppointTransaction): Refusal | undefined {
	if (householdOf(draft, member).appoints === household) return { code: "vote-unchanged" };
	const stranger = household === undefined ? undefined : partyRefusal(draft, household);
	if (stranger !== undefined) return stranger;
	changeHousehold(draft, member, { appoints: household });
	return undefined;
}

/** Whom more than two thirds of the households want: never more than one. Who moves out could not act as an operator. */
export function wantedHousehold(ledger: Electorate): number | undefined {
	const electors = electorsOf(ledger);
	const votes = new Map<number, number>();
	for (const { appoints } of electors) {
		if (appoints !== undefined) votes.set(appoints, (votes.get(appoints) ?? 0) + 1);
	}
	const [wanted] = [...votes].find(([, count]) => isMoreThanTwoThirds(count, electors.length)) ?? [];
	return wanted === undefined || ledger.households[wanted]?.removal !== undefined ? undefined : wanted;
}

/** Why an operator cannot dismiss a household, suspend it or let it move out; undefined: its neighbours let it. */
export function wantedRefusal(ledger: Electorate, household: number): Refusal | undefined {
	return wantedHousehold(ledger) === household ? { code: "wanted-by-households", member: household } : undefined;
}

/**
 * Why another operator may not give a role or take a notice back; undefined: nobody is wanted, or it is the one. Who is
 * wanted could not keep up with operators that a thief has made, and that make one another.
 */
export function overruledRefusal(ledger: Electorate, member: number): Refusal | undefined {
	const wanted = wantedHousehold(ledger);
	return wanted === undefined || wanted === member ? undefined : { code: "another-wanted", member: wanted };
}

/** When a block ends: who is wanted acts as an operator. Whoever suspended it, or wants it to move out, is overruled. */
export function countVotes(draft: Draft): void {
	const wanted = wantedHousehold(draft);
	if (wanted === undefined) return;
	const { notice } = householdOf(draft, wanted);
	const isToMoveOut = notice?.kind === "remove";
	// Said once: from here on nobody but the households can change it.
	if (isActingOperator(draft, wanted) && !isToMoveOut) return;
	changeHousehold(draft, wanted, { operator: true, suspended: false, notice: isToMoveOut ? undefined : notice });
	record(draft, [{ ...byRule(draft, "appointed"), household: wanted }]);
}

/** What was meant for a household that has moved out is void. */
export function dropVotesFor(draft: Draft, household: number): void {
	for (const { index, appoints } of draft.households) {
		if (appoints === household) changeHousehold(draft, index, { appoints: undefined });
	}
}
