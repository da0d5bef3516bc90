import { beforeAll, describe, expect, it } from "vitest";
import type { Anchor } from "../../../src/block/anchor.js";
import { encodeBlock } from "../../../src/block/block.js";
import { transactionId } from "../../../src/block/transaction.js";
import { executeBlock } from "../../../src/contract/execute.js";
import type { Ledger } from "../../../src/contract/ledger.js";
import type { SettledMinute } from "../../../src/contract/settlement.js";
import { openGenesisLink } from "../../../src/node/loading.js";
import { verifyProof } from "../../../src/node/proofCheck.js";
import { type Proven, verifyProofFile } from "../../../src/node/proofFileCheck.js";
import type { ProofPage } from "../../../src/node/proofPage.js";
import type { Command } from "../../../src/node/protocol.js";
import { openRecord } from "../../../src/node/records.js";
import type { ChainStorage } from "../../../src/node/storage.js";
import { decodeAnchorRecord } from "../../../src/node/voterSteps.js";
import { equalBytes, toHex } from "../../../src/primitives/bytes.js";
import { type Cluster, foundedStreet, invite, SHORT_DAYS } from "../../support/cluster.js";
import { keyedVerifier } from "../../support/keyedSignatures.js";
import { agreeToTrade, BUYER, OPERATOR, SELLER, trade } from "../../support/tradingHouses.js";
import { tamperMessages } from "../../support/wrongNeighbour.js";
import { must } from "../storage/cases.js";

/** House 2 sells to house 1; both keep blocks for two days of the chain. */
async function tradingStreet(houses = 3): Promise<Cluster> {
	const cluster = await foundedStreet(houses, { settings: SHORT_DAYS });
	await agreeToTrade(cluster);
	for (const at of [BUYER, SELLER]) expect(await cluster.outcome(at, { type: "retention", days: 2 })).toBe("ok");
	return cluster;
}

/** House 3 is off while a newcomer begins at a checkpoint above its head, and will reach nobody else. */
async function meetsOnlyANewcomer(cluster: Cluster): Promise<void> {
	await trade(cluster, 6);
	const link = await invite(cluster);
	cluster.off(3);
	await trade(cluster, 1);
	await cluster.add();
	const newcomer = { householdName: "Lie", alwaysOn: false, signalingUrls: [] };
	expect(await cluster.outcome(4, { type: "join", link, ...newcomer })).toBe("ok");
	await cluster.settle();
	expect(cluster.street(4).blocksFrom).toBeGreaterThan(cluster.height(3));
	cluster.cut([3], [OPERATOR, BUYER, SELLER]);
}

/** What a device has on its disk, without taking the database from its node. */
async function diskOf(cluster: Cluster, at: number): Promise<ChainStorage> {
	const copy = await cluster.house(at).storage.copy();
	return must(copy.openChain([...copy.names].at(-1) ?? ""));
}

async function blocksOf(storage: ChainStorage, until: number): Promise<number[]> {
	const indices: number[] = [];
	for (let index = 0; index <= until; index++) {
		if ((await must(storage.readBlocks(index, 1))).length === 1) indices.push(index);
	}
	return indices;
}

/** The pages of a device, each checked with nothing but what is kept for ever. */
async function pagesOf(storage: ChainStorage): Promise<ProofPage[]> {
	const [first] = await must(storage.readBlocks(0, 1));
	const content = openRecord(first?.record ?? new Uint8Array());
	const genesis = content.ok ? openGenesisLink(content.value, keyedVerifier) : undefined;
	if (genesis === undefined) throw new Error("genesis stays");
	const steps = (await must(storage.voterSteps(0))).map(({ record }): Anchor => {
		const step = decodeAnchorRecord(record);
		if (!step.ok) throw new Error(step.error.code);
		return step.value;
	});
	const pages: ProofPage[] = [];
	for (let page = await must(storage.proofPageFrom(0)); page !== undefined; ) {
		const proven = verifyProof(page.record, genesis.ledger, steps, keyedVerifier);
		if (!proven.ok) throw new Error(JSON.stringify(proven.error));
		pages.push(proven.value);
		page = await must(storage.proofPageFrom(page.index + 1));
	}
	return pages;
}

const settledIn = (pages: readonly ProofPage[]): SettledMinute[] =>
	pages.flatMap(({ blocks }) => blocks.flatMap(({ settled }) => settled));

const readingsIn = (pages: readonly ProofPage[]): number[] =>
	pages
		.flatMap(({ blocks }) => blocks.flatMap(({ transactions }) => transactions))
		.flatMap((transaction) => (transaction.kind === "reading" ? [transaction.minute] : []));

describe("a street in which households keep blocks for a while", () => {
	let cluster: Cluster;
	let disk: ChainStorage;

	beforeAll(async () => {
		cluster = await tradingStreet();
		await trade(cluster, 8);
		// What is due is deleted in batches.
		await cluster.run(5_000);
		disk = await diskOf(cluster, BUYER);
	}, 60_000);

	it("lets go of what is old and lies below the older checkpoint; genesis, and what is younger, stays", async () => {
		const { blocksFrom, days, chosen } = cluster.view(BUYER).retention;
		expect([days, chosen]).toEqual([2, true]);
		const older = (await must(disk.newestCheckpoint((await must(disk.newestCheckpoint()))?.index)))?.index ?? 0;
		expect(blocksFrom).toBeGreaterThan(30);
		expect(blocksFrom).toBeLessThanOrEqual(older);
		const height = cluster.height(BUYER);
		expect(await blocksOf(disk, height)).toEqual([
			0,
			...Array.from({ length: height - blocksFrom + 1 }, (_, at) => blocksFrom + at),
		]);
		const [block] = await must(disk.readBlocks(blocksFrom, 1));
		expect(block).toBeDefined();
		const keptFromMs = cluster.street(BUYER).chain.head.block.timestampMs - 2 * 50_000;
		const kept = await storedTimes(cluster, OPERATOR);
		expect(kept[blocksFrom - 1]).toBeLessThan(keptFromMs);
	});

	it("while the operator keeps everything, as long as it says nothing else", async () => {
		expect(cluster.view(OPERATOR).retention).toEqual({ days: 0, chosen: false, usualDays: 0, blocksFrom: 0 });
		const height = cluster.height(OPERATOR);
		expect(await blocksOf(await diskOf(cluster, OPERATOR), height)).toHaveLength(height + 1);
	});

	it("can prove each of its readings and settled minutes in blocks that are gone", async () => {
		for (const at of [BUYER, SELLER]) expect(await provenOf(cluster, at)).toBeGreaterThan(2);
	});

	it("can prove its order, the issue of its tokens, its contract and nobody else's readings", async () => {
		const pages = await pagesOf(disk);
		const kinds = pages.flatMap(({ blocks }) => blocks.flatMap(({ transactions }) => transactions));
		expect(kinds.filter(({ kind }) => kind !== "reading").map(({ kind }) => kind)).toEqual([
			"buy",
			"issue",
			"offer",
			"accept",
		]);
		expect(kinds.every((transaction) => transaction.kind !== "reading" || transaction.member === BUYER)).toBe(true);
		const sellers = await pagesOf(await diskOf(cluster, SELLER));
		const sold = sellers.flatMap(({ blocks }) => blocks.flatMap(({ transactions }) => transactions));
		expect(sold.filter(({ kind }) => kind !== "reading").map(({ kind }) => kind)).toEqual(["offer", "accept"]);
	});

	it("forgets old days of others, whose graphs it never shows; its own it keeps, and the operator all of them", async () => {
		const old = [OPERATOR, BUYER, SELLER].map((member) => ({ member, day: 300, record: new Uint8Array(1) }));
		for (const at of [OPERATOR, BUYER]) {
			cluster.off(at);
			const { storage } = cluster.house(at);
			const chain = await must(storage.openChain([...storage.names].at(-1) ?? ""));
			await must(chain.write({ days: old }));
			await cluster.on(at);
		}
		await cluster.settle();
		await cluster.run(3_000);
		const daysOf = async (at: number) =>
			(await must((await diskOf(cluster, at)).readDays(0))).map(({ member }) => member);
		expect((await daysOf(BUYER)).slice(0, 2)).toEqual([BUYER, expect.any(Number)]);
		expect((await daysOf(OPERATOR)).slice(0, 3)).toEqual([OPERATOR, BUYER, SELLER]);
		const today = await must((await diskOf(cluster, BUYER)).readDays(301));
		expect(today.map(({ member }) => member)).toEqual([BUYER, SELLER]);
	});

	it("starts again, goes on, proves and prunes further, each block once", async () => {
		cluster.off(BUYER);
		await cluster.on(BUYER);
		const { blocksFrom } = cluster.view(BUYER).retention;
		expect(blocksFrom).toBeGreaterThan(30);
		await trade(cluster, 3);
		await cluster.run(5_000);
		expect(cluster.view(BUYER).retention.blocksFrom).toBeGreaterThan(blocksFrom + 20);
		const pages = await pagesOf(await diskOf(cluster, BUYER));
		const readings = readingsIn(pages);
		expect(new Set(readings).size).toBe(readings.length);
		const indices = pages.flatMap(({ blocks }) => blocks.map(({ header }) => header.index));
		expect(new Set(indices).size).toBe(indices.length);
		expect(
			cluster.houses.flatMap(({ faults, closed }) => [...faults, ...closed.filter((code) => code !== "off")]),
		).toEqual([]);
	});

	it("keeps everything again when it is asked to, and refuses what is no number of days", async () => {
		expect(await cluster.outcome(BUYER, { type: "retention", days: 0 })).toBe("ok");
		const { blocksFrom } = cluster.view(BUYER).retention;
		await trade(cluster, 2);
		expect(cluster.view(BUYER).retention).toEqual({ days: 0, chosen: true, usualDays: 62, blocksFrom });
		for (const days of [-1, 1.5, Number.NaN, 1e9]) {
			expect(await cluster.outcome(BUYER, { type: "retention", days })).toBe("bad-retention");
		}
		expect(await cluster.outcome(BUYER, { type: "retention" })).toBe("ok");
		expect(cluster.view(BUYER).retention).toEqual({ days: 62, chosen: false, usualDays: 62, blocksFrom });
	});
});

/** What a member has in the blocks below an index, as the operator's whole chain says when it is executed again. */
async function ownOf(cluster: Cluster, member: number, belowIndex: number) {
	const settled: SettledMinute[] = [];
	const readings: number[] = [];
	let ledger: Ledger | undefined;
	for await (const block of cluster.street(OPERATOR).storedBlocks()) {
		if (block.index >= belowIndex) break;
		if (ledger === undefined) {
			ledger = openGenesisLink(encodeBlock(block), keyedVerifier)?.ledger;
			continue;
		}
		const executed = executeBlock(ledger, block, block.transactions);
		if (!executed.ok) throw new Error(executed.error.code);
		ledger = executed.value.ledger;
		for (const minute of executed.value.results.settled) {
			const { seller, deliveries } = minute;
			if (deliveries.some(({ buyer }) => buyer === member || seller === member)) settled.push(minute);
		}
		for (const transaction of block.transactions) {
			if (transaction.kind === "reading" && transaction.member === member) readings.push(transaction.minute);
		}
	}
	return { settled, readings };
}

/** Checks that a household can prove what it has in blocks that are gone; gives how many settled minutes that were. */
async function provenOf(cluster: Cluster, at: number): Promise<number> {
	const { blocksFrom } = cluster.view(at).retention;
	const gone = await ownOf(cluster, at, blocksFrom);
	const pages = await pagesOf(await diskOf(cluster, at));
	expect(settledIn(pages).slice(0, gone.settled.length)).toEqual(gone.settled);
	expect(readingsIn(pages).slice(0, gone.readings.length)).toEqual(gone.readings);
	return gone.settled.length;
}

async function storedTimes(cluster: Cluster, at: number): Promise<number[]> {
	const times: number[] = [];
	for await (const block of cluster.street(at).storedBlocks()) times.push(block.timestampMs);
	return times;
}

describe("a neighbour of devices that let go of old blocks", () => {
	it("joins by their checkpoint, though nobody else is there", async () => {
		const cluster = await tradingStreet();
		await trade(cluster, 6);
		const link = await invite(cluster);
		await cluster.add();
		cluster.cut([OPERATOR], [3]);
		expect(
			await cluster.outcome(3, { type: "join", link, householdName: "Lie", alwaysOn: false, signalingUrls: [] }),
		).toBe("ok");
		await cluster.until(() => cluster.house(3).node.view().stage === "street", "the guest is a member");
		await cluster.settle();
		expect(equalBytes(cluster.street(3).chain.head.hash, cluster.street(0).chain.head.hash)).toBe(true);
	}, 60_000);

	it("that was away for longer asks for blocks, hears that there are none, and takes the checkpoint", async () => {
		const cluster = await tradingStreet(4);
		await trade(cluster, 1);
		cluster.off(3);
		await trade(cluster, 5);
		await cluster.run(5_000);
		const left = cluster.street(1).blocksFrom;
		// Who keeps everything is out of reach.
		cluster.cut([OPERATOR], [3]);
		await cluster.on(3);
		expect(left).toBeGreaterThan(cluster.height(3) + 1);
		// Less than what a member fetches as blocks.
		expect(cluster.height(0) - cluster.height(3)).toBeLessThan(70);
		await cluster.settle();
		expect(cluster.street(3).blocksFrom).toBeGreaterThan(left - 1);
		expect(cluster.house(3).closed.filter((code) => code !== "off")).toEqual([]);
		expect(cluster.house(3).faults).toEqual([]);
		// What it kept of its own money before is there after a start, too, and it knows that blocks are missing.
		cluster.off(3);
		await cluster.on(3);
		await trade(cluster, 1);
		const { ledger } = cluster.street(3).chain.head;
		const account = cluster.street(3).statement.account(0, Math.ceil(ledger.timestampMs / 86_400_000) * 1_440);
		expect(account).toMatchObject({ keptFromMs: ledger.genesisTimestampMs, openingMicroNok: 0 });
		expect(account?.gaps).toHaveLength(1);
	}, 60_000);

	it("that was away gets blocks from the one who keeps everything", async () => {
		const cluster = await tradingStreet(4);
		await trade(cluster, 1);
		cluster.off(3);
		await trade(cluster, 5);
		await cluster.run(5_000);
		await cluster.on(3);
		await cluster.settle();
		expect(cluster.street(3).blocksFrom).toBe(0);
		const height = cluster.height(3);
		expect(await blocksOf(await diskOf(cluster, 3), height)).toHaveLength(height + 1);
	}, 60_000);

	it("that keeps everything, however long it was away, fetches all blocks: a jump would leave a hole for good", async () => {
		const cluster = await tradingStreet(5);
		await trade(cluster, 1);
		await cluster.command(3, { type: "retention", days: 0 });
		await cluster.settle();
		for (const at of [3, 4]) cluster.off(at);
		await trade(cluster, 8);
		// More than what a member fetches as blocks.
		expect(cluster.height(0) - cluster.height(3)).toBeGreaterThan(70);
		await cluster.on(3);
		await cluster.on(4);
		await cluster.settle();
		const height = cluster.height(0);
		expect([3, 4].map((at) => cluster.height(at))).toEqual([height, height]);
		expect(cluster.street(3).blocksFrom).toBe(0);
		expect(await blocksOf(await diskOf(cluster, 3), height)).toHaveLength(height + 1);
		expect(cluster.street(4).blocksFrom).toBeGreaterThan(0);
	}, 60_000);

	it("that keeps everything waits for who has the blocks, where it meets only somebody who began at a checkpoint", async () => {
		const cluster = await tradingStreet(4);
		await cluster.command(3, { type: "retention", days: 0 });
		await meetsOnlyANewcomer(cluster);
		const before = cluster.height(3);
		await cluster.on(3);
		await cluster.run(60_000);
		expect([cluster.height(3), cluster.street(3).blocksFrom]).toEqual([before, 0]);
		cluster.mend();
		await cluster.settle();
		expect(cluster.height(3)).toBe(cluster.height(0));
		expect(cluster.street(3).blocksFrom).toBe(0);
		expect(await blocksOf(await diskOf(cluster, 3), cluster.height(0))).toHaveLength(cluster.height(0) + 1);
	}, 60_000);

	it("that wakes waits a while before it jumps: the first neighbour that it meets may have begun at a checkpoint", async () => {
		const cluster = await tradingStreet(4);
		await meetsOnlyANewcomer(cluster);
		const before = cluster.height(3);
		await cluster.on(3);
		await cluster.run(30_000);
		expect(cluster.height(3)).toBe(before);
		cluster.mend();
		await cluster.settle();
		expect([cluster.height(3), cluster.street(3).blocksFrom]).toEqual([cluster.height(0), 0]);
		// Where nobody comes it does not wait for ever.
		cluster.off(3);
		await trade(cluster, 1);
		cluster.cut([3], [OPERATOR, BUYER, SELLER]);
		await cluster.on(3);
		await cluster.until(() => cluster.height(3) === cluster.height(4), "it is where the newcomer is");
	}, 60_000);

	it("that wakes fetches its blocks, whatever height a neighbour says of itself", async () => {
		const cluster = await tradingStreet(4);
		cluster.off(3);
		await trade(cluster, 3);
		tamperMessages(cluster, (message, from, to) => {
			const isBoast = message.type === "status" && from === BUYER && to === 3;
			return isBoast ? { ...message, headIndex: 1_000_000_000 } : message;
		});
		await cluster.on(3);
		await cluster.until(() => cluster.height(3) === cluster.height(0), "it is at the head");
		expect(cluster.street(3).blocksFrom).toBe(0);
		// Nor does who is at the head drop those who have no more than it has.
		await trade(cluster, 2);
		expect(cluster.height(3)).toBe(cluster.height(0));
		expect(cluster.view(3).refusals["bad-checkpoint"]).toBeUndefined();
		expect(cluster.house(3).closed.filter((code) => code !== "off")).toEqual([]);
	}, 60_000);

	it("that keeps everything jumps after all where nobody comes who has the blocks", async () => {
		const cluster = await tradingStreet(4);
		await cluster.command(3, { type: "retention", days: 0 });
		await trade(cluster, 1);
		cluster.off(3);
		await trade(cluster, 6);
		// The other one who keeps everything is out of reach.
		cluster.cut([OPERATOR], [3]);
		const before = cluster.height(3);
		expect(cluster.street(BUYER).blocksFrom).toBeGreaterThan(before + 1);
		await cluster.on(3);
		await cluster.run(14 * 60_000, 1_000);
		expect(cluster.height(3)).toBe(before);
		await cluster.run(2 * 60_000, 1_000);
		expect(cluster.height(3)).toBeGreaterThan(before);
		expect(cluster.street(3).blocksFrom).toBeGreaterThan(before + 1);
	}, 60_000);
});

describe("a household that loses its power while it lets go of blocks", () => {
	it("at a write of proofs or of a deletion, made or not made, can prove what is gone, and goes on", async () => {
		const undisturbed = await tradingStreet();
		await trade(undisturbed, 5);
		const { storage } = undisturbed.house(BUYER);
		const writes = [...storage.writesOf("proofs").slice(1, 3), ...storage.writesOf("prune").slice(0, 1)];
		expect(writes).toHaveLength(3);
		for (const atWrite of writes) {
			for (const isKept of [true, false]) {
				const what = `write ${atWrite}, ${isKept ? "made" : "not made"}`;
				const cluster = await tradingStreet();
				const house = cluster.house(BUYER);
				house.storage.crash = { atWrite, isKept };
				await trade(cluster, 5);
				expect([what, house.isUp]).toEqual([what, false]);
				house.storage.crash = undefined;
				await cluster.on(BUYER);
				await trade(cluster, 3);
				await cluster.run(5_000);
				expect([what, house.faults]).toEqual([what, []]);
				expect(cluster.view(BUYER).retention.blocksFrom).toBeGreaterThan(60);
				expect([what, await provenOf(cluster, BUYER)]).toEqual([what, expect.any(Number)]);
			}
		}
	}, 120_000);
});

describe("a proof file of what was let go of", () => {
	let cluster: Cluster;
	let contractId: string;

	beforeAll(async () => {
		cluster = await tradingStreet();
		await trade(cluster, 8);
		await cluster.run(5_000);
		contractId = toHex(cluster.street(BUYER).chain.head.ledger.contracts[0]?.id ?? new Uint8Array());
	}, 60_000);

	const fileOf = async (at: number, command: Extract<Command, { type: "proofFile" }>) => {
		const reply = await cluster.command(at, command);
		if (!reply.ok || reply.value.type !== "proofFile") throw new Error(JSON.stringify(reply));
		const proven = verifyProofFile(reply.value.text, keyedVerifier);
		if (!proven.ok) throw new Error(JSON.stringify(proven.error));
		return { ...reply.value, proven: proven.value };
	};
	const kindsIn = ({ blocks }: Proven) =>
		blocks.flatMap(({ transactions, settled }) => [
			...transactions.map(({ transaction }) => transaction.kind),
			...settled.map(({ deliveries }) => deliveries[0]?.energyWh),
		]);

	it("proves a minute that settled long ago, and one that has just settled, to buyer and seller", async () => {
		const { blocksFrom } = cluster.street(BUYER);
		expect(blocksFrom).toBeGreaterThan(30);
		const { fromMinute } = cluster.street(BUYER).chain.head.ledger.contracts[0] ?? { fromMinute: 0 };
		for (const at of [BUYER, SELLER]) {
			const { fileName, proven } = await fileOf(at, { type: "proofFile", contractId, minute: fromMinute });
			expect(kindsIn(proven)).toEqual(["reading", expect.any(Number)]);
			expect(proven.blocks[0]?.index).toBeLessThan(blocksFrom);
			expect(toHex(proven.gridId)).toBe(toHex(cluster.street(at).gridId));
			expect(fileName).toMatch(/^nabostrom-2025-02-\d\dT\d{4}Z-[0-9a-f]{8}\.json$/);
		}
		const newest = cluster.street(BUYER).chain.head.ledger.contracts[0]?.lastDeliveryMinute ?? 0;
		const { proven } = await fileOf(BUYER, { type: "proofFile", contractId, minute: newest });
		expect(kindsIn(proven)).toEqual(["reading", expect.any(Number)]);
	});

	it("proves the contract with both signatures, and the tokens with their order", async () => {
		for (const at of [BUYER, SELLER]) {
			const contract = await fileOf(at, { type: "proofFile", contractId });
			expect(kindsIn(contract.proven)).toEqual(["offer", "accept"]);
		}
		const buy = [...(await pagesOf(await diskOf(cluster, BUYER)))]
			.flatMap(({ blocks }) => blocks.flatMap(({ transactions }) => transactions))
			.find(({ kind }) => kind === "buy");
		if (buy === undefined) throw new Error("tokens were ordered");
		const id = toHex(transactionId(buy, cluster.street(BUYER).gridId));
		expect(kindsIn((await fileOf(BUYER, { type: "proofFile", id })).proven)).toEqual(["buy", "issue"]);
		const issued = cluster.view(BUYER).balance.movements.find(({ type }) => type === "issued");
		if (issued?.type !== "issued" || issued.id === undefined) throw new Error("tokens were issued");
		const { text } = await fileOf(BUYER, { type: "proofFile", id: issued.id });
		expect(text).toBe((await fileOf(BUYER, { type: "proofFile", id })).text);
	});

	it("is refused with a code where there is nothing to prove", async () => {
		const ask = (at: number, what: { contractId: string; minute?: number } | { id: string }) =>
			cluster.outcome(at, { type: "proofFile", ...what });
		expect(await ask(BUYER, { contractId, minute: 1 })).toBe("proof-no-delivery");
		expect(await ask(BUYER, { contractId: "ab".repeat(32) })).toBe("unknown-contract");
		expect(await ask(OPERATOR, { contractId })).toBe("not-your-contract");
		expect(await ask(BUYER, { id: "not an id" })).toBe("proof-not-kept");
	});
});
