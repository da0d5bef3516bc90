/** The server as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const project = fileURLToPath(new URL("../../../", import.meta.url));
const running: ChildProcess[] = [];

/** Ends whatever {@link run} began. */
export function killPrograms(): void {
	for (const child of running.splice(0)) child.kill("SIGKILL");
}

export interface Program {
	child: ChildProcess;
	out: () => string;
	err: () => string;
	exit: Promise<number | null>;
}

/** Runs a program of Node.js. */
export function run(args: string[], cwd = project): Program {
	const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
	running.push(child);
	let [out, err] = ["", ""];
	child.stdout.on("data", (chunk) => {
		out += chunk;
	});
	child.stderr.on("data", (chunk) => {
		err += chunk;
	});
	const exit = new Promise<number | null>((resolve) => child.on("close", resolve));
	return { child, out: () => out, err: () => err, exit };
}

export const server = (...args: string[]) => run(["--import", "tsx", "signaling/server.ts", ...args]);

/** A signaling server on free ports of this computer, once it listens. */
export async function startSignaling(...args: string[]): Promise<Program & { url: string }> {
	const program = server("--port", "0", "--host", "127.0.0.1", "--signaling-only", ...args);
	let hasEnded = false;
	program.exit.then(() => {
		hasEnded = true;
	});
	while (!program.out().includes("Ctrl+C")) {
		if (hasEnded) throw new Error(program.err());
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	const [url = ""] = /ws:\/\/\S+/.exec(program.out()) ?? [];
	return { ...program, url: url.replace("ws", "http") };
}
