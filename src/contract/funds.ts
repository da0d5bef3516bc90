/**
 * What a household can pay a minute's energy with. Tokens that it has asked money back for are locked, and yet they still
 * pay for the minutes that had ended by then: nobody consumes on credit by redeeming in time.
 */
import { add, minuteOf, subtract } from "../primitives/units.js";
import { changeHousehold, type Draft, householdOf, type Ledger, type Lock } from "./ledger.js";

/** All that a household can pay a minute's energy with, µNOK. */
export function fundsFor(ledger: Ledger, member: number, minute: number): number {
	const { balanceMicroNok } = householdOf(ledger, member);
	return locksFor(ledger, member, minute).reduce(
		(sum, [, { amountMicroNok }]) => add(sum, amountMicroNok),
		balanceMicroNok,
	);
}

/** Takes what a minute's energy costs: out of the balance first, then out of the locks, the oldest first. */
export function pay(draft: Draft, member: number, minute: number, amountMicroNok: number): void {
	const { balanceMicroNok } = householdOf(draft, member);
	const ofBalanceMicroNok = Math.min(balanceMicroNok, amountMicroNok);
	changeHousehold(draft, member, { balanceMicroNok: subtract(balanceMicroNok, ofBalanceMicroNok) });
	let owedMicroNok = subtract(amountMicroNok, ofBalanceMicroNok);
	if (owedMicroNok === 0) return;
	const locks = new Map(draft.locks);
	for (const [id, lock] of locksFor(draft, member, minute)) {
		const ofLockMicroNok = Math.min(lock.amountMicroNok, owedMicroNok);
		const leftMicroNok = subtract(lock.amountMicroNok, ofLockMicroNok);
		if (leftMicroNok === 0) locks.delete(id);
		else locks.set(id, { ...lock, amountMicroNok: leftMicroNok });
		owedMicroNok -= ofLockMicroNok;
		if (owedMicroNok === 0) break;
	}
	draft.locks = locks;
}

/** A household's locks that pay for a minute: those that were made when it had ended. Oldest first. */
function locksFor({ locks }: Ledger, member: number, minute: number): [string, Lock][] {
	if (locks.size === 0) return [];
	return [...locks].filter(([, lock]) => lock.member === member && minute < minuteOf(lock.timestampMs));
}
