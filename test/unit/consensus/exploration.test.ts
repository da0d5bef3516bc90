import { describe, expect, it } from "vitest";
import { SMALL_SCOPES } from "../../support/explorations.js";
import {
	ACKNOWLEDGES_BEFORE_WRITE,
	CHANGES_VOTERS_AT_ONCE,
	FORGETS_ITS_VOTE,
	TELLS_OF_CHANGE_BEFORE_WRITE,
	VOTES_FOR_ANY_LOG,
} from "../../support/raftBrokenCores.js";
import { RaftExplorer } from "../../support/raftExplorer.js";
import type { Bounds, Core } from "../../support/raftScope.js";
import { exploreWhole, printExplored } from "../../support/wholeExploration.js";

const patient = { timeout: 120_000 };

describe("every order of events in a small scope keeps the properties of Raft, of certificates and of voter changes", () => {
	it.each(SMALL_SCOPES)("$name", patient, exploreWhole);

	it("gives the same worlds each time", () => {
		const count = () => new RaftExplorer({ voters: 3, elections: 1, crashes: 1 }).explore().transitions;
		expect(count()).toBe(count());
	});
});

/** Broken cores are judged by what comes of the mistake, not by the mistake. */
const shortest: Partial<Bounds> = { breadthFirst: true, allowsEarlyWord: true, maxStates: 100_000 };

describe("a broken core is found out, by the shortest story", () => {
	const storyOf = (name: string, core: Core, bounds: Bounds) => {
		const explored = new RaftExplorer({ ...shortest, ...bounds }, core).explore();
		printExplored(name, explored);
		return explored.violation;
	};
	const settled = { voters: 3, settled: true };

	it("that votes for any log (Raft paper §5.4.1): a leader lacks what was certified", patient, () => {
		const bounds = { ...settled, elections: 1, proposals: 1 };
		expect(storyOf("votes for any log", VOTES_FOR_ANY_LOG, bounds)).toContain("leader completeness");
	});

	it("that acknowledges before the write (figure 2): after a crash its own signature is news to it", patient, () => {
		const bounds = { ...settled, elections: 1, proposals: 1, crashes: 1 };
		const story = storyOf("acknowledges before the write", ACKNOWLEDGES_BEFORE_WRITE, bounds);
		expect(story).toContain("unknown-own-signature");
	});

	it("that forgets its vote in a crash (figure 2): a term has two leaders", patient, () => {
		const bounds = { voters: 3, elections: 2, crashes: 1 };
		expect(storyOf("forgets its vote", FORGETS_ITS_VOTE, bounds)).toContain("election safety");
	});

	it("that tells of a single voter's change before the write: a term has two leaders", patient, () => {
		const bounds = { voters: 1, observers: 2, settled: true, elections: 2, changes: 1, crashes: 1 };
		const story = storyOf("tells of its change before the write", TELLS_OF_CHANGE_BEFORE_WRITE, {
			...bounds,
			choices: [{ added: [1, 2] }],
		});
		expect(story).toContain("election safety");
	});

	it(
		"that changes the voters without a certified block of its term (Ongaro 2015): two changes in a log",
		patient,
		() => {
			const choices = [{ added: [3] }, { added: [4] }];
			const bounds = { ...settled, observers: 2, elections: 1, changes: 2, choices };
			const story = storyOf("changes the voters at once", CHANGES_VOTERS_AT_ONCE, bounds);
			expect(story).toContain("2 uncommitted voter changes");
		},
	);

	it("that says anything before it is written is found out by that alone", patient, () => {
		const bounds = { ...settled, allowsEarlyWord: false };
		const story = storyOf("says it too early", ACKNOWLEDGES_BEFORE_WRITE, bounds);
		expect(story).toContain("acknowledges block 1 before it is written");
	});
});
