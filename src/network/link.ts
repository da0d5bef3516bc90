/**
 * One WebRTC connection with one data channel, through simple-peer. It knows nothing of the mesh: session
 * descriptions and candidates go out and come in, then frames do, and in the end it closes once, with a code.
 */
/// <reference path="./simplePeer.d.ts" />
import Peer from "simple-peer/simplepeer.min.js";
import type { Candidate } from "../message/signal.js";
import { MAX_CANDIDATES } from "../message/signalLimits.js";
import type { NetworkSettings } from "../node/protocol.js";
import { fingerprintOf } from "./sdp.js";

export const MAX_FRAME_BYTES = 65_536;
/** What may wait in the browser for a slow peer; it gives up by itself at 16 MB. */
export const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
export const CONNECT_MS = 15_000;
/** Of the other side, handed to the browser: each costs connectivity checks. */
const MAX_HANDED_CANDIDATES = 64;
/** What is found within so long goes out together: a sealed signal is long whatever is in it. */
const GATHER_MS = 50;
/** Until it is open everything is said again so often: a server may have lost any of it, on either side's way. */
export const REPEAT_MS = 2_000;

export interface LinkOptions {
	channel: string;
	initiator: boolean;
	iceServers: NetworkSettings["iceServers"];
	/** Try only the way through a TURN server. */
	relayOnly: boolean;
	createPeer: PeerFactory;
	/** `isRepeated`: it went out before. */
	onDescription: (kind: "offer" | "answer", sdp: string, isRepeated: boolean) => void;
	/** Never before the own description: the other side could not place them. */
	onCandidates: (candidates: readonly Candidate[]) => void;
	onOpened: (localFingerprint: Uint8Array, remoteFingerprint: Uint8Array) => void;
	onFrame: (frame: Uint8Array) => void;
	/** Called once, whatever happened; `code` is one of {@link CloseCode} or what `close` was given. */
	onClosed: (code: string) => void;
}

export type CloseCode =
	| "connection-failed"
	| "connection-timed-out"
	| "connection-lost"
	| "no-webrtc"
	| "frame-too-long"
	| "frame-not-binary"
	| "send-queue-full"
	| "sdp-no-fingerprint"
	| "sdp-bad-fingerprint"
	| "sdp-several-fingerprints";

/** The part of a simple-peer that a link uses. */
export type PeerLike = Pick<Peer, "bufferSize" | "signal" | "send" | "destroy" | "on">;
export type PeerFactory = (options: ConstructorParameters<typeof Peer>[0]) => PeerLike;

/** The browser's own WebRTC. */
export const createBrowserPeer: PeerFactory = (options) => new Peer(options);

export class Link {
	readonly channel: string;
	readonly initiator: boolean;
	#state: "connecting" | "open" | "closed" = "connecting";
	readonly #options: LinkOptions;
	readonly #peer: PeerLike | undefined;
	readonly #timer: ReturnType<typeof setTimeout>;
	#localFingerprint: Uint8Array | undefined;
	#remoteFingerprint: Uint8Array | undefined;
	/** Found, and not sent yet. */
	#gathered: Candidate[] = [];
	#gathering: ReturnType<typeof setTimeout> | undefined;
	/** The own session description, and the addresses that went out after it. */
	#description: { kind: "offer" | "answer"; sdp: string } | undefined;
	readonly #sent: Candidate[] = [];
	readonly #repeating: ReturnType<typeof setInterval> | undefined;
	/** That came from the other side, as text: they are said again. */
	readonly #candidates = new Set<string>();

	constructor(options: LinkOptions) {
		this.#options = options;
		this.channel = options.channel;
		this.initiator = options.initiator;
		this.#timer = setTimeout(() => this.close("connection-timed-out"), CONNECT_MS);
		// The other side says its own again whenever it hears this.
		if (options.initiator) this.#repeating = setInterval(() => this.repeat(), REPEAT_MS);
		this.#peer = this.#createPeer();
		// Not before the constructor has returned: the owner does not have the link yet.
		if (this.#peer === undefined) queueMicrotask(() => this.close("no-webrtc"));
	}

	get state(): "connecting" | "open" | "closed" {
		return this.#state;
	}

	/**
	 * The other side's session description. Only the first one counts: a second would be a new negotiation, which no
	 * page of ours asks for, and could change what the fingerprint stands for.
	 */
	describe(kind: "offer" | "answer", sdp: string): void {
		if (this.#state !== "connecting" || this.#remoteFingerprint !== undefined) return;
		const fingerprint = fingerprintOf(sdp);
		if (!fingerprint.ok) {
			this.close(fingerprint.error.code);
			return;
		}
		this.#remoteFingerprint = fingerprint.value;
		this.#signal({ type: kind, sdp });
	}

	/** One of the other side's addresses. */
	addCandidate(candidate: Candidate): void {
		const text = JSON.stringify(candidate);
		const isKnown = this.#candidates.has(text) || this.#candidates.size >= MAX_HANDED_CANDIDATES;
		if (this.#state === "closed" || isKnown) return;
		this.#candidates.add(text);
		this.#signal({ type: "candidate", candidate });
	}

	/** Says everything once more, while the connection has not come about. */
	repeat(): void {
		if (this.#state !== "connecting" || this.#description === undefined) return;
		this.#options.onDescription(this.#description.kind, this.#description.sdp, true);
		for (let at = 0; at < this.#sent.length; at += MAX_CANDIDATES) {
			this.#options.onCandidates(this.#sent.slice(at, at + MAX_CANDIDATES));
		}
	}

	/** Hands a frame to the browser. A peer that takes too little of what it is sent is given up. */
	send(frame: Uint8Array): void {
		if (this.#state !== "open" || this.#peer === undefined) return;
		if (this.#peer.bufferSize + frame.length > MAX_BUFFERED_BYTES) {
			this.close("send-queue-full");
			return;
		}
		try {
			this.#peer.send(frame);
		} catch {
			// The channel closed, and its event has not come yet.
			this.close("connection-lost");
		}
	}

	close(code: string): void {
		if (this.#state === "closed") return;
		this.#state = "closed";
		clearTimeout(this.#timer);
		clearTimeout(this.#gathering);
		clearInterval(this.#repeating);
		this.#peer?.destroy();
		this.#options.onClosed(code);
	}

	#createPeer(): PeerLike | undefined {
		const { initiator, iceServers, relayOnly } = this.#options;
		let peer: PeerLike;
		try {
			peer = this.#options.createPeer({
				initiator,
				config: { iceServers: iceServers.map(forBrowser), iceTransportPolicy: relayOnly ? "relay" : "all" },
				trickle: true,
				readableObjectMode: true,
			});
		} catch {
			return undefined;
		}
		peer.on("signal", (data) => this.#onSignal(data));
		peer.on("connect", () => this.#onConnect());
		peer.on("error", () => this.#onLost());
		peer.on("close", () => this.#onLost());
		return peer;
	}

	#signal(data: Parameters<PeerLike["signal"]>[0]): void {
		try {
			this.#peer?.signal(data);
		} catch {
			// The browser refuses a candidate that only looks like one; the connection is not better for it.
			this.close("connection-failed");
		}
	}

	#onSignal(data: { type: string; sdp?: unknown; candidate?: unknown }): void {
		if (this.#state === "closed") return;
		if ((data.type === "offer" || data.type === "answer") && typeof data.sdp === "string") {
			const fingerprint = fingerprintOf(data.sdp);
			if (!fingerprint.ok) {
				this.close(fingerprint.error.code);
				return;
			}
			this.#localFingerprint = fingerprint.value;
			this.#description = { kind: data.type, sdp: data.sdp };
			this.#options.onDescription(data.type, data.sdp, false);
			if (this.#gathered.length > 0) this.#sendGathered();
		} else if (data.type === "candidate") {
			this.#gathered.push(plainCandidate(data.candidate as RTCIceCandidateInit));
			this.#gathering ??= setTimeout(() => this.#sendGathered(), GATHER_MS);
		}
	}

	/** Nothing before the description. */
	#sendGathered(): void {
		clearTimeout(this.#gathering);
		this.#gathering = undefined;
		if (this.#localFingerprint === undefined) return;
		while (this.#gathered.length > 0) {
			const candidates = this.#gathered.splice(0, MAX_CANDIDATES);
			this.#sent.push(...candidates);
			this.#options.onCandidates(candidates);
		}
	}

	#onConnect(): void {
		if (this.#state !== "connecting") return;
		if (this.#localFingerprint === undefined || this.#remoteFingerprint === undefined) {
			this.close("sdp-no-fingerprint");
			return;
		}
		clearTimeout(this.#timer);
		clearInterval(this.#repeating);
		this.#state = "open";
		this.#options.onOpened(this.#localFingerprint, this.#remoteFingerprint);
		// Frames that came before this moment have waited in the stream, so none is handed on before `onOpened`.
		this.#peer?.on("data", (data) => this.#onData(data));
	}

	#onData(data: unknown): void {
		if (this.#state !== "open") return;
		if (!(data instanceof Uint8Array)) {
			this.close("frame-not-binary");
			return;
		}
		if (data.length > MAX_FRAME_BYTES) {
			this.close("frame-too-long");
			return;
		}
		// simple-peer hands out its own kind of Buffer.
		this.#options.onFrame(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
	}

	#onLost(): void {
		this.close(this.#state === "open" ? "connection-lost" : "connection-failed");
	}
}

/** One that the browser refuses would cost every connection, and the street its majority. */
export function isUsableIceServer(server: NetworkSettings["iceServers"][number]): boolean {
	try {
		new RTCPeerConnection({ iceServers: [forBrowser(server)] }).close();
		return true;
	} catch {
		return false;
	}
}

/** A browser takes a STUN server only without a user. */
function forBrowser({ urls, username, credential }: NetworkSettings["iceServers"][number]): RTCIceServer {
	return username === "" ? { urls } : { urls, username, credential };
}

function plainCandidate({ candidate = "", sdpMLineIndex = null, sdpMid = null }: RTCIceCandidateInit): Candidate {
	return { candidate, sdpMLineIndex, sdpMid };
}
