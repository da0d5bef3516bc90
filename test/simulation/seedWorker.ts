/** A process that simulates one seed after another for `simulate.ts`. */
import { drawPlan } from "./plan.js";
import { describe, shrink } from "./shrink.js";
import { type Outcome, simulate } from "./simulation.js";

export interface Task {
	readonly seed: number;
	readonly minutes: number;
	/** So many runs may be spent on cutting a failure down. */
	readonly shrinkRuns: number;
}

export interface Answer {
	readonly outcome: Outcome;
	/** Of a failure: the faults that it needs, and the events of the run with only these. */
	readonly faults: readonly string[];
}

async function work({ seed, minutes, shrinkRuns }: Task): Promise<Answer> {
	const plan = drawPlan(seed, { minutes });
	const outcome = await simulate(plan);
	if (outcome.violation === undefined || shrinkRuns === 0) return { outcome, faults: [] };
	const shrunk = await shrink(plan, outcome, shrinkRuns);
	const { violation, lines } = shrunk.outcome;
	return { outcome: { ...outcome, violation, lines }, faults: shrunk.plan.faults.map(describe) };
}

process.on("message", (task: Task) => {
	work(task).then(
		(answer) => process.send?.(answer),
		(error: unknown) => {
			console.error(`seed ${task.seed}:`, error);
			process.exit(1);
		},
	);
});
process.on("disconnect", () => process.exit(0));
