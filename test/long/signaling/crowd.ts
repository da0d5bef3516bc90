/** Thousands of WebSocket clients in one process, and what they hear. */
import { once } from "node:events";
import { WebSocket } from "ws";

export interface Crowd {
	readonly sockets: readonly WebSocket[];
	/** How many messages were heard, and how long each took, in milliseconds. */
	readonly delivered: () => number;
	takeDeliveries(): number[];
	close(): void;
}

export interface CrowdOptions {
	url: string;
	sockets: number;
	/** Into which topics the n-th subscribes. */
	topicOf: (n: number) => string;
	/** They come from 127.0.0.N, and the addresses after it. */
	firstAddress: number;
}

const AT_ONCE = 100;
/** An address of this computer has ports for some 28,000 connections, and the network's bound on one address is lower. */
const SOCKETS_PER_ADDRESS = 1_000;

/** Connects and subscribes all of them; resolves once the server has heard each. */
export async function gather({ url, sockets, topicOf, firstAddress }: CrowdOptions): Promise<Crowd> {
	const all: WebSocket[] = [];
	let heard = 0;
	let tookMs: number[] = [];

	/** Whose certificate it is does not matter here. */
	async function join(n: number): Promise<void> {
		const localAddress = `127.0.0.${firstAddress + Math.floor(n / SOCKETS_PER_ADDRESS)}`;
		const options = {
			localAddress,
			perMessageDeflate: false,
			skipUTF8Validation: true,
			rejectUnauthorized: false,
		};
		const socket = new WebSocket(url.replace(/^http/, "ws"), options);
		all.push(socket);
		await once(socket, "open");
		socket.on("error", () => {});
		socket.send(JSON.stringify({ type: "subscribe", topics: [topicOf(n)] }));
		socket.send(PING);
		await once(socket, "message");
		socket.on("message", (message: Buffer) => {
			const [, sentMs] = SENT.exec(message.toString("latin1", 0, 200)) ?? [];
			if (sentMs === undefined) return;
			heard += 1;
			tookMs.push(performance.now() - Number(sentMs));
		});
	}

	for (let n = 0; n < sockets; n += AT_ONCE) {
		await Promise.all(Array.from({ length: Math.min(AT_ONCE, sockets - n) }, (_, at) => join(n + at)));
	}
	return {
		sockets: all,
		delivered: () => heard,
		takeDeliveries() {
			const taken = tookMs.sort((a, b) => a - b);
			tookMs = [];
			return taken;
		},
		close() {
			for (const socket of all) socket.terminate();
		},
	};
}

/** A message of about so many bytes that says when it was sent. */
export function published(topic: string, bytes: number): string {
	return JSON.stringify({ type: "publish", topic, data: { sentMs: performance.now(), sealed: "x".repeat(bytes) } });
}

const PING = JSON.stringify({ type: "ping" });
const SENT = /"sentMs":([\d.]+)/;
