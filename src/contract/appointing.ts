/**
 * A new operator where none can act any more: its key was lost, or is in wrong hands. Each household has one vote, which
 * it may change or take back; more than two thirds of those that have not moved out make a household an operator.
 */
import type { AppointTransaction } from "../block/governance.js";
import { changeHousehold, type Draft } from "./ledger.js";
import { byRule, record } from "./operatorRecord.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator, isMoreThanTwoThirds, membersOf, partyRefusal } from "./standing.js";

/** A household says whom it wants for an operator. Whether they are enough is looked at when the block ends. */
export function applyAppoint(draft: Draft, { member, household }: AppointTransaction): Refusal | undefined {
	if (draft.households[member]?.appoints === household) return { code: "vote-unchanged" };
	if (household !== undefined) {
		const stranger = partyRefusal(draft, household);
		if (stranger !== undefined) return stranger;
		if (isActingOperator(draft, household)) return { code: "role-held-already", member: household };
	}
	changeHousehold(draft, member, { appoints: household });
	return undefined;
}

/** Makes an operator of whom enough households want. All votes have then done what they were for. */
export function countVotes(draft: Draft): void {
	const members = membersOf(draft);
	const voting = members.filter(({ appoints }) => appoints !== undefined);
	for (const { index } of members) {
		const votes = voting.filter(({ appoints }) => appoints === index).length;
		if (votes === 0 || !isMoreThanTwoThirds(votes, members.length)) continue;
		// So many want it to act: whoever suspended it is overruled.
		changeHousehold(draft, index, { operator: true, suspended: false });
		for (const voter of voting) changeHousehold(draft, voter.index, { appoints: undefined });
		record(draft, [{ ...byRule(draft, "appointed"), household: index }]);
		return;
	}
}

/** What was meant for a household is void: it moves out, or an operator has decided about its role. */
export function dropVotesFor(draft: Draft, household: number): void {
	for (const { index, appoints } of draft.households) {
		if (appoints === household) changeHousehold(draft, index, { appoints: undefined });
	}
}
