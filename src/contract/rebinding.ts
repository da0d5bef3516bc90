/**
 * A household that lost its words gets another key: an operator gives notice of it, and when nobody has objected for seven
 * days it takes effect by itself. The days are counted blocks, as in the reading window: while the chain stands still,
 * nobody who could object loses any of them.
 *
 * The devices go with the old key. None of them may vote by then, or the change would take a vote along (`movingOut.ts`):
 * it waits until an operator has taken them off the voters.
 */
import type { ContestTransaction, RebindTransaction } from "../block/governance.js";
import { divideFloor, MINUTES_PER_DAY, MS_PER_MINUTE } from "../primitives/units.js";
import { devicesOf, revokeAll } from "./devices.js";
import { changeHousehold, type Draft, type Ledger, type Rebinding } from "./ledger.js";
import { byRule, record } from "./operatorRecord.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator, isDue, isHouseholdKey, partyRefusal } from "./standing.js";

const NOTICE_MINUTES = 7 * MINUTES_PER_DAY;

/** How many blocks count while the notice stands. */
export function noticeBlocks({ blockIntervalMs }: Pick<Ledger["parameters"], "blockIntervalMs">): number {
	return NOTICE_MINUTES * divideFloor(MS_PER_MINUTE, blockIntervalMs);
}

/** For how many minutes of the chain somebody can still object. */
export function noticeMinutesLeft(
	{ countedTotal, parameters }: Pick<Ledger, "countedTotal" | "parameters">,
	rebinding: Rebinding,
): number {
	const blocks = Math.max(0, rebinding.countedTotal - countedTotal);
	return divideFloor(blocks, divideFloor(MS_PER_MINUTE, parameters.blockIntervalMs));
}

/** Notice of another key; in place of one that stands, whose days begin again. */
export function applyRebind(draft: Draft, { member, household, householdKey }: RebindTransaction): Refusal | undefined {
	if (!isActingOperator(draft, member)) return { code: "not-operator" };
	const stranger = partyRefusal(draft, household);
	if (stranger !== undefined) return stranger;
	if (isHouseholdKey(draft, householdKey)) return { code: "already-member" };
	// The first block past the notice: an objection in it still comes first.
	const countedTotal = draft.countedTotal + noticeBlocks(draft.parameters) + 1;
	changeHousehold(draft, household, { rebinding: { householdKey, countedTotal } });
	return undefined;
}

/** The household keeps its key. */
export function applyContest(draft: Draft, { member, household }: ContestTransaction): Refusal | undefined {
	if (member !== household && !isActingOperator(draft, member))
		return { code: "not-your-household", member: household };
	if (draft.households[household]?.rebinding === undefined) return { code: "no-rebinding", member: household };
	changeHousehold(draft, household, { rebinding: undefined });
	return undefined;
}

/** When a block ends: who has had notice for long enough gets the other key, and no device of the old one is in use. */
export function completeRebindings(draft: Draft): void {
	for (const household of draft.households) {
		const { index, rebinding } = household;
		if (rebinding === undefined || !isDue(draft, household)) continue;
		if (devicesOf(draft, index).some((device) => draft.voters.includes(device.index))) continue;
		changeHousehold(draft, index, { publicKey: rebinding.householdKey, rebinding: undefined });
		revokeAll(draft, index);
		record(draft, [{ ...byRule(draft, "rebound"), household: index }]);
	}
}
