/**
 * The relay: y-webrtc's signaling protocol over WebSocket. A socket subscribes to topics; what is published to a topic
 * goes to all its subscribers, the sender included, with their number in `clients`. The relay reads no content, keeps
 * nothing, and survives whatever it is sent: every limit ends in a counted refusal.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { TokenBucket } from "../src/primitives/tokenBucket.js";
import { Backlog } from "./backlog.js";
import type { RelayLimits } from "./limits.js";
import { parseMessage } from "./message.js";
import { Places } from "./places.js";
import type { RefusalCode, Refusals } from "./refusals.js";
import type { Subscriber } from "./subscriber.js";
import { Topics } from "./topics.js";

export interface Relay {
	/** Takes over an HTTP upgrade request that came from `address`. */
	upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, address: string): void;
	counts(): { sockets: number; topics: number };
	traffic(): Traffic;
	/** Says goodbye to all sockets, cuts those that do not answer, and takes no more. */
	stop(): void;
}

export interface Traffic {
	publishedMessages: number;
	publishedBytes: number;
	/** Each subscriber that a message was sent to counts. */
	deliveredMessages: number;
	deliveredBytes: number;
	/** What waits for slow receivers at this moment. */
	bufferedBytes: number;
}

/** `allowedOrigins`: pages of other origins are refused; empty: every page may come. */
export function createRelay(limits: RelayLimits, allowedOrigins: readonly string[], refusals: Refusals): Relay {
	// Not written into the call, since the types do not know `closeTimeout` yet.
	const options = {
		noServer: true,
		maxPayload: limits.messageBytes,
		maxFragments: limits.messageParts,
		maxBufferedChunks: limits.messageParts,
		clientTracking: false,
		closeTimeout: CLOSE_MS,
		autoPong: false,
	};
	const server = new WebSocketServer(options);
	const places = new Places(limits);
	const topics = new Topics(limits);
	const backlog = new Backlog(limits, places.all, cut, refusals);
	const total = { publishedMessages: 0, publishedBytes: 0, deliveredMessages: 0, deliveredBytes: 0 };
	let isStopping = false;

	server.on("wsClientError", (_error, stream) => {
		refusals.add("bad-upgrade");
		refuseUpgrade(stream, "400 Bad Request");
	});

	function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, address: string): void {
		const { origin } = request.headers;
		if (isStopping) {
			refusals.add("stopping");
			refuseUpgrade(stream, "503 Service Unavailable");
		} else if (allowedOrigins.length > 0 && (origin === undefined || !allowedOrigins.includes(origin))) {
			refusals.add("foreign-origin");
			refuseUpgrade(stream, "403 Forbidden");
		} else if (places.isFull && places.whoGivesWay(address) === undefined) {
			refusals.add("too-many-sockets");
			refuseUpgrade(stream, "503 Service Unavailable");
		} else {
			server.handleUpgrade(request, stream, head, (socket) => welcome(socket, address));
		}
	}

	function welcome(socket: WebSocket, address: string): void {
		const nowMs = performance.now();
		const subscriber: Subscriber = {
			socket,
			address,
			topics: new Set(),
			messages: new TokenBucket(limits.burstTokens, limits.tokensPerSecond, nowMs),
			forgiveness: new TokenBucket(limits.refusals, 1, nowMs),
			heardMs: nowMs,
			pongMs: nowMs,
			pingMs: nowMs,
			topiclessSinceMs: nowMs,
			bufferedBytes: 0,
		};
		const displaced = places.isFull ? places.whoGivesWay(address) : undefined;
		if (displaced !== undefined) dismiss(displaced, "gave-way", CLOSE_TRY_AGAIN_LATER);
		places.take(subscriber);
		socket.on("message", (data, isBinary) => hear(subscriber, data, isBinary));
		socket.on("ping", (data) => {
			// Only the newest ping has to be answered (RFC 6455 §5.5.3), so answers need not wait in a row.
			if (charge(subscriber) && socket.bufferedAmount === 0) socket.pong(data);
		});
		socket.on("pong", () => {
			if (charge(subscriber)) subscriber.pongMs = performance.now();
		});
		// ws closes the socket itself after an error; without a listener the process would end.
		socket.on("error", (error: Error & { code?: string }) =>
			refusals.add(FRAME_ERRORS[error.code ?? ""] ?? "bad-frame"),
		);
		socket.on("close", () => forget(subscriber));
	}

	function hear(from: Subscriber, data: RawData, isBinary: boolean): void {
		// What came in one piece with the message that it was closed for.
		if (!places.all.has(from)) return;
		const nowMs = performance.now();
		from.heardMs = nowMs;
		// ws hands out Buffers unless it is told otherwise.
		const bytes = data as Buffer;
		const code = from.messages.take(Math.max(1, Math.ceil(bytes.length / 1024)), nowMs)
			? isBinary
				? "message-binary"
				: obey(from, bytes, nowMs)
			: "too-many-messages";
		if (code !== undefined) refuse(from, code);
	}

	/** Control frames cost work as well. Whether this one is paid for. */
	function charge(from: Subscriber): boolean {
		if (!places.all.has(from)) return false;
		if (from.messages.take(1, performance.now())) return true;
		refuse(from, "too-many-messages");
		return false;
	}

	/** Does what a message asks for, or says why not. */
	function obey(from: Subscriber, bytes: Buffer, nowMs: number): RefusalCode | undefined {
		const parsed = parseMessage(bytes.toString("utf8"));
		if (!parsed.ok) return parsed.error.code;
		const message = parsed.value;
		switch (message.type) {
			case "subscribe":
				for (const topic of message.topics) {
					const code = topics.enter(from, topic);
					if (code !== undefined) return code;
				}
				return undefined;
			case "unsubscribe":
				if (from.topics.size === 0) return undefined;
				for (const topic of message.topics) topics.leave(from, topic);
				from.topiclessSinceMs = nowMs;
				return undefined;
			case "publish":
				total.publishedMessages += 1;
				total.publishedBytes += bytes.length;
				if (!publish(message.topic, message.data)) return "message-too-long";
				backlog.hold(from, nowMs);
				return undefined;
			case "ping":
				backlog.send(from, PONG);
				return undefined;
		}
	}

	/** False: it is longer than what came, as numbers may be when they are written out. */
	function publish(topic: string, data: unknown): boolean {
		const receivers = topics.subscribersOf(topic);
		if (receivers.size === 0) return true;
		const text = Buffer.from(JSON.stringify({ type: "publish", topic, data, clients: receivers.size }));
		if (text.length > limits.messageBytes + WRAPPING_BYTES) return false;
		for (const receiver of receivers) {
			if (!backlog.send(receiver, text)) continue;
			total.deliveredMessages += 1;
			total.deliveredBytes += text.length;
		}
		return true;
	}

	/** A refused message is dropped; a socket that goes on like that is closed. */
	function refuse(from: Subscriber, code: RefusalCode): void {
		refusals.add(code);
		if (from.socket.readyState !== WebSocket.OPEN || from.forgiveness.take(1, performance.now())) return;
		dismiss(from, "too-many-refusals", CLOSE_POLICY_VIOLATION);
	}

	/** Says why, but waits for no answer: what is already on its way must not be parsed any more. */
	function dismiss(subscriber: Subscriber, code: RefusalCode, closeCode: number): void {
		subscriber.socket.close(closeCode, code);
		cut(subscriber, code);
	}

	function cut(subscriber: Subscriber, code: RefusalCode): void {
		refusals.add(code);
		forget(subscriber);
		subscriber.socket.terminate();
	}

	function forget(subscriber: Subscriber): void {
		if (!places.leave(subscriber)) return;
		topics.leaveAll(subscriber);
		backlog.forget(subscriber);
	}

	/** Closes who does not use its place; pings the others, each at its own time. */
	function sweep(): void {
		const nowMs = performance.now();
		backlog.endLongHold(nowMs);
		for (const subscriber of places.all) {
			if (isIdle(subscriber, nowMs)) {
				cut(subscriber, "idle");
			} else if (subscriber.topics.size === 0 && nowMs - subscriber.topiclessSinceMs > limits.topiclessMs) {
				dismiss(subscriber, "no-topic", CLOSE_POLICY_VIOLATION);
			} else if (nowMs - subscriber.pingMs >= limits.idleMs / PINGS_PER_IDLE) {
				subscriber.pingMs = nowMs;
				subscriber.socket.ping();
			}
		}
	}

	/** Browsers answer a ping by themselves, so that alone keeps only those who listen to something. */
	function isIdle({ heardMs, pongMs, topics }: Subscriber, nowMs: number): boolean {
		const limitMs = nowMs - limits.idleMs;
		return heardMs < limitMs && (topics.size === 0 || pongMs < limitMs);
	}
	const sweepMs = Math.min(MAX_SWEEP_MS, limits.idleMs / PINGS_PER_IDLE, limits.topiclessMs / 2);
	const sweeping = setInterval(sweep, sweepMs);

	return {
		upgrade,
		counts: () => ({ sockets: places.all.size, topics: topics.size }),
		traffic: () => ({ ...total, bufferedBytes: backlog.bufferedBytes }),
		stop() {
			isStopping = true;
			clearInterval(sweeping);
			for (const { socket } of places.all) socket.close(CLOSE_GOING_AWAY);
			setTimeout(() => {
				for (const { socket } of places.all) socket.terminate();
			}, GOODBYE_MS).unref();
		},
	};
}

/** The number of subscribers is added to what was published. */
const WRAPPING_BYTES = 64;
const PONG = Buffer.from(JSON.stringify({ type: "pong" }));
/** RFC 6455 §7.4.1, and the registry of RFC 6455 §11.7. */
const CLOSE_GOING_AWAY = 1001;
const CLOSE_POLICY_VIOLATION = 1008;
const CLOSE_TRY_AGAIN_LATER = 1013;
const GOODBYE_MS = 500;
/** Whoever does not answer a close is cut off; until then it holds its place. */
const CLOSE_MS = 2_000;
const MAX_SWEEP_MS = 1_000;
const PINGS_PER_IDLE = 3;

/** The rest of ws's errors are frames that no WebSocket may send. */
const FRAME_ERRORS: Readonly<Record<string, RefusalCode>> = {
	WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: "message-too-long",
	WS_ERR_TOO_MANY_BUFFERED_PARTS: "too-many-fragments",
};

function refuseUpgrade(stream: Duplex, status: string): void {
	stream.on("error", () => stream.destroy());
	stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => stream.destroy());
}
