import { describe, expect, it } from "vitest";
import { type Block, blockHash, encodeBlock } from "../../../src/block/block.js";
import type { Certificate } from "../../../src/block/certificate.js";
import type { AppendEntriesMessage, Message, TransactionsMessage } from "../../../src/message/message.js";
import { WIRE_VERSION } from "../../../src/message/wire.js";
import { decodeLink, encodeJoinLink } from "../../../src/node/link.js";
import { encode } from "../../../src/primitives/codec.js";
import { type Cluster, FIRST_MINUTE, foundedStreet, invite } from "../../support/cluster.js";
import { keyedSign } from "../../support/keyedSignatures.js";
import {
	expectRefused,
	heartbeat,
	refusals,
	type Scene,
	street,
	tamperMessages,
} from "../../support/wrongNeighbour.js";

async function sendFrame({ cluster, victim, other }: Scene, frame: Uint8Array): Promise<void> {
	cluster.inject(other, victim, frame);
	await cluster.deliver();
}

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

	it("costs more the third time: the device is kept out for a minute, then for two, and the operator sees why", async () => {
		const all = await street();
		// The operator's own device is told something wrong.
		const scene = { ...all, victim: 0, other: [1, 2, 3].find((at) => at !== all.leader) ?? 1 };
		const { cluster, victim, other } = scene;
		const isBack = () => cluster.areConnected(other, victim);
		for (const minutes of [1, 2]) {
			for (let strike = 0; strike < 3; strike++) {
				await cluster.until(isBack, "it is back");
				await sendFrame(scene, Uint8Array.of(0xff));
			}
			await cluster.run(minutes * 60_000 - 5_000, 1_000);
			expect(isBack()).toBe(false);
			expect(refusals(scene)["kept-out"]).toBeGreaterThan(0);
			await cluster.run(10_000, 1_000);
			expect(isBack()).toBe(true);
		}
		const nodes = cluster.view(victim).operator?.nodes ?? [];
		expect(nodes[other]?.conduct).toMatchObject({ codes: { "bad-cbor": 6 }, keptOutMs: 0 });
		expect(nodes.filter(({ conduct }) => conduct !== undefined)).toHaveLength(1);
	});

	it("is not even read where there are too many of them", async () => {
		const scene = await street();
		const { cluster, victim, other } = scene;
		const frame = encode([1, 0, 1, encode([3, 0, new Uint8Array(32), 0, 0])]);
		for (let sent = 0; sent < 21_000; sent++) cluster.inject(other, victim, frame);
		await cluster.deliver();
		expect(refusals(scene)).toMatchObject({ flooding: 1 });
		await cluster.until(() => cluster.areConnected(other, victim), "it is back");
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
		tamperMessages(cluster, (message, from, to) => {
			if (done || from !== other || to !== victim) return message;
			const changed = change(message);
			done = changed !== message;
			return changed;
		});
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

	it("of forged transactions is verified a few times, and then costs the channel", async () => {
		const scene = await street();
		const { cluster, other, victim } = scene;
		const [forged] = (reading(cluster, other) as TransactionsMessage).transactions;
		if (forged?.kind !== "reading") throw new Error("a reading");
		for (let message = 0; message < 15; message++) {
			const transactions = Array.from({ length: 200 }, (_, at) => ({ ...forged, importWh: message * 200 + at }));
			if (cluster.areConnected(other, victim)) await cluster.say(other, victim, { type: "transactions", transactions });
		}
		expect(refusals(scene)).toMatchObject({ "bad-signature": 20, flooding: 1 });
		await cluster.until(() => cluster.areConnected(other, victim), "it is back");
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
			// A bad one costs the channel, and the third one a while, which a start forgets.
			if (refusals(scene)["kept-out"] !== undefined) {
				cluster.off(victim);
				await cluster.on(victim);
			}
			await cluster.until(() => cluster.areConnected(other, victim), "the channel is back");
			await sendFrame(scene, bent);
			if (i % 10 === 0) await cluster.step();
		}
		await cluster.settle();
		const height = cluster.height(victim);
		await cluster.until(() => cluster.height(victim) > height, "the street goes on");
	});
});
