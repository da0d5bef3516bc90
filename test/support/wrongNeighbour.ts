/** A neighbour says something wrong: what is refused has its code, is counted, and changes nothing. */
import { expect } from "vitest";
import { type Block, blockHash } from "../../src/block/block.js";
import type { AppendEntriesMessage } from "../../src/message/message.js";
import { type Cluster, foundedStreet } from "./cluster.js";

export interface Scene {
	cluster: Cluster;
	leader: number;
	/** Who is told something wrong, by `other`, or by the leader. */
	victim: number;
	other: number;
}

export async function street(): Promise<Scene> {
	const cluster = await foundedStreet(4);
	const leader = cluster.leader();
	const [victim = 0, other = 0] = cluster.houses.map(({ index }) => index).filter((at) => at !== leader);
	return { cluster, leader, victim, other };
}

export const refusals = ({ cluster, victim }: Scene) => cluster.view(victim).refusals;
const stateOf = ({ cluster, victim }: Scene) => {
	const { chain, raft, mempool } = cluster.street(victim);
	const { term, role, base, votes, acknowledgements, ahead } = raft ?? {};
	const counted = [votes?.size, acknowledgements?.size, ahead?.index];
	return [blockHash(chain.last.block), term, role, base?.index, counted, mempool.size];
};

/** Something wrong arrives: it is refused with its code, counted, and has changed nothing; the street goes on. */
export async function expectRefused(
	scene: Scene,
	code: string,
	closes: boolean,
	work: () => Promise<void>,
): Promise<void> {
	const { cluster, victim } = scene;
	const before = stateOf(scene);
	const count = refusals(scene)[code] ?? 0;
	await work();
	expect(refusals(scene)[code]).toBe(count + 1);
	expect(cluster.house(victim).closed).toEqual(closes ? [code] : []);
	expect(stateOf(scene)).toEqual(before);
	const height = cluster.height(victim);
	await cluster.until(() => cluster.height(victim) > height, "the street goes on");
	await cluster.settle();
}

/** An empty message of a leader that has that head. */
export const heartbeat = (head: { block: Block; hash: Uint8Array }): AppendEntriesMessage => ({
	type: "appendEntries",
	term: 1,
	round: 1,
	prevIndex: head.block.index,
	prevHash: head.hash,
	entries: [],
	certificate: undefined,
});
