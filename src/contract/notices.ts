/**
 * Notices: an operator gives a household another key, or lets it move out, and neither takes effect before seven days
 * have passed in which nobody objected (`contesting.ts`). The days are counted blocks, as in the reading window: while the
 * chain stands still, nobody who could object loses any of them.
 */
import { divideFloor, HOUSEHOLD_NOTICE_MINUTES, MS_PER_MINUTE } from "../primitives/units.js";
import { type Announced, changeHousehold, type Draft, type Ledger, type Notice } from "./ledger.js";

/** How many blocks count while a notice stands. */
export function noticeBlocks({ blockIntervalMs }: Pick<Ledger["parameters"], "blockIntervalMs">): number {
	return HOUSEHOLD_NOTICE_MINUTES * divideFloor(MS_PER_MINUTE, blockIntervalMs);
}

/** For how many minutes of the chain somebody can still object. */
export function noticeMinutesLeft(
	{ countedTotal, parameters }: Pick<Ledger, "countedTotal" | "parameters">,
	notice: Pick<Notice, "countedTotal">,
): number {
	const blocks = Math.max(0, notice.countedTotal - countedTotal);
	const blocksPerMinute = divideFloor(MS_PER_MINUTE, parameters.blockIntervalMs);
	// 0 is when it is over.
	return divideFloor(blocks + blocksPerMinute - 1, blocksPerMinute);
}

/** Gives a household notice; in place of one that stands, so that its days begin again. */
export function giveNotice(draft: Draft, household: number, announced: Announced): void {
	changeHousehold(draft, household, { notice: { ...announced, countedTotal: endOfNotice(draft) } });
}

/** The same notice, of which none of the days has passed. */
export function noticeAnew(ledger: Pick<Ledger, "countedTotal" | "parameters">, notice: Notice): Notice {
	return { ...notice, countedTotal: endOfNotice(ledger) };
}

/** The first block past the notice: an objection in it still comes first. */
function endOfNotice({ countedTotal, parameters }: Pick<Ledger, "countedTotal" | "parameters">): number {
	return countedTotal + noticeBlocks(parameters) + 1;
}

/** Whether nobody can object to a notice any more. */
export function isDue({ countedTotal }: Pick<Ledger, "countedTotal">, notice: Notice): boolean {
	return countedTotal >= notice.countedTotal;
}
