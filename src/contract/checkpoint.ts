/** Checkpoints: blocks whose whole state is kept, so that a start or a newcomer need not go back to genesis. */
import type { Ledger } from "./ledger.js";

/**
 * However far apart a neighbourhood wants them (`checkpointBlocks`), a device keeps one every so many counted blocks: what
 * lies above the newest one is executed at each start, while a person waits.
 */
export const MAX_CHECKPOINT_SPACING = 120;

/** Whether the block that made `ledger` of `parent` is a checkpoint: it counts, and as many have as make one. */
export function isCheckpoint(
	parent: Pick<Ledger, "countedTotal">,
	{ countedTotal, parameters }: Pick<Ledger, "countedTotal" | "parameters">,
): boolean {
	const spacing = Math.min(parameters.checkpointBlocks, MAX_CHECKPOINT_SPACING);
	return countedTotal > parent.countedTotal && countedTotal % spacing === 0;
}
