import { describe, expect, it } from "vitest";
import type { Crossing } from "../../../src/message/message.js";
import { DEFAULT_NODE_SETTINGS } from "../../../src/node/dependencies.js";
import {
	balances,
	brokenStreet,
	confirm,
	gridOf,
	ledgerOf,
	offer,
	propose,
	refoundingOf,
	restore,
	stateAt,
	trade,
} from "../../support/brokenStreet.js";
import { type Cluster, foundedStreet, invite } from "../../support/cluster.js";
import { tamperMessages } from "../../support/wrongNeighbour.js";

const FOUNDING = DEFAULT_NODE_SETTINGS.founding;

describe("a device that the operator took off the list of voters by hand", () => {
	it("stays off it in the chain that the neighbourhood is founded again with", { timeout: 120_000 }, async () => {
		const cluster = await foundedStreet(7, {}, 4);
		const [off = 0, ...lost] = ledgerOf(cluster, 0).voters.filter((voter) => voter !== 0);
		await cluster.act(0, { type: "voters", added: [], removed: [off] });
		await cluster.settle();
		for (const at of lost) cluster.off(at);
		await cluster.run(12_000, 500);
		const oldGrid = gridOf(cluster, 0);
		await propose(cluster);
		await cluster.run(2_000, 500);
		const others = [1, 2, 3, 4, 5, 6].filter((at) => !lost.includes(at));
		for (const at of others) expect(await confirm(cluster, at)).toBe("ok");
		await cluster.until(() => gridOf(cluster, 0) !== oldGrid && cluster.height(0) > 0, "the new chain goes on");
		await cluster.run(10_000, 500);
		expect(cluster.view(0).operator?.nodes[off]).toMatchObject({ voter: false, keptFromVoting: true });
	});
});

describe("a street that lost two of its three voters for good", () => {
	it("is founded again by those who are left, goes on by itself with the same balances, and settles what was left open", {
		timeout: 120_000,
	}, async () => {
		const { cluster, left, seller, buyer, openMinute } = await brokenStreet();
		const before = ledgerOf(cluster, 0);
		const oldGrid = gridOf(cluster, 0);
		// What a meter says while nothing can be certified is kept.
		await trade(cluster, seller, buyer, 30, 20);
		expect(cluster.height(0)).toBe(before.index);
		expect(refoundingOf(cluster, 0)).toMatchObject({
			state: "possible",
			blockIndex: before.index,
			voters: [0],
			needed: 5,
			contracts: 1,
			balanceMicroNok: 0,
		});
		await propose(cluster);
		const asked = left.slice(1);
		await cluster.until(() => asked.every((at) => stateAt(cluster, at) === "proposed"), "everybody is asked");
		expect(refoundingOf(cluster, buyer)).toMatchObject({
			proposer: 0,
			mine: false,
			confirmed: [0],
			needed: 5,
			balanceMicroNok: 980_000,
			ownContracts: 1,
			majority: false,
		});
		// Three of those who are left; the fifth household makes it more than two thirds.
		for (const at of asked.slice(0, 3)) expect(await confirm(cluster, at)).toBe("ok");
		await cluster.run(3_000);
		expect(gridOf(cluster, 0)).toBe(oldGrid);
		expect(refoundingOf(cluster, asked[0] ?? 0)).toMatchObject({ state: "confirmed" });
		expect(refoundingOf(cluster, asked[3] ?? 0).confirmed).toHaveLength(4);
		expect(await confirm(cluster, asked[3] ?? 0)).toBe("ok");
		await cluster.until(() => left.every((at) => gridOf(cluster, at) !== oldGrid), "all five are in the new chain");
		await cluster.settle();
		// What the graphs show came along.
		expect([...cluster.street(buyer).history.series(buyer, openMinute, openMinute + 1).importWh]).toEqual([7]);
		const after = ledgerOf(cluster, buyer);
		expect(after.households.map(({ balanceMicroNok }) => balanceMicroNok).reduce((sum, each) => sum + each)).toBe(
			before.issuedMicroNok,
		);
		expect(after.voters).toEqual([0]);
		expect(after.predecessor).toMatchObject({
			index: before.index,
			unconfirmed: [1, 2, 3, 4, 5, 6].filter((at) => !left.includes(at)),
		});
		expect(balances(cluster, buyer)).toEqual(before.households.map(({ balanceMicroNok }) => balanceMicroNok));
		// The minute that was left open settles with the reading that was missing, and after it the one that both meters
		// read while nothing could be certified: it was kept, and handed in again under the new chain's id.
		await cluster.read(seller, openMinute, 0, 30);
		await trade(cluster, seller, buyer, 30, 20);
		await cluster.until(() => cluster.street(seller).outbox.size === 0, "kept readings are in");
		await cluster.settle();
		expect(balances(cluster, 0)[seller]).toBe(20_000 + 7_000 + 20_000 + 20_000);
		expect(balances(cluster, 0)[buyer]).toBe(1_000_000 - 67_000);
		expect(ledgerOf(cluster, 0).households[seller]?.soldWh).toBe(67);
		// A newcomer needs nothing of the old chain.
		const newcomer = await cluster.add();
		const link = await invite(cluster);
		await cluster.command(newcomer.index, {
			type: "join",
			link,
			householdName: "Ny nabo",
			alwaysOn: false,
			signalingUrls: [],
		});
		await cluster.until(() => newcomer.node.view().stage === "street", "a newcomer is a member");
		await cluster.settle();
		expect(cluster.view(buyer)).toMatchObject({ predecessor: { gridId: oldGrid, blockIndex: before.index } });
		expect(cluster.view(buyer).balance.movements).toContainEqual(
			expect.objectContaining({ type: "carried", amountMicroNok: 980_000, blockIndex: before.index }),
		);
		expect(cluster.houses.flatMap(({ faults }) => faults)).toEqual([]);
	});
});

describe("a household that is asked whether it goes over", () => {
	it("is bound by its yes, through restarts, until the proposer takes the proposal back", {
		timeout: 120_000,
	}, async () => {
		const { cluster, left } = await brokenStreet();
		const [, first = 0, second = 0] = left;
		await propose(cluster);
		await cluster.until(() => stateAt(cluster, first) === "proposed", "a household is asked");
		expect(await cluster.outcome(first, { type: "confirmRefounding", proposal: "00" })).toBe("refounding-gone");
		expect(await cluster.outcome(first, { type: "withdrawRefounding" })).toBe("not-your-proposal");
		expect(await confirm(cluster, first)).toBe("ok");
		for (const at of [0, first]) {
			cluster.off(at);
			await cluster.on(at);
			expect([stateAt(cluster, at), cluster.view(at).chain.notVoting]).toEqual(["confirmed", "founding-again"]);
		}
		await cluster.until(() => refoundingOf(cluster, second).confirmed.length === 2, "the others hear who confirmed");
		expect(await cluster.outcome(first, { type: "refound" })).toBe("refounding-open");

		// One who is away hears of it when it is back.
		cluster.off(first);
		expect(await cluster.outcome(0, { type: "withdrawRefounding" })).toBe("ok");
		await cluster.until(() => stateAt(cluster, second) === "possible", "the others forget it");
		expect(cluster.view(0).chain.notVoting).toBeUndefined();
		await cluster.on(first);
		expect(stateAt(cluster, first)).toBe("confirmed");
		await cluster.until(() => stateAt(cluster, first) === "possible", "it is released");
		expect(cluster.view(first).chain.notVoting).toBeUndefined();

		// And then all of it once more, to the end.
		await propose(cluster);
		const asked = left.slice(1);
		await cluster.until(() => asked.every((at) => stateAt(cluster, at) === "proposed"), "everybody is asked again");
		for (const at of asked) expect(await confirm(cluster, at)).toBe("ok");
		await cluster.until(() => left.every((at) => ledgerOf(cluster, at).predecessor !== undefined), "all go over");
		await cluster.settle();
	});

	it("hears that a proposal was taken back also when the same household has proposed anew, and started again", {
		timeout: 120_000,
	}, async () => {
		const { cluster, left } = await brokenStreet();
		const [, first = 0, ...others] = left;
		await propose(cluster);
		await cluster.until(() => stateAt(cluster, first) === "proposed", "a household is asked");
		expect(await confirm(cluster, first)).toBe("ok");
		cluster.off(first);
		expect(await cluster.outcome(0, { type: "withdrawRefounding" })).toBe("ok");
		await cluster.run(2_000);
		await propose(cluster);
		const { proposal } = refoundingOf(cluster, 0);
		for (const at of [0, ...others]) cluster.off(at);
		await cluster.on(0);
		await cluster.on(first);
		expect(stateAt(cluster, first)).toBe("confirmed");
		await cluster.until(() => stateAt(cluster, first) === "proposed", "it is released, and asked again");
		expect(refoundingOf(cluster, first).proposal).toBe(proposal);
	});

	it("goes over later, by itself not at all: its balance waits, and everybody sees that it has not confirmed", {
		timeout: 120_000,
	}, async () => {
		const { cluster, lost, left } = await brokenStreet();
		const late = left[4] ?? 0;
		// With the household of one who is lost there are enough, though one of those who are here says nothing.
		const restored = await restore(cluster, lost[0] ?? 0);
		await propose(cluster);
		const asked = [...left.slice(1, 4), restored];
		await cluster.until(
			() => [...asked, late].every((at) => stateAt(cluster, at) === "proposed"),
			"everybody is asked",
		);
		for (const at of asked) expect(await confirm(cluster, at)).toBe("ok");
		await cluster.until(() => ledgerOf(cluster, 0).predecessor !== undefined, "the new chain begins");
		await cluster.until(() => stateAt(cluster, late) === "founded", "the silent household hears of it");
		const oldGrid = gridOf(cluster, late);
		cluster.off(late);
		await cluster.on(late);
		await cluster.run(20_000, 500);
		expect([stateAt(cluster, late), gridOf(cluster, late)]).toEqual(["founded", oldGrid]);
		expect(cluster.view(late).chain).toMatchObject({ notVoting: "founding-again", role: "observer" });
		expect(cluster.view(0).predecessor?.unconfirmed).toContain(late);
		expect(await confirm(cluster, late)).toBe("ok");
		await cluster.until(() => gridOf(cluster, late) === gridOf(cluster, 0), "it goes over");
		await cluster.until(() => cluster.view(0).predecessor?.unconfirmed.includes(late) === false, "everybody sees it");
		// The restored household's new browser was let in, in place of its lost device.
		await cluster.until(() => cluster.house(restored).node.view().stage === "street", "the new device is admitted");
		await cluster.settle();
	});
});

describe("a device whose household has said yes", () => {
	it("votes no more: one of the lost voters makes a majority with it, and nothing is certified", {
		timeout: 120_000,
	}, async () => {
		const { cluster, lost } = await brokenStreet();
		const [returned = 0] = lost;
		await propose(cluster);
		const height = cluster.height(0);
		await cluster.on(returned);
		await cluster.until(() => stateAt(cluster, returned) === "proposed", "it is back, and asked");
		await cluster.run(70_000, 500);
		expect([cluster.height(0), cluster.height(returned)]).toEqual([height, height]);
		expect(cluster.view(returned).chain.leader).toBeUndefined();
		// A proposal that is taken back leaves no trace: the two of them go on.
		expect(await cluster.outcome(0, { type: "withdrawRefounding" })).toBe("ok");
		await cluster.until(() => cluster.height(returned) > height, "the old chain goes on");
	});
});

describe("a device of the old chain that comes back", () => {
	it("stops at the word of the new one, even with a majority of the old voters, and its household is asked", {
		timeout: 120_000,
	}, async () => {
		const { cluster, lost, left } = await brokenStreet();
		await foundAgain(cluster, left);
		await cluster.settle();
		const grid = gridOf(cluster, 0);
		for (const at of lost) await cluster.on(at);
		await cluster.until(() => lost.every((at) => stateAt(cluster, at) === "founded"), "both are told");
		const heights = lost.map((at) => cluster.height(at));
		await cluster.run(70_000, 500);
		expect(lost.map((at) => cluster.height(at))).toEqual(heights);
		for (const at of lost) expect(await confirm(cluster, at)).toBe("ok");
		await cluster.until(() => lost.every((at) => gridOf(cluster, at) === grid), "both go over");
		await cluster.until(() => cluster.view(0).predecessor?.unconfirmed.length === 0, "all have confirmed");
		await cluster.settle();
	});

	it.each<[string, (crossing: Crossing) => Crossing | undefined]>([
		["without its signature", () => undefined],
		["with another one", (crossing) => ({ ...crossing, signature: new Uint8Array(65).fill(1) })],
		[
			"with a household's word in its place",
			({ signature }) => ({
				signature: new Uint8Array(65),
				household: { householdKey: new Uint8Array(33), signature },
			}),
		],
	])("is given nothing of the new chain %s", { timeout: 120_000 }, async (_what, change) => {
		const { cluster, lost, left } = await brokenStreet();
		const [returned = 0] = lost;
		await foundAgain(cluster, left);
		await cluster.settle();
		let isForged = true;
		tamperMessages(cluster, (message, from) => {
			if (!isForged || from !== returned || message.type !== "genesisRequest" || message.crossing === undefined)
				return message;
			const crossing = change(message.crossing);
			return { type: "genesisRequest", ...(crossing === undefined ? {} : { crossing }) };
		});
		await cluster.on(returned);
		await cluster.run(20_000, 500);
		expect(stateAt(cluster, returned)).not.toBe("founded");
		expect(cluster.view(0).refusals["bad-proof"]).toBeGreaterThan(0);
		isForged = false;
		cluster.off(returned);
		await cluster.on(returned);
		await cluster.until(() => stateAt(cluster, returned) === "founded", "its own word is heard");
	});

	it("is not needed for a new key: a browser that has neither asks in the new chain, and hears of the notice", {
		timeout: 120_000,
	}, async () => {
		const { cluster, lost, left } = await brokenStreet();
		await foundAgain(cluster, left);
		await cluster.settle();
		const link = await cluster.command(0, { type: "wayBackLink" });
		if (!link.ok || link.value.type !== "link") throw new Error("any member gives the link");
		const { index: at } = await cluster.add();
		const command = { type: "restore" as const, link: link.value.link, newKey: true, newPassword: "tre små fugler" };
		expect(await cluster.outcome(at, { ...command, alwaysOn: false, signalingUrls: [] })).toBe("ok");
		const claim = () => {
			const view = cluster.house(at).node.view();
			return view.stage === "joining" ? view.claim : undefined;
		};
		await cluster.until(() => claim() !== undefined, "it asks");
		expect(cluster.house(at).node.street).toBeUndefined();
		await cluster.act(0, { type: "rebind", household: lost[0] ?? 0, claim: claim()?.text ?? "" });
		await cluster.until(() => claim()?.notice !== undefined, "it hears of the notice");
	});

	it("that holds a higher certified block does not follow a chain that begins below it, and says so", {
		timeout: 120_000,
	}, async () => {
		const { cluster, lost, left } = await brokenStreet();
		// The lost ones are not lost: they go on by themselves where nobody else can hear them.
		cluster.cut(lost, left);
		for (const at of lost) await cluster.on(at);
		const height = cluster.height(0);
		await cluster.until(() => lost.every((at) => cluster.height(at) > height), "the old chain goes on");
		await foundAgain(cluster, left);
		cluster.mend();
		await cluster.run(10_000, 500);
		for (const at of lost) {
			expect(cluster.house(at).faults).toContain("refounding-below-certified");
			expect(ledgerOf(cluster, at).predecessor).toBeUndefined();
		}
	});

	it("makes a proposal void, which the proposer takes back when the old chain goes on", {
		timeout: 120_000,
	}, async () => {
		const { cluster, lost, left } = await brokenStreet();
		const [, first = 0] = left;
		await propose(cluster);
		await cluster.until(() => stateAt(cluster, first) === "proposed", "a household is asked");
		expect(await confirm(cluster, first)).toBe("ok");
		for (const at of lost) await cluster.on(at);
		await cluster.until(() => refoundingOf(cluster, left[2] ?? 0).majority, "the voters are seen again");
		expect(await confirm(cluster, left[2] ?? 0)).toBe("majority-reached");
		expect(await cluster.outcome(left[3] ?? 0, { type: "refound" })).toBe("refounding-open");
		await cluster.until(() => [0, first].every((at) => stateAt(cluster, at) === "none"), "nobody is asked any more");
		await cluster.settle();
		expect(cluster.view(0).chain.notVoting).toBeUndefined();
		expect(await cluster.outcome(0, { type: "refound" })).toBe("majority-reached");
	});

	it("releases a household that was away when the old chain went on and its proposal was taken back", {
		timeout: 120_000,
	}, async () => {
		const { cluster, lost, left } = await brokenStreet();
		const [, first = 0] = left;
		await propose(cluster);
		await cluster.until(() => stateAt(cluster, first) === "proposed", "a household is asked");
		expect(await confirm(cluster, first)).toBe("ok");
		cluster.off(first);
		for (const at of lost) await cluster.on(at);
		await cluster.until(() => stateAt(cluster, 0) === "none", "the proposer takes it back");
		await cluster.on(first);
		expect(stateAt(cluster, first)).toBe("confirmed");
		await cluster.until(() => stateAt(cluster, first) === "none", "it is released");
		await cluster.settle();
	});
});

describe("the proposer", () => {
	it("seals a proposal once, whenever the power goes", { timeout: 240_000 }, async () => {
		for (const isKept of [false, true]) {
			for (let atWrite = 1; atWrite <= 3; atWrite++) {
				const { cluster, left } = await brokenStreet({ seed: `${isKept}${atWrite}` });
				await propose(cluster);
				const asked = left.slice(1);
				await cluster.until(() => asked.every((at) => stateAt(cluster, at) === "proposed"), "everybody is asked");
				for (const at of asked.slice(0, 3)) await confirm(cluster, at);
				await cluster.run(1_000);
				const { storage } = cluster.house(0);
				storage.crash = { atWrite: storage.writes + atWrite, isKept };
				await confirm(cluster, asked[3] ?? 0);
				await cluster.until(() => !cluster.house(0).isUp, "the power goes");
				storage.crash = undefined;
				await cluster.on(0);
				await cluster.until(() => left.every((at) => ledgerOf(cluster, at).predecessor !== undefined), "all go over");
				await cluster.settle();
				expect(new Set(left.map((at) => gridOf(cluster, at))).size).toBe(1);
			}
		}
	});

	it("keeps to its seal where the new database is refused, and the power goes", { timeout: 120_000 }, async () => {
		const { cluster, left } = await brokenStreet();
		const [, first = 0, second = 0] = left;
		await propose(cluster);
		const asked = left.slice(1);
		await cluster.until(() => asked.every((at) => stateAt(cluster, at) === "proposed"), "everybody is asked");
		const { storage } = cluster.house(0);
		storage.isClosedToNew = true;
		for (const at of asked) expect(await confirm(cluster, at)).toBe("ok");
		await cluster.until(() => cluster.house(0).faults.includes("storage-unavailable"), "no database");
		const oldGrid = gridOf(cluster, 0);
		// Who is back hears of the new chain from the proposer, and goes over before it.
		cluster.off(first);
		await cluster.on(first);
		await cluster.until(() => gridOf(cluster, first) !== oldGrid, "a household goes over");
		cluster.off(0);
		await cluster.on(0);
		expect([gridOf(cluster, 0), stateAt(cluster, 0)]).toEqual([oldGrid, "founded"]);
		expect(await cluster.outcome(0, { type: "withdrawRefounding" })).toBe("refounding-gone");
		storage.isClosedToNew = false;
		await cluster.until(() => left.every((at) => gridOf(cluster, at) === gridOf(cluster, first)), "all go over");
		expect(ledgerOf(cluster, second).predecessor).toBeDefined();
		await cluster.settle();
	});

	it("may have been switched on at a checkpoint, of whose block it has the state but not what it settled", {
		timeout: 120_000,
	}, async () => {
		const cluster = await foundedStreet(3, { settings: { founding: { ...FOUNDING, checkpointBlocks: 10 } } });
		const order = await cluster.act(2, { type: "buy", amountMicroNok: 1_000_000 });
		await cluster.act(0, { type: "issue", orderId: order, amountMicroNok: 1_000_000, reference: "KID 1" });
		await cluster.act(2, { type: "accept", offerId: await cluster.act(1, offer(cluster)) });
		do await trade(cluster, 1, 2, 30, 20);
		while (ledgerOf(cluster, 0).countedTotal % 10 !== 0);
		expect(cluster.street(0).chain.head.results.settled).toHaveLength(1);
		for (const at of [0, 1, 2]) cluster.off(at);
		await cluster.on(0);
		expect(cluster.street(0).chain.head.results.settled).toEqual([]);
		await propose(cluster);
		expect(refoundingOf(cluster, 0)).toMatchObject({ state: "confirmed", contracts: 1, needed: 3 });
	});

	it("does not wait for a voter that is here but has stopped voting", async () => {
		const cluster = await foundedStreet(3, {}, 1);
		await cluster.act(1, { type: "buy", amountMicroNok: 1 });
		// The only voter's storage was copied: from the moment on at which it hears of its copy it votes no more.
		cluster.off(0);
		const copy = await cluster.house(0).storage.copy();
		await cluster.on(0);
		await cluster.add(copy);
		await cluster.until(() => cluster.view(0).chain.notVoting === "twin-device", "it has stopped voting");
		cluster.off(3);
		await cluster.run(10_000, 500);
		expect(cluster.areConnected(0, 1)).toBe(true);
		expect([0, 1].map((at) => stateAt(cluster, at))).toEqual(["possible", "possible"]);
		await propose(cluster, 1);
		await cluster.until(() => stateAt(cluster, 2) === "proposed", "a household is asked");
		expect(await confirm(cluster, 2)).toBe("ok");
	});

	it("is refused while a majority is here, and where nothing was ever certified", async () => {
		const cluster = await foundedStreet(4);
		expect(await cluster.outcome(0, { type: "refound" })).toBe("majority-reached");
		expect(await cluster.outcome(0, { type: "confirmRefounding", proposal: "00" })).toBe("refounding-gone");
		expect(await cluster.outcome(0, { type: "withdrawRefounding" })).toBe("refounding-gone");
		expect(cluster.view(0).refounding).toBeUndefined();
	});
});

/** Proposed by the operator and confirmed by all who are here. */
async function foundAgain(cluster: Cluster, left: readonly number[]): Promise<void> {
	await propose(cluster);
	const asked = left.slice(1);
	await cluster.until(() => asked.every((at) => stateAt(cluster, at) === "proposed"), "everybody is asked");
	for (const at of asked) expect(await confirm(cluster, at)).toBe("ok");
	await cluster.until(() => left.every((at) => ledgerOf(cluster, at).predecessor !== undefined), "all go over");
}
