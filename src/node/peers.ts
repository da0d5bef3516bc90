/**
 * Channels to other devices: handshake, framing, and who is behind each one. A channel speaks only after both sides
 * have signed both handshakes together with both DTLS fingerprints, so nobody can sit in between.
 */
import { FrameAssembler, type FrameError, toFrames } from "../message/frames.js";
import type { HandshakeMessage, Message, ProofMessage } from "../message/message.js";
import { decodeMessage, encodeMessage, MAX_MESSAGE_BYTES, type MessageError, WIRE_VERSION } from "../message/wire.js";
import { assert } from "../primitives/assert.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import { encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";
import { TokenBucket } from "../primitives/tokenBucket.js";
import { Conduct, type ConductView } from "./conduct.js";
import type { NodeDependencies } from "./dependencies.js";
import { WaitingFrames } from "./waitingFrames.js";

export type PeerError =
	| FrameError
	| MessageError
	| { code: "own-device" }
	| { code: "other-version"; version: number }
	| { code: "other-neighbourhood" }
	| { code: "bad-proof" }
	| { code: "not-authenticated"; type: Message["type"] }
	| { code: "unexpected-handshake" }
	/** More than a device may send. */
	| { code: "flooding" }
	/** Its device did what no correct one does. */
	| { code: "kept-out" }
	/** Nobody that the neighbourhood knows, and there were more of them. */
	| { code: "too-many-strangers" }
	| { code: "silent" };

/** An open channel. */
export interface Peer {
	readonly channel: string;
	readonly initiator: boolean;
	readonly localFingerprint: Uint8Array;
	readonly remoteFingerprint: Uint8Array;
	readonly assembler: FrameAssembler;
	nextMessageNumber: number;
	sent: HandshakeMessage | undefined;
	received: HandshakeMessage | undefined;
	/** The device behind it (hex of its key), once proven. */
	device: string | undefined;
	/** Frames that it may send before that. */
	unproven: TokenBucket;
	lastHeardMs: number;
}

export interface PeerEvents {
	/** Both sides have proven who they are. */
	onAuthenticated(peer: Peer): void;
	onMessage(peer: Peer, message: Message): void;
	/** A handshake in another context than the current one: true if it was dealt with or may wait. */
	onOtherContext(peer: Peer, handshake: HandshakeMessage): boolean;
	/** Whether a device belongs here. Whoever does not is a guest: anybody with a link can be many of them. */
	isKnown(device: string): boolean;
	/** Messages that may come before the proof. */
	isOpen(peer: Peer, message: Message): boolean;
	/** A channel whose device had proven itself is gone, or speaks of something else from now on. */
	onClosed(peer: Peer): void;
	onRefused(code: string): void;
}

const hashProof = taggedHash("handshake");
const hashCrossing = taggedHash("crossing");

/** What a device signs about two chains: its own handshake and the other's, each with the fingerprint of its side. */
function crossingDigest(
	[own, ownPrint]: [HandshakeMessage, Uint8Array],
	[other, otherPrint]: [HandshakeMessage, Uint8Array],
): Uint8Array {
	const keys = [own.deviceKey, own.nonce, ownPrint, other.context, other.deviceKey, other.nonce, otherPrint];
	return hashCrossing(own.context, encode([WIRE_VERSION, ...keys]));
}

/**
 * Channels that are not proven yet, and those of guests. Together with who is only heard of they leave room in the mesh
 * for more members than a voter of a large street has channels to.
 */
const MAX_UNPROVEN = 64;
const MAX_GUESTS = 64;

/** Handshake, proof, and what a guest asks for: each handshake is answered with a signature. */
const UNPROVEN_FRAMES = { capacity: 60, perSecond: 5 };
function unprovenFrames(nowMs: number): TokenBucket {
	return new TokenBucket(UNPROVEN_FRAMES.capacity, UNPROVEN_FRAMES.perSecond, nowMs);
}

/** Answered by reading from the disk, and with more than was asked with. */
const REQUESTS: ReadonlySet<Message["type"]> = new Set([
	...(["blocksRequest", "checkpointRequest", "chunkRequest", "headersRequest", "genesisRequest"] as const),
]);

export class Peers {
	readonly #peers = new Map<string, Peer>();
	/** Channels that were refused, until the page has closed them. */
	readonly #refused = new Set<string>();
	readonly #waiting = new WaitingFrames();
	readonly #dependencies: NodeDependencies;
	readonly #events: PeerEvents;
	/** How the devices behind the channels behave. */
	readonly conduct = new Conduct();
	#identity: { context: Uint8Array; deviceKey: Uint8Array; deviceSecret: Uint8Array } | undefined;

	constructor(dependencies: NodeDependencies, events: PeerEvents) {
		this.#dependencies = dependencies;
		this.#events = events;
	}

	/** Every channel with a proven device; a device has one. */
	*authenticated(): Iterable<Peer & { device: string }> {
		for (const peer of this.#peers.values()) if (peer.device !== undefined) yield peer as Peer & { device: string };
	}

	/** Whether a channel is open. */
	has(peer: Peer): boolean {
		return this.#peers.get(peer.channel) === peer;
	}

	/** The channel to a device. */
	toDevice(device: string): Peer | undefined {
		for (const peer of this.authenticated()) if (peer.device === device) return peer;
		return undefined;
	}

	/** What a device did that no correct one does; undefined: nothing. */
	conductOf(device: string): ConductView | undefined {
		return this.conduct.viewOf(device, this.#dependencies.clocks.monotonicMs());
	}

	/** From now on this device talks about `context`: all channels shake hands anew, unless it does so already. */
	speakAbout(context: Uint8Array, deviceSecret: Uint8Array): void {
		const deviceKey = this.#dependencies.signer.publicKeyOf(deviceSecret);
		const before = this.#identity;
		if (before !== undefined && equalBytes(before.context, context) && equalBytes(before.deviceKey, deviceKey)) {
			for (const peer of [...this.authenticated()]) this.#events.onAuthenticated(peer);
			return;
		}
		this.#identity = { context, deviceSecret, deviceKey };
		for (const peer of this.#peers.values()) {
			// A lobby is quiet: silence counts from here on.
			peer.lastHeardMs = this.#dependencies.clocks.monotonicMs();
			peer.unproven = unprovenFrames(peer.lastHeardMs);
			const wasAuthenticated = peer.device !== undefined;
			peer.device = undefined;
			peer.sent = undefined;
			const received = peer.received;
			peer.received = undefined;
			if (wasAuthenticated) this.#events.onClosed(peer);
			this.#sendHandshake(peer);
			// The other side was here first.
			if (received !== undefined && equalBytes(received.context, context)) this.#onHandshake(peer, received);
		}
	}

	open(channel: string, initiator: boolean, localFingerprint: Uint8Array, remoteFingerprint: Uint8Array): void {
		const nowMs = this.#dependencies.clocks.monotonicMs();
		const peer: Peer = {
			channel,
			initiator,
			localFingerprint,
			remoteFingerprint,
			assembler: new FrameAssembler(),
			nextMessageNumber: 0,
			sent: undefined,
			received: undefined,
			device: undefined,
			unproven: unprovenFrames(nowMs),
			lastHeardMs: nowMs,
		};
		this.#makeRoomForUnproven();
		this.#peers.set(channel, peer);
		this.#sendHandshake(peer);
	}

	/** Who proves nothing gives way to who has just come, which may be a member. */
	#makeRoomForUnproven(): void {
		const unproven = [...this.#peers.values()].filter(({ device }) => device === undefined);
		const [oldest] = unproven;
		if (oldest !== undefined && unproven.length >= MAX_UNPROVEN) this.refuse(oldest, { code: "too-many-strangers" });
	}

	/** Of the guests that were there before this one, who has been silent for longest gives way. */
	#makeRoomForGuest(guest: Peer): void {
		const others = [...this.authenticated()].filter((peer) => peer !== guest && !this.#events.isKnown(peer.device));
		const [idlest] = others.sort((a, b) => a.lastHeardMs - b.lastHeardMs);
		if (idlest !== undefined && others.length >= MAX_GUESTS) this.refuse(idlest, { code: "too-many-strangers" });
	}

	/** The channel is gone. */
	closed(channel: string): void {
		this.#refused.delete(channel);
		this.#forget(channel);
	}

	#forget(channel: string): void {
		const peer = this.#peers.get(channel);
		if (peer === undefined) return;
		this.#peers.delete(channel);
		if (peer.device !== undefined) this.#events.onClosed(peer);
	}

	/** Closes a channel and counts why. */
	refuse(peer: Peer, error: { code: string }): void {
		this.#events.onRefused(error.code);
		if (peer.device !== undefined) {
			this.conduct.note(peer.device, error.code, this.#dependencies.clocks.monotonicMs());
		}
		this.letGo(peer, error.code);
	}

	/** Closes a channel that is not needed any more: nobody did anything wrong. */
	letGo(peer: Peer, code: string): void {
		this.#refused.add(peer.channel);
		this.#forget(peer.channel);
		this.#dependencies.emit({ type: "closePeer", channel: peer.channel, code });
	}

	send(peer: Peer, message: Message): void {
		// Its answer is not held against it.
		if (peer.device !== undefined && REQUESTS.has(message.type)) this.conduct.expect(peer.device, MAX_MESSAGE_BYTES);
		this.#sendBytes(peer, encodeMessage(message));
	}

	/** To everybody who has proven who they are, or to some of them; gives how many these are. */
	broadcast(message: Message, isFor: (device: string) => boolean = () => true): number {
		const bytes = encodeMessage(message);
		let count = 0;
		for (const peer of this.authenticated()) {
			if (!isFor(peer.device)) continue;
			this.#sendBytes(peer, bytes);
			count += 1;
		}
		return count;
	}

	#sendBytes(peer: Peer, bytes: Uint8Array): void {
		const number = peer.nextMessageNumber;
		peer.nextMessageNumber += 1;
		for (const frame of toFrames(bytes, number)) {
			this.#dependencies.emit({ type: "peerFrame", channel: peer.channel, frame });
		}
	}

	/**
	 * A frame has come, and would wait for its turn: who sends more than it may is found out here, and what comes of that
	 * channel from then on is forgotten. In the queue it would keep everybody waiting. Where the opening or proof waits there
	 * itself some may wait behind it, and are counted when their turn comes.
	 */
	arrived(channel: string, bytes: number): "counted" | "uncounted" | "flooding" | "forgotten" {
		if (this.#refused.has(channel)) return "forgotten";
		const peer = this.#peers.get(channel);
		const isTaken =
			peer?.device === undefined
				? this.#waiting.add(channel, bytes)
				: this.conduct.takes(peer.device, bytes, this.#dependencies.clocks.monotonicMs());
		if (isTaken) return peer?.device === undefined ? "uncounted" : "counted";
		this.#refused.add(channel);
		return "flooding";
	}

	/** Closes the channel of who sends more than it may. */
	refuseFlood(channel: string): void {
		const peer = this.#peers.get(channel);
		if (peer !== undefined) this.refuse(peer, { code: "flooding" });
	}

	/** A frame's turn has come. */
	receive(channel: string, frame: Uint8Array, isCounted: boolean): void {
		if (!isCounted) this.#waiting.taken(channel, frame.length);
		const peer = this.#peers.get(channel);
		// Frames of a channel that was just closed may still be on their way.
		if (peer === undefined) return;
		const nowMs = this.#dependencies.clocks.monotonicMs();
		peer.lastHeardMs = nowMs;
		if (!isCounted && !this.#maySend(peer, frame.length, nowMs)) {
			this.refuse(peer, { code: "flooding" });
			return;
		}
		const whole = peer.assembler.push(frame);
		if (!whole.ok) {
			this.refuse(peer, whole.error);
			return;
		}
		if (whole.value === undefined) return;
		const message = decodeMessage(whole.value);
		if (!message.ok) {
			this.refuse(peer, message.error);
			return;
		}
		this.#dispatch(peer, message.value);
	}

	#dispatch(peer: Peer, message: Message): void {
		switch (message.type) {
			case "handshake":
				this.#onHandshake(peer, message);
				break;
			case "proof":
				this.#onProof(peer, message);
				break;
			default:
				if (peer.device !== undefined && REQUESTS.has(message.type)) {
					const nowMs = this.#dependencies.clocks.monotonicMs();
					if (!this.conduct.spend(peer.device, "requests", 1, nowMs)) {
						this.#events.onRefused("too-many-requests");
						return;
					}
				}
				if (peer.device !== undefined || this.#events.isOpen(peer, message)) this.#events.onMessage(peer, message);
				else if (peer.received === undefined) this.refuse(peer, { code: "not-authenticated" });
		}
	}

	/** Before anything is read: what a device may not send costs nothing more than this. */
	#maySend(peer: Peer, bytes: number, nowMs: number): boolean {
		if (peer.device === undefined) return peer.unproven.take(1, nowMs);
		return this.conduct.takes(peer.device, bytes, nowMs);
	}

	/** A channel that says nothing is as good as lost, long before WebRTC notices. */
	tick(): void {
		const oldestMs = this.#dependencies.clocks.monotonicMs() - this.#dependencies.settings.silenceMs;
		for (const peer of [...this.#peers.values()]) {
			if (peer.lastHeardMs < oldestMs) this.refuse(peer, { code: "silent" });
		}
	}

	/** After a freeze nobody was heard: that says nothing about them. */
	forgiveSilence(): void {
		for (const peer of this.#peers.values()) peer.lastHeardMs = this.#dependencies.clocks.monotonicMs();
	}

	#sendHandshake(peer: Peer): void {
		if (this.#identity === undefined) return;
		const { context, deviceKey } = this.#identity;
		const nonce = this.#dependencies.randomBytes(32);
		peer.sent = { type: "handshake", version: WIRE_VERSION, context, deviceKey, nonce };
		this.send(peer, peer.sent);
	}

	#onHandshake(peer: Peer, handshake: HandshakeMessage): void {
		if (this.#identity === undefined || peer.sent === undefined) {
			peer.received = handshake;
			return;
		}
		if (handshake.version !== WIRE_VERSION) {
			this.refuse(peer, { code: "other-version" });
			return;
		}
		if (equalBytes(handshake.deviceKey, this.#identity.deviceKey)) {
			this.refuse(peer, { code: "own-device" });
			return;
		}
		if (!equalBytes(handshake.context, this.#identity.context)) {
			peer.received = handshake;
			if (!this.#events.onOtherContext(peer, handshake)) this.refuse(peer, { code: "other-neighbourhood" });
			return;
		}
		if (peer.device !== undefined) {
			this.refuse(peer, { code: "unexpected-handshake" });
			return;
		}
		peer.received = handshake;
		const digest = this.#proofDigest(peer, peer.sent, handshake, peer.initiator);
		const signature = this.#dependencies.signer.sign(digest, this.#identity.deviceSecret);
		this.send(peer, { type: "proof", signature });
	}

	#onProof(peer: Peer, proof: ProofMessage): void {
		const { sent, received } = peer;
		const current =
			sent !== undefined && received !== undefined && equalBytes(sent.context, received.context)
				? { sent, received }
				: undefined;
		// A proof of the context that was just left: the next handshake is on its way.
		if (current === undefined) return;
		const digest = this.#proofDigest(peer, current.sent, current.received, !peer.initiator);
		if (!this.#dependencies.verifier.verify(proof.signature, digest, current.received.deviceKey)) {
			this.refuse(peer, { code: "bad-proof" });
			return;
		}
		const device = toHex(current.received.deviceKey);
		if (this.conduct.isKeptOut(device, this.#dependencies.clocks.monotonicMs())) {
			this.refuse(peer, { code: "kept-out" });
			return;
		}
		const older = this.toDevice(device);
		if (older !== undefined && older !== peer) {
			// The device came back on a new channel; the old one has not noticed yet.
			this.letGo(older, "replaced");
		}
		peer.device = device;
		if (!this.#events.isKnown(device)) this.#makeRoomForGuest(peer);
		this.#events.onAuthenticated(peer);
	}

	/** Signs, on a channel to who speaks of another chain, that it is this device that speaks there. */
	signCrossing(peer: Peer): Uint8Array | undefined {
		const { sent, received, localFingerprint, remoteFingerprint } = peer;
		if (this.#identity === undefined || sent === undefined || received === undefined) return undefined;
		const digest = crossingDigest([sent, localFingerprint], [received, remoteFingerprint]);
		return this.#dependencies.signer.sign(digest, this.#identity.deviceSecret);
	}

	/** Whether the device that a channel's handshake names has signed so. */
	hasCrossed({ sent, received, localFingerprint, remoteFingerprint }: Peer, signature: Uint8Array): boolean {
		if (sent === undefined || received === undefined) return false;
		const digest = crossingDigest([received, remoteFingerprint], [sent, localFingerprint]);
		return this.#dependencies.verifier.verify(signature, digest, received.deviceKey);
	}

	/** What a side signs: both handshakes and both fingerprints in the initiator's order, and which side it is. */
	#proofDigest(peer: Peer, own: HandshakeMessage, other: HandshakeMessage, byInitiator: boolean): Uint8Array {
		const [first, second] = peer.initiator ? [own, other] : [other, own];
		const [firstPrint, secondPrint] = peer.initiator
			? [peer.localFingerprint, peer.remoteFingerprint]
			: [peer.remoteFingerprint, peer.localFingerprint];
		assert(equalBytes(first.context, second.context), "both sides talk about the same");
		return hashProof(
			first.context,
			encode([
				WIRE_VERSION,
				first.deviceKey,
				second.deviceKey,
				first.nonce,
				second.nonce,
				firstPrint,
				secondPrint,
				byInitiator ? 1 : 0,
			]),
		);
	}
}
