/**
 * Netting, where money is `monthly`: when a month is over, every household's use of its credit line (`credit.ts`) is made
 * even, by rule and by nobody's act. In the first block of a later month by the neighbourhood's clocks (`localTime`), after
 * its minutes have settled, for each household with the line L, the balance B and unpaid demands of D altogether:
 *
 * - B + D < L: it has used more of its line than it was asked for. A demand of L − B − D comes into being. When the household
 *   has paid it and an operator has issued it, B is L again, if it has used nothing since.
 * - B > L, and nothing is demanded of it: what is above the line is its own, and is locked for payout as if it had redeemed
 *   it, but for what it owes neighbours after corrections.
 *
 * A bank pays whole øre: as few of them are demanded as make it even, as many are locked as there are, and what is left of
 * a øre stays in the balance. So what comes in and goes out is what the tokens say, to the µNOK.
 *
 * What has not settled when the month turns (a reading may be a week late) falls into the next month. So does what was
 * used in months in which the chain stood still: they are netted together, as the month with which they began.
 *
 * A demand is nobody's order: it cannot be taken back, and moving out does not end it. A household that does not pay goes on
 * using its line until that is used up, and then nothing. It never owes more than its line (and what is left of a øre),
 * however many months it does not pay: B is never negative.
 *
 * **An example.** Anna, Bjørn and Cecilie have lines of 500 kr. In October Bjørn buys for 80 kr of Anna, and Cecilie for
 * 120.50 kr of Anna and for 0.25 kr of Bjørn. Nobody has paid anything:
 *
 *     balances     Anna 700.50     Bjørn 420.25     Cecilie 379.25     together 1,500: the lines, and no money
 *
 * The first block of November: Anna's 200.50 kr above her line are locked; Bjørn is to pay 79.75, Cecilie 120.75. That is
 * 200.50 altogether, what one is to pay is what others are to have. The payout waits, for there is no money. In November
 * Bjørn pays and buys nothing more, Cecilie does not pay and uses another 30 kr:
 *
 *     balances     Anna 530        Bjørn 500        Cecilie 349.25     a reserve of 79.75; Anna's 200.50 wait for it
 *
 * The first block of December: Anna's next 30 kr are locked, and Cecilie is to pay 30 more, beside the 120.75. When she has
 * paid both, the reserve is 230.50, and Anna gets all of it.
 */
import { type FoundingParameters, localTimeOf } from "../block/kinds/founding.js";
import { toHex } from "../primitives/bytes.js";
import { encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";
import { monthNumberAt } from "../primitives/localTime.js";
import { add, minuteOf, wholeOreFor, wholeOreOf } from "../primitives/units.js";
import { owedMicroNok } from "./correcting.js";
import { demandedMicroNok } from "./credit.js";
import { type Draft, type Household, householdOf } from "./ledger.js";
import { lockAmount } from "./treasury.js";

const hashNetting = taggedHash("netting");

/** The id of what a month's netting makes of one household: a demand, or a lock. `month`: as in `nettedMonth`. */
export function nettingId(gridId: Uint8Array, month: number, member: number): Uint8Array {
	return hashNetting(gridId, encode([month, member]));
}

/** The month (`monthNumberAt`) in which a block of this time lies; undefined: nothing is netted with this kind of money. */
export function monthToNet(
	parameters: Pick<FoundingParameters, "moneyKind" | "terms">,
	timestampMs: number,
): number | undefined {
	if (parameters.moneyKind !== "monthly") return undefined;
	return monthNumberAt(localTimeOf(parameters), minuteOf(timestampMs));
}

/** When a block ends, its minutes are settled: has a month begun since the last netting, that month is netted. */
export function net(draft: Draft): void {
	const month = monthToNet(draft.parameters, draft.timestampMs);
	const endedMonth = draft.nettedMonth;
	if (month === undefined || (endedMonth !== undefined && month <= endedMonth)) return;
	draft.nettedMonth = month;
	// Money has become monthly in this block: there is nothing to net yet.
	if (endedMonth === undefined) return;
	// Who moves out is made even by that, as soon as all has settled.
	for (const household of draft.households) if (household.removal === undefined) netOne(draft, household, endedMonth);
}

function netOne(draft: Draft, { index, balanceMicroNok, creditMicroNok }: Household, month: number): void {
	const demandedMicro = demandedMicroNok(draft, index);
	if (add(balanceMicroNok, demandedMicro) < creditMicroNok) {
		const usedMicroNok = creditMicroNok - balanceMicroNok - demandedMicro;
		demand(draft, index, wholeOreFor(usedMicroNok), month, nettingId(draft.gridId, month, index));
		return;
	}
	const freeMicroNok = Math.max(0, balanceMicroNok - creditMicroNok - owedMicroNok(draft, index));
	const payableMicroNok = wholeOreOf(freeMicroNok);
	if (demandedMicro === 0 && payableMicroNok > 0) {
		lockAmount(draft, index, payableMicroNok, nettingId(draft.gridId, month, index));
	}
}

/**
 * Asks a household that moves out for what it has used of its line and was not asked for yet, to the µNOK: nothing is to be
 * left of it. Under the id of what it moves out by. When it has paid that and owes again, after a correction, it is asked once more.
 */
export function demandDebt(draft: Draft, member: number, id: Uint8Array): void {
	if (draft.nettedMonth === undefined || draft.demands.has(toHex(id))) return;
	const { balanceMicroNok, creditMicroNok } = householdOf(draft, member);
	const missingMicroNok = creditMicroNok - balanceMicroNok - demandedMicroNok(draft, member);
	if (missingMicroNok > 0) demand(draft, member, missingMicroNok, draft.nettedMonth, id);
}

function demand(draft: Draft, member: number, amountMicroNok: number, month: number, id: Uint8Array): void {
	const { timestampMs } = draft;
	draft.demands = new Map(draft.demands).set(toHex(id), { id, member, amountMicroNok, month, timestampMs });
}
