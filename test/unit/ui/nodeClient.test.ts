import { describe, expect, test } from "vitest";
import type { Mesh, MeshOptions } from "../../../src/network/mesh.js";
import type { NetworkSettings, NodeInput, NodeOutput } from "../../../src/node/protocol.js";
import { connectModem } from "../../../src/ui/modem.js";
import { createNodeClient } from "../../../src/ui/nodeClient.js";
import type { NodePort } from "../../../src/ui/nodePort.js";
import { startSession } from "../../../src/ui/session.js";

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
	const settings: NetworkSettings = { signalingUrls: ["ws://a"], topic: "t", deviceId: "02", iceServers: [] };

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
					close: (channel, code) => calls.push(["close", channel, code]),
					update: (changed) => calls.push(["update", changed.topic]),
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
		port.send({ type: "network", network: { ...settings, topic: "u" } });
		await loaded();
		port.send({ type: "network" });
		expect(mesh.calls).toEqual([["send", "c", [1, 2]], ["close", "c", "bad-proof"], ["update", "u"], ["stop"]]);
		mesh.opened[0]?.onFrame("c", Uint8Array.of(3));
		mesh.opened[0]?.onClosed("c", "gone");
		mesh.opened[0]?.onSignalingStatus({ connected: 1, configured: 2 });
		expect(port.posted).toEqual([
			{ type: "peerFrame", channel: "c", frame: Uint8Array.of(3) },
			{ type: "peerClosed", channel: "c" },
			{ type: "signalingStatus", connected: 1, configured: 2 },
		]);
	});

	test("joins once, with the latest settings, although the node asked twice while WebRTC was loading", async () => {
		const port = testPort();
		const mesh = testMesh();
		connectModem(port, async () => mesh.create);
		port.send({ type: "network", network: settings });
		port.send({ type: "network", network: { ...settings, topic: "u" } });
		await loaded();
		expect(mesh.opened.map((options) => options.settings.topic)).toEqual(["u"]);
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

	test("that was stopped joins no mesh again", async () => {
		const port = testPort();
		const mesh = testMesh();
		const modem = connectModem(port, async () => mesh.create);
		port.send({ type: "network", network: settings });
		await loaded();
		modem.stop();
		port.send({ type: "network", network: settings });
		await loaded();
		expect(mesh.calls).toEqual([["stop"]]);
		expect(mesh.opened).toHaveLength(1);
	});
});

describe("one tab runs the node", () => {
	/** As in a browser: one holder, the others in line. */
	function testLocks(): LockManager & { release(): void } {
		let release: (() => void) | undefined;
		const line: (() => void)[] = [];
		const request = async (name: string, ...rest: unknown[]): Promise<unknown> => {
			const callback = rest.at(-1) as LockGrantedCallback<unknown>;
			const ifAvailable = rest.length > 1 && (rest[0] as LockOptions).ifAvailable === true;
			if (release !== undefined && ifAvailable) return callback(null);
			if (release !== undefined) await new Promise<void>((resolve) => line.push(resolve));
			const ended = new Promise<void>((resolve) => {
				release = resolve;
			});
			void callback({ name, mode: "exclusive" });
			await ended;
			release = undefined;
			line.shift()?.();
		};
		return {
			request: request as LockManager["request"],
			query: () => Promise.reject(new Error("not asked for")),
			release: () => release?.(),
		};
	}

	test("the second says that it is open elsewhere, and takes over when the first is gone", async () => {
		const locks = testLocks();
		const client = createNodeClient(testPort(), () => 0);
		const first = startSession(locks, () => client);
		const second = startSession(locks, () => client);
		await Promise.resolve();
		expect([first.state.type, second.state.type]).toEqual(["running", "otherTab"]);
		locks.release();
		await new Promise((resolve) => setTimeout(resolve));
		expect(second.state.type).toBe("running");
	});

	test("without locks the address is not secure, and no node is started", () => {
		const session = startSession(undefined, () => {
			throw new Error("must not start");
		});
		expect(session.state.type).toBe("insecure");
	});
});
