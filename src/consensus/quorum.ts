/** Majorities of the committed voter set: never of the peers that happen to be connected. */

/** How many of `voters` make a majority. */
export function majorityOf(voters: readonly number[]): number {
	return Math.floor(voters.length / 2) + 1;
}

/** Whether those who said yes, among the voters, are a majority. */
export function hasMajority(voters: readonly number[], yes: (voter: number) => boolean): boolean {
	return voters.filter(yes).length >= majorityOf(voters);
}

/** The lower median of clock offsets (ms). At least one. */
export function lowerMedian(offsets: readonly number[]): number {
	const sorted = [...offsets].sort((a, b) => a - b);
	return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
