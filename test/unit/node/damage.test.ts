import { describe, expect, it } from "vitest";
import { encodeVotes } from "../../../src/node/records.js";
import type { ChainChange, ChainStorage } from "../../../src/node/storage.js";
import { type Cluster, foundedStreet } from "../../support/cluster.js";
import { tamperMessages } from "../../support/wrongNeighbour.js";

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

/** A street of some blocks, one of whose followers is off and finds something else in its database. */
async function damaged(
	change: (chain: ChainStorage, hurt: (record: Uint8Array) => Uint8Array) => Promise<ChainChange>,
) {
	const cluster = await foundedStreet(3, { settings: FAST });
	const victim = (cluster.leader() + 1) % 3;
	await cluster.run(100_000, 500);
	cluster.off(victim);
	const { storage, node } = cluster.house(victim);
	const name = [...storage.names][0] ?? "";
	const opened = await storage.openChain(name);
	if (!opened.ok || node.street === undefined) throw new Error("the chain opens");
	const hurt = (record: Uint8Array) => record.map((byte, at) => (at === record.length - 1 ? byte ^ 1 : byte));
	await opened.value.write(await change(opened.value, hurt));
	await cluster.on(victim);
	return { cluster, victim };
}

const blockAt = async (chain: ChainStorage, index: number) => {
	const run = await chain.readBlocks(index, 1);
	if (!run.ok || run.value[0] === undefined) throw new Error(`block ${index} is there`);
	return run.value[0].record;
};

/** A block, written over with one wrong bit. */
const hurtBlock = (index: number) =>
	damaged(async (chain, hurt) => ({
		install: {
			blocks: [{ index, record: hurt(await blockAt(chain, index)) }],
			upToIndex: index,
			certificate: undefined,
		},
	}));

async function goesOnWith(cluster: Cluster, victim: number): Promise<void> {
	await cluster.settle();
	const others = cluster.houses.map(({ index }) => index).filter((at) => at !== victim && at !== cluster.leader());
	const [third] = others;
	// A majority needs it now, if it is not the leader itself.
	if (third !== undefined) cluster.off(third);
	const height = cluster.height(victim);
	await cluster.until(() => cluster.height(victim) > height, "two of three go on");
}

describe("a database record that was damaged", () => {
	it("in the middle of the chain: is said by code, counted, and fetched again; the voter votes again", async () => {
		const { cluster, victim } = await hurtBlock(7);
		expect(cluster.house(victim).faults).toEqual(["record-damaged"]);
		expect(cluster.view(victim).refusals).toMatchObject({ "record-damaged:blockchain": 1 });
		expect(cluster.view(victim).faults).toMatchObject([
			{ fault: { code: "record-damaged", store: "blockchain" }, count: 1 },
		]);
		expect(cluster.height(victim)).toBe(6);
		expect(cluster.view(victim).chain.notVoting).toBe("log-damaged");
		await cluster.settle();
		expect(cluster.view(victim).chain.notVoting).toBeUndefined();
		await goesOnWith(cluster, victim);
		// What was fetched again is whole.
		cluster.off(victim);
		await cluster.on(victim);
		expect(cluster.house(victim).faults).toHaveLength(1);
		expect(await cluster.outcome(victim, { type: "forgetFault", code: "record-damaged" })).toBe("ok");
		expect(cluster.view(victim).faults).toEqual([]);
	});

	it("at the end, acknowledged and certified for others only: stays said over restarts, until it is here again", async () => {
		const cluster = await foundedStreet(3);
		const leader = cluster.leader();
		const [victim = 0, other = 0] = [0, 1, 2].filter((at) => at !== leader);
		tamperMessages(cluster, (message, _from, to) => {
			const isNews = to === victim && (message.type === "status" || message.type === "blocks");
			if (isNews) return undefined;
			return message.type === "appendEntries" && to === victim ? { ...message, certificate: undefined } : message;
		});
		expect(await cluster.outcome(leader, { type: "buy", amountMicroNok: 1 })).toBe("ok");
		await cluster.until(() => cluster.street(victim).raft?.tail.length === 1, "the block is acknowledged");
		const signed = cluster.street(victim).raft?.lastSigned;
		if (signed === undefined) throw new Error("it is signed");
		for (const at of [victim, leader, other]) cluster.off(at);
		cluster.tamper = undefined;
		const { storage } = cluster.house(victim);
		const opened = await storage.openChain([...storage.names][0] ?? "");
		if (!opened.ok) throw new Error("the chain opens");
		await opened.value.write({ append: { index: signed.index, record: Uint8Array.of(1) } });
		for (let start = 1; start <= 2; start++) {
			await cluster.on(victim);
			expect(cluster.view(victim).chain.notVoting).toBe("log-damaged");
			cluster.off(victim);
		}
		expect(cluster.house(victim).faults).toEqual(["record-damaged"]);
		// Of the two that are here it alone lacks the block: it gets it by the leader's message, and votes again.
		await cluster.on(victim);
		await cluster.on(leader);
		await cluster.until(() => cluster.height(victim) > signed.index, "the street goes on");
		expect(cluster.view(victim).chain.notVoting).toBeUndefined();
	});

	it("of the genesis: a neighbour hands it over again", async () => {
		const { cluster, victim } = await hurtBlock(0);
		expect(cluster.house(victim).node.view().stage).toBe("joining");
		await cluster.until(() => cluster.house(victim).node.street !== undefined, "the genesis is here");
		await goesOnWith(cluster, victim);
	});

	it("of the votes: who forgot its votes follows and does not vote", async () => {
		const { cluster, victim } = await damaged(async (_chain, hurt) => ({
			votes: hurt(encodeVotes({ term: 1, votedFor: 1, lastSigned: undefined, suspended: undefined })),
		}));
		await cluster.settle();
		expect(cluster.view(victim).chain.notVoting).toBe("votes-damaged");
		const height = cluster.height(victim);
		await cluster.until(() => cluster.height(victim) > height + 1, "it follows the others");
		expect(cluster.view(victim).chain.notVoting).toBe("votes-damaged");
	});

	it("of the outbox: the others in it are handed in all the same", async () => {
		const { cluster, victim } = await damaged(async () => ({
			outboxPut: [{ id: "00", transaction: Uint8Array.of(1, 2, 3) }],
		}));
		expect(cluster.view(victim).refusals).toMatchObject({ "record-damaged:outbox": 1 });
		expect(cluster.view(victim).chain).toMatchObject({ pending: 0 });
		await goesOnWith(cluster, victim);
		cluster.off(victim);
		await cluster.on(victim);
		expect(cluster.house(victim).faults).toEqual(["record-damaged"]);
	});

	it("of the neighbours' newest starts: they are heard of anew, and kept again", async () => {
		const { cluster, victim } = await damaged(async () => ({ boots: Uint8Array.of(1, 2, 3) }));
		expect(cluster.view(victim).refusals).toMatchObject({ "record-damaged:boots": 1 });
		expect(cluster.view(victim).chain.notVoting).toBeUndefined();
		await goesOnWith(cluster, victim);
		cluster.off(victim);
		await cluster.on(victim);
		expect(cluster.house(victim).faults).toEqual(["record-damaged"]);
	});

	it("of households' bank accounts: they are stated, and heard of, anew", async () => {
		const { cluster, victim } = await damaged(async () => ({ accounts: Uint8Array.of(1, 2, 3) }));
		expect(cluster.view(victim).refusals).toMatchObject({ "record-damaged:accounts": 1 });
		expect(cluster.view(victim).chain.notVoting).toBeUndefined();
		await goesOnWith(cluster, victim);
	});

	it("of the newest certificate: nothing is lost with it", async () => {
		const { cluster, victim } = await damaged(async (chain, hurt) => {
			const loaded = await chain.load();
			if (!loaded.ok || loaded.value.certificate === undefined) throw new Error("a certificate");
			const head = await chain.readBlocks(0, 1_000);
			const upToIndex = head.ok ? head.value.length - 1 : 0;
			return { install: { blocks: [], upToIndex, certificate: hurt(loaded.value.certificate) } };
		});
		expect(cluster.view(victim).refusals).toMatchObject({ "record-damaged:certificates": 1 });
		expect(cluster.view(victim).chain.notVoting).toBeUndefined();
		await goesOnWith(cluster, victim);
	});

	it("of the settings, with the keys: nothing is begun over them before a person gives them up", async () => {
		const { cluster, victim } = await damaged(async () => ({ config: Uint8Array.of(1) }));
		expect(cluster.house(victim).node.view()).toEqual({ stage: "welcome", damaged: "record-damaged" });
		expect(cluster.house(victim).faults).toEqual(["record-damaged"]);
		const neighbourhood = {
			name: "New",
			moneyKind: "trial" as const,
			retailMicroNokPerWh: 1,
			feedInMicroNokPerWh: 1,
			localFeeMicroNokPerWh: 0,
		};
		const open = { type: "openLobby" as const, neighbourhood, householdName: "Lie", alwaysOn: true, signalingUrls: [] };
		expect(await cluster.outcome(victim, open)).toBe("record-damaged");
		expect(await cluster.outcome(victim, { type: "abandon" })).toBe("ok");
		expect(cluster.house(victim).node.view()).toEqual({ stage: "welcome" });
		expect(await cluster.outcome(victim, open)).toBe("ok");
	});

	it("of the profile says so as well", async () => {
		const cluster = await foundedStreet(1);
		cluster.off(0);
		await cluster.house(0).storage.saveProfile(Uint8Array.of(9));
		await cluster.on(0);
		expect(cluster.house(0).faults).toEqual(["profile-damaged"]);
		expect(cluster.house(0).node.view()).toEqual({ stage: "welcome", damaged: "profile-damaged" });
	});
});
