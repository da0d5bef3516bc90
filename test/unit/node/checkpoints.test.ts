import { beforeAll, describe, expect, it } from "vitest";
import { chunkLeaves, joinChunks, manifestOf } from "../../../src/contract/chunks.js";
import { History } from "../../../src/node/history.js";
import { HouseholdKey } from "../../../src/node/householdKey.js";
import { loadChain, openGenesisLink } from "../../../src/node/loading.js";
import { openRecord, sealRecord } from "../../../src/node/records.js";
import { Statement } from "../../../src/node/statement.js";
import type { ChainChange, ChainStorage, StoredCheckpoint } from "../../../src/node/storage.js";
import type { Street } from "../../../src/node/street.js";
import { toHex } from "../../../src/primitives/bytes.js";
import type { Result } from "../../../src/primitives/result.js";
import { publicKeyOf, sign } from "../../../src/primitives/signature.js";
import { MINUTES_PER_DAY } from "../../../src/primitives/units.js";
import { type Cluster, FIRST_MINUTE, foundedStreet, SHORT_DAYS } from "../../support/cluster.js";
import { agreeToTrade, BUYER, SELLER, trade } from "../../support/tradingHouses.js";

const MINUTES = 6;

/** Some minutes in which house 2 sells to house 1: a checkpoint every 50 s. */
async function tradingStreet(): Promise<Cluster> {
	const cluster = await foundedStreet(3, { settings: SHORT_DAYS });
	await agreeToTrade(cluster);
	const prices = { retailMicroNokPerWh: 2_000, feedInMicroNokPerWh: 700, localFeeMicroNokPerWh: 50 };
	const fromMinute = Math.floor(cluster.chainMs / 60_000) + 3;
	await cluster.act(0, { type: "tariff", steps: [{ fromMinute, ...prices }] });
	await trade(cluster, MINUTES);
	return cluster;
}

async function must<T, E extends { code: string }>(work: Promise<Result<T, E>>): Promise<T> {
	const result = await work;
	if (!result.ok) throw new Error(JSON.stringify(result.error));
	return result.value;
}

/** Where a chain stands, and what a household sees of it. */
function standing({ chain, history, statement }: Pick<Street, "chain" | "history" | "statement">) {
	const { block, hash, ledger } = chain.head;
	return {
		index: block.index,
		hash: toHex(hash),
		stateRoot: toHex(block.stateRoot),
		balances: ledger.households.map(({ balanceMicroNok }) => balanceMicroNok),
		series: ledger.households.map(({ index }) => history.series(index, FIRST_MINUTE - 10, FIRST_MINUTE + 30)),
		billed: history.billed(BUYER, FIRST_MINUTE - 10, FIRST_MINUTE + 30, ledger.parameters),
		movements: statement.movements(),
		today: statement.day(Math.floor(FIRST_MINUTE / MINUTES_PER_DAY) * MINUTES_PER_DAY),
	};
}

const chainOf = (cluster: Cluster, at: number) => {
	const { storage } = cluster.house(at);
	return must(storage.openChain([...storage.names][0] ?? ""));
};

async function gridIdOf(storage: ChainStorage): Promise<Uint8Array> {
	const [genesis] = await must(storage.readBlocks(0, 1));
	const content = await must(Promise.resolve(openRecord(genesis?.record ?? new Uint8Array())));
	return openGenesisLink(content, { verify: () => true })?.hash ?? new Uint8Array();
}

/** Opens a storage as a start does; `begins`: the first block that was executed. */
async function load(storage: ChainStorage) {
	let history: History | undefined;
	/** Found when it was opened. */
	const late: string[] = [];
	const begins: number[] = [];
	let statement: Statement | undefined;
	const loaded = await loadChain(storage, await gridIdOf(storage), ({ keys }) => {
		const { publicKey } = new HouseholdKey(keys.household, { publicKeyOf, sign });
		const kept = new History(publicKey, () => late.push("days"));
		history = kept;
		const opened = new Statement(publicKey, { offsetMinutes: 0, summerTime: false });
		statement = opened;
		return {
			restore: (days, _intervals, derived) => {
				kept.restore(days);
				return derived === undefined || opened.restore(derived) ? [] : ["statement"];
			},
			add: (parent, link) => {
				begins.push(link.block.index);
				kept.add(parent, link);
				opened.add(parent, link);
			},
		};
	});
	if (!loaded.ok || loaded.value.chain === undefined || statement === undefined || history === undefined) {
		throw new Error("the chain loads");
	}
	const { chain, damaged, votes } = loaded.value;
	const stands = standing({ chain, history, statement });
	return { standing: stands, damaged: [...damaged, ...new Set(late)], begins: begins[0], votes };
}

/** A storage in which something else is found. */
const withChange = (storage: ChainStorage, change: Partial<ChainStorage>): ChainStorage => ({
	load: () => storage.load(),
	write: (given) => storage.write(given),
	readBlocks: (from, count) => storage.readBlocks(from, count),
	certificateFrom: (index) => storage.certificateFrom(index),
	newestCheckpoint: (below) => storage.newestCheckpoint(below),
	checkpointChunk: (index, number) => storage.checkpointChunk(index, number),
	voterSteps: (from) => storage.voterSteps(from),
	readDays: (from, until) => storage.readDays(from, until),
	readIntervals: (from, until) => storage.readIntervals(from, until),
	readMemberDays: (member, from, until) => storage.readMemberDays(member, from, until),
	readHours: (member, from, until) => storage.readHours(member, from, until),
	proofPageFrom: (index) => storage.proofPageFrom(index),
	staged: () => storage.staged(),
	stagedChunk: (number) => storage.stagedChunk(number),
	close: () => storage.close(),
	...change,
});

const hurt = (record: Uint8Array) => record.map((byte, at) => (at === record.length - 1 ? byte ^ 1 : byte));

describe("a start from a checkpoint", () => {
	let cluster: Cluster;
	let storage: ChainStorage;
	let newest: StoredCheckpoint;
	let older: StoredCheckpoint;
	let executed: ReturnType<typeof standing>;

	beforeAll(async () => {
		cluster = await tradingStreet();
		storage = await chainOf(cluster, BUYER);
		const stored = await must(storage.newestCheckpoint());
		const before = await must(storage.newestCheckpoint(stored?.index));
		if (stored === undefined || before === undefined) throw new Error("there are checkpoints");
		[newest, older] = [stored, before];
		executed = standing(cluster.street(BUYER));
	}, 60_000);

	it("the street traded and has several checkpoints, of which two are kept", async () => {
		expect(executed.balances[SELLER]).toBeGreaterThan(50_000);
		expect(executed.billed.prices.map(({ retailMicroNokPerWh }) => retailMicroNokPerWh)).toContain(2_000);
		expect(executed.billed.paidMicroNok.reduce((sum, paid) => sum + paid, 0)).toBe(executed.balances[SELLER]);
		expect(executed.movements.map(({ type }) => type).sort()).toEqual(["bought", "issued"]);
		expect(cluster.street(BUYER).chain.head.ledger.countedTotal).toBeGreaterThan(60);
		expect(newest.index).toBeGreaterThan(older.index);
		expect(await must(storage.newestCheckpoint(older.index))).toBeUndefined();
	});

	it("executes only the blocks above, and stands where a node stands that executed everything", async () => {
		const loaded = await load(storage);
		expect(loaded.begins).toBe(newest.index + 1);
		expect(loaded.damaged).toEqual([]);
		expect(loaded.standing).toEqual(executed);
		const none = withChange(storage, { newestCheckpoint: async () => ({ ok: true, value: undefined }) });
		const whole = await load(none);
		expect(whole.begins).toBe(0);
		expect(whole.standing).toEqual(executed);
	});

	const withNewest = (change: Partial<StoredCheckpoint>) =>
		withChange(storage, {
			newestCheckpoint: async (below) =>
				below === undefined ? { ok: true, value: { ...newest, ...change } } : storage.newestCheckpoint(below),
		});
	const withChunk = (change: (record: Uint8Array) => Uint8Array | undefined) =>
		withChange(storage, {
			checkpointChunk: async (index, number) => {
				const chunk = await storage.checkpointChunk(index, number);
				if (!chunk.ok || chunk.value === undefined || index !== newest.index) return chunk;
				return { ok: true, value: change(chunk.value) };
			},
		});

	it.each<[string, () => ChainStorage]>([
		["its block", () => withNewest({ block: hurt(newest.block) })],
		["its certificate", () => withNewest({ certificate: hurt(newest.certificate) })],
		["its manifest", () => withNewest({ manifest: hurt(newest.manifest) })],
		["a chunk", () => withChunk(hurt)],
		["a chunk that is missing", () => withChunk(() => undefined)],
		// With checksums that are right.
		["the manifest of another state", () => withNewest({ manifest: older.manifest })],
		["the block of another checkpoint", () => withNewest({ block: older.block })],
		["the certificate of a block below", () => withNewest({ certificate: older.certificate })],
	])("falls back to the checkpoint before where the newest is damaged: %s", async (_, found) => {
		const loaded = await load(found());
		expect(loaded.damaged).toEqual(["checkpoints"]);
		expect(loaded.begins).toBe(older.index + 1);
		expect(loaded.standing).toEqual(executed);
		expect(loaded.votes.suspended).toBeUndefined();
	});

	it("falls back where manifest and chunks fit one another, but not the block's state root", async () => {
		const record = await must(storage.checkpointChunk(newest.index, 0));
		const content = openRecord(record ?? new Uint8Array());
		const manifest = openRecord(newest.manifest);
		if (!content.ok || !manifest.ok) throw new Error("records are whole");
		const leaves = joinChunks([content.value], manifest.value);
		if (!leaves.ok) throw new Error(leaves.error.code);
		const forged = leaves.value.with(0, new Uint8Array(32));
		const [chunk = new Uint8Array()] = chunkLeaves(forged);
		const found = withChange(withNewest({ manifest: sealRecord(manifestOf(forged)) }), {
			checkpointChunk: async (index, number) =>
				index === newest.index
					? { ok: true, value: number === 0 ? sealRecord(chunk) : undefined }
					: storage.checkpointChunk(index, number),
		});
		const loaded = await load(found);
		expect(loaded.damaged).toEqual(["checkpoints"]);
		expect(loaded.begins).toBe(older.index + 1);
		expect(loaded.standing).toEqual(executed);
	});

	it("falls back to genesis where both are damaged", async () => {
		const loaded = await load(withChange(storage, { checkpointChunk: async () => ({ ok: true, value: undefined }) }));
		expect(loaded.damaged).toEqual(["checkpoints", "checkpoints"]);
		expect(loaded.begins).toBe(0);
		expect(loaded.standing).toEqual(executed);
	});

	it("says that a day or the statement is damaged, and goes on without it", async () => {
		const days = await must(storage.readDays(0));
		expect(days).toHaveLength(2);
		const { balances, ...rest } = executed;
		const withoutDay = await load(
			withChange(storage, {
				readDays: async () => ({ ok: true, value: days.map((day) => ({ ...day, record: hurt(day.record) })) }),
			}),
		);
		expect(withoutDay.damaged).toEqual(["days"]);
		expect(withoutDay.standing).toMatchObject({ balances, hash: rest.hash, movements: rest.movements });
		const withoutStatement = await load(withNewest({ derived: hurt(newest.derived ?? new Uint8Array(9)) }));
		expect(withoutStatement.damaged).toEqual(["statement"]);
		expect(withoutStatement.standing).toMatchObject({ balances, hash: rest.hash, series: rest.series });
	});

	it("needs no block below the older checkpoint; a real node starts so, and goes on with the others", async () => {
		cluster.off(BUYER);
		// Whoever opens it last may write.
		const pruning = await chainOf(cluster, BUYER);
		await must(pruning.write({ prune: { belowIndex: older.index, keepBlocks: [] } }));
		await cluster.on(BUYER);
		expect(cluster.house(BUYER).faults).toEqual([]);
		expect(standing(cluster.street(BUYER))).toEqual(executed);
		expect(cluster.view(BUYER).chain.notVoting).toBeUndefined();

		cluster.off(BUYER);
		const chunks: NonNullable<ChainChange["checkpoint"]>["chunks"] = [
			{ number: 0, record: hurt((await must(storage.checkpointChunk(newest.index, 0))) ?? new Uint8Array(9)) },
		];
		const damaging = await chainOf(cluster, BUYER);
		await must(damaging.write({ checkpoint: { ...newest, chunks } }));
		await cluster.on(BUYER);
		expect(cluster.house(BUYER).faults).toEqual(["record-damaged"]);
		expect(cluster.view(BUYER).refusals).toMatchObject({ "record-damaged:checkpoints": 1 });
		expect(standing(cluster.street(BUYER))).toEqual(executed);
		await cluster.settle();
		const height = cluster.height(BUYER);
		await cluster.until(() => cluster.height(BUYER) > height + 20, "it goes on");
		// By then there is another checkpoint, and it is whole.
		cluster.off(BUYER);
		await cluster.on(BUYER);
		expect(cluster.house(BUYER).faults).toEqual(["record-damaged"]);
		expect((await must(storage.newestCheckpoint()))?.index).toBeGreaterThan(newest.index);
	}, 60_000);
});
