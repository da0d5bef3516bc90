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
import { add, minuteOf, subtract, TAKE_BACK_MINUTES } from "../primitives/units.js";
import { awaitsMatching } from "./automaticMarket.js";
import { shortfallRefusal } from "./bank.js";
import { owedMicroNok } from "./correcting.js";
import { nextCoveredMinute } from "./coverage.js";
import { circulationRefusal, dropDemands, reserveMicroNok } from "./credit.js";
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

/** Locks tokens until their money is paid out. Play money buys nothing back, nor does what is on credit. */
export function applyRedeem(draft: Draft, redeem: RedeemTransaction, id: Uint8Array): Refusal | undefined {
	const { amountMicroNok, member } = redeem;
	if (draft.parameters.moneyKind === "trial") return { code: "play-money" };
	const open = [...draft.locks.values()].filter((locked) => locked.member === member);
	if (open.length >= MAX_OPEN_ORDERS) return { code: "too-many-orders", limit: MAX_OPEN_ORDERS };
	const { balanceMicroNok, creditMicroNok } = householdOf(draft, member);
	if (balanceMicroNok < amountMicroNok) return { code: "balance-too-low", balanceMicroNok, amountMicroNok };
	const ownMicroNok = balanceMicroNok - creditMicroNok;
	if (ownMicroNok < amountMicroNok) {
		return { code: "credit-not-yours", ownMicroNok: Math.max(0, ownMicroNok), creditMicroNok, amountMicroNok };
	}
	const owed = owedMicroNok(draft, member);
	if (ownMicroNok - owed < amountMicroNok) return { code: "claims-first", owedMicroNok: owed, balanceMicroNok };
	lockAmount(draft, member, amountMicroNok, id);
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

/** Why the money of a lock is not to be paid out yet; undefined: it is. */
export function payoutRefusal(ledger: Ledger, lock: Lock): Refusal | undefined {
	return earlyRefusal(ledger, lock) ?? reserveRefusal(ledger, lock);
}

/** Who moves out has settled everything, and takes nothing back. */
function earlyRefusal(ledger: Ledger, { id, member, timestampMs }: Lock): Refusal | undefined {
	const { removal } = householdOf(ledger, member);
	if (removal !== undefined && equalBytes(removal.id, id)) return undefined;
	const untilMinute = takeBackUntilMinute({ timestampMs });
	if (minuteOf(ledger.timestampMs) < untilMinute) return { code: "lock-too-new", untilMinute };
	return owesMinutesBefore(ledger, member, minuteOf(timestampMs)) ? { code: "lock-unsettled" } : undefined;
}

/** On credit others are paid before all have paid: nobody is paid out of money that is not there. */
function reserveRefusal(ledger: Ledger, { amountMicroNok }: Lock): Refusal | undefined {
	const reserve = reserveMicroNok(ledger);
	return reserve < amountMicroNok ? { code: "reserve-too-low", reserveMicroNok: reserve, amountMicroNok } : undefined;
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
	const refusal = payoutRefusal(draft, locked);
	if (refusal !== undefined) return refusal;
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
	lockAmount(draft, member, balanceMicroNok, id);
}

/** Takes an amount out of a household's balance, which must have it, until it is paid out. `id`: of what asked for it. */
export function lockAmount(draft: Draft, member: number, amountMicroNok: number, id: Uint8Array): void {
	const { balanceMicroNok } = householdOf(draft, member);
	changeHousehold(draft, member, { balanceMicroNok: subtract(balanceMicroNok, amountMicroNok) });
	const { timestampMs } = draft;
	draft.locks = new Map(draft.locks).set(toHex(id), { id, member, amountMicroNok, timestampMs });
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

/** All tokens are void, and all that was asked for: it is as if none had ever been issued. */
export function voidTokens(draft: Draft): void {
	for (const { index, balanceMicroNok } of draft.households) {
		if (balanceMicroNok > 0) changeHousehold(draft, index, { balanceMicroNok: 0 });
	}
	draft.orders = new Map();
	draft.locks = new Map();
	draft.issuedMicroNok = 0;
	draft.paidOutMicroNok = 0;
}

/** What the operator states arrived for an order, or for a demand. */
export function applyIssue(draft: Draft, issue: IssueTransaction): Refusal | undefined {
	if (!householdOf(draft, issue.member).operator) return { code: "not-operator" };
	const key = toHex(issue.orderId);
	const order = draft.orders.get(key) ?? draft.demands.get(key);
	if (order === undefined) return { code: "unknown-order" };
	if (order.amountMicroNok !== issue.amountMicroNok) {
		return {
			code: "amount-differs",
			orderedMicroNok: order.amountMicroNok,
			amountMicroNok: issue.amountMicroNok,
		};
	}
	const refusal = circulationRefusal(draft, issue.amountMicroNok) ?? shortfallRefusal(draft);
	if (refusal !== undefined) return refusal;
	if (draft.orders.has(key)) dropOrder(draft, key);
	else dropDemands(draft, (demand) => demand === order);
	draft.issuedMicroNok = add(draft.issuedMicroNok, issue.amountMicroNok);
	const household = householdOf(draft, order.member);
	changeHousehold(draft, order.member, { balanceMicroNok: add(household.balanceMicroNok, issue.amountMicroNok) });
	return undefined;
}
