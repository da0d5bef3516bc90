/** Majorities of voter sets: never of the peers that happen to be connected. */
import type { VoterSet } from "../block/voters.js";

/** How many of `voters` make a majority. */
export function majorityOf(voters: VoterSet): number {
	return Math.floor(voters.length / 2) + 1;
}

/** Whether those who said yes, among the voters, are a majority. */
export function hasMajority(voters: VoterSet, yes: (voter: number) => boolean): boolean {
	return voters.filter(yes).length >= majorityOf(voters);
}

/** Whether they are one in each of the sets: an uncommitted voter change is agreed to by the old and the new voters. */
export function hasEveryMajority(sets: readonly VoterSet[], yes: (voter: number) => boolean): boolean {
	return sets.every((voters) => hasMajority(voters, yes));
}

/** The lower median of clock offsets (ms). At least one. */
export function lowerMedian(offsets: readonly number[]): number {
	const sorted = [...offsets].sort((a, b) => a - b);
	return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
