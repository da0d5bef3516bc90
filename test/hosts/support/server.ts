/** The real server program, started on a computer of the test as `npm start` does it there for the first time. */
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Computer } from "./namespaces.js";
import { createScratch } from "./scratch.js";

export interface ServerProgram {
	/** What it printed. */
	greeting: string;
	/** The addresses in it. */
	localUrl: string;
	lanUrl: string;
	/** The authority's SHA-256 fingerprint in it. */
	fingerprint: string;
	stop(): Promise<void>;
}

const project = fileURLToPath(new URL("../../../", import.meta.url));
/** It builds the app first. */
const START_MS = 150_000;
const STOP_MS = 5_000;

/** With an empty `dist` and without a certificate: whoever works in this folder keeps theirs. */
export async function startServer(host: Computer): Promise<ServerProgram> {
	const scratch = createScratch("server");
	const mounts = ["dist", join(".cache", "certificate")].map((folder) => {
		const own = join(scratch.folder, folder);
		mkdirSync(own, { recursive: true });
		mkdirSync(join(project, folder), { recursive: true });
		return `mount --bind '${own}' '${join(project, folder)}'`;
	});
	// `ip netns exec` gives each program a mount namespace of its own: nobody else sees these.
	const script = [...mounts, `exec '${process.execPath}' signaling/start.mjs`].join(" && ");
	const program = host.spawn("sh", ["-c", script], { cwd: project, stdio: ["ignore", "pipe", "pipe"] });
	let printed = "";
	const greeted = new Promise<void>((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error(`no greeting within ${START_MS} ms: ${printed}`)), START_MS);
		for (const stream of [program.stdout, program.stderr]) {
			stream?.on("data", (bytes: Buffer) => {
				printed += bytes.toString();
				if (!printed.includes("Stop with Ctrl+C.")) return;
				clearTimeout(timer);
				resolve();
			});
		}
		program.once("exit", (code) => {
			clearTimeout(timer);
			reject(new Error(`the server ended with ${code}: ${printed}`));
		});
	});
	const stop = async () => {
		if (program.exitCode === null && program.signalCode === null) {
			const ended = once(program, "exit");
			program.kill("SIGTERM");
			const timer = setTimeout(() => program.kill("SIGKILL"), STOP_MS);
			await ended;
			clearTimeout(timer);
		}
		scratch.remove();
	};
	try {
		await greeted;
	} catch (error) {
		await stop();
		throw error;
	}
	return {
		greeting: printed,
		localUrl: /On this computer:\s+(\S+)/.exec(printed)?.[1] ?? "",
		lanUrl: /For the neighbours:\s+(\S+)/.exec(printed)?.[1] ?? "",
		fingerprint: /([0-9A-F]{2}:){31}[0-9A-F]{2}/.exec(printed)?.[0] ?? "",
		stop,
	};
}
