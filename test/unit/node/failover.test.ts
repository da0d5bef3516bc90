import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/primitives/bytes.js";
import { type Cluster, FIRST_MINUTE, foundedStreet } from "../../support/cluster.js";

/** A block every 5 s: long chains in little time. */
const FAST = {
	readingDelayMs: 500,
	founding: {
		blockIntervalMs: 5_000,
		settlementGraceBlocks: 180,
		readingWindowBlocks: 10_080,
		checkpointBlocks: 1_440,
		timeScale: 1,
	},
};

const heads = (cluster: Cluster) =>
	new Set(cluster.houses.map(({ index }) => toHex(cluster.street(index).chain.head.hash)));
const withoutLeader = (cluster: Cluster, leader: number) => () =>
	cluster.houses.some(({ index, isUp, node }) => index !== leader && isUp && node.street?.raft?.role === "leader");

describe("a street whose leader is switched off", () => {
	it("has a new leader within seconds, and the next block; the old one comes back as a follower", async () => {
		const cluster = await foundedStreet(3);
		const old = cluster.leader();
		cluster.off(old);
		const fromMs = cluster.monotonicMs;
		await cluster.until(withoutLeader(cluster, old), "another leads");
		expect(cluster.monotonicMs - fromMs).toBeLessThan(15_000);
		await cluster.settle();
		const other = cluster.leader();
		expect(cluster.street(other).chain.head.block).toMatchObject({ term: 2, transactions: [] });
		await cluster.read(other, FIRST_MINUTE, 11);
		await cluster.nextMinute();
		await cluster.settle();
		expect(cluster.street(other).chain.head.ledger.households[other]?.importWh).toBe(11);
		await cluster.on(old);
		await cluster.settle();
		expect(cluster.view(old).chain.role).toBe("follower");
		expect(heads(cluster).size).toBe(1);
	});

	it("stands still without a majority of its voters, and goes on when there is one again", async () => {
		const cluster = await foundedStreet(3);
		const leader = cluster.leader();
		const others = cluster.houses.map(({ index }) => index).filter((at) => at !== leader);
		for (const at of others) cluster.off(at);
		const height = cluster.height(leader);
		await cluster.run(120_000, 500);
		expect(cluster.height(leader)).toBe(height);
		expect(cluster.view(leader).chain).toMatchObject({ role: "candidate", votersOnline: 1, voters: 3 });
		await cluster.on(others[0] ?? 0);
		await cluster.until(() => cluster.height(leader) > height, "two of three go on");
	});

	it("that was only cut off does not depose the new leader when it comes back", async () => {
		const cluster = await foundedStreet(5);
		const old = cluster.leader();
		cluster.isolate(old);
		await cluster.until(withoutLeader(cluster, old), "another leads");
		await cluster.until(() => cluster.street(old).raft?.role !== "leader", "the old one notices (check-quorum)");
		await cluster.run(30_000, 500);
		const term = Math.max(...cluster.houses.map(({ index }) => cluster.street(index).raft?.term ?? 0));
		cluster.mend();
		await cluster.settle();
		await cluster.run(10_000);
		expect(cluster.street(cluster.leader()).raft?.term).toBe(term);
		expect(heads(cluster).size).toBe(1);
	});

	it("hands a frozen leader's place on: it is a follower before it looks at anything that waited for it", async () => {
		const cluster = await foundedStreet(3);
		const leader = cluster.leader();
		const { street } = cluster.house(leader).node;
		cluster.monotonicMs += 600_000;
		cluster.chainMs += 600_000;
		// The first thing that it handles is a frame, not its timer.
		await cluster.say((leader + 1) % 3, leader, { type: "genesisRequest" });
		expect(street?.raft?.role).toBe("follower");
		await cluster.settle();
		expect(heads(cluster).size).toBe(1);
	});

	it("loses no act and makes none twice while leaders come and go", async () => {
		const cluster = await foundedStreet(3);
		for (let round = 0; round < 4; round++) {
			const leader = cluster.leader();
			const author = (leader + 1) % 3;
			const reply = await cluster.command(author, { type: "buy", amountMicroNok: 100 + round });
			expect(reply.ok).toBe(true);
			cluster.off(leader);
			await cluster.until(() => cluster.street(author).outbox.size === 0, "it is confirmed without the leader");
			await cluster.on(leader);
			await cluster.settle();
		}
		const orders = [...cluster.street(0).chain.head.ledger.orders.values()].map(({ amountMicroNok }) => amountMicroNok);
		expect(orders.sort()).toEqual([100, 101, 102, 103]);
	});
});

describe("a node that was away", () => {
	it("for more than 64 blocks fetches them in certified runs, and takes part again", async () => {
		const cluster = await foundedStreet(3, { settings: FAST });
		const away = (cluster.leader() + 1) % 3;
		cluster.off(away);
		await cluster.run(160 * 5_000, 1_000);
		const height = cluster.height(cluster.leader());
		expect(height).toBeGreaterThan(150);
		await cluster.on(away);
		await cluster.until(() => cluster.view(away).chain.sync !== undefined, "it says that it is behind");
		await cluster.settle();
		expect(cluster.height(away)).toBeGreaterThanOrEqual(height);
		// It counts again: with it and one other there is a majority.
		const other = cluster.houses.map(({ index }) => index).find((at) => at !== away && at !== cluster.leader()) ?? 0;
		cluster.off(other);
		const before = cluster.height(away);
		await cluster.until(() => cluster.height(away) > before, "two of three go on");
	});
});

describe("a twin device: the same profile in two browsers", () => {
	it("is noticed by both, which stop voting and say why; the street goes on with the others", async () => {
		const cluster = await foundedStreet(4);
		const original = (cluster.leader() + 1) % 4;
		const { storage } = cluster.house(original);
		cluster.off(original);
		const copy = await storage.copy();
		await cluster.on(original);
		await cluster.settle();
		await cluster.add(copy);
		const twin = cluster.houses.length - 1;
		const notVoting = (at: number) => cluster.view(at).chain.notVoting;
		await cluster.until(() => notVoting(original) !== undefined && notVoting(twin) !== undefined, "both have noticed");
		expect([notVoting(original), notVoting(twin)]).toEqual(["twin-device", "twin-device"]);
		expect(cluster.house(twin).faults).toContain("twin-device");
		cluster.off(twin);
		const height = cluster.height(cluster.leader());
		await cluster.until(() => cluster.height(cluster.leader()) > height, "the street goes on");
		// It stays so after a restart: only the operator can admit the device anew.
		cluster.off(original);
		await cluster.on(original);
		expect(notVoting(original)).toBe("twin-device");
	});
});
