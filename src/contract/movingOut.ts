/**
 * Moving out. A household does so by its own word, or an operator gives notice of it (`notices.ts`), and until that is over
 * the household lives on as before. From the next minute on it neither trades nor meters; what it has is locked when all of
 * its minutes have settled, and when that has been paid out its devices go out of use. Its index stays its own. Until then it
 * has a say about the operator: who has got hold of the operator's key must not come to be alone by removing everybody else.
 *
 * Where it has a credit line (`credit.ts`), that is withdrawn from its balance first, and what is left is locked. Has it used
 * more of it than it has, a demand for what is missing comes into being, and the removal waits until an operator has issued
 * it: until then the household owes its neighbours money, and everybody sees that it does. Nobody writes a debt off by a
 * word: when it does not pay, the loss is covered by whoever pays in its stead, in NOK.
 *
 * Who votes is said by `voters` transactions alone, or nobody could check a certificate without executing the chain. So a
 * removal takes no vote along: it is completed only when an operator has taken the household's devices off the voters.
 */
import type { LeaveTransaction, RemoveTransaction } from "../block/kinds/members.js";
import { minuteOf } from "../primitives/units.js";
import { dropVotesFor, overruledRefusal, wantedRefusal } from "./appointing.js";
import { awaitsMatching } from "./automaticMarket.js";
import { paysClaims } from "./correcting.js";
import { withdrawLine } from "./credit.js";
import { devicesOf, revokeAll } from "./devices.js";
import { requireNewKey } from "./keyRotation.js";
import { changeHousehold, type Draft, householdOf, type Ledger, type Removal } from "./ledger.js";
import { endTrade, hasLiveContracts } from "./market.js";
import { demandDebt } from "./netting.js";
import { giveNotice, isDue } from "./notices.js";
import { byRule, record } from "./operatorRecord.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator, isLastOperator, isNewcomer, partyRefusal } from "./standing.js";
import { dropOrders, lockBalance } from "./treasury.js";
import { successionRefusal } from "./voters.js";

/** What a removal waits for: minutes that have not settled, money that it owes, a payout, devices that still vote. */
export type RemovalStep = "settling" | "debt" | "payout" | "voters" | "completed";

/** Notice that a household moves out; who has just come goes at once. An operator stays, and somebody who can vote. */
export function applyRemove(
	draft: Draft,
	{ member, household }: RemoveTransaction,
	id: Uint8Array,
): Refusal | undefined {
	if (!isActingOperator(draft, member)) return { code: "not-operator" };
	const stranger = partyRefusal(draft, household);
	if (stranger !== undefined) return stranger;
	if (isActingOperator(draft, household) && isLastOperator(draft, household)) return { code: "last-operator" };
	const isOwn = member === household;
	const refusal = (isOwn ? undefined : wantedRefusal(draft, household)) ?? successionRefusal(draft, household);
	if (refusal !== undefined) return refusal;
	if (isOwn) dropVotesFor(draft, household);
	// An invitation can be taken back while it is new: else whom a thief has invited could object until it has a say.
	const isAtOnce = isNewcomer(draft, householdOf(draft, household)) && overruledRefusal(draft, member) === undefined;
	if (isAtOnce) beginRemoval(draft, household, id);
	else giveNotice(draft, household, { kind: "remove", id });
	return undefined;
}

/** A household moves out by its own word, and without notice: it is its own membership. */
export function applyLeave(draft: Draft, { member }: LeaveTransaction, id: Uint8Array): Refusal | undefined {
	if (isActingOperator(draft, member) && isLastOperator(draft, member)) return { code: "last-operator" };
	const refusal = successionRefusal(draft, member);
	if (refusal !== undefined) return refusal;
	dropVotesFor(draft, member);
	beginRemoval(draft, member, id);
	return undefined;
}

/**
 * When a block ends, before contracts are finished: who has had notice for long enough begins to move out. Who has come to
 * be the last operator meanwhile waits for another; the households' choice waits until the votes have overruled it.
 */
export function beginRemovals(draft: Draft): void {
	for (const { index, notice } of draft.households) {
		if (notice?.kind !== "remove" || !isDue(draft, notice)) continue;
		if (isActingOperator(draft, index) && isLastOperator(draft, index)) continue;
		if (wantedRefusal(draft, index) === undefined) beginRemoval(draft, index, notice.id);
	}
}

/** A household trades and meters no more from the next minute on. `id`: of the transaction that asked for it. */
export function beginRemoval(draft: Draft, household: number, id: Uint8Array): void {
	const fromMinute = minuteOf(draft.timestampMs) + 1;
	const removal = { id, fromMinute, completed: false };
	changeHousehold(draft, household, { operator: false, removal, notice: undefined });
	endTrade(draft, household, fromMinute);
	dropOrders(draft, household);
}

/** What the removal of a household waits for; undefined: it does not move out. */
export function removalStep(ledger: Ledger, member: number): RemovalStep | undefined {
	const { balanceMicroNok, creditMicroNok, removal } = householdOf(ledger, member);
	if (removal === undefined) return undefined;
	if (removal.completed) return "completed";
	if (isSettling(ledger, member, removal)) return "settling";
	// What its balance covers of the line is withdrawn as soon as it does.
	if (creditMicroNok > 0) return "debt";
	const isOwed = balanceMicroNok > 0 || [...ledger.locks.values()].some((lock) => lock.member === member);
	if (isOwed) return "payout";
	return "voters";
}

/** Whether minutes from before it moved out have not settled, or it has something for those whom it owes. */
function isSettling(ledger: Ledger, member: number, { fromMinute }: Removal): boolean {
	const isOpen = hasLiveContracts(ledger, member) || awaitsMatching(ledger, member, fromMinute);
	return isOpen || paysClaims(ledger, member);
}

/** After settlement: takes each removal as far as it can go now. */
export function completeRemovals(draft: Draft): void {
	for (const { index, removal } of draft.households) {
		if (removal === undefined || removal.completed || isSettling(draft, index, removal)) continue;
		if (!withdrawLine(draft, index)) {
			demandDebt(draft, index, removal.id);
			continue;
		}
		lockBalance(draft, index, removal.id);
		const isVoting = devicesOf(draft, index).some((device) => draft.voters.includes(device.index));
		if (isVoting || removalStep(draft, index) === "payout") continue;
		changeHousehold(draft, index, { removal: { ...removal, completed: true }, appoints: undefined });
		dropVotesFor(draft, index);
		record(draft, [{ ...byRule(draft, "movedOut"), household: index }]);
		requireNewKey(draft);
		revokeAll(draft, index);
	}
}
