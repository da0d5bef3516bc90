/** The five defects of the code that the thesis came with: each one must stay out. */
import { describe, expect, it } from "vitest";
import { step } from "../../../src/consensus/raft.js";
import type { Entry } from "../../../src/message/message.js";
import {
	append,
	device,
	elect,
	GENESIS,
	hear,
	logOf,
	matchReply,
	messages,
	pass,
	proposeOn,
	run,
	START_MS,
	writes,
} from "../../support/raft.js";

describe("the defects of the thesis's code", () => {
	it("1: a majority is one of all voters, not of those that happen to be connected (§5.2)", () => {
		const state = device(0, { voters: [0, 1, 2, 3, 4] });
		for (const from of [2, 3, 4]) run(state, { type: "gone", from });
		elect(state, [1]);
		expect(state.role).toBe("preCandidate");
		// Neither is a block committed by two of five.
		const leader = device(0, { voters: [0, 1, 2, 3, 4] });
		elect(leader, [1, 2]);
		for (const from of [2, 3, 4]) run(leader, { type: "gone", from });
		const { entry } = proposeOn(leader);
		hear(leader, 1, matchReply(leader, 1, 1, entry));
		expect(leader.base.index).toBe(0);
	});

	it("2: a vote looks at the term of the last entry before the length of the log (§5.4.1)", () => {
		const state = device(0, { term: 2, tail: logOf([2]) });
		const longButOld = { type: "requestVote", term: 3, lastTerm: 1, lastIndex: 100, transfer: false } as const;
		expect(messages(hear(state, 1, longButOld), "voteReply")).toMatchObject([{ granted: false }]);
	});

	it("3: a block is acknowledged after it is written, not before (figure 2)", () => {
		const state = device(1);
		const [entry] = logOf([1]) as [Entry];
		step(state, { type: "message", from: 0, message: append(1, GENESIS, [entry]) });
		const effects = step(state, { type: "validated", hash: entry.hash, result: { valid: true } });
		const write = writes(effects).find(({ append }) => append !== undefined);
		const answer = effects.find((effect) => effect.type === "send");
		expect(write?.seq).toBeGreaterThan(0);
		expect(answer?.sign?.hash).toEqual(entry.hash);
		expect(answer?.afterSeq).toBeGreaterThanOrEqual(write?.seq ?? Number.POSITIVE_INFINITY);
	});

	it("4: votes of older terms are not counted (§5.2)", () => {
		const state = device(0, { term: 4 });
		pass(state, 5_000);
		hear(state, 1, { type: "preVoteReply", term: 5, granted: true, chainMs: START_MS });
		expect(state).toMatchObject({ role: "candidate", term: 5 });
		for (const term of [1, 4]) for (const from of [1, 2]) hear(state, from, { type: "voteReply", term, granted: true });
		expect(state.role).toBe("candidate");
		hear(state, 2, { type: "voteReply", term: 5, granted: true });
		expect(state.role).toBe("leader");
	});

	it("5: a block of an earlier term is not committed by counting its copies (§5.4.2)", () => {
		const [old] = logOf([1]) as [Entry];
		const state = device(0, { term: 1, tail: [old] });
		elect(state);
		for (const from of [1, 2]) hear(state, from, matchReply(state, from, 1, old));
		expect(state.base.index).toBe(0);
	});
});
