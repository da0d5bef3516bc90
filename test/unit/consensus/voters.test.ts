import { describe, expect, it } from "vitest";
import { checkCertificate } from "../../../src/consensus/certificate.js";
import { step } from "../../../src/consensus/raft.js";
import { mayChangeVoters } from "../../../src/consensus/replication.js";
import { type RaftEffect, type RaftState, votersOf } from "../../../src/consensus/state.js";
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
	logOf,
	matchReply,
	messages,
	pass,
	proposeOn,
	run,
	writes,
} from "../../support/raft.js";

const commits = (effects: readonly RaftEffect[]) => effects.filter((effect) => effect.type === "commit");
const signersOf = (effects: readonly RaftEffect[]) =>
	commits(effects).flatMap(({ certificate }) => certificate.signatures.map(({ voter }) => voter));

/** A leader whose empty block of its term is certified, so that it may change the voters. */
function settledLeader(voters: readonly number[], observers: readonly number[] = []): RaftState {
	const others = voters.slice(1);
	const state = device(0, { voters, greeted: [...others, ...observers] });
	elect(state, others);
	const { entry } = proposeOn(state);
	for (const from of others) if (state.tail.length > 0) hear(state, from, matchReply(state, from, 1, entry));
	return state;
}

describe("a voter change holds as soon as it is appended (Raft thesis §4.1)", () => {
	it("at its leader: the new voter is asked by the next election, and counts in it", () => {
		const state = settledLeader([0, 1, 2], [3]);
		proposeOn(state, { voters: { added: [3] } });
		expect(votersOf(state)).toEqual([0, 1, 2, 3]);
		run(state, { type: "resume", monotonicMs: state.nowMs, chainMs: state.chainMs });
		const asked = pass(state, 5_000);
		expect(messages(asked, "preVote")).toHaveLength(3);
		hear(state, 1, { type: "preVoteReply", term: 2, granted: true, chainMs: state.chainMs });
		// Two of four are no majority.
		expect(state.role).toBe("preCandidate");
		hear(state, 3, { type: "preVoteReply", term: 2, granted: true, chainMs: state.chainMs });
		expect(state.role).toBe("candidate");
	});

	it("at a follower, before anybody has certified it", () => {
		const [first] = logOf([1]) as [Entry];
		const change = entryOn(baseAt(first), 1, { voters: { added: [3] } });
		const state = device(1);
		hear(state, 0, append(1, GENESIS, [first, change]));
		expect(state.base.index).toBe(0);
		expect(votersOf(state)).toEqual([0, 1, 2, 3]);
	});

	it("and no longer when it is truncated: the old voters are back", () => {
		const [first] = logOf([1]) as [Entry];
		const change = entryOn(baseAt(first), 1, { voters: { added: [3] } });
		const state = device(1, { term: 1, tail: [first, change] });
		const effects = hear(state, 2, append(2, baseAt(first), [entryOn(baseAt(first), 2)]));
		expect(effects).toContainEqual({ type: "truncated", fromIndex: 2, blocks: [change.block] });
		expect(votersOf(state)).toEqual([0, 1, 2]);
	});

	it("also after a restart: the written tail says who votes", () => {
		const [first] = logOf([1]) as [Entry];
		const change = entryOn(baseAt(first), 1, { voters: { added: [3] } });
		expect(votersOf(device(1, { term: 1, tail: [first, change] }))).toEqual([0, 1, 2, 3]);
	});
});

describe("the certificate of a voter change", () => {
	it("needs a majority of the new voters: of three that become four, two are too few", () => {
		const state = settledLeader([0, 1, 2], [3]);
		const { entry } = proposeOn(state, { voters: { added: [3] } });
		expect(commits(hear(state, 1, matchReply(state, 1, 2, entry)))).toEqual([]);
		expect(signersOf(hear(state, 3, matchReply(state, 3, 2, entry)))).toEqual([0, 1, 3]);
		expect(state.base).toMatchObject({ index: 2, voters: [0, 1, 2, 3], votersSinceIndex: 2 });
	});

	it("needs a majority of the old voters: the new one does not stand in for one of them", () => {
		const state = settledLeader([0, 1, 2, 3, 4], [5]);
		const { entry } = proposeOn(state, { voters: { added: [5] } });
		for (const from of [1, 5]) expect(commits(hear(state, from, matchReply(state, from, 2, entry)))).toEqual([]);
		// Old: 0 1 2 of five; new: 0 1 2 5 of six.
		expect(signersOf(hear(state, 2, matchReply(state, 2, 2, entry)))).toEqual([0, 1, 2, 5]);
	});

	it("of a removal needs the old majority too, to which the removed voter still belongs", () => {
		const state = settledLeader([0, 1, 2, 3]);
		const { entry } = proposeOn(state, { voters: { removed: [3] } });
		// Two of the three that stay, but two of the four that were.
		expect(commits(hear(state, 1, matchReply(state, 1, 2, entry)))).toEqual([]);
		const removed = device(3, { voters: [0, 1, 2, 3], term: 1, base: { ...state.base, voters: [0, 1, 2, 3] } });
		const [answer] = messages(hear(removed, 0, append(1, state.base, [entry])), "appendReply");
		expect(answer?.acknowledgement?.hash).toEqual(entry.hash);
		expect(signersOf(hear(state, 3, answer ?? matchReply(state, 3, 2)))).toEqual([0, 1, 3]);
	});

	it("is written as one: the node keeps it, and the core for who is still below the change", () => {
		const state = settledLeader([0, 1, 2], [3]);
		const { entry } = proposeOn(state, { voters: { added: [3] } });
		hear(state, 1, matchReply(state, 1, 2, entry));
		const effects = hear(state, 2, matchReply(state, 2, 2, entry));
		expect(writes(effects)[0]?.commit).toEqual({ certificate: certify(entry, [0, 1, 2]), changesVoters: true });
		expect(state.votersCertificate).toEqual(certify(entry, [0, 1, 2]));
	});

	it("by a later block covers old and new voters as well, as the change was not certified below it", () => {
		const [first] = logOf([1]) as [Entry];
		const change = entryOn(baseAt(first), 1, { voters: { added: [3] } });
		const state = device(0, { term: 1, base: baseAt(first), tail: [change], greeted: [1, 2, 3] });
		elect(state, [1, 2, 3]);
		expect(state).toMatchObject({ role: "leader", term: 2 });
		const { entry } = proposeOn(state);
		expect(commits(hear(state, 3, matchReply(state, 3, 3, entry)))).toEqual([]);
		const effects = hear(state, 2, matchReply(state, 2, 3, entry));
		expect(signersOf(effects)).toEqual([0, 2, 3]);
		expect(writes(effects)[0]?.commit?.changesVoters).toBe(true);
		expect(state.base.votersSinceIndex).toBe(2);
	});

	it("is not helped by who is in neither set, nor by the same voter twice", () => {
		const state = settledLeader([0, 1, 2], [3, 9]);
		const { entry } = proposeOn(state, { voters: { added: [3] } });
		for (const from of [9, 1, 1, 9]) hear(state, from, matchReply(state, from, 2, entry));
		expect(state.base.index).toBe(1);
	});
});

describe("a certificate that does not cover", () => {
	const [first] = logOf([1]) as [Entry];
	const change = entryOn(baseAt(first), 1, { voters: { added: [3] } });
	const follower = () => device(2, { term: 1, base: baseAt(first), tail: [change] });
	const told = (signers: readonly number[]) => {
		const state = follower();
		hear(state, 0, append(1, baseAt(change), [], certify(change, signers)));
		return state.base.index;
	};

	it("does nothing: too few of the new, too few of the old, strangers, one voter several times", () => {
		expect(told([0, 1])).toBe(1);
		expect(told([0, 3])).toBe(1);
		expect(told([0, 7, 8, 9])).toBe(1);
		expect(told([0, 0, 0, 1, 1])).toBe(1);
		expect(told([0, 1, 3])).toBe(2);
	});

	it("is refused with the reason by who checks it", () => {
		const key = new Uint8Array(33);
		const verifier = { verify: () => true, verifications: 0 } as never;
		const code = (signers: readonly number[]) => {
			const sets = [
				[0, 1, 2],
				[0, 1, 2, 3],
			];
			const checked = checkCertificate(certify(change, signers), sets, () => key, GENESIS.hash, verifier);
			return checked.ok ? "good" : checked.error.code;
		};
		expect(code([0, 1, 3])).toBe("good");
		expect(code([0, 1])).toBe("certificate-without-majority");
		expect(code([0, 3])).toBe("certificate-without-majority");
		expect(code([0, 0, 1])).toBe("certificate-without-majority");
		expect(code([0, 3, 9])).toBe("certificate-without-majority");
		// The leader reckoned with a set that is not known here: its signatures are no harm, and no help.
		expect(code([0, 1, 3, 9])).toBe("good");
	});
});

describe("one change at a time, on a certified block of the own term (Raft thesis §4.1; Ongaro 2015)", () => {
	it("a new leader changes nothing before its own term has a certified block", () => {
		const state = device(0);
		elect(state);
		expect(mayChangeVoters(state)).toBe(false);
		expect(() => proposeOn(state, { voters: { added: [3] } })).toThrow("on a certified block of the own term");
		expect(mayChangeVoters(settledLeader([0, 1, 2]))).toBe(true);
	});

	it("a leader with an uncertified change makes no second one", () => {
		const state = settledLeader([0, 1, 2], [3]);
		proposeOn(state, { voters: { added: [3] } });
		expect(mayChangeVoters(state)).toBe(false);
		expect(() => proposeOn(state, { voters: { removed: [2] } })).toThrow();
	});

	it("a leader that removes itself hands over first", () => {
		const state = settledLeader([0, 1, 2]);
		expect(() => proposeOn(state, { voters: { removed: [0] } })).toThrow("hands over before it is removed");
	});

	it("a voter acknowledges a change only with the certificate of the block before it", () => {
		const [first] = logOf([1]) as [Entry];
		const change = entryOn(baseAt(first), 1, { voters: { added: [3] } });
		const state = device(1, { term: 1, tail: [first] });
		const [bare] = messages(hear(state, 0, append(1, baseAt(first), [change])), "appendReply");
		expect(bare).toMatchObject({ status: "match", matchIndex: 2, acknowledgement: undefined });
		// The certificate may come later: then the change is acknowledged.
		const late = append(1, baseAt(change), [], certify(first, [0, 2]));
		expect(messages(hear(state, 0, late), "appendReply")[0]?.acknowledgement?.hash).toEqual(change.hash);

		const prompt = device(1, { term: 1, tail: [first] });
		const both = append(1, baseAt(first), [change], certify(first, [0, 2]));
		expect(messages(hear(prompt, 0, both), "appendReply")[0]?.acknowledgement?.hash).toEqual(change.hash);
	});

	it("so the mistake of the first edition cannot happen: two leaders' changes with majorities that do not meet", () => {
		// Four voters. S0 leads term 1, appends "add 4", and reaches only itself and 4. S1 leads term 2 by S2 and S3.
		const voters = [0, 1, 2, 3];
		const [first] = logOf([1], { ...GENESIS, voters }) as [Entry];
		const base = { ...baseAt(first), voters };
		const s1 = device(1, { voters, term: 1, base });
		elect(s1, [2, 3]);
		// Without its own certified block it could make {1, 2, 3} of the four, with two of which it would commit …
		expect(mayChangeVoters(s1)).toBe(false);
		const { entry } = proposeOn(s1);
		hear(s1, 2, matchReply(s1, 2, 2, entry));
		expect(mayChangeVoters(s1)).toBe(false);
		hear(s1, 3, matchReply(s1, 3, 2, entry));
		expect(mayChangeVoters(s1)).toBe(true);
		// … and after it, 0 wins nobody any more that {0, 1, 2, 3, 4} would need: only itself and 4.
		const s3 = device(3, { voters, term: 2, base, tail: [entry] });
		const request = { type: "requestVote", term: 3, lastTerm: 1, lastIndex: 2, transfer: false } as const;
		expect(messages(hear(s3, 0, request), "voteReply")).toMatchObject([{ granted: false }]);
	});
});

describe("from one voter to three", () => {
	it("nothing that tells of the change leaves before it is written: the old set has no other memory", () => {
		const state = settledLeader([0], [1, 2]);
		const entry = entryOn(state.base, state.term, { voters: { added: [1, 2] } });
		const proposed = step(state, { type: "propose", entry });
		const [write] = writes(proposed);
		expect(write?.append).toEqual(entry);
		const sends = (effects: readonly RaftEffect[]) => effects.filter((effect) => effect.type === "send");
		expect(sends(proposed).map(({ to }) => to)).toEqual([1, 2, 0]);
		for (const { afterSeq } of sends(proposed)) expect(afterSeq).toBe(write?.seq);
		// Nor a heartbeat, nor a first message to who says hello.
		const beat = step(state, { type: "tick", monotonicMs: state.nowMs + 1_000, chainMs: state.chainMs + 1_000 });
		const greeting = step(state, { type: "greeted", from: 7 });
		expect(sends(beat)).toHaveLength(2);
		for (const { afterSeq } of sends([...beat, ...greeting])) expect(afterSeq).toBe(write?.seq);
	});

	it("it is certified by the old voter and a majority of the three", () => {
		const state = settledLeader([0], [1, 2]);
		const { entry, effects } = proposeOn(state, { voters: { added: [1, 2] } });
		expect(commits(effects)).toEqual([]);
		expect(signersOf(hear(state, 2, matchReply(state, 2, 2, entry)))).toEqual([0, 2]);
	});

	it("the two new voters alone certify nothing while the old one has not written it", () => {
		const state = settledLeader([0], [1, 2]);
		const entry = entryOn(state.base, state.term, { voters: { added: [1, 2] } });
		// The own acknowledgement is held back with the write.
		step(state, { type: "propose", entry });
		for (const from of [1, 2]) hear(state, from, matchReply(state, from, 2, entry));
		expect(state.base.index).toBe(1);
	});

	it("a crash before the write forgets it: the one voter leads on alone; after it, it needs one of the new", () => {
		const before = settledLeader([0], [1, 2]);
		const entry = entryOn(before.base, before.term, { voters: { added: [1, 2] } });
		const forgot = device(0, { voters: [0], term: 1, base: before.base });
		elect(forgot, []);
		expect(forgot.role).toBe("leader");
		const knows = device(0, { voters: [0], term: 1, base: before.base, tail: [entry], greeted: [1, 2] });
		elect(knows, []);
		expect(knows.role).toBe("preCandidate");
		elect(knows, [1]);
		expect(knows.role).toBe("leader");
	});
});

describe("from one voter to another, by way of both", () => {
	it("is two changes, each certified by both: no majority of one set is without one of the next", () => {
		const old = settledLeader([0], [1]);
		const { entry: coming, effects } = proposeOn(old, { voters: { added: [1] } });
		expect(commits(effects)).toEqual([]);
		expect(signersOf(hear(old, 1, matchReply(old, 1, 2, coming)))).toEqual([0, 1]);
		expect(old.base.voters).toEqual([0, 1]);

		// The one that comes leads, since whoever goes cannot propose that.
		const next = device(1, { voters: [0, 1], greeted: [0] });
		elect(next, [0]);
		const { entry: first } = proposeOn(next);
		hear(next, 0, matchReply(next, 0, 1, first));
		const { entry: going, effects: alone } = proposeOn(next, { voters: { removed: [0] } });
		expect(commits(alone)).toEqual([]);
		expect(signersOf(hear(next, 0, matchReply(next, 0, 2, going)))).toEqual([0, 1]);
		expect(next.base.voters).toEqual([1]);
		expect(signersOf(proposeOn(next).effects)).toEqual([1]);
	});

	it("the one that comes certifies nothing alone before the other has agreed to go, though it leads by itself", () => {
		const [first] = logOf([1], { ...GENESIS, voters: [0, 1] }) as [Entry];
		const base = { ...baseAt(first), voters: [0, 1] };
		const going = entryOn(base, 1, { voters: { removed: [0] } });
		const state = device(1, { voters: [0, 1], term: 1, base, tail: [going], greeted: [0] });
		elect(state, []);
		expect(state.role).toBe("leader");
		const { entry, effects } = proposeOn(state);
		expect(commits(effects)).toEqual([]);
		expect(signersOf(hear(state, 0, matchReply(state, 0, 3, entry)))).toEqual([0, 1]);
	});
});

describe("a removed voter (Raft thesis §4.2.3)", () => {
	const [first] = logOf([1]) as [Entry];
	const removal = entryOn(baseAt(first), 1, { voters: { removed: [2] } });

	it("does not stand, once the removal is in its log", () => {
		const state = device(2, { term: 1, base: baseAt(first), tail: [removal] });
		for (let i = 0; i < 3; i++) expect(pass(state, 5_000)).toEqual([]);
		expect(state).toMatchObject({ role: "follower", term: 1 });
	});

	it("disturbs nobody when it does not know: its pre-vote is refused while a leader is heard", () => {
		const removed = device(2, { term: 1, base: baseAt(first) });
		const [question] = messages(pass(removed, 5_000), "preVote", 1);
		expect(question).toBeDefined();
		const other = device(1, { term: 1, base: baseAt(first), tail: [removal] });
		hear(other, 0, append(1, baseAt(removal), []));
		const answers = messages(
			hear(other, 2, question ?? { type: "preVote", term: 2, lastTerm: 1, lastIndex: 1 }),
			"preVoteReply",
		);
		expect(answers).toMatchObject([{ granted: false }]);
	});

	it("disturbs nobody with a request for votes either, with or without the leader's word for it", () => {
		const other = device(1, { term: 1, base: baseAt(first), tail: [removal] });
		hear(other, 0, append(1, baseAt(removal), []));
		for (const transfer of [false, true]) {
			const request = { type: "requestVote", term: 9, lastTerm: 9, lastIndex: 9, transfer } as const;
			expect(hear(other, 2, request)).toEqual([]);
		}
		expect(other).toMatchObject({ term: 1, leader: 0 });
	});

	it("signs nothing above its removal once that is certified", () => {
		const state = device(2, { term: 1, base: baseAt(first), tail: [removal] });
		hear(state, 0, append(1, baseAt(removal), [], certify(removal, [0, 1])));
		expect(state.base.index).toBe(2);
		const next = entryOn(baseAt(removal), 1);
		const [answer] = messages(hear(state, 0, append(1, baseAt(removal), [next])), "appendReply");
		expect(answer).toMatchObject({ status: "match", acknowledgement: undefined });
	});

	it("no longer counts: two voters that are left need one another", () => {
		const state = settledLeader([0, 1, 2]);
		const { entry } = proposeOn(state, { voters: { removed: [2] } });
		hear(state, 1, matchReply(state, 1, 2, entry));
		expect(state.base.voters).toEqual([0, 1]);
		const { entry: next } = proposeOn(state);
		expect(commits(hear(state, 2, matchReply(state, 2, 3, next)))).toEqual([]);
		expect(signersOf(hear(state, 1, matchReply(state, 1, 3, next)))).toEqual([0, 1]);
	});
});

describe("an observer", () => {
	it("that becomes a voter acknowledges the very block that makes it one, but no earlier", () => {
		const state = device(3);
		const [first] = logOf([1]) as [Entry];
		const [bare] = messages(hear(state, 0, append(1, GENESIS, [first])), "appendReply");
		expect(bare?.acknowledgement).toBeUndefined();
		const change = entryOn(baseAt(first), 1, { voters: { added: [3] } });
		const message = append(1, baseAt(first), [change], certify(first, [0, 1]));
		expect(messages(hear(state, 0, message), "appendReply")[0]?.acknowledgement?.hash).toEqual(change.hash);
	});

	it("has no weight while it is one: neither its acknowledgement nor its vote counts", () => {
		const state = settledLeader([0, 1, 2], [3, 4]);
		const { entry } = proposeOn(state);
		for (const from of [3, 4]) hear(state, from, matchReply(state, from, 2, entry));
		expect(state.base.index).toBe(1);
		run(state, { type: "resume", monotonicMs: state.nowMs, chainMs: state.chainMs });
		elect(state, [3, 4]);
		expect(state.role).toBe("preCandidate");
	});
});

describe("a peer below the voters' last change", () => {
	it("is first sent the certificate that proves the change, and the newest only when it stands above it", () => {
		const state = settledLeader([0, 1, 2], [3]);
		const { entry: change } = proposeOn(state, { voters: { added: [3] } });
		for (const from of [1, 2]) hear(state, from, matchReply(state, from, 2, change));
		const { entry: next } = proposeOn(state);
		for (const from of [1, 3]) hear(state, from, matchReply(state, from, 3, next));
		expect(state.base).toMatchObject({ index: 3, votersSinceIndex: 2 });

		const [below] = messages(run(state, { type: "greeted", from: 2 }), "appendEntries", 2);
		expect(below?.certificate).toEqual(certify(change, [0, 1, 2]));
		hear(state, 2, { ...matchReply(state, 2, 2), commitIndex: 2 });
		const [above] = messages(pass(state, 1_000), "appendEntries", 2);
		expect(above?.certificate).toEqual(certify(next, [0, 1, 3]));
	});

	it("could not follow by the newest one alone: it may have no majority of the voters that this peer knows", () => {
		const [first] = logOf([1]) as [Entry];
		const change = entryOn(baseAt(first), 1, { voters: { added: [3] } });
		const next = entryOn(baseAt(change), 1);
		const voters = [0, 1, 2];
		const state = device(2, { term: 1, voters, base: baseAt(first), tail: [change, next] });
		hear(state, 0, append(1, baseAt(next), [], certify(next, [1, 3])));
		expect(state.base.index).toBe(1);
		hear(state, 0, append(1, baseAt(next), [], certify(change, [0, 1, 3])));
		hear(state, 0, append(1, baseAt(next), [], certify(next, [0, 1, 3])));
		expect(state.base.index).toBe(3);
	});
});
