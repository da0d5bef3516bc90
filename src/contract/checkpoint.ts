/** Checkpoints: blocks whose whole state is kept, so that a start or a newcomer need not go back to genesis. */
import type { Ledger } from "./ledger.js";

/** Whether the block that made `ledger` of `parent` is a checkpoint: it counts, and as many have as make one. */
export function isCheckpoint(
	parent: Pick<Ledger, "countedTotal">,
	ledger: Pick<Ledger, "countedTotal" | "parameters">,
): boolean {
	return ledger.countedTotal > parent.countedTotal && ledger.countedTotal % ledger.parameters.checkpointBlocks === 0;
}
