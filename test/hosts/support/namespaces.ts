/** Computers as network namespaces. Nothing of the machine's own network is touched. */
import type { ChildProcess, StdioOptions } from "node:child_process";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface Computer {
	readonly address: string;
	/** What to start instead of `program`, so that it runs on this computer. */
	inside(program: string, args: readonly string[]): { file: string; args: string[] };
	spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess;
	/** Ends with the program's output. */
	run(program: string, args: readonly string[]): string;
}

export interface SpawnOptions {
	cwd: string;
	stdio: StdioOptions;
}

const PREFIX = "nabostrom-test-";

/** The namespace of this run's computer of that name. */
export function namespaceName(name: string | number): string {
	return `${PREFIX}${process.pid}-${name}`;
}

export function computerIn(namespace: string, address: string): Computer {
	const inside = (program: string, args: readonly string[]) => ({
		file: "ip",
		args: ["netns", "exec", namespace, program, ...args],
	});
	return {
		address,
		inside,
		spawn(program, args, options) {
			const command = inside(program, args);
			return spawn(command.file, command.args, options);
		},
		run(program, args) {
			const command = inside(program, args);
			return execFileSync(command.file, command.args, { encoding: "utf8" });
		},
	};
}

export function ip(...args: string[]): void {
	execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** Ends what runs in the namespaces, and removes them; also when the run is broken off. Those of earlier ones go now. */
export function removingAtExit(namespaces: readonly string[]): () => void {
	removeLeftOvers();
	const remove = () => {
		process.removeListener("exit", remove);
		for (const namespace of namespaces) removeNamespace(namespace);
	};
	process.on("exit", remove);
	return remove;
}

/** Whatever runs in the namespace was started by this test: nothing else knows its name. */
function removeNamespace(name: string): void {
	const { status, stdout } = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" });
	if (status !== 0) return;
	for (const pid of stdout.split("\n").filter((line) => line !== "")) {
		try {
			process.kill(Number(pid), "SIGKILL");
		} catch {
			// It has ended by itself meanwhile.
		}
	}
	spawnSync("ip", ["netns", "delete", name]);
}

/** Namespaces of runs that were killed. */
function removeLeftOvers(): void {
	if (!existsSync("/run/netns")) return;
	for (const name of readdirSync("/run/netns")) {
		const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
		if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeNamespace(name);
	}
}

export function isOnPath(program: string): boolean {
	return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}
