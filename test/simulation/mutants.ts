/** Mutants: the source with one mistake each, kept as patches. A simulator that does not catch them proves nothing. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { SeedProcess } from "./pool.js";

export interface MutantResult {
	readonly name: string;
	/** At which seed it was caught, counted from 1, and by which rule. */
	readonly caught: { readonly at: number; readonly rule: string } | undefined;
}

export interface MutantOptions {
	firstSeed: number;
	seeds: number;
	minutes: number;
}

/** Names of all mutants. */
export function mutantNames(project: string): string[] {
	return readdirSync(join(project, "test/simulation/mutants"))
		.filter((file) => file.endsWith(".patch"))
		.map((file) => basename(file, ".patch"))
		.sort();
}

/** Simulates a mutant until it is caught. Throws when its patch does not apply any more. */
export async function hunt(project: string, name: string, options: MutantOptions): Promise<MutantResult> {
	const copy = mkdtempSync(join(tmpdir(), "nabostrom-mutant-"));
	try {
		for (const part of [
			"src",
			"test/simulation",
			"test/support",
			"package.json",
			"tsconfig.json",
			"tsconfig.base.json",
		]) {
			cpSync(join(project, part), join(copy, part), { recursive: true });
		}
		symlinkSync(join(project, "node_modules"), join(copy, "node_modules"));
		const patch = join(project, "test/simulation/mutants", `${name}.patch`);
		const applied = spawnSync("git", ["apply", patch], { cwd: copy, encoding: "utf8" });
		if (applied.status !== 0) throw new Error(`mutant ${name} does not apply any more:\n${applied.stderr}`);
		return { name, caught: await firstCatch(copy, options) };
	} finally {
		rmSync(copy, { recursive: true, force: true });
	}
}

async function firstCatch(project: string, options: MutantOptions): Promise<MutantResult["caught"]> {
	const { firstSeed, seeds, minutes } = options;
	const process = new SeedProcess(project);
	try {
		for (let at = 1; at <= seeds; at++) {
			const { outcome } = await process.run({ seed: firstSeed + at - 1, minutes, shrinkRuns: 0 });
			if (outcome.violation !== undefined) return { at, rule: outcome.violation.rule };
		}
		return undefined;
	} finally {
		process.stop();
	}
}
