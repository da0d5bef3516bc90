import { describe, expect, it } from "vitest";
import { hasMinute } from "../../../src/contract/minuteRanges.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { MS_PER_MINUTE } from "../../../src/primitives/units.js";
import { Cluster, enterLobby, FIRST_MINUTE, foundedStreet, invite, openLobby } from "../../support/cluster.js";
import { tamperMessages } from "../../support/wrongNeighbour.js";

const heads = (cluster: Cluster) =>
	new Set(cluster.houses.map(({ index }) => toHex(cluster.street(index).chain.head.hash)));

/** A minute of life in which a house hands in a reading and orders tokens; it may lose its power at any write. */
async function liveAMinute(cluster: Cluster, victim: number): Promise<{ isSigned: boolean }> {
	await cluster.nextMinute(1_000);
	await cluster.nextMinute(1_000);
	await cluster.read(victim, FIRST_MINUTE, 5);
	const id = cluster.ask(victim, { type: "buy", amountMicroNok: 7 });
	await cluster.deliver();
	await cluster.run(12_000, 200);
	return { isSigned: cluster.reply(id)?.ok === true };
}

describe("a house that loses its power", () => {
	it.each([
		["the leader", true],
		["a follower", false],
	])("at any write, made or not made (%s), restarts with nothing lost and nothing double", async (_who, isLeader) => {
		let crashes = 0;
		for (let atWrite = 1; ; atWrite++) {
			let reached = false;
			for (const isKept of [true, false]) {
				const cluster = await foundedStreet(3);
				const victim = isLeader ? cluster.leader() : (cluster.leader() + 1) % 3;
				const house = cluster.house(victim);
				house.storage.crash = { atWrite: house.storage.writes + atWrite, isKept };
				const { isSigned } = await liveAMinute(cluster, victim);
				house.storage.crash = undefined;
				if (!house.isUp) {
					reached = true;
					crashes += 1;
					await cluster.on(victim);
				}
				// The meter says its minute once more: it counts once.
				await cluster.until(() => cluster.isAtRest() && cluster.street(victim).outbox.size === 0, "all is confirmed");
				await cluster.read(victim, FIRST_MINUTE, 5);
				await cluster.nextMinute();
				await cluster.until(() => cluster.isAtRest() && cluster.street(victim).outbox.size === 0, "all is confirmed");
				const what = `write ${atWrite}, ${isKept ? "made" : "not made"}`;
				const { households, orders } = cluster.street(victim).chain.head.ledger;
				expect([what, households[victim]?.importWh, heads(cluster).size]).toEqual([what, 5, 1]);
				// Signed means that it was written; written may mean that the answer got lost.
				expect(orders.size).toBeLessThanOrEqual(1);
				if (isSigned) expect([what, orders.size]).toEqual([what, 1]);
				expect([what, cluster.houses.flatMap(({ faults }) => faults)]).toEqual([what, []]);
				expect(cluster.view(victim).chain.notVoting).toBeUndefined();
			}
			if (!reached) break;
		}
		expect(crashes).toBeGreaterThanOrEqual(12);
	});

	it.each([
		["the founder", 0],
		["a guest", 1],
	])(
		"at any write of the founding (%s) is in the same neighbourhood as the others in the end",
		async (_who, victim) => {
			for (let atWrite = 1; atWrite <= 8; atWrite++) {
				for (const isKept of [true, false]) {
					const cluster = new Cluster();
					for (let at = 0; at < 3; at++) await cluster.add();
					const house = cluster.house(victim);
					const link = await openLobby(cluster);
					for (const at of [1, 2]) await enterLobby(cluster, at, link);
					await cluster.run(1_000);
					house.storage.crash = { atWrite: house.storage.writes + atWrite, isKept };
					cluster.ask(0, { type: "start" });
					await cluster.run(5_000);
					if (!house.isUp) await cluster.on(victim);
					const stage = () => cluster.house(0).node.view();
					// Whatever was not written before the power went has not been promised to anybody.
					await cluster.until(() => {
						const view = stage();
						return view.stage === "street" || (view.stage === "lobby" && view.members.length === 3);
					}, `after write ${atWrite} the founder goes on`);
					if (stage().stage === "lobby") expect(await cluster.outcome(0, { type: "start" })).toBe("ok");
					await cluster.settle();
					expect(new Set(cluster.houses.map(({ index }) => toHex(cluster.street(index).gridId))).size).toBe(1);
					expect(cluster.street(0).chain.head.ledger.households).toHaveLength(3);
				}
			}
		},
	);
});

describe("a leader whose proposals nobody heard", () => {
	/** It leads term after term and is not heard; then the others go on without it, and it fetches what they have. */
	async function comeBack(crashAtInstall: number | undefined) {
		const cluster = await foundedStreet(5);
		const victim = cluster.leader();
		const house = cluster.house(victim);
		const { chain } = cluster.street(victim);
		const height = cluster.height(victim);
		const others = cluster.houses.map(({ index }) => index).filter((at) => at !== victim);
		tamperMessages(cluster, (message, from) => {
			const isLost = from === victim ? message.type === "appendEntries" : message.type === "preVote";
			return isLost ? undefined : message;
		});
		await cluster.until(() => chain.last.block.index >= height + 3, "it has three blocks of its own", 600_000);
		cluster.tamper = undefined;
		cluster.isolate(victim);
		await cluster.until(() => others.some((at) => cluster.height(at) > height), "the others go on");
		expect(Math.max(...others.map((at) => cluster.height(at)))).toBeLessThan(chain.last.block.index);
		const { writes } = house.storage;
		if (crashAtInstall !== undefined) house.storage.crash = { atWrite: crashAtInstall, isKept: true };
		const { raft } = cluster.street(victim);
		cluster.mend();
		if (crashAtInstall !== undefined) {
			await cluster.until(() => !house.isUp, "its power goes");
			// Also in the middle of the write its log begins where its ledger stands.
			expect(chain.head.block.index).toBeGreaterThan(height);
			expect(raft?.base.index).toBe(chain.head.block.index);
			house.storage.crash = undefined;
			await cluster.on(victim);
		}
		await cluster.settle();
		return { cluster, victim, installs: house.storage.writesOf("install").filter((write) => write > writes) };
	}

	it("may lose its power as it stores theirs: what was its own is not taken for damage, and it votes", async () => {
		const { installs } = await comeBack(undefined);
		expect(installs.length).toBeGreaterThan(0);
		for (const install of installs) {
			const { cluster, victim } = await comeBack(install);
			expect(cluster.house(victim).faults).toEqual([]);
			expect(cluster.view(victim).chain.notVoting).toBeUndefined();
			expect(heads(cluster).size).toBe(1);
		}
	});
});

describe("a disk that takes no more", () => {
	it("ends what this house promises: it says so, leads and acknowledges nothing, and the others go on", async () => {
		const cluster = await foundedStreet(3);
		const victim = cluster.leader();
		const house = cluster.house(victim);
		house.storage.isFull = true;
		expect(await cluster.outcome(victim, { type: "buy", amountMicroNok: 1 })).toBe("storage-write-failed");
		expect(house.faults).toEqual(["storage-write-failed"]);
		expect(cluster.view(victim).chain.notVoting).toBe("storage-write-failed");
		const height = cluster.height(victim);
		const others = cluster.houses.map(({ index }) => index).filter((at) => at !== victim);
		await cluster.until(() => others.every((at) => cluster.height(at) > height), "the others go on");
		expect(await cluster.outcome(victim, { type: "buy", amountMicroNok: 1 })).toBe("storage-write-failed");
		await cluster.until(
			() => !cluster.street(others[0] ?? 0).presence.mayVote(victim),
			"it says that it does not vote",
		);
		expect(cluster.street(victim).presence.mayVote(victim)).toBe(false);
		// With room again and a restart it is as good as new.
		house.storage.isFull = false;
		cluster.off(victim);
		await cluster.on(victim);
		await cluster.settle();
		expect(cluster.view(victim).chain.notVoting).toBeUndefined();
	});

	it("is tried again by itself: nobody has to reload a page, and no minute that was metered meanwhile is lost", async () => {
		const cluster = await foundedStreet(3);
		const victim = cluster.leader();
		const { storage } = cluster.house(victim);
		storage.isFull = true;
		await cluster.nextMinute();
		await cluster.until(() => cluster.street(victim).halted, "a write has failed");
		const minute = Math.floor(cluster.chainMs / MS_PER_MINUTE) - 1;
		await cluster.read(victim, minute, 7);
		await cluster.read(victim, minute + 1, 8);
		// Still full when it is tried for the first time.
		await cluster.run(70_000, 500);
		expect(cluster.street(victim).halted).toBe(true);
		storage.isFull = false;
		await cluster.until(() => cluster.house(victim).node.street?.halted === false, "it goes on");
		await cluster.settle();
		expect(cluster.view(victim).chain.notVoting).toBeUndefined();
		const [other = 0] = cluster.houses.map(({ index }) => index).filter((at) => at !== victim);
		await cluster.until(() => {
			const { seen = [] } = cluster.street(other).chain.head.ledger.households[victim] ?? {};
			return hasMinute(seen, minute) && hasMinute(seen, minute + 1);
		}, "both minutes are in blocks");
	});

	it("is tried again also where it failed as blocks were stored that admit a new voter", {
		timeout: 60_000,
	}, async () => {
		const cluster = await foundedStreet(3);
		// The operator's own device has to admit the newcomer.
		const victim = [1, 2].find((at) => at !== cluster.leader()) ?? 1;
		cluster.off(victim);
		const link = await invite(cluster);
		const newcomer = (await cluster.add()).index;
		const join = { type: "join" as const, link, householdName: "Lie", alwaysOn: true, signalingUrls: [] };
		expect(await cluster.outcome(newcomer, join)).toBe("ok");
		const isVoter = () => {
			const { voters } = cluster.street(cluster.leader()).chain.head.ledger;
			return voters.some((voter) => voter === cluster.house(newcomer).node.street?.device);
		};
		await cluster.until(isVoter, "the newcomer votes", 300_000);
		const { storage } = cluster.house(victim);
		storage.hasNoRoomFor = ({ install }) => install !== undefined;
		await cluster.on(victim);
		await cluster.until(() => cluster.house(victim).node.street?.halted === true, "a write has failed");
		// It goes on hearing the others; one greets it anew.
		const [other = 0] = cluster.houses.map(({ index }) => index).filter((at) => at !== victim && at !== newcomer);
		cluster.off(other);
		await cluster.on(other);
		await cluster.run(30_000, 500);
		storage.hasNoRoomFor = () => false;
		await cluster.until(() => cluster.house(victim).node.street?.halted === false, "it goes on");
		await cluster.settle();
		expect(heads(cluster).size).toBe(1);
	});

	it("stays out where another tab took the database: that one has what it needs to go on", async () => {
		const cluster = await foundedStreet(3);
		const victim = cluster.leader();
		cluster.house(victim).storage.isTaken = true;
		await cluster.until(() => cluster.street(victim).halted, "a write has failed");
		expect(cluster.house(victim).faults).toEqual(["storage-taken-over"]);
		await cluster.run(130_000, 1_000);
		expect(cluster.street(victim).halted).toBe(true);
	});

	it("from the very beginning begins nothing", async () => {
		const cluster = new Cluster();
		const house = await cluster.add();
		house.storage.isFull = true;
		await expect(openLobby(cluster)).rejects.toThrow("a lobby opens");
		expect(house.node.view().stage).toBe("welcome");
	});
});
