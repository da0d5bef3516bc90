import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_SOCKETS, type Limits, limitsFor } from "../../../signaling/limits.js";
import { type Service, startService } from "../../../signaling/service.js";
import { connect, health, settled } from "./testSocket.js";

let service: Service | undefined;

async function serve(limits: Partial<Limits> = {}, allowedOrigins: string[] = []): Promise<string> {
	const started = await startService({ port: 0, limits: { ...limitsFor(DEFAULT_SOCKETS), ...limits }, allowedOrigins });
	if (!started.ok) throw new Error(started.error.code);
	service = started.value;
	return service.localUrl;
}

afterEach(() => service?.stop());

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("the y-webrtc protocol", () => {
	it("brings what is published to all subscribers of the topic, the sender included, with their number", async () => {
		const url = await serve();
		const [a, b, c] = [await connect(url), await connect(url), await connect(url)];
		for (const client of [a, b]) client.say({ type: "subscribe", topics: ["street"] });
		c.say({ type: "subscribe", topics: ["other street"] });
		for (const client of [a, b, c]) await settled(client);
		a.say({ type: "publish", topic: "street", data: { from: "a", deep: [1, { x: null }] } });
		const expected = { type: "publish", topic: "street", data: { from: "a", deep: [1, { x: null }] }, clients: 2 };
		expect(await a.next()).toEqual(expected);
		expect(await b.next()).toEqual(expected);
		await settled(c);
		expect(c.heard).toEqual([]);
	});

	it("answers ping with pong", async () => {
		const a = await connect(await serve());
		a.say({ type: "ping" });
		expect(await a.next()).toEqual({ type: "pong" });
	});

	it("brings nothing after unsubscribe, and forgets topics that nobody subscribes to", async () => {
		const url = await serve();
		const [a, b] = [await connect(url), await connect(url)];
		a.say({ type: "subscribe", topics: ["one", "two"] });
		await settled(a);
		expect((await health(url)).topics).toBe(2);
		a.say({ type: "unsubscribe", topics: ["one", "never entered"] });
		await settled(a);
		expect((await health(url)).topics).toBe(1);
		b.say({ type: "publish", topic: "one", data: 1 });
		b.say({ type: "publish", topic: "two", data: 2 });
		expect(await a.next()).toMatchObject({ topic: "two" });
		a.socket.close();
		await a.closed;
		await settled(b);
		expect(await health(url)).toMatchObject({ sockets: 1, topics: 0, refused: {} });
	});

	it("counts a socket once that subscribes twice", async () => {
		const a = await connect(await serve());
		a.say({ type: "subscribe", topics: ["street", "street"] });
		a.say({ type: "subscribe", topics: ["street"] });
		a.say({ type: "publish", topic: "street", data: "x" });
		expect(await a.next()).toMatchObject({ clients: 1 });
		await settled(a);
		expect(a.heard).toEqual([]);
	});
});

describe("malformed messages", () => {
	const brackets = "[".repeat(8_000);
	const cases: [name: string, message: string | Uint8Array, code: string][] = [
		["nothing", "", "message-not-json"],
		["no JSON", "hello", "message-not-json"],
		["half of a message", '{"type":"publish","topic":"x","data":', "message-not-json"],
		["a lone quote", '{"type":"ping', "message-not-json"],
		["8,000 open brackets", brackets, "message-too-deep"],
		[
			"8,000 nested arrays",
			`{"type":"publish","topic":"x","data":${brackets}${"]".repeat(8_000)}}`,
			"message-too-deep",
		],
		["17 nested objects", `${'{"a":'.repeat(17)}1${"}".repeat(17)}`, "message-too-deep"],
		["null", "null", "message-unknown-type"],
		["a number", "1e999", "message-unknown-type"],
		["a string", '"subscribe"', "message-unknown-type"],
		["an array", '["subscribe"]', "message-unknown-type"],
		["no type", "{}", "message-unknown-type"],
		["an unknown type", '{"type":"constructor"}', "message-unknown-type"],
		["a type that is no text", '{"type":["ping"]}', "message-unknown-type"],
		["topics that are no array", '{"type":"subscribe","topics":"street"}', "bad-topic"],
		["topics that are an object", '{"type":"subscribe","topics":{"length":1,"0":"x"}}', "bad-topic"],
		["topics that are null", '{"type":"unsubscribe","topics":null}', "bad-topic"],
		["a topic that is no text", '{"type":"subscribe","topics":["street",1]}', "bad-topic"],
		["a topic of 257 letters", JSON.stringify({ type: "subscribe", topics: ["x".repeat(257)] }), "bad-topic"],
		["an empty topic", '{"type":"publish","topic":"","data":1}', "bad-topic"],
		["no topic", '{"type":"publish","data":1}', "bad-topic"],
		["a topic that is an object", '{"type":"publish","topic":{"toString":1},"data":1}', "bad-topic"],
		["binary JSON", new TextEncoder().encode('{"type":"ping"}'), "message-binary"],
		["binary noise", Uint8Array.from({ length: 300 }, (_, i) => (i * 167) & 255), "message-binary"],
	];

	for (const [name, message, code] of cases) {
		it(`refuses ${name} as ${code}, and serves the same socket on`, async () => {
			const url = await serve();
			const a = await connect(url);
			a.socket.send(message);
			await settled(a);
			expect((await health(url)).refused).toEqual({ [code]: 1 });
		});
	}

	it("closes a socket that sends more than 16 kB in one message", async () => {
		const url = await serve();
		const a = await connect(url);
		a.say({ type: "publish", topic: "x", data: "y".repeat(16_384) });
		expect(await a.closed).toBe(1009);
		expect((await health(url)).refused).toEqual({ "message-too-long": 1 });
	});

	it("lets a message of just 16 kB through", async () => {
		const a = await connect(await serve());
		a.say({ type: "subscribe", topics: ["x"] });
		const frame = JSON.stringify({ type: "publish", topic: "x", data: "" }).length;
		a.say({ type: "publish", topic: "x", data: "y".repeat(16_384 - frame) });
		expect(await a.next()).toMatchObject({ clients: 1 });
	});

	it("closes a socket whose text is not UTF-8, or whose frames are not masked", async () => {
		const url = await serve();
		const masked = Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe);
		const unmasked = Uint8Array.of(0x81, 0x02, 0x7b, 0x7d);
		for (const bytes of [masked, unmasked]) {
			const a = await connect(url);
			// Past the client's own framing.
			(a.socket as unknown as { _socket: { write(bytes: Uint8Array): void } })._socket.write(bytes);
			expect(await a.closed).toBeGreaterThan(1000);
		}
		const b = await connect(url);
		await settled(b);
		expect((await health(url)).refused).toEqual({ "bad-frame": 2 });
	});

	it("survives upgrade requests that are no WebSocket, and bytes that are no HTTP", async () => {
		const url = await serve();
		const port = Number(new URL(url).port);
		for (const text of [
			"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
			"\u0000\u0001\u0002 what\r\n\r\n",
		]) {
			const socket = connectTcp(port, "127.0.0.1");
			socket.on("error", () => {});
			socket.resume();
			socket.write(text);
			await once(socket, "close");
		}
		expect((await health(url)).refused).toEqual({ "bad-upgrade": 2, "bad-request": 1 });
	});

	it("survives 2,000 mutated messages", async () => {
		const url = await serve({ refusals: 10_000, burstTokens: 10_000 });
		const a = await connect(url);
		const good = JSON.stringify({ type: "publish", topic: "x", data: { a: [1, "é\\u0041"], b: null } });
		let seed = 7;
		const random = (below: number) => {
			seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
			return (seed >>> 8) % below;
		};
		const pieces = ['"', "\\", "{", "}", "[", "]", ",", ":", "\u2028", "\ud800", "1e400", "true", "type", "__proto__"];
		for (let i = 0; i < 2_000; i++) {
			const at = random(good.length);
			a.socket.send(good.slice(0, at) + pieces[random(pieces.length)] + good.slice(at + random(4)));
		}
		await settled(a);
		expect((await health(url)).ok).toBe(true);
	});
});

describe("limits", () => {
	it("hands on nothing that is longer than what came: short numbers are written out", async () => {
		const url = await serve();
		const a = await connect(url);
		a.say({ type: "subscribe", topics: ["x"] });
		a.socket.send(`{"type":"publish","topic":"x","data":[${Array(3_000).fill("1e20").join()}]}`);
		await settled(a);
		expect((await health(url)).refused).toEqual({ "message-too-long": 1 });
	});

	it("lets a socket into 32 topics, not more", async () => {
		const url = await serve();
		const a = await connect(url);
		a.say({ type: "subscribe", topics: Array.from({ length: 40 }, (_, i) => `street ${i}`) });
		await settled(a);
		expect(await health(url)).toMatchObject({ topics: 32, refused: { "too-many-topics": 1 } });
	});

	it("drops what comes faster than the token bucket allows, and longer messages cost more", async () => {
		const url = await serve({ burstTokens: 10, tokensPerSecond: 5, refusals: 1_000 });
		const a = await connect(url);
		for (let i = 0; i < 30; i++) a.say({ type: "ping" });
		await wait(100);
		expect(a.heard.length).toBeGreaterThanOrEqual(10);
		expect(a.heard.length).toBeLessThan(14);
		expect((await health(url)).refused["too-many-messages"]).toBeGreaterThan(15);
		const b = await connect(url);
		b.say({ type: "subscribe", topics: ["x"] });
		for (let i = 0; i < 3; i++) b.say({ type: "publish", topic: "x", data: "y".repeat(5_000) });
		await wait(100);
		expect(b.heard).toHaveLength(1);
	});

	it("closes a socket that goes on being refused", async () => {
		const url = await serve({ refusals: 20 });
		const [a, honest] = [await connect(url), await connect(url)];
		for (let i = 0; i < 40; i++) a.socket.send("nonsense");
		expect(await a.closed).toBeGreaterThan(1000);
		await settled(honest);
		const { sockets, refused } = await health(url);
		expect(sockets).toBe(1);
		expect(refused["too-many-refusals"]).toBe(1);
		expect(refused["message-not-json"]).toBeLessThanOrEqual(40);
	});

	it("refuses sockets beyond its number", async () => {
		const url = await serve({ sockets: 2 });
		const [a] = [await connect(url), await connect(url)];
		await expect(connect(url)).rejects.toThrow("503");
		a.socket.close();
		await a.closed;
		await wait(50);
		await connect(url);
		expect((await health(url)).refused).toEqual({ "too-many-sockets": 1 });
	});

	it("closes sockets that say nothing, but not those that listen", async () => {
		const url = await serve({ idleMs: 300 });
		const [silent, listener, dead] = [await connect(url), await connect(url), await connect(url, { autoPong: false })];
		for (const client of [listener, dead]) client.say({ type: "subscribe", topics: ["street"] });
		await Promise.all([silent.closed, dead.closed]);
		await wait(300);
		expect(listener.socket.readyState).toBe(listener.socket.OPEN);
		expect(await health(url)).toMatchObject({ sockets: 1, refused: { idle: 2 } });
	});

	it("cuts off a receiver that does not read, and the others notice nothing", async () => {
		const url = await serve({ bufferedBytesPerSocket: 100_000, burstTokens: 100_000 });
		const [slow, sender] = [await connect(url), await connect(url)];
		slow.say({ type: "subscribe", topics: ["street"] });
		await settled(slow);
		slow.socket.pause();
		// The system's own buffers take several MB before anything waits in the server.
		for (let i = 0; i < 1_500; i++) sender.say({ type: "publish", topic: "street", data: "x".repeat(16_000) });
		await settled(sender);
		expect(await health(url)).toMatchObject({ sockets: 1, refused: { "slow-receiver": 1 } });
	});

	it("lets only pages of allowed origins in, where some are named", async () => {
		const url = await serve({}, ["https://strom.example"]);
		await connect(url, { origin: "https://strom.example" });
		await expect(connect(url, { origin: "https://evil.example" })).rejects.toThrow("403");
		await expect(connect(url)).rejects.toThrow("403");
		expect((await health(url)).refused).toEqual({ "foreign-origin": 2 });
	});
});
