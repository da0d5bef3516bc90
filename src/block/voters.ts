/**
 * Who votes, as blocks say it. A block that changes the voter set does so in its first transaction; the change holds
 * from that block on, as soon as it is appended (Raft thesis §4.1).
 */
import type { Block } from "./block.js";
import type { VotersTransaction } from "./kinds/network.js";

/** Device indices, ascending. */
export type VoterSet = readonly number[];

/** The change that a block makes; undefined where it makes none. */
export function voterChangeOf(block: Pick<Block, "transactions">): VotersTransaction | undefined {
	const [first] = block.transactions;
	return first?.kind === "voters" ? first : undefined;
}

/** The set after a block. */
export function votersAfter(voters: VoterSet, block: Pick<Block, "transactions">): VoterSet {
	const change = voterChangeOf(block);
	if (change === undefined) return voters;
	return [
		...voters.filter((voter) => !change.removed.includes(voter)),
		...change.added.map(({ device }) => device),
	].sort((a, b) => a - b);
}
