import { describe, expect, it } from "vitest";
import { step } from "../../../src/consensus/raft.js";
import { hashAt, lastOf } from "../../../src/consensus/state.js";
import {
	append,
	baseAt,
	certify,
	device,
	elect,
	entryOn,
	GENESIS,
	hear,
	kinds,
	logOf,
	matchReply,
	messages,
	pass,
	proposeOn,
	run,
	START_MS,
	writes,
} from "../../support/raft.js";

describe("a follower's log (Raft paper §5.3)", () => {
	it("takes an entry after validating it, writes it, and answers only then", () => {
		const state = device(0);
		const [entry] = logOf([1]);
		if (entry === undefined) throw new Error("an entry");
		const first = step(state, { type: "message", from: 1, message: append(1, GENESIS, [entry]) });
		expect(kinds(first)).toEqual(["persist", "validate"]);
		expect(state.tail).toEqual([]);
		const effects = step(state, { type: "validated", hash: entry.hash, result: { valid: true } });
		expect(kinds(effects)).toEqual(["persist", "send"]);
		expect(writes(effects)[0]).toMatchObject({
			append: entry,
			votes: { lastSigned: { index: 1, term: 1, hash: entry.hash } },
		});
		expect(effects[1]).toMatchObject({
			afterSeq: writes(effects)[0]?.seq,
			message: { status: "match", matchIndex: 1 },
		});
	});

	it("does not take what does not stand on the entry before it: it says where its certified part ends", () => {
		const state = device(0);
		const [first, second] = logOf([1, 1]);
		if (first === undefined || second === undefined) throw new Error("entries");
		const effects = hear(state, 1, append(1, baseAt(first), [second]));
		expect(messages(effects, "appendReply")).toMatchObject([{ status: "behind", matchIndex: 0 }]);
		expect(state.tail).toEqual([]);
		// Nor an entry that hangs on another hash of the same index.
		hear(state, 1, append(1, GENESIS, [entryOn(GENESIS, 1, { variant: 7 })]));
		expect(messages(hear(state, 1, append(1, baseAt(first), [second])), "appendReply")).toMatchObject([
			{ status: "behind" },
		]);
	});

	it("refuses a message of an older term, and tells its sender the newer one", () => {
		const state = device(0, { term: 5 });
		const effects = hear(state, 1, append(4, GENESIS, logOf([4])));
		expect(messages(effects, "appendReply")).toMatchObject([{ term: 5, status: "behind" }]);
		expect(state).toMatchObject({ term: 5, leader: undefined, tail: [] });
	});

	it("loses its conflicting tail, and that tail's blocks are handed back", () => {
		const mine = logOf([1, 1, 2]);
		const state = device(0, { term: 2, tail: mine });
		const theirs = logOf([3, 3], baseAt(mine[0] as (typeof mine)[0]));
		const effects = hear(state, 1, append(3, baseAt(mine[0] as (typeof mine)[0]), theirs));
		expect(state.tail).toEqual([mine[0], ...theirs]);
		expect(effects).toContainEqual({ type: "truncated", fromIndex: 2, blocks: [mine[1]?.block, mine[2]?.block] });
		const written = writes(effects);
		expect(written.map(({ truncateFrom, append }) => truncateFrom ?? append?.block.index)).toEqual([
			undefined,
			2,
			2,
			3,
		]);
	});

	it("is not shortened by an old message: what matches stays, and what follows it too", () => {
		const log = logOf([1, 1, 1]);
		const state = device(0);
		hear(state, 1, append(1, GENESIS, log));
		const effects = hear(state, 1, append(1, GENESIS, log.slice(0, 1)));
		expect(state.tail).toEqual(log);
		expect(messages(effects, "appendReply")).toMatchObject([
			{ status: "match", matchIndex: 1, acknowledgement: undefined },
		]);
		hear(state, 1, append(1, GENESIS, []));
		expect(state.tail).toEqual(log);
	});

	it("never changes at or below the certified block, whatever is said about it", () => {
		const certified = entryOn(GENESIS, 1);
		const state = device(0, { base: baseAt(certified), certificate: certify(certified, [1, 2]) });
		hear(state, 1, append(2, GENESIS, [entryOn(GENESIS, 2, { variant: 9 })]));
		expect(state.base.hash).toEqual(certified.hash);
		expect(hashAt(state, 1)).toEqual(certified.hash);
		expect(hashAt(state, 0)).toBeUndefined();
	});

	it("never has a block of the current term replaced by another: who tries is not a correct leader", () => {
		const state = device(0);
		const block = entryOn(GENESIS, 1);
		hear(state, 1, append(1, GENESIS, [block]));
		const effects = hear(state, 1, append(1, GENESIS, [entryOn(GENESIS, 1, { variant: 1 })]));
		expect(effects).toEqual([{ type: "misbehaved", from: 1, code: "replaced-in-term" }]);
		expect(state.tail).toEqual([block]);
	});

	it("takes nothing that its ledger refuses: the leader hears which transactions", () => {
		const state = device(0);
		const message = append(1, GENESIS, logOf([1]));
		const refusedIds = [new Uint8Array(32).fill(7)];
		const effects = run(state, { type: "message", from: 1, message }, () => ({ valid: false, refusedIds }));
		expect(state.tail).toEqual([]);
		expect(writes(effects).every(({ append }) => append === undefined)).toBe(true);
		expect(messages(effects, "appendReply")).toMatchObject([
			{ status: "refused", matchIndex: 0, refusedIds, acknowledgement: undefined },
		]);
	});

	it("ignores the verdict on a block that was replaced in the meantime", () => {
		const state = device(0);
		const [old] = logOf([1]);
		if (old === undefined) throw new Error("an entry");
		step(state, { type: "message", from: 1, message: append(1, GENESIS, [old]) });
		const newer = entryOn(GENESIS, 2);
		step(state, { type: "message", from: 2, message: append(2, GENESIS, [newer]) });
		expect(step(state, { type: "validated", hash: old.hash, result: { valid: true } })).toEqual([]);
		step(state, { type: "validated", hash: newer.hash, result: { valid: true } });
		expect(state.tail).toEqual([newer]);
	});
});

describe("a leader's log (Raft paper §5.3)", () => {
	it("grows only at its end: with a proposal open there is no second one", () => {
		const state = device(0);
		elect(state);
		const { entry, effects } = proposeOn(state);
		expect(messages(effects, "appendEntries", 1)).toMatchObject([{ prevIndex: 0, entries: [entry] }]);
		expect(() => proposeOn(state)).toThrow("only a leader without an open proposal proposes");
	});

	it("takes only a block of its own term on top of its last one", () => {
		const state = device(0);
		elect(state);
		const stale = entryOn(GENESIS, state.term - 1);
		expect(() => run(state, { type: "propose", entry: stale })).toThrow("extends the leader's log in its term");
		const floating = entryOn({ ...GENESIS, hash: new Uint8Array(32) }, state.term);
		expect(() => run(state, { type: "propose", entry: floating })).toThrow("extends the leader's log in its term");
	});

	it("is sent while it is written; the own acknowledgement waits for the write", () => {
		const state = device(0);
		elect(state);
		const entry = entryOn(GENESIS, state.term);
		const effects = step(state, { type: "propose", entry });
		expect(kinds(effects)).toEqual(["send", "send", "persist", "send"]);
		expect(effects[0]).not.toHaveProperty("afterSeq");
		expect(effects[3]).toMatchObject({ to: 0, afterSeq: writes(effects)[0]?.seq, sign: { index: 1, term: 1 } });
	});

	it("goes one step back for a follower that lacks it, and sends all of the rest", () => {
		const log = logOf([1, 1]);
		const state = device(0, { term: 1, tail: log });
		const [probe] = messages(elect(state), "appendEntries", 1);
		expect(probe).toMatchObject({ prevIndex: 2, entries: [] });
		const behind = { ...matchReply(state, 1, 0), status: "behind" as const };
		const [resent] = messages(hear(state, 1, behind), "appendEntries", 1);
		expect(resent).toMatchObject({ prevIndex: 0, entries: log });
		// Told so once more it has nothing further back: the follower catches up by itself.
		expect(messages(hear(state, 1, behind), "appendEntries")).toEqual([]);
	});

	it("is sent once: a heartbeat does not repeat what is on its way, unless the follower says that it never came", () => {
		const state = device(0);
		elect(state);
		const { entry } = proposeOn(state);
		const [heartbeat] = messages(pass(state, 1_000), "appendEntries", 1);
		expect(heartbeat).toMatchObject({ prevIndex: 1, entries: [] });
		const lost = () => ({ ...matchReply(state, 1, 0), status: "behind" as const });
		expect(messages(hear(state, 1, lost()), "appendEntries", 1)).toMatchObject([{ prevIndex: 0, entries: [entry] }]);
		// Lost again: with the next round.
		expect(messages(hear(state, 1, lost()), "appendEntries", 1)).toEqual([]);
		const [again] = messages(pass(state, 1_000), "appendEntries", 1);
		expect(again).toMatchObject({ prevIndex: 0, entries: [entry] });
	});

	it("is not sent to a follower below the certified part, which catches up by itself, before it is there", () => {
		const log = logOf([1, 1]);
		const state = device(0, { term: 1, base: baseAt(log[0] as (typeof log)[0]), tail: log.slice(1) });
		elect(state);
		const at = (index: number) => ({ ...matchReply(state, 1, index), status: "behind" as const });
		expect(messages(hear(state, 1, at(0)), "appendEntries", 1)).toEqual([]);
		expect(messages(pass(state, 1_000), "appendEntries", 1)).toMatchObject([{ prevIndex: 2, entries: [] }]);
		expect(messages(hear(state, 1, at(1)), "appendEntries", 1)).toMatchObject([{ prevIndex: 1, entries: [log[1]] }]);
	});

	it("is cut into messages of bounded size, of one entry at least", () => {
		const state = device(0, { term: 1, tail: logOf([1, 1, 1]), settings: { maxEntriesBytes: 150 } });
		elect(state);
		const behind = { ...matchReply(state, 1, 0), status: "behind" as const };
		const [first] = messages(hear(state, 1, behind), "appendEntries", 1);
		expect(first?.entries).toHaveLength(1);
		const [second] = messages(hear(state, 1, matchReply(state, 1, 1)), "appendEntries", 1);
		expect(second).toMatchObject({ prevIndex: 1, entries: [{ block: { index: 2 } }] });
	});

	it("is sent from its end to a follower that claims to have more", () => {
		const state = device(0);
		elect(state);
		hear(state, 1, matchReply(state, 1, 1_000_000));
		const [heartbeat] = messages(pass(state, 1_000), "appendEntries", 1);
		expect(heartbeat).toMatchObject({ prevIndex: lastOf(state).index, entries: [] });
	});

	it("is known by heartbeats every second, and by a first one at once to who says hello", () => {
		const state = device(0);
		elect(state);
		expect(messages(pass(state, 999), "appendEntries")).toEqual([]);
		expect(messages(pass(state, 1), "appendEntries")).toHaveLength(2);
		run(state, { type: "gone", from: 1 });
		expect(messages(pass(state, 1_000), "appendEntries", 1)).toEqual([]);
		expect(messages(run(state, { type: "greeted", from: 1 }), "appendEntries", 1)).toHaveLength(1);
	});

	it("reaches observers as well: they receive everything and acknowledge nothing", () => {
		const leader = device(0, { greeted: [1, 2, 3] });
		elect(leader);
		const { entry, effects } = proposeOn(leader);
		const [message] = messages(effects, "appendEntries", 3);
		const observer = device(3);
		if (message === undefined) throw new Error("the observer is sent the block");
		const answers = messages(hear(observer, 0, message), "appendReply");
		expect(observer.tail).toEqual([entry]);
		expect(answers).toMatchObject([{ status: "match", matchIndex: 1, acknowledgement: undefined }]);
		expect(observer.lastSigned).toBeUndefined();
	});
});

describe("a proposal that finds no majority (thesis 5.4)", () => {
	it("has its leader step down after 15 s, and not stand for two election time-outs", () => {
		const state = device(0);
		elect(state);
		const { entry } = proposeOn(state);
		const keepAlive = () => hear(state, 1, { ...matchReply(state, 1, 0), status: "refused" });
		for (let ms = 0; ms < 14_000; ms += 1_000) {
			keepAlive();
			pass(state, 1_000);
		}
		expect(state.role).toBe("leader");
		keepAlive();
		const effects = pass(state, 1_000);
		expect(effects).toContainEqual({ type: "becameFollower", reason: "proposal-timeout" });
		// Its block stays in its log: only another leader's block can take its place.
		expect(state.tail).toEqual([entry]);
		const steppedDownMs = state.nowMs;
		while (state.role === "follower") pass(state, 100);
		expect(state.nowMs - steppedDownMs).toBeGreaterThanOrEqual(2 * state.settings.electionTimeoutMaxMs);
	});

	it("names the transactions that a voter's ledger refuses", () => {
		const state = device(0);
		elect(state);
		proposeOn(state);
		const ids = [new Uint8Array(32).fill(3)];
		const effects = hear(state, 2, { ...matchReply(state, 2, 0), status: "refused", refusedIds: ids });
		expect(effects).toEqual([{ type: "refusedBy", from: 2, ids }]);
		expect(state.role).toBe("leader");
	});

	it("goes on in the next term: the new leader's empty block commits what lies below it (§8)", () => {
		const old = logOf([1]);
		const state = device(1, { term: 1, tail: old });
		elect(state, [0, 2]);
		const { entry } = proposeOn(state);
		const effects = hear(state, 2, matchReply(state, 2, 2, entry));
		expect(effects.find((effect) => effect.type === "commit")).toMatchObject({ entries: [old[0], entry] });
	});
});

describe("a leader that is told of a newer term", () => {
	it("steps down, and clears its vote because the term rose", () => {
		const state = device(0);
		elect(state);
		const effects = hear(state, 1, { ...matchReply(state, 1, 0), term: 8 });
		expect(effects).toContainEqual({ type: "becameFollower", reason: "higher-term" });
		expect(state).toMatchObject({ role: "follower", term: 8, votedFor: undefined });
		expect(writes(effects).at(-1)?.votes).toMatchObject({ term: 8, votedFor: undefined });
		expect(state.chainMs).toBeGreaterThan(START_MS);
	});
});
