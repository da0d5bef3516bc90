import { describe, expect, it } from "vitest";
import { encodeBlock } from "../../../src/block/block.js";
import type { LocalTimeRule } from "../../../src/primitives/localTime.js";
import { Cluster, enterLobby, foundedStreet, names, openLobby } from "../../support/cluster.js";

const lobbyOf = (cluster: Cluster, at: number) => {
	const view = cluster.house(at).node.view();
	if (view.stage !== "lobby") throw new Error(`house ${at} is in stage ${view.stage}`);
	return view;
};

describe("founding", () => {
	it("gathers neighbours by name in a lobby, and writes one genesis with all of them, signed for real", async () => {
		const cluster = new Cluster({ realSignatures: true });
		for (let at = 0; at < 3; at++) await cluster.add();
		expect(cluster.house(0).node.view()).toEqual({ stage: "welcome" });
		const link = await openLobby(cluster);
		expect(lobbyOf(cluster, 0)).toMatchObject({ founder: true, founderReached: true, members: [{ name: "Hansen" }] });
		await enterLobby(cluster, 1, link);
		expect(lobbyOf(cluster, 1)).toMatchObject({ founder: false, founderReached: false });
		await enterLobby(cluster, 2, link, false);
		await cluster.until(() => [1, 2].every((at) => lobbyOf(cluster, at).members.length === 3), "everybody is seen");
		expect(lobbyOf(cluster, 1)).toMatchObject({ neighbourhood: "Solbakken", founderReached: true });
		expect(
			lobbyOf(cluster, 2)
				.members.map(({ name }) => name)
				.sort(),
		).toEqual(["Berg", "Hansen", "Olsen"]);

		expect(await cluster.outcome(1, { type: "start" })).toBe("not-founder");
		expect(await cluster.outcome(0, { type: "start" })).toBe("ok");
		await cluster.settle();
		const { ledger } = cluster.street(2).chain.head;
		expect(ledger.households.map(({ name }) => name).sort()).toEqual(["Berg", "Hansen", "Olsen"]);
		// Two devices that are always on: one voter is safer than two.
		expect(ledger.voters).toEqual([0]);
		expect(cluster.view(0).operator).toBeDefined();
		expect(cluster.view(1).operator).toBeUndefined();
		expect(cluster.houses.flatMap(({ faults }) => faults)).toEqual([]);
	});

	it("makes voters of three devices that are always on, and the new leader's empty block is the first", async () => {
		const cluster = await foundedStreet(3);
		expect(cluster.street(0).chain.head.ledger.voters).toEqual([0, 1, 2]);
		expect(cluster.street(1).chain.head.block).toMatchObject({ index: 1, term: 1, transactions: [] });
		expect(cluster.view(0).chain).toMatchObject({ voters: 3, votersOnline: 3, neighboursOnline: 2 });
	});

	it("closes no channel on the way from the quiet lobby to the street", async () => {
		const cluster = new Cluster();
		for (let at = 0; at < 3; at++) await cluster.add();
		const link = await openLobby(cluster);
		for (const at of [1, 2]) await enterLobby(cluster, at, link);
		await cluster.run(20_000, 500);
		// The founder's timer comes before any guest has answered.
		cluster.ask(0, { type: "start" });
		await cluster.step();
		await cluster.settle();
		expect(cluster.houses.flatMap(({ closed }) => closed)).toEqual([]);
	});

	it("that cannot be written is told to nobody: there is one genesis, or none", async () => {
		const cluster = new Cluster();
		for (let at = 0; at < 2; at++) await cluster.add();
		await enterLobby(cluster, 1, await openLobby(cluster));
		await cluster.until(() => lobbyOf(cluster, 0).members.length === 2, "both are in the lobby");
		cluster.house(0).storage.isFull = true;
		expect(await cluster.outcome(0, { type: "start" })).toBe("storage-write-failed");
		await cluster.run(5_000);
		expect(cluster.houses.map(({ node }) => node.view().stage)).toEqual(["lobby", "lobby"]);
		cluster.house(0).storage.isFull = false;
		expect(await cluster.outcome(0, { type: "start" })).toBe("ok");
		await cluster.settle();
	});

	it("hands the genesis to a guest that was away at the start and is in it", async () => {
		const cluster = new Cluster();
		for (let at = 0; at < 4; at++) await cluster.add();
		const link = await openLobby(cluster);
		for (const at of [1, 2, 3]) await enterLobby(cluster, at, link);
		await cluster.until(() => lobbyOf(cluster, 0).members.length === 4, "everybody is in the lobby");
		// Cut off before the founder hears that it is gone.
		cluster.isolate(3);
		await cluster.command(0, { type: "start" });
		await cluster.run(10_000);
		expect(lobbyOf(cluster, 3)).toMatchObject({ founder: false });
		cluster.mend();
		await cluster.until(() => cluster.house(3).node.street !== undefined, "the late guest has the genesis");
		await cluster.settle();
		expect(cluster.view(3).self.name).toBe("Dahl");
	});

	it("does not believe a genesis of another founder, one without us, or one that is none", async () => {
		const genesis = async (cluster: Cluster) => {
			for await (const block of cluster.street(0).storedBlocks()) return encodeBlock(block);
			throw new Error("there is a genesis");
		};
		const foreign = await genesis(await foundedStreet(3, { seed: "other" }));
		const cluster = new Cluster();
		for (let at = 0; at < 3; at++) await cluster.add();
		const link = await openLobby(cluster);
		await enterLobby(cluster, 1, link);
		await cluster.until(() => lobbyOf(cluster, 0).members.length === 2, "both are in the lobby");
		await cluster.say(0, 1, { type: "genesis", block: foreign });
		await cluster.say(0, 1, { type: "genesis", block: Uint8Array.of(1, 2, 3) });
		expect(lobbyOf(cluster, 1).members).toHaveLength(2);
		await cluster.command(0, { type: "start" });
		await cluster.until(() => cluster.house(1).node.street !== undefined, "the guest is in the street");
		await enterLobby(cluster, 2, link);
		await cluster.run(2_000);
		expect(lobbyOf(cluster, 2).members).toHaveLength(1);
		expect(cluster.street(1).chain.head.ledger.households).toHaveLength(2);
	});

	it("goes on after every house was switched off and on in the lobby, or in the street", async () => {
		const cluster = new Cluster();
		for (let at = 0; at < 3; at++) await cluster.add();
		const link = await openLobby(cluster);
		for (const at of [1, 2]) await enterLobby(cluster, at, link);
		await cluster.run(1_000);
		for (const at of [0, 1, 2]) {
			cluster.off(at);
			await cluster.on(at);
		}
		await cluster.until(() => lobbyOf(cluster, 0).members.length === 3, "everybody is back in the lobby");
		await cluster.command(0, { type: "start" });
		await cluster.settle();
		const height = cluster.height(0);
		for (const at of [0, 1, 2]) cluster.off(at);
		for (const at of [0, 1, 2]) await cluster.on(at);
		await cluster.settle();
		expect(cluster.height(0)).toBeGreaterThan(height);
		expect(
			cluster
				.view(1)
				.members.map(({ name }) => name)
				.sort(),
		).toEqual(names.slice(0, 3).sort());
	});

	it("asks for names and prices that a chain can hold, and founds nothing twice", async () => {
		const cluster = new Cluster();
		await cluster.add();
		const neighbourhood = {
			name: "Solbakken",
			moneyKind: "trial" as const,
			retailMicroNokPerWh: 2_000,
			feedInMicroNokPerWh: 400,
			localFeeMicroNokPerWh: 0,
		};
		const open = {
			type: "openLobby" as const,
			neighbourhood,
			householdName: "Hansen",
			alwaysOn: true,
			signalingUrls: [],
		};
		expect(await cluster.outcome(0, { ...open, householdName: "" })).toBe("bad-name");
		const dear = { ...neighbourhood, retailMicroNokPerWh: -1 };
		expect(await cluster.outcome(0, { ...open, neighbourhood: dear })).toBe("bad-tariff");
		const moon = { ...neighbourhood, localTime: { offsetMinutes: 900, summerTime: false } };
		expect(await cluster.outcome(0, { ...open, neighbourhood: moon })).toBe("bad-local-time");
		expect(await cluster.outcome(0, open)).toBe("ok");
		expect(await cluster.outcome(0, open)).toBe("already-in-a-neighbourhood");
		expect(await cluster.outcome(0, { type: "buy", amountMicroNok: 1 })).toBe("not-in-a-neighbourhood");
		expect(await cluster.outcome(0, { type: "abandon" })).toBe("ok");
		expect(await cluster.outcome(0, open)).toBe("ok");
	});

	it("answers whoever asks whether it goes on, before there is anything to go on with", async () => {
		const cluster = new Cluster();
		await cluster.add();
		expect(await cluster.outcome(0, { type: "ping" })).toBe("ok");
	});

	it("writes into the genesis how the clocks go: as the founder says, or as in Norway", async () => {
		const founded = async (localTime?: LocalTimeRule) => {
			const cluster = new Cluster();
			await cluster.add();
			const prices = { retailMicroNokPerWh: 2_000, feedInMicroNokPerWh: 400, localFeeMicroNokPerWh: 0 };
			const settings = { name: "Solbakken", moneyKind: "trial" as const, ...prices };
			const neighbourhood = localTime === undefined ? settings : { ...settings, localTime };
			const home = { householdName: "Hansen", alwaysOn: true, signalingUrls: [] };
			expect(await cluster.outcome(0, { type: "openLobby", neighbourhood, ...home })).toBe("ok");
			// The lobby outlives its page.
			cluster.off(0);
			await cluster.on(0);
			expect(await cluster.outcome(0, { type: "start" })).toBe("ok");
			return cluster.street(0).chain.head.ledger.parameters.terms;
		};
		const lisbon = { offsetMinutes: 0, summerTime: true };
		expect(await founded(lisbon)).toEqual({ localTime: lisbon, market: undefined });
		expect(await founded()).toEqual({ localTime: { offsetMinutes: 60, summerTime: true }, market: undefined });
	});
});
