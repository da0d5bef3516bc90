import { beforeAll, describe, expect, it } from "vitest";
import { confirm, gridOf, ledgerOf, propose, stateAt } from "../../support/brokenStreet.js";
import { type Cluster, foundedStreet, invite } from "../../support/cluster.js";

/** A lobby holds 30; five of them vote. The rest comes by invitation. */
const FOUNDERS = 30;
const VOTERS = 5;
const ALL = 40;
const STEP_MS = 200;

let cluster: Cluster;

const houses = () => cluster.houses.map(({ index }) => index);
const isVoter = (at: number) => {
	const { device, chain } = cluster.street(at);
	return device !== undefined && chain.head.ledger.voters.includes(device);
};
const voters = () => houses().filter(isVoter);
const observers = () => houses().filter((at) => !isVoter(at));
const channelsOf = (at: number) => cluster.channelsOf(at);
const observersOf = (voter: number) => observers().filter((at) => cluster.areConnected(at, voter));

async function join(at: number): Promise<void> {
	await cluster.add();
	const link = await invite(cluster);
	const command = { type: "join" as const, link, householdName: `Hus ${at}`, alwaysOn: false, signalingUrls: [] };
	expect(await cluster.outcome(at, command)).toBe("ok");
	await cluster.until(
		() => cluster.house(at).node.view().stage === "street",
		`house ${at} is a member`,
		60_000,
		STEP_MS,
	);
}

async function readEverywhere(): Promise<number> {
	await cluster.nextMinute(1_000);
	const minute = Math.floor(cluster.chainMs / 60_000) - 1;
	for (const at of houses()) if (cluster.house(at).isUp) await cluster.read(at, minute, 10 + at);
	return minute;
}

/** By house: whether a minute's reading is on the chain that house 0 has. */
const isOnChain = (at: number, minute: number) => {
	const { member, chain, history } = cluster.street(0);
	expect([member, chain.head.ledger.households.length]).toEqual([0, ALL]);
	return history.series(at, minute, minute + 1).importWh[0] === 10 + at;
};

describe("a street of more than 30 devices", () => {
	beforeAll(async () => {
		cluster = await foundedStreet(FOUNDERS, {}, VOTERS);
		expect(houses().map(channelsOf)).toEqual(Array(FOUNDERS).fill(FOUNDERS - 1));
		for (let at = FOUNDERS; at < ALL; at++) await join(at);
		// What was connected when the street was small stays for half a minute.
		await cluster.run(60_000, STEP_MS);
		await cluster.settle();
	}, 300_000);

	it("has few channels: voters to one another, each other device to three of them, about as many to each voter", () => {
		expect(voters()).toHaveLength(VOTERS);
		const table = houses().map((at) => `${at}${isVoter(at) ? "v" : ""}:${channelsOf(at)}`);
		console.log(`channels of each of ${ALL} houses (v: voter): ${table.join(" ")}`);
		for (const at of observers()) {
			expect(channelsOf(at)).toBe(3);
			expect(voters().filter((voter) => cluster.areConnected(at, voter))).toHaveLength(3);
		}
		for (const at of voters()) expect(channelsOf(at)).toBe(VOTERS - 1 + observersOf(at).length);
		const load = voters().map((at) => observersOf(at).length);
		expect(load.reduce((sum, each) => sum + each, 0)).toBe(3 * (ALL - VOTERS));
		expect(Math.max(...load)).toBeLessThan((2 * 3 * (ALL - VOTERS)) / VOTERS);
	});

	it("has one head, and everybody's readings and acts in blocks, from whomever they come", async () => {
		const minute = await readEverywhere();
		await cluster.nextMinute();
		await cluster.settle();
		expect(houses().filter((at) => !isOnChain(at, minute))).toEqual([]);
		const far = observers().find((at) => !cluster.areConnected(at, cluster.leader()));
		if (far === undefined) throw new Error("some observer has no channel to the leader");
		const height = cluster.height(far);
		const beganMs = cluster.monotonicMs;
		await cluster.act(far, { type: "buy", amountMicroNok: 1_000_000 });
		const tookMs = cluster.monotonicMs - beganMs;
		console.log(`an observer's act, away from the leader: everywhere after ${tookMs} ms`);
		// Long before it would be told to everybody.
		expect(tookMs).toBeLessThan(5_000);
		expect(cluster.height(far)).toBeGreaterThan(height);
	});

	it("shows everybody who is there and who leads, as the voters tell", async () => {
		await cluster.run(5_000, STEP_MS);
		const { leader } = cluster.view(cluster.leader()).chain;
		for (const at of houses()) {
			const { chain } = cluster.view(at);
			expect(chain).toMatchObject({ neighboursOnline: ALL - 1, votersOnline: VOTERS, voters: VOTERS, leader });
		}
		const { nodes = [] } = cluster.view(0).operator ?? {};
		expect(nodes.filter(({ connected, headIndex }) => connected && headIndex !== undefined)).toHaveLength(ALL);
	});

	it("connects an observer to another voter when one is lost, and lets go of that when the first is back", async () => {
		const [at] = observers();
		const lost = voters().find((voter) => at !== undefined && voter !== 0 && cluster.areConnected(at, voter));
		if (at === undefined || lost === undefined) throw new Error("an observer has voters");
		const before = voters().filter((voter) => cluster.areConnected(at, voter));
		const orphans = observersOf(lost);
		cluster.off(lost);
		const lostMs = cluster.monotonicMs;
		const up = () => voters().filter((voter) => cluster.house(voter).isUp);
		const hasThree = (each: number) => up().filter((voter) => cluster.areConnected(each, voter)).length === 3;
		await cluster.until(() => orphans.every(hasThree), "all have three voters again", 60_000, STEP_MS);
		console.log(`${orphans.length} observers lost a voter, and have another after ${cluster.monotonicMs - lostMs} ms`);
		await cluster.settle();
		const minute = await readEverywhere();
		await cluster.nextMinute();
		await cluster.settle();
		const missing = houses().filter((each) => each !== lost && !isOnChain(each, minute));
		expect(missing).toEqual([]);
		await cluster.on(lost);
		await cluster.run(60_000, STEP_MS);
		expect(voters().filter((voter) => cluster.areConnected(at, voter))).toEqual(before);
		expect(observers().map(channelsOf)).toEqual(Array(ALL - VOTERS).fill(3));
		await cluster.settle();
	}, 120_000);
});

describe("those who observe in a large street whose voters are lost for good", () => {
	it("find one another, and found it again", { timeout: 120_000 }, async () => {
		const street = await foundedStreet(16, { settings: { fullMeshDevices: 4 } }, 4);
		await street.run(60_000, STEP_MS);
		await street.act(0, { type: "buy", amountMicroNok: 1_000_000 });
		const all = street.houses.map(({ index }) => index);
		const lost = [...ledgerOf(street, 0).voters];
		const left = all.filter((at) => !lost.includes(at));
		for (const at of lost) street.off(at);
		await street.run(20_000, STEP_MS);
		console.log(`channels of those who are left: ${left.map((at) => street.channelsOf(at)).join(" ")}`);
		const [proposer = 0, ...asked] = left;
		const oldGrid = gridOf(street, proposer);
		await propose(street, proposer);
		await street.until(() => asked.every((at) => stateAt(street, at) === "proposed"), "everybody is asked", 20_000);
		for (const at of asked) if (gridOf(street, at) === oldGrid) expect(await confirm(street, at)).toBe("ok");
		await street.until(() => left.every((at) => gridOf(street, at) !== oldGrid), "all are in the new chain", 60_000);
		await street.settle();
		expect(new Set(left.map((at) => gridOf(street, at))).size).toBe(1);
	});
});

describe("a device of a large street that starts while no signaling server is reached", () => {
	it("takes nobody for missing whom it could not call, and then those who do not answer", async () => {
		const street = await foundedStreet(16, { settings: { fullMeshDevices: 4 } }, 4);
		const at =
			street.houses.map(({ index }) => index).find((index) => !ledgerOf(street, 0).voters.includes(index)) ?? 0;
		street.off(at);
		street.isolate(at);
		await street.on(at);
		const named = () => street.house(at).network?.connectTo.length;
		await street.input(at, { type: "signalingStatus", connected: 0, configured: 2 });
		await street.run(20_000, STEP_MS);
		expect(named()).toBe(3);
		await street.input(at, { type: "signalingStatus", connected: 1, configured: 2 });
		await street.run(4_000, STEP_MS);
		expect(named()).toBe(3);
		await street.run(4_000, STEP_MS);
		expect(named()).toBe(6);
		await street.input(at, { type: "signalingStatus", connected: 0, configured: 2 });
		await street.run(20_000, STEP_MS);
		expect(named()).toBe(6);
	});
});
