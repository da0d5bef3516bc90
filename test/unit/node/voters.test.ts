import { describe, expect, it } from "vitest";
import { CAUGHT_UP_MS } from "../../../src/node/voterPolicy.js";
import { Cluster, enterLobby, foundedStreet, invite, openLobby } from "../../support/cluster.js";
import { signedBy, tamperMessages } from "../../support/wrongNeighbour.js";

const votersOf = (cluster: Cluster, at: number) => cluster.street(at).chain.head.ledger.voters;

/** Two always-on devices and a phone: the founder's device alone votes. Houses are sorted by member index. */
async function smallStreet(): Promise<Cluster> {
	const cluster = new Cluster();
	for (let at = 0; at < 2; at++) await cluster.add();
	await enterLobby(cluster, 1, await openLobby(cluster));
	await cluster.until(() => {
		const view = cluster.house(0).node.view();
		return view.stage === "lobby" && view.members.length === 2;
	}, "both are in the lobby");
	await cluster.command(0, { type: "start" });
	await cluster.settle();
	return cluster;
}

async function join(cluster: Cluster, at: number, alwaysOn = true): Promise<void> {
	await cluster.add();
	const link = await invite(cluster);
	await cluster.command(at, { type: "join", link, householdName: "Lie", alwaysOn, signalingUrls: [] });
	await cluster.until(() => cluster.house(at).node.view().stage === "street", "the guest is a member");
	await cluster.settle();
}

async function goOn(cluster: Cluster, at: number): Promise<void> {
	const height = cluster.height(at);
	await cluster.until(() => cluster.height(at) > height, "blocks go on");
	await cluster.settle();
}

describe("voters that the operator's node chooses", () => {
	it("become three when there are three devices that are always on, and a fourth votes once it has kept up", async () => {
		const cluster = await smallStreet();
		expect(votersOf(cluster, 0)).toEqual([0]);
		await cluster.run(2 * CAUGHT_UP_MS, 500);
		// Two would be worse than one.
		expect(votersOf(cluster, 0)).toEqual([0]);
		await join(cluster, 2);
		expect(votersOf(cluster, 2)).toEqual([0]);
		await cluster.until(() => votersOf(cluster, 0).length === 3, "three vote");
		await cluster.settle();
		await join(cluster, 3);
		await cluster.until(() => votersOf(cluster, 3).length === 4, "four vote");
		await cluster.settle();
		expect(cluster.houses.map(({ index }) => votersOf(cluster, index))).toEqual(Array(4).fill([0, 1, 2, 3]));
		// They really decide: without the first leader the others go on.
		cluster.off(cluster.leader());
		await cluster.run(10_000);
		await goOn(cluster, cluster.leader());
		expect(cluster.houses.flatMap(({ faults }) => faults)).toEqual([]);
	});

	it("never are phones", async () => {
		const cluster = await foundedStreet(3);
		await join(cluster, 3, false);
		await cluster.run(2 * CAUGHT_UP_MS, 500);
		expect(votersOf(cluster, 3)).toEqual([0, 1, 2]);
		expect(cluster.view(3).chain.role).toBe("observer");
	});
});

describe("a voter that the operator takes off the list", () => {
	it("observes from then on, stays off it, and is let in again by hand", async () => {
		const cluster = await foundedStreet(4);
		await cluster.act(0, { type: "voters", added: [], removed: [3] });
		expect(votersOf(cluster, 3)).toEqual([0, 1, 2]);
		expect(cluster.view(3).chain.role).toBe("observer");
		expect(cluster.view(0).operator?.nodes[3]).toMatchObject({ voter: false, keptFromVoting: true });
		await cluster.run(2 * CAUGHT_UP_MS, 500);
		expect(votersOf(cluster, 0)).toEqual([0, 1, 2]);
		await cluster.act(0, { type: "voters", added: [3], removed: [] });
		expect(votersOf(cluster, 3)).toEqual([0, 1, 2, 3]);
		expect(cluster.view(0).operator?.nodes[3]).toMatchObject({ voter: true, keptFromVoting: false });
	});

	it("stays off it for the operator's next device too: the chain says so", async () => {
		const cluster = await foundedStreet(4);
		await cluster.act(0, { type: "voters", added: [], removed: [3] });
		const link = await cluster.command(0, { type: "restoreLink" });
		if (!link.ok || link.value.type !== "link") throw new Error("a restore link");
		await cluster.add();
		const restore = { link: link.value.link, alwaysOn: true, signalingUrls: [] };
		expect(await cluster.outcome(4, { type: "restore", ...restore })).toBe("ok");
		await cluster.until(() => cluster.house(4).node.view().stage === "street", "the new device is in");
		await cluster.run(3 * CAUGHT_UP_MS, 500);
		expect(votersOf(cluster, 4)).toContain(4);
		expect(votersOf(cluster, 4)).not.toContain(3);
		expect(cluster.view(4).operator?.nodes[3]).toMatchObject({ voter: false, keptFromVoting: true });
	});

	it("may be gone for good: the others' majority takes it off, and two of the three that are left are one", async () => {
		const cluster = await foundedStreet(4);
		cluster.off(3);
		await cluster.run(10_000);
		await cluster.act(0, { type: "voters", added: [], removed: [3] });
		const other = cluster.leader() === 1 ? 2 : 1;
		cluster.off(other);
		await goOn(cluster, 0);
		expect(votersOf(cluster, 0)).toEqual([0, 1, 2]);
	});

	it("hands the leadership over first where it leads: another proposes the block that removes it", async () => {
		const cluster = await foundedStreet(4);
		const leader = cluster.leader();
		await cluster.act(0, { type: "voters", added: [], removed: [leader] });
		const { block } = cluster.street(0).chain.head;
		expect(block.proposer).not.toBe(leader);
		expect(votersOf(cluster, 0)).not.toContain(leader);
		expect(cluster.leader()).not.toBe(leader);
		await goOn(cluster, leader);
	});

	it("cannot disturb those who vote, when it comes back without having heard of it", async () => {
		const cluster = await foundedStreet(4);
		const gone = cluster.leader() === 3 ? 2 : 3;
		cluster.isolate(gone);
		await cluster.run(10_000);
		await cluster.command(0, { type: "voters", added: [], removed: [gone] });
		await cluster.until(() => !votersOf(cluster, 0).includes(gone), "the voter is off the list");
		const before = cluster.street(0).raft?.term;
		await cluster.run(60_000, 500);
		cluster.mend();
		await goOn(cluster, 0);
		expect(cluster.street(0).raft?.term).toBe(before);
		expect(votersOf(cluster, gone)).not.toContain(gone);
	});
});

describe("changes of voters", () => {
	it("are caught up with by a device that was away for several of them", async () => {
		const cluster = await foundedStreet(5);
		const away = cluster.leader() === 4 ? 3 : 4;
		const others = [0, 1, 2, 3, 4].filter((at) => at !== away && at !== 0);
		cluster.off(away);
		await cluster.run(10_000);
		for (const removed of others.slice(0, 2)) await cluster.act(0, { type: "voters", added: [], removed: [removed] });
		for (const added of others.slice(0, 2)) await cluster.act(0, { type: "voters", added: [added], removed: [] });
		await goOn(cluster, 0);
		await cluster.on(away);
		await cluster.settle();
		expect(votersOf(cluster, away)).toEqual([0, 1, 2, 3, 4]);
		expect(
			cluster.houses.flatMap(({ closed }) => closed).filter((code) => code !== "off" && code !== "silent"),
		).toEqual([]);
	});

	it("are certified by those who voted in between, too, where a run of blocks has two of them", async () => {
		const cluster = await foundedStreet(5, {}, 3);
		const voters = votersOf(cluster, 0);
		const [added = 0, away = 0] = cluster.houses.map(({ index }) => index).filter((at) => !voters.includes(at));
		cluster.off(away);
		await cluster.act(0, { type: "voters", added: [added], removed: [] });
		await cluster.act(0, { type: "voters", added: [], removed: [added] });
		await cluster.settle();
		const { block, hash } = cluster.street(0).chain.head;
		const place = { index: block.index, term: block.term, hash };
		const certificateBy = (signers: readonly number[]) => {
			tamperMessages(cluster, (message, _from, to) => {
				if (message.type !== "blocks" || to !== away) return message;
				const isEnd = message.fromIndex + message.blocks.length > block.index;
				return { ...message, certificate: isEnd ? signedBy(cluster, place, signers) : undefined };
			});
		};
		// A majority of the three before and after, of the four in between none.
		certificateBy(voters.slice(0, 2));
		const height = cluster.height(0);
		await cluster.on(away);
		await cluster.until(
			() => cluster.view(away).refusals["certificate-without-majority"] !== undefined,
			"it is refused",
		);
		expect(cluster.height(away)).toBeLessThan(height);
		certificateBy(voters);
		await cluster.until(() => cluster.height(away) >= height, "with one voter more it counts");
	});

	it("outlive a restart of everybody", async () => {
		const cluster = await foundedStreet(4);
		await cluster.act(0, { type: "voters", added: [], removed: [1] });
		for (const { index } of cluster.houses) cluster.off(index);
		for (const { index } of cluster.houses) await cluster.on(index);
		await goOn(cluster, 0);
		expect(votersOf(cluster, 1)).toEqual([0, 2, 3]);
	});

	it("are the operator's alone", async () => {
		const cluster = await foundedStreet(4);
		expect(await cluster.outcome(1, { type: "voters", added: [], removed: [3] })).toBe("not-operator");
		expect(await cluster.outcome(0, { type: "voters", added: [9], removed: [] })).toBe("unknown-device");
		expect(await cluster.outcome(0, { type: "voters", added: [], removed: [] })).toBe("voters-step");
	});
});

describe("a page that is closed", () => {
	it("hands its leadership over: the next leader is there long before an election time-out", async () => {
		const cluster = await foundedStreet(3);
		const leader = cluster.leader();
		await cluster.input(leader, { type: "closing" });
		cluster.off(leader);
		await cluster.step();
		expect(cluster.leader()).not.toBe(leader);
		await goOn(cluster, cluster.leader());
	});

	it("that does not close after all leads nobody, and follows", async () => {
		const cluster = await foundedStreet(3);
		const leader = cluster.leader();
		await cluster.input(leader, { type: "closing" });
		expect(cluster.leader()).not.toBe(leader);
		await goOn(cluster, leader);
	});
});
