/** What the operator decides for the neighbourhood. */
import type { IceServersTransaction, RenameTransaction, RoleTransaction } from "../block/transaction.js";
import { changeHousehold, type Draft } from "./ledger.js";
import type { Refusal } from "./refusal.js";

/** Through which servers the devices are to reach one another, in place of those before. */
export function applyIceServers(draft: Draft, { member, servers }: IceServersTransaction): Refusal | undefined {
	if (!isOperator(draft, member)) return { code: "not-operator" };
	draft.iceServers = servers;
	return undefined;
}

/** A household gets another name: the one that it joined with was misspelt, or others live there now. */
export function applyRename(draft: Draft, { member, household, name }: RenameTransaction): Refusal | undefined {
	if (!isOperator(draft, member)) return { code: "not-operator" };
	if (draft.households[household] === undefined) return { code: "unknown-member", member: household };
	changeHousehold(draft, household, { name });
	return undefined;
}

/** A household becomes an operator, or is none any more. One stays: nobody could invite or let devices vote. */
export function applyRole(draft: Draft, { member, household, operator }: RoleTransaction): Refusal | undefined {
	if (!isOperator(draft, member)) return { code: "not-operator" };
	const before = draft.households[household];
	if (before === undefined) return { code: "unknown-member", member: household };
	if (before.operator === operator) return { code: "role-held-already", member: household };
	const isLast = before.operator && draft.households.filter((each) => each.operator).length === 1;
	if (isLast) return { code: "last-operator" };
	changeHousehold(draft, household, { operator });
	return undefined;
}

function isOperator(draft: Draft, member: number): boolean {
	return draft.households[member]?.operator === true;
}
