/**
 * The relay: y-webrtc's signaling protocol over WebSocket. A socket subscribes to topics; what is published to a topic
 * goes to all its subscribers, the sender included, with their number in `clients`. The relay reads no content, keeps
 * nothing, and survives whatever it is sent: every limit below ends in a counted refusal.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { parseMessage } from "./message.js";
import type { RefusalCode, Refusals } from "./refusals.js";
import { TokenBucket } from "./tokenBucket.js";

export interface RelayLimits {
	messageBytes: number;
	topicsPerSocket: number;
	sockets: number;
	/** Tokens a socket may save up, and gets each second. A message costs one token for each kB that it begins. */
	burstTokens: number;
	tokensPerSecond: number;
	/** What may wait for a slow receiver; × `sockets` this bounds the memory. */
	bufferedBytes: number;
	/** A socket that says nothing for that long is closed. */
	idleMs: number;
	/** So many refused messages (and one more each second) are forgiven before the socket is closed. */
	refusals: number;
}

/** Enough for 30 pages that find one another at the same moment: about 300 messages each. */
export const DEFAULT_LIMITS: RelayLimits = {
	messageBytes: 16_384,
	topicsPerSocket: 32,
	sockets: 512,
	burstTokens: 1_000,
	tokensPerSecond: 100,
	bufferedBytes: 262_144,
	idleMs: 90_000,
	refusals: 100,
};

export interface Relay {
	/** Takes over an HTTP upgrade request. */
	upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void;
	counts(): { sockets: number; topics: number };
	/** Says goodbye to all sockets, and cuts those that do not answer. */
	stop(): void;
}

/** `allowedOrigins`: pages of other origins are refused; empty: every page may come. */
export function createRelay(limits: RelayLimits, allowedOrigins: readonly string[], refusals: Refusals): Relay {
	const server = new WebSocketServer({ noServer: true, maxPayload: limits.messageBytes, clientTracking: false });
	const sockets = new Set<Subscriber>();
	const topics = new Map<string, Set<Subscriber>>();

	server.on("wsClientError", (_error, stream) => {
		refusals.add("bad-upgrade");
		refuseUpgrade(stream, "400 Bad Request");
	});

	function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
		const { origin } = request.headers;
		if (allowedOrigins.length > 0 && (origin === undefined || !allowedOrigins.includes(origin))) {
			refusals.add("foreign-origin");
			refuseUpgrade(stream, "403 Forbidden");
		} else if (sockets.size >= limits.sockets) {
			refusals.add("too-many-sockets");
			refuseUpgrade(stream, "503 Service Unavailable");
		} else {
			server.handleUpgrade(request, stream, head, welcome);
		}
	}

	function welcome(socket: WebSocket): void {
		const nowMs = performance.now();
		const subscriber: Subscriber = {
			socket,
			topics: new Set(),
			messages: new TokenBucket(limits.burstTokens, limits.tokensPerSecond, nowMs),
			forgiveness: new TokenBucket(limits.refusals, 1, nowMs),
			heardMs: nowMs,
			pongMs: nowMs,
		};
		sockets.add(subscriber);
		socket.on("message", (data, isBinary) => hear(subscriber, data, isBinary));
		socket.on("pong", () => {
			subscriber.pongMs = performance.now();
		});
		// ws closes the socket itself after an error; without a listener the process would end.
		socket.on("error", (error: Error & { code?: string }) =>
			refusals.add(error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" ? "message-too-long" : "bad-frame"),
		);
		socket.on("close", () => {
			for (const topic of subscriber.topics) leave(subscriber, topic);
			sockets.delete(subscriber);
		});
	}

	function hear(from: Subscriber, data: RawData, isBinary: boolean): void {
		const nowMs = performance.now();
		from.heardMs = nowMs;
		// ws hands out Buffers unless it is told otherwise.
		const bytes = data as Buffer;
		const code = from.messages.take(Math.max(1, Math.ceil(bytes.length / 1024)), nowMs)
			? isBinary
				? "message-binary"
				: obey(from, bytes.toString("utf8"))
			: "too-many-messages";
		if (code !== undefined) refuse(from, code);
	}

	/** Does what a message asks for, or says why not. */
	function obey(from: Subscriber, text: string): RefusalCode | undefined {
		const parsed = parseMessage(text);
		if (!parsed.ok) return parsed.error.code;
		const message = parsed.value;
		switch (message.type) {
			case "subscribe":
				for (const topic of message.topics) {
					if (!from.topics.has(topic) && from.topics.size >= limits.topicsPerSocket) return "too-many-topics";
					enter(from, topic);
				}
				return undefined;
			case "unsubscribe":
				for (const topic of message.topics) leave(from, topic);
				return undefined;
			case "publish":
				publish(message.topic, message.data);
				return undefined;
			case "ping":
				send(from, PONG);
				return undefined;
		}
	}

	function publish(topic: string, data: unknown): void {
		const receivers = topics.get(topic);
		if (receivers === undefined) return;
		const text = JSON.stringify({ type: "publish", topic, data, clients: receivers.size });
		for (const receiver of receivers) send(receiver, text);
	}

	function enter(subscriber: Subscriber, topic: string): void {
		subscriber.topics.add(topic);
		const subscribers = topics.get(topic);
		if (subscribers === undefined) topics.set(topic, new Set([subscriber]));
		else subscribers.add(subscriber);
	}

	function leave(subscriber: Subscriber, topic: string): void {
		subscriber.topics.delete(topic);
		const subscribers = topics.get(topic);
		subscribers?.delete(subscriber);
		if (subscribers?.size === 0) topics.delete(topic);
	}

	function send(receiver: Subscriber, text: string): void {
		if (receiver.socket.readyState !== WebSocket.OPEN) return;
		if (receiver.socket.bufferedAmount + text.length > limits.bufferedBytes) {
			refusals.add("slow-receiver");
			receiver.socket.terminate();
		} else {
			receiver.socket.send(text);
		}
	}

	/** A refused message is dropped; a socket that goes on like that is closed. */
	function refuse(from: Subscriber, code: RefusalCode): void {
		refusals.add(code);
		if (from.socket.readyState !== WebSocket.OPEN || from.forgiveness.take(1, performance.now())) return;
		refusals.add("too-many-refusals");
		from.socket.close(CLOSE_POLICY_VIOLATION, code);
		// What is already on its way must not be parsed any more, nor an answer to the close waited for.
		from.socket.terminate();
	}

	/** Browsers answer a ping by themselves, so that alone keeps only those who listen to something. */
	function closeIdle(): void {
		const limitMs = performance.now() - limits.idleMs;
		for (const { socket, topics, heardMs, pongMs } of sockets) {
			if (heardMs < limitMs && (topics.size === 0 || pongMs < limitMs)) {
				refusals.add("idle");
				socket.terminate();
			} else {
				socket.ping();
			}
		}
	}
	const idleTimer = setInterval(closeIdle, limits.idleMs / 3);

	return {
		upgrade,
		counts: () => ({ sockets: sockets.size, topics: topics.size }),
		stop() {
			clearInterval(idleTimer);
			for (const { socket } of sockets) socket.close(CLOSE_GOING_AWAY);
			setTimeout(() => {
				for (const { socket } of sockets) socket.terminate();
			}, GOODBYE_MS).unref();
		},
	};
}

/** One socket. */
interface Subscriber {
	socket: WebSocket;
	topics: Set<string>;
	messages: TokenBucket;
	forgiveness: TokenBucket;
	/** When it last sent a message, and last answered a ping. */
	heardMs: number;
	pongMs: number;
}

const PONG = JSON.stringify({ type: "pong" });
/** RFC 6455 §7.4.1. */
const CLOSE_GOING_AWAY = 1001;
const CLOSE_POLICY_VIOLATION = 1008;
const GOODBYE_MS = 500;

function refuseUpgrade(stream: Duplex, status: string): void {
	stream.on("error", () => stream.destroy());
	stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => stream.destroy());
}
