import { afterEach, describe, it } from "vitest";
import { expectToOutlive } from "../unit/signaling/outliving.js";
import { killPrograms } from "../unit/signaling/program.js";

/** What the unit test does with ten thousand pieces of damage, with twice as many for each seed. */
const SEEDS = Number(process.env.NABOSTROM_FUZZ_SEEDS ?? 20);

afterEach(killPrograms);

describe("the signaling server", () => {
	for (let seed = 1; seed <= SEEDS; seed++) {
		it(`outlives 20,500 damaged messages, frames and requests of seed ${seed}`, () =>
			expectToOutlive(seed, { texts: 10_000, frames: 8_000, upgrades: 2_500 }));
	}
});
