/** What the operator may change about the voters from a screen, and what it leads to. */
import type { NodeView } from "../node/view.js";

export interface VoterChoice {
	/** Device indices. */
	added: readonly number[];
	removed: readonly number[];
}

/** The voters after a change, and how many of them must be there for a block. */
export function votersAfter(
	count: number,
	{ added, removed }: VoterChoice = { added: [], removed: [] },
): { count: number; majority: number } {
	const after = count + added.length - removed.length;
	return { count: after, majority: Math.floor(after / 2) + 1 };
}

/**
 * Which devices to let in so that this one votes: itself, or beside a single voter itself and one more, since two voters
 * are worse than one. Where nobody else could come it may take the single voter's place, and comes alone. Undefined: it
 * cannot now, for its household votes already, or it is away.
 */
export function mayAdd(
	nodes: readonly Pick<NodeView, "device" | "member" | "voter" | "connected" | "alwaysOn" | "keptFromVoting">[],
	device: number,
): readonly number[] | undefined {
	const voters = nodes.filter(({ voter }) => voter);
	const isFree = ({ member, connected }: { member: number; connected: boolean }) =>
		connected && !voters.some((voter) => voter.member === member);
	const node = nodes.find((each) => each.device === device);
	if (node === undefined || node.voter || !isFree(node)) return undefined;
	if (voters.length > 1) return [device];
	const second = nodes.find(
		(each) => !each.voter && each.alwaysOn && !each.keptFromVoting && each.member !== node.member && isFree(each),
	);
	return second === undefined ? [device] : [device, second.device];
}
