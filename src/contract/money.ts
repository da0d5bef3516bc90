/**
 * From trial kroner to tokens that are worth NOK. Trial kroner stand beside the utility's bill, which goes on; real money
 * would be paid twice for the same energy, unless the utility does not bill it. So an operator says why it does not, and
 * every household agrees with its own key: no operator can decide that a neighbour pays.
 *
 * When the last one has agreed, everything begins anew with the next minute. Trial kroner are void, and with them whatever
 * was agreed upon in them: a price that was named in play is no consent to pay it, and a minute that was metered in the
 * trial must not be paid when somebody has bought tokens. So contracts and offers end, standing orders are off, what has
 * not settled goes to the utility, and what neighbours owe one another for corrections is void.
 */
import type { MoneyConfirmTransaction, MoneyTransaction } from "../block/kinds/treasury.js";
import { equalBytes } from "../primitives/bytes.js";
import { minuteOf } from "../primitives/units.js";
import { beginMarketAnew } from "./automaticMarket.js";
import { voidCorrections } from "./correcting.js";
import { changeHousehold, type Draft, type Household, type Ledger, type MoneyProposal } from "./ledger.js";
import { endTrade } from "./market.js";
import { byRule, record } from "./operatorRecord.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator, membersOf } from "./standing.js";
import { voidTokens } from "./treasury.js";

/** A proposal in place of the one before, of which nothing is left; or the one before is taken back. */
export function applyMoney(draft: Draft, { member, proposed }: MoneyTransaction, id: Uint8Array): Refusal | undefined {
	if (!isActingOperator(draft, member)) return { code: "not-operator" };
	if (draft.parameters.moneyKind !== "trial") return { code: "money-is-real" };
	if (proposed === undefined) {
		if (draft.moneyProposal === undefined) return { code: "unknown-money-proposal" };
		draft.moneyProposal = undefined;
		return undefined;
	}
	const { timestampMs } = draft;
	draft.moneyProposal = { id, member, ...proposed, timestampMs, confirmed: [member], fromMinute: undefined };
	return undefined;
}

export function applyMoneyConfirm(draft: Draft, { member, proposalId }: MoneyConfirmTransaction): Refusal | undefined {
	const { moneyProposal } = draft;
	if (draft.parameters.moneyKind !== "trial") return { code: "money-is-real" };
	if (moneyProposal === undefined || !equalBytes(moneyProposal.id, proposalId)) {
		return { code: "unknown-money-proposal" };
	}
	if (moneyProposal.confirmed.includes(member)) return { code: "money-confirmed-already" };
	const confirmed = [...moneyProposal.confirmed, member].sort((a, b) => a - b);
	draft.moneyProposal = { ...moneyProposal, confirmed };
	return undefined;
}

/**
 * The households that have not agreed: all but those that move out or have. One that is suspended cannot agree, and yet
 * nothing is decided about its money without it.
 */
export function awaitedHouseholds(
	ledger: Pick<Ledger, "households">,
	{ confirmed }: Pick<MoneyProposal, "confirmed">,
): Household[] {
	return membersOf(ledger).filter(({ index }) => !confirmed.includes(index));
}

/** When a block ends, its minutes are settled and it is known who moves out: have all agreed, money is real from now on. */
export function changeMoney(draft: Draft): void {
	const { moneyProposal, parameters } = draft;
	if (moneyProposal === undefined || moneyProposal.fromMinute !== undefined) return;
	if (awaitedHouseholds(draft, moneyProposal).length > 0) return;
	const { moneyKind } = moneyProposal;
	const fromMinute = minuteOf(draft.timestampMs) + 1;
	draft.parameters = { ...parameters, moneyKind };
	draft.moneyProposal = { ...moneyProposal, fromMinute };
	voidTokens(draft);
	voidCorrections(draft);
	for (const { index } of draft.households) endTrade(draft, index, fromMinute);
	beginMarketAnew(draft);
	for (const { index, settledUntilMinute } of draft.households) {
		if (settledUntilMinute < fromMinute) changeHousehold(draft, index, { settledUntilMinute: fromMinute });
	}
	record(draft, [{ ...byRule(draft, "realMoney"), texts: [moneyKind] }]);
}
