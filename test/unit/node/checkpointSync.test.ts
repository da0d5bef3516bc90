import { beforeAll, describe, expect, it } from "vitest";
import type { Message } from "../../../src/message/message.js";
import { decodeLink, encodeJoinLink } from "../../../src/node/link.js";
import { decodeCertificateRecord } from "../../../src/node/records.js";
import { equalBytes } from "../../../src/primitives/bytes.js";
import { type Cluster, foundedStreet, invite, SHORT_DAYS } from "../../support/cluster.js";
import { tamperMessages } from "../../support/wrongNeighbour.js";

const GUEST = 4;

/** A street with checkpoints and voter changes behind it. */
async function grownStreet(seed = ""): Promise<Cluster> {
	const cluster = await foundedStreet(4, { settings: SHORT_DAYS, seed });
	await cluster.act(0, { type: "voters", added: [], removed: [3] });
	await grow(cluster, 25);
	await cluster.act(0, { type: "voters", added: [3], removed: [] });
	await grow(cluster, 30);
	return cluster;
}

async function grow(cluster: Cluster, blocks: number): Promise<void> {
	const height = cluster.height(0);
	await cluster.until(() => cluster.height(0) >= height + blocks, "blocks come", 600_000, 500);
	await cluster.settle();
}

async function joinBy(cluster: Cluster, link: string, at = GUEST): Promise<void> {
	await cluster.add();
	await cluster.command(at, { type: "join", link, householdName: "Lie", alwaysOn: false, signalingUrls: [] });
}

const stageOf = (cluster: Cluster, at = GUEST) => cluster.house(at).node.view().stage;

/** First block of the guest's own blockchain above genesis. */
async function firstBlock(cluster: Cluster, at = GUEST): Promise<number | undefined> {
	const { storage } = cluster.house(at);
	const chain = await storage.openChain([...storage.names][0] ?? "");
	for (let index = 1; chain.ok && index < 200; index++) {
		const stored = await chain.value.readBlocks(index, 1);
		if (stored.ok && stored.value.length > 0) return index;
	}
	return undefined;
}

describe("a newcomer to a long chain", () => {
	it("starts from the newest checkpoint, walks the voter changes to it, and follows the head", async () => {
		const cluster = await grownStreet();
		const seen: Message["type"][] = [];
		tamperMessages(cluster, (message, _from, to) => {
			if (to === GUEST && ["checkpoint", "headers", "chunk", "blocks"].includes(message.type)) seen.push(message.type);
			return message;
		});
		const link = await invite(cluster);
		await joinBy(cluster, link);
		await cluster.until(() => stageOf(cluster) === "street", "the guest is a member");
		await cluster.settle();
		expect(seen.slice(0, 2)).toEqual(["checkpoint", "chunk"]);
		expect(cluster.street(GUEST).chain.head.ledger.voters).toEqual([0, 1, 2, 3]);
		expect(equalBytes(cluster.street(GUEST).chain.head.hash, cluster.street(0).chain.head.hash)).toBe(true);
		expect(await firstBlock(cluster)).toBeGreaterThan(50);
		expect(cluster.houses.flatMap(({ closed, faults }) => [...closed, ...faults])).toEqual([]);
		// It asked everybody for the genesis: all answers but the first one are no news, and no foreign ones either.
		expect(cluster.view(GUEST).refusals).toEqual({});
	});

	it("gets there over a line on which every answer takes twelve seconds, and is asked for once", {
		timeout: 60_000,
	}, async () => {
		const cluster = await grownStreet();
		const link = await invite(cluster);
		await grow(cluster, 20);
		const onTheWay: { dueMs: number; from: number; message: Message }[] = [];
		const sent: string[] = [];
		tamperMessages(cluster, (message, from, to) => {
			if (to !== GUEST || !["checkpoint", "headers", "chunk", "blocks"].includes(message.type)) return message;
			const what = message.type === "chunk" ? `chunk ${message.index}/${message.number}` : message.type;
			sent.push(`${what} of ${from}`);
			onTheWay.push({ dueMs: cluster.monotonicMs + 12_000, from, message });
			return undefined;
		});
		await joinBy(cluster, link);
		const deliver = async () => {
			for (let [next] = onTheWay; next !== undefined && next.dueMs <= cluster.monotonicMs; [next] = onTheWay) {
				onTheWay.shift();
				await cluster.say(next.from, GUEST, next.message);
			}
		};
		for (let second = 0; second < 300 && stageOf(cluster) !== "street"; second++) {
			await cluster.run(1_000, 500);
			await deliver();
		}
		expect(stageOf(cluster)).toBe("street");
		// Each neighbour at most once for the same piece.
		const chunks = sent.filter((what) => what.startsWith("chunk"));
		expect(chunks.length).toBeGreaterThan(0);
		expect(new Set(chunks).size).toBe(chunks.length);
	});

	it("starts again from there, goes on, and hands the same checkpoint to the next one", async () => {
		const cluster = await grownStreet();
		await joinBy(cluster, await invite(cluster));
		await cluster.until(() => stageOf(cluster) === "street", "the guest is a member");
		cluster.off(GUEST);
		await cluster.on(GUEST);
		await cluster.settle();
		expect(cluster.house(GUEST).faults).toEqual([]);
		const link = await invite(cluster);
		// Only the first newcomer can be reached by the second.
		cluster.cut([0, 1, 2, 3], [GUEST + 1]);
		await joinBy(cluster, link, GUEST + 1);
		await cluster.until(() => stageOf(cluster, GUEST + 1) === "street", "the second guest is a member");
		expect(cluster.street(GUEST + 1).chain.head.ledger.households).toHaveLength(6);
	});

	it("follows headers from the block that its invitation pins to a checkpoint above it", async () => {
		const cluster = await grownStreet();
		const link = await invite(cluster);
		await grow(cluster, 40);
		let headers = 0;
		tamperMessages(cluster, (message) => {
			if (message.type === "headers") headers += message.headers.length;
			return message;
		});
		await joinBy(cluster, link);
		await cluster.until(() => stageOf(cluster) === "street", "the guest is a member");
		expect(headers).toBeGreaterThan(10);
		expect(await firstBlock(cluster)).toBeGreaterThan(90);
	});

	it("does not believe a checkpoint that does not lie above the pinned block", async () => {
		const cluster = await grownStreet();
		const link = await invite(cluster);
		const decoded = decodeLink(link);
		if (!decoded.ok || decoded.value.kind !== "join") throw new Error("an invitation");
		const pin = { index: decoded.value.pin.index, hash: new Uint8Array(16) };
		await grow(cluster, 40);
		await joinBy(cluster, encodeJoinLink({ ...decoded.value, pin }));
		await cluster.run(20_000);
		expect(cluster.house(GUEST).closed).toContain("pinned-block-differs");
		expect(cluster.height(GUEST)).toBe(0);
	});

	it("goes on where it stopped when it is switched off in between", async () => {
		const cluster = await grownStreet();
		let lost = 0;
		tamperMessages(cluster, (message) => {
			if (message.type !== "chunk") return message;
			lost += 1;
			return undefined;
		});
		await joinBy(cluster, await invite(cluster));
		await cluster.until(() => lost > 0, "a chunk is on its way");
		cluster.off(GUEST);
		let asked = 0;
		tamperMessages(cluster, (message) => {
			if (message.type === "checkpointRequest") asked += 1;
			return message;
		});
		await cluster.on(GUEST);
		await cluster.until(() => stageOf(cluster) === "street", "the guest is a member");
		expect(asked).toBe(0);
	});
});

describe("a neighbour that has no checkpoint to serve", () => {
	const withoutAny = async (change: (message: Message) => Message) => {
		const cluster = await grownStreet();
		const poor = new Set<number>();
		let fetched = 0;
		tamperMessages(cluster, (message, from, to) => {
			if (to !== GUEST) return message;
			if (message.type === "blocks") fetched += message.blocks.length;
			const changed = change(message);
			// Whoever is asked first.
			if (changed !== message && poor.size === 0) poor.add(from);
			return poor.has(from) ? changed : message;
		});
		await joinBy(cluster, await invite(cluster));
		await cluster.until(() => stageOf(cluster) === "street", "the guest is a member");
		await cluster.settle();
		expect(poor.size).toBe(1);
		expect(cluster.house(GUEST).closed).toEqual([]);
		return { first: await firstBlock(cluster), height: cluster.height(GUEST), fetched };
	};

	it("keeps a newcomer from nothing: another is asked at once", async () => {
		const { first, height } = await withoutAny((message) =>
			message.type === "checkpoint" ? { ...message, steps: [], checkpoint: undefined } : message,
		);
		expect(first).toBeGreaterThan(height - 30);
	});

	it("has not the one that is being fetched either: what has come stays, the rest comes from another", async () => {
		let chunks = 0;
		const { first, height } = await withoutAny((message) => {
			if (message.type !== "chunk") return message;
			chunks += 1;
			return chunks === 1 ? { ...message, bytes: new Uint8Array() } : message;
		});
		expect(first).toBeGreaterThan(height - 30);
	});
});

describe("a neighbour that adds signatures to a certificate which nobody gave", () => {
	it("harms nobody: what does not count is neither believed nor kept", async () => {
		const OBSERVER = 3;
		const cluster = await foundedStreet(4, { settings: SHORT_DAYS });
		await cluster.act(0, { type: "voters", added: [], removed: [OBSERVER] });
		await grow(cluster, 2);
		cluster.off(OBSERVER);
		await grow(cluster, 10);
		let padded = 0;
		tamperMessages(cluster, (message, _, to) => {
			if (message.type !== "blocks" || message.certificate === undefined || to !== OBSERVER) return message;
			padded += 1;
			const signatures = [...message.certificate.signatures, { voter: OBSERVER, signature: new Uint8Array(65) }];
			return { ...message, certificate: { ...message.certificate, signatures } };
		});
		await cluster.on(OBSERVER);
		await cluster.until(() => cluster.height(OBSERVER) === cluster.height(0), "it has caught up");
		expect(padded).toBeGreaterThan(0);
		const { raft } = cluster.street(OBSERVER);
		expect(raft?.suspended).toBeUndefined();
		expect(cluster.house(OBSERVER).faults).toEqual([]);
		const storage = cluster.house(OBSERVER).storage;
		const chain = await storage.openChain([...storage.names][0] ?? "");
		const kept = chain.ok ? await chain.value.certificateFrom(1) : undefined;
		const certificate = kept?.ok && kept.value !== undefined ? decodeCertificateRecord(kept.value.record) : undefined;
		expect(certificate?.ok && certificate.value.signatures.map(({ voter }) => voter)).not.toContain(OBSERVER);
	});
});

describe("a neighbour that serves something wrong to a newcomer", () => {
	let served: Message | undefined;
	const foreign = () => {
		if (served === undefined) throw new Error("the other neighbourhood serves");
		return served;
	};

	beforeAll(async () => {
		const other = await grownStreet("another");
		tamperMessages(other, (message) => {
			if (message.type === "checkpoint" && message.checkpoint !== undefined) served = message;
			return message;
		});
		await joinBy(other, await invite(other));
		await other.until(() => served !== undefined, "a checkpoint is served");
	});

	it.each<[string, (message: Message) => Message, string]>([
		[
			"a wrong chunk",
			(message) => {
				if (message.type !== "chunk") return message;
				const bytes = message.bytes.slice();
				bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
				return { ...message, bytes };
			},
			"chunk-differs-from-manifest",
		],
		[
			"a manifest of another state",
			(message) => {
				if (message.type !== "checkpoint" || message.checkpoint === undefined) return message;
				const manifest = message.checkpoint.manifest.slice();
				manifest[0] = (manifest[0] ?? 0) ^ 1;
				return { ...message, checkpoint: { ...message.checkpoint, manifest } };
			},
			"manifest-differs-from-state-root",
		],
		[
			"a certificate that too few signed",
			(message) => {
				if (message.type !== "checkpoint" || message.checkpoint === undefined) return message;
				const { anchor } = message.checkpoint;
				const signatures = anchor.certificate.signatures.slice(0, 1);
				const certificate = { ...anchor.certificate, signatures };
				return { ...message, checkpoint: { ...message.checkpoint, anchor: { ...anchor, certificate } } };
			},
			"certificate-without-majority",
		],
		[
			"a checkpoint of another neighbourhood, as that one certified it",
			(message) => (message.type === "checkpoint" ? foreign() : message),
			"certificate-bad-signature",
		],
		[
			"a walk without its first step",
			(message) => (message.type === "checkpoint" ? { ...message, steps: message.steps.slice(1) } : message),
			"bad-voter-step",
		],
	])("%s is dropped, and another is asked", async (_, change, code) => {
		const cluster = await grownStreet();
		const liars = new Set<number>();
		tamperMessages(cluster, (message, from, to) => {
			if (to !== GUEST) return message;
			const changed = change(message);
			// One of them lies, whoever is asked first, and goes on lying.
			if (changed !== message && liars.size === 0) liars.add(from);
			return liars.has(from) ? changed : message;
		});
		await joinBy(cluster, await invite(cluster));
		await cluster.until(() => stageOf(cluster) === "street", "the guest is a member", 300_000);
		await cluster.settle();
		expect(cluster.house(GUEST).closed).toContain(code);
		expect(cluster.street(GUEST).chain.head.ledger.voters).toEqual([0, 1, 2, 3]);
	});
});
