import { describe, expect, it } from "vitest";
import { LARGE_SCOPES } from "../support/explorations.js";
import { RaftExplorer } from "../support/raftExplorer.js";
import { printExplored } from "../support/wholeExploration.js";

describe("every order of events in a larger scope keeps the properties of Raft, of certificates and of voter changes", () => {
	it.each(LARGE_SCOPES)("$name", ({ name, bounds }) => {
		const explored = new RaftExplorer(bounds).explore();
		printExplored(name, explored);
		expect(explored.violation).toBeUndefined();
		expect(explored.states).toBeGreaterThan(10_000);
	});
});
