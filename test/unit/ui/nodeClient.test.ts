import { describe, expect, test } from "vitest";
import type { Mesh, MeshOptions } from "../../../src/network/mesh.js";
import type { NetworkSettings, NodeInput, NodeOutput } from "../../../src/node/protocol.js";
import { connectModem } from "../../../src/ui/modem.js";
import { createNodeClient } from "../../../src/ui/nodeClient.svelte.js";
import type { NodePort } from "../../../src/ui/nodePort.js";

function testPort(): NodePort & { posted: NodeInput[]; send(output: NodeOutput): void } {
	const posted: NodeInput[] = [];
	const listeners: ((output: NodeOutput) => void)[] = [];
	return {
		posted,
		post: (input) => posted.push(input),
		listen: (listener) => listeners.push(listener),
		send: (output) => {
			for (const listener of listeners) listener(output);
		},
	};
}

describe("the node's client", () => {
	test("gives every command an id of its own and its own reply, in whatever order they come", async () => {
		const port = testPort();
		const client = createNodeClient(port, () => 0);
		const first = client.command({ type: "invite" });
		const second = client.command({ type: "start" });
		expect(port.posted).toEqual([
			{ type: "command", id: 1, command: { type: "invite" } },
			{ type: "command", id: 2, command: { type: "start" } },
		]);
		port.send({ type: "reply", id: 2, result: { ok: false, error: { code: "not-founder" } } });
		port.send({ type: "reply", id: 1, result: { ok: true, value: { type: "link", link: "join=a" } } });
		expect(await first).toEqual({ ok: true, value: { type: "link", link: "join=a" } });
		expect(await second).toEqual({ ok: false, error: { code: "not-founder" } });
	});

	test("holds the latest view and when it came", () => {
		const port = testPort();
		let nowMs = 5;
		const client = createNodeClient(port, () => nowMs);
		let changes = 0;
		client.onChange(() => changes++);
		expect(client.view).toBeUndefined();
		nowMs = 9;
		port.send({ type: "view", view: { stage: "welcome" } });
		expect([client.view, client.viewAtMs, changes]).toEqual([{ stage: "welcome" }, 9, 1]);
	});

	test("answers what waits when the worker stops, so that no screen waits for ever", async () => {
		const port = testPort();
		const client = createNodeClient(port, () => 0);
		const waiting = client.command({ type: "invite" });
		port.send({ type: "fault", fault: { code: "worker-failed" } });
		expect(await waiting).toEqual({ ok: false, error: { code: "worker-failed" } });
		expect(client.faults).toEqual([{ code: "worker-failed" }]);
	});

	test("keeps one fault for each code until it is dismissed, in the node too", () => {
		const port = testPort();
		const client = createNodeClient(port, () => 0);
		port.send({ type: "fault", fault: { code: "storage-write-failed", store: "votes" } });
		port.send({ type: "fault", fault: { code: "storage-write-failed", store: "outbox" } });
		expect(client.faults).toEqual([{ code: "storage-write-failed", store: "outbox" }]);
		client.dismissFault("storage-write-failed");
		expect(client.faults).toEqual([]);
		expect(port.posted).toMatchObject([{ command: { type: "forgetFault", code: "storage-write-failed" } }]);
	});

	test("answers what waits when the node moves, forgets its faults, and goes on with what it shows", async () => {
		const port = testPort();
		const client = createNodeClient(port, () => 0);
		port.send({ type: "view", view: { stage: "welcome" } });
		port.send({ type: "fault", fault: { code: "worker-failed" } });
		const waiting = client.command({ type: "invite" });
		client.moved("node-moved");
		expect(await waiting).toEqual({ ok: false, error: { code: "node-moved" } });
		expect([client.view, client.faults]).toEqual([{ stage: "welcome" }, []]);
		const next = client.command({ type: "start" });
		port.send({ type: "reply", id: 1, result: { ok: true, value: { type: "done" } } });
		port.send({ type: "reply", id: 2, result: { ok: true, value: { type: "signed", id: "a" } } });
		expect(await next).toEqual({ ok: true, value: { type: "signed", id: "a" } });
	});

	test("after it was stopped it refuses at once and hears nothing", async () => {
		const port = testPort();
		const client = createNodeClient(port, () => 0);
		client.stop("house-off");
		port.send({ type: "view", view: { stage: "welcome" } });
		expect(client.view).toBeUndefined();
		expect(await client.command({ type: "start" })).toEqual({ ok: false, error: { code: "house-off" } });
	});
});

describe("the modem", () => {
	const settings: NetworkSettings = {
		...{ signalingUrls: ["ws://a"], meshId: "t", topics: [] },
		...{ deviceId: "02", iceServers: [], connectTo: "everybody" },
	};

	function testMesh(): { opened: MeshOptions[]; calls: unknown[]; create(options: MeshOptions): Mesh } {
		const opened: MeshOptions[] = [];
		const calls: unknown[] = [];
		return {
			opened,
			calls,
			create(options) {
				opened.push(options);
				return {
					send: (channel, frame) => calls.push(["send", channel, [...frame]]),
					publish: (topic, sealed) => calls.push(["publish", topic, sealed]),
					hear: ({ from, kind }) => calls.push(["hear", from, kind]),
					close: (channel, code) => calls.push(["close", channel, code]),
					passOver: (channel) => calls.push(["passOver", channel]),
					update: (changed) => calls.push(["update", changed.meshId, changed.signalingUrls]),
					wake: (sleptMs) => calls.push(["wake", sleptMs]),
					move: () => calls.push(["move"]),
					stop: () => calls.push(["stop"]),
					stats: () => {
						throw new Error("not asked for");
					},
				};
			},
		};
	}

	const loaded = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

	test("is in the mesh that the node asks for, and carries frames both ways", async () => {
		const port = testPort();
		const mesh = testMesh();
		connectModem(port, async () => mesh.create);
		port.send({ type: "peerFrame", channel: "early", frame: Uint8Array.of(0) });
		port.send({ type: "network", network: settings });
		await loaded();
		port.send({ type: "peerFrame", channel: "c", frame: Uint8Array.of(1, 2) });
		port.send({ type: "closePeer", channel: "c", code: "bad-proof" });
		port.send({ type: "passOver", channel: "d" });
		port.send({ type: "sealedSignal", topic: "hub", sealed: "abc" });
		port.send({ type: "signal", signal: { from: "03", session: "s", sequence: 1, kind: "announce" } });
		port.send({ type: "network", network: { ...settings, meshId: "u" } });
		await loaded();
		port.send({ type: "network" });
		expect(mesh.calls).toEqual([
			["send", "c", [1, 2]],
			["close", "c", "bad-proof"],
			["passOver", "d"],
			["publish", "hub", "abc"],
			["hear", "03", "announce"],
			["update", "u", ["ws://a"]],
			["stop"],
		]);
		mesh.opened[0]?.onFrame("c", Uint8Array.of(3));
		mesh.opened[0]?.onClosed("c", "gone");
		mesh.opened[0]?.onSignalingStatus({ connected: 1, configured: 2 });
		mesh.opened[0]?.onSignal({ session: "s", sequence: 1, kind: "announce" });
		mesh.opened[0]?.onSealed("hub", "abc");
		expect(port.posted).toEqual([
			{ type: "peerFrame", channel: "c", frame: Uint8Array.of(3) },
			{ type: "peerClosed", channel: "c" },
			{ type: "signalingStatus", connected: 1, configured: 2 },
			{ type: "signal", draft: { session: "s", sequence: 1, kind: "announce" } },
			{ type: "sealedSignal", topic: "hub", sealed: "abc" },
		]);
	});

	test("joins once, with the latest settings, although the node asked twice while WebRTC was loading", async () => {
		const port = testPort();
		const mesh = testMesh();
		connectModem(port, async () => mesh.create);
		port.send({ type: "network", network: settings });
		port.send({ type: "network", network: { ...settings, meshId: "u" } });
		await loaded();
		expect(mesh.opened.map((options) => options.settings.meshId)).toEqual(["u"]);
	});

	test("does not join when the node has changed its mind while WebRTC was loading", async () => {
		const port = testPort();
		const mesh = testMesh();
		connectModem(port, async () => mesh.create);
		port.send({ type: "network", network: settings });
		port.send({ type: "network" });
		await loaded();
		expect(mesh.opened).toEqual([]);
	});

	test("adds the servers that the page's origin names, each once, whenever it is told of them", async () => {
		const port = testPort();
		const mesh = testMesh();
		const modem = connectModem(port, async () => mesh.create);
		modem.also(["ws://b", "ws://a"]);
		port.send({ type: "network", network: settings });
		await loaded();
		expect(mesh.opened[0]?.settings.signalingUrls).toEqual(["ws://a", "ws://b"]);
		modem.also(["ws://c"]);
		await loaded();
		expect(mesh.calls).toEqual([["update", "t", ["ws://a", "ws://c"]]]);
	});

	test("wakes the mesh that there is, and after it was stopped joins none again", async () => {
		const port = testPort();
		const mesh = testMesh();
		const modem = connectModem(port, async () => mesh.create);
		port.send({ type: "network", network: settings });
		await loaded();
		modem.wake(20_000);
		modem.move();
		modem.stop();
		modem.wake(20_000);
		port.send({ type: "network", network: settings });
		await loaded();
		expect(mesh.calls).toEqual([["wake", 20_000], ["move"], ["stop"]]);
		expect(mesh.opened).toHaveLength(1);
	});
});
