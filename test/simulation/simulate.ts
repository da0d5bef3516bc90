/**
 * `npm run simulate -- --seeds N [--seed S] [--mutants] [--minutes M] [--within SECONDS]`: the lives of N streets, from
 * seed S on, M simulated minutes each; after so many seconds no new one is begun. Exit code 1 and a trace when something
 * does not hold; the last line is a hash over all that happened.
 */
import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { hunt, mutantNames } from "./mutants.js";
import { runAll } from "./pool.js";
import type { Answer } from "./seedWorker.js";

const project = fileURLToPath(new URL("../../", import.meta.url));
const MS_PER_HOUR = 3_600_000;
const PROGRESS_MS = 10_000;
const SHRINK_RUNS = 60;
/** A mutant's streets live shorter: there are many of them. */
const MUTANT_MINUTES = 20;
const MUTANT_SEEDS = 200;

interface Options {
	seeds: number | undefined;
	seed: number;
	minutes: number | undefined;
	within: number | undefined;
	mutants: boolean;
}

function readOptions(): Options {
	const { values } = parseArgs({
		options: {
			seeds: { type: "string" },
			seed: { type: "string" },
			minutes: { type: "string" },
			within: { type: "string" },
			mutants: { type: "boolean", default: false },
		},
	});
	const natural = (name: string, text: string | undefined): number | undefined => {
		if (text === undefined) return undefined;
		if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`--${name} is a number, not ${text}`);
		return Number(text);
	};
	const seed = natural("seed", values.seed);
	const seeds = natural("seeds", values.seeds) ?? (seed === undefined || values.mutants ? undefined : 1);
	const [minutes, within] = [natural("minutes", values.minutes), natural("within", values.within)];
	return { seeds, seed: seed ?? 1, minutes, within, mutants: values.mutants };
}

async function simulateSeeds({ seeds = 20, seed, minutes = 60, within }: Options): Promise<number> {
	const beganMs = Date.now();
	const total = new Totals();
	const tasks = Array.from({ length: seeds }, (_, at) => ({ seed: seed + at, minutes, shrinkRuns: SHRINK_RUNS }));
	let shownMs = beganMs;
	let failed = 0;
	await runAll(tasks, project, availableParallelism(), (answer) => {
		total.add(answer);
		if (answer.outcome.violation !== undefined) {
			failed += 1;
			console.log(describeFailure(answer));
			return "stop";
		}
		if (within !== undefined && Date.now() - beganMs > within * 1_000) return "stop";
		if (Date.now() - shownMs > PROGRESS_MS) {
			shownMs = Date.now();
			console.log(`${total.seeds} of ${seeds} seeds, ${total.describe(Date.now() - beganMs)}`);
		}
		return "go on";
	});
	console.log(`${total.seeds} seeds, ${failed} failed; ${total.describe(Date.now() - beganMs)}`);
	console.log(total.describeCounts());
	console.log(`trace-hash ${total.hash()}`);
	return failed === 0 ? 0 : 1;
}

class Totals {
	seeds = 0;
	#virtualMs = 0;
	#blocks = 0;
	readonly #counts = new Map<string, number>();
	readonly #hash = createHash("sha256");

	add({ outcome }: Answer): void {
		this.seeds += 1;
		this.#virtualMs += outcome.virtualMs;
		this.#blocks += outcome.blocks;
		this.#hash.update(outcome.hash);
		for (const [kind, count] of Object.entries(outcome.counts)) {
			this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
		}
	}

	describe(elapsedMs: number): string {
		const hours = this.#virtualMs / MS_PER_HOUR;
		const rate = hours / (elapsedMs / 1_000);
		return `${hours.toFixed(1)} simulated hours, ${this.#blocks} blocks, ${rate.toFixed(3)} simulated hours a second`;
	}

	describeCounts(): string {
		return [...this.#counts]
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([kind, count]) => `  ${kind}: ${count}`)
			.join("\n");
	}

	hash(): string {
		return this.#hash.digest("hex");
	}
}

function describeFailure({ outcome, faults }: Answer): string {
	const { seed, violation, lines } = outcome;
	return [
		`seed ${seed} fails: ${violation?.text}`,
		"what happened last:",
		...lines,
		`the faults that it takes (${faults.length}):`,
		...faults,
		`again: npm run simulate -- --seed ${seed}`,
	].join("\n");
}

async function huntMutants({ seeds = MUTANT_SEEDS, seed, minutes = MUTANT_MINUTES }: Options): Promise<number> {
	const names = mutantNames(project);
	let survived = 0;
	let next = 0;
	const lane = async (): Promise<void> => {
		for (let name = names[next++]; name !== undefined; name = names[next++]) {
			const { caught } = await hunt(project, name, { firstSeed: seed, seeds, minutes });
			if (caught === undefined) survived += 1;
			console.log(caught === undefined ? `${name} SURVIVED` : `${name} ${caught.at}`);
			if (caught !== undefined) console.error(`  ${name} broke: ${caught.rule}`);
		}
	};
	await Promise.all(Array.from({ length: availableParallelism() }, lane));
	return survived === 0 ? 0 : 1;
}

const options = readOptions();
process.exitCode = await (options.mutants ? huntMutants(options) : simulateSeeds(options));
