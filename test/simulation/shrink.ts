/** Cuts a failing plan down: faults are taken away, first many at once, then one by one, as long as the same rule breaks. */
import type { Fault } from "./fault.js";
import type { Plan } from "./plan.js";
import { type Outcome, simulate } from "./simulation.js";

export interface Shrunk {
	readonly plan: Plan;
	readonly outcome: Outcome;
	/** Runs that it took. */
	readonly runs: number;
}

/** Delta debugging (Zeller 2002) over the list of faults. */
export async function shrink(plan: Plan, failed: Outcome, maxRuns: number, run = simulate): Promise<Shrunk> {
	let best = { plan, outcome: failed };
	let runs = 0;
	for (let size = Math.ceil(plan.faults.length / 2); size >= 1; ) {
		let isSmaller = false;
		for (let at = 0; at < best.plan.faults.length && runs < maxRuns; ) {
			const faults = [...best.plan.faults.slice(0, at), ...best.plan.faults.slice(at + size)];
			runs += 1;
			const outcome = await run({ ...best.plan, faults });
			if (outcome.violation?.rule === failed.violation?.rule) {
				best = { plan: { ...best.plan, faults }, outcome };
				isSmaller = true;
			} else at += size;
		}
		if (runs >= maxRuns) break;
		if (size === 1 && !isSmaller) break;
		size = size > 1 ? Math.ceil(size / 2) : 1;
	}
	return { ...best, runs };
}

/** A fault as a line for a person. */
export function describe(fault: Fault): string {
	const { atMs, kind, ...rest } = fault;
	return `${(atMs / 1_000).toFixed(3).padStart(10)} s  ${kind} ${JSON.stringify(rest)}`;
}
