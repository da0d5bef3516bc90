import { beforeAll, describe, expect, it } from "vitest";
import { decodeBlock, encodeBlock } from "../../../src/block/block.js";
import { readOutline } from "../../../src/block/outline.js";
import type { BlockPage, BlockReceipt, Command } from "../../../src/node/protocol.js";
import { decodeCertificateRecord, encodeCertificateRecord, openRecord, sealRecord } from "../../../src/node/records.js";
import { ZERO_HASH } from "../../../src/primitives/hash.js";
import { type Cluster, FIRST_MINUTE, foundedStreet, invite, SHORT_DAYS } from "../../support/cluster.js";
import { agreeToTrade, BUYER, OPERATOR, SELLER, trade } from "../../support/tradingHouses.js";
import { must } from "../storage/cases.js";

/** Joins later, and votes. */
const NEWCOMER = 3;

/** House 2 sells to house 1, and a fourth joins and votes: a voter change lies between the blocks. */
async function livedStreet(): Promise<Cluster> {
	const cluster = await foundedStreet(3, { settings: SHORT_DAYS });
	await agreeToTrade(cluster);
	await trade(cluster, 4);
	await cluster.add();
	const link = await invite(cluster);
	const newcomer = { householdName: "Lie", alwaysOn: true, signalingUrls: [] };
	expect(await cluster.outcome(NEWCOMER, { type: "join", link, ...newcomer })).toBe("ok");
	await cluster.settle();
	await cluster.until(() => cluster.street(OPERATOR).chain.head.ledger.devices.length === 4, "the newcomer is in");
	await cluster.act(OPERATOR, { type: "voters", added: [NEWCOMER], removed: [] });
	await trade(cluster, 4);
	return cluster;
}

async function pageOf(cluster: Cluster, at: number, query: Omit<Extract<Command, { type: "blocks" }>, "type"> = {}) {
	const reply = await cluster.command(at, { type: "blocks", ...query });
	if (!reply.ok || reply.value.type !== "blocks") throw new Error("a page");
	return reply.value.page;
}

async function blockOf(cluster: Cluster, at: number, index: number): Promise<BlockReceipt> {
	const reply = await cluster.command(at, { type: "block", index });
	if (!reply.ok || reply.value.type !== "block") throw new Error(reply.ok ? "a block" : reply.error.code);
	return reply.value.block;
}

/** All of a list, page by page. */
async function allOf(cluster: Cluster, at: number, isOwnOnly: boolean): Promise<BlockPage["blocks"]> {
	const blocks: BlockPage["blocks"] = [];
	for (let page = await pageOf(cluster, at, { isOwnOnly }); ; ) {
		blocks.push(...page.blocks);
		if (page.nextIndex === undefined) return blocks;
		page = await pageOf(cluster, at, { isOwnOnly, fromIndex: page.nextIndex });
	}
}

const indicesOf = (blocks: BlockPage["blocks"]) => blocks.map(({ index }) => index);
const downFrom = (top: number) => Array.from({ length: top + 1 }, (_, below) => top - below);

/** The running node reads what somebody else has written into its database. */
async function writeOver(cluster: Cluster, at: number, index: number, change: (record: Uint8Array) => Uint8Array) {
	const { storage } = cluster.house(at);
	const chain = await must(storage.openChain([...storage.names].at(-1) ?? ""));
	const [stored] = await must(chain.readBlocks(index, 1));
	if (stored === undefined) throw new Error(`block ${index} is there`);
	const blocks = [{ index, record: change(stored.record) }];
	await must(chain.write({ install: { blocks, upToIndex: index, certificate: undefined } }));
}

/** Says that more was bought, with everything in its place and a good checksum. */
function withAnotherReading(record: Uint8Array): Uint8Array {
	const content = openRecord(record);
	const block = content.ok ? decodeBlock(content.value, ZERO_HASH) : content;
	if (!block.ok) throw new Error(block.error.code);
	const transactions = block.value.transactions.map((each) =>
		each.kind === "reading" ? { ...each, importWh: each.importWh + 1 } : each,
	);
	return sealRecord(encodeBlock({ ...block.value, transactions }));
}

let cluster: Cluster;
let head: number;
beforeAll(async () => {
	cluster = await livedStreet();
	head = cluster.height(BUYER);
}, 60_000);

describe("the blocks that a device keeps", () => {
	it("are listed newest first, a page after the other, down to genesis", async () => {
		const first = await pageOf(cluster, BUYER);
		expect(indicesOf(first.blocks)).toEqual(downFrom(head).slice(0, 20));
		expect(first.nextIndex).toBe(head - 20);
		expect(indicesOf(await allOf(cluster, BUYER, false))).toEqual(downFrom(head));
		const from = await pageOf(cluster, BUYER, { fromIndex: 3 });
		expect(indicesOf(from.blocks)).toEqual([3, 2, 1, 0]);
		expect(from).not.toHaveProperty("nextIndex");
	});

	it("say how many readings and other things are in them, and how many of those are the household's own", async () => {
		const ofBuyer = await allOf(cluster, BUYER, false);
		for (const { index, readings, others, timestampMs } of ofBuyer) {
			const { transactions, ...block } = await blockOf(cluster, OPERATOR, index);
			expect(readings).toBe(transactions.filter(({ kind }) => kind === "reading").length);
			expect(others).toBe(transactions.length - readings);
			expect(timestampMs).toBe(block.timestampMs);
		}
		const kindsOf = async (at: number) => {
			const kinds: string[] = [];
			for (const { index } of await allOf(cluster, at, true)) {
				const { transactions } = await blockOf(cluster, at, index);
				kinds.push(...transactions.filter(({ isOwn, kind }) => isOwn && kind !== "reading").map(({ kind }) => kind));
			}
			return kinds.reverse();
		};
		// What was issued to it concerns the buyer, and that its offer was accepted the seller.
		expect(await kindsOf(BUYER)).toEqual(["join", "buy", "issue", "accept"]);
		expect(await kindsOf(SELLER)).toEqual(["join", "offer", "accept"]);
		expect(await kindsOf(NEWCOMER)).toEqual(["join"]);
	});

	it("are found by time", async () => {
		const blocks = (await allOf(cluster, BUYER, false)).filter(({ index }) => index > 0);
		for (const { index, timestampMs } of blocks) {
			expect(indicesOf((await pageOf(cluster, BUYER, { byMs: timestampMs })).blocks)[0]).toBe(index);
			expect(indicesOf((await pageOf(cluster, BUYER, { byMs: timestampMs - 1 })).blocks)[0]).toBe(index - 1);
		}
		expect(indicesOf((await pageOf(cluster, BUYER, { byMs: 0 })).blocks)).toEqual([0]);
	});

	it("are whole, certified by those who voted then, and signed by those who say something in them", async () => {
		for (const at of [OPERATOR, BUYER]) {
			for (const index of downFrom(head)) {
				const { check, transactions, hash } = await blockOf(cluster, at, index);
				expect(transactions.every(({ signature }) => signature === "good")).toBe(true);
				if (index === 0) {
					expect(check).toEqual({ state: "genesis" });
					expect(hash).toBe(cluster.view(at).gridId);
					continue;
				}
				if (check.state !== "good") throw new Error(`block ${index} is ${check.state}`);
				expect(check.certifiedIndex).toBeGreaterThanOrEqual(index);
				expect(check.signers.length * 2).toBeGreaterThan(check.voters);
				expect(new Set(check.signers).size).toBe(check.signers.length);
			}
		}
		const newest = (await blockOf(cluster, OPERATOR, head)).check;
		expect(newest).toMatchObject({ state: "good", voters: 4 });
		const { headIndex, headHash } = cluster.view(BUYER).chain;
		expect((await blockOf(cluster, BUYER, headIndex)).hash).toBe(headHash);
	});

	it("show a household what is its own or everybody's, and an operator all", async () => {
		for (const index of downFrom(head)) {
			const { transactions } = await blockOf(cluster, BUYER, index);
			for (const { kind, isOwn, member, minute, transaction } of transactions) {
				if (kind === "reading") expect(minute).toBeGreaterThanOrEqual(FIRST_MINUTE);
				const isOpen = ["found", "join", "offer", "voters", "device"].includes(kind);
				expect(transaction !== undefined, `${kind} of ${member}`).toBe(isOwn || isOpen);
			}
			const all = await blockOf(cluster, OPERATOR, index);
			expect(all.transactions.every(({ transaction }) => transaction !== undefined)).toBe(true);
		}
	});

	it("are refused where there are none", async () => {
		const code = async (command: Command) => cluster.outcome(BUYER, command);
		expect(await code({ type: "block", index: 9_999 })).toBe("block-not-kept");
		expect(await code({ type: "block", index: -1 })).toBe("block-not-kept");
		expect(await code({ type: "block", index: 0.5 })).toBe("block-not-kept");
		expect(await code({ type: "blocks", byMs: Number.NaN })).toBe("block-not-kept");
	});
});

describe("blocks that were let go of", () => {
	it("are said to be; those right above can be read, and are checked from the next certificate on", async () => {
		expect(await cluster.outcome(SELLER, { type: "retention", days: 1 })).toBe("ok");
		await trade(cluster, 6);
		await cluster.run(60_000, 500);
		const { blocksFrom } = cluster.street(SELLER);
		expect(blocksFrom).toBeGreaterThan(10);
		const blocks = await allOf(cluster, SELLER, false);
		expect(indicesOf(blocks)).toEqual([...downFrom(cluster.height(SELLER)).filter((index) => index >= blocksFrom), 0]);
		expect(await cluster.outcome(SELLER, { type: "block", index: blocksFrom - 1 })).toBe("block-not-kept");
		const states = new Map<number, string>();
		for (const { index } of blocks) states.set(index, (await blockOf(cluster, SELLER, index)).check.state);
		expect(states.get(blocksFrom)).toBe("unlinked");
		expect(states.get(cluster.height(SELLER))).toBe("good");
		expect(states.get(0)).toBe("genesis");
		expect([...states.values()]).not.toContain("bad");
		expect(indicesOf((await pageOf(cluster, SELLER, { byMs: 1 })).blocks)).toEqual([0]);
	});
});

describe("a block that was changed on this device", () => {
	it("does not hang together with the chain, nor do those whose hashes rest on it up to the next certificate", async () => {
		const blocks = await allOf(cluster, BUYER, false);
		const { index } = blocks.find(({ readings }) => readings > 0) ?? { index: 0 };
		await writeOver(cluster, BUYER, index, withAnotherReading);
		const changed = await blockOf(cluster, BUYER, index);
		expect(changed.check).toEqual({ state: "bad", code: "block-not-linked" });
		// What it says is shown all the same, and that nobody has signed it.
		expect(changed.transactions.find(({ kind }) => kind === "reading")?.signature).toBe("otherKey");
		expect((await blockOf(cluster, OPERATOR, index)).check.state).toBe("good");
	});

	it("is not certified where too few have signed", async () => {
		const { storage } = cluster.house(OPERATOR);
		const chain = await must(storage.openChain([...storage.names].at(-1) ?? ""));
		const stored = await must(chain.certificateFrom(1));
		const certificate = decodeCertificateRecord(stored?.record ?? new Uint8Array());
		const index = stored?.index ?? 0;
		if (!certificate.ok) throw new Error("a certificate");
		const signatures = certificate.value.signatures.slice(1);
		const install = {
			blocks: await must(chain.readBlocks(index, 1)),
			upToIndex: index,
			certificate: encodeCertificateRecord({ ...certificate.value, signatures }),
		};
		expect((await blockOf(cluster, OPERATOR, index)).check.state).toBe("good");
		await must(chain.write({ install: { ...install, keepCertificate: "always" } }));
		expect((await blockOf(cluster, OPERATOR, index)).check).toEqual({ state: "bad", code: "block-not-certified" });
	});

	it("or damaged, is said to be, in the list as well, and keeps nothing else from being read", async () => {
		await writeOver(cluster, BUYER, 5, (record) =>
			record.map((byte, at) => (at === record.length - 1 ? byte ^ 1 : byte)),
		);
		expect(await cluster.outcome(BUYER, { type: "block", index: 5 })).toBe("block-damaged");
		const { blocks } = await pageOf(cluster, BUYER, { fromIndex: 6 });
		expect(blocks.map(({ index, isDamaged }) => [index, isDamaged === true])).toEqual([
			[6, false],
			[5, true],
			[4, false],
			[3, false],
			[2, false],
			[1, false],
			[0, false],
		]);
		expect((await blockOf(cluster, BUYER, 0)).check.state).toBe("genesis");
	});
});

describe("an outline", () => {
	it("is refused where a block would be", () => {
		expect(readOutline(new Uint8Array([0x80]))).toEqual({ ok: false, error: { code: "bad-block-shape" } });
		expect(readOutline(new Uint8Array())).toMatchObject({ ok: false });
	});
});
