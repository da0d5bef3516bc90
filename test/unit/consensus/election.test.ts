import { describe, expect, it } from "vitest";
import { step } from "../../../src/consensus/raft.js";
import {
	append,
	device,
	elect,
	GENESIS,
	hear,
	kinds,
	logOf,
	messages,
	pass,
	run,
	START_MS,
	writes,
} from "../../support/raft.js";

const TIMEOUT_MS = 5_000;
const granted = (term: number, chainMs = START_MS + TIMEOUT_MS) =>
	({ type: "preVoteReply", term, granted: true, chainMs }) as const;
const request = (term: number, lastTerm = 0, lastIndex = 0) =>
	({ type: "requestVote", term, lastTerm, lastIndex, transfer: false }) as const;

describe("an election (Raft paper §5.2)", () => {
	it("begins as follower, and with a pre-vote once no leader was heard for an election time-out", () => {
		const state = device(0);
		expect(state.role).toBe("follower");
		expect(pass(state, state.settings.electionTimeoutMinMs - 1)).toEqual([]);
		const asked = messages(pass(state, TIMEOUT_MS), "preVote");
		expect(asked).toHaveLength(2);
		expect(asked[0]).toMatchObject({ term: 1, lastTerm: 0, lastIndex: 0 });
		expect(state).toMatchObject({ role: "preCandidate", term: 0 });
	});

	it("draws time-outs from 3 to 5 s, not the same for everybody", () => {
		const deadlines = Array.from({ length: 50 }, (_, seed) => device(0, { seed }).electionDeadlineMs);
		expect(Math.min(...deadlines)).toBeGreaterThanOrEqual(3_000);
		expect(Math.max(...deadlines)).toBeLessThan(5_000);
		expect(new Set(deadlines).size).toBeGreaterThan(40);
	});

	it("raises the term and asks for votes when a majority would vote, and only after its own vote is written", () => {
		const state = device(0);
		pass(state, TIMEOUT_MS);
		const effects = step(state, { type: "message", from: 1, message: granted(1) });
		expect(state).toMatchObject({ role: "candidate", term: 1, votedFor: 0 });
		const [write] = writes(effects);
		expect(write?.votes).toMatchObject({ term: 1, votedFor: 0 });
		const sends = effects.filter((effect) => effect.type === "send");
		expect(sends.map(({ to }) => to)).toEqual([1, 2, 0]);
		for (const send of sends) expect(send.afterSeq).toBe(write?.seq);
	});

	it("is won with the votes of a majority of all voters, the own one counting when it is written", () => {
		const state = device(0, { voters: [0, 1, 2, 3, 4] });
		pass(state, TIMEOUT_MS);
		for (const from of [1, 2]) step(state, { type: "message", from, message: granted(1) });
		for (const from of [1, 2])
			step(state, { type: "message", from, message: { type: "voteReply", term: 1, granted: true } });
		// Three of five said yes, but the own vote has not been written yet.
		expect(state.role).toBe("candidate");
		const effects = run(state, { type: "message", from: 0, message: { type: "voteReply", term: 1, granted: true } });
		expect(state.role).toBe("leader");
		expect(effects[0]).toEqual({ type: "becameLeader", term: 1 });
		expect(messages(effects, "appendEntries")).toHaveLength(4);
	});

	it("is won at once by a single voter, and never by an observer", () => {
		const single = device(0, { voters: [0] });
		pass(single, TIMEOUT_MS);
		expect(single.role).toBe("leader");
		const observer = device(3);
		expect(pass(observer, TIMEOUT_MS)).toEqual([]);
		expect(observer.role).toBe("follower");
	});

	it("is lost to whoever won in the same term", () => {
		const state = device(0);
		pass(state, TIMEOUT_MS);
		hear(state, 1, granted(1));
		hear(state, 2, append(1, GENESIS, []));
		expect(state).toMatchObject({ role: "follower", term: 1, leader: 2, votedFor: 0 });
	});

	it("ends when a higher term is heard of, from a pre-vote's or a vote's answer", () => {
		const state = device(0);
		pass(state, TIMEOUT_MS);
		const effects = hear(state, 1, { type: "preVoteReply", term: 7, granted: false, chainMs: START_MS });
		expect(state).toMatchObject({ role: "follower", term: 7, votedFor: undefined });
		expect(writes(effects)[0]?.votes.term).toBe(7);
		elect(state, [1]);
		expect(state).toMatchObject({ role: "leader", term: 8 });
		hear(state, 2, { type: "voteReply", term: 9, granted: false });
		expect(state).toMatchObject({ role: "follower", term: 9 });
	});

	it("leaves no leader named once the time-out passed, for those who do not stand as well", () => {
		const observer = device(3);
		hear(observer, 0, append(1, GENESIS, []));
		expect(observer.leader).toBe(0);
		pass(observer, TIMEOUT_MS);
		expect(observer.leader).toBeUndefined();
	});
});

describe("a vote", () => {
	it("is given once a term, first come first served (§5.2)", () => {
		const state = device(0);
		expect(messages(hear(state, 1, request(1)), "voteReply")).toEqual([{ type: "voteReply", term: 1, granted: true }]);
		expect(messages(hear(state, 2, request(1)), "voteReply")).toEqual([{ type: "voteReply", term: 1, granted: false }]);
		// Asked again, because the answer was lost: the same answer.
		expect(messages(hear(state, 1, request(1)), "voteReply")).toEqual([{ type: "voteReply", term: 1, granted: true }]);
		expect(messages(hear(state, 2, request(2)), "voteReply")).toEqual([{ type: "voteReply", term: 2, granted: true }]);
	});

	it("leaves only after it is written, and a restarted voter still knows it (figure 2, persistent state)", () => {
		const state = device(0);
		const effects = step(state, { type: "message", from: 1, message: request(1) });
		const last = writes(effects).at(-1);
		expect(last?.votes).toMatchObject({ term: 1, votedFor: 1 });
		const send = effects.find((effect) => effect.type === "send");
		expect(send?.afterSeq).toBe(last?.seq);
		expect(kinds(effects).at(-1)).toBe("send");

		const { term, votedFor } = last?.votes ?? { term: 0, votedFor: undefined };
		const restarted = device(0, { term, votedFor });
		expect(messages(hear(restarted, 2, request(1)), "voteReply")[0]?.granted).toBe(false);
		expect(messages(hear(restarted, 1, request(1)), "voteReply")[0]?.granted).toBe(true);
	});

	it("goes only to a candidate whose last term is higher, or equal with a log at least as long (§5.4.1)", () => {
		const voting = (lastTerm: number, lastIndex: number) => {
			const state = device(0, { term: 2, tail: logOf([1, 2]) });
			return messages(hear(state, 1, request(3, lastTerm, lastIndex)), "voteReply")[0]?.granted;
		};
		expect(voting(1, 9)).toBe(false);
		expect(voting(2, 1)).toBe(false);
		expect(voting(2, 2)).toBe(true);
		expect(voting(2, 3)).toBe(true);
		expect(voting(3, 1)).toBe(true);
	});

	it("is cleared by a higher term only: not by stepping down, not by sleeping", () => {
		const state = device(0);
		elect(state, [1]);
		run(state, { type: "resume", monotonicMs: 100_000, chainMs: START_MS + 100_000 });
		expect(state).toMatchObject({ role: "follower", term: 1, votedFor: 0 });
		expect(messages(hear(state, 1, request(1)), "voteReply")[0]?.granted).toBe(false);
	});

	it("is not asked for, given or counted before hellos of this run make a majority", () => {
		const state = device(0, { voters: [0, 1, 2, 3, 4], greeted: [1] });
		expect(pass(state, TIMEOUT_MS)).toEqual([]);
		expect(messages(hear(state, 1, request(1)), "voteReply")).toEqual([{ type: "voteReply", term: 1, granted: false }]);
		expect(
			messages(hear(state, 1, { type: "preVote", term: 2, lastTerm: 0, lastIndex: 0 }), "preVoteReply"),
		).toMatchObject([{ granted: false }]);
		run(state, { type: "greeted", from: 4 });
		expect(messages(hear(state, 1, request(1)), "voteReply")[0]?.granted).toBe(true);
		// A voter that goes away again was there: its hello counts for this run.
		run(state, { type: "gone", from: 4 });
		expect(messages(hear(state, 2, request(2)), "voteReply")[0]?.granted).toBe(true);
	});

	it("of an observer is not counted, and neither is its pre-vote nor its clock", () => {
		const state = device(0, { voters: [0, 1, 2], greeted: [1, 2, 3] });
		pass(state, TIMEOUT_MS);
		hear(state, 3, granted(1, START_MS - 1_000_000));
		expect(state.role).toBe("preCandidate");
		hear(state, 1, granted(1));
		expect(state.role).toBe("candidate");
		hear(state, 3, { type: "voteReply", term: 1, granted: true });
		expect(state.role).toBe("candidate");
		hear(state, 2, { type: "voteReply", term: 1, granted: true });
		expect(state.role).toBe("leader");
	});

	it("is answered by an observer too: it may have been made a voter in a block that it has not got", () => {
		const observer = device(3);
		expect(messages(hear(observer, 1, request(1)), "voteReply")[0]?.granted).toBe(true);
	});
});

describe("a pre-vote (Raft thesis §9.6)", () => {
	const ask = (term: number, lastTerm = 0, lastIndex = 0) => ({ type: "preVote", term, lastTerm, lastIndex }) as const;

	it("changes neither term nor vote of who answers", () => {
		const state = device(0);
		const effects = hear(state, 1, ask(5));
		expect(messages(effects, "preVoteReply")).toEqual([
			{ type: "preVoteReply", term: 5, granted: true, chainMs: START_MS },
		]);
		expect(writes(effects)).toEqual([]);
		expect(state).toMatchObject({ term: 0, votedFor: undefined });
	});

	it("is refused while a leader is heard, so that a tab returning from sleep deposes nobody", () => {
		const state = device(0);
		hear(state, 2, append(1, GENESIS, []));
		pass(state, 2_999);
		expect(messages(hear(state, 1, ask(9)), "preVoteReply")[0]).toMatchObject({ granted: false, term: 1 });
		pass(state, 1);
		expect(messages(hear(state, 1, ask(9)), "preVoteReply")[0]).toMatchObject({ granted: true });
	});

	it("is refused by the leader itself", () => {
		const state = device(0);
		elect(state);
		expect(messages(hear(state, 1, ask(9)), "preVoteReply")[0]?.granted).toBe(false);
	});

	it("is refused to a shorter log, and to a term that is not ahead", () => {
		const state = device(0, { term: 3, tail: logOf([3]) });
		expect(messages(hear(state, 1, ask(4, 2, 9)), "preVoteReply")[0]).toMatchObject({ granted: false, term: 3 });
		expect(messages(hear(state, 1, ask(3, 3, 9)), "preVoteReply")[0]?.granted).toBe(false);
		expect(messages(hear(state, 1, ask(4, 3, 1)), "preVoteReply")[0]?.granted).toBe(true);
	});

	it("does not raise the own term while it fails: a cut-off voter comes back with the term that it had", () => {
		const state = device(0);
		for (let i = 0; i < 20; i++) pass(state, TIMEOUT_MS);
		expect(state).toMatchObject({ role: "preCandidate", term: 0 });
	});

	it("that comes late, for a term that is not asked about any more, is not counted", () => {
		const state = device(0, { term: 4 });
		pass(state, TIMEOUT_MS);
		hear(state, 1, granted(4));
		expect(state.role).toBe("preCandidate");
	});
});

describe("a leader's lease", () => {
	it("a request to replace a leader that is heard is not even looked at (Raft thesis §4.2.3)", () => {
		const state = device(0);
		hear(state, 2, append(1, GENESIS, []));
		expect(hear(state, 1, request(9))).toEqual([]);
		expect(state).toMatchObject({ term: 1, leader: 2 });
		const leader = device(0);
		elect(leader);
		expect(hear(leader, 1, request(9))).toEqual([]);
		expect(leader).toMatchObject({ role: "leader", term: 1 });
	});

	it("ends: a leader that has not heard a majority for an election time-out steps down (check-quorum, §6.2)", () => {
		const state = device(0, { voters: [0, 1, 2, 3, 4] });
		elect(state, [1, 2]);
		pass(state, 4_000);
		// One answer is no majority of five with the own one; an observer's is nothing.
		hear(state, 1, { ...reply(state.term), round: 2 });
		pass(state, 1_000);
		expect(state.role).toBe("follower");
		expect(state.leader).toBeUndefined();
	});

	it("lasts while a majority answers", () => {
		const state = device(0);
		elect(state);
		for (let i = 0; i < 20; i++) {
			hear(state, 1, reply(state.term));
			pass(state, 1_000);
		}
		expect(state.role).toBe("leader");
	});

	it("ends with the sleep of its tab: it is a follower before it handles anything else", () => {
		const state = device(0);
		elect(state);
		const effects = run(state, { type: "resume", monotonicMs: 60_000, chainMs: START_MS + 60_000 });
		expect(effects).toEqual([{ type: "becameFollower", reason: "resumed" }]);
		expect(state.electionDeadlineMs).toBeGreaterThanOrEqual(63_000);
	});

	it("keeps others from leading in its term: who says so is not believed, and stops nobody", () => {
		const leader = device(0);
		elect(leader);
		expect(hear(leader, 1, append(1, GENESIS, []))).toEqual([
			{ type: "misbehaved", from: 1, code: "second-leader-in-term" },
		]);
		expect(leader.role).toBe("leader");
		const follower = device(0);
		hear(follower, 1, append(1, GENESIS, []));
		expect(kinds(hear(follower, 2, append(1, GENESIS, [])))).toEqual(["misbehaved"]);
		expect(follower.leader).toBe(1);
	});
});

function reply(term: number) {
	return {
		type: "appendReply",
		term,
		round: 1,
		status: "match",
		matchIndex: 0,
		commitIndex: 0,
		chainMs: START_MS,
		acknowledgement: undefined,
		refusedIds: [],
	} as const;
}

describe("a term", () => {
	it("that leaps further than any number of elections is not believed", () => {
		const state = device(0);
		const { MAX_SAFE_INTEGER } = Number;
		expect(hear(state, 1, request(MAX_SAFE_INTEGER, MAX_SAFE_INTEGER, 0))).toEqual([
			{ type: "misbehaved", from: 1, code: "term-leap" },
		]);
		expect(state.term).toBe(0);
	});
});
