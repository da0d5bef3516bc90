/**
 * The mesh of one neighbourhood's devices. Everybody announces itself through all signaling servers; the node says whom
 * to connect to: mostly everybody. The device with the lower id starts the connection, so two never start at once; the
 * other one asks for it by an announcement to that device alone. Whatever is lost is tried again.
 * The mesh carries frames and tells the node which certificates stand at both ends; who a peer really is, the node's
 * handshake finds out. What goes through the servers the node seals, and unseals.
 */
import type { Signal, SignalHead } from "../message/signal.js";
import { SEALED_SIGNAL_LENGTH } from "../message/signalLimits.js";
import type { NetworkSettings, NodeInput, SignalDraft } from "../node/protocol.js";
import { TokenBucket } from "../primitives/tokenBucket.js";
import { backOffMs } from "./backOff.js";
import { createBrowserPeer, isUsableIceServer, Link, type PeerFactory } from "./link.js";
import { type Neighbour, Neighbours } from "./neighbours.js";
import { OwnSession } from "./ownSession.js";
import { RefusalCounts } from "./refusalCounts.js";
import { createSignalingClient, type SignalingClient, type WebSocketConstructor } from "./signalingClient.js";

export type PeerOpened = Omit<Extract<NodeInput, { type: "peerOpened" }>, "type">;
export type SignalingStatus = Omit<Extract<NodeInput, { type: "signalingStatus" }>, "type">;

export interface MeshOptions {
	settings: NetworkSettings;
	onOpened: (peer: PeerOpened) => void;
	/** Once for each channel that was opened, also for those that `close` and `stop` end. `code` says why. */
	onClosed: (channel: string, code: string) => void;
	onFrame: (channel: string, frame: Uint8Array) => void;
	/** To be sealed, and given to `publish`. */
	onSignal: (draft: SignalDraft) => void;
	/** What a server handed on, to be unsealed and given to `hear`. */
	onSealed: (topic: string, sealed: string) => void;
	onSignalingStatus: (status: SignalingStatus) => void;
	/** The browser's, unless a test brings others. */
	webSocket?: WebSocketConstructor;
	createPeer?: PeerFactory;
	/** Whether the browser takes an ICE server. */
	isUsable?: (server: NetworkSettings["iceServers"][number]) => boolean;
}

export interface Mesh {
	/** Sends a frame (at most 64 kB). A channel that is closed swallows it. */
	send(channel: string, frame: Uint8Array): void;
	/** Has all servers publish what was sealed. */
	publish(topic: string, sealed: string): void;
	/** A neighbour's word, unsealed. */
	hear(signal: Signal): void;
	/** Ends a channel; the mesh connects to that device again after a while, later each time it is ended early. */
	close(channel: string, code?: string): void;
	/** Who is behind a channel has nothing to tell to who seeks somebody: another one is connected to beside it. */
	passOver(channel: string): void;
	/** Other servers, topics or ICE servers: open channels stay. Another device id: all begins anew. */
	update(settings: NetworkSettings): void;
	/** The page stood still for `sleptMs`; 0: nobody knows. Looks now, not when the next timer comes. */
	wake(sleptMs: number): void;
	/** This computer is in another network: nothing that was connected leads anywhere any more. */
	move(): void;
	stop(): void;
	stats(): MeshStats;
}

export interface MeshStats {
	open: number;
	connecting: number;
	/** Devices heard on the topic. */
	known: number;
	signaling: SignalingStatus;
	/** What was refused and why channels were closed, counted by code. */
	counts: Record<string, number>;
}

export function createMesh(options: MeshOptions): Mesh {
	return new FullMesh(options);
}

const MAX_SIGNALING_SERVERS = 8;
/** What a server may hand on: all of 60 neighbours at once, and once more. */
const SIGNALS = { capacity: 1_000, perSecond: 50 };
const MAX_EARLY_CANDIDATES = 32;
/** Announcements while alone: after 1–2 s, 2–4 s, 4–8 s, then every 5–10 s. With somebody connected: every 15–30 s. */
const ALONE_MS = 2_000;
const ALONE_MAX_MS = 10_000;
const CONNECTED_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** A channel that lasted this long was a good one: its failures are forgotten. */
const STABLE_MS = 30_000;
/** A device that is silent for so long (the node's `silenceMs`) has been given up by its neighbours. */
const GIVEN_UP_MS = 5_000;
/** An offer is answered sooner than this, if it is heard by a device that has nothing else to do. */
const UNHEARD_MS = 4_000;
/** And so soon after an announcement that was waiting with it. */
const ANSWER_MS = 1_000;
/** An honest device waits longer than this between two offers. */
const OFFER_INTERVAL_MS = 400;
/** In place of a session's name: whichever the device is in now. */
const ANY_SESSION = "0".repeat(32);
/** Who knows nobody yet connects to so many of those that it hears. */
const SOMEBODY = 6;
/** A device that asked to be called is called again for so long, if its connection does not come about or is lost. */
const ASKED_MS = 30_000;

class FullMesh implements Mesh {
	readonly #options: MeshOptions;
	readonly #counts = new RefusalCounts();
	readonly #clients = new Map<string, SignalingClient>();
	#neighbours = new Neighbours();
	readonly #open = new Map<string, Link>();
	#settings: NetworkSettings;
	readonly #session = new OwnSession();
	#sequence = 0;
	#channels = 0;
	#announced = 0;
	#announceTimer: ReturnType<typeof setTimeout> | undefined;
	#isForgetting = false;
	#stopped = false;

	constructor(options: MeshOptions) {
		this.#options = options;
		this.#settings = options.settings;
		this.#connectServers();
		this.#announceLater();
	}

	send(channel: string, frame: Uint8Array): void {
		this.#open.get(channel)?.send(frame);
	}

	close(channel: string, code = "closed-by-node"): void {
		this.#open.get(channel)?.close(code);
	}

	passOver(channel: string): void {
		const neighbour = this.#neighbours.all().find(({ link }) => link?.channel === channel);
		if (neighbour !== undefined) neighbour.isPassedOver = true;
	}

	update(settings: NetworkSettings): void {
		if (this.#stopped) return;
		const { connectTo, deviceId, meshId, topics } = this.#settings;
		this.#settings = settings;
		if (settings.deviceId !== deviceId) {
			this.#forgetAll("device-changed");
			this.#session.begin();
		}
		for (const client of this.#clients.values()) {
			for (const topic of topics) if (!settings.topics.includes(topic)) client.unsubscribe(topic);
			for (const topic of settings.topics) client.subscribe(topic);
		}
		this.#connectServers();
		if (settings.deviceId !== deviceId || settings.meshId !== meshId) {
			this.#options.onSignal(this.#announcement());
			this.#seekSooner();
		}
		if (settings.connectTo !== connectTo) this.#call();
	}

	publish(topic: string, sealed: string): void {
		for (const client of this.#clients.values()) client.publish(topic, sealed);
	}

	wake(sleptMs: number): void {
		if (this.#stopped) return;
		if (sleptMs < GIVEN_UP_MS) {
			for (const client of this.#clients.values()) client.probe();
			this.#seekSooner();
			return;
		}
		this.#beginAnew("slept");
	}

	move(): void {
		if (!this.#stopped) this.#beginAnew("network-changed");
	}

	/**
	 * The neighbours have closed their ends, or do not know yet that they are dead, and wait longer and longer between their
	 * tries to connect again. A new session makes them begin anew; it is announced as soon as a server is reached.
	 */
	#beginAnew(code: string): void {
		this.#forgetAll(code);
		this.#session.begin();
		for (const client of this.#clients.values()) client.reconnect();
		this.#seekSooner();
	}

	stop(): void {
		if (this.#stopped) return;
		this.#stopped = true;
		clearTimeout(this.#announceTimer);
		for (const client of this.#clients.values()) client.stop();
		this.#clients.clear();
		this.#forgetAll("mesh-stopped");
	}

	stats(): MeshStats {
		const neighbours = this.#neighbours.all();
		return {
			open: this.#open.size,
			connecting: neighbours.filter(({ link }) => link?.state === "connecting").length,
			known: neighbours.length,
			signaling: this.#signalingStatus(),
			counts: this.#counts.toRecord(),
		};
	}

	// ── signaling servers ────────────────────────────────────────────────────────────────────────────────────────

	#connectServers(): void {
		const urls = new Set(this.#settings.signalingUrls.slice(0, MAX_SIGNALING_SERVERS));
		for (const [url, client] of this.#clients) {
			if (urls.has(url)) continue;
			client.stop();
			this.#clients.delete(url);
		}
		for (const url of urls) if (!this.#clients.has(url)) this.#clients.set(url, this.#connectServer(url));
		this.#options.onSignalingStatus(this.#signalingStatus());
	}

	#connectServer(url: string): SignalingClient {
		const allowance = new TokenBucket(SIGNALS.capacity, SIGNALS.perSecond, performance.now());
		const client = createSignalingClient({
			url,
			webSocket: this.#options.webSocket ?? WebSocket,
			refusals: this.#counts,
			onStatus: (connected) => {
				this.#options.onSignalingStatus(this.#signalingStatus());
				if (!connected) return;
				this.#options.onSignal(this.#announcement());
				this.#call();
				// Whoever called before this server was back does not call again until it hears of this device once more.
				if (this.#open.size === 0) this.#seekSooner();
			},
			onPublished: (topic, sealed) => {
				const isWhole = typeof sealed === "string" && sealed.length === SEALED_SIGNAL_LENGTH;
				if (!isWhole) this.#counts.add("signal-not-sealed");
				// The node has other things to do than to open what a hostile server makes up.
				else if (allowance.take(1, performance.now())) this.#options.onSealed(topic, sealed);
				else this.#counts.add("signal-too-many");
			},
		});
		for (const topic of this.#settings.topics) client.subscribe(topic);
		return client;
	}

	#signalingStatus(): SignalingStatus {
		const clients = [...this.#clients.values()];
		return { connected: clients.filter(({ connected }) => connected).length, configured: clients.length };
	}

	#head(to?: Pick<Neighbour, "deviceId" | "session">): Omit<SignalHead, "from"> {
		this.#sequence += 1;
		const head = { session: this.#session.name, sequence: this.#sequence };
		return to === undefined ? head : { ...head, to: { deviceId: to.deviceId, session: to.session } };
	}

	#announcement(to?: Pick<Neighbour, "deviceId" | "session">): SignalDraft {
		return { ...this.#head(to), kind: "announce" };
	}

	// ── announcements ────────────────────────────────────────────────────────────────────────────────────────────

	#announceLater(): void {
		clearTimeout(this.#announceTimer);
		const delayMs =
			this.#open.size > 0
				? backOffMs(0, CONNECTED_MS, CONNECTED_MS)
				: backOffMs(this.#announced, ALONE_MS, ALONE_MAX_MS);
		this.#announceTimer = setTimeout(() => this.#announce(), delayMs);
	}

	#announce(): void {
		this.#announced += 1;
		this.#neighbours.prune(performance.now());
		if (this.#open.size === 0 && this.#session.mayReturn(performance.now())) {
			this.#forgetAll("displaced");
			this.#session.begin();
		}
		this.#options.onSignal(this.#announcement());
		this.#call();
		this.#announceLater();
	}

	/** Alone again, or under another name: the pauses begin anew. */
	#seekSooner(): void {
		this.#announced = 0;
		this.#announceLater();
	}

	// ── what the others say ──────────────────────────────────────────────────────────────────────────────────────

	hear(signal: Signal): void {
		if (this.#stopped) return;
		if (signal.from === this.#settings.deviceId) {
			this.#session.heard(signal.session);
			return;
		}
		if (signal.to !== undefined && !this.#isSelf(signal.to)) return;
		// Nobody keeps count of those with whom there will be nothing to talk about.
		const isGreeting = signal.kind === "announce" && signal.to === undefined;
		if (isGreeting && this.#neighbours.find(signal.from) === undefined && !this.#isWanted(signal.from)) return;
		const nowMs = performance.now();
		const admitted = this.#neighbours.admit(signal, nowMs);
		if (!admitted.ok) {
			this.#counts.add(admitted.error.code);
			return;
		}
		const { neighbour, restarted } = admitted.value;
		if (restarted) this.#unlink(neighbour, "peer-restarted");
		const code = this.#follow(neighbour, signal, nowMs);
		if (code !== undefined) this.#counts.add(code);
	}

	#isSelf({ deviceId, session }: { deviceId: string; session: string }): boolean {
		return deviceId === this.#settings.deviceId && (session === this.#session.name || session === ANY_SESSION);
	}

	/** Does what a signal asks for, or says why not. */
	#follow(neighbour: Neighbour, signal: Signal, nowMs: number): string | undefined {
		switch (signal.kind) {
			case "announce":
				this.#meet(neighbour, signal.to !== undefined);
				return undefined;
			case "offer":
				if (this.#starts(neighbour)) return "signal-unexpected";
				if (signal.attempt < neighbour.attempt) return "signal-old-attempt";
				if (nowMs < neighbour.acceptFromMs) return "signal-too-soon";
				neighbour.acceptFromMs = nowMs + OFFER_INTERVAL_MS;
				if (signal.attempt === neighbour.attempt) {
					// Its sender has not heard the answer.
					neighbour.link?.repeat();
					return undefined;
				}
				this.#unlink(neighbour, "peer-reconnects");
				neighbour.attempt = signal.attempt;
				neighbour.link = this.#createLink(neighbour, false);
				neighbour.link.describe("offer", signal.sdp);
				for (const candidate of neighbour.early.splice(0)) neighbour.link.addCandidate(candidate);
				return undefined;
			case "answer":
				if (!this.#starts(neighbour)) return "signal-unexpected";
				if (signal.attempt !== neighbour.attempt) return "signal-old-attempt";
				delete neighbour.offeredMs;
				neighbour.link?.describe("answer", signal.sdp);
				return undefined;
			case "candidates":
				if (signal.attempt === neighbour.attempt + 1 && !this.#starts(neighbour)) {
					neighbour.early = [...neighbour.early, ...signal.candidates].slice(0, MAX_EARLY_CANDIDATES);
					return undefined;
				}
				if (signal.attempt !== neighbour.attempt) return "signal-old-attempt";
				for (const candidate of signal.candidates) neighbour.link?.addCandidate(candidate);
				return undefined;
		}
	}

	/** Somebody is there. `directed`: it has no channel to this device, and wants one. */
	#meet(neighbour: Neighbour, directed: boolean): void {
		if (directed) neighbour.askedMs = performance.now();
		if (!this.#isExpected(neighbour)) return;
		if (!this.#starts(neighbour)) {
			// The lower id may have come later, and not have heard this device's own announcement; or it has heard none and asks.
			if (neighbour.link === undefined) this.#options.onSignal(this.#announcement(neighbour));
			return;
		}
		if (neighbour.link === undefined && neighbour.retry === undefined) this.#connect(neighbour);
		else if (neighbour.offeredMs !== undefined) this.#callAgainIfUnheard(neighbour, neighbour.offeredMs);
	}

	/**
	 * The newest offer was not answered, and its receiver says that it is there: it may have been cut off from the servers
	 * when the offer went out. Then neither the end of an attempt that cannot succeed nor the pause after it is waited for.
	 * But a busy node may only not have come to it yet, and what it says first is what it wanted to say first.
	 */
	#callAgainIfUnheard(neighbour: Neighbour, offeredMs: number): void {
		if (neighbour.recall !== undefined) return;
		const nowMs = performance.now();
		// Nobody was there to hand it on.
		const isLost = offeredMs === Number.NEGATIVE_INFINITY;
		const delayMs = isLost ? 0 : Math.max(offeredMs + UNHEARD_MS - nowMs, ANSWER_MS);
		neighbour.recall = setTimeout(() => {
			delete neighbour.recall;
			// It was answered, or a newer one is out.
			if (neighbour.offeredMs !== offeredMs) return;
			this.#unlink(neighbour, "offer-unheard");
			this.#connect(neighbour);
		}, delayMs);
	}

	/** Both sides agree on this without a word. */
	#starts({ deviceId }: Neighbour): boolean {
		return this.#settings.deviceId < deviceId;
	}

	// ── whom to connect to ───────────────────────────────────────────────────────────────────────────────────────

	/** Whether the node wants a channel to a device. */
	#isWanted(deviceId: string): boolean {
		const { connectTo } = this.#settings;
		if (connectTo === "everybody") return true;
		if (connectTo !== "somebody") return connectTo.includes(deviceId);
		if (this.#neighbours.find(deviceId)?.isPassedOver === true) return false;
		const linked = this.#neighbours.all().filter(({ isPassedOver, link }) => link !== undefined && !isPassedOver);
		return linked.length < SOMEBODY || linked.some((each) => each.deviceId === deviceId);
	}

	/** Whether this device or the other wants a channel. */
	#isExpected(neighbour: Neighbour): boolean {
		return this.#isWanted(neighbour.deviceId) || performance.now() - neighbour.askedMs < ASKED_MS;
	}

	/** Calls those whom the node named and who are not connected: they do not call by themselves, and need not be heard. */
	#call(): void {
		const { connectTo } = this.#settings;
		if (typeof connectTo === "string") return;
		for (const deviceId of connectTo) {
			const neighbour = this.#neighbours.find(deviceId);
			if (neighbour === undefined) this.#options.onSignal(this.#announcement({ deviceId, session: ANY_SESSION }));
			else if (neighbour.link === undefined && neighbour.retry === undefined) this.#connect(neighbour);
		}
	}

	// ── connections ──────────────────────────────────────────────────────────────────────────────────────────────

	/** Starts a connection, or asks the other one to. */
	#connect(neighbour: Neighbour): void {
		if (!this.#starts(neighbour)) {
			this.#options.onSignal(this.#announcement(neighbour));
			return;
		}
		neighbour.attempt += 1;
		neighbour.link = this.#createLink(neighbour, true);
	}

	#createLink(neighbour: Neighbour, initiator: boolean): Link {
		const { iceServers } = this.#settings;
		const { attempt } = neighbour;
		this.#channels += 1;
		const channel = `${this.#session.name.slice(0, 8)}-${this.#channels}`;
		let openedMs: number | undefined;
		const link = new Link({
			channel,
			initiator,
			iceServers: iceServers.filter(this.#options.isUsable ?? isUsableIceServer),
			// Where all ways failed, a network may let only the relay's through: every second try asks for that alone.
			relayOnly: neighbour.failures % 2 === 1 && iceServers.some(({ urls }) => /^turns?:/.test(urls)),
			createPeer: this.#options.createPeer ?? createBrowserPeer,
			onDescription: (kind, sdp, isRepeated) => {
				this.#options.onSignal({ ...this.#head(neighbour), kind, attempt, sdp });
				if (isRepeated) return;
				const isHeard = this.#signalingStatus().connected > 0;
				if (kind === "offer") neighbour.offeredMs = isHeard ? performance.now() : Number.NEGATIVE_INFINITY;
			},
			onCandidates: (candidates) =>
				this.#options.onSignal({ ...this.#head(neighbour), kind: "candidates", attempt, candidates }),
			onOpened: (localFingerprint, remoteFingerprint) => {
				openedMs = performance.now();
				this.#open.set(channel, link);
				this.#announceLater();
				this.#options.onOpened({ channel, localFingerprint, remoteFingerprint, initiator });
			},
			onFrame: (frame) => this.#options.onFrame(channel, frame),
			onClosed: (code) => {
				this.#counts.add(code);
				const lasted = openedMs !== undefined && performance.now() - openedMs >= STABLE_MS;
				// Not one that this mesh has closed to begin anew with the neighbour.
				const isLoss = neighbour.link === link;
				if (isLoss) this.#afterLoss(neighbour, lasted);
				if (!this.#open.delete(channel)) return;
				this.#options.onClosed(channel, code);
				if (!this.#stopped && !this.#isForgetting) this.#afterLostChannel(isLoss && lasted);
			},
		});
		return link;
	}

	/**
	 * The neighbour has no link any more: whoever starts tries again. The other waits for it and says that it is there,
	 * unless it knows that the first has no reason of its own to try.
	 */
	#afterLoss(neighbour: Neighbour, lasted: boolean): void {
		delete neighbour.link;
		neighbour.isPassedOver = false;
		neighbour.failures = lasted ? 0 : neighbour.failures + 1;
		if (this.#stopped || !this.#isExpected(neighbour)) return;
		if (!this.#starts(neighbour) && typeof this.#settings.connectTo === "string") return;
		clearTimeout(neighbour.retry);
		const delayMs = backOffMs(neighbour.failures, FIRST_RETRY_MS, MAX_RETRY_MS);
		neighbour.retry = setTimeout(() => {
			delete neighbour.retry;
			if (neighbour.link === undefined && this.#isExpected(neighbour)) this.#connect(neighbour);
		}, delayMs);
	}

	/**
	 * Who lost a neighbour may have lost the servers with it, which a silent connection does not show by itself. Who lost
	 * them all is most likely in another network, whatever the browser noticed of that; unless they were never good, or
	 * were taken by a copy of this profile: then it is tried ever more seldom.
	 */
	#afterLostChannel(lasted: boolean): void {
		if (this.#open.size === 0 && lasted && !this.#session.isDisplaced) {
			this.#beginAnew("left-alone");
			return;
		}
		if (this.#open.size === 0) this.#seekSooner();
		for (const client of this.#clients.values()) client.probe();
	}

	/** Drops a neighbour's link and plans, to begin anew with it. */
	#unlink(neighbour: Neighbour, code: string): void {
		clearTimeout(neighbour.retry);
		clearTimeout(neighbour.recall);
		delete neighbour.retry;
		delete neighbour.recall;
		const { link } = neighbour;
		delete neighbour.link;
		link?.close(code);
	}

	#forgetAll(code: string): void {
		this.#isForgetting = true;
		for (const neighbour of this.#neighbours.all()) this.#unlink(neighbour, code);
		this.#neighbours = new Neighbours();
		this.#isForgetting = false;
	}
}
