import { describe, expect, it } from "vitest";
import { acknowledgementDigest, type Certificate } from "../../../src/block/certificate.js";
import { type Cluster, foundedStreet } from "../../support/cluster.js";
import { keyedSign } from "../../support/keyedSignatures.js";

/** A certificate for another block in place of the head, by these voters' own keys. */
function contradiction(cluster: Cluster, voters: readonly number[]): Certificate {
	const { chain, gridId } = cluster.street(0);
	const { index, term } = chain.head.block;
	const other = { index, term, hash: new Uint8Array(32).fill(7) };
	const signatures = voters.map((voter) => {
		const { deviceSecret } = cluster.street(voter).config.keys;
		return { voter, signature: keyedSign(acknowledgementDigest(gridId, other, voter), deviceSecret) };
	});
	return { ...other, signatures };
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
		// Shown again it is nothing new.
		await show(cluster, witness, 0, contradiction(cluster, [liar]));
		expect(cluster.house(0).faults).toHaveLength(1);
		const height = cluster.height(0);
		await cluster.until(() => cluster.height(0) > height, "the chain goes on");
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
		await show(cluster, from, 0, { ...forged, signatures });
		await show(cluster, from, 0, contradiction(cluster, [silent]));
		expect(cluster.house(0).faults).toEqual([]);
	});
});
