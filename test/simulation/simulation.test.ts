import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { build } from "vite";
import { describe, expect, it } from "vitest";
import { startService } from "../../signaling/service.js";
import { CHROMIUM_ARGS, chromiumPath } from "../e2e/support/app.js";
import type { Fault } from "./fault.js";
import { hunt } from "./mutants.js";
import { drawPlan, type Plan } from "./plan.js";
import { runAll } from "./pool.js";
import { shrink } from "./shrink.js";
import { type Outcome, simulate } from "./simulation.js";

const project = fileURLToPath(new URL("../../", import.meta.url));
/** A look at them: `npm run simulate` goes on for as long as it is let. */
const QUICK_SEEDS = 8;
const QUICK_MINUTES = 10;
/** A seed with crashes, cuts and a restart. */
const BUSY_SEED = 17;

async function outcomesOf(seeds: number): Promise<Outcome[]> {
	const outcomes: Outcome[] = [];
	const tasks = Array.from({ length: seeds }, (_, at) => ({ seed: at + 1, minutes: QUICK_MINUTES, shrinkRuns: 0 }));
	await runAll(tasks, project, 2, ({ outcome }) => {
		outcomes.push(outcome);
		return "go on";
	});
	return outcomes;
}

describe("streets under every kind of fault", () => {
	it(`keep all that they promise: ${QUICK_SEEDS} of them, ten minutes each`, async () => {
		const outcomes = await outcomesOf(QUICK_SEEDS);
		for (const { seed, violation, lines } of outcomes) {
			expect(violation, `seed ${seed}: ${violation?.text}\n${lines.join("\n")}`).toBeUndefined();
		}
		// Otherwise nothing was shown: things did go wrong, and life went on.
		const count = (kind: string) => outcomes.reduce((sum, { counts }) => sum + (counts[kind] ?? 0), 0);
		expect(count("crash")).toBeGreaterThan(8);
		expect(count("isolation") + count("partition")).toBeGreaterThan(8);
		expect(count("readings handed in")).toBeGreaterThan(200);
		expect(count("acts signed")).toBeGreaterThan(40);
	}, 240_000);

	it("have the same story whenever they have the same seed, and another one otherwise", async () => {
		const run = (seed: number) => simulate(drawPlan(seed, { minutes: QUICK_MINUTES }));
		const [first, again, other] = [await run(BUSY_SEED), await run(BUSY_SEED), await run(BUSY_SEED + 1)];
		expect(again).toEqual(first);
		expect(other.hash).not.toBe(first.hash);
	}, 60_000);

	it("have the same story in Chromium", async () => {
		const folder = await mkdtemp(join(tmpdir(), "simulation-"));
		await build({
			configFile: false,
			logLevel: "warn",
			root: fileURLToPath(new URL("fixtures/", import.meta.url)),
			build: { outDir: join(folder, "site"), rolldownOptions: { input: "simulation.html" } },
		});
		const service = await startService({ port: 0, staticFolder: join(folder, "site") });
		if (!service.ok) throw new Error(service.error.code);
		const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS });
		try {
			const page = await browser.newPage();
			await page.goto(`${service.value.localUrl}/simulation.html`);
			const inBrowser = await page.evaluate(
				([seed, minutes]) => window.simulateSeed(seed ?? 0, minutes ?? 0),
				[BUSY_SEED, QUICK_MINUTES],
			);
			const { hash } = await simulate(drawPlan(BUSY_SEED, { minutes: QUICK_MINUTES }));
			expect(inBrowser).toEqual({ hash, rule: undefined });
		} finally {
			await browser.close();
			await service.value.stop();
			await rm(folder, { recursive: true, force: true });
		}
	}, 120_000);
});

describe("the simulator itself", () => {
	it("catches a node that acknowledges before it has written", async () => {
		const options = { firstSeed: 1, seeds: 20, minutes: QUICK_MINUTES };
		const { caught } = await hunt(project, "acknowledgement-before-the-write", options);
		expect(caught?.rule).toBe("no send before its persist");
	}, 120_000);

	it("cuts a failing plan down to the faults that it takes", async () => {
		const plan = drawPlan(BUSY_SEED, { minutes: 600 });
		const needed = [plan.faults[3], plan.faults.at(-2)];
		// Breaks when two certain faults come together.
		const run = async ({ faults }: Plan): Promise<Outcome> => {
			const isBroken = needed.every((fault) => fault !== undefined && faults.includes(fault));
			const violation = isBroken ? { rule: "a rule", text: "" } : undefined;
			return { seed: plan.seed, hash: "", virtualMs: 0, counts: {}, blocks: 0, violation, lines: [] };
		};
		const shrunk = await shrink(plan, await run(plan), 200, run);
		expect(plan.faults.length).toBeGreaterThan(20);
		expect(shrunk.plan.faults).toEqual(needed);
	});

	it("draws every kind of fault", () => {
		const drawn = new Set<Fault["kind"]>();
		for (let seed = 0; seed < 300; seed++)
			for (const { kind } of drawPlan(seed, { minutes: 60 }).faults) drawn.add(kind);
		const kinds: Fault["kind"][] = [
			"loss",
			"duplication",
			"reordering",
			"delay",
			"late replies",
			"partition",
			"one-way partition",
			"non-transitive partition",
			"channels close",
			"crash",
			"isolation",
			"leaders in turn",
			"freeze",
			"night",
			"clock jump",
			"clock drift",
			"timer throttled",
			"slow validation",
			"slow disk",
			"storage wiped",
			"backup restored",
			"clone",
			"voter change",
			"remove and rejoin",
		];
		expect([...drawn].sort()).toEqual(kinds.sort());
		const large = Array.from({ length: 300 }, (_, seed) => drawPlan(seed, { minutes: 60 })).filter(
			({ households, joinAtMs }) => households + joinAtMs.length >= 20,
		);
		expect(large.length).toBeGreaterThanOrEqual(12);
	});
});
