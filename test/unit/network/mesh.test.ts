import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Signal } from "../../../src/message/signal.js";
import { SEALED_SIGNAL_LENGTH } from "../../../src/message/signalLimits.js";
import { MAX_BUFFERED_BYTES, MAX_FRAME_BYTES } from "../../../src/network/link.js";
import { createMesh, type Mesh, type PeerOpened, type SignalingStatus } from "../../../src/network/mesh.js";
import type { NetworkSettings } from "../../../src/node/protocol.js";
import { createFakePeer, FakePeer, FakeServer } from "./fakeWebRtc.js";

/** Device ids in their order. */
const device = (n: number) => `02${n.toString(16).padStart(64, "0")}`;
const URL_A = "ws://a";
const URL_B = "ws://b";

interface Page {
	mesh: Mesh;
	/** The newest. */
	settings: NetworkSettings;
	/** Open channels, by name. */
	open: Map<string, PeerOpened>;
	openings: number;
	closings: [channel: string, code: string][];
	frames: [channel: string, frame: Uint8Array][];
	statuses: SignalingStatus[];
}

let servers: Record<string, FakeServer>;
let pages: Page[];

beforeEach(() => {
	vi.useFakeTimers();
	FakePeer.all = [];
	FakePeer.reachable = true;
	servers = { [URL_A]: new FakeServer(), [URL_B]: new FakeServer() };
	pages = [];
});

afterEach(async () => {
	for (const { mesh } of pages) mesh.stop();
	// The fakes' own last tasks; what is there after it belongs to a mesh.
	await vi.advanceTimersByTimeAsync(100);
	expect(vi.getTimerCount()).toBe(0);
	vi.useRealTimers();
});

/** The mesh lets nothing through that is not as long as what is sealed. */
const asLongAsSealed = (signal: object) => JSON.stringify(signal).padEnd(SEALED_SIGNAL_LENGTH);

const settingsOf = (n: number, changes: Partial<NetworkSettings> = {}): NetworkSettings => ({
	...{ signalingUrls: [URL_A], meshId: "street", topics: ["street"] },
	...{ deviceId: device(n), iceServers: [], connectTo: "everybody", ...changes },
});

/** The node's part is played here: what it would seal goes out as it is, all under the first topic. */
function openPage(n: number, changes: Partial<NetworkSettings> = {}): Page {
	const settings = settingsOf(n, changes);
	const page: Omit<Page, "mesh"> = { settings, open: new Map(), openings: 0, closings: [], frames: [], statuses: [] };
	const whole: Page = Object.assign(page, {
		mesh: createMesh({
			settings,
			onOpened: (peer) => {
				whole.openings += 1;
				whole.open.set(peer.channel, peer);
			},
			onClosed: (channel, code) => {
				expect(page.open.delete(channel)).toBe(true);
				page.closings.push([channel, code]);
			},
			onFrame: (channel, frame) => {
				expect(page.open.has(channel)).toBe(true);
				page.frames.push([channel, frame]);
			},
			onSignal(draft) {
				const { deviceId, topics } = whole.settings;
				whole.mesh.publish(topics[0] ?? "", asLongAsSealed({ from: deviceId, ...draft }));
			},
			onSealed: (_, sealed) => whole.mesh.hear(JSON.parse(sealed as string)),
			onSignalingStatus: (status) => page.statuses.push(status),
			webSocket: FakeServer.webSocket(servers),
			createPeer: createFakePeer,
			isUsable: ({ urls }) => !urls.includes("refused"),
		}),
	});
	pages.push(whole);
	return whole;
}

function update(page: Page, n: number, changes: Partial<NetworkSettings> = {}): void {
	page.settings = settingsOf(n, changes);
	page.mesh.update(page.settings);
}

const run = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const only = <T>(values: Iterable<T>): T => {
	const all = [...values];
	expect(all).toHaveLength(1);
	return all[0] as T;
};
/** What `from` said on a server. */
const said = (from: string, kind: string) =>
	(servers[URL_A]?.published ?? [])
		.map(({ data }) => JSON.parse(data as string) as Signal & { attempt?: number })
		.filter((signal) => signal.from === from && signal.kind === kind);
/** Those that a device has offered, each once however often it said so. */
const attemptsOf = (from: string) => [...new Set(said(from, "offer").map(({ attempt }) => attempt))];

describe("pages of one topic", () => {
	it("find one another, whoever came first; the lower id starts, once", async () => {
		for (const n of [3, 1, 4, 2]) {
			openPage(n);
			await run(50);
		}
		await run(1_000);
		expect(pages.map(({ open }) => open.size)).toEqual([3, 3, 3, 3]);
		expect(FakePeer.all).toHaveLength(12);
		for (const { open, closings } of pages) {
			expect(closings).toEqual([]);
			expect(new Set(open.keys()).size).toBe(3);
		}
		const [three] = pages as [Page];
		expect([...three.open.values()].filter(({ initiator }) => initiator)).toHaveLength(1);
		expect(said(device(4), "offer")).toEqual([]);
		await run(300_000);
		expect(FakePeer.all).toHaveLength(12);
	});

	it("know the certificates at both ends", async () => {
		const [a, b] = [openPage(1), openPage(2)];
		await run(1_000);
		const [atA, atB] = [only(a.open.values()), only(b.open.values())];
		expect(atA.localFingerprint).toEqual(atB.remoteFingerprint);
		expect(atB.localFingerprint).toEqual(atA.remoteFingerprint);
		expect(atA.localFingerprint).not.toEqual(atB.localFingerprint);
	});

	it("exchange frames as plain bytes, and closed channels swallow them", async () => {
		const [a, b] = [openPage(1), openPage(2)];
		await run(1_000);
		a.mesh.send(only(a.open.keys()), Uint8Array.of(1, 2));
		b.mesh.send(only(b.open.keys()), new Uint8Array(0));
		a.mesh.send("nobody", Uint8Array.of(9));
		await run(10);
		expect(b.frames).toEqual([[only(b.open.keys()), Uint8Array.of(1, 2)]]);
		expect(b.frames[0]?.[1].constructor).toBe(Uint8Array);
		expect(a.frames).toEqual([[only(a.open.keys()), new Uint8Array(0)]]);
	});

	it("do not hear those of another topic", async () => {
		const a = openPage(1);
		openPage(2, { topics: ["other street"] });
		await run(30_000);
		expect(a.mesh.stats()).toMatchObject({ open: 0, known: 0 });
	});

	it("connect once through several servers, and through any that works", async () => {
		const both = { signalingUrls: [URL_A, URL_B, "ws://nowhere"] };
		const [a, b] = [openPage(1, both), openPage(2, both)];
		const c = openPage(3, { signalingUrls: [URL_B] });
		for (const server of Object.values(servers)) server.copies = 3;
		await run(15_000);
		expect([a, b, c].map(({ open }) => open.size)).toEqual([2, 2, 2]);
		expect(FakePeer.all).toHaveLength(6);
		expect(a.mesh.stats()).toMatchObject({
			open: 2,
			connecting: 0,
			known: 2,
			signaling: { connected: 2, configured: 3 },
		});
		expect(a.mesh.stats().counts["signal-repeated"]).toBeGreaterThan(3);
	});
});

describe("two places with one device id", () => {
	const names = (n: number) => [...new Set(said(device(n), "announce").map(({ session }) => session))];

	it("are connected in turn, the one that is left alone under a new name, and more and more seldom", async () => {
		const [neighbour, one] = [openPage(1), openPage(2)];
		await run(1_000);
		const two = openPage(2);
		await run(90_000);
		// Each of the two was heard again after the other had come.
		expect(names(2).length).toBeGreaterThanOrEqual(4);
		expect(one.closings.length + two.closings.length).toBeGreaterThanOrEqual(3);
		expect(neighbour.open.size).toBe(1);
		const comings = async (ms: number) => {
			const before = names(2).length;
			await run(ms);
			return names(2).length - before;
		};
		await run(4 * 3_600_000);
		expect(await comings(3_600_000)).toBeLessThanOrEqual(6);
	});

	it("are not made up of a page's own echo, from before it slept either", async () => {
		const two = openPage(2);
		await run(100);
		const [old] = (servers[URL_A]?.published ?? []).map(({ data }) => data);
		two.mesh.wake(60_000);
		await run(1_000);
		servers[URL_A]?.publish("street", old);
		await run(100_000);
		expect(names(2)).toHaveLength(2);
	});
});

describe("a page that was lost", () => {
	it("comes back in a new session: the old channel closes, a new one opens", async () => {
		for (const [stays, returns] of [
			[1, 2],
			[2, 1],
		] as const) {
			const [a, b] = [openPage(stays), openPage(returns)];
			await run(1_000);
			const before = only(a.open.keys());
			// Without a word, as when a computer loses its power.
			b.mesh.send = () => {};
			for (const peer of FakePeer.all) peer.other = undefined;
			b.mesh.stop();
			const again = openPage(returns);
			await run(3_000);
			expect(a.closings).toEqual([[before, "peer-restarted"]]);
			expect([a.open.size, again.open.size]).toEqual([1, 1]);
			a.mesh.stop();
			again.mesh.stop();
		}
	});

	it.each(["offer", "answer"])(
		"is connected at the first attempt though its servers lose the first %s",
		async (kind) => {
			const lost: string[] = [];
			for (const n of [1, 2]) {
				const page = openPage(n);
				const publish = page.mesh.publish.bind(page.mesh);
				page.mesh.publish = (topic, sealed) => {
					const isLost = JSON.parse(sealed).kind === kind && lost.length < 1;
					if (isLost) lost.push(sealed);
					else publish(topic, sealed);
				};
			}
			await run(1_000);
			expect(pages.map(({ open }) => open.size)).toEqual([0, 0]);
			await run(8_000);
			expect(pages.map(({ open }) => open.size)).toEqual([1, 1]);
			expect(lost.map((sealed) => JSON.parse(sealed).attempt)).toEqual([1]);
			expect(attemptsOf(device(1))).toEqual([1]);
		},
	);

	it("is connected again within seconds when only the connection broke", async () => {
		const [a, b] = [openPage(1), openPage(2)];
		await run(40_000);
		const before = only(a.open.keys());
		FakePeer.all[0]?.emit("error", new Error("Ice connection failed."));
		await run(2_000);
		expect(a.closings).toEqual([[before, "connection-lost"]]);
		expect([a.open.size, b.open.size]).toEqual([1, 1]);
		expect(only(a.open.keys())).not.toBe(before);
	});

	it("is tried less and less often while it cannot be reached, and forgotten when it is silent", async () => {
		FakePeer.reachable = false;
		const [a, b] = [openPage(1), openPage(2)];
		await run(120_000);
		const attempts = attemptsOf(device(1));
		expect(attempts.length).toBeGreaterThanOrEqual(3);
		expect(attempts.length).toBeLessThanOrEqual(7);
		expect(a.mesh.stats().counts["connection-timed-out"]).toBeGreaterThanOrEqual(3);
		expect([a.openings, b.openings]).toEqual([0, 0]);
		FakePeer.reachable = true;
		await run(60_000);
		expect([a.open.size, b.open.size]).toEqual([1, 1]);
		b.mesh.stop();
		await run(240_000);
		expect(a.mesh.stats()).toMatchObject({ open: 0, connecting: 0, known: 0 });
	});

	it("keeps its channels while the signaling server is away, and new pages come when it is back", async () => {
		const [a, b] = [openPage(1), openPage(2)];
		await run(1_000);
		servers[URL_A]?.goDown();
		await run(60_000);
		expect([a.open.size, a.openings, b.open.size]).toEqual([1, 1, 1]);
		expect(a.statuses.at(-1)).toEqual({ connected: 0, configured: 1 });
		const c = openPage(3);
		(servers[URL_A] as FakeServer).up = true;
		await run(30_000);
		expect([a.open.size, b.open.size, c.open.size]).toEqual([2, 2, 2]);
		expect(a.statuses.at(-1)).toEqual({ connected: 1, configured: 1 });
	});

	it("is looked for every few seconds while alone, and seldom when somebody is there", async () => {
		const a = openPage(1);
		await run(60_000);
		const alone = said(device(1), "announce").length;
		expect(alone).toBeGreaterThanOrEqual(7);
		expect(alone).toBeLessThanOrEqual(15);
		openPage(2);
		await run(1_000);
		const before = said(device(1), "announce").length;
		await run(60_000);
		const connected = said(device(1), "announce").length - before;
		expect(connected).toBeGreaterThanOrEqual(2);
		expect(connected).toBeLessThanOrEqual(4);
		expect(a.open.size).toBe(1);
	});
});

describe("pages that were cut off from the server and from one another, and are not told", () => {
	it.each([20_000, 31_000, 45_000, 52_000, 120_000, 600_000])(
		"are connected again 10 s after %i ms of it",
		async (cutMs) => {
			const [a, b] = [openPage(1), openPage(2)];
			await run(40_000);
			const server = servers[URL_A] as FakeServer;
			server.unreachable = true;
			FakePeer.reachable = false;
			// The node notices that nothing comes any more.
			await run(5_000);
			for (const { mesh, open } of [a, b]) for (const channel of open.keys()) mesh.close(channel, "silent");
			await run(cutMs - 5_000);
			expect([a.open.size, b.open.size]).toEqual([0, 0]);
			server.unreachable = false;
			FakePeer.reachable = true;
			await run(10_000);
			expect([a.open.size, b.open.size]).toEqual([1, 1]);
		},
	);
});

describe("a neighbour whose node is busy for seconds", () => {
	/** What it says and what it is told waits for its node, in order. */
	function keepBusy(page: Page): () => void {
		const { mesh } = page;
		const waiting: (() => void)[] = [];
		page.mesh = {
			...{ send: mesh.send.bind(mesh), close: mesh.close.bind(mesh), update: mesh.update.bind(mesh) },
			...{ wake: mesh.wake.bind(mesh), move: mesh.move.bind(mesh), stop: mesh.stop.bind(mesh) },
			...{ passOver: mesh.passOver.bind(mesh), stats: mesh.stats.bind(mesh) },
			publish: (topic, sealed) => waiting.push(() => mesh.publish(topic, sealed)),
			hear: (signal) => waiting.push(() => mesh.hear(signal)),
		};
		return () => {
			page.mesh = mesh;
			for (const each of waiting.splice(0)) each();
		};
	}

	it("is not called twice: its announcement comes before the answer that it is about to give", async () => {
		const b = openPage(2);
		await run(500);
		const goOn = keepBusy(b);
		const a = openPage(1);
		// It has announced itself; the offer to it waits.
		a.mesh.hear({
			from: device(2),
			session: said(device(2), "announce")[0]?.session ?? "",
			sequence: 100,
			kind: "announce",
		});
		await run(6_000);
		expect([attemptsOf(device(1)), a.open.size]).toEqual([[1], 0]);
		goOn();
		await run(900);
		expect([attemptsOf(device(1)), a.open.size, b.open.size]).toEqual([[1], 1, 1]);
	});
});

describe("a page that slept", () => {
	/** Stands still as the neighbours see it: they close their ends, and their tries to connect again fail. */
	async function fallAsleep(sleeper: Page, other: Page): Promise<void> {
		await run(40_000);
		FakePeer.reachable = false;
		const [channel] = other.open.keys();
		other.mesh.close(channel ?? "", "silent");
		await run(150_000);
		expect([sleeper.open.size, other.open.size]).toEqual([0, 0]);
		FakePeer.reachable = true;
	}

	it.each([
		["starts the connection", 1, 2],
		["is waited for", 2, 1],
	])(
		"is connected again within two seconds when it wakes, although the others try seldom by then: it %s",
		async (_name, a, b) => {
			const [sleeper, other] = [openPage(a), openPage(b)];
			await fallAsleep(sleeper, other);
			sleeper.mesh.wake(150_000);
			await run(2_000);
			expect([sleeper.open.size, other.open.size]).toEqual([1, 1]);
		},
	);

	it("closes what it had open, whether it noticed that it is dead or not, and connects anew", async () => {
		const [sleeper, other] = [openPage(1), openPage(2)];
		await run(1_000);
		const dead = only(sleeper.open.keys());
		sleeper.mesh.wake(20_000);
		await run(2_000);
		expect(sleeper.closings).toEqual([[dead, "slept"]]);
		expect([sleeper.openings, sleeper.open.size, other.open.size]).toEqual([2, 1, 1]);
	});

	it("for less than its neighbours' patience keeps its channels", async () => {
		const [a, b] = [openPage(1), openPage(2)];
		await run(1_000);
		a.mesh.wake(4_000);
		a.mesh.wake(0);
		await run(10_000);
		expect([a.closings, b.closings, a.openings]).toEqual([[], [], 1]);
		a.mesh.stop();
		a.mesh.wake(60_000);
		await run(10_000);
		expect(b.open.size).toBe(0);
	});
});

describe("a page that comes into another network", () => {
	it("begins anew at once, and its neighbours with it, though no connection has been noticed to be dead", async () => {
		const [a, b, c] = [openPage(1), openPage(2), openPage(3)];
		await run(40_000);
		for (const { mesh } of [a, b]) mesh.wake(0);
		await run(1_000);
		// To be looked at again is no other network.
		expect(pages.flatMap(({ closings }) => closings)).toEqual([]);
		b.mesh.move();
		expect(b.closings.map(([, code]) => code)).toEqual(["network-changed", "network-changed"]);
		await run(1_000);
		expect(pages.map(({ open }) => open.size)).toEqual([2, 2, 2]);
		expect([...a.closings, ...c.closings]).toHaveLength(2);
	});

	it("and is not told so, begins anew when it has lost them all; where they never were good, it is in no hurry", async () => {
		const [a, b, c] = [openPage(1), openPage(2), openPage(3)];
		await run(40_000);
		const sessions = () => new Set(said(device(2), "announce").map(({ session }) => session)).size;
		expect(sessions()).toBe(1);
		for (const channel of [...b.open.keys()]) b.mesh.close(channel, "silent");
		await run(500);
		expect(sessions()).toBe(2);
		expect([a, b, c].map(({ open }) => open.size)).toEqual([2, 2, 2]);
		for (const channel of [...b.open.keys()]) b.mesh.close(channel, "silent");
		await run(500);
		expect([sessions(), b.open.size]).toEqual([2, 0]);
		await run(10_000);
		expect([a, b, c].map(({ open }) => open.size)).toEqual([2, 2, 2]);
	});
});

describe("a page that is left alone", () => {
	it("announces itself within two seconds, and soon again", async () => {
		const [, b] = [openPage(1), openPage(2)];
		await run(60_000);
		pages[0]?.mesh.stop();
		await run(10);
		expect(b.open.size).toBe(0);
		const before = said(device(2), "announce").length;
		await run(6_000);
		expect(said(device(2), "announce").length - before).toBeGreaterThanOrEqual(2);
	});
});

describe("what the node decides", () => {
	it("closes a channel on both sides; it opens again after pauses that grow", async () => {
		const [a, b] = [openPage(1), openPage(2)];
		await run(1_000);
		const openings: number[] = [];
		for (let i = 0; i < 5; i++) {
			a.mesh.close(only(a.open.keys()), "handshake-refused");
			expect(a.closings.at(-1)?.[1]).toBe("handshake-refused");
			const before = a.openings;
			let waitedMs = 0;
			while (a.openings === before) {
				await run(100);
				waitedMs += 100;
			}
			openings.push(waitedMs);
		}
		expect(b.closings).toHaveLength(5);
		expect(openings[0]).toBeLessThanOrEqual(2_200);
		expect(openings[4]).toBeGreaterThanOrEqual(14_000);
		expect(a.mesh.stats().counts["handshake-refused"]).toBe(5);
	});

	it("may change servers and topics while channels stay open", async () => {
		const [a, b] = [openPage(1), openPage(2)];
		await run(1_000);
		const stun = { urls: "stun:192.0.2.1", username: "", credential: "" };
		const settings = { signalingUrls: [URL_B], topics: ["next hour"], iceServers: [stun] };
		update(a, 1, settings);
		update(b, 2, settings);
		await run(1_000);
		expect([a.openings, a.open.size, servers[URL_A]?.sockets.size]).toEqual([1, 1, 0]);
		expect(a.mesh.stats().signaling).toEqual({ connected: 1, configured: 1 });
		const c = openPage(3, settings);
		await run(1_000);
		expect(c.open.size).toBe(2);
		expect(FakePeer.all.at(-1)?.options.config.iceServers).toEqual([{ urls: "stun:192.0.2.1" }]);
	});

	it("may change the topic on the same server, and then hears the old one no more", async () => {
		const a = openPage(1);
		await run(1_000);
		update(a, 1, { topics: ["next hour"] });
		openPage(2);
		const c = openPage(3, { topics: ["next hour"] });
		await run(30_000);
		expect([a.open.size, c.open.size, a.mesh.stats().known]).toEqual([1, 1, 1]);
	});

	it("may give the page another device id: everything begins anew", async () => {
		const [a, b] = [openPage(1), openPage(2)];
		await run(1_000);
		update(a, 9);
		expect(a.closings.map(([, code]) => code)).toEqual(["device-changed"]);
		await run(5_000);
		expect([a.open.size, b.open.size]).toEqual([1, 1]);
		expect(only(a.open.values()).initiator).toBe(false);
	});

	it("stops everything, once and for all", async () => {
		const [a, b] = [openPage(1), openPage(2)];
		await run(1_000);
		a.mesh.stop();
		expect(a.closings.map(([, code]) => code)).toEqual(["mesh-stopped"]);
		const published = said(device(1), "announce").length;
		a.mesh.stop();
		update(a, 1, { signalingUrls: [URL_B], topics: ["x"] });
		a.mesh.send("x", Uint8Array.of(1));
		await run(60_000);
		expect([a.openings, b.open.size, said(device(1), "announce").length]).toEqual([1, 0, published]);
	});

	it("leaves out servers that the browser refuses: they would cost every connection", async () => {
		const user = { username: "u", credential: "c" };
		const iceServers = [
			{ urls: "turn:refused", ...user },
			{ urls: "turn:192.0.2.1", ...user },
		];
		const [a] = [openPage(1, { iceServers }), openPage(2)];
		await run(1_000);
		expect(a.open.size).toBe(1);
		expect(FakePeer.all[0]?.options.config.iceServers).toEqual([{ urls: "turn:192.0.2.1", ...user }]);
	});

	it("asks for the relay's way alone, each second time, where a TURN server is known", async () => {
		FakePeer.reachable = false;
		const a = openPage(1, { iceServers: [{ urls: "turn:192.0.2.1", username: "u", credential: "c" }] });
		const b = openPage(2);
		await run(60_000);
		const policies = (id: string) =>
			FakePeer.all
				.filter(({ options }) => options.initiator === (id === "a"))
				.map(({ options }) => options.config.iceTransportPolicy);
		expect(policies("a").slice(0, 3)).toEqual(["all", "relay", "all"]);
		expect(new Set(policies("b"))).toEqual(new Set(["all"]));
		expect([a.openings, b.openings]).toEqual([0, 0]);
	});
});

describe("where the node names a few to connect to", () => {
	const VOTERS = [3, 5];
	const OBSERVERS = [1, 4, 7];
	const ids = (numbers: readonly number[]) => numbers.map(device);
	const openWith = (n: number, wanted: readonly number[]) => openPage(n, { connectTo: ids(wanted) });
	const sizes = (all: Page[]) => all.map(({ open }) => open.size);

	it("they are called, or asked to call, whoever has the lower id; others are left alone", async () => {
		const voters = VOTERS.map((n) => openWith(n, VOTERS));
		await run(20_000);
		// None of the voters says anything to everybody for the next seconds: they are called by their names.
		const observers = OBSERVERS.map((n) => openWith(n, VOTERS));
		await run(2_000);
		expect([sizes(voters), sizes(observers)]).toEqual([
			[4, 4],
			[2, 2, 2],
		]);
		await run(120_000);
		expect([sizes(voters), sizes(observers)]).toEqual([
			[4, 4],
			[2, 2, 2],
		]);
		expect(pages.every(({ closings }) => closings.length === 0)).toBe(true);
	});

	it("a connection that breaks is made again soon, whichever side calls", async () => {
		const voters = VOTERS.map((n) => openWith(n, VOTERS));
		const observers = OBSERVERS.map((n) => openWith(n, [5]));
		await run(3_000);
		expect(sizes(observers)).toEqual([1, 1, 1]);
		for (const { open, mesh } of observers) mesh.close(only(open.keys()));
		await run(10);
		expect(sizes(observers)).toEqual([0, 0, 0]);
		await run(5_000);
		expect(sizes(observers)).toEqual([1, 1, 1]);
		expect(sizes(voters)).toEqual([1, 4]);
	});

	it("who is named no more is not called again, and who is named from now on is called at once", async () => {
		const voters = VOTERS.map((n) => openWith(n, VOTERS));
		const observers = [1, 7].map((n) => openWith(n, [3]));
		await run(3_000);
		// A connection that somebody asked for is tried again for half a minute.
		await run(40_000);
		for (const [at, n] of [1, 7].entries()) {
			const observer = observers[at] as Page;
			update(observer, n, { connectTo: ids([5]) });
			await run(2_000);
			expect(observer.open.size).toBe(2);
			observer.mesh.close([...observer.open.keys()][0] ?? "");
		}
		await run(120_000);
		expect(sizes(observers)).toEqual([1, 1]);
		expect(sizes(voters)).toEqual([1, 3]);
	});

	it("who knows nobody yet connects to some of those that it hears, though they do not look for it", async () => {
		for (let n = 1; n <= 15; n++) if (n !== 8) openWith(n, []);
		await run(10_000);
		expect(sizes(pages)).toEqual(Array(14).fill(0));
		const newcomer = openPage(8, { connectTo: "somebody" });
		await run(60_000);
		expect(newcomer.open.size).toBeGreaterThanOrEqual(6);
		expect(newcomer.open.size).toBeLessThan(12);
	});
});

describe("newcomers that open one link together", () => {
	const printsOf = (some: Page[]) =>
		new Set(some.flatMap(({ open }) => [...open.values()].map(({ localFingerprint }) => localFingerprint.join())));

	it("give places back that they have filled for one another, until each has met some who belong there", async () => {
		const belong = [1, 25, 30];
		const members = belong.map((n) => openPage(n, { connectTo: belong.map(device) }));
		await run(20_000);
		const newcomers = Array.from({ length: 14 }, (_, at) => openPage(10 + at, { connectTo: "somebody" }));
		// As their nodes find out after a while. Those who belong there announce themselves every 15 to 30 s.
		for (let round = 0; round < 12; round++) {
			await run(5_000);
			const prints = printsOf(newcomers);
			for (const { mesh, open } of newcomers) {
				for (const { channel, remoteFingerprint } of open.values())
					if (prints.has(remoteFingerprint.join())) mesh.passOver(channel);
			}
		}
		const prints = printsOf(members);
		for (const { open, closings } of newcomers) {
			expect([...open.values()].some(({ remoteFingerprint }) => prints.has(remoteFingerprint.join()))).toBe(true);
			expect(closings).toEqual([]);
		}
	});
});

describe("peers that do not behave", () => {
	async function connected(): Promise<{ a: Page; b: Page; atA: FakePeer; atB: FakePeer }> {
		const [a, b] = [openPage(1), openPage(2)];
		await run(1_000);
		const [atA, atB] = FakePeer.all as [FakePeer, FakePeer];
		return { a, b, atA, atB };
	}

	it.each([
		["text", "hello", "frame-not-binary"],
		["an empty text", "", "frame-not-binary"],
		["a frame of more than 64 kB", new Uint8Array(MAX_FRAME_BYTES + 1), "frame-too-long"],
	])("lose their channel for %s", async (_name, data, code) => {
		const { a, atA } = await connected();
		atA.emit("data", data);
		expect(a.closings.map(([, code]) => code)).toEqual([code]);
		expect(a.frames).toEqual([]);
		expect(a.mesh.stats().counts[code]).toBe(1);
	});

	it("lose their channel when more than 8 MB wait for them", async () => {
		const { a, atA } = await connected();
		const channel = only(a.open.keys());
		a.mesh.send(channel, new Uint8Array(MAX_FRAME_BYTES));
		atA.bufferSize = MAX_BUFFERED_BYTES - 100;
		a.mesh.send(channel, new Uint8Array(100));
		expect(a.closings).toEqual([]);
		a.mesh.send(channel, new Uint8Array(101));
		expect(a.closings).toEqual([[channel, "send-queue-full"]]);
	});

	it("lose their channel when the browser can send no more", async () => {
		const { a, atA } = await connected();
		atA.send = () => {
			throw new Error("InvalidStateError");
		};
		a.mesh.send(only(a.open.keys()), Uint8Array.of(1));
		expect(a.closings.map(([, code]) => code)).toEqual(["connection-lost"]);
	});

	it("get no frames through before the channel is announced as open", async () => {
		const { a, b, atA } = await connected();
		a.mesh.close(only(a.open.keys()));
		atA.emit("data", new Uint8Array(1));
		expect([a.frames, b.frames]).toEqual([[], []]);
	});
});

describe("signals that do not belong", () => {
	const stranger = { from: device(5), session: "5".repeat(32), sequence: 1 };
	let sessionOfTwo: string;
	let two: Page;

	/** Page 2 alone, and what anybody on the topic says to it. */
	beforeEach(async () => {
		two = openPage(2);
		await run(100);
		sessionOfTwo = only(new Set(said(device(2), "announce").map(({ session }) => session)));
	});

	const say = async (...signals: object[]) => {
		for (const signal of signals) servers[URL_A]?.publish("street", asLongAsSealed(signal));
		await run(50);
	};
	const toTwo = () => ({ to: { deviceId: device(2), session: sessionOfTwo } });
	const sdp = `v=0\r\na=peer:99\r\na=fingerprint:sha-256 ${Array(32).fill("AB").join(":")}\r\n`;
	const offer = (from: number, sequence: number, attempt: number, text = sdp) => {
		const session = String(from).repeat(32);
		return { from: device(from), session, sequence, ...toTwo(), kind: "offer", attempt, sdp: text };
	};

	it("are ignored when they are for somebody else, or for an earlier session", async () => {
		for (const deviceId of [device(3), device(2)]) {
			await say({ ...stranger, kind: "announce", to: { deviceId, session: "3".repeat(32) } });
		}
		expect(two.mesh.stats()).toMatchObject({ known: 0, counts: {} });
	});

	it("start nothing when the higher id offers, or an answer comes unasked", async () => {
		await say(offer(5, 1, 1), { ...offer(1, 1, 1), kind: "announce" });
		await say({ ...offer(1, 2, 1), kind: "answer" }, { ...offer(1, 3, 9), kind: "candidates", candidates: [] });
		expect(FakePeer.all).toHaveLength(0);
		expect(two.mesh.stats().counts).toEqual({ "signal-unexpected": 2, "signal-old-attempt": 1 });
	});

	it("of a connection are put together whichever comes first, the offer or its candidates", async () => {
		const candidate = { candidate: "candidate:1", sdpMLineIndex: 0, sdpMid: "0" };
		const { to: _, ...toAll } = { ...offer(1, 1, 1), kind: "announce" };
		await say(toAll, { ...offer(1, 3, 1), kind: "candidates", candidates: [candidate] }, offer(1, 2, 1));
		expect(only(FakePeer.all).signals).toEqual([
			{ type: "offer", sdp },
			{ type: "candidate", candidate },
		]);
		expect(two.mesh.stats().counts).toEqual({});
	});

	it("that are no sealed ones, or more than a street says, do not get to the node", async () => {
		for (const text of ["", "AAAA", "x".repeat(SEALED_SIGNAL_LENGTH - 1)]) servers[URL_A]?.publish("street", text);
		servers[URL_A]?.publish("street", { kind: "announce" });
		await run(10);
		expect(two.mesh.stats().counts).toEqual({ "signal-not-sealed": 4 });
		for (let sent = 0; sent < 1_100; sent++) servers[URL_A]?.publish("street", asLongAsSealed({ ...stranger, sent }));
		await run(10);
		expect(two.mesh.stats().counts["signal-too-many"]).toBeGreaterThan(90);
	});

	it("change no connection that is under way: repeated and older offers, a second answer, another attempt's", async () => {
		await say(offer(1, 1, 3), offer(1, 1, 3), offer(1, 2, 3), offer(1, 3, 2), offer(1, 4, 4));
		expect(said(device(2), "answer")).toHaveLength(1);
		const peer = only(FakePeer.all);
		const candidate = { candidate: "candidate:1", sdpMLineIndex: 0, sdpMid: "0" };
		await say({ ...offer(1, 5, 3), kind: "candidates", candidates: [candidate] });
		await say({ ...offer(1, 6, 2), kind: "candidates", candidates: [candidate] });
		expect(peer.signals).toEqual([
			{ type: "offer", sdp },
			{ type: "candidate", candidate },
		]);
		expect(two.mesh.stats().counts).toEqual({
			"signal-repeated": 1,
			"signal-old-attempt": 2,
			"signal-too-soon": 2,
		});
		await run(500);
		// Whoever offers the same once more has not heard the answer.
		await say(offer(1, 8, 3));
		expect(said(device(2), "answer").map(({ attempt }) => attempt)).toEqual([3, 3]);
		expect([FakePeer.all.length, peer.signals.length]).toEqual([1, 2]);
		await run(500);
		await say(offer(1, 9, 4));
		expect([FakePeer.all.length, peer.destroyed]).toEqual([2, true]);
	});

	it("open nothing without exactly one sha-256 fingerprint", async () => {
		await say(offer(1, 1, 1, "v=0"));
		await run(500);
		await say(offer(1, 2, 2, `${sdp}a=fingerprint:sha-256 ${Array(32).fill("CD").join(":")}\r\n`));
		await run(500);
		await say(offer(1, 3, 3, "a=fingerprint:sha-1 AB"));
		expect(FakePeer.all.map(({ signals, destroyed }) => [signals.length, destroyed])).toEqual([
			[0, true],
			[0, true],
			[0, true],
		]);
		expect(two.mesh.stats().counts).toEqual({
			"sdp-no-fingerprint": 1,
			"sdp-several-fingerprints": 1,
			"sdp-bad-fingerprint": 1,
		});
	});

	it("hand the browser 64 candidates at most, and survive those that it refuses", async () => {
		const candidate = (i: number) => ({ candidate: `candidate:${i}`, sdpMLineIndex: 0, sdpMid: null });
		await say(offer(1, 1, 1));
		const peer = only(FakePeer.all);
		const signal = (i: number) => ({
			...offer(1, i + 2, 1),
			kind: "candidates",
			candidates: [candidate(i)],
		});
		await say(...Array.from({ length: 100 }, (_, i) => signal(i)));
		expect(peer.signals).toHaveLength(65);
		await run(1_000);
		await say({ ...offer(1, 200, 2) });
		(FakePeer.all[1] as FakePeer).signal = () => {
			throw new TypeError("sdpMid");
		};
		await say({ ...signal(300), attempt: 2 });
		expect(two.mesh.stats().counts["connection-failed"]).toBe(1);
	});

	it("of 100 invented devices take no more than 64 places, and real ones still connect", async () => {
		for (let i = 100; i < 200; i++) {
			await say({ ...stranger, from: device(i), kind: "announce" });
		}
		const { known, connecting } = two.mesh.stats();
		expect([known, connecting]).toEqual([64, 64]);
		// The invented ones never answer, so they give way.
		await run(16_000);
		const one = openPage(1);
		await run(10_000);
		expect(one.open.size).toBe(1);
	});

	it("end in a code where there is no WebRTC at all", async () => {
		const codes: Record<string, number>[] = [];
		const page = createMesh({
			settings: settingsOf(1),
			onOpened: () => {},
			onClosed: () => {},
			onFrame: () => {},
			onSignal: (draft) => page.publish("street", asLongAsSealed({ from: device(1), ...draft })),
			onSealed: (_, sealed) => page.hear(JSON.parse(sealed as string)),
			onSignalingStatus: () => {},
			webSocket: FakeServer.webSocket(servers),
			createPeer: () => {
				throw new Error("No WebRTC support");
			},
		});
		await run(5_000);
		codes.push(page.stats().counts);
		page.stop();
		expect(codes[0]?.["no-webrtc"]).toBeGreaterThanOrEqual(1);
	});
});
