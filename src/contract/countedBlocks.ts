/**
 * Counted blocks: the chain's own measure of time. A block counts when its interval slot, floor(timestampMs /
 * blockIntervalMs), is greater than its parent's. Grace and reading window are numbers of counted blocks, so while the
 * chain stands still nobody loses anything.
 */
import { add, divideFloor, MS_PER_MINUTE } from "../primitives/units.js";

/** Slots of the counted blocks, as runs of neighbouring slots [first, last], ascending. */
export type CountedBlocks = readonly (readonly [firstSlot: number, lastSlot: number])[];

/** The interval slot of a timestamp. */
export function slotOf(timestampMs: number, blockIntervalMs: number): number {
	return divideFloor(timestampMs, blockIntervalMs);
}

/** Whether a block counts. */
export function counts(timestampMs: number, parentTimestampMs: number, blockIntervalMs: number): boolean {
	return slotOf(timestampMs, blockIntervalMs) > slotOf(parentTimestampMs, blockIntervalMs);
}

/** Adds the slot of a block that counts, and forgets what lies further back than `keep` counted blocks. */
export function appendCounted(counted: CountedBlocks, slot: number, keep: number): CountedBlocks {
	const last = counted.at(-1);
	const grown: CountedBlocks =
		last !== undefined && last[1] + 1 === slot
			? [...counted.slice(0, -1), [last[0], slot]]
			: [...counted, [slot, slot]];
	let kept = 0;
	const runs: [number, number][] = [];
	for (const [first, end] of [...grown].reverse()) {
		const room = keep - kept;
		if (room <= 0) break;
		const from = Math.max(first, end - room + 1);
		kept = add(kept, end - from + 1);
		runs.unshift([from, end]);
	}
	return runs;
}

/** How many counted blocks carry a timestamp at or after the end of a minute. The block interval divides a minute. */
export function countedSince(counted: CountedBlocks, minute: number, blockIntervalMs: number): number {
	const slot = (minute + 1) * (MS_PER_MINUTE / blockIntervalMs);
	let count = 0;
	for (let i = counted.length - 1; i >= 0; i--) {
		const run = counted[i];
		if (run === undefined || run[1] < slot) break;
		count += run[1] - Math.max(run[0], slot) + 1;
	}
	return count;
}
