/** Tokens: ordered by a household, issued by the operator when the money has arrived. */
import type { BuyTransaction, IssueTransaction } from "../block/transaction.js";
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
