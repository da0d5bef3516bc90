import { describe, expect, it } from "vitest";
import { mayPropose } from "../../../src/consensus/replication.js";
import {
	append,
	baseAt,
	device,
	elect,
	entryOn,
	GENESIS,
	hear,
	kinds,
	matchReply,
	messages,
	pass,
	START_MS,
} from "../../support/raft.js";

/** How the answers' clocks differ from the candidate's. */
function standing(offsetsMs: readonly number[], timeScale = 1) {
	const voters = [0, ...offsetsMs.map((_, at) => at + 1)];
	const state = device(0, { voters, settings: { timeScale } });
	pass(state, 5_000);
	for (const [at, offsetMs] of offsetsMs.entries()) {
		const { chainMs } = state;
		hear(state, at + 1, { type: "preVoteReply", term: 1, granted: true, chainMs: chainMs + offsetMs });
	}
	return state;
}

describe("a candidate", () => {
	it("stands only within 30 s of the lower median of its own and the answerers' clocks", () => {
		expect(standing([30_000, 30_000]).role).toBe("candidate");
		expect(standing([-30_000]).role).toBe("candidate");
		expect(standing([-30_001, -40_000])).toMatchObject({ role: "preCandidate", term: 0, clockOffMs: 30_001 });
		expect(standing([-30_001, -30_001, -30_001, -30_001]).role).toBe("preCandidate");
	});

	it("measures in chain time: a demo's clock runs faster, and so does the tolerance", () => {
		expect(standing([-60_000, -60_000], 60).role).toBe("candidate");
		expect(standing([-1_800_001, -1_800_001], 60).role).toBe("preCandidate");
	});

	it("is not kept from standing by one wrong clock that answered first", () => {
		const state = standing([-3_600_000]);
		expect(state.role).toBe("preCandidate");
		const three = standing([-3_600_000, 0]);
		expect(three).toMatchObject({ role: "candidate", clockOffMs: undefined });
	});

	it("says by how much its clock is wrong until the clock is set", () => {
		const state = standing([-3_600_000, -3_600_000]);
		expect(state.clockOffMs).toBe(3_600_000);
		hear(state, 1, append(1, GENESIS, []));
		pass(state, 1_000);
		expect(state.clockOffMs).toBe(3_600_000);
		pass(state, 1_000, 1_000 - 3_600_000);
		expect(state.clockOffMs).toBeUndefined();
	});
});

describe("a leader whose clock moved otherwise than time did", () => {
	const doubting = (jumpMs: number) => {
		const state = device(0);
		elect(state);
		return { state, effects: pass(state, 100, 100 + jumpMs) };
	};

	it("proposes nothing before a majority's clocks agree with it", () => {
		const { state, effects } = doubting(5_000);
		expect(messages(effects, "appendEntries")).toHaveLength(2);
		expect(mayPropose(state)).toBe(false);
		// An answer to a round before the jump says nothing.
		hear(state, 1, { ...matchReply(state, 1, 0), round: state.round - 1 });
		expect(mayPropose(state)).toBe(false);
		hear(state, 1, matchReply(state, 1, 0));
		expect(mayPropose(state)).toBe(true);
	});

	it("steps down when they do not", () => {
		const { state } = doubting(3_600_000);
		const answer = { ...matchReply(state, 1, 0), chainMs: START_MS };
		expect(hear(state, 1, answer)).toContainEqual({ type: "becameFollower", reason: "clock-jumped" });
		expect(state.clockOffMs).toBeGreaterThan(3_590_000);
	});

	it("is not in doubt after a late tick, when both clocks moved", () => {
		const { state } = doubting(900);
		expect(mayPropose(state)).toBe(true);
	});
});

describe("a block stamped ahead of a voter's clock", () => {
	const ahead = (ms: number, term = 1) => entryOn(GENESIS, term, { timestampMs: START_MS + ms });

	it("is held, neither stored nor acknowledged, until the clock is within 30 s of it", () => {
		const state = device(1);
		const entry = ahead(40_000);
		expect(kinds(hear(state, 0, append(1, GENESIS, [entry])))).toEqual(["persist"]);
		expect(state.tail).toEqual([]);
		expect(pass(state, 1_000)).toEqual([]);
		// The leader's heartbeats bring it again; nothing changes.
		expect(kinds(hear(state, 0, append(1, GENESIS, [entry])))).toEqual([]);
		expect(messages(pass(state, 1_000, 9_000), "appendReply")).toMatchObject([
			{ status: "match", acknowledgement: { hash: entry.hash } },
		]);
		expect(state.tail).toEqual([entry]);
	});

	it("is forgotten when the term ends", () => {
		const state = device(1);
		hear(state, 0, append(1, GENESIS, [ahead(40_000)]));
		hear(state, 2, append(2, GENESIS, []));
		expect(pass(state, 1_000, 60_000)).toEqual([]);
		expect(state.tail).toEqual([]);
	});

	it("is taken at once if it stands 1 ms after its parent: somebody's clock was ahead before", () => {
		const state = device(1);
		const first = ahead(29_999);
		const second = entryOn(baseAt(first), 1, { timestampMs: START_MS + 30_001 });
		const third = entryOn(baseAt(first), 1, { timestampMs: START_MS + 30_000 });
		hear(state, 0, append(1, GENESIS, [first, second]));
		expect(state.tail).toEqual([first]);
		hear(state, 0, append(2, GENESIS, [first, third]));
		expect(state.tail).toEqual([first, third]);
	});

	it("is never judged by the clock if its term is over, or by an observer", () => {
		const voter = device(1);
		hear(voter, 0, append(2, GENESIS, [ahead(3_600_000, 1)]));
		expect(voter.tail).toHaveLength(1);
		const observer = device(3);
		hear(observer, 0, append(1, GENESIS, [ahead(3_600_000)]));
		expect(observer.tail).toHaveLength(1);
	});
});
