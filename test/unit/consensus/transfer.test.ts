import { describe, expect, it } from "vitest";
import { step } from "../../../src/consensus/raft.js";
import { mayPropose } from "../../../src/consensus/replication.js";
import type { RaftEffect, RaftState } from "../../../src/consensus/state.js";
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

const handOver = (state: RaftState) => run(state, { type: "transferLeadership" });
/** Whom the leader asked to stand. */
const asked = (effects: readonly RaftEffect[]) =>
	effects.flatMap((effect) => (effect.type === "send" && effect.message.type === "timeoutNow" ? [effect.to] : []));

/** A leader of term 1 with one block, which these have. */
function leaderWith(having: readonly number[], options: Parameters<typeof device>[1] = {}): RaftState {
	const state = device(0, options);
	elect(state);
	const { entry } = proposeOn(state);
	for (const from of having) hear(state, from, matchReply(state, from, 1, entry));
	return state;
}

describe("the successor (Raft thesis §3.10)", () => {
	it("is a voter that has the whole log: no other could win", () => {
		expect(asked(handOver(leaderWith([2])))).toEqual([2]);
		expect(asked(handOver(leaderWith([1])))).toEqual([1]);
	});

	it("has the open proposal too, where there is one", () => {
		const state = leaderWith([1, 2]);
		const { entry } = proposeOn(state);
		// Stored, though not acknowledged: enough to lead on with it.
		hear(state, 2, matchReply(state, 2, entry.block.index));
		expect(asked(handOver(state))).toEqual([2]);
	});

	it("is the one that was heard last, of several; of these the lowest", () => {
		const state = leaderWith([1, 2]);
		expect(asked(handOver(state))).toEqual([1]);
		const other = leaderWith([1, 2]);
		pass(other, 100);
		hear(other, 2, matchReply(other, 2, 1));
		expect(asked(handOver(other))).toEqual([2]);
	});

	it("is neither an observer nor one whose clock is wrong: it would not stand", () => {
		const state = leaderWith([1], { greeted: [1, 2, 3] });
		hear(state, 3, matchReply(state, 3, 1));
		hear(state, 1, { ...matchReply(state, 1, 1), chainMs: state.chainMs + 31_000 });
		expect(asked(handOver(state))).toEqual([]);
	});

	it("may be missing: the leader stays, and goes on", () => {
		const state = device(0);
		elect(state);
		expect(handOver(state)).toEqual([]);
		expect(state.role).toBe("leader");
		expect(mayPropose(state)).toBe(true);
		expect(handOver(device(1))).toEqual([]);
	});
});

describe("a leader that hands over", () => {
	it("proposes nothing meanwhile, asks only once, and still leads", () => {
		const state = leaderWith([1, 2]);
		expect(mayPropose(state)).toBe(true);
		handOver(state);
		expect(mayPropose(state)).toBe(false);
		expect(() => proposeOn(state)).toThrow("only a leader without an open proposal proposes");
		expect(handOver(state)).toEqual([]);
		expect(messages(pass(state, 1_000), "appendEntries")).toHaveLength(2);
	});

	it("goes on when its successor has not won within an election time-out", () => {
		const state = leaderWith([1, 2]);
		handOver(state);
		for (let ms = 0; ms < 2_000; ms += 1_000) {
			pass(state, 1_000);
			for (const from of [1, 2]) hear(state, from, matchReply(state, from, 1));
		}
		expect(mayPropose(state)).toBe(false);
		pass(state, 1_000);
		expect(mayPropose(state)).toBe(true);
		expect(asked(handOver(state))).toHaveLength(1);
	});

	it("asks another then, and when all were asked in vain it goes on until another block is certified", () => {
		const state = leaderWith([1, 2]);
		const inVain = () => {
			const named = asked(handOver(state));
			for (let ms = 0; ms < 3_000; ms += 1_000) {
				pass(state, 1_000);
				for (const from of [1, 2]) hear(state, from, matchReply(state, from, state.base.index));
			}
			return named;
		};
		expect([inVain(), inVain(), inVain()]).toEqual([[1], [2], []]);
		expect(mayPropose(state)).toBe(true);
		const { entry } = proposeOn(state);
		for (const from of [1, 2]) hear(state, from, matchReply(state, from, 2, entry));
		expect(state.base.index).toBe(2);
		expect(asked(handOver(state))).toHaveLength(1);
	});

	it("votes for its successor, although it led until now", () => {
		const state = leaderWith([1, 2]);
		handOver(state);
		const request = { type: "requestVote", term: 2, lastTerm: 1, lastIndex: 1, transfer: true } as const;
		const effects = hear(state, 1, request);
		expect(messages(effects, "voteReply")).toEqual([{ type: "voteReply", term: 2, granted: true }]);
		expect(state).toMatchObject({ role: "follower", term: 2, votedFor: 1, transferUntilMs: undefined });
	});
});

describe("a voter that is asked to stand", () => {
	const follower = (self = 1, options: Parameters<typeof device>[1] = {}) => {
		const state = device(self, options);
		hear(state, 0, append(1, GENESIS, logOf([1])));
		return state;
	};
	const timeoutNow = (term = 1) => ({ type: "timeoutNow", term }) as const;

	it("stands at once, without a pre-vote, and says that it was asked to; the requests wait for the write", () => {
		const state = follower();
		const effects = step(state, { type: "message", from: 0, message: timeoutNow() });
		expect(state).toMatchObject({ role: "candidate", term: 2, votedFor: 1 });
		expect(messages(effects, "preVote")).toEqual([]);
		expect(messages(effects, "requestVote")).toEqual([
			{ type: "requestVote", term: 2, lastTerm: 1, lastIndex: 1, transfer: true },
			{ type: "requestVote", term: 2, lastTerm: 1, lastIndex: 1, transfer: true },
		]);
		const [write] = writes(effects);
		expect(write?.votes).toMatchObject({ term: 2, votedFor: 1 });
		for (const effect of effects) if (effect.type === "send") expect(effect.afterSeq).toBe(write?.seq);
	});

	it("does so only for the leader of its term", () => {
		for (const [from, message] of [
			[2, timeoutNow()],
			[0, timeoutNow(0)],
			[0, timeoutNow(2)],
		] as const) {
			const state = follower();
			expect(hear(state, from, message)).toEqual([]);
			expect(state).toMatchObject({ role: "follower", term: 1 });
		}
	});

	it("does not when it may not vote: an observer, a suspended key, a voter that has not met a majority", () => {
		for (const state of [follower(3), follower(1, { suspended: "twin-device" }), follower(1, { greeted: [] })]) {
			expect(hear(state, 0, timeoutNow())).toEqual([]);
			expect(state).toMatchObject({ role: "follower", term: 1 });
		}
	});

	it("wins with voters that still hear the old leader; without the leader's word they would not look at it (§4.2.3)", () => {
		const other = follower(2);
		const request = { type: "requestVote", term: 2, lastTerm: 1, lastIndex: 1 } as const;
		expect(hear(other, 1, { ...request, transfer: false })).toEqual([]);
		expect(messages(hear(other, 1, { ...request, transfer: true }), "voteReply")).toEqual([
			{ type: "voteReply", term: 2, granted: true },
		]);
	});

	it("does not win by the leader's word alone: the log decides as ever (§5.4.1)", () => {
		const other = follower(2);
		const request = { type: "requestVote", term: 2, lastTerm: 0, lastIndex: 0, transfer: true } as const;
		expect(messages(hear(other, 1, request), "voteReply")).toMatchObject([{ granted: false }]);
	});

	it("is of no use as a pretext: who is no voter disturbs nobody with it", () => {
		const other = follower(2, { greeted: [0, 1, 3] });
		expect(hear(other, 3, { type: "requestVote", term: 9, lastTerm: 9, lastIndex: 9, transfer: true })).toEqual([]);
		expect(other).toMatchObject({ term: 1, leader: 0 });
	});
});

describe("a handover from end to end", () => {
	it("takes one round: no time-out passes, no block is lost", () => {
		const members = [0, 1, 2].map((self) => device(self));
		const deliver = (from: number, effects: readonly RaftEffect[]): void => {
			for (const effect of effects) {
				const to = effect.type === "send" ? members[effect.to] : undefined;
				if (effect.type === "send" && to !== undefined) deliver(to.self, hear(to, from, effect.message));
			}
		};
		const [first] = members as [RaftState];
		deliver(0, elect(first));
		deliver(0, proposeOn(first).effects);
		expect(first.base.index).toBe(1);
		deliver(0, handOver(first));
		expect(members.map(({ role }) => role).sort()).toEqual(["follower", "follower", "leader"]);
		const successor = members.find(({ role }) => role === "leader");
		expect(successor).toMatchObject({ term: 2, base: { index: 1 } });
		expect(successor?.self).not.toBe(0);
		expect(members.every(({ chainMs }) => chainMs - START_MS <= 5_000)).toBe(true);
	});
});
