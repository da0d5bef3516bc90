/** Objecting to a notice: the household stays as it is. */
import type { ContestTransaction } from "../block/kinds/members.js";
import { overruledRefusal } from "./appointing.js";
import { changeHousehold, type Draft } from "./ledger.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator } from "./standing.js";

/** By the household itself, or by any operator who takes the notice back. */
export function applyContest(draft: Draft, { member, household }: ContestTransaction): Refusal | undefined {
	if (member !== household && !isActingOperator(draft, member))
		return { code: "not-your-household", member: household };
	const notice = draft.households[household]?.notice;
	if (notice === undefined) return { code: "no-notice", member: household };
	// A key that was given notice of is another matter: whose it is to be may be away.
	const isOverruled = member !== household && notice.kind === "remove";
	const overruled = isOverruled ? overruledRefusal(draft, member) : undefined;
	if (overruled !== undefined) return overruled;
	changeHousehold(draft, household, { notice: undefined });
	return undefined;
}
