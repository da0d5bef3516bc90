import { describe, expect, it } from "vitest";
import { LARGE_SCOPES } from "../support/explorations.js";
import { RaftExplorer } from "../support/raftExplorer.js";

describe("every order of events in a larger scope keeps the properties of Raft, of certificates and of voter changes", () => {
	it.each(LARGE_SCOPES)("$name", ({ name, bounds }) => {
		const { violation, isComplete, states, transitions, repeated, longestStory, seconds } = new RaftExplorer(
			bounds,
		).explore();
		const figures = `${states} worlds, ${transitions} steps (${repeated} to a world seen before)`;
		const extent = isComplete ? "all" : "as many as the limit allows";
		console.log(`${name}: ${figures}, ${extent}, up to ${longestStory} deep, ${seconds.toFixed(1)} s`);
		expect(violation).toBeUndefined();
		expect(states).toBeGreaterThan(10_000);
	});
});
