/**
 * A client for one signaling server of y-webrtc's protocol (ours or the stock one): JSON over WebSocket, `subscribe`,
 * `unsubscribe`, `publish` and `ping`. It comes back by itself after every loss, and ignores what it cannot read.
 */
import { backOffMs } from "./backOff.js";
import type { RefusalCounts } from "./refusalCounts.js";

/** What a client needs of a WebSocket; the browser's fits, and so does that of `ws`. */
export interface WebSocketLike {
	readonly readyState: number;
	readonly bufferedAmount: number;
	send(text: string): void;
	close(): void;
	addEventListener(type: "open" | "close" | "error", listener: () => void): void;
	addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
}

export type WebSocketConstructor = new (url: string) => WebSocketLike;

export interface SignalingClientOptions {
	url: string;
	webSocket: WebSocketConstructor;
	/** Connected (and subscribed to all topics again), or no longer. */
	onStatus: (connected: boolean) => void;
	/** What somebody published, this client included. `data` is not checked. */
	onPublished: (topic: string, data: unknown) => void;
	refusals: RefusalCounts;
}

export interface SignalingClient {
	readonly connected: boolean;
	subscribe(topic: string): void;
	unsubscribe(topic: string): void;
	/** Whether it was sent; false without a connection, or for what is too long. Nothing is kept for later. */
	publish(topic: string, data: unknown): boolean;
	/** Makes sure within seconds that the server is there; does not wait any longer for the next try. */
	probe(): void;
	/** Begins anew with another connection. */
	reconnect(): void;
	/** Closes for good. No status is reported after it. */
	stop(): void;
}

export const MAX_MESSAGE_BYTES = 16_384;
/** The server adds `clients` to what was published. */
const MAX_RECEIVED_LENGTH = MAX_MESSAGE_BYTES + 64;
const MAX_TOPICS = 32;
const MAX_BUFFERED_BYTES = 1_048_576;

const CONNECT_MS = 10_000;
const FIRST_RETRY_MS = 1_000;
/** Whoever was cut off is in the street again within 15 s, an election included. */
const MAX_RETRY_MS = 5_000;
/** A connection that lasted this long was a good one: the back-off starts again. */
const STABLE_MS = 10_000;
/** Servers and gateways close what is silent for a minute; 25 to 30 s, not in step with others. */
const PING_MIN_MS = 25_000;
const PING_SPREAD_MS = 5_000;

/** A server that is asked on purpose answers within this, or is not there. */
const PROBE_MS = 5_000;

/** WebSocket.OPEN, which has no name where the global is absent. */
const OPEN = 1;

export function createSignalingClient(options: SignalingClientOptions): SignalingClient {
	const { url, webSocket, onStatus, onPublished, refusals } = options;
	const topics = new Set<string>();
	let socket: WebSocketLike | undefined;
	let connected = false;
	let failures = 0;
	let openedMs = 0;
	let heardSincePing = false;
	let isProbing = false;
	/** The only timer: opening takes too long, or the next ping, or the next try. */
	let timer: ReturnType<typeof setTimeout> | undefined;

	function wait(delayMs: number, then: () => void): void {
		clearTimeout(timer);
		timer = setTimeout(then, delayMs);
	}

	function connect(): void {
		let opening: WebSocketLike;
		try {
			opening = new webSocket(url);
		} catch {
			// Not an address, or one that this page may not use (ws: from https:).
			refusals.add("signaling-bad-url");
			failures += 1;
			wait(backOffMs(failures, FIRST_RETRY_MS, MAX_RETRY_MS), connect);
			return;
		}
		socket = opening;
		wait(CONNECT_MS, () => lose(opening));
		opening.addEventListener("open", () => {
			if (socket === opening) opened();
		});
		opening.addEventListener("message", (event) => {
			if (socket === opening) hear(event.data);
		});
		// A close always follows an error, but the listener keeps `ws` from throwing.
		opening.addEventListener("error", () => lose(opening));
		opening.addEventListener("close", () => lose(opening));
	}

	function opened(): void {
		connected = true;
		isProbing = false;
		openedMs = performance.now();
		heardSincePing = true;
		if (topics.size > 0) send({ type: "subscribe", topics: [...topics] });
		ping();
		onStatus(true);
	}

	/** Asks whether the server is there. No answer to the ping before: it is not. */
	function ping(): void {
		const asked = socket;
		if (asked === undefined) return;
		if (!heardSincePing) {
			lose(asked);
			return;
		}
		heardSincePing = false;
		send({ type: "ping" });
		wait(PING_MIN_MS + Math.random() * PING_SPREAD_MS, ping);
	}

	function probe(): void {
		if (socket === undefined) {
			failures = 0;
			connect();
		} else if (connected && !isProbing) {
			// Who asks again and again would never come to the end of its patience.
			isProbing = true;
			heardSincePing = true;
			ping();
			wait(PROBE_MS, ping);
		}
	}

	function reconnect(): void {
		const last = socket;
		const wasConnected = connected;
		socket = undefined;
		connected = false;
		failures = 0;
		last?.close();
		if (wasConnected) onStatus(false);
		connect();
	}

	function lose(lost: WebSocketLike): void {
		if (socket !== lost) return;
		socket = undefined;
		lost.close();
		const wasConnected = connected;
		connected = false;
		failures = wasConnected && performance.now() - openedMs >= STABLE_MS ? 0 : failures + 1;
		wait(backOffMs(failures, FIRST_RETRY_MS, MAX_RETRY_MS), connect);
		if (wasConnected) onStatus(false);
	}

	function hear(data: unknown): void {
		heardSincePing = true;
		isProbing = false;
		const published = readPublished(data);
		if (published === "other") return;
		if (published === "malformed") refusals.add("signaling-malformed");
		else if (topics.has(published.topic)) onPublished(published.topic, published.data);
	}

	function send(message: object): boolean {
		if (socket === undefined || !connected || socket.readyState !== OPEN) return false;
		const text = JSON.stringify(message);
		if (new TextEncoder().encode(text).length > MAX_MESSAGE_BYTES || socket.bufferedAmount > MAX_BUFFERED_BYTES) {
			refusals.add("signaling-not-sent");
			return false;
		}
		socket.send(text);
		return true;
	}

	connect();
	return {
		get connected() {
			return connected;
		},
		subscribe(topic) {
			if (topics.has(topic)) return;
			if (topics.size >= MAX_TOPICS) {
				refusals.add("signaling-too-many-topics");
				return;
			}
			topics.add(topic);
			send({ type: "subscribe", topics: [topic] });
		},
		unsubscribe(topic) {
			if (topics.delete(topic)) send({ type: "unsubscribe", topics: [topic] });
		},
		probe,
		reconnect,
		publish: (topic, data) => send({ type: "publish", topic, data }),
		stop() {
			clearTimeout(timer);
			const last = socket;
			socket = undefined;
			connected = false;
			last?.close();
		},
	};
}

/** other: a pong, or a kind of message that this client does not know. */
function readPublished(data: unknown): { topic: string; data: unknown } | "other" | "malformed" {
	if (typeof data !== "string" || data.length > MAX_RECEIVED_LENGTH) return "malformed";
	let message: unknown;
	try {
		message = JSON.parse(data);
	} catch {
		return "malformed";
	}
	if (typeof message !== "object" || message === null || !("type" in message)) return "malformed";
	if (message.type !== "publish") return "other";
	if (!("topic" in message) || typeof message.topic !== "string" || !("data" in message)) return "malformed";
	return { topic: message.topic, data: message.data };
}
