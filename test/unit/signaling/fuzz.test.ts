import { afterEach, it } from "vitest";
import { expectToOutlive } from "./outliving.js";
import { killPrograms } from "./program.js";

const SEED = Number(process.env.NABOSTROM_FUZZ_SEED ?? 20_250_621);

afterEach(killPrograms);

it("outlives 10,500 damaged messages, frames and requests: each refusal has its code, others notice nothing", () =>
	expectToOutlive(SEED, { texts: 6_000, frames: 3_500, upgrades: 1_000 }));
