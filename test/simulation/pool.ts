/** Processes that simulate seeds: one per core, each with one seed at a time. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Answer, Task } from "./seedWorker.js";

/** A process on the project in a folder, which may be a mutant's copy. */
export class SeedProcess {
	readonly #child: ChildProcess;

	constructor(project: string) {
		this.#child = fork(join(project, "test/simulation/seedWorker.ts"), [], {
			cwd: project,
			execArgv: ["--import", "tsx"],
		});
	}

	/** Rejects when the process ends before it has answered. */
	run(task: Task): Promise<Answer> {
		return new Promise((resolve, reject) => {
			const onExit = (code: number | null) => reject(new Error(`the process of seed ${task.seed} ended with ${code}`));
			this.#child.once("exit", onExit);
			this.#child.once("message", (answer) => {
				this.#child.off("exit", onExit);
				resolve(answer as Answer);
			});
			this.#child.send(task);
		});
	}

	stop(): void {
		this.#child.kill();
	}
}

/** Does all tasks, as many at once as there are processes; each answer is looked at in the order of the tasks. */
export async function runAll(
	tasks: readonly Task[],
	project: string,
	processes: number,
	onAnswer: (answer: Answer) => "go on" | "stop",
): Promise<void> {
	const answers = new Map<number, Answer>();
	let next = 0;
	let shown = 0;
	let isOver = false;
	const lane = async (): Promise<void> => {
		const seeds = new SeedProcess(project);
		try {
			for (let at = next++; at < tasks.length && !isOver; at = next++) {
				const task = tasks[at];
				if (task === undefined) break;
				answers.set(at, await seeds.run(task));
				for (let answer = answers.get(shown); answer !== undefined && !isOver; answer = answers.get(shown)) {
					answers.delete(shown);
					shown += 1;
					isOver = onAnswer(answer) === "stop";
				}
			}
		} finally {
			seeds.stop();
		}
	};
	await Promise.all(Array.from({ length: Math.min(processes, tasks.length) }, lane));
}
