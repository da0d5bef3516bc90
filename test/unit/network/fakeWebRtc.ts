/**
 * WebRTC and a signaling server in memory, for tests in fake time: peers that find one another by the number in their
 * session descriptions, and sockets of one room that speak y-webrtc's protocol. Every delivery is a task of its own.
 */
import type { PeerFactory, PeerLike } from "../../../src/network/link.js";
import type { WebSocketConstructor, WebSocketLike } from "../../../src/network/signalingClient.js";

type Options = Parameters<PeerFactory>[0];
type Listener = (value: never) => void;

export class FakePeer implements PeerLike {
	static all: FakePeer[] = [];
	/** While false, offers go out and nothing ever connects. */
	static reachable = true;

	readonly id = FakePeer.all.push(this) - 1;
	bufferSize = 0;
	destroyed = false;
	other: FakePeer | undefined;
	signals: unknown[] = [];
	readonly #listeners = new Map<string, Listener[]>();

	constructor(readonly options: Options) {
		if (options.initiator) later(() => this.emit("signal", { type: "offer", sdp: this.sdp }));
	}

	/** 32 bytes that hold the peer's number. */
	get fingerprint(): Uint8Array {
		return new Uint8Array(32).fill(this.id + 1);
	}

	get sdp(): string {
		const hex = (this.id + 1).toString(16).padStart(2, "0").toUpperCase();
		return `v=0\r\na=peer:${this.id}\r\na=fingerprint:sha-256 ${Array(32).fill(hex).join(":")}\r\n`;
	}

	on(event: string, listener: Listener): this {
		this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
		return this;
	}

	emit(event: string, value?: unknown): void {
		if (this.destroyed && event !== "close") return;
		for (const listener of this.#listeners.get(event) ?? []) listener(value as never);
	}

	signal(data: Parameters<PeerLike["signal"]>[0]): void {
		this.signals.push(data);
		if (!("sdp" in data)) return;
		this.other = FakePeer.all[Number(/a=peer:(\d+)/.exec(data.sdp)?.[1])];
		if (data.type === "offer") {
			later(() => this.emit("signal", { type: "answer", sdp: this.sdp }));
		} else if (FakePeer.reachable) {
			later(() => this.emit("connect"));
			later(() => this.other?.emit("connect"));
		}
	}

	send(frame: Uint8Array): void {
		const { other } = this;
		const copy = Buffer.from(frame);
		later(() => other?.emit("data", copy));
	}

	destroy(): void {
		if (this.destroyed) return;
		this.destroyed = true;
		later(() => this.emit("close"));
		const { other } = this;
		later(() => {
			if (other?.other === this) other.emit("close");
		});
	}
}

export const createFakePeer: PeerFactory = (options) => new FakePeer(options);

/** A signaling server, of which several meshes get a WebSocket constructor. */
export class FakeServer {
	readonly sockets = new Set<FakeSocket>();
	/** Everything that was published, in order. */
	published: { topic: string; data: unknown }[] = [];
	/** How often each message is delivered. */
	copies = 1;
	up = true;
	/** While true, nothing gets to it or from it, and nobody is told. */
	unreachable = false;

	/** For meshes that know this server under `url`. */
	static webSocket(servers: Record<string, FakeServer>): WebSocketConstructor {
		return class extends FakeSocket {
			constructor(url: string) {
				super(servers[url]);
			}
		};
	}

	publish(topic: string, data: unknown): void {
		this.published.push({ topic, data });
		const text = JSON.stringify({ type: "publish", topic, data, clients: 1 });
		for (const socket of this.sockets) {
			for (let i = 0; i < this.copies; i++) if (socket.topics.has(topic)) later(() => socket.emit("message", text));
		}
	}

	/** Cuts all connections and takes no new ones. */
	goDown(): void {
		this.up = false;
		for (const socket of this.sockets) socket.emit("close");
		this.sockets.clear();
	}
}

const FIRST_KNOCK_MS = 1_000;

class FakeSocket implements WebSocketLike {
	readyState = 0;
	bufferedAmount = 0;
	topics = new Set<string>();
	#again: ReturnType<typeof setTimeout> | undefined;
	readonly #server: FakeServer | undefined;
	readonly #listeners = new Map<string, ((event: { data: unknown }) => void)[]>();

	constructor(server: FakeServer | undefined) {
		this.#server = server;
		later(() => this.#knock(FIRST_KNOCK_MS));
	}

	/** As TCP does where nothing answers: again after 1 s, 2 s, 4 s (RFC 6298). */
	#knock(againMs: number): void {
		const server = this.#server;
		if (this.readyState !== 0) return;
		if (server === undefined || !server.up) this.emit("close");
		else if (server.unreachable) this.#again = setTimeout(() => this.#knock(2 * againMs), againMs);
		else {
			server.sockets.add(this);
			this.readyState = 1;
			this.emit("open");
		}
	}

	addEventListener(type: string, listener: (event: { data: unknown }) => void): void {
		this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
	}

	emit(type: string, data?: unknown): void {
		for (const listener of this.#listeners.get(type) ?? []) listener({ data });
	}

	send(text: string): void {
		if (this.#server?.unreachable) return;
		const message = JSON.parse(text);
		if (message.type === "subscribe") for (const topic of message.topics) this.topics.add(topic);
		if (message.type === "unsubscribe") for (const topic of message.topics) this.topics.delete(topic);
		if (message.type === "publish") this.#server?.publish(message.topic, message.data);
		if (message.type === "ping") later(() => this.emit("message", '{"type":"pong"}'));
	}

	close(): void {
		clearTimeout(this.#again);
		this.readyState = 3;
		this.#server?.sockets.delete(this);
	}
}

function later(task: () => void): void {
	setTimeout(task, 0);
}
