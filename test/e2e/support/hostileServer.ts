/**
 * A server that serves the real app and is a hostile signaling server: it drops, delays, reorders, repeats, alters and
 * moves what pages tell one another, floods them with what only looks like it, and writes down every byte.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

export interface HostileServer {
	url: string;
	/** Everything that was heard, as text. */
	readonly log: readonly string[];
	/** How often it did what. */
	readonly deeds: Readonly<Record<"forwarded" | "dropped" | "repeated" | "altered" | "moved" | "invented", number>>;
	stop(): Promise<void>;
}

const DROPPED = 0.4;
const LONGEST_DELAY_MS = 400;
const REPEATED_AFTER_MS = [500, 3_000];
const FLOOD_EVERY_MS = 50;
const FLOOD_AT_ONCE = 5;

/** Numbers in [0, 1) that are the same each time (a linear congruential generator). */
function dice(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	};
}

/** `appUrl`: the real server, whose files it hands on. */
export async function startHostileServer(appUrl: string): Promise<HostileServer> {
	const roll = dice(7);
	const log: string[] = [];
	const deeds = { forwarded: 0, dropped: 0, repeated: 0, altered: 0, moved: 0, invented: 0 };
	const subscriptions = new Map<WebSocket, Set<string>>();
	const timers = new Set<ReturnType<typeof setTimeout>>();
	let example = "AAAA";

	const later = (delayMs: number, act: () => void) => {
		const timer = setTimeout(() => {
			timers.delete(timer);
			act();
		}, delayMs);
		timers.add(timer);
	};
	const tell = (topic: string, data: unknown) => {
		const text = JSON.stringify({ type: "publish", topic, data, clients: 1 });
		for (const [socket, topics] of subscriptions) if (topics.has(topic)) socket.send(text);
	};
	const anyTopic = () => {
		const all = [...subscriptions.values()].flatMap((topics) => [...topics]);
		return all[Math.floor(roll() * all.length)] ?? "";
	};
	/** One character is another. */
	const altered = (text: string) => {
		const at = Math.floor(roll() * text.length);
		return `${text.slice(0, at)}${text[at] === "A" ? "B" : "A"}${text.slice(at + 1)}`;
	};

	const betray = (topic: string, data: unknown) => {
		if (typeof data !== "string") return;
		example = data;
		if (roll() < DROPPED) deeds.dropped += 1;
		else {
			deeds.forwarded += 1;
			later(roll() * LONGEST_DELAY_MS, () => tell(topic, data));
			for (const delayMs of REPEATED_AFTER_MS) {
				deeds.repeated += 1;
				later(delayMs, () => tell(topic, data));
			}
		}
		deeds.altered += 1;
		tell(topic, altered(data));
		deeds.moved += 1;
		tell(anyTopic(), data);
	};

	const flood = setInterval(() => {
		for (let i = 0; i < FLOOD_AT_ONCE; i++) {
			deeds.invented += 1;
			const texts = [Array.from(example, () => (roll() < 0.5 ? "x" : "Z")).join(""), { kind: "offer" }, null, roll()];
			tell(anyTopic(), texts[Math.floor(roll() * texts.length)]);
		}
		for (const socket of subscriptions.keys()) socket.send(roll() < 0.5 ? "{" : '{"type":"publish"}');
	}, FLOOD_EVERY_MS);

	const server = createServer((request, response) => {
		fetch(`${appUrl}${request.url}`).then(async (answer) => {
			const { "content-encoding": _, "content-length": __, ...headers } = Object.fromEntries(answer.headers);
			response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
		});
	});
	const sockets = new WebSocketServer({ server });
	sockets.on("connection", (socket) => {
		const topics = new Set<string>();
		subscriptions.set(socket, topics);
		socket.on("close", () => subscriptions.delete(socket));
		socket.on("message", (bytes) => {
			const text = String(bytes);
			log.push(text);
			const message = JSON.parse(text);
			if (message.type === "subscribe") for (const topic of message.topics) topics.add(topic);
			if (message.type === "publish") betray(message.topic, message.data);
			if (message.type === "ping") socket.send('{"type":"pong"}');
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		log,
		deeds,
		stop: () => stop(server, sockets, () => [...timers, flood].forEach(clearTimeout)),
	};
}

function stop(server: Server, sockets: WebSocketServer, clear: () => void): Promise<void> {
	clear();
	for (const socket of sockets.clients) socket.terminate();
	server.closeAllConnections();
	return new Promise((resolve) => server.close(() => resolve()));
}
