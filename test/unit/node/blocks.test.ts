import { describe, expect, it } from "vitest";
import { type ProposerView, planProposal } from "../../../src/node/proposer.js";
import { type Cluster, FIRST_MINUTE, foundedStreet } from "../../support/cluster.js";

const MINUTE_MS = 60_000;
const boundary = (minute: number) => (FIRST_MINUTE + minute) * MINUTE_MS;
const lastBlock = (cluster: Cluster) => cluster.street(0).chain.head.block;

/** Goes to a time of the chain's clock, ms after the first minute's beginning. */
async function moveTo(cluster: Cluster, ms: number): Promise<void> {
	const toGoMs = () => boundary(0) + ms - cluster.chainMs;
	while (toGoMs() > 0) await cluster.step(toGoMs() > 70_000 ? 1_000 : Math.min(100, toGoMs()));
}

describe("the blocks of a street", () => {
	it("a minute's block comes 5 s after the minute, with its readings, and an empty one if there are none", async () => {
		const cluster = await foundedStreet(3);
		await moveTo(cluster, MINUTE_MS);
		for (const at of [0, 1, 2]) await cluster.read(at, FIRST_MINUTE, at + 1);
		const { index } = lastBlock(cluster);
		await moveTo(cluster, MINUTE_MS + 4_900);
		expect(lastBlock(cluster).index).toBe(index);
		await moveTo(cluster, MINUTE_MS + 5_300);
		expect(lastBlock(cluster).index).toBe(index + 1);
		expect(lastBlock(cluster).transactions).toHaveLength(3);
		expect(lastBlock(cluster).timestampMs).toBeGreaterThanOrEqual(boundary(1));
		await moveTo(cluster, 2 * MINUTE_MS + 5_300);
		expect(lastBlock(cluster)).toMatchObject({ index: index + 2, transactions: [] });
	});

	it("an act is confirmed within a second", async () => {
		const cluster = await foundedStreet(3);
		await moveTo(cluster, 30_000);
		const fromMs = cluster.monotonicMs;
		await cluster.act(2, { type: "buy", amountMicroNok: 1 });
		expect(cluster.monotonicMs - fromMs).toBeLessThanOrEqual(1_000);
		expect(lastBlock(cluster).timestampMs).toBeLessThanOrEqual(cluster.chainMs);
	});

	it("several acts between the minute's end and its block do not take the place of the minute's block", async () => {
		const cluster = await foundedStreet(3);
		await moveTo(cluster, MINUTE_MS + 500);
		for (const at of [0, 1, 2]) await cluster.act(at, { type: "buy", amountMicroNok: 1 });
		expect(lastBlock(cluster).timestampMs).toBeLessThan(boundary(1));
		for (const at of [0, 1, 2]) await cluster.read(at, FIRST_MINUTE, 5);
		await moveTo(cluster, MINUTE_MS + 5_300);
		expect(lastBlock(cluster).transactions.map(({ kind }) => kind)).toEqual(["reading", "reading", "reading"]);
		expect(lastBlock(cluster).timestampMs).toBeGreaterThanOrEqual(boundary(1));
	});

	it("a backlog is drained at once, oldest first, by blocks that do not count", async () => {
		const cluster = await foundedStreet(3, { settings: { maxBlockBytes: 4_000 } });
		await moveTo(cluster, 100 * MINUTE_MS + 10_000);
		const { index, timestampMs } = lastBlock(cluster);
		for (let minute = 0; minute < 100; minute++) await cluster.read(1, FIRST_MINUTE + minute, 1);
		await moveTo(cluster, 100 * MINUTE_MS + 13_000);
		const { ledger } = cluster.street(0).chain.head;
		expect(ledger.households[1]?.importWh).toBeGreaterThan(80);
		const head = lastBlock(cluster);
		expect(head.index).toBeGreaterThan(index + 2);
		// Parent + 1 ms: none of them is another minute.
		expect(Math.floor(head.timestampMs / MINUTE_MS)).toBe(Math.floor(timestampMs / MINUTE_MS));
		await moveTo(cluster, 101 * MINUTE_MS + 6_000);
		expect(cluster.street(0).chain.head.ledger.households[1]?.importWh).toBe(100);
	});

	it("after a standstill the first block carries the clock, and the minutes that were missed are not made up", async () => {
		const cluster = await foundedStreet(3);
		for (const at of [0, 1, 2]) cluster.off(at);
		cluster.chainMs += 3_600_000;
		cluster.monotonicMs += 3_600_000;
		for (const at of [0, 1, 2]) await cluster.on(at);
		const { index } = lastBlock(cluster);
		await cluster.settle();
		expect(lastBlock(cluster).index).toBeLessThanOrEqual(index + 2);
		expect(lastBlock(cluster).timestampMs).toBeGreaterThan(boundary(60));
	});
});

describe("the next proposal", () => {
	const plan = (chainMs: number, lastMs: number, waiting: { acts: number; readings: number }, term = 1) =>
		planProposal({
			parameters: { blockIntervalMs: MINUTE_MS },
			chainMs: boundary(0) + chainMs,
			readingDelayMs: 5_000,
			last: { timestampMs: boundary(0) + lastMs, term: 1 },
			term,
			waiting: () => waiting,
		} satisfies ProposerView);
	const stamp = (proposal: ReturnType<typeof plan>) =>
		proposal === undefined ? undefined : proposal.timestampMs - boundary(0);
	const NOTHING = { acts: 0, readings: 0 };
	const ACT = { acts: 1, readings: 0 };

	it("is none while nothing waits and no minute is due", () => {
		expect(plan(30_000, 6_000, NOTHING)).toBeUndefined();
		expect(plan(64_999, 6_000, NOTHING)).toBeUndefined();
		expect(stamp(plan(65_000, 6_000, NOTHING))).toBe(65_000);
	});

	it("with acts is stamped with the clock, and before the boundary while the minute's block is awaited", () => {
		expect(stamp(plan(30_000, 6_000, ACT))).toBe(30_000);
		expect(stamp(plan(61_000, 6_000, ACT))).toBe(59_000);
		// A second, a third one: each 1 ms later, with room before the boundary.
		expect(stamp(plan(61_000, 59_000, ACT))).toBe(59_001);
		expect(stamp(plan(64_999, 59_998, ACT))).toBe(59_999);
	});

	it("waits for the minute's block where the only time left is the minute's own", () => {
		expect(plan(61_000, 59_999, ACT)).toBeUndefined();
		expect(plan(61_000, 59_999, { acts: 0, readings: 500 })).toBeUndefined();
		expect(stamp(plan(65_000, 59_999, ACT))).toBe(65_000);
	});

	it("of a backlog is its parent + 1 ms; a few readings wait for the minute", () => {
		expect(stamp(plan(30_000, 6_000, { acts: 0, readings: 20 }))).toBe(6_001);
		expect(plan(30_000, 6_000, { acts: 0, readings: 19 })).toBeUndefined();
	});

	it("of a new leader is an empty block of its term, at once (Raft paper §8)", () => {
		expect(plan(30_000, 6_000, ACT, 2)).toEqual({ timestampMs: boundary(0) + 30_000, empty: true });
		expect(plan(61_000, 6_000, NOTHING, 2)).toEqual({ timestampMs: boundary(0) + 59_000, empty: true });
	});

	it("of a leader whose clock is behind goes on from its parent", () => {
		expect(stamp(plan(1_000, 40_000, ACT))).toBe(40_001);
	});
});
