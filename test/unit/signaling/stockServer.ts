/** Runs y-webrtc's own signaling server, the protocol's reference. */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";

const entry = createRequire(import.meta.url).resolve("y-webrtc");
/** The package's entry lies in its dist folder. */
const program = join(dirname(entry), "../bin/server.js");

export interface StockServer {
	url: string;
	process: ChildProcess;
	stop(): void;
}

export async function startStockServer(port?: number): Promise<StockServer> {
	const chosen = port ?? (await freePort());
	const child = spawn(process.execPath, [program], {
		env: { ...process.env, PORT: String(chosen) },
		stdio: ["ignore", "pipe", "ignore"],
	});
	const url = `ws://127.0.0.1:${chosen}`;
	for (let tries = 0; tries < 100; tries++) {
		try {
			await fetch(url.replace("ws", "http"));
			return { url, process: child, stop: () => child.kill() };
		} catch {
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}
	throw new Error("y-webrtc's server did not start");
}

/** A port that nobody listens on at this moment. */
export function freePort(): Promise<number> {
	return new Promise((resolve) => {
		const server = createServer();
		server.listen(0, "127.0.0.1", () => {
			const address = server.address();
			server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
		});
	});
}
