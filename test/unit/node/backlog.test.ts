import { describe, expect, it } from "vitest";
import type { Reading } from "../../../src/block/reading.js";
import { OFFERED_READINGS } from "../../../src/node/outbox.js";
import { MS_PER_MINUTE } from "../../../src/primitives/units.js";
import { type Cluster, FIRST_MINUTE, foundedStreet } from "../../support/cluster.js";

const MINUTES = 450;
const MEETING = [0, 1];
const AWAY = [2, 3, 4];
/** Some readings take so many bytes; nothing else does while nobody leads. */
const READINGS_BYTES = 2_000;

function readingsOf(from: number, until: number): Reading[] {
	return Array.from(
		{ length: until - from },
		(_, at): Reading => ({ minute: FIRST_MINUTE + from + at, importWh: 1, exportWh: 0, quality: "measured" }),
	);
}

/** Two of five reach one another; the first one's meter goes on for hours. */
async function leaderless(): Promise<Cluster> {
	const cluster = await foundedStreet(5);
	for (const at of AWAY) cluster.isolate(at);
	await cluster.run(30_000);
	cluster.chainMs += MINUTES * MS_PER_MINUTE;
	await cluster.input(0, { type: "readings", readings: readingsOf(0, MINUTES) });
	await cluster.run(1_000);
	return cluster;
}

/** Frames with readings that pass meanwhile. */
async function framesWithReadings(cluster: Cluster, forMs: number): Promise<number> {
	let frames = 0;
	cluster.tamper = (_from, _to, frame) => {
		if (frame.length > READINGS_BYTES) frames += 1;
		return frame;
	};
	await cluster.run(forMs);
	cluster.tamper = undefined;
	return frames;
}

describe("hours of readings that nobody can agree on", () => {
	it("wait where they were metered: neighbours hold the oldest of them, and are told them once", async () => {
		const cluster = await leaderless();
		expect(cluster.street(0).outbox.readings).toBe(MINUTES);
		for (const at of MEETING) expect(cluster.street(at).mempool.size).toBe(OFFERED_READINGS);
		expect(await framesWithReadings(cluster, 60_000)).toBe(0);
		expect(cluster.view(0).chain).toMatchObject({ waitingMinutes: MINUTES, votersOnline: 2 });
	});

	it("go into the chain when a majority is back, the oldest first, in blocks that count for one minute", async () => {
		const cluster = await leaderless();
		const before = cluster.street(0).chain.head;
		cluster.mend();
		await cluster.until(() => cluster.street(0).outbox.size === 0, "all are confirmed");
		await cluster.settle();
		const { block, ledger } = cluster.street(1).chain.head;
		expect(ledger.households[cluster.street(0).member ?? -1]?.seen).toEqual([[FIRST_MINUTE, FIRST_MINUTE + MINUTES]]);
		expect(ledger.countedTotal - before.ledger.countedTotal).toBeLessThanOrEqual(2);
		expect(block.index - before.block.index).toBeGreaterThan(MINUTES / OFFERED_READINGS);
		const minutes: number[] = [];
		for await (const { transactions } of cluster.street(1).storedBlocks()) {
			for (const each of transactions) if (each.kind === "reading") minutes.push(each.minute);
		}
		expect(minutes).toEqual([...minutes].sort((a, b) => a - b));
		expect(minutes.length).toBe(MINUTES);
	});

	it("go on without a pause though some of them were told before, to others than who leads then", async () => {
		const cluster = await foundedStreet(5);
		for (const at of AWAY) cluster.isolate(at);
		await cluster.run(30_000);
		cluster.chainMs += MINUTES * MS_PER_MINUTE;
		// While so few wait, all of them are told.
		for (const [from, until] of [
			[0, 2 * OFFERED_READINGS],
			[2 * OFFERED_READINGS, MINUTES],
		] as const) {
			const readings = readingsOf(from, until);
			await cluster.input(0, { type: "readings", readings });
			await cluster.run(1_000);
		}
		expect(cluster.street(1).mempool.size).toBe(2 * OFFERED_READINGS);
		cluster.mend();
		cluster.cut(MEETING, AWAY);
		await cluster.until(() => AWAY.some((at) => cluster.street(at).raft?.role === "leader"), "one of the others leads");
		cluster.mend();
		await cluster.until(() => cluster.street(0).outbox.readings < MINUTES, "the first readings are confirmed");
		await cluster.until(() => cluster.street(0).outbox.readings === 0, "all are confirmed", 5_000);
	});

	it("do not keep an act waiting", async () => {
		const cluster = await leaderless();
		cluster.ask(1, { type: "buy", amountMicroNok: 7 });
		await cluster.deliver();
		cluster.mend();
		await cluster.until(() => MEETING.every((at) => cluster.street(at).outbox.size === 0), "all are confirmed");
		const kinds: Set<string>[] = [];
		for await (const { transactions } of cluster.street(1).storedBlocks()) {
			kinds.push(new Set(transactions.map(({ kind }) => kind)));
		}
		const withReadings = kinds.findLastIndex((each) => each.has("reading"));
		const withAct = kinds.findIndex((each) => each.has("buy"));
		expect(withAct).toBeGreaterThan(0);
		expect(withAct).toBeLessThan(withReadings);
	});

	it("are all there in the end though whoever leads meanwhile loses its power", async () => {
		const cluster = await leaderless();
		cluster.mend();
		await cluster.until(() => cluster.street(0).outbox.readings < MINUTES, "the first readings are confirmed");
		const leader = cluster.leader();
		cluster.off(leader);
		await cluster.run(1_000);
		await cluster.on(leader);
		await cluster.until(() => cluster.street(0).outbox.size === 0, "all are confirmed");
		expect(cluster.street(0).chain.head.ledger.households[cluster.street(0).member ?? -1]?.importWh).toBe(MINUTES);
	});
});
