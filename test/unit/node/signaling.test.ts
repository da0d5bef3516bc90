import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import type { Signal } from "../../../src/message/signal.js";
import { DEFAULT_NODE_SETTINGS } from "../../../src/node/dependencies.js";
import { networkKeys } from "../../../src/node/networkKeys.js";
import type { NetworkSettings, NodeOutput, SignalDraft } from "../../../src/node/protocol.js";
import { MAX_SIGNAL_AGE_MS, Signaling } from "../../../src/node/signaling.js";
import { fromBase64Url, toBase64Url } from "../../../src/primitives/base64.js";
import { encode } from "../../../src/primitives/codec.js";
import { seal, unseal } from "../../../src/primitives/sealing.js";
import { createVerifier, publicKeyOf, sign } from "../../../src/primitives/signature.js";

const NETWORK_KEY = new Uint8Array(16).fill(7);
const CONTEXT = new Uint8Array(32).fill(8);
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 10, 26, 12, 30);
const SESSION = "5".repeat(32);

let drawn = 0;

class Device {
	nowMs = START_MS;
	monotonicMs = 0;
	network: NetworkSettings | undefined;
	said: { topic: string; sealed: string }[] = [];
	heard: Signal[] = [];
	refusals: string[] = [];
	readonly secret: Uint8Array;
	readonly signaling: Signaling;

	constructor(n: number, { networkKey = NETWORK_KEY, timeScale = 1, signsAs = n, isInUse = (_: string) => true } = {}) {
		this.secret = new Uint8Array(32).fill(n);
		const { founding } = DEFAULT_NODE_SETTINGS;
		const dependencies = {
			clocks: { chainMs: () => this.nowMs, monotonicMs: () => this.monotonicMs },
			signer: { publicKeyOf, sign: (digest: Uint8Array) => sign(digest, new Uint8Array(32).fill(signsAs)) },
			verifier: createVerifier(),
			randomBytes: (length: number) => {
				drawn += 1;
				return Uint8Array.from({ length }, (_, at) => (at < 4 ? drawn >> (8 * at) : n));
			},
			settings: { ...DEFAULT_NODE_SETTINGS, founding: { ...founding, timeScale } },
			emit: (output: NodeOutput) => this.#take(output),
		};
		this.signaling = new Signaling(dependencies, { refused: (code) => this.refusals.push(code) });
		this.signaling.speakAs(
			{ networkKey, keyGeneration: 0, signalingUrls: ["wss://a"], iceServers: [], isInUse },
			CONTEXT,
			this.secret,
			"everybody",
		);
	}

	get id(): string {
		return Buffer.from(publicKeyOf(this.secret)).toString("hex");
	}

	#take(output: NodeOutput): void {
		if (output.type === "network") this.network = output.network;
		if (output.type === "sealedSignal") this.said.push({ topic: output.topic, sealed: output.sealed });
		if (output.type === "signal") this.heard.push(output.signal);
	}

	says(draft: SignalDraft): { topic: string; sealed: string } {
		this.signaling.say(draft);
		const last = this.said.at(-1);
		if (last === undefined) throw new Error("it was said");
		return last;
	}

	/** As a server does it: to whoever has subscribed. */
	hears({ topic, sealed }: { topic: string; sealed: string }): void {
		if (this.network?.topics.includes(topic)) this.signaling.hear(topic, sealed);
	}
}

const announce: SignalDraft = { session: SESSION, sequence: 1, kind: "announce" };
const offerTo = ({ id }: Device, sequence = 2): SignalDraft => ({
	...{ session: SESSION, sequence, to: { deviceId: id, session: "6".repeat(32) } },
	...{ kind: "offer", attempt: 1, sdp: "v=0\r\na=fingerprint:sha-256 AB\r\n" },
});

describe("what devices say through signaling servers", () => {
	it("is heard by whoever has the network key: announcements by all, the rest by one", () => {
		const [a, b, c] = [new Device(1), new Device(2), new Device(3)];
		for (const sealed of [a.says(announce), a.says(offerTo(b))]) for (const device of [a, b, c]) device.hears(sealed);
		expect(b.heard).toEqual([
			{ ...announce, from: a.id },
			{ ...offerTo(b), from: a.id },
		]);
		expect(c.heard).toEqual([{ ...announce, from: a.id }]);
		// The servers echo what one says.
		expect(a.heard).toEqual([]);
		expect([a, b, c].flatMap(({ refusals }) => refusals)).toEqual([]);
	});

	it("has one length, whatever it is, and shows nothing of what is in it", () => {
		const [a, b] = [new Device(1), new Device(2)];
		const candidates = Array.from({ length: 8 }, (_, at) => ({
			candidate: `candidate:${at} 1 udp 2113937151 192.168.1.${at} 5000 typ host`,
			...{ sdpMLineIndex: 0, sdpMid: "0" },
		}));
		const head = { session: SESSION, sequence: 3, to: { deviceId: b.id, session: SESSION } };
		const said = [
			a.says(announce),
			a.says(offerTo(b)),
			a.says({ ...head, kind: "candidates", attempt: 1, candidates }),
		];
		expect(new Set(said.map(({ sealed }) => sealed.length)).size).toBe(1);
		for (const { topic, sealed } of said) {
			const log = `${topic} ${Buffer.from(fromBase64Url(sealed) ?? []).toString("latin1")}`;
			for (const word of [
				"192.168",
				"fingerprint",
				"candidate",
				"v=0",
				a.id,
				b.id,
				Buffer.from(SESSION, "hex").toString("latin1"),
			]) {
				expect(log.includes(word)).toBe(false);
			}
		}
		// The same word twice is two different texts.
		expect(a.says(announce).sealed).not.toBe(a.says(announce).sealed);
	});

	it("is not heard with another network key, nor does anybody else's get in", () => {
		const [a, stranger] = [new Device(1), new Device(2, { networkKey: new Uint8Array(16).fill(9) })];
		expect(a.network?.topics.filter((topic) => stranger.network?.topics.includes(topic))).toEqual([]);
		expect(a.network?.meshId).not.toBe(stranger.network?.meshId);
		const [topic = ""] = a.network?.topics ?? [];
		a.hears({ topic, sealed: stranger.says(announce).sealed });
		expect([a.heard, a.refusals]).toEqual([[], ["signal-not-sealed"]]);
	});

	it("is heard once: copies of several servers and replays say nothing", () => {
		const [a, b] = [new Device(1), new Device(2)];
		const sealed = a.says(announce);
		for (let copy = 0; copy < 3; copy++) b.hears(sealed);
		expect([b.heard.length, b.refusals]).toEqual([1, []]);
	});

	it("is not heard when it is old, or comes from ahead", () => {
		for (const skewMs of [MAX_SIGNAL_AGE_MS + 1, -MAX_SIGNAL_AGE_MS - 1]) {
			const [a, b] = [new Device(1), new Device(2)];
			const sealed = a.says(announce);
			b.nowMs += skewMs;
			b.hears(sealed);
			expect([b.heard, b.refusals]).toEqual([[], ["signal-too-old"]]);
		}
		const [a, b] = [new Device(1), new Device(2)];
		b.nowMs += MAX_SIGNAL_AGE_MS;
		b.hears(a.says(announce));
		expect(b.heard).toHaveLength(1);
	});

	it("is opened under no other topic, and not at all when it was changed anywhere", () => {
		const [a, b] = [new Device(1), new Device(2)];
		const { topic, sealed } = a.says(announce);
		for (const other of b.network?.topics ?? []) if (other !== topic) b.hears({ topic: other, sealed });
		const bytes = fromBase64Url(sealed) ?? new Uint8Array();
		for (let at = 0; at < bytes.length; at += 97) {
			b.hears({ topic, sealed: toBase64Url(bytes.with(at, (bytes[at] ?? 0) ^ 1)) });
		}
		for (const rest of ["", "AAAA", sealed.slice(1), `${sealed}A`, `${sealed.slice(1)}=`]) {
			b.hears({ topic, sealed: rest });
		}
		expect(b.heard).toEqual([]);
		expect(new Set(b.refusals)).toEqual(new Set(["signal-not-sealed"]));
		expect(b.refusals.length).toBeGreaterThan(50);
	});

	it("is said by the device that it names: members cannot speak for one another", () => {
		// It has the network key, and puts another's name to its words; that one's key it has not got.
		const [a, b] = [new Device(1, { signsAs: 3 }), new Device(2)];
		b.hears(a.says(announce));
		b.hears(a.says(offerTo(b)));
		expect([b.heard, b.refusals]).toEqual([[], ["signal-bad-signature", "signal-bad-signature"]]);
	});

	it("is not heard when a holder of the network key has put its own certificate into it", () => {
		const [a, b] = [new Device(1), new Device(2)];
		const { topic, sealed } = a.says(offerTo(b));
		const hour = Math.floor(START_MS / HOUR_MS);
		const key = hmac(sha256, NETWORK_KEY, encode(["nabostrom/v1/signaling", "seal", hour]));
		const bytes = fromBase64Url(sealed) ?? new Uint8Array();
		const padded = unseal(key, bytes.subarray(0, 12), encode(topic), bytes.subarray(12));
		const at = Buffer.from(padded ?? []).indexOf("sha-256 AB") + "sha-256 ".length;
		const nonce = new Uint8Array(12).fill(0xee);
		const reseal = (content: Uint8Array) => {
			b.hears({ topic, sealed: toBase64Url(Uint8Array.of(...nonce, ...seal(key, nonce, encode(topic), content))) });
			nonce[0] = (nonce[0] ?? 0) + 1;
		};
		reseal((padded ?? new Uint8Array()).with(at, "C".charCodeAt(0)));
		expect([b.heard, b.refusals]).toEqual([[], ["signal-bad-signature"]]);
		// As it was said, it is heard.
		reseal(padded ?? new Uint8Array());
		expect(b.heard).toHaveLength(1);
	});

	it("goes on through the hours, under other names in each", () => {
		const [a, b] = [new Device(1), new Device(2)];
		const topics = new Set<string>();
		for (let hour = 0; hour < 5; hour++) {
			const sealed = a.says(announce);
			topics.add(sealed.topic);
			b.hears(sealed);
			expect(b.heard).toHaveLength(hour + 1);
			for (const device of [a, b]) {
				device.nowMs += HOUR_MS;
				device.signaling.tick();
			}
		}
		expect(topics.size).toBe(5);
		expect(a.network?.topics).toHaveLength(6);
	});

	it("is heard across the hour's border by clocks that differ", () => {
		for (const skewMs of [-110_000, 110_000]) {
			const [a, b] = [new Device(1), new Device(2)];
			for (const device of [a, b])
				device.nowMs = Math.floor(START_MS / HOUR_MS) * HOUR_MS + 60_000 * Math.sign(-skewMs);
			b.nowMs += skewMs;
			for (const device of [a, b]) device.signaling.tick();
			b.hears(a.says(announce));
			b.hears(a.says(offerTo(b)));
			a.hears(b.says(announce));
			expect([a.heard.length, b.heard.length]).toEqual([1, 2]);
		}
	});

	it("keeps to the world's hours where the chain's time runs faster", () => {
		const a = new Device(1, { timeScale: 60 });
		const topics = a.network?.topics;
		a.nowMs += 20 * HOUR_MS;
		a.signaling.tick();
		expect(a.network?.topics).toEqual(topics);
		a.nowMs += 60 * HOUR_MS;
		a.signaling.tick();
		expect(a.network?.topics).not.toEqual(topics);
	});

	it("is nothing any more after leaving", () => {
		const [a, b] = [new Device(1), new Device(2)];
		const sealed = b.says(announce);
		const [topic = ""] = a.network?.topics ?? [];
		a.signaling.leave();
		expect(a.network).toBeUndefined();
		a.signaling.say(announce);
		a.signaling.hear(topic, sealed.sealed);
		expect([a.said, a.heard, a.refusals]).toEqual([[], [], []]);
	});

	it("is refused when it is longer than the seal", () => {
		const [a, b] = [new Device(1), new Device(2)];
		a.signaling.say({ ...offerTo(b), kind: "offer", attempt: 1, sdp: "x".repeat(4_000) });
		expect([a.said, a.refusals]).toEqual([[], ["signal-too-long"]]);
	});
});

describe("a clock that is not the neighbours'", () => {
	const MINUTE_MS = 60_000;
	const others = () => [2, 3, 4].map((n) => new Device(n));
	let sequence = 10;
	const says = (device: Device) => device.says({ ...announce, sequence: sequence++ });

	it("is noticed by what is said at a wrong time, ahead or behind, by how much; two minutes do not matter", () => {
		for (const [offMs, expected] of [
			[17 * MINUTE_MS, 17 * MINUTE_MS],
			[-25 * MINUTE_MS, -25 * MINUTE_MS],
			[MAX_SIGNAL_AGE_MS, undefined],
		] as const) {
			const newcomer = new Device(1);
			newcomer.nowMs += offMs;
			// It takes in what the server hands on under the names of its own hour.
			newcomer.signaling.tick();
			for (const device of others()) newcomer.hears(says(device));
			expect(newcomer.signaling.clockOffMs).toBe(expected);
			expect(newcomer.heard).toHaveLength(expected === undefined ? 3 : 0);
		}
	});

	it("is the one of few: where more than half of those heard agree, nobody is told", () => {
		const [a, wrong, right] = others() as [Device, Device, Device];
		wrong.nowMs += 10 * MINUTE_MS;
		a.hears(says(wrong));
		// Of two nobody can say whose it is: both are told.
		expect(a.signaling.clockOffMs).toBe(-10 * MINUTE_MS);
		a.hears(says(right));
		expect(a.signaling.clockOffMs).toBeUndefined();
		wrong.hears(says(a));
		wrong.hears(says(right));
		expect(wrong.signaling.clockOffMs).toBe(10 * MINUTE_MS);
	});

	it("is not made up by a server that hands on what was said long ago, nor by who has no key", () => {
		const [a, b] = [new Device(1), new Device(2)];
		const early = says(b);
		for (const device of [a, b]) device.nowMs += 20 * MINUTE_MS;
		a.hears(says(b));
		a.hears(early);
		expect([a.signaling.clockOffMs, a.refusals]).toEqual([undefined, ["signal-too-old"]]);
		const stranger = new Device(3, { signsAs: 4 });
		stranger.nowMs -= 10 * MINUTE_MS;
		const alone = new Device(5);
		alone.hears(says(stranger));
		expect([alone.signaling.clockOffMs, alone.refusals]).toEqual([undefined, ["signal-bad-signature"]]);
	});

	it("is forgotten a minute after it was set right, and sooner if a neighbour is heard", () => {
		const [newcomer, neighbour] = [new Device(1), new Device(2)];
		newcomer.nowMs -= 10 * MINUTE_MS;
		newcomer.hears(says(neighbour));
		expect(newcomer.signaling.clockOffMs).toBe(-10 * MINUTE_MS);
		newcomer.nowMs += 10 * MINUTE_MS;
		newcomer.monotonicMs += 60_000;
		expect(newcomer.signaling.clockOffMs).toBeUndefined();
	});

	it("is told in the world's time where the chain's runs faster", () => {
		const [a, b] = [new Device(1, { timeScale: 30 }), new Device(2, { timeScale: 30 })];
		a.nowMs += 30 * 5 * MINUTE_MS;
		a.signaling.tick();
		a.hears(says(b));
		expect(a.signaling.clockOffMs).toBe(5 * MINUTE_MS);
	});
});

describe("a network key that was changed", () => {
	const DAY_MS = 24 * HOUR_MS;
	const salts = (count: number) =>
		Array.from({ length: count }, (_, at) => ({
			salt: new Uint8Array(16).fill(at + 1),
			timestampMs: START_MS - (count - at) * 1_000,
		}));
	const keyOf = (generation: number) =>
		networkKeys({ networkKey: NETWORK_KEY, keyGeneration: 0 }, salts(generation))[0].networkKey;
	const nameOf = (key: Uint8Array, ...purpose: (string | number)[]) =>
		Buffer.from(hmac(sha256, key, encode(["nabostrom/v1/signaling", ...purpose]))).toString("hex");
	const hour = Math.floor(START_MS / HOUR_MS);
	const hub = (generation: number) => nameOf(keyOf(generation), "hub", hour);
	const own = (generation: number, { id }: Device) => nameOf(keyOf(generation), "device", hour, id);
	const changed = (n: number, count: number, options = {}) => {
		const device = new Device(n, options);
		device.signaling.changeKey(salts(count));
		return device;
	};

	it("is the only one that two use who know of it", () => {
		const [a, b] = [changed(1, 2), changed(2, 2)];
		const said = [a.says(announce), b.says(announce), a.says(offerTo(b)), b.says(offerTo(a))];
		expect(said.map(({ topic }) => topic)).toEqual([hub(2), hub(2), own(2, b), own(2, a)]);
		for (const sealed of said) for (const device of [a, b]) device.hears(sealed);
		expect([a.heard.length, b.heard.length]).toEqual([2, 2]);
		const answers = [a.says(offerTo(b, 3)), b.says(offerTo(a, 3))];
		expect(answers.map(({ topic }) => topic)).toEqual([own(2, b), own(2, a)]);
	});

	it("keeps nobody out who was away: heard under its older key, and answered under it until it knows the newer", () => {
		const [here, away] = [changed(1, 2), changed(2, 1)];
		// Nothing that is said under the new key reaches it.
		away.hears(here.says(announce));
		away.hears(here.says(offerTo(away)));
		expect(away.heard).toEqual([]);
		const call = away.says(announce);
		expect(call.topic).toBe(hub(1));
		here.hears(call);
		expect(here.heard).toHaveLength(1);
		const answer = here.says(offerTo(away, 3));
		expect(answer.topic).toBe(own(1, away));
		away.hears(answer);
		expect(away.heard).toHaveLength(1);
		here.hears(away.says(offerTo(here)));
		expect(here.heard).toHaveLength(2);
		// What is for everybody is said under the newest all the time.
		expect(here.says(announce).topic).toBe(hub(2));

		away.signaling.changeKey(salts(2));
		here.hears(away.says(announce));
		expect(here.says(offerTo(away, 4)).topic).toBe(own(2, away));
		expect([here.refusals, away.refusals]).toEqual([[], []]);
	});

	it("leaves the mesh what it is, with other topics: six for each of four keys at the most", () => {
		const a = new Device(1);
		const before = a.network;
		for (const [count, topics] of [
			[1, 12],
			[3, 24],
			[7, 24],
		] as const) {
			a.signaling.changeKey(salts(count));
			expect(a.network).toMatchObject({ meshId: before?.meshId, deviceId: before?.deviceId });
			expect(new Set(a.network?.topics).size).toBe(topics);
			expect(a.network?.topics).toContain(hub(count));
		}
		expect(a.network?.topics.includes(hub(3))).toBe(false);
		const last = a.network;
		const same = salts(8);
		for (let time = 0; time < 2; time++) a.signaling.changeKey(same);
		const once = a.network;
		a.signaling.changeKey(same);
		expect(a.network).toBe(once);
		expect(once).not.toBe(last);
	});

	it("is known to who comes by a new link, and goes on from there", () => {
		const joiner = new Device(3);
		const mesh = { networkKey: keyOf(2), keyGeneration: 2, signalingUrls: [], iceServers: [] };
		joiner.signaling.speakAs(mesh, CONTEXT, joiner.secret, "somebody");
		const member = changed(1, 2);
		member.hears(joiner.says(announce));
		expect(member.heard).toHaveLength(1);
		// It has fetched as much of the chain as there was before the first change, and then all.
		joiner.signaling.changeKey(salts(0));
		expect(joiner.says(announce).topic).toBe(hub(2));
		joiner.signaling.changeKey(salts(3));
		expect(joiner.says(announce).topic).toBe(hub(3));
	});

	it("lets no clock count that a stranger shows under one that is closed", () => {
		const [here, stranger] = [changed(1, 2, { isInUse: () => false }), changed(3, 1)];
		here.nowMs += 31 * DAY_MS;
		stranger.nowMs = here.nowMs + 10 * 60_000;
		for (const device of [here, stranger]) device.signaling.tick();
		here.hears(stranger.says(announce));
		expect([here.refusals, here.signaling.clockOffMs]).toEqual([["signal-under-old-key"], undefined]);
		stranger.signaling.changeKey(salts(2));
		here.hears(stranger.says(announce));
		expect(here.signaling.clockOffMs).toBe(-10 * 60_000);
	});

	it("closes the older ones to strangers after 30 days, and never to a device in use", () => {
		for (const timeScale of [1, 60]) {
			const [inUse, stranger] = [changed(2, 1, { timeScale }), changed(3, 1, { timeScale })];
			const here = changed(1, 2, { timeScale, isInUse: (id: string) => id === inUse.id });
			const all = [here, inUse, stranger];
			const hearBoth = () => {
				for (const device of all) device.signaling.tick();
				const from = [inUse, stranger].map((device) => {
					const count = here.heard.length;
					here.hears(device.says({ ...announce, sequence: here.heard.length + 1 }));
					return here.heard.length - count;
				});
				return from;
			};
			const replacedMs = START_MS - 1_000;
			for (const device of all) device.nowMs = replacedMs + 30 * DAY_MS * timeScale;
			expect([hearBoth(), here.refusals]).toEqual([[1, 1], []]);
			for (const device of all) device.nowMs += 1;
			expect([hearBoth(), here.refusals]).toEqual([[1, 0], ["signal-under-old-key"]]);
			// Under the newest it is heard, as anybody is who has a link.
			stranger.signaling.changeKey(salts(2));
			expect(hearBoth()).toEqual([1, 1]);
		}
	});
});
