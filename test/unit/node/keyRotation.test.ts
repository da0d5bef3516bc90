import { describe, expect, it, vi } from "vitest";
import { decodeLink } from "../../../src/node/link.js";
import type { NodeOutput } from "../../../src/node/protocol.js";
import { MS_PER_MINUTE } from "../../../src/primitives/units.js";
import { confirm, propose } from "../../support/brokenStreet.js";
import { type Cluster, foundedStreet, invite } from "../../support/cluster.js";
import { removeHousehold } from "../../support/removal.js";

// Seven days of blocks take too long here.
vi.mock(import("../../../src/primitives/units.js"), async (units) => ({
	...(await units()),
	HOUSEHOLD_NOTICE_MINUTES: 1,
}));

const ledgerOf = (cluster: Cluster, at: number) => cluster.street(at).chain.head.ledger;
const changesOf = (cluster: Cluster, at: number) => ledgerOf(cluster, at).keyRotations?.salts.length ?? 0;
const topicsOf = (cluster: Cluster, at: number) => cluster.house(at).network?.topics ?? [];
const isOut = (cluster: Cluster, member: number) =>
	ledgerOf(cluster, 0).households[member]?.removal?.completed === true;

/** The last house moves out, and is switched off when it is out. */
async function moveOut(cluster: Cluster, member: number): Promise<void> {
	await removeHousehold(cluster, member);
	await cluster.until(() => isOut(cluster, member), "it is out");
	await cluster.settle();
	cluster.off(member);
}

/** Two minutes of the founder's meter, the second of which had not begun before. */
async function meter(cluster: Cluster): Promise<void> {
	for (let minutes = 0; minutes < 2; minutes++) {
		await cluster.nextMinute(1_000);
		await cluster.read(0, Math.floor(cluster.chainMs / MS_PER_MINUTE) - 1, 5);
		await cluster.nextMinute();
		await cluster.settle();
	}
}

async function restoreLinkOf(cluster: Cluster, at: number): Promise<string> {
	const reply = await cluster.command(at, { type: "restoreLink" });
	if (!reply.ok || reply.value.type !== "link") throw new Error("a restore link");
	return reply.value.link;
}

function generationIn(link: string): number | undefined {
	const decoded = decodeLink(link);
	return decoded.ok ? decoded.value.keyGeneration : undefined;
}

describe("when a household has moved out", () => {
	it("the others go on under another key, and no channel closes by it", async () => {
		const cluster = await foundedStreet(4);
		await moveOut(cluster, 3);
		const [before, meshIds] = [topicsOf(cluster, 0), cluster.houses.map(({ network }) => network?.meshId)];
		const closed = cluster.houses.map((house) => house.closed.length);
		expect([changesOf(cluster, 0), cluster.view(1).links]).toEqual([0, undefined]);
		await meter(cluster);
		// Which everybody is told: links are kept for long.
		const changedMs = ledgerOf(cluster, 1).keyRotations?.salts[0]?.timestampMs ?? 0;
		expect(cluster.view(1).links).toEqual({ changedMs, oldUntilMs: changedMs + 30 * 1_440 * MS_PER_MINUTE });
		for (const at of [0, 1, 2]) {
			expect(changesOf(cluster, at)).toBe(1);
			expect(ledgerOf(cluster, at).keyRotations).toEqual(ledgerOf(cluster, 0).keyRotations);
			const topics = topicsOf(cluster, at);
			expect([topics.length, before.includes(topics[0] ?? "")]).toEqual([12, false]);
			// The hub of the hour, under which everybody announces itself.
			expect(topics[0]).toBe(topicsOf(cluster, 0)[0]);
			expect(cluster.house(at).network?.meshId).toBe(meshIds[at]);
			expect(cluster.house(at).closed).toHaveLength(closed[at] ?? -1);
		}
		expect([cluster.areConnected(0, 1), cluster.areConnected(0, 2), cluster.areConnected(1, 2)]).toEqual([
			true,
			true,
			true,
		]);

		// Nor by a start: what is kept is the key that it came in with.
		const topics = topicsOf(cluster, 1);
		cluster.off(1);
		await cluster.on(1);
		expect(topicsOf(cluster, 1)).toEqual(topics);
	});

	it("links hold the other key, and lead to where it is spoken under", async () => {
		const cluster = await foundedStreet(4);
		const old = await restoreLinkOf(cluster, 1);
		await moveOut(cluster, 3);
		await meter(cluster);
		const invitation = await invite(cluster);
		expect([old, invitation, await restoreLinkOf(cluster, 1)].map(generationIn)).toEqual([0, 1, 1]);
		const { index: joiner } = await cluster.add();
		const command = {
			type: "join" as const,
			link: invitation,
			householdName: "Moe",
			alwaysOn: true,
			signalingUrls: [],
		};
		expect(await cluster.outcome(joiner, command)).toBe("ok");
		await cluster.until(() => cluster.house(joiner).node.street?.member === 4, "it is a member");
		await cluster.settle();
		// Nothing older is known to it, and nothing newer was made of it.
		expect(topicsOf(cluster, joiner)).toHaveLength(6);
		expect(topicsOf(cluster, joiner)[0]).toBe(topicsOf(cluster, 0)[0]);
		expect(generationIn(await restoreLinkOf(cluster, joiner))).toBe(1);
	});

	it("it does not get the other key itself, though its device stays on", async () => {
		const cluster = await foundedStreet(4);
		await removeHousehold(cluster, 3);
		await cluster.until(() => isOut(cluster, 3), "it is out");
		await cluster.until(() => cluster.view(3).members[3]?.movingOut === "completed", "it learns that it is");
		const topics = topicsOf(cluster, 3);
		await meter(cluster);
		expect([0, 3].map((at) => changesOf(cluster, at))).toEqual([1, 0]);
		expect(topicsOf(cluster, 3)).toEqual(topics);
		expect(topics.includes(topicsOf(cluster, 0)[0] ?? "")).toBe(false);
	});

	it("a device that was away hears the others under the key that it has, and follows", async () => {
		const cluster = await foundedStreet(5);
		cluster.off(2);
		await moveOut(cluster, 4);
		await meter(cluster);
		await cluster.on(2);
		expect(topicsOf(cluster, 2)).toHaveLength(6);
		await cluster.settle();
		expect(changesOf(cluster, 2)).toBe(1);
		expect(topicsOf(cluster, 2)[0]).toBe(topicsOf(cluster, 0)[0]);
	});

	it("a device in place of one of before begins under the newest key", async () => {
		const cluster = await foundedStreet(5);
		await moveOut(cluster, 4);
		await meter(cluster);
		const at = 3;
		const device = cluster.street(at).device ?? 0;
		await cluster.act(at, { type: "revoke", device });
		expect(await cluster.outcome(at, { type: "admitAnew" })).toBe("ok");
		const { networkKey, keyGeneration } = cluster.street(at).config;
		expect(keyGeneration).toBe(1);
		expect(networkKey).not.toEqual(cluster.street(0).config.networkKey);
		expect(topicsOf(cluster, at)[0]).toBe(topicsOf(cluster, 0)[0]);
	});

	it("the key goes along into the chain that the neighbourhood is founded again with", async () => {
		const cluster = await foundedStreet(8, {}, 3);
		const { voters } = ledgerOf(cluster, 0);
		const phones = cluster.houses.map(({ index }) => index).filter((at) => !voters.includes(at));
		await moveOut(cluster, phones.pop() ?? 0);
		await meter(cluster);
		const { keyRotations } = ledgerOf(cluster, 0);
		const topics = topicsOf(cluster, 0);
		for (const lost of voters.slice(1)) cluster.off(lost);
		await cluster.run(12_000, 500);
		await propose(cluster);
		await cluster.run(2_000, 500);
		for (const at of phones) expect(await confirm(cluster, at)).toBe("ok");
		await cluster.until(() => ledgerOf(cluster, 0).predecessor !== undefined, "there is a new chain");
		await cluster.settle();
		for (const at of [0, ...phones]) {
			expect(ledgerOf(cluster, at).predecessor).toBeDefined();
			expect(ledgerOf(cluster, at).keyRotations).toEqual(keyRotations);
			expect(topicsOf(cluster, at)[0]).toBe(topics[0]);
			expect(cluster.street(at).config.keyGeneration).toBe(0);
		}
	});

	it("whoever is not known here calls in vain under the old key 30 days later, and a device in use does not", async () => {
		let sealed: Extract<NodeOutput, { type: "sealedSignal" }> | undefined;
		let heard = 0;
		const onOutput = (output: NodeOutput) => {
			if (output.type === "sealedSignal") sealed = output;
			if (output.type === "signal") heard += 1;
		};
		const cluster = await foundedStreet(5, { onOutput });
		const link = await restoreLinkOf(cluster, 1);
		cluster.off(2);
		await moveOut(cluster, 4);
		await meter(cluster);
		const { index: stranger } = await cluster.add();
		cluster.isolate(2);
		cluster.isolate(stranger);
		await cluster.on(2);
		expect(await cluster.outcome(stranger, { type: "restore", link, alwaysOn: true, signalingUrls: [] })).toBe("ok");
		cluster.chainMs += 31 * 24 * 60 * MS_PER_MINUTE;
		await cluster.step();
		const call = async (from: number) => {
			const before = heard;
			const draft = { session: "5".repeat(32), sequence: 1, kind: "announce" as const };
			await cluster.input(from, { type: "signal", draft });
			if (sealed === undefined) throw new Error("it was said");
			await cluster.input(0, { type: "sealedSignal", topic: sealed.topic, sealed: sealed.sealed });
			return heard - before;
		};
		expect([await call(2), await call(stranger)]).toEqual([1, 0]);
		expect(cluster.view(0).refusals).toMatchObject({ "signal-under-old-key": 1 });
	});
});
