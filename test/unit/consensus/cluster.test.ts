import { describe, expect, it } from "vitest";
import { RaftCluster } from "../../support/raftCluster.js";

const SEEDS = 300;

describe("a cluster of cores over a network that loses, delays, repeats and reorders, with crashes and partitions", () => {
	it("keeps the five properties of the Raft paper (figure 3), signs nothing twice, and commits again when healed", () => {
		let committed = 0;
		for (let seed = 1; seed <= SEEDS; seed++) {
			const cluster = new RaftCluster(seed);
			cluster.storm(400);
			committed += cluster.committedCount;
			cluster.heal();
		}
		// The storm lets work get done, else it would prove nothing.
		expect(committed).toBeGreaterThan(3 * SEEDS);
	}, 120_000);

	it("gives the same run for the same seed", () => {
		const trace = (seed: number) => {
			const cluster = new RaftCluster(seed);
			cluster.storm(200);
			return cluster.trace;
		};
		expect(trace(42)).toEqual(trace(42));
		expect(trace(42)).not.toEqual(trace(43));
	});
});
