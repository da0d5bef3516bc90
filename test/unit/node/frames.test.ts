import { describe, expect, it } from "vitest";
import { type Block, blockHash, encodeBlock } from "../../../src/block/block.js";
import { type Acknowledged, acknowledgementDigest, type Certificate } from "../../../src/block/certificate.js";
import { FrameAssembler, toFrames } from "../../../src/message/frames.js";
import type { AppendEntriesMessage, AppendReplyMessage, Message } from "../../../src/message/message.js";
import { decodeMessage, encodeMessage, WIRE_VERSION } from "../../../src/message/wire.js";
import { decodeLink, encodeJoinLink } from "../../../src/node/link.js";
import { encode } from "../../../src/primitives/codec.js";
import { type Cluster, FIRST_MINUTE, foundedStreet, invite } from "../../support/cluster.js";
import { keyedSign } from "../../support/keyedSignatures.js";

interface Scene {
	cluster: Cluster;
	leader: number;
	/** Who is told something wrong, by `other`, or by the leader. */
	victim: number;
	other: number;
}

async function street(): Promise<Scene> {
	const cluster = await foundedStreet(4);
	const leader = cluster.leader();
	const [victim = 0, other = 0] = cluster.houses.map(({ index }) => index).filter((at) => at !== leader);
	return { cluster, leader, victim, other };
}

const refusals = ({ cluster, victim }: Scene) => cluster.view(victim).refusals;
const stateOf = ({ cluster, victim }: Scene) => {
	const { chain, raft, mempool } = cluster.street(victim);
	const { term, role, base, votes, acknowledgements, ahead } = raft ?? {};
	const counted = [votes?.size, acknowledgements?.size, ahead?.index];
	return [blockHash(chain.last.block), term, role, base?.index, counted, mempool.size];
};

/** Something wrong arrives: it is refused with its code, counted, and has changed nothing; the street goes on. */
async function expectRefused(scene: Scene, code: string, closes: boolean, work: () => Promise<void>): Promise<void> {
	const { cluster, victim } = scene;
	const before = stateOf(scene);
	const count = refusals(scene)[code] ?? 0;
	await work();
	expect(refusals(scene)[code]).toBe(count + 1);
	expect(cluster.house(victim).closed).toEqual(closes ? [code] : []);
	expect(stateOf(scene)).toEqual(before);
	const height = cluster.height(victim);
	await cluster.until(() => cluster.height(victim) > height, "the street goes on");
	await cluster.settle();
}

async function sendFrame({ cluster, victim, other }: Scene, frame: Uint8Array): Promise<void> {
	cluster.inject(other, victim, frame);
	await cluster.deliver();
}

describe("a frame that no correct neighbour sends", () => {
	it.each<[string, string, Uint8Array]>([
		["that is no CBOR", "bad-cbor", Uint8Array.of(0xff, 0x00)],
		["that is empty", "bad-cbor", new Uint8Array()],
		["that is too long", "too-long", new Uint8Array(64 * 1024 + 1)],
		["of another shape", "bad-part", encode([1, 2, 3])],
		["that begins in the middle of a message", "bad-part", encode([1, 1, 2, Uint8Array.of(1)])],
		["of a message of too many parts", "bad-part", encode([1, 0, 1_000, Uint8Array.of(1)])],
		["that is not the one encoding of its value", "bad-cbor", Uint8Array.of(0x84, 0x18, 0x01, 0x00, 0x01, 0x40)],
		["with a message of an unknown kind", "unknown-message", encode([1, 0, 1, encode([99])])],
		["with a message of a wrong shape", "bad-message-shape", encode([1, 0, 1, encode([3, -1])])],
		["nested deeper than anything of ours", "too-deep", new Uint8Array(40).fill(0x81)],
	])("%s costs the channel, and nothing else", async (_what, code, frame) => {
		const scene = await street();
		await expectRefused(scene, code, true, () => sendFrame(scene, frame));
	});

	it("costs a channel that comes back by itself", async () => {
		const scene = await street();
		await sendFrame(scene, Uint8Array.of(0xff));
		expect(scene.cluster.view(scene.victim).chain.neighboursOnline).toBe(2);
		await scene.cluster.until(() => scene.cluster.view(scene.victim).chain.neighboursOnline === 3, "it is back");
	});
});

describe("a handshake", () => {
	/** Changes the first message of this kind on its way to the victim. */
	function meddle({ cluster, victim, other }: Scene, change: (message: Message) => Message): void {
		let done = false;
		cluster.tamper = (from, to, frame) => {
			if (done || from !== other || to !== victim) return frame;
			const whole = new FrameAssembler().push(frame);
			const message = whole.ok && whole.value !== undefined ? decodeMessage(whole.value) : undefined;
			if (message?.ok !== true) return frame;
			const changed = change(message.value);
			if (changed === message.value) return frame;
			done = true;
			return toFrames(encodeMessage(changed), 0)[0];
		};
	}

	async function reconnect(scene: Scene): Promise<void> {
		const { cluster, other } = scene;
		cluster.off(other);
		await cluster.on(other);
		for (let i = 0; i < 30; i++) await cluster.step();
	}

	it.each<[string, string, (message: Message) => Message]>([
		[
			"of another neighbourhood",
			"other-neighbourhood",
			(message) => (message.type === "handshake" ? { ...message, context: new Uint8Array(32) } : message),
		],
		[
			"of another version of the wire",
			"other-version",
			(message) => (message.type === "handshake" ? { ...message, version: WIRE_VERSION + 1 } : message),
		],
		[
			"whose proof is not by the key that it names",
			"bad-proof",
			(message) => (message.type === "proof" ? { ...message, signature: new Uint8Array(65) } : message),
		],
		[
			"with another nonce than the one that was proven: somebody sits in between",
			"bad-proof",
			(message) => (message.type === "handshake" ? { ...message, nonce: new Uint8Array(32) } : message),
		],
	])("%s is refused", async (_what, code, change) => {
		const scene = await street();
		meddle(scene, change);
		await reconnect(scene);
		expect(refusals(scene)).toMatchObject({ [code]: 1 });
		scene.cluster.tamper = undefined;
		await scene.cluster.until(
			() => scene.cluster.view(scene.victim).chain.neighboursOnline === 3,
			"the real one is let in",
		);
	});

	it("with the own key is refused: it is an echo, or a thief", async () => {
		const scene = await street();
		const own = scene.cluster.street(scene.victim).deviceKey;
		meddle(scene, (message) => (message.type === "handshake" ? { ...message, deviceKey: own } : message));
		await reconnect(scene);
		expect(refusals(scene)).toMatchObject({ "own-device": 1 });
	});

	it("must come before anything else is said", async () => {
		const scene = await street();
		meddle(scene, (message) => (message.type === "handshake" ? { type: "genesisRequest" } : message));
		await reconnect(scene);
		expect(refusals(scene)).toMatchObject({ "not-authenticated": 1 });
	});

	it("twice on one channel is refused", async () => {
		const scene = await street();
		const { cluster, victim, other } = scene;
		const { gridId: context, deviceKey } = cluster.street(other);
		const again: Message = { type: "handshake", version: WIRE_VERSION, context, deviceKey, nonce: new Uint8Array(32) };
		await expectRefused(scene, "unexpected-handshake", true, () => cluster.say(other, victim, again));
	});
});

describe("a proposed block", () => {
	/** The leader's next message to the victim, with a block of ours in it. */
	async function propose(scene: Scene, change: (block: Block) => Block): Promise<void> {
		const { cluster, leader, victim } = scene;
		const { chain, raft } = cluster.street(leader);
		const { head } = chain;
		const valid: Block = {
			...head.block,
			index: head.block.index + 1,
			previousHash: head.hash,
			timestampMs: head.block.timestampMs + 1,
			transactions: [],
		};
		const block = change(valid);
		const message: AppendEntriesMessage = {
			type: "appendEntries",
			term: raft?.term ?? 0,
			round: 1,
			prevIndex: head.block.index,
			prevHash: head.hash,
			entries: [{ hash: blockHash(block), block, encoded: encodeBlock(block) }],
			certificate: undefined,
		};
		await cluster.say(leader, victim, message);
	}

	it.each<[string, string, (block: Block) => Block]>([
		["with a wrong state root", "wrong-state-root", (block) => block],
		[
			"that is not later than its parent",
			"timestamp-not-later",
			(block) => ({ ...block, timestampMs: block.timestampMs - 1 }),
		],
		["of an unknown version", "unknown-version", (block) => ({ ...block, version: 9 })],
		["of a proposer that is nobody", "unknown-proposer", (block) => ({ ...block, proposer: 99 })],
	])("%s is refused, and not stored", async (_what, code, change) => {
		const scene = await street();
		await expectRefused(scene, code, false, () => propose(scene, change));
	});

	it("whose hash is not the one that its sender says costs the channel", async () => {
		const scene = await street();
		const { cluster, leader, victim } = scene;
		const { head } = cluster.street(leader).chain;
		const block = { ...head.block, index: head.block.index + 1, previousHash: head.hash };
		const entries = [{ hash: new Uint8Array(32), block, encoded: encodeBlock(block) }];
		const message: Message = {
			type: "appendEntries",
			term: 1,
			round: 1,
			prevIndex: head.block.index,
			prevHash: head.hash,
			entries,
			certificate: undefined,
		};
		await expectRefused(scene, "block-hash-differs", true, () => cluster.say(leader, victim, message));
	});

	it("with a certificate that nobody signed costs the channel", async () => {
		const scene = await street();
		const { cluster, leader, victim } = scene;
		const { head, certificate } = certified(cluster, leader, [
			new Uint8Array(65),
			new Uint8Array(65),
			new Uint8Array(65),
		]);
		await expectRefused(scene, "certificate-bad-signature", true, () =>
			cluster.say(leader, victim, { ...heartbeat(head), certificate }),
		);
	});

	it("that a second leader sends in the same term changes nothing", async () => {
		const scene = await street();
		const { cluster, other, victim } = scene;
		const { head } = cluster.street(victim).chain;
		await expectRefused(scene, "second-leader-in-term", false, () => cluster.say(other, victim, heartbeat(head)));
	});
});

const heartbeat = (head: { block: Block; hash: Uint8Array }): AppendEntriesMessage => ({
	type: "appendEntries",
	term: 1,
	round: 1,
	prevIndex: head.block.index,
	prevHash: head.hash,
	entries: [],
	certificate: undefined,
});

function certified(cluster: Cluster, leader: number, signatures: readonly Uint8Array[]) {
	const { head } = cluster.street(leader).chain;
	const certificate: Certificate = {
		index: head.block.index + 1,
		term: 1,
		hash: new Uint8Array(32).fill(1),
		signatures: signatures.map((signature, voter) => ({ voter, signature })),
	};
	return { head, certificate };
}

describe("an acknowledgement", () => {
	it("with a bad signature does not count", async () => {
		const scene = await street();
		const { cluster, leader } = scene;
		const others = cluster.houses.map(({ index }) => index).filter((at) => at !== leader);
		for (const at of others) cluster.isolate(at);
		const reply = await cluster.command(leader, { type: "buy", amountMicroNok: 1 });
		expect(reply.ok).toBe(true);
		const { raft, gridId } = cluster.street(leader);
		const entry = raft?.tail.at(-1);
		if (entry === undefined) throw new Error("a block is open");
		const height = cluster.height(leader);
		for (const at of others) {
			const { term, index } = entry.block;
			// Signed by the right key over another neighbourhood's digest, as a lazy thief would.
			const digest = acknowledgementDigest(new Uint8Array(32), { index, term, hash: entry.hash }, at);
			expect(digest).not.toEqual(acknowledgementDigest(gridId, { index, term, hash: entry.hash }, at));
			await cluster.say(at, leader, acknowledge(cluster, at, { index, term, hash: entry.hash }, digest));
		}
		expect(cluster.height(leader)).toBe(height);
		expect(cluster.view(leader).refusals["bad-acknowledgement"]).toBe(3);
		cluster.mend();
		await cluster.until(() => cluster.height(leader) > height, "with real ones it counts");
	});
});

/** A voter's, or another device's, acknowledgement of a block, signed as it should be, or over another digest. */
function acknowledge(
	cluster: Cluster,
	from: number,
	{ index, term, hash }: Acknowledged,
	digest = acknowledgementDigest(cluster.street(from).gridId, { index, term, hash }, from),
): AppendReplyMessage {
	const { config } = cluster.street(from);
	return {
		type: "appendReply",
		term,
		round: 1,
		status: "match",
		matchIndex: index,
		commitIndex: 0,
		chainMs: cluster.chainMs,
		acknowledgement: { hash, signature: keyedSign(digest, config.keys.deviceSecret) },
		refusedIds: [],
	};
}

/** A certificate by these voters' own keys. */
function signedBy(cluster: Cluster, place: Acknowledged, voters: readonly number[]): Certificate {
	const signatures = voters.map((voter) => {
		const signature = acknowledge(cluster, voter, place).acknowledgement?.signature ?? new Uint8Array(65);
		return { voter, signature };
	});
	return { ...place, signatures };
}

describe("what cannot count in an election or for a block", () => {
	interface CountScene extends Scene {
		/** A member's device that does not vote. */
		observer: number;
		head: Acknowledged;
		/** The leader's open block, in a scene that has one. */
		open: Acknowledged;
	}

	const place = ({ index, term }: Block, hash: Uint8Array): Acknowledged => ({ index, term, hash });

	/** Four voters and a phone; the block before the head is remembered, too. */
	async function scene(): Promise<CountScene> {
		const cluster = await foundedStreet(5, {}, 4);
		await cluster.nextMinute();
		await cluster.settle();
		const { voters } = cluster.street(0).chain.head.ledger;
		const observer = [0, 1, 2, 3, 4].find((at) => !voters.includes(at)) ?? 4;
		const leader = cluster.leader();
		const [victim = 0, other = 0] = voters.filter((at) => at !== leader);
		const { block, hash } = cluster.street(leader).chain.head;
		const head = place(block, hash);
		return { cluster, leader, victim, other, observer, head, open: head };
	}

	/** The leader is the victim: it has a block out that nobody has acknowledged yet. */
	async function withOpenBlock(): Promise<CountScene> {
		const made = await scene();
		const { cluster, leader } = made;
		cluster.isolate(leader);
		expect(await cluster.outcome(leader, { type: "buy", amountMicroNok: 1 })).toBe("ok");
		const entry = cluster.street(leader).raft?.tail.at(-1);
		if (entry === undefined) throw new Error("a block is open");
		return { ...made, victim: leader, open: place(entry.block, entry.hash) };
	}

	type Row = [what: string, code: string, closes: boolean, made: () => Promise<CountScene>, Work];
	type Work = (scene: CountScene) => Promise<void>;

	const send =
		(from: "leader" | "other" | "observer", message: (scene: CountScene) => Message): Work =>
		(made) =>
			made.cluster.say(made[from], made.victim, message(made));
	const show = (certificate: (scene: CountScene) => Certificate): Work =>
		send("leader", (made) => {
			const { block, hash } = made.cluster.street(made.leader).chain.head;
			return { ...heartbeat({ block, hash }), term: block.term, certificate: certificate(made) };
		});
	const foreign = new Uint8Array(32).fill(1);
	const forged = (signed: Acknowledged) => ({ ...signed, signatures: [{ voter: 0, signature: new Uint8Array(65) }] });
	const below = ({ index, term }: Acknowledged) => ({ index: index - 1, term, hash: foreign });

	it.each<Row>([
		[
			"an acknowledgement of a voter whose own is counted already",
			"acknowledgement-repeated",
			false,
			async () => {
				const made = await withOpenBlock();
				await made.cluster.say(made.other, made.victim, acknowledge(made.cluster, made.other, made.open));
				expect(made.cluster.street(made.victim).raft?.acknowledgements.has(made.other)).toBe(true);
				return made;
			},
			send("other", ({ cluster, other, open }) => acknowledge(cluster, other, open)),
		],
		[
			"an acknowledgement that was heard before, played again when its block is certified",
			"acknowledgement-repeated",
			false,
			withOpenBlock,
			send("other", ({ cluster, other, head }) => acknowledge(cluster, other, head)),
		],
		[
			"an acknowledgement in another term",
			"acknowledgement-of-other-term",
			false,
			withOpenBlock,
			send("other", ({ cluster, other, open }) => acknowledge(cluster, other, { ...open, term: open.term - 1 })),
		],
		[
			"an acknowledgement of another block than the one that is out",
			"acknowledgement-unasked",
			false,
			withOpenBlock,
			send("other", ({ cluster, other, open }) => acknowledge(cluster, other, { ...open, hash: foreign })),
		],
		[
			"an acknowledgement to who does not lead",
			"acknowledgement-unasked",
			false,
			scene,
			send("other", ({ cluster, other, head }) => acknowledge(cluster, other, { ...head, index: head.index + 1 })),
		],
		[
			"an acknowledgement of a device that does not vote",
			"acknowledgement-of-observer",
			false,
			withOpenBlock,
			send("observer", ({ cluster, observer, open }) => acknowledge(cluster, observer, open)),
		],
		[
			"a vote of a device that does not vote",
			"vote-of-observer",
			false,
			scene,
			send("observer", ({ head }) => ({ type: "voteReply", term: head.term, granted: true })),
		],
		[
			"the answer to a pre-vote, in a later term, of a device that does not vote",
			"vote-of-observer",
			false,
			scene,
			send("observer", ({ cluster, head }) => {
				return { type: "preVoteReply", term: head.term + 5, granted: false, chainMs: cluster.chainMs };
			}),
		],
		[
			"a certificate with one signer twice",
			"bad-message-shape",
			true,
			scene,
			show(({ cluster, head }) => signedBy(cluster, { ...head, index: head.index + 1 }, [0, 1, 1])),
		],
		[
			"a certificate of too few for the block after the head",
			"certificate-without-majority",
			false,
			scene,
			show(({ cluster, head }) => signedBy(cluster, { ...head, index: head.index + 1, hash: foreign }, [0, 1])),
		],
		[
			"a certificate of too few for the head",
			"certificate-without-majority",
			false,
			scene,
			show(({ cluster, head }) => signedBy(cluster, head, [0])),
		],
		["a forged certificate for the head", "certificate-bad-signature", true, scene, show(({ head }) => forged(head))],
		[
			"a forged certificate for another block in the head's place",
			"certificate-bad-signature",
			true,
			scene,
			show(({ head }) => forged({ ...head, hash: foreign })),
		],
		[
			"a forged certificate below the head",
			"certificate-bad-signature",
			true,
			scene,
			show(({ head }) => forged(below(head))),
		],
		[
			"a certificate at the head by who was never admitted",
			"certificate-of-stranger",
			true,
			scene,
			show(({ head }) => ({ ...head, signatures: [{ voter: 99, signature: new Uint8Array(65) }] })),
		],
	])("%s is refused as %s, and changes nothing", async (_what, code, closes, made, work) => {
		const given = await made();
		await expectRefused(given, code, closes, async () => {
			await work(given);
			given.cluster.mend();
		});
		expect(given.cluster.house(given.victim).faults).toEqual([]);
	});
});

describe("gossip", () => {
	const reading = (
		cluster: Cluster,
		author: number,
		change: Partial<{ importWh: number; signature: Uint8Array }> = {},
	): Message => ({
		type: "transactions",
		transactions: [
			{
				kind: "reading",
				member: author,
				minute: FIRST_MINUTE,
				importWh: 1,
				exportWh: 0,
				quality: "measured",
				signature: keyedSign(new Uint8Array(32), cluster.street(author).config.keys.deviceSecret),
				...change,
			},
		],
	});

	it("of a transaction that its author did not sign is refused", async () => {
		const scene = await street();
		const { cluster, other, victim } = scene;
		await expectRefused(scene, "bad-signature", false, () => cluster.say(other, victim, reading(cluster, other)));
	});

	it("of strangers is heard only for their `join`, and their votes not at all", async () => {
		const cluster = await foundedStreet(3);
		await cluster.add();
		const decoded = decodeLink(await invite(cluster));
		if (!decoded.ok || decoded.value.kind !== "join") throw new Error("an invitation");
		// A guest that stays one: its invitation was changed.
		const { invitation } = decoded.value;
		const link = encodeJoinLink({ ...decoded.value, invitation: { ...invitation, expiryMinute: 100_000_000 } });
		await cluster.command(3, { type: "join", link, householdName: "Lie", alwaysOn: false, signalingUrls: [] });
		await cluster.run(3_000);
		await cluster.say(3, 0, reading(cluster, 1));
		await cluster.say(3, 0, { type: "requestVote", term: 9, lastTerm: 9, lastIndex: 9, transfer: false });
		expect(cluster.view(0).refusals).toMatchObject({ "transaction-of-stranger": 1, "raft-of-stranger": 1 });
		expect(cluster.street(0).raft?.term).toBe(1);
	});
});

describe("a member whose node is out of order", () => {
	it("cannot use up the terms, or have a leader look beyond its log", async () => {
		const scene = await street();
		const { cluster, victim, other, leader } = scene;
		const term = Number.MAX_SAFE_INTEGER;
		await expectRefused(scene, "term-leap", false, () =>
			cluster.say(other, victim, { type: "requestVote", term, lastTerm: term, lastIndex: term, transfer: false }),
		);
		await cluster.say(other, leader, {
			type: "appendReply",
			term: 1,
			round: term,
			status: "match",
			matchIndex: term,
			commitIndex: term,
			chainMs: cluster.chainMs,
			acknowledgement: undefined,
			refusedIds: [],
		});
		const height = cluster.height(other);
		await cluster.until(() => cluster.height(other) > height, "the street goes on");
		expect(cluster.leader()).toBe(leader);
	});

	it("stops nobody, whichever bits of its frames are wrong", async () => {
		const scene = await street();
		const { cluster, victim, other } = scene;
		const frames: Uint8Array[] = [];
		cluster.tamper = (_from, _to, frame) => {
			frames.push(frame);
			return frame;
		};
		await cluster.command(other, { type: "buy", amountMicroNok: 1 });
		await cluster.read(other, FIRST_MINUTE, 1);
		await cluster.nextMinute();
		await cluster.run(60_000, 500);
		cluster.off(other);
		await cluster.on(other);
		await cluster.settle();
		cluster.tamper = undefined;
		expect(frames.length).toBeGreaterThan(300);
		let random = 1;
		for (let i = 0; i < 400; i++) {
			random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
			const bent = (frames[random % frames.length] ?? new Uint8Array(1)).slice();
			random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
			const at = (random >>> 3) % bent.length;
			bent[at] = (bent[at] ?? 0) ^ (1 << (random & 7));
			// A bad one costs the channel, which comes back.
			await cluster.until(() => cluster.areConnected(other, victim), "the channel is back");
			await sendFrame(scene, bent);
			if (i % 10 === 0) await cluster.step();
		}
		await cluster.settle();
		const height = cluster.height(victim);
		await cluster.until(() => cluster.height(victim) > height, "the street goes on");
	});
});
