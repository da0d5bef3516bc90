/** What the operator decides for the neighbourhood. */
import type { RenameTransaction, RoleTransaction, SuspendTransaction } from "../block/kinds/members.js";
import type { IceServersTransaction } from "../block/kinds/network.js";
import { dropVotesFor, overruledRefusal, wantedRefusal } from "./appointing.js";
import { changeHousehold, type Draft, householdOf } from "./ledger.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator, isLastOperator, partyRefusal } from "./standing.js";

/** Through which servers the devices are to reach one another, in place of those before. */
export function applyIceServers(draft: Draft, { member, servers }: IceServersTransaction): Refusal | undefined {
	if (!isActingOperator(draft, member)) return { code: "not-operator" };
	draft.iceServers = servers;
	return undefined;
}

/** A household gets another name: the one that it joined with was misspelt, or others live there now. */
export function applyRename(draft: Draft, { member, household, name }: RenameTransaction): Refusal | undefined {
	if (!isActingOperator(draft, member)) return { code: "not-operator" };
	if (draft.households[household] === undefined) return { code: "unknown-member", member: household };
	changeHousehold(draft, household, { name });
	return undefined;
}

/** A household becomes an operator, or is none any more. One stays: nobody could invite or let devices vote. */
export function applyRole(draft: Draft, { member, household, operator }: RoleTransaction): Refusal | undefined {
	if (!isActingOperator(draft, member)) return { code: "not-operator" };
	const stranger = partyRefusal(draft, household);
	if (stranger !== undefined) return stranger;
	const before = householdOf(draft, household);
	if (before.operator === operator) return { code: "role-held-already", member: household };
	if (before.operator && isLastOperator(draft, household)) return { code: "last-operator" };
	const isOwn = member === household;
	const refusal = operator ? overruledRefusal(draft, member) : isOwn ? undefined : wantedRefusal(draft, household);
	if (refusal !== undefined) return refusal;
	// Who gives the role up does so for good, whoever wanted it.
	if (isOwn) dropVotesFor(draft, household);
	changeHousehold(draft, household, { operator });
	return undefined;
}

/** A household signs nothing new from here on, or may again. One stays that can lift it. */
export function applySuspend(draft: Draft, { member, household, suspended }: SuspendTransaction): Refusal | undefined {
	if (!isActingOperator(draft, member)) return { code: "not-operator" };
	const stranger = partyRefusal(draft, household);
	if (stranger !== undefined) return stranger;
	const before = householdOf(draft, household);
	if (before.suspended === suspended) return { code: "suspended-already", member: household };
	if (suspended && isLastOperator(draft, household)) return { code: "last-operator" };
	const wanted = suspended ? wantedRefusal(draft, household) : undefined;
	if (wanted !== undefined) return wanted;
	changeHousehold(draft, household, { suspended });
	return undefined;
}
