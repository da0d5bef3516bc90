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

/** Each device says where its chain ends, the higher the later. */
function syncWith(heads: Record<string, number>, members: readonly string[] = []): Sync {
	const sync = new Sync(
		() => undefined,
		undefined,
		(device) => members.includes(device),
	);
	for (const [device, headIndex] of Object.entries(heads)) sync.heard(device, headIndex, 0);
	return sync;
}

describe("who catches up", () => {
	const nothing = answer(1, []);
	const asked = (sync: Sync, nowMs: number) => sync.nextRequest(genesis, nowMs);
	const give = (sync: Sync, device: string, said: ReturnType<typeof answer>, nowMs: number) =>
		sync.onBlocks(device, said, genesis, nowMs, (each) => ok(each));
	const NOTHING = ok(undefined);
	const parts = () => above.map(({ bytes }) => bytes);

	it("asks another neighbour when one does not answer; whichever answers first gives the run", () => {
		const sync = syncWith({ a: 6, b: 5 });
		expect(asked(sync, 0)).toEqual({ device: "a", fromIndex: 1 });
		expect(asked(sync, 8_000)).toBeUndefined();
		expect(asked(sync, 8_001)).toEqual({ device: "b", fromIndex: 1 });
		// Both are slow: nobody is asked twice for the same so soon.
		expect(asked(sync, 16_002)).toBeUndefined();
		expect(give(sync, "a", answer(1, parts().slice(0, 1)), 17_000)).toEqual(NOTHING);
		expect(asked(sync, 17_000)).toEqual({ device: "a", fromIndex: 2 });
		expect(give(sync, "b", answer(1, parts().slice(0, 1)), 17_001)).toEqual(NOTHING);
		expect(asked(sync, 20_000)).toBeUndefined();
		expect(give(sync, "a", answer(2, parts().slice(1), certificate), 29_000)).toMatchObject({ ok: true, value: {} });
	});

	it("asks a silent one again after a while, and forgets what was asked when it stood still itself", () => {
		const sync = syncWith({ a: 6 });
		expect(asked(sync, 0)?.device).toBe("a");
		expect(asked(sync, 60_000)).toBeUndefined();
		expect(asked(sync, 60_001)?.device).toBe("a");
		sync.resumed();
		expect(asked(sync, 60_002)?.device).toBe("a");
	});

	it("asks who was wrong after the others, however high it says that it is", () => {
		const sync = syncWith({ liar: 1_000_000 });
		expect(asked(sync, 0)?.device).toBe("liar");
		sync.distrust("liar", 10);
		sync.heard("liar", 1_000_000, 10);
		sync.heard("b", 5, 10);
		expect(sync.sources.bestForCheckpoint(11, new Set())).toBe("b");
		expect(asked(sync, 11)?.device).toBe("b");
		expect(give(sync, "b", nothing, 12)).toEqual(NOTHING);
		// Nobody else is left; and after a while it is as good as any.
		expect(asked(sync, 13)?.device).toBe("liar");
		expect(sync.sources.bestForCheckpoint(600_009, new Set())).toBe("b");
		expect(sync.sources.bestForCheckpoint(600_010, new Set())).toBe("liar");
	});

	it("asks the chain's own devices first: strangers hold nobody up, however many come under new keys", () => {
		const sync = syncWith({ b: 5 }, ["b"]);
		for (let nowMs = 0, key = 0; nowMs < 60_000; nowMs += 9_000, key++) {
			sync.heard(`stranger ${key}`, 1_000_000 + key, nowMs);
			expect(asked(sync, nowMs)?.device ?? "b").toBe("b");
		}
		expect(give(sync, "b", answer(1, parts().slice(0, 1)), 60_001)).toEqual(NOTHING);
		expect(asked(sync, 60_002)).toEqual({ device: "b", fromIndex: 2 });
		expect(sync.sources.isCaughtUp(5, 60_002)).toBe(true);
		expect(sync.sources.isCaughtUp(2, 60_002)).toBe(false);
		expect(give(sync, "b", answer(2, parts().slice(1), certificate), 60_003)).toMatchObject({ ok: true, value: {} });
	});

	it("asks strangers when the chain's own are silent for long, or have none", () => {
		const sync = syncWith({ silent: 9, pruned: 9 }, ["silent", "pruned"]);
		expect(asked(sync, 0)?.device).toBe("silent");
		expect(asked(sync, 8_001)?.device).toBe("pruned");
		expect(give(sync, "pruned", nothing, 8_002)).toEqual(NOTHING);
		sync.heard("stranger", 9, 9_000);
		// A stranger is no replacement for one of the chain's own before that one had its time.
		expect(asked(sync, 9_000)).toBeUndefined();
		expect(asked(sync, 70_000)?.device).toBe("stranger");
		expect(give(sync, "stranger", answer(1, parts(), certificate), 70_001)).toMatchObject({ ok: true, value: {} });
	});

	it("finds who can replace one that stalls, though another had none; a made-up block hides nothing", () => {
		const sync = syncWith({ pruned: 9, stalls: 8 });
		expect(asked(sync, 0)?.device).toBe("pruned");
		expect(give(sync, "pruned", nothing, 1)).toEqual(NOTHING);
		expect(asked(sync, 2)?.device).toBe("stalls");
		const made = madeUp(1, 1_000).map(({ bytes }) => bytes);
		expect(give(sync, "stalls", answer(1, made), 3)).toEqual(NOTHING);
		expect(asked(sync, 4)).toEqual({ device: "stalls", fromIndex: 2 });
		// It is held, and nobody has more: a checkpoint is fetched when it has had its time.
		expect(asked(sync, 40_000)).toBeUndefined();
		expect(sync.isMissing(genesis, 40_000, 0)).toBe(false);
		expect(asked(sync, 61_000)?.device).toBe("stalls");
		expect(give(sync, "pruned", nothing, 61_000)).toEqual(NOTHING);
		sync.heard("c", 9, 62_000);
		expect(asked(sync, 70_000)).toEqual({ device: "c", fromIndex: 1 });
	});

	it("is held up by nobody among strangers, either: whoever has not failed comes first", () => {
		const sync = syncWith({});
		for (let liar = 0; liar < 20; liar++) sync.heard(`liar ${liar}`, 1_000_000 + liar, 0);
		for (let nowMs = 0; nowMs < 9 * 9_000; nowMs += 9_000) expect(asked(sync, nowMs)?.device).toMatch(/^liar/);
		sync.heard("b", 5, 81_000);
		for (let nowMs = 81_000; nowMs < 20 * 9_000; nowMs += 9_000) expect(asked(sync, nowMs)).toBeDefined();
		expect(asked(sync, 190_000)?.device).toBe("b");
		expect(give(sync, "b", nothing, 190_001)).toEqual(NOTHING);
		// It has let go of them; what the silent say does not count against that, once they were silent for long.
		expect(sync.isMissing(genesis, 250_000, 0)).toBe(false);
		expect(asked(sync, 260_000)?.device).toBe("b");
		expect(give(sync, "b", nothing, 260_001)).toEqual(NOTHING);
		expect(sync.isMissing(genesis, 260_002, 0)).toBe(true);
	});

	it("does not wait for a run that comes a block at a time, nor keeps one of who says that it has none", () => {
		const sync = syncWith({ liar: 1_000_000, b: 9 });
		const blocks = madeUp(20, 1_000).map(({ bytes }) => bytes);
		let nowMs = 0;
		for (let at = 0; nowMs < 66_000; at++, nowMs += 7_000) {
			expect(asked(sync, nowMs)).toEqual({ device: "liar", fromIndex: at + 1 });
			expect(give(sync, "liar", answer(at + 1, blocks.slice(at, at + 1)), nowMs + 6_999)).toEqual(NOTHING);
		}
		expect(asked(sync, nowMs)).toEqual({ device: "b", fromIndex: 1 });
		sync.forget("b", nowMs);
		expect(asked(sync, nowMs)).toEqual({ device: "liar", fromIndex: 1 });
		expect(give(sync, "liar", answer(1, blocks.slice(0, 2)), nowMs)).toEqual(NOTHING);
		// To say that it has less, or to come and go, wins it nothing.
		sync.heard("liar", 1, nowMs);
		sync.heard("liar", 1_000_000, nowMs);
		sync.heard("c", 9, nowMs);
		expect(asked(sync, nowMs)).toEqual({ device: "c", fromIndex: 1 });
	});

	it("takes a run from one neighbour only: nobody answers for what another had begun", () => {
		const sync = syncWith({ a: 9 });
		expect(asked(sync, 0)?.device).toBe("a");
		const made = madeUp(1, YEARS_MS).map(({ bytes }) => bytes);
		expect(give(sync, "a", answer(1, made), 1)).toEqual(NOTHING);
		sync.heard("b", 10, 1);
		expect(asked(sync, 2)).toEqual({ device: "a", fromIndex: 2 });
		sync.forget("a", 3);
		expect(asked(sync, 3)).toEqual({ device: "b", fromIndex: 1 });
		expect(give(sync, "b", answer(1, parts(), certificate), 4)).toMatchObject({
			ok: true,
			value: { certificate: { index: certificate.index } },
		});
	});

	it("asks each for blocks that another does not have, and knows when nobody has them", () => {
		const sync = syncWith({ a: 6, b: 5 });
		expect(asked(sync, 0)?.device).toBe("a");
		expect(give(sync, "a", nothing, 1)).toEqual(NOTHING);
		sync.heard("a", 7, 1);
		expect(sync.isMissing(genesis, 1, 0)).toBe(false);
		expect(asked(sync, 1)?.device).toBe("b");
		expect(give(sync, "b", nothing, 2)).toEqual(NOTHING);
		expect(sync.isMissing(genesis, 2, 0)).toBe(true);
		// Who is to wait longer counts from the first who had none.
		expect(sync.isMissing(genesis, 2, 2)).toBe(false);
		expect(sync.isMissing(genesis, 3, 2)).toBe(true);
		expect(asked(sync, 2)).toBeUndefined();
		// Somebody else comes, who may have them; and those who had none are asked again after a while.
		sync.heard("c", 1, 3);
		expect(sync.isMissing(genesis, 3, 0)).toBe(false);
		expect(asked(sync, 3)?.device).toBe("c");
		sync.forget("c", 3);
		expect(sync.isMissing(genesis, 40_000, 0)).toBe(false);
		expect(asked(sync, 40_000)?.device).toBe("a");
		// Time in which this device stood still does not count.
		expect(give(sync, "a", nothing, 40_001)).toEqual(NOTHING);
		expect(asked(sync, 40_001)?.device).toBe("b");
		sync.resumed();
		expect(asked(sync, 40_002)?.device).toBe("b");
		expect(give(sync, "b", nothing, 40_003)).toEqual(NOTHING);
		expect([40_003, 40_004].map((nowMs) => sync.isMissing(genesis, nowMs, 1))).toEqual([false, true]);
	});

	it("knows it also where somebody had begun to give them, and went; while somebody gives them they are not missing", () => {
		const sync = syncWith({ a: 3, b: 3 });
		expect(asked(sync, 0)?.device).toBe("a");
		expect(give(sync, "a", nothing, 1)).toEqual(NOTHING);
		expect(asked(sync, 1)?.device).toBe("b");
		expect(give(sync, "b", answer(1, parts().slice(0, 1)), 2)).toEqual(NOTHING);
		expect(asked(sync, 3)).toEqual({ device: "b", fromIndex: 2 });
		expect(asked(sync, 20_000)).toBeUndefined();
		expect(sync.isMissing(genesis, 20_000, 0)).toBe(false);
		sync.forget("b", 20_001);
		expect(sync.isMissing(genesis, 20_001, 0)).toBe(true);
		// One that had none before is not thought to have them now, when somebody else gives them slowly.
		sync.heard("b", 3, 20_002);
		expect(asked(sync, 20_002)?.device).toBe("b");
		expect(give(sync, "b", answer(1, parts().slice(0, 1)), 20_003)).toEqual(NOTHING);
		expect(asked(sync, 20_004)).toEqual({ device: "b", fromIndex: 2 });
		expect(asked(sync, 80_003)).toBeUndefined();
		expect(asked(sync, 80_005)).toEqual({ device: "b", fromIndex: 2 });
	});

	it("stands where the neighbours stand when one of them is not ahead, and nobody has more to show", () => {
		const sync = syncWith({});
		const head = { ...genesis, block: { ...genesis.block, index: 10 } };
		const isCaughtUp = (nowMs: number) => sync.isCaughtUp(head, nowMs);
		expect(isCaughtUp(0)).toBe(false);
		// Another newcomer, who has nothing yet.
		sync.heard("newcomer", 0, 0);
		expect(isCaughtUp(0)).toBe(false);
		sync.heard("a", 12, 0);
		expect(isCaughtUp(0)).toBe(true);
		sync.heard("b", 13, 0);
		expect(isCaughtUp(0)).toBe(false);
		expect(sync.nextRequest(head, 0)?.device).toBe("b");
		expect(sync.onBlocks("b", answer(11, []), head, 1, noCertificate)).toEqual(ok(undefined));
		expect(isCaughtUp(2)).toBe(true);
		sync.heard("liar", 1_000_000, 2);
		expect(isCaughtUp(2)).toBe(false);
		sync.distrust("liar", 3);
		sync.heard("liar", 1_000_000, 3);
		expect(isCaughtUp(3)).toBe(true);
		// One that failed, and stands where this device stands.
		sync.distrust("a", 4);
		sync.heard("a", 12, 4);
		expect(isCaughtUp(4)).toBe(true);
		sync.forget("a", 5);
		expect(isCaughtUp(5)).toBe(false);
	});
});

describe("a neighbour that says any height and gives nothing", () => {
	it.each([
		["says that it has no blocks", () => ({ blocks: [], certificate: undefined })],
		["is silent, about checkpoints too", () => undefined],
	])("%s: it keeps no household's new device out", { timeout: 60_000 }, async (_, blocksInstead) => {
		const cluster = await foundedStreet(3);
		const liar = 2;
		const reply = await cluster.command(1, { type: "restoreLink" });
		assert(reply.ok && reply.value.type === "link", "a restore link");
		tamperMessages(cluster, (message, from) => {
			if (from !== liar) return message;
			const instead = blocksInstead();
			if (message.type === "blocks") return instead && { ...message, ...instead };
			if (message.type === "checkpoint") return instead && message;
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
