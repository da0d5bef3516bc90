/**
 * Tokens: ordered by a household, issued by the operator when the money has arrived; locked when it is to go back, and
 * destroyed when it has.
 */
import type {
	BuyTransaction,
	CancelTransaction,
	IssueTransaction,
	PayoutTransaction,
	RedeemTransaction,
} from "../block/kinds/treasury.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import { add, MAX_CIRCULATION_MICRO_NOK, minuteOf, subtract, TAKE_BACK_MINUTES } from "../primitives/units.js";
import { awaitsMatching } from "./automaticMarket.js";
import { shortfallRefusal } from "./bank.js";
import { owedMicroNok } from "./correcting.js";
import { nextCoveredMinute } from "./coverage.js";
import { changeHousehold, contractOf, type Draft, householdOf, type Ledger, type Lock } from "./ledger.js";
import type { Refusal } from "./refusal.js";

/** Of each kind. */
export const MAX_OPEN_ORDERS = 8;

export function applyBuy(draft: Draft, buy: BuyTransaction, id: Uint8Array): Refusal | undefined {
	let open = 0;
	for (const order of draft.orders.values()) if (order.member === buy.member) open += 1;
	if (open >= MAX_OPEN_ORDERS) return { code: "too-many-orders", limit: MAX_OPEN_ORDERS };
	draft.orders = new Map(draft.orders).set(toHex(id), {
		id,
		member: buy.member,
		amountMicroNok: buy.amountMicroNok,
		timestampMs: draft.timestampMs,
	});
	return undefined;
}

/** Locks tokens until their money is paid out. Play money buys nothing back. */
export function applyRedeem(draft: Draft, redeem: RedeemTransaction, id: Uint8Array): Refusal | undefined {
	const { amountMicroNok, member } = redeem;
	if (draft.parameters.moneyKind === "trial") return { code: "play-money" };
	const open = [...draft.locks.values()].filter((locked) => locked.member === member);
	if (open.length >= MAX_OPEN_ORDERS) return { code: "too-many-orders", limit: MAX_OPEN_ORDERS };
	const { balanceMicroNok } = householdOf(draft, member);
	if (balanceMicroNok < amountMicroNok) return { code: "balance-too-low", balanceMicroNok, amountMicroNok };
	const owed = owedMicroNok(draft, member);
	if (balanceMicroNok - owed < amountMicroNok) return { code: "claims-first", owedMicroNok: owed, balanceMicroNok };
	changeHousehold(draft, member, { balanceMicroNok: subtract(balanceMicroNok, amountMicroNok) });
	lock(draft, { id, member, amountMicroNok, timestampMs: draft.timestampMs });
	return undefined;
}

/** An order is taken back any time, locked tokens until they may be paid out. */
export function applyCancel(draft: Draft, { member, orderId }: CancelTransaction): Refusal | undefined {
	const key = toHex(orderId);
	const locked = draft.locks.get(key);
	const ordered = draft.orders.get(key);
	if ((locked ?? ordered)?.member !== member) return { code: "unknown-order" };
	if (locked === undefined) {
		dropOrder(draft, key);
		return undefined;
	}
	const untilMinute = takeBackUntilMinute(locked);
	if (minuteOf(draft.timestampMs) >= untilMinute) return { code: "too-late-to-cancel", untilMinute };
	unlock(draft, key);
	const { balanceMicroNok } = householdOf(draft, member);
	changeHousehold(draft, member, { balanceMicroNok: add(balanceMicroNok, locked.amountMicroNok) });
	return undefined;
}

/** First minute in which it is too late to take back what was asked for. */
export function takeBackUntilMinute({ timestampMs }: Pick<Lock, "timestampMs">): number {
	return minuteOf(timestampMs) + TAKE_BACK_MINUTES;
}

/**
 * Why the money of a lock is not to be paid out yet; undefined: it is. Who moves out has settled everything, and takes
 * nothing back.
 */
export function payoutRefusal(ledger: Ledger, { id, member, timestampMs }: Lock): Refusal | undefined {
	const { removal } = householdOf(ledger, member);
	if (removal !== undefined && equalBytes(removal.id, id)) return undefined;
	const untilMinute = takeBackUntilMinute({ timestampMs });
	if (minuteOf(ledger.timestampMs) < untilMinute) return { code: "lock-too-new", untilMinute };
	return owesMinutesBefore(ledger, member, minuteOf(timestampMs)) ? { code: "lock-unsettled" } : undefined;
}

/** Whether minutes before one have not settled that a household may have to pay for. */
function owesMinutesBefore(ledger: Ledger, member: number, minute: number): boolean {
	if (awaitsMatching(ledger, member, minute)) return true;
	return ledger.liveContracts.some((index) => {
		const contract = contractOf(ledger, index);
		if (contract.buyer !== member) return false;
		const { settledUntilMinute } = householdOf(ledger, contract.seller);
		return (nextCoveredMinute(ledger, contract, settledUntilMinute) ?? minute) < minute;
	});
}

/** What is locked was paid out in NOK: the tokens are no more. */
export function applyPayout(draft: Draft, payout: PayoutTransaction): Refusal | undefined {
	if (!householdOf(draft, payout.member).operator) return { code: "not-operator" };
	const key = toHex(payout.lockId);
	const locked = draft.locks.get(key);
	if (locked === undefined) return { code: "unknown-lock" };
	const early = payoutRefusal(draft, locked);
	if (early !== undefined) return early;
	const { amountMicroNok } = payout;
	if (locked.amountMicroNok !== amountMicroNok) {
		return { code: "amount-differs", orderedMicroNok: locked.amountMicroNok, amountMicroNok };
	}
	unlock(draft, key);
	draft.paidOutMicroNok = add(draft.paidOutMicroNok, amountMicroNok);
	return undefined;
}

/**
 * Takes everything that a household has out of its balance, until it is paid out. `id`: of what asked for it. What
 * neighbours pay it after that waits until then: the operator may be at the bank with the amount that was locked.
 */
export function lockBalance(draft: Draft, member: number, id: Uint8Array): void {
	const { balanceMicroNok } = householdOf(draft, member);
	if (balanceMicroNok === 0 || draft.locks.has(toHex(id))) return;
	lock(draft, { id, member, amountMicroNok: balanceMicroNok, timestampMs: draft.timestampMs });
	changeHousehold(draft, member, { balanceMicroNok: 0 });
}

function lock(draft: Draft, locked: Lock): void {
	draft.locks = new Map(draft.locks).set(toHex(locked.id), locked);
}

function unlock(draft: Draft, key: string): void {
	const locks = new Map(draft.locks);
	locks.delete(key);
	draft.locks = locks;
}

function dropOrder(draft: Draft, key: string): void {
	const orders = new Map(draft.orders);
	orders.delete(key);
	draft.orders = orders;
}

/** A household's orders are void. */
export function dropOrders(draft: Draft, member: number): void {
	const others = [...draft.orders].filter(([, order]) => order.member !== member);
	if (others.length < draft.orders.size) draft.orders = new Map(others);
}

export function applyIssue(draft: Draft, issue: IssueTransaction): Refusal | undefined {
	if (!householdOf(draft, issue.member).operator) return { code: "not-operator" };
	const key = toHex(issue.orderId);
	const order = draft.orders.get(key);
	if (order === undefined) return { code: "unknown-order" };
	if (order.amountMicroNok !== issue.amountMicroNok) {
		return {
			code: "amount-differs",
			orderedMicroNok: order.amountMicroNok,
			amountMicroNok: issue.amountMicroNok,
		};
	}
	if (draft.issuedMicroNok > MAX_CIRCULATION_MICRO_NOK - issue.amountMicroNok) {
		return { code: "circulation-limit", issuedMicroNok: draft.issuedMicroNok };
	}
	const shortfall = shortfallRefusal(draft);
	if (shortfall !== undefined) return shortfall;
	dropOrder(draft, key);
	draft.issuedMicroNok = add(draft.issuedMicroNok, issue.amountMicroNok);
	const household = householdOf(draft, order.member);
	changeHousehold(draft, order.member, { balanceMicroNok: add(household.balanceMicroNok, issue.amountMicroNok) });
	return undefined;
}
