import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { localCertificate } from "../../../signaling/certificate.js";
import { ConnectionGate, networkOf } from "../../../signaling/connectionGate.js";
import { DEFAULT_SOCKETS, type Limits, limitsFor } from "../../../signaling/limits.js";
import { Refusals } from "../../../signaling/refusals.js";
import { createRelay } from "../../../signaling/relay.js";
import { type Service, startService } from "../../../signaling/service.js";
import { clientFrame, OPCODE, rawUpgrade } from "./frames.js";
import { readMetrics } from "./readMetrics.js";
import { connect, health, settled, type TestSocket } from "./testSocket.js";

let service: Service | undefined;
afterEach(() => service?.stop());

const DEFAULTS = limitsFor(DEFAULT_SOCKETS);

async function serve(limits: Partial<Limits> = {}): Promise<string> {
	const started = await startService({ port: 0, limits: { ...DEFAULTS, ...limits } });
	if (!started.ok) throw new Error(started.error.code);
	service = started.value;
	return service.localUrl;
}

/** Over https, as neighbours come. */
async function serveSecurely(limits: Partial<Limits>): Promise<{ secureUrl: string; options: { ca: string } }> {
	const folder = await mkdtemp(join(tmpdir(), "bounds-"));
	const certificate = await localCertificate(folder, { hosts: ["localhost"], addresses: ["127.0.0.1"] }, Date.now());
	await rm(folder, { recursive: true });
	const tls = { port: 0, host: "127.0.0.1", certificate };
	const started = await startService({ port: 0, tls, lanName: "127.0.0.1", limits: { ...DEFAULTS, ...limits } });
	if (!started.ok) throw new Error(started.error.code);
	service = started.value;
	return { secureUrl: service.lanUrl ?? "", options: { ca: certificate.authority ?? "" } };
}

async function subscribed(url: string, ...topics: string[]): Promise<TestSocket> {
	const client = await connect(url);
	client.say({ type: "subscribe", topics });
	await settled(client);
	return client;
}

/** A connection past the upgrade that says what it likes. */
async function connectRaw(url: string): Promise<Socket> {
	const socket = connectTcp(Number(new URL(url).port), "127.0.0.1");
	socket.on("error", () => {});
	socket.write(rawUpgrade());
	await once(socket, "data");
	socket.resume();
	return socket;
}

describe("memory", () => {
	it("is bounded over all receivers together: the slowest are cut off, those who read are not", async () => {
		const bufferedBytes = 300_000;
		const url = await serve({ bufferedBytes, bufferedBytesPerSocket: 2_000_000, burstTokens: 1_000_000 });
		const [reader, sender] = [await subscribed(url, "read"), await connect(url)];
		const slow = await Promise.all(Array.from({ length: 8 }, () => subscribed(url, "slow")));
		for (const { socket } of slow) socket.pause();
		let most = 0;
		const data = "x".repeat(16_000);
		const refused = async () => (await health(url)).refused;
		// The system's own buffers take several MB before anything waits in the server.
		while ((await refused())["slow-receiver"] === undefined) {
			for (let i = 0; i < 20; i++) sender.say({ type: "publish", topic: "slow", data });
			most = Math.max(most, (await readMetrics(url)).values.buffered_bytes ?? 0);
		}
		expect(most).toBeGreaterThan(bufferedBytes / 2);
		expect(most).toBeLessThanOrEqual(bufferedBytes);
		for (const { socket } of slow) socket.terminate();
		await expect.poll(async () => (await readMetrics(url)).values.buffered_bytes).toBe(0);
		await settled(reader);
		reader.say({ type: "publish", topic: "read", data: 1 });
		expect(await reader.next()).toMatchObject({ clients: 1 });
	});

	it("is enough for many who speak at once and all read: they are held back, and nobody is cut off", {
		timeout: 90_000,
	}, async () => {
		const { secureUrl, options } = await serveSecurely({ bufferedBytes: 16_000_000, burstTokens: 10_000 });
		const [streets, houses, messages] = [8, 5, 300];
		const clients: TestSocket[] = [];
		for (let n = 0; n < streets * houses; n++) {
			const client = await connect(secureUrl, options);
			client.say({ type: "subscribe", topics: [`street ${n % streets}`] });
			await settled(client);
			clients.push(client);
		}
		const data = "x".repeat(3_000);
		clients.forEach((client, n) => {
			for (let i = 0; i < messages; i++) client.say({ type: "publish", topic: `street ${n % streets}`, data });
		});
		const heard = () => clients.map(({ heard }) => heard.length);
		await expect.poll(heard, { timeout: 60_000 }).toEqual(clients.map(() => houses * messages));
		expect(service?.refusals()).toEqual({});
	});

	it("is bounded over all topics together, and a topic's subscribers are", async () => {
		const url = await serve({ topics: 3, socketsPerTopic: 2 });
		const [a, b] = [await subscribed(url, "1", "2"), await subscribed(url, "3", "4")];
		expect(await health(url)).toMatchObject({ topics: 3, refused: { "topics-full": 1 } });
		b.say({ type: "subscribe", topics: ["1"] });
		await settled(b);
		const c = await subscribed(url, "1");
		expect(await health(url)).toMatchObject({ topics: 3, refused: { "topic-full": 1 } });
		b.say({ type: "unsubscribe", topics: ["1", "3"] });
		await settled(b);
		c.say({ type: "subscribe", topics: ["1", "5"] });
		await settled(c);
		a.say({ type: "publish", topic: "1", data: 0 });
		expect(await c.next()).toMatchObject({ clients: 2 });
		expect((await health(url)).topics).toBe(3);
	});

	it("is bounded for a message that comes in ever more pieces", async () => {
		const url = await serve();
		const inFrames = await connectRaw(url);
		inFrames.write(clientFrame(OPCODE.text, Buffer.from('{"type":'), { isFinal: false }));
		const part = clientFrame(OPCODE.continuation, Buffer.from(" "), { isFinal: false });
		inFrames.write(Buffer.concat(Array.from({ length: 100 }, () => part)));
		await once(inFrames, "close");
		const inBytes = await connectRaw(url);
		inBytes.setNoDelay(true);
		for (const byte of clientFrame(OPCODE.text, Buffer.alloc(16_000, " "))) {
			if (inBytes.destroyed) break;
			inBytes.write(Uint8Array.of(byte));
			// Each in a packet of its own, read before the next one comes.
			await fetch(`${url}/health`);
		}
		expect(inBytes.destroyed || (await once(inBytes, "close"))).toBeTruthy();
		expect((await health(url)).refused).toEqual({ "too-many-fragments": 2 });
	});
});

describe("work", () => {
	it("is bounded for control frames too", async () => {
		const url = await serve({ burstTokens: 50, tokensPerSecond: 1, refusals: 50 });
		for (const opcode of [OPCODE.ping, OPCODE.pong]) {
			const socket = await connectRaw(url);
			const frame = clientFrame(opcode, Buffer.alloc(0));
			socket.write(Buffer.concat(Array.from({ length: 300 }, () => frame)));
			await once(socket, "close");
		}
		expect((await health(url)).refused).toEqual({ "too-many-messages": 102, "too-many-refusals": 2 });
	});
});

describe("places", () => {
	it("are not held by who subscribes to nothing, whatever else it says", async () => {
		const url = await serve({ topiclessMs: 300 });
		const [talker, leaver, listener] = [await connect(url), await subscribed(url, "x"), await subscribed(url, "x")];
		const talking = setInterval(() => talker.say({ type: "ping" }), 50);
		leaver.say({ type: "unsubscribe", topics: ["x"] });
		expect(await Promise.all([talker.closed, leaver.closed])).toEqual([1008, 1008]);
		clearInterval(talking);
		await settled(listener);
		expect(await health(url)).toMatchObject({ sockets: 1, refused: { "no-topic": 2 } });
	});

	it("go back when a connection is cut in the middle of a message", async () => {
		const url = await serve();
		const socket = await connectRaw(url);
		socket.write(clientFrame(OPCODE.text, Buffer.from('{"type":"subscribe","topics":["x"]}')).subarray(0, 20));
		await expect.poll(async () => (await health(url)).sockets).toBe(1);
		socket.destroy();
		await expect.poll(async () => (await health(url)).sockets).toBe(0);
	});

	it("are given, on a full server, to an address that has few, by the one that has most", async () => {
		const refusals = new Refusals();
		const relay = createRelay({ ...DEFAULTS, sockets: 5, fairSocketsPerAddress: 2 }, [], refusals);
		// Addresses as the test wants them: only the relay is asked.
		const { createServer } = await import("node:http");
		const server = createServer();
		server.on("upgrade", (request, stream, head) => relay.upgrade(request, stream, head, String(request.headers.from)));
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		const address = server.address();
		const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
		const from = (name: string) => connect(url, { headers: { from: name } });
		const block = [await from("block"), await from("block"), await from("block"), await from("block")];
		const neighbour = await from("neighbour");
		// The block has more than its share, so its newest go; it gets no place by pushing.
		await expect(from("block")).rejects.toThrow("503");
		const newcomer = await from("newcomer");
		expect(await block[3]?.closed).toBe(1013);
		await from("newcomer");
		expect(await block[2]?.closed).toBe(1013);
		// Now nobody has more than a share.
		await expect(from("stranger")).rejects.toThrow("503");
		for (const client of [neighbour, newcomer, ...block.slice(0, 2)]) await settled(client);
		expect(relay.counts()).toEqual({ sockets: 5, topics: 0 });
		expect(refusals.toJSON()).toEqual({ "too-many-sockets": 2, "gave-way": 2 });
		relay.stop();
		server.close();
	});
});

describe("addresses", () => {
	const limits = { connections: 4, connectionsPerAddress: 3, newConnectionsPerSecond: 1, addresses: 8 };

	it("may open so many connections, and so many new ones each second", () => {
		const gate = new ConnectionGate(limits);
		expect([1, 2, 3, 4].map(() => gate.enter("a", 0))).toEqual([
			undefined,
			undefined,
			undefined,
			"too-many-connections-of-address",
		]);
		expect(gate.enter("b", 0)).toBeUndefined();
		gate.leave("a", 10);
		expect(gate.enter("a", 10)).toBe("too-many-new-connections-of-address");
		expect(gate.enter("a", 1_000)).toBeUndefined();
	});

	it("are forgotten when they have left, and never more than the table holds", () => {
		const gate = new ConnectionGate(limits);
		gate.enter("a", 0);
		gate.leave("a", 1_000);
		expect(gate.size).toBe(0);
		gate.enter("stays", 0);
		for (let i = 0; i < 1_000; i++) {
			gate.enter(`address ${i}`, 1_000);
			gate.leave(`address ${i}`, 1_000);
			expect(gate.size).toBeLessThanOrEqual(limits.addresses);
		}
		// What is connected is not forgotten with those.
		expect([gate.enter("stays", 1_000), gate.enter("stays", 1_000), gate.enter("stays", 1_000)]).toEqual([
			undefined,
			undefined,
			"too-many-connections-of-address",
		]);
	});

	it.each([
		["192.0.2.7", "192.0.2.7"],
		["::ffff:192.0.2.7", "192.0.2.7"],
		["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
		["2001:db8:1:2::9", "2001:db8:1:2::/64"],
		["2001:db8::9", "2001:db8:0:0::/64"],
		["::1", "0:0:0:0::/64"],
		["fe80::1:2%eth0", "fe80:0:0:0::/64"],
		["", ""],
	])("%s counts as %s", (remoteAddress, network) => {
		expect(networkOf(remoteAddress)).toBe(network);
	});

	it("of the network are bounded, this computer is not", async () => {
		const { secureUrl, options } = await serveSecurely({ connectionsPerAddress: 2, newConnectionsPerSecond: 1_000 });
		const first = await connect(secureUrl, options);
		await connect(secureUrl, options);
		await expect(connect(secureUrl, options)).rejects.toThrow();
		expect(service?.refusals()).toEqual({ "too-many-connections-of-address": 1 });
		for (let i = 0; i < 3; i++) await connect(service?.localUrl ?? "");
		first.socket.close();
		await first.closed;
		await expect
			.poll(() =>
				connect(secureUrl, options).then(
					() => "in",
					() => "out",
				),
			)
			.toBe("in");
	});
});
