/** A plain WebSocket client for tests: says anything, and remembers what it hears. */
import { once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";

export interface TestSocket {
	socket: WebSocket;
	/** Everything heard so far that nobody has taken yet. */
	heard: unknown[];
	/** Resolves with the close code. */
	closed: Promise<number>;
	say(message: unknown): void;
	/** The next message, in order; fails after two seconds. */
	next(): Promise<unknown>;
}

export async function connect(url: string, options: ClientOptions = {}): Promise<TestSocket> {
	const socket = new WebSocket(url.replace(/^http/, "ws"), options);
	const heard: unknown[] = [];
	const waiting: (() => void)[] = [];
	socket.on("message", (data: Buffer) => {
		heard.push(JSON.parse(data.toString("utf8")));
		waiting.shift()?.();
	});
	const closed = new Promise<number>((resolve) => socket.on("close", resolve));
	await once(socket, "open");
	// What goes wrong later shows in `closed`.
	socket.on("error", () => {});
	return {
		socket,
		heard,
		closed,
		say: (message) => socket.send(JSON.stringify(message)),
		async next() {
			if (heard.length === 0) {
				await new Promise<void>((resolve, reject) => {
					waiting.push(resolve);
					setTimeout(() => reject(new Error("nothing was heard for 20 s")), 20_000);
				});
			}
			return heard.shift();
		},
	};
}

/** Waits until the server has worked off what this socket said: pong comes after it. */
export async function settled(client: TestSocket): Promise<void> {
	client.say({ type: "ping" });
	await client.next();
}

/** The server's own count of what it refused. */
export async function health(
	url: string,
): Promise<{ ok: boolean; sockets: number; topics: number; refused: Record<string, number> }> {
	const response = await fetch(`${url}/health`);
	return (await response.json()) as Awaited<ReturnType<typeof health>>;
}
