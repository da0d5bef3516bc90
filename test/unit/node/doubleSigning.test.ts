import { describe, expect, it } from "vitest";
import { acknowledgementDigest, type Certificate } from "../../../src/block/certificate.js";
import type { DoubleSignature } from "../../../src/block/evidence.js";
import { type Cluster, foundedStreet } from "../../support/cluster.js";
import { keyedSign } from "../../support/keyedSignatures.js";
import { signedBy, tamperMessages } from "../../support/wrongNeighbour.js";

/** A certificate for another block in place of the head, or in another place, by these voters' own keys. */
function contradiction(
	cluster: Cluster,
	voters: readonly number[],
	{ index, term }: Pick<Certificate, "index" | "term"> = cluster.street(0).chain.head.block,
): Certificate {
	return signedBy(cluster, { index, term, hash: new Uint8Array(32).fill(7) }, voters);
}

const show = (cluster: Cluster, from: number, to: number, certificate: Certificate) => {
	const { block, hash } = cluster.street(from).chain.head;
	const where = { prevIndex: block.index, prevHash: hash, term: block.term };
	return cluster.say(from, to, { type: "appendEntries", round: 1, ...where, entries: [], certificate });
};

describe("a certificate that contradicts the own one", () => {
	it("convicts who signed both: everybody who sees it says so, the operator sees who it was, and the chain goes on", async () => {
		const cluster = await foundedStreet(4);
		await cluster.nextMinute();
		await cluster.settle();
		const leader = cluster.leader();
		const signed = cluster.street(0).raft?.certificate?.signatures.map(({ voter }) => voter) ?? [];
		const [liar = 0] = signed.filter((voter) => voter !== 0);
		const witness = leader === 0 ? (signed.find((voter) => voter !== 0) ?? 1) : leader;
		await show(cluster, witness, 0, contradiction(cluster, [liar]));
		expect(cluster.house(0).faults).toEqual(["double-signature"]);
		expect(cluster.view(0).faults).toMatchObject([{ fault: { code: "double-signature", device: liar } }]);
		expect(cluster.view(0).operator?.nodes.map(({ doubleSigned }) => doubleSigned)).toEqual(
			[0, 1, 2, 3].map((device) => device === liar),
		);
		// Everybody else hears of it, and whoever comes later; a start later it is still known.
		const accused = (at: number) => cluster.street(at).doubleSignatures.map(({ voter }) => voter);
		expect([0, 1, 2, 3].map(accused)).toEqual([[liar], [liar], [liar], [liar]]);
		const late = [1, 2, 3].find((at) => at !== witness && at !== liar) ?? 1;
		cluster.off(late);
		await cluster.on(late);
		expect(accused(late)).toEqual([liar]);
		// Shown again it is nothing new.
		await show(cluster, witness, 0, contradiction(cluster, [liar]));
		expect(cluster.house(0).faults).toHaveLength(1);
		const height = cluster.height(0);
		await cluster.until(() => cluster.height(0) > height, "the chain goes on");
	});

	it("convicts a voter that acknowledges another block than the one that it signed", async () => {
		const cluster = await foundedStreet(4);
		await cluster.nextMinute();
		await cluster.settle();
		const leader = cluster.leader();
		const signed = cluster.street(leader).raft?.certificate?.signatures.map(({ voter }) => voter) ?? [];
		const [liar = 0] = signed.filter((voter) => voter !== leader);
		const { term, index: matchIndex, hash, signatures } = contradiction(cluster, [liar]);
		const acknowledgement = { hash, signature: signatures[0]?.signature ?? hash };
		const reply = { round: 1, status: "match" as const, commitIndex: 0, chainMs: cluster.chainMs, refusedIds: [] };
		await cluster.say(liar, leader, { type: "appendReply", term, matchIndex, acknowledgement, ...reply });
		expect(cluster.street(leader).doubleSignatures.map(({ voter }) => voter)).toEqual([liar]);
	});

	it("is told in as many messages as it takes, and of one household no more than says anything", async () => {
		const cluster = await foundedStreet(3);
		await cluster.nextMinute();
		await cluster.settle();
		const { gridId } = cluster.street(0);
		const evidenceOf = (voter: number, index: number): DoubleSignature => {
			const { deviceSecret } = cluster.street(voter).config.keys;
			const [one, other] = [1, 2].map((byte) => {
				const hash = new Uint8Array(32).fill(byte);
				const signed = acknowledgementDigest(gridId, { index, term: 1, hash }, voter);
				return { hash, signature: keyedSign(signed, deviceSecret) };
			});
			if (one === undefined || other === undefined) throw new Error("two are made");
			return { voter, index, term: 1, signed: [one, other] };
		};
		for (const voter of [0, 1, 2]) {
			const doubleSignatures = Array.from({ length: 9 }, (_, at) => evidenceOf(voter, 1_000 + at));
			await cluster.say(1, 0, { type: "evidence", doubleSignatures });
		}
		// Four of each.
		expect(cluster.street(0).doubleSignatures).toHaveLength(12);
		const told: number[] = [];
		tamperMessages(cluster, (message, from, to) => {
			if (message.type === "evidence" && from === 0 && to === 2) told.push(message.doubleSignatures.length);
			return message;
		});
		cluster.off(2);
		await cluster.on(2);
		await cluster.settle();
		expect(told).toEqual([10, 2]);
		expect(cluster.street(2).doubleSignatures).toHaveLength(12);
	});

	it("that is made up costs the channel: nobody accuses without proof", async () => {
		const cluster = await foundedStreet(3);
		await cluster.nextMinute();
		await cluster.settle();
		const { signature } = cluster.street(0).raft?.certificate?.signatures[0] ?? { signature: new Uint8Array(65) };
		const signed = [1, 2].map((byte) => ({ hash: new Uint8Array(32).fill(byte), signature }));
		const [one, other] = signed;
		if (one === undefined || other === undefined) throw new Error("two");
		const doubleSignatures = [{ voter: 2, index: 1, term: 1, signed: [one, other] as const }];
		await cluster.say(1, 0, { type: "evidence", doubleSignatures });
		expect(cluster.street(0).doubleSignatures).toEqual([]);
		expect(cluster.house(0).faults).toEqual([]);
		expect(cluster.house(1).closed).toContain("bad-evidence");
	});

	it("convicts nobody where the signature is not the voter's, or the voter signed one of the two only", async () => {
		const cluster = await foundedStreet(4);
		await cluster.nextMinute();
		await cluster.settle();
		const signed = cluster.street(0).raft?.certificate?.signatures.map(({ voter }) => voter) ?? [];
		const [liar = 0] = signed.filter((voter) => voter !== 0);
		const silent = [0, 1, 2, 3].find((voter) => !signed.includes(voter)) ?? 3;
		const forged = contradiction(cluster, [liar]);
		const signatures = [{ voter: liar, signature: new Uint8Array(65) }];
		const from = cluster.leader() === 0 ? liar : cluster.leader();
		await show(cluster, from, 0, contradiction(cluster, [silent]));
		expect(cluster.house(0).closed).toEqual([]);
		await show(cluster, from, 0, { ...forged, signatures });
		expect(cluster.house(0).closed).toEqual(["certificate-bad-signature"]);
		expect(cluster.house(0).faults).toEqual([]);
	});

	it("is found at the head after a restart, too, and at a voter change long below it", async () => {
		const cluster = await foundedStreet(4);
		await cluster.act(0, { type: "voters", added: [], removed: [3] });
		const { votersSinceIndex } = cluster.street(0).chain.head.ledger;
		for (let minute = 0; minute < 3; minute++) await cluster.nextMinute();
		await cluster.settle();
		expect(cluster.height(0)).toBeGreaterThan(votersSinceIndex);
		const witness = [1, 2, 3].find((at) => at !== cluster.leader()) ?? 1;
		cluster.off(0);
		await cluster.on(0);
		await cluster.until(() => cluster.areConnected(0, witness), "it is back");
		await cluster.settle();
		const { head } = cluster.street(0).chain;
		const signersAt = () => cluster.street(0).doubleSignatures.map(({ index }) => index);
		const at = head.block.index;
		await show(cluster, witness, 0, contradiction(cluster, [0, 1, 2]));
		expect(new Set(signersAt())).toEqual(new Set([at]));
		const term = 1;
		await show(cluster, witness, 0, contradiction(cluster, [0, 1, 2, 3], { index: votersSinceIndex, term }));
		expect(new Set(signersAt())).toEqual(new Set([at, votersSinceIndex]));
	});

	it("convicts by what a leader had counted before it stepped down, in an answer with blocks as well", async () => {
		const cluster = await foundedStreet(4);
		const leader = cluster.leader();
		const [liar = 0, witness = 0] = [0, 1, 2, 3].filter((at) => at !== leader);
		cluster.isolate(leader);
		await cluster.command(leader, { type: "buy", amountMicroNok: 1 });
		const open = cluster.street(leader).raft?.tail.at(-1);
		if (open === undefined) throw new Error("a block is open");
		const { index, term } = open.block;
		const { gridId, config } = cluster.street(liar);
		const digest = acknowledgementDigest(gridId, { index, term, hash: open.hash }, liar);
		const acknowledgement = { hash: open.hash, signature: keyedSign(digest, config.keys.deviceSecret) };
		const reply = { round: 1, status: "match" as const, commitIndex: 0, chainMs: cluster.chainMs, refusedIds: [] };
		await cluster.say(liar, leader, { type: "appendReply", term, matchIndex: index, acknowledgement, ...reply });
		await cluster.until(() => cluster.street(leader).raft?.role !== "leader", "it steps down");
		const certificate = contradiction(cluster, [liar], { index, term });
		await cluster.say(witness, leader, { type: "blocks", fromIndex: index, blocks: [], certificate });
		expect(cluster.street(leader).doubleSignatures).toMatchObject([{ voter: liar, index, term }]);
	});
});

describe("two certified blocks for one place", () => {
	it("are an alarm, also where no voter signed twice in one term: said once, and the own block stays", async () => {
		const cluster = await foundedStreet(4);
		await cluster.nextMinute();
		await cluster.settle();
		const witness = cluster.leader() === 0 ? 1 : cluster.leader();
		const { block, hash } = cluster.street(0).chain.head;
		const place = { index: block.index, term: block.term + 1 };
		// Two of four are no majority: that is counted, and no fork.
		await show(cluster, witness, 0, contradiction(cluster, [1, 2], place));
		expect(cluster.house(0).faults).toEqual([]);
		expect(cluster.view(0).refusals["certificate-without-majority"]).toBe(1);
		const fork = contradiction(cluster, [1, 2, 3], place);
		await show(cluster, witness, 0, fork);
		await show(cluster, witness, 0, fork);
		expect(cluster.house(0).faults).toEqual(["conflicting-certificates"]);
		expect(cluster.view(0).faults).toMatchObject([{ fault: { code: "conflicting-certificates", ...place }, count: 1 }]);
		expect(cluster.house(0).closed).toEqual([]);
		expect(cluster.street(0).chain.head.hash).toEqual(hash);
		expect(cluster.street(0).doubleSignatures).toEqual([]);
		// Below the head as well.
		await cluster.until(() => cluster.height(0) >= block.index + 2, "blocks go on", 200_000);
		await show(cluster, witness, 0, contradiction(cluster, [1, 2, 3], { ...place, index: block.index + 1 }));
		expect(cluster.house(0).faults).toEqual(["conflicting-certificates", "conflicting-certificates"]);
	});
});
