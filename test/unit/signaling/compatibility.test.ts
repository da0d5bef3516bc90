import { WebsocketClient } from "lib0/websocket";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type Service, startService } from "../../../signaling/service.js";
import { type StockServer, startStockServer } from "./stockServer.js";
import { connect } from "./testSocket.js";

let stock: StockServer;
let service: Service;

beforeAll(async () => {
	stock = await startStockServer();
	const started = await startService({ port: 0 });
	if (!started.ok) throw new Error(started.error.code);
	service = started.value;
});

afterAll(async () => {
	stock.stop();
	await service.stop();
});

/** Who says what to the server; every line is followed by a ping, so that the order is the same every time. */
const DIALOGUE: [who: 0 | 1 | 2, message: object][] = [
	[0, { type: "subscribe", topics: ["room"] }],
	[0, { type: "publish", topic: "room", data: { type: "announce", from: "a" } }],
	[1, { type: "subscribe", topics: ["room", "other"] }],
	[1, { type: "publish", topic: "room", data: "c2VhbGVk" }],
	[2, { type: "publish", topic: "room", data: { type: "signal", to: "a", signal: { type: "offer", sdp: "v=0" } } }],
	[2, { type: "publish", topic: "empty", data: 1 }],
	[2, { type: "publish", topic: "other" }],
	[0, { type: "unsubscribe", topics: ["room", "never"] }],
	[1, { type: "publish", topic: "room", data: null }],
	[1, { type: "subscribe" }],
	[1, { type: "something new" }],
	[1, { type: "ping" }],
];

async function play(url: string): Promise<unknown[]> {
	const clients = [await connect(url), await connect(url), await connect(url)];
	for (const [who, message] of DIALOGUE) {
		clients[who]?.say(message);
		clients[who]?.say({ type: "ping" });
		await new Promise((resolve) => setTimeout(resolve, 30));
	}
	for (const { socket } of clients) socket.close();
	return clients.map(({ heard }) => heard);
}

it("says word for word what y-webrtc's server says", async () => {
	const reference = await play(stock.url);
	expect(reference.flat().length).toBeGreaterThan(18);
	expect(await play(service.localUrl)).toEqual(reference);
});

it("outlives the message that ends y-webrtc's server", async () => {
	const own = await startStockServer();
	const ended = new Promise((resolve) => own.process.on("exit", resolve));
	for (const url of [own.url, service.localUrl]) (await connect(url)).socket.send("no JSON");
	expect(await ended).not.toBe(0);
	expect((await fetch(`${service.localUrl}/health`)).status).toBe(200);
});

describe("y-webrtc's WebSocket client", () => {
	it("subscribes, publishes and hears the others", async () => {
		Object.assign(globalThis, { WebSocket });
		const url = service.localUrl.replace("http", "ws");
		const heard: object[] = [];
		const clients = [0, 1].map(() => new WebsocketClient(url));
		await Promise.all(
			clients.map(
				(client) =>
					new Promise<void>((resolve) => {
						client.on("connect", () => {
							client.send({ type: "subscribe", topics: ["room"] });
							resolve();
						});
						client.on("message", (message: object) => heard.push(message));
					}),
			),
		);
		await new Promise((resolve) => setTimeout(resolve, 100));
		clients[0]?.send({ type: "publish", topic: "room", data: "c2VhbGVk" });
		await expect.poll(() => heard).toHaveLength(2);
		expect(heard[1]).toEqual({ type: "publish", topic: "room", data: "c2VhbGVk", clients: 2 });
		for (const client of clients) client.destroy();
	});
});
