import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { startService } from "../../../signaling/service.js";
import { RefusalCounts } from "../../../src/network/refusalCounts.js";
import { createSignalingClient, type SignalingClient } from "../../../src/network/signalingClient.js";
import { freePort, startStockServer } from "../signaling/stockServer.js";

interface Probe {
	client: SignalingClient;
	refusals: RefusalCounts;
	statuses: boolean[];
	heard: [topic: string, data: unknown][];
}

const probes: Probe[] = [];
const servers: WebSocketServer[] = [];
const stops: (() => unknown)[] = [];

function open(url: string): Probe {
	const probe: Omit<Probe, "client"> = { refusals: new RefusalCounts(), statuses: [], heard: [] };
	const client = createSignalingClient({
		url,
		webSocket: WebSocket,
		onStatus: (connected) => probe.statuses.push(connected),
		onPublished: (topic, data) => probe.heard.push([topic, data]),
		refusals: probe.refusals,
	});
	const whole = { ...probe, client };
	probes.push(whole);
	return whole;
}

/** A server that only listens; what it heard is in `said`. */
async function listen(port = 0): Promise<{ server: WebSocketServer; url: string; said: object[] }> {
	const server = new WebSocketServer({ port, host: "127.0.0.1" });
	servers.push(server);
	const said: object[] = [];
	server.on("connection", (socket) => socket.on("message", (data) => said.push(JSON.parse(String(data)))));
	await once(server, "listening");
	return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, said };
}

function closeServer(server: WebSocketServer): void {
	for (const socket of server.clients) socket.terminate();
	server.close();
}

afterEach(async () => {
	vi.useRealTimers();
	for (const { client } of probes.splice(0)) client.stop();
	for (const server of servers.splice(0)) closeServer(server);
	for (const stop of stops.splice(0)) await stop();
});

const SERVERS: [name: string, start: () => Promise<string>][] = [
	[
		"our server",
		async () => {
			const started = await startService({ port: 0 });
			if (!started.ok) throw new Error(started.error.code);
			stops.push(started.value.stop);
			return started.value.localUrl.replace("http", "ws");
		},
	],
	[
		"y-webrtc's server",
		async () => {
			const stock = await startStockServer();
			stops.push(stock.stop);
			return stock.url;
		},
	],
];

describe.each(SERVERS)("with %s", (_name, start) => {
	it("hears what is published to its topics, its own messages too, and stays connected over a ping", async () => {
		const url = await start();
		const [a, b] = [open(url), open(url)];
		a.client.subscribe("street");
		b.client.subscribe("street");
		expect(a.client.publish("street", 1)).toBe(false);
		await expect.poll(() => [...a.statuses, ...b.statuses]).toEqual([true, true]);
		b.client.subscribe("later");
		// What came back to b shows that the server knows of its topics.
		b.client.publish("later", 0);
		await expect.poll(() => b.heard.splice(0)).toEqual([["later", 0]]);
		a.client.publish("street", { hello: ["é"] });
		a.client.publish("elsewhere", 2);
		await expect.poll(() => b.heard).toEqual([["street", { hello: ["é"] }]]);
		expect(a.heard).toEqual(b.heard);
		a.client.publish("later", 3);
		await expect.poll(() => b.heard).toHaveLength(2);
		b.client.unsubscribe("later");
		await new Promise((resolve) => setTimeout(resolve, 50));
		a.client.publish("later", 4);
		a.client.publish("street", 5);
		await expect.poll(() => b.heard.at(-1)).toEqual(["street", 5]);
		expect(b.heard).toHaveLength(3);
		expect([a.refusals.toRecord(), b.refusals.toRecord()]).toEqual([{}, {}]);
	});
});

describe("when the server goes away", () => {
	it("comes back to the next one on the same address and subscribes again", { timeout: 20_000 }, async () => {
		const port = await freePort();
		const first = await listen(port);
		const a = open(first.url);
		a.client.subscribe("one");
		a.client.subscribe("two");
		await expect.poll(() => a.statuses).toEqual([true]);
		closeServer(first.server);
		await expect.poll(() => a.statuses).toEqual([true, false]);
		expect([a.client.connected, a.client.publish("one", 1)]).toEqual([false, false]);
		// Long enough for a try that fails.
		await new Promise((resolve) => setTimeout(resolve, 2_500));
		const second = await listen(port);
		await expect.poll(() => a.statuses, { timeout: 15_000 }).toEqual([true, false, true]);
		await expect.poll(() => second.said).toContainEqual({ type: "subscribe", topics: ["one", "two"] });
	});

	it("leaves nothing running and says nothing after it was stopped", async () => {
		const { server, url } = await listen();
		const [a, early] = [open(url), open(url)];
		early.client.stop();
		await expect.poll(() => a.statuses).toEqual([true]);
		a.client.stop();
		a.client.stop();
		await expect.poll(() => server.clients.size).toBe(0);
		await new Promise((resolve) => setTimeout(resolve, 1_200));
		expect([a.statuses, early.statuses, server.clients.size]).toEqual([[true], [], 0]);
	});
});

describe("what it hears", () => {
	it("is ignored unless it is a message of a topic that it subscribed to", async () => {
		const { server, url } = await listen();
		const a = open(url);
		a.client.subscribe("street");
		await expect.poll(() => a.statuses).toEqual([true]);
		const [socket] = server.clients;
		const malformed = [
			"",
			"no JSON",
			"null",
			"7",
			"[]",
			"{}",
			'{"type":"publish","topic":"street"}',
			"x".repeat(16_500),
		];
		malformed.push('{"type":"publish","topic":["street"],"data":1}', `${"[".repeat(16_000)}`);
		for (const text of malformed) socket?.send(text);
		socket?.send(Uint8Array.of(1, 2, 3));
		for (const text of ['{"type":"pong"}', '{"type":"news"}', '{"type":"publish","topic":"other","data":1}'])
			socket?.send(text);
		socket?.send('{"type":"publish","topic":"street","data":null}');
		await expect.poll(() => a.heard).toEqual([["street", null]]);
		expect(a.refusals.toRecord()).toEqual({ "signaling-malformed": malformed.length + 1 });
		expect(a.client.connected).toBe(true);
	});
});

describe("what it says", () => {
	it("is never longer than 16 kB, however the letters are encoded", async () => {
		const { url, said } = await listen();
		const a = open(url);
		await expect.poll(() => a.statuses).toEqual([true]);
		expect(a.client.publish("street", "x".repeat(16_400))).toBe(false);
		expect(a.client.publish("street", "ø".repeat(8_200))).toBe(false);
		expect(a.client.publish("street", "x".repeat(16_000))).toBe(true);
		await expect.poll(() => said).toHaveLength(2);
		expect(a.refusals.toRecord()).toEqual({ "signaling-not-sent": 2 });
	});

	it("names 32 topics at most", async () => {
		const { url, said } = await listen();
		const a = open(url);
		for (let i = 0; i < 40; i++) a.client.subscribe(`street ${i}`);
		await expect
			.poll(() => said)
			.toContainEqual({ type: "subscribe", topics: expect.objectContaining({ length: 32 }) });
		expect(a.refusals.toRecord()).toEqual({ "signaling-too-many-topics": 8 });
	});
});

describe("time", () => {
	/** Sockets that do what the test says, in fake time. */
	class FakeSocket {
		static all: FakeSocket[] = [];
		readyState = 0;
		bufferedAmount = 0;
		sent: string[] = [];
		readonly #listeners = new Map<string, ((event: { data: unknown }) => void)[]>();
		constructor(readonly url: string) {
			if (!url.startsWith("ws")) throw new SyntaxError("bad address");
			FakeSocket.all.push(this);
		}
		addEventListener(type: string, listener: (event: { data: unknown }) => void): void {
			this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
		}
		emit(type: string, data?: unknown): void {
			if (type === "open") this.readyState = 1;
			if (type === "close") this.readyState = 3;
			for (const listener of this.#listeners.get(type) ?? []) listener({ data });
		}
		send(text: string): void {
			this.sent.push(text);
		}
		close(): void {
			this.readyState = 3;
		}
	}

	function openFake(url = "ws://x"): Probe {
		const probe = { refusals: new RefusalCounts(), statuses: [] as boolean[], heard: [] };
		const client = createSignalingClient({
			url,
			webSocket: FakeSocket,
			onStatus: (connected) => probe.statuses.push(connected),
			onPublished: () => {},
			refusals: probe.refusals,
		});
		return { ...probe, client };
	}

	const last = () => FakeSocket.all.at(-1) as FakeSocket;

	beforeEach(() => {
		vi.useFakeTimers();
		FakeSocket.all = [];
	});

	it("brings a ping every 25 to 30 s, and an end where none is answered", () => {
		const { statuses } = openFake();
		const first = last();
		const pings = () => first.sent.filter((text) => text === '{"type":"ping"}').length;
		first.emit("open");
		expect(pings()).toBe(1);
		first.emit("message", '{"type":"pong"}');
		vi.advanceTimersByTime(24_900);
		expect(pings()).toBe(1);
		vi.advanceTimersByTime(5_200);
		expect(pings()).toBe(2);
		// Nothing answers from here on.
		vi.advanceTimersByTime(30_100);
		expect([pings(), first.readyState, statuses]).toEqual([2, 3, [true, false]]);
		vi.advanceTimersByTime(2_000);
		expect(FakeSocket.all).toHaveLength(2);
	});

	it("brings the next try later and later, at most 5 s, and soon again after a good connection", () => {
		openFake();
		const pauses: number[] = [];
		for (let i = 0; i < 12; i++) {
			last().emit("error");
			last().emit("close");
			const tries = FakeSocket.all.length;
			let pauseMs = 0;
			while (FakeSocket.all.length === tries) {
				vi.advanceTimersByTime(100);
				pauseMs += 100;
			}
			pauses.push(pauseMs);
		}
		expect(pauses[0]).toBeLessThanOrEqual(2_100);
		expect(Math.min(...pauses.slice(5))).toBeGreaterThanOrEqual(2_500);
		expect(Math.max(...pauses)).toBeLessThanOrEqual(5_100);
		last().emit("open");
		vi.advanceTimersByTime(10_000);
		last().emit("close");
		const tries = FakeSocket.all.length;
		vi.advanceTimersByTime(1_000);
		expect(FakeSocket.all).toHaveLength(tries + 1);
	});

	it("ends a connection that does not open, and one that opens and closes at once is no good one", () => {
		const { statuses } = openFake();
		vi.advanceTimersByTime(10_000);
		expect(FakeSocket.all[0]?.readyState).toBe(3);
		vi.advanceTimersByTime(2_000);
		expect(FakeSocket.all).toHaveLength(2);
		FakeSocket.all[0]?.emit("open");
		expect(statuses).toEqual([]);
		for (let i = 0; i < 6; i++) {
			last().emit("open");
			last().emit("close");
			vi.advanceTimersByTime(5_000);
		}
		last().emit("open");
		last().emit("close");
		const tries = FakeSocket.all.length;
		vi.advanceTimersByTime(2_400);
		expect(FakeSocket.all).toHaveLength(tries);
	});

	it("is not waited for when it is known that something changed: a server that does not answer is given up in 5 s", () => {
		const { statuses, client } = openFake();
		const first = last();
		first.emit("open");
		first.emit("message", '{"type":"pong"}');
		client.probe();
		first.emit("message", '{"type":"pong"}');
		vi.advanceTimersByTime(5_000);
		first.emit("message", '{"type":"pong"}');
		expect([first.sent.length, first.readyState, statuses]).toEqual([3, 1, [true]]);
		client.probe();
		vi.advanceTimersByTime(3_000);
		// Asked once more in between, it gets no more time.
		client.probe();
		vi.advanceTimersByTime(2_000);
		expect([first.readyState, statuses]).toEqual([3, [true, false]]);
		client.probe();
		expect(FakeSocket.all).toHaveLength(2);
		last().emit("open");
		expect(statuses).toEqual([true, false, true]);
	});

	it("ends a connection that is not trusted any more, and the next one is opened at once", () => {
		const { statuses, client } = openFake();
		client.subscribe("street");
		const first = last();
		first.emit("open");
		client.reconnect();
		expect([first.readyState, FakeSocket.all.length, statuses]).toEqual([3, 2, [true, false]]);
		// Its end comes late, and is no reason to open a third.
		first.emit("close");
		last().emit("open");
		expect(last().sent[0]).toBe('{"type":"subscribe","topics":["street"]}');
		client.reconnect();
		client.reconnect();
		vi.advanceTimersByTime(9_000);
		expect(FakeSocket.all).toHaveLength(4);
		client.stop();
	});

	it("goes by without harm where the address cannot be used", () => {
		const { refusals, client } = openFake("nonsense");
		vi.advanceTimersByTime(60_000);
		expect(refusals.toRecord()["signaling-bad-url"]).toBeGreaterThan(3);
		client.stop();
		expect(vi.getTimerCount()).toBe(0);
	});

	it("does not pile up what a slow connection does not take", () => {
		const { client, refusals } = openFake();
		last().emit("open");
		last().bufferedAmount = 2_000_000;
		expect(client.publish("street", 1)).toBe(false);
		expect(refusals.toRecord()).toEqual({ "signaling-not-sent": 1 });
		client.stop();
	});
});
