/** Objecting to a notice: the household stays as it is. */
import type { ContestTransaction } from "../block/governance.js";
import { overruledRefusal } from "./appointing.js";
import { changeHousehold, type Draft } from "./ledger.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator } from "./standing.js";

/** By the household itself, or by any operator who takes the notice back. */
export function applyContest(draft: Draft, { member, household }: ContestTransaction): Refusal | undefined {
	if (member !== household && !isActingOperator(draft, member))
		return { code: "not-your-household", member: household };
	const overruled = member === household ? undefined : overruledRefusal(draft, member);
	if (overruled !== undefined) return overruled;
	if (draft.households[household]?.notice === undefined) return { code: "no-notice", member: household };
	changeHousehold(draft, household, { notice: undefined });
	return undefined;
}
