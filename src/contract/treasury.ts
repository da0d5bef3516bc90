/**
 * Tokens: ordered by a household, issued by the operator when the money has arrived; locked when it is to go back, and
 * destroyed when it has.
 */
import type { BuyTransaction, IssueTransaction, PayoutTransaction } from "../block/kinds/treasury.js";
import { toHex } from "../primitives/bytes.js";
import { add, MAX_CIRCULATION_MICRO_NOK } from "../primitives/units.js";
import { changeHousehold, type Draft, householdOf } from "./ledger.js";
import type { Refusal } from "./refusal.js";

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

/** What is locked was paid out in NOK: the tokens are no more. */
export function applyPayout(draft: Draft, payout: PayoutTransaction): Refusal | undefined {
	if (!householdOf(draft, payout.member).operator) return { code: "not-operator" };
	const key = toHex(payout.lockId);
	const lock = draft.locks.get(key);
	if (lock === undefined) return { code: "unknown-lock" };
	const { amountMicroNok } = payout;
	if (lock.amountMicroNok !== amountMicroNok) {
		return { code: "amount-differs", orderedMicroNok: lock.amountMicroNok, amountMicroNok };
	}
	const locks = new Map(draft.locks);
	locks.delete(key);
	draft.locks = locks;
	draft.paidOutMicroNok = add(draft.paidOutMicroNok, amountMicroNok);
	return undefined;
}

/** Takes everything that a household has out of its balance, until it is paid out. `id`: of what asked for it. */
export function lockBalance(draft: Draft, member: number, id: Uint8Array): void {
	const { balanceMicroNok } = householdOf(draft, member);
	if (balanceMicroNok === 0) return;
	const { timestampMs } = draft;
	draft.locks = new Map(draft.locks).set(toHex(id), { id, member, amountMicroNok: balanceMicroNok, timestampMs });
	changeHousehold(draft, member, { balanceMicroNok: 0 });
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
	const orders = new Map(draft.orders);
	orders.delete(key);
	draft.orders = orders;
	draft.issuedMicroNok = add(draft.issuedMicroNok, issue.amountMicroNok);
	const household = householdOf(draft, order.member);
	changeHousehold(draft, order.member, { balanceMicroNok: add(household.balanceMicroNok, issue.amountMicroNok) });
	return undefined;
}
