/**
 * A household that lost its words gets another key: an operator gives notice of it (`notices.ts`), and when nobody has
 * objected it takes effect by itself. Everything else stays the household's, its vote for an operator as well.
 *
 * The devices go with the old key. None of them may vote by then, or the change would take a vote along (`movingOut.ts`):
 * it waits until an operator has taken them off the voters.
 */
import type { RebindTransaction } from "../block/kinds/members.js";
import { devicesOf, revokeAll } from "./devices.js";
import { changeHousehold, type Draft } from "./ledger.js";
import { giveNotice, isDue } from "./notices.js";
import { byRule, record } from "./operatorRecord.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator, isHouseholdKey, partyRefusal } from "./standing.js";
import { successionRefusal } from "./voters.js";

/** Notice of another key. */
export function applyRebind(draft: Draft, { member, household, householdKey }: RebindTransaction): Refusal | undefined {
	if (!isActingOperator(draft, member)) return { code: "not-operator" };
	const refusal = partyRefusal(draft, household) ?? successionRefusal(draft, household);
	if (refusal !== undefined) return refusal;
	if (isHouseholdKey(draft, householdKey)) return { code: "already-member" };
	giveNotice(draft, household, { kind: "rebind", householdKey });
	return undefined;
}

/** When a block ends: who has had notice for long enough gets the other key, and no device of the old one is in use. */
export function completeRebindings(draft: Draft): void {
	for (const { index, notice } of draft.households) {
		if (notice?.kind !== "rebind" || !isDue(draft, notice)) continue;
		if (devicesOf(draft, index).some((device) => draft.voters.includes(device.index))) continue;
		changeHousehold(draft, index, { publicKey: notice.householdKey, notice: undefined });
		revokeAll(draft, index);
		record(draft, [{ ...byRule(draft, "rebound"), household: index }]);
	}
}
