/**
 * What the leader proposes, and with which timestamp (design: one block for each minute, some seconds after it; other
 * transactions within a second; a backlog at once).
 */

import type { FoundingParameters } from "../block/transaction.js";
import { slotOf } from "../contract/countedBlocks.js";
import { minuteOf } from "../primitives/units.js";

export interface ProposalPlan {
	timestampMs: number;
	/** New leader: an empty block of the new term, which commits what lies below (Raft paper §8). */
	empty: boolean;
}

export interface ProposerView {
	parameters: Pick<FoundingParameters, "blockIntervalMs">;
	chainMs: number;
	readingDelayMs: number;
	/** The last block of the leader's log. */
	last: { timestampMs: number; term: number };
	term: number;
	/** What waits: acts, and readings of minutes up to the given one. */
	waiting(lastMinute: number): { acts: number; readings: number };
}

/** Readings of past minutes that wait are a backlog from this many on; fewer go with the next minute's block. */
const BACKLOG_READINGS = 20;

/** The next block, if one is due. */
export function planProposal(view: ProposerView): ProposalPlan | undefined {
	const { parameters, chainMs, last, readingDelayMs } = view;
	const { blockIntervalMs } = parameters;
	const nextMs = last.timestampMs + 1;
	const lastSlot = slotOf(last.timestampMs, blockIntervalMs);
	const minuteDue = chainMs >= readingDelayMs && slotOf(chainMs - readingDelayMs, blockIntervalMs) > lastSlot;
	const clockMs = Math.max(chainMs, nextMs);
	const quickMs = quickTimestampMs(chainMs, nextMs, blockIntervalMs, minuteDue);
	if (last.term < view.term) return { timestampMs: minuteDue ? clockMs : quickMs, empty: true };
	if (minuteDue) return { timestampMs: clockMs, empty: false };
	// A backlog block carries its parent's minute: it must not take the place of the minute that runs.
	const { acts, readings } = view.waiting(minuteOf(nextMs) - 1);
	if (readings >= BACKLOG_READINGS) return { timestampMs: nextMs, empty: false };
	if (acts > 0) return { timestampMs: quickMs, empty: false };
	return undefined;
}

/** Until a minute's block is proposed, a quick block is stamped before that minute's boundary, so that it does not count in its place. */
function quickTimestampMs(chainMs: number, nextMs: number, blockIntervalMs: number, minuteDue: boolean): number {
	if (minuteDue) return Math.max(chainMs, nextMs);
	const slot = slotOf(chainMs, blockIntervalMs);
	const minuteProposed = slot <= slotOf(nextMs - 1, blockIntervalMs);
	return Math.max(nextMs, minuteProposed ? chainMs : slot * blockIntervalMs - 1);
}
