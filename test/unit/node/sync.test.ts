import { beforeAll, describe, expect, it } from "vitest";
import { type Block, blockHash, encodeBlock, transactionsRoot } from "../../../src/block/block.js";
import type { Certificate } from "../../../src/block/certificate.js";
import { BlockRun } from "../../../src/node/blockRun.js";
import type { Link } from "../../../src/node/chain.js";
import { openGenesisLink } from "../../../src/node/loading.js";
import { Sync } from "../../../src/node/sync.js";
import { assert } from "../../../src/primitives/assert.js";
import { ZERO_HASH } from "../../../src/primitives/hash.js";
import { ok, refused } from "../../../src/primitives/result.js";
import { foundedStreet, SHORT_DAYS } from "../../support/cluster.js";
import { keyedVerifier } from "../../support/keyedSignatures.js";
import { tamperMessages } from "../../support/wrongNeighbour.js";

const noCertificate = (): never => {
	throw new Error("no certificate came with it");
};
const answer = (fromIndex: number, blocks: readonly Uint8Array[], certificate?: Certificate) => ({
	type: "blocks" as const,
	fromIndex,
	blocks,
	certificate,
});

const YEARS_MS = 3 * 365 * 86_400_000;

let genesis: Link;
/** Blocks 1, 2 … of its chain, as stored, and the certificate of the last. */
let above: { block: Block; bytes: Uint8Array }[];
let certificate: Certificate;

beforeAll(async () => {
	const cluster = await foundedStreet(1, { settings: SHORT_DAYS });
	await cluster.until(() => cluster.height(0) >= 4, "blocks come", 600_000, 500);
	const blocks: Block[] = [];
	for await (const block of cluster.street(0).storedBlocks()) blocks.push(block);
	const [first, ...more] = blocks;
	const opened = first === undefined ? undefined : openGenesisLink(encodeBlock(first), keyedVerifier);
	const newest = cluster.street(0).raft?.certificate;
	assert(opened !== undefined && newest !== undefined, "a chain of a genesis and certified blocks");
	genesis = opened;
	certificate = newest;
	above = more.slice(0, newest.index).map((block) => ({ block, bytes: encodeBlock(block) }));
});

/** Blocks that anybody can make up, each so far ahead of the one before it, their state roots without meaning. */
function madeUp(count: number, aheadMs: number): { block: Block; hash: Uint8Array; bytes: Uint8Array }[] {
	const blocks: { block: Block; hash: Uint8Array; bytes: Uint8Array }[] = [];
	for (let last: Pick<Link, "block" | "hash"> = genesis; blocks.length < count; ) {
		const timestampMs = last.block.timestampMs + aheadMs;
		const block: Block = {
			...genesis.block,
			index: last.block.index + 1,
			previousHash: last.hash,
			timestampMs,
			term: 1,
			transactionsRoot: transactionsRoot([], timestampMs),
			stateRoot: ZERO_HASH,
			transactions: [],
		};
		last = { block, hash: blockHash(block) };
		blocks.push({ block, hash: last.hash, bytes: encodeBlock(block) });
	}
	return blocks;
}

describe("a run of blocks", () => {
	it("is executed when its certificate is here, and given with it", () => {
		const run = new BlockRun("a", genesis, undefined);
		expect(run.hold(above.map(({ bytes }) => bytes))).toEqual(ok(true));
		expect(run.nextIndex).toBe(above.length + 1);
		const sets: number[] = [];
		const certified = run.certify(
			certificate,
			() => undefined,
			(each, links) => {
				sets.push(links.length);
				return ok(each);
			},
		);
		assert(certified.ok, "it is certified");
		expect(certified.value.blocks.map(({ link }) => link.block.index)).toEqual(above.map(({ block }) => block.index));
		expect(certified.value.blocks.map(({ bytes }) => bytes)).toEqual(above.map(({ bytes }) => bytes));
		// Nobody became a voter in it: those of the head are all that have to sign.
		expect(sets).toEqual([0]);
	});

	it("that nobody certified costs nothing: years of made-up minutes are held, and never settled", () => {
		const blocks = madeUp(3, YEARS_MS);
		const last = blocks.at(-1);
		assert(last !== undefined, "three blocks");
		const run = new BlockRun("a", genesis, undefined);
		expect(run.hold(blocks.map(({ bytes }) => bytes))).toEqual(ok(true));
		const { index, term } = last.block;
		const forged = { index, term, hash: last.hash, signatures: [{ voter: 0, signature: new Uint8Array(65) }] };
		const noMajority = { code: "certificate-bad-signature", index, voter: 0 };
		// Executed, it would go through a million minutes, and then be refused for its root.
		expect(
			run.certify(
				forged,
				() => undefined,
				() => refused(noMajority),
			),
		).toEqual(refused(noMajority));
		// Had the voters signed them, they would have been executed: they have to be right, too.
		const [near] = madeUp(1, 60_000);
		assert(near !== undefined, "a block");
		const signed = new BlockRun("a", genesis, undefined);
		expect(signed.hold([near.bytes])).toEqual(ok(true));
		expect(
			signed.certify(
				{ ...forged, index: 1, hash: near.hash },
				() => undefined,
				(each) => ok(each),
			),
		).toEqual(refused({ code: "wrong-state-root", index: 1 }));
	});

	it("has to be a chain, to end where its certificate says, to hold the pinned block, and not to go on for ever", () => {
		const [first, second] = above;
		assert(first !== undefined && second !== undefined, "two blocks");
		const hold = (pin: { index: number; hash: Uint8Array } | undefined, ...blocks: Uint8Array[]) =>
			new BlockRun("a", genesis, pin).hold(blocks);
		expect(hold(undefined, second.bytes)).toEqual(refused({ code: "wrong-index", expected: 1, index: 2 }));
		expect(hold(undefined, Uint8Array.of(1))).toMatchObject({ ok: false });
		expect(hold({ index: 2, hash: ZERO_HASH }, first.bytes)).toEqual(ok(true));
		expect(hold({ index: 2, hash: ZERO_HASH }, first.bytes, second.bytes)).toEqual(
			refused({ code: "pinned-block-differs", index: 2 }),
		);
		expect(hold({ index: 2, hash: blockHash(second.block) }, first.bytes, second.bytes)).toEqual(ok(true));
		const short = new BlockRun("a", genesis, undefined);
		expect(short.hold([first.bytes])).toEqual(ok(true));
		const { index } = certificate;
		expect(short.certify(certificate, () => undefined, noCertificate)).toEqual(
			refused({ code: "run-differs-from-certificate", index }),
		);
		const many = madeUp(257, 1_000).map(({ bytes }) => bytes);
		expect(hold(undefined, ...many.slice(0, 256))).toEqual(ok(true));
		expect(hold(undefined, ...many)).toEqual(refused({ code: "run-too-long" }));
	});
});

describe("who catches up", () => {
	const from = 1;
	const nothing = answer(from, []);

	it("asks another neighbour when one does not answer, and does not hold its late answer against it", () => {
		const sync = new Sync(() => undefined, undefined);
		sync.heard("a", from + 5);
		sync.heard("b", from + 4);
		expect(sync.nextRequest(genesis, 0)).toEqual({ device: "a", fromIndex: from });
		expect(sync.nextRequest(genesis, 8_000)).toBeUndefined();
		expect(sync.nextRequest(genesis, 8_001)).toEqual({ device: "b", fromIndex: from });
		expect(sync.onBlocks("a", nothing, genesis, 8_002, noCertificate)).toEqual(ok(undefined));
		// The one that was asked is still waited for; having nothing, it is not asked again, but the first one is.
		expect(sync.nextRequest(genesis, 8_002)).toBeUndefined();
		expect(sync.onBlocks("b", nothing, genesis, 8_002, noCertificate)).toEqual(ok(undefined));
		expect(sync.nextRequest(genesis, 8_003)).toEqual({ device: "a", fromIndex: from });
	});

	it("asks who did not answer, or was wrong, after the others, however high it says that it is", () => {
		const sync = new Sync(() => undefined, undefined);
		sync.heard("liar", 1_000_000);
		expect(sync.nextRequest(genesis, 0)?.device).toBe("liar");
		sync.distrust("liar", 10);
		sync.heard("liar", 1_000_000);
		sync.heard("b", from + 4);
		expect(sync.furthest(11)).toBe("b");
		expect(sync.nextRequest(genesis, 11)?.device).toBe("b");
		expect(sync.onBlocks("b", nothing, genesis, 12, noCertificate)).toEqual(ok(undefined));
		// Nobody else is left; and after a while it is as good as any.
		expect(sync.nextRequest(genesis, 13)?.device).toBe("liar");
		sync.forget("liar");
		sync.heard("liar", 1_000_000);
		expect(sync.furthest(600_009)).toBe("b");
		expect(sync.furthest(600_010)).toBe("liar");
	});

	it("is held up by nobody, however many say that they are further and are silent", () => {
		const sync = new Sync(() => undefined, undefined);
		for (let liar = 0; liar < 20; liar++) sync.heard(`liar ${liar}`, 1_000_000 + liar);
		let nowMs = 0;
		for (; nowMs < 20 * 9_000; nowMs += 9_000) expect(sync.nextRequest(genesis, nowMs)?.device).toMatch(/^liar/);
		sync.heard("b", from + 4);
		expect(sync.nextRequest(genesis, nowMs)?.device).toBe("b");
		expect(sync.onBlocks("b", nothing, genesis, nowMs, noCertificate)).toEqual(ok(undefined));
		// It has let go of them; what the silent say does not count against that.
		expect(sync.isMissing(genesis, nowMs, 0)).toBe(true);
	});

	it("goes on with a slow neighbour's run: an answer that came late is good when it was asked for once more", () => {
		const sync = new Sync(() => undefined, undefined);
		sync.heard("slow", 9);
		const [first, second] = above.map(({ bytes }) => bytes);
		assert(first !== undefined && second !== undefined, "two blocks");
		expect(sync.nextRequest(genesis, 0)).toEqual({ device: "slow", fromIndex: 1 });
		expect(sync.nextRequest(genesis, 8_001)).toEqual({ device: "slow", fromIndex: 1 });
		expect(sync.onBlocks("slow", answer(1, [first]), genesis, 12_000, noCertificate)).toEqual(ok(undefined));
		expect(sync.nextRequest(genesis, 12_000)).toEqual({ device: "slow", fromIndex: 2 });
		expect(sync.nextRequest(genesis, 20_001)).toEqual({ device: "slow", fromIndex: 2 });
		expect(sync.onBlocks("slow", answer(2, [second]), genesis, 24_000, noCertificate)).toEqual(ok(undefined));
		expect(sync.nextRequest(genesis, 24_000)).toEqual({ device: "slow", fromIndex: 3 });
		// Somebody else who is further gives it from its beginning.
		sync.heard("b", 9);
		expect(sync.nextRequest(genesis, 32_001)).toEqual({ device: "b", fromIndex: 1 });
	});

	it("does not wait for a run that comes a block at a time, nor keeps one of who says that it has none", () => {
		const sync = new Sync(() => undefined, undefined);
		const blocks = madeUp(20, 1_000).map(({ bytes }) => bytes);
		const trickle = (device: string, untilMs: number) => {
			for (let at = 0, nowMs = 0; nowMs < untilMs; at++, nowMs += 7_000) {
				expect(sync.nextRequest(genesis, nowMs)).toEqual({ device, fromIndex: at + 1 });
				const one = answer(at + 1, blocks.slice(at, at + 1));
				expect(sync.onBlocks(device, one, genesis, nowMs + 6_999, noCertificate)).toEqual(ok(undefined));
			}
		};
		sync.heard("liar", 1_000_000);
		sync.heard("b", 9);
		trickle("liar", 60_000);
		expect(sync.nextRequest(genesis, 63_001)).toEqual({ device: "b", fromIndex: 1 });
		sync.forget("b");
		expect(sync.nextRequest(genesis, 63_002)).toEqual({ device: "liar", fromIndex: 1 });
		expect(sync.onBlocks("liar", answer(1, blocks.slice(0, 2)), genesis, 63_003, noCertificate)).toEqual(ok(undefined));
		sync.heard("liar", 1);
		sync.heard("liar", 1_000_000);
		expect(sync.nextRequest(genesis, 63_004)).toEqual({ device: "liar", fromIndex: 1 });
	});

	it("takes a run from one neighbour only: nobody answers for what another had begun", () => {
		const sync = new Sync(() => undefined, undefined);
		sync.heard("a", 9);
		expect(sync.nextRequest(genesis, 0)?.device).toBe("a");
		const made = madeUp(1, YEARS_MS).map(({ bytes }) => bytes);
		expect(sync.onBlocks("a", answer(1, made), genesis, 1, noCertificate)).toEqual(ok(undefined));
		sync.heard("b", 10);
		expect(sync.nextRequest(genesis, 2)).toEqual({ device: "a", fromIndex: 2 });
		sync.forget("a");
		expect(sync.nextRequest(genesis, 3)).toEqual({ device: "b", fromIndex: 1 });
		const all = above.map(({ bytes }) => bytes);
		const given = sync.onBlocks("b", answer(1, all, certificate), genesis, 4, (each) => ok(each));
		expect(given).toMatchObject({ ok: true, value: { certificate: { index: certificate.index } } });
	});

	it("asks each for blocks that another does not have, and knows when nobody has them", () => {
		const sync = new Sync(() => undefined, undefined);
		sync.heard("a", from + 5);
		sync.heard("b", from + 4);
		expect(sync.nextRequest(genesis, 0)?.device).toBe("a");
		expect(sync.onBlocks("a", nothing, genesis, 1, noCertificate)).toEqual(ok(undefined));
		sync.heard("a", from + 6);
		expect(sync.isMissing(genesis, 1, 0)).toBe(false);
		expect(sync.nextRequest(genesis, 1)?.device).toBe("b");
		expect(sync.onBlocks("b", nothing, genesis, 2, noCertificate)).toEqual(ok(undefined));
		expect(sync.isMissing(genesis, 2, 0)).toBe(true);
		// Who is to wait longer counts from the first who had none.
		expect(sync.isMissing(genesis, 2, 2)).toBe(false);
		expect(sync.isMissing(genesis, 3, 2)).toBe(true);
		expect(sync.nextRequest(genesis, 2)).toBeUndefined();
		// Somebody else comes, who may have them; and those who had none are asked again after a while.
		sync.heard("c", from);
		expect(sync.isMissing(genesis, 3, 0)).toBe(false);
		expect(sync.nextRequest(genesis, 3)?.device).toBe("c");
		sync.forget("c");
		expect(sync.isMissing(genesis, 40_000, 0)).toBe(false);
		expect(sync.nextRequest(genesis, 40_000)?.device).toBe("a");
		// Time in which this device stood still does not count.
		expect(sync.onBlocks("a", nothing, genesis, 40_001, noCertificate)).toEqual(ok(undefined));
		expect(sync.nextRequest(genesis, 40_001)?.device).toBe("b");
		sync.resumed();
		expect(sync.onBlocks("b", nothing, genesis, 40_002, noCertificate)).toEqual(ok(undefined));
		expect([40_002, 40_003].map((nowMs) => sync.isMissing(genesis, nowMs, 1))).toEqual([false, true]);
	});

	it("knows it also where somebody had begun to give them, and went", () => {
		const sync = new Sync(() => undefined, undefined);
		sync.heard("a", 3);
		expect(sync.nextRequest(genesis, 0)?.device).toBe("a");
		const begun = above.slice(0, 1).map(({ bytes }) => bytes);
		expect(sync.onBlocks("a", answer(1, begun), genesis, 1, noCertificate)).toEqual(ok(undefined));
		sync.forget("a");
		sync.heard("b", 3);
		expect(sync.nextRequest(genesis, 2)).toEqual({ device: "b", fromIndex: 1 });
		expect(sync.onBlocks("b", nothing, genesis, 3, noCertificate)).toEqual(ok(undefined));
		expect(sync.isMissing(genesis, 3, 0)).toBe(true);
	});

	it("stands where the neighbours stand when one of them does, and nobody has more to show", () => {
		const sync = new Sync(() => undefined, undefined);
		const head = { ...genesis, block: { ...genesis.block, index: 10 } };
		const isCaughtUp = (nowMs: number) => sync.isCaughtUp(head, nowMs);
		expect(isCaughtUp(0)).toBe(false);
		// Another newcomer, who has nothing yet.
		sync.heard("newcomer", 0);
		expect(isCaughtUp(0)).toBe(false);
		sync.heard("a", 12);
		expect(isCaughtUp(0)).toBe(true);
		sync.heard("b", 13);
		expect(isCaughtUp(0)).toBe(false);
		expect(sync.nextRequest(head, 0)?.device).toBe("b");
		expect(sync.onBlocks("b", answer(11, []), head, 1, noCertificate)).toEqual(ok(undefined));
		expect(isCaughtUp(2)).toBe(true);
		sync.heard("liar", 1_000_000);
		expect(isCaughtUp(2)).toBe(false);
		sync.distrust("liar", 3);
		sync.heard("liar", 1_000_000);
		expect(isCaughtUp(3)).toBe(true);
		sync.forget("a");
		expect(isCaughtUp(3)).toBe(false);
	});
});

describe("a neighbour that says any height and gives nothing", () => {
	it("keeps no household's new device out", { timeout: 60_000 }, async () => {
		const cluster = await foundedStreet(3);
		const liar = 2;
		const reply = await cluster.command(1, { type: "restoreLink" });
		assert(reply.ok && reply.value.type === "link", "a restore link");
		tamperMessages(cluster, (message, from) => {
			if (from !== liar) return message;
			if (message.type === "blocks") return { ...message, blocks: [], certificate: undefined };
			return "headIndex" in message ? { ...message, headIndex: message.headIndex + 1_000_000 } : message;
		});
		cluster.off(1);
		await cluster.add();
		const { link } = reply.value;
		expect(await cluster.outcome(3, { type: "restore", link, alwaysOn: true, signalingUrls: [] })).toBe("ok");
		await cluster.until(() => cluster.house(3).node.view().stage === "street", "the new device is admitted", 300_000);
		expect(cluster.street(3).member).toBe(1);
	});
});
