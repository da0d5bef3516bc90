import { describe, expect, it } from "vitest";
import { LOG_DAMAGED } from "../../../src/consensus/commit.js";
import { step } from "../../../src/consensus/raft.js";
import { mayPropose } from "../../../src/consensus/replication.js";
import type { RaftEffect } from "../../../src/consensus/state.js";
import type { Entry } from "../../../src/message/message.js";
import {
	append,
	baseAt,
	certify,
	device,
	elect,
	entryOn,
	GENESIS,
	hear,
	isFairlySigned,
	kinds,
	logOf,
	matchReply,
	messages,
	pass,
	proposeOn,
	run,
	writes,
} from "../../support/raft.js";

const commits = (effects: readonly RaftEffect[]) => effects.filter((effect) => effect.type === "commit");
const installed = (entry: Entry, voters: readonly number[]) =>
	({
		type: "installed",
		base: { ...baseAt(entry), voters },
		certificate: certify(entry, voters),
		votersCertificate: undefined,
	}) as const;

describe("commitIndex", () => {
	it("moves when a majority of all voters has signed the leader's block, and never by fewer", () => {
		const state = device(0, { voters: [0, 1, 2, 3, 4] });
		elect(state);
		const { entry } = proposeOn(state);
		expect(commits(hear(state, 1, matchReply(state, 1, 1, entry)))).toEqual([]);
		// The same voter once more, and one that is no voter, count for nothing.
		hear(state, 1, matchReply(state, 1, 1, entry));
		run(state, { type: "greeted", from: 7 });
		hear(state, 7, matchReply(state, 7, 1, entry));
		expect(state.base.index).toBe(0);
		const [commit] = commits(hear(state, 4, matchReply(state, 4, 1, entry)));
		expect(commit).toMatchObject({ entries: [entry] });
		const { certificate } = commit as Extract<RaftEffect, { type: "commit" }>;
		expect(certificate.signatures.map(({ voter }) => voter)).toEqual([0, 1, 4]);
		expect(isFairlySigned(certificate)).toBe(true);
		expect(state.base).toEqual({ ...baseAt(entry), voters: [0, 1, 2, 3, 4] });
	});

	it("moves in one strict write with its certificate, before anybody is told that it is committed", () => {
		const state = device(0);
		elect(state);
		const { entry } = proposeOn(state);
		const effects = hear(state, 1, matchReply(state, 1, 1, entry));
		expect(kinds(effects)).toEqual(["send", "send", "persist", "commit"]);
		expect(writes(effects)[0]?.commit?.certificate).toEqual(certify(entry, [0, 1]));
		// The certificate itself goes out while it is written: it speaks for itself.
		expect(messages(effects, "appendEntries")).toMatchObject([
			{ certificate: { index: 1 } },
			{ certificate: { index: 1 } },
		]);
	});

	it("does not move by a matchIndex without a signature, nor by the signature of another block", () => {
		const state = device(0);
		elect(state);
		proposeOn(state);
		hear(state, 1, matchReply(state, 1, 1));
		hear(state, 1, matchReply(state, 1, 1, entryOn(GENESIS, 1, { variant: 5 })));
		hear(state, 1, matchReply(state, 1, 0, entryOn(GENESIS, 1)));
		expect(state.base.index).toBe(0);
	});

	it("of a single voter moves with its own write", () => {
		const state = device(0, { voters: [0] });
		elect(state, []);
		const { entry, effects } = proposeOn(state);
		expect(commits(effects)).toMatchObject([{ entries: [entry] }]);
	});

	it("of a follower moves by the certificate that comes with the next message, and not by the block alone", () => {
		const state = device(1);
		const [entry] = logOf([1]) as [Entry];
		hear(state, 0, append(1, GENESIS, [entry]));
		expect(state.base.index).toBe(0);
		const effects = hear(state, 0, append(1, baseAt(entry), [], certify(entry, [0, 2])));
		expect(commits(effects)).toMatchObject([{ entries: [entry] }]);
		expect(messages(effects, "appendReply")).toMatchObject([{ commitIndex: 1 }]);
	});

	it("does not move by a certificate of a minority of the voters, or of strangers", () => {
		const state = device(1, { voters: [0, 1, 2, 3, 4] });
		const [entry] = logOf([1]) as [Entry];
		hear(state, 0, append(1, GENESIS, [entry], certify(entry, [0, 2])));
		hear(state, 0, append(1, baseAt(entry), [], certify(entry, [0, 2, 7, 8])));
		expect(state.base.index).toBe(0);
		hear(state, 0, append(1, baseAt(entry), [], certify(entry, [0, 2, 4])));
		expect(state.base.index).toBe(1);
	});

	it("does not wait for the block above: one that is held back, or refused, comes with the certificate below it", () => {
		const [entry, next] = logOf([1, 1]) as [Entry, Entry];
		const state = device(1, { term: 1, tail: [entry] });
		const message = append(1, baseAt(entry), [next], certify(entry, [0, 2]));
		run(state, { type: "message", from: 0, message }, () => ({ valid: false, refusedIds: [] }));
		expect(state.base.index).toBe(1);
		const late = entryOn(baseAt(entry), 1, { timestampMs: entry.block.timestampMs + 99_000 });
		const holding = device(1, { term: 1, tail: [entry] });
		hear(holding, 0, append(1, baseAt(entry), [late], certify(entry, [0, 2])));
		expect(holding.waiting?.held).toBe(true);
		expect(holding.base.index).toBe(1);
	});
});

describe("a certificate for a block that is not held", () => {
	it("waits, and says whom to ask for it", () => {
		const [entry] = logOf([1]) as [Entry];
		const state = device(1);
		const effects = hear(state, 0, append(1, baseAt(entry), [], certify(entry, [0, 2])));
		expect(effects).toContainEqual({ type: "behind", from: 0, certificate: certify(entry, [0, 2]) });
		expect(state.base.index).toBe(0);
	});

	it("commits the block as soon as it has come", () => {
		const [entry] = logOf([1]) as [Entry];
		const state = device(1);
		hear(state, 0, append(1, baseAt(entry), [], certify(entry, [0, 2])));
		const effects = hear(state, 0, append(1, GENESIS, [entry]));
		expect(commits(effects)).toMatchObject([{ entries: [entry] }]);
		expect(state.ahead).toBeUndefined();
	});

	it("is forgotten when the block came by catching up", () => {
		const [first, second] = logOf([1, 1]) as [Entry, Entry];
		const state = device(1);
		hear(state, 0, append(1, baseAt(second), [], certify(second, [0, 2])));
		step(state, installed(first, [0, 2]));
		expect(state.ahead?.index).toBe(2);
		step(state, installed(second, [0, 2]));
		expect(state).toMatchObject({ ahead: undefined, base: { index: 2 } });
	});
});

describe("blocks of earlier terms (Raft paper §5.4.2, figure 8)", () => {
	it("are not committed by counting: an own block above them is needed", () => {
		// (c): S1, leader again in term 4, has its block of term 2 on a majority, and nothing of term 4 yet.
		const [one, two] = logOf([1, 2]) as [Entry, Entry];
		const s1 = device(0, { voters: [0, 1, 2, 3, 4], term: 3, base: baseAt(one), tail: [two] });
		elect(s1);
		expect(s1.term).toBe(4);
		for (const from of [1, 2, 3]) expect(commits(hear(s1, from, matchReply(s1, from, 2, two)))).toEqual([]);
		expect(s1.base.index).toBe(1);
		// (d): so S5 may still be elected with its block of term 3, and replace the one of term 2 everywhere.
		const s2 = device(1, { voters: [0, 1, 2, 3, 4], term: 4, base: baseAt(one), tail: [two] });
		const request = { type: "requestVote", term: 5, lastTerm: 3, lastIndex: 2, transfer: false } as const;
		expect(messages(hear(s2, 4, request), "voteReply")[0]?.granted).toBe(true);
		const three = entryOn(baseAt(one), 3);
		hear(s2, 4, append(5, baseAt(one), [three]));
		expect(s2.tail).toEqual([three]);
	});

	it("are committed with it, once a block of the own term is on a majority (e)", () => {
		const [one, two] = logOf([1, 2]) as [Entry, Entry];
		const s1 = device(0, { voters: [0, 1, 2, 3, 4], term: 3, base: baseAt(one), tail: [two] });
		elect(s1);
		const { entry } = proposeOn(s1);
		hear(s1, 1, matchReply(s1, 1, 3, entry));
		const [commit] = commits(hear(s1, 2, matchReply(s1, 2, 3, entry)));
		expect(commit).toMatchObject({ entries: [two, entry] });
		// S5 cannot be elected any more.
		const s2 = device(1, { voters: [0, 1, 2, 3, 4], term: 4, base: baseAt(one), tail: [two, entry] });
		const request = { type: "requestVote", term: 5, lastTerm: 3, lastIndex: 2, transfer: false } as const;
		expect(messages(hear(s2, 4, request), "voteReply")[0]?.granted).toBe(false);
	});
});

describe("an acknowledgement", () => {
	it("is signed only for a block of the current term: older ones get a bare matchIndex", () => {
		const state = device(1);
		const [old] = logOf([1]) as [Entry];
		const [bare] = messages(hear(state, 0, append(2, GENESIS, [old])), "appendReply");
		expect(bare).toMatchObject({ status: "match", matchIndex: 1, acknowledgement: undefined });
		expect(state.lastSigned).toBeUndefined();
		const current = entryOn(baseAt(old), 2);
		const [sealed] = messages(hear(state, 0, append(2, baseAt(old), [current])), "appendReply");
		expect(sealed?.acknowledgement?.hash).toEqual(current.hash);
		expect(state.lastSigned).toEqual({ index: 2, term: 2, hash: current.hash });
	});

	it("is signed for the last of several blocks only, in the write of that block", () => {
		const state = device(1);
		const log = logOf([1, 1, 1]);
		const written = writes(hear(state, 0, append(1, GENESIS, log))).filter(({ append }) => append !== undefined);
		expect(written.map(({ votes }) => votes.lastSigned?.index)).toEqual([undefined, undefined, 3]);
	});

	it("is given again for the same block when the first one was lost", () => {
		const state = device(1);
		const message = append(1, GENESIS, logOf([1]));
		const [first] = messages(hear(state, 0, message), "appendReply");
		const [again] = messages(hear(state, 0, message), "appendReply");
		expect(again?.acknowledgement).toEqual(first?.acknowledgement);
	});

	it("is never given to two hashes of one (index, term), not even after the first was lost from the log", () => {
		const [block] = logOf([1]) as [Entry];
		const lastSigned = { index: 1, term: 1, hash: block.hash };
		const state = device(1, { term: 1, lastSigned });
		const other = entryOn(GENESIS, 1, { variant: 1 });
		const [answer] = messages(hear(state, 0, append(1, GENESIS, [other])), "appendReply");
		expect(answer).toMatchObject({ status: "match", acknowledgement: undefined });
		expect(state.lastSigned).toEqual(lastSigned);
		// Nor for anything below what was signed in the term.
		const high = device(1, { term: 1, lastSigned: { ...lastSigned, index: 9 } });
		expect(messages(hear(high, 0, append(1, GENESIS, [block])), "appendReply")[0]?.acknowledgement).toBeUndefined();
	});

	it("is not given before hellos of this run make a majority; the block is stored all the same", () => {
		const state = device(1, { voters: [0, 1, 2, 3, 4], greeted: [0] });
		const [entry] = logOf([1]) as [Entry];
		expect(messages(hear(state, 0, append(1, GENESIS, [entry])), "appendReply")[0]?.acknowledgement).toBeUndefined();
		expect(state.tail).toEqual([entry]);
		run(state, { type: "greeted", from: 3 });
		const [later] = messages(hear(state, 0, append(1, GENESIS, [entry])), "appendReply");
		expect(later?.acknowledgement?.hash).toEqual(entry.hash);
	});
});

describe("a key that signs elsewhere", () => {
	it("is noticed by a certificate with an own signature that this device does not know: it stops voting", () => {
		const [entry] = logOf([1]) as [Entry];
		const state = device(1);
		const effects = hear(state, 0, append(1, baseAt(entry), [], certify(entry, [0, 1])));
		expect(effects).toContainEqual({
			type: "evidence",
			code: "unknown-own-signature",
			certificate: certify(entry, [0, 1]),
		});
		expect(state.suspended).toBe("unknown-own-signature");
		expect(writes(effects).at(-1)?.votes.suspended).toBe("unknown-own-signature");
		for (let i = 0; i < 5; i++) pass(state, 5_000);
		expect(state.role).toBe("follower");
		const request = { type: "requestVote", term: 9, lastTerm: 9, lastIndex: 9, transfer: false } as const;
		expect(messages(hear(state, 2, request), "voteReply")).toMatchObject([{ granted: false }]);
	});

	it("is noticed where a neighbour shows it, of whatever block; what it signed itself is not", () => {
		const [first, second] = logOf([1, 1]) as [Entry, Entry];
		const state = device(1, { term: 1, lastSigned: { index: 1, term: 1, hash: first.hash }, tail: [first] });
		expect(step(state, { type: "shown", certificate: certify(first, [1]) })).toEqual([]);
		const effects = step(state, { type: "shown", certificate: certify(second, [1]) });
		expect(kinds(effects)).toContain("evidence");
		expect(writes(effects).at(-1)?.votes.suspended).toBe("unknown-own-signature");
	});

	it("is noticed by a leader, which leads no longer", () => {
		const [entry] = logOf([1]) as [Entry];
		const state = device(0);
		elect(state);
		const effects = step(state, installed(entry, [0, 1]));
		expect(state).toMatchObject({ suspended: "unknown-own-signature", role: "follower" });
		expect(kinds(effects)).toContain("becameFollower");
		expect(mayPropose(state)).toBe(false);
	});

	it("is noticed in the certificate of caught-up blocks as well", () => {
		const [entry] = logOf([1]) as [Entry];
		const state = device(1);
		expect(kinds(step(state, installed(entry, [0, 1])))).toContain("evidence");
		expect(state.suspended).toBe("unknown-own-signature");
	});

	it("is not suspected for what it signed itself, in this term or before", () => {
		const [first, second] = logOf([1, 1]) as [Entry, Entry];
		const lastSigned = { index: 2, term: 1, hash: second.hash };
		const state = device(1, { term: 1, lastSigned, tail: [first, second] });
		hear(state, 0, append(1, baseAt(second), [], certify(first, [0, 1])));
		hear(state, 0, append(1, baseAt(second), [], certify(second, [0, 1])));
		expect(state).toMatchObject({ suspended: undefined, base: { index: 2 } });
	});

	it("stays silent once it is suspended, also after a restart; it still follows", () => {
		const state = device(1, { suspended: "twin-device" });
		const [entry] = logOf([1]) as [Entry];
		const [answer] = messages(hear(state, 0, append(1, GENESIS, [entry])), "appendReply");
		expect(answer).toMatchObject({ status: "match", acknowledgement: undefined });
		const leader = device(0);
		elect(leader);
		expect(run(leader, { type: "suspend", code: "twin-device" })).toMatchObject([
			{ type: "becameFollower" },
			{ type: "persist", persist: { votes: { suspended: "twin-device" } } },
		]);
		expect(run(leader, { type: "suspend", code: "again" })).toEqual([]);
	});

	it("is proven by two certificates for one index", () => {
		const [entry] = logOf([1]) as [Entry];
		const state = device(1, { base: baseAt(entry), certificate: certify(entry, [0, 2]) });
		const other = certify(entryOn(GENESIS, 1, { variant: 1 }), [0, 2]);
		const effects = hear(state, 0, append(1, baseAt(entry), [], other));
		expect(effects).toContainEqual({ type: "evidence", code: "conflicting-certificates", certificate: other });
	});
});

describe("blocks that came by catching up", () => {
	it("become the base; an own tail that fits stays, one that does not is handed back", () => {
		const [first, second, third] = logOf([1, 1, 1]) as [Entry, Entry, Entry];
		const fitting = device(1, { tail: [first, second, third], term: 1 });
		expect(kinds(step(fitting, installed(second, [0, 2])))).toEqual(["persist"]);
		expect(fitting).toMatchObject({ base: { index: 2 }, tail: [third] });

		const other = logOf([2, 2]) as [Entry, Entry];
		const torn = device(1, { tail: [first, second, third], term: 2 });
		const effects = step(torn, installed(other[1], [0, 2]));
		expect(torn).toMatchObject({ base: { index: 2 }, tail: [] });
		expect(effects).toMatchObject([
			{ type: "persist", persist: { truncateFrom: 3 } },
			{ type: "truncated", fromIndex: 3, blocks: [third.block] },
		]);
	});

	it("close a leader's open proposal that is among them", () => {
		const state = device(0);
		elect(state);
		const { entry } = proposeOn(state);
		step(state, installed(entry, [0, 2]));
		expect(() => proposeOn(state)).not.toThrow();
	});

	it("of a newer term make who led an older one a follower: it never builds on them in its own", () => {
		const state = device(0);
		elect(state);
		const [newer] = logOf([4]) as [Entry];
		const effects = step(state, installed(newer, [1, 2]));
		expect(effects[0]).toEqual({ type: "becameFollower", reason: "higher-term" });
		expect(writes(effects).at(-1)?.votes).toMatchObject({ term: 4, votedFor: undefined });
		// Nor after a crash between the blocks' write and that of the term.
		const restarted = device(0, { term: 1, votedFor: 0, base: baseAt(newer) });
		expect(restarted).toMatchObject({ term: 4, votedFor: undefined });
	});

	const damagedAfter = (log: readonly Entry[], signed: Entry) => {
		const lastSigned = { index: signed.block.index, term: signed.block.term, hash: signed.hash };
		const state = device(1, { term: 1, lastSigned, suspended: LOG_DAMAGED });
		step(state, installed(log[0] as Entry, [0, 2]));
		expect(state.suspended).toBe(LOG_DAMAGED);
		return state;
	};

	it("heal a damaged log: the voter votes again when all that it acknowledged is covered", () => {
		const log = logOf([1, 1, 1]) as [Entry, Entry, Entry];
		const state = damagedAfter(log, log[2]);
		hear(state, 0, append(1, baseAt(log[0]), [log[1]]));
		expect(state.suspended).toBe(LOG_DAMAGED);
		hear(state, 0, append(1, baseAt(log[1]), [], certify(log[1], [0, 2])));
		expect(state.suspended).toBe(LOG_DAMAGED);
		step(state, installed(log[2], [0, 2]));
		expect(state.suspended).toBeUndefined();
	});

	it("heal it where the leader sends once more what was acknowledged last: nobody else may be left who has it", () => {
		const log = logOf([1, 1]) as [Entry, Entry];
		const state = damagedAfter(log, log[1]);
		const effects = hear(state, 0, append(1, baseAt(log[0]), [log[1]]));
		expect(state.suspended).toBeUndefined();
		// In the very write that holds the block.
		expect(writes(effects).at(-1)).toMatchObject({ append: { hash: log[1].hash }, votes: { suspended: undefined } });
	});

	it("do not heal it by another block in that place", () => {
		const log = logOf([1, 1]) as [Entry, Entry];
		const other = logOf([1, 2]) as [Entry, Entry];
		const state = damagedAfter(log, log[1]);
		hear(state, 0, append(2, baseAt(log[0]), [other[1]]));
		expect(state.suspended).toBe(LOG_DAMAGED);
	});
});
