/** A TURN server (coturn) on a computer of the test, with one user. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Computer } from "./namespaces.js";
import { createScratch } from "./scratch.js";

export interface TurnServer {
	/** `HOST:PORT`. */
	address: string;
	/** How many relayed addresses it has given out. */
	allocations(): number;
	stop(): Promise<void>;
}

export const TURN_USER = "solbakken";
export const TURN_PASSWORD = "hemmelig";
const PORT = 3_478;
const START_MS = 10_000;

export async function startTurn(computer: Computer): Promise<TurnServer> {
	const scratch = createScratch("turn");
	const options = [
		...["-n", "--no-cli", "--no-tls", "--no-dtls", "--fingerprint", "--lt-cred-mech", "--verbose"],
		...["--listening-ip", computer.address, "--relay-ip", computer.address, "--listening-port", String(PORT)],
		...["--realm", "nabostrom", "--user", `${TURN_USER}:${TURN_PASSWORD}`, "--log-file", "stdout", "--simple-log"],
		...["--pidfile", `${scratch.folder}/pid`, "--userdb", `${scratch.folder}/db`],
	];
	const program = computer.spawn("turnserver", options, { cwd: scratch.folder, stdio: ["ignore", "pipe", "pipe"] });
	let log = "";
	for (const stream of [program.stdout, program.stderr]) {
		stream?.on("data", (bytes: Buffer) => {
			log += bytes.toString();
		});
	}
	for (let waitedMs = 0; !/listener opened on.*3478/i.test(log); waitedMs += 100) {
		if (waitedMs > START_MS || program.exitCode !== null) throw new Error(`no TURN server: ${log.slice(-2_000)}`);
		await sleep(100);
	}
	return {
		address: `${computer.address}:${PORT}`,
		allocations: () => log.match(/ALLOCATE processed, success/g)?.length ?? 0,
		async stop() {
			const ended = once(program, "exit");
			program.kill("SIGKILL");
			await ended;
			scratch.remove();
		},
	};
}
