/**
 * What the leader proposes, and with which timestamp (design: one block for each minute, some seconds after it; other
 * transactions within a second; a backlog at once); and how large a block may be.
 */

import type { FoundingParameters } from "../block/kinds/founding.js";
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
export const BACKLOG_READINGS = 20;

/** The next block, if one is due. */
export function planProposal(view: ProposerView): ProposalPlan | undefined {
	const { parameters, chainMs, last, readingDelayMs } = view;
	const { blockIntervalMs } = parameters;
	const nextMs = last.timestampMs + 1;
	const lastSlot = slotOf(last.timestampMs, blockIntervalMs);
	const minuteDue = chainMs >= readingDelayMs && slotOf(chainMs - readingDelayMs, blockIntervalMs) > lastSlot;
	const clockMs = Math.max(chainMs, nextMs);
	const quickMs = Math.max(nextMs, quickTimestampMs(chainMs, lastSlot, blockIntervalMs));
	if (last.term < view.term) return { timestampMs: minuteDue ? clockMs : quickMs, empty: true };
	if (minuteDue) return { timestampMs: clockMs, empty: false };
	// A backlog block carries its parent's minute, and no quick block takes the place of a minute that is not proposed yet.
	const mayCarry = (timestampMs: number) =>
		slotOf(timestampMs, blockIntervalMs) <= Math.max(lastSlot, slotOf(chainMs, blockIntervalMs) - 1);
	const { acts, readings } = view.waiting(minuteOf(nextMs) - 1);
	if (readings >= BACKLOG_READINGS && mayCarry(nextMs)) return { timestampMs: nextMs, empty: false };
	if (acts > 0 && mayCarry(quickMs)) return { timestampMs: quickMs, empty: false };
	return undefined;
}

/** Quick blocks before a minute's own block are stamped from here before its boundary on, 1 ms apart: room for many. */
const QUICK_ROOM_MS = 1_000;

/** Until a minute's block is proposed, a quick block is stamped before that minute's boundary, so that it does not count in its place. */
function quickTimestampMs(chainMs: number, lastSlot: number, blockIntervalMs: number): number {
	const slot = slotOf(chainMs, blockIntervalMs);
	if (slot <= lastSlot) return chainMs;
	return slot * blockIntervalMs - Math.min(QUICK_ROOM_MS, Math.ceil(blockIntervalMs / 2));
}

/** A block that found no majority in time may have been too large for the channels: the next ones are smaller. */
const MIN_PROPOSAL_BYTES = 1_024;

/** How many bytes of transactions the leader puts in a block. */
export class ProposalSize {
	readonly #settingBytes: number;
	#maxBytes: number;

	constructor(settingBytes: number) {
		this.#settingBytes = settingBytes;
		this.#maxBytes = settingBytes;
	}

	get maxBytes(): number {
		return this.#maxBytes;
	}

	/** The proposal found no majority in time: half of it next time. */
	timedOut(): void {
		this.#maxBytes = Math.max(MIN_PROPOSAL_BYTES, this.#maxBytes / 2);
	}

	becameLeader(): void {
		this.#maxBytes = Math.min(this.#maxBytes, this.#settingBytes);
	}

	committed(): void {
		this.#maxBytes = this.#settingBytes;
	}
}
