/** What is explored: in the unit run, in every run of CI, and the larger ones that take minutes. */
import type { Bounds } from "./raftScope.js";

export interface Exploration {
	readonly name: string;
	readonly bounds: Bounds;
}

export const SMALL_SCOPES: readonly Exploration[] = [
	{ name: "two elections among three, one crash", bounds: { voters: 3, elections: 2, crashes: 1 } },
	{ name: "a block, and another leader", bounds: { voters: 3, settled: true, elections: 1, proposals: 1 } },
	{ name: "a handover with a block", bounds: { voters: 3, settled: true, transfers: 1, proposals: 1 } },
	{
		name: "one voter becomes three, an election meanwhile",
		bounds: {
			voters: 1,
			observers: 2,
			settled: true,
			elections: 1,
			changes: 1,
			choices: [{ added: [1, 2] }],
		},
	},
];

/** Some ten seconds each. */
export const MEDIUM_SCOPES: readonly Exploration[] = [
	{
		name: "a block with slow writes and a crash",
		bounds: { voters: 3, settled: true, proposals: 1, crashes: 1, slowWrites: true },
	},
	{
		name: "three voters become four, a crash meanwhile",
		bounds: { voters: 3, observers: 1, settled: true, changes: 1, crashes: 1, choices: [{ added: [3] }] },
	},
	{
		name: "two voters become one; an election, a block, a crash and catching up meanwhile",
		bounds: {
			voters: 2,
			settled: true,
			elections: 1,
			changes: 1,
			proposals: 1,
			crashes: 1,
			fetches: 1,
			choices: [{ removed: [1] }, { removed: [0] }],
		},
	},
	{
		name: "three voters become four, another leader meanwhile",
		bounds: { voters: 3, observers: 1, settled: true, elections: 1, changes: 1, choices: [{ added: [3] }] },
	},
	{
		name: "one voter becomes three, an election and a crash meanwhile",
		bounds: {
			voters: 1,
			observers: 2,
			settled: true,
			elections: 1,
			changes: 1,
			crashes: 1,
			choices: [{ added: [1, 2] }],
		},
	},
];

/** A scope too large to be finished is explored as far as the limit goes, shortest stories first. */
const asFarAs = (maxStates: number) => ({ maxStates, breadthFirst: true });

export const LARGE_SCOPES: readonly Exploration[] = [
	{ name: "two elections and a block among three", bounds: { voters: 3, elections: 2, proposals: 1 } },
	{
		name: "a block, another leader, and catching up",
		bounds: { voters: 3, settled: true, elections: 1, proposals: 1, fetches: 1 },
	},
	{ name: "a block, and two more leaders", bounds: { voters: 3, settled: true, elections: 2, proposals: 1 } },
	{
		name: "a block, another leader, a crash",
		bounds: { voters: 3, settled: true, elections: 1, proposals: 1, crashes: 1 },
	},
	{
		name: "two blocks, two elections, two crashes",
		bounds: { voters: 3, settled: true, elections: 2, proposals: 2, crashes: 2, ...asFarAs(100_000) },
	},
	{
		name: "two blocks, two elections, a crash, with slow writes",
		bounds: {
			voters: 3,
			settled: true,
			elections: 2,
			proposals: 2,
			crashes: 1,
			slowWrites: true,
			...asFarAs(100_000),
		},
	},
	{
		name: "three voters become four or two; two elections, a block, a crash, a handover",
		bounds: {
			voters: 3,
			observers: 1,
			settled: true,
			elections: 2,
			proposals: 1,
			changes: 1,
			crashes: 1,
			transfers: 1,
			choices: [{ added: [3] }, { removed: [2] }],
			...asFarAs(100_000),
		},
	},
	{
		name: "four voters, two changes, two elections",
		bounds: {
			voters: 4,
			observers: 1,
			settled: true,
			elections: 2,
			proposals: 2,
			changes: 2,
			choices: [{ added: [4] }, { removed: [0] }, { removed: [3] }],
			...asFarAs(100_000),
		},
	},
	{
		name: "one voter becomes three; two elections, two crashes, catching up",
		bounds: {
			voters: 1,
			observers: 2,
			settled: true,
			elections: 2,
			changes: 1,
			crashes: 2,
			fetches: 1,
			choices: [{ added: [1, 2] }],
			...asFarAs(100_000),
		},
	},
];
