import { describe, expect, it } from "vitest";
import { RaftCluster } from "../../support/raftCluster.js";

const SEEDS = 100;

describe("a cluster of cores over a bad network, with crashes, partitions, voter changes and handovers", () => {
	it("keeps the five properties of the Raft paper (figure 3), signs nothing twice, and commits again when healed", () => {
		let committed = 0;
		let changes = 0;
		for (let seed = 1; seed <= SEEDS; seed++) {
			const cluster = new RaftCluster(seed);
			cluster.storm(400);
			committed += cluster.committedCount;
			changes += cluster.committedChanges;
			cluster.heal();
		}
		console.log(`${SEEDS} seeds: ${committed} blocks committed in storms, ${changes} of them voter changes`);
		// The storm lets work get done, else it would prove nothing.
		expect(committed).toBeGreaterThan(3 * SEEDS);
		expect(changes).toBeGreaterThan(SEEDS);
	});

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
