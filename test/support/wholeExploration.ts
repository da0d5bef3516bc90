/** Explores a scope to its end: all that can happen there keeps the properties. */
import { expect } from "vitest";
import type { Exploration } from "./explorations.js";
import { type Explored, RaftExplorer } from "./raftExplorer.js";

export function exploreWhole({ name, bounds }: Exploration): void {
	const explored = new RaftExplorer(bounds).explore();
	printExplored(name, explored);
	expect(explored.violation).toBeUndefined();
	expect(explored.isComplete).toBe(true);
	// A scope in which next to nothing happens would prove nothing.
	expect(explored.states).toBeGreaterThan(1_000);
}

export function printExplored(name: string, explored: Explored): void {
	const { states, transitions, repeated, longestStory, seconds, isComplete } = explored;
	const figures = `${states} worlds, ${transitions} steps (${repeated} to a world seen before)`;
	const extent = isComplete ? "all" : "as many as were looked for";
	console.log(`${name}: ${figures}, ${extent}, up to ${longestStory} deep, ${seconds.toFixed(1)} s`);
}
