/**
 * What this device says and hears through the signaling servers, sealed (AES-256-GCM) with keys that only members and
 * holders of a link have, and signed by the device that says it. A server sees texts of one length under names that
 * change every hour, though it can follow a socket from one hour to the next; it can drop them, late or out of order hand
 * them on, and do nothing else with them.
 *
 * Everybody announces itself under the neighbourhood's name of the hour, its hub; what is for one device goes out under
 * that device's own name of the hour, so that nobody else has to receive it. All are derived from the network key. Two
 * devices whose clocks are more than two minutes apart do not hear each other.
 *
 * The key changes when a household has moved out. Everybody speaks under the newest that they know, and listens under a few
 * older ones: a device that was away is heard, and answered under the key that it knows. Others are so for a while only.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { IceServer } from "../block/iceServer.js";
import type { KeySalt } from "../contract/ledger.js";
import { decodeSignal, encodeSignal, type Signal, type SignalError, signedBytes } from "../message/signal.js";
import {
	MAX_SIGNAL_BYTES,
	PADDED_SIGNAL_BYTES,
	SEALED_SIGNAL_LENGTH,
	SIGNAL_LENGTH_BYTES,
} from "../message/signalLimits.js";
import { fromBase64Url, toBase64Url } from "../primitives/base64.js";
import { fromHex, joinBytes, toHex } from "../primitives/bytes.js";
import { encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { SEAL_NONCE_BYTES, seal, unseal } from "../primitives/sealing.js";
import { divideFloor } from "../primitives/units.js";
import type { ConnectTo } from "./channelPlan.js";
import { ClockComparison } from "./clockComparison.js";
import type { NodeDependencies } from "./dependencies.js";
import type { Incidents } from "./incidents.js";
import { type HeardKey, networkKeys, OLD_LINK_MS } from "./networkKeys.js";
import type { SignalDraft } from "./protocol.js";
import type { MeshKeys } from "./records.js";

const MS_PER_HOUR = 3_600_000;
/** What is older, or is said to come from so far ahead, may be a replay. */
export const MAX_SIGNAL_AGE_MS = 120_000;
/** Heard within the age limit in a street of 30 that comes together at once, with copies from two servers, and more. */
const MAX_REMEMBERED = 16_384;
/** Devices of which it is remembered under which key they were heard. */
const MAX_HEARD_DEVICES = 4_096;

const hashSignal = taggedHash("signal");
const hashMesh = taggedHash("mesh");

type SignalingDependencies = Pick<
	NodeDependencies,
	"clocks" | "signer" | "verifier" | "randomBytes" | "settings" | "emit"
>;

export type SignalRefusal =
	| SignalError
	| { code: "signal-not-sealed" | "signal-not-for-here" | "signal-too-old" | "signal-bad-signature" }
	/** By somebody who is not known here, so long after the key was changed. */
	| { code: "signal-under-old-key" };

/** What leads to the neighbours, and what a street's chain says about it; a lobby has none. */
export interface Mesh extends MeshKeys {
	/** What was mixed into the network key. */
	keySalts?: readonly KeySalt[];
	/** Whether the chain knows this device (in hex), and it is in use. */
	isInUse?: (deviceId: string) => boolean;
}

interface Identity extends Required<Mesh> {
	/** Newest first. */
	heardKeys: readonly [HeardKey, ...HeardKey[]];
	/** What is spoken about: a lobby, or a chain. */
	context: Uint8Array;
	deviceSecret: Uint8Array;
	/** In hex. */
	deviceId: string;
	connectTo: ConnectTo;
}

export class Signaling {
	readonly #dependencies: SignalingDependencies;
	readonly #incidents: Pick<Incidents, "refused">;
	#identity: Identity | undefined;
	/** The hour that the topics are of. */
	#hour = -1;
	/** What is listened to: the key that each is sealed with, and the network key that this is of. */
	#keys = new Map<string, { seal: Uint8Array; heardKey: HeardKey }>();
	/** Generation of the network key under which each device was last heard, in the order in which they first were. */
	readonly #heardUnder = new Map<string, number>();
	/** Nonces of what was said and heard, oldest first: copies come from each server, and one's own words come back. */
	readonly #nonces = new Set<string>();
	readonly #clocks = new ClockComparison();

	constructor(dependencies: SignalingDependencies, incidents: Pick<Incidents, "refused">) {
		this.#dependencies = dependencies;
		this.#incidents = incidents;
	}

	/** From now on this device is in the mesh of these keys, and speaks about `context`: a lobby, or a chain. */
	speakAs(mesh: Mesh, context: Uint8Array, deviceSecret: Uint8Array, connectTo: ConnectTo): void {
		const { networkKey, keyGeneration, signalingUrls, iceServers, keySalts = [], isInUse = () => false } = mesh;
		const deviceId = toHex(this.#dependencies.signer.publicKeyOf(deviceSecret));
		const said = { networkKey, keyGeneration, signalingUrls, iceServers, keySalts, isInUse };
		const heardKeys = networkKeys(mesh, keySalts);
		this.#identity = { ...said, heardKeys, context, deviceSecret, deviceId, connectTo };
		this.#heardUnder.clear();
		this.#enterHour(this.#identity);
	}

	/** So much was mixed into the network key. Channels stay: who is at their ends was proven. */
	changeKey(keySalts: readonly KeySalt[]): void {
		if (this.#identity === undefined || this.#identity.keySalts === keySalts) return;
		this.#identity.keySalts = keySalts;
		this.#identity.heardKeys = networkKeys(this.#identity, keySalts);
		this.#enterHour(this.#identity);
	}

	/** Neighbours that cannot be seen are reached through these from now on. */
	reachThrough(iceServers: readonly IceServer[]): void {
		if (this.#identity === undefined || this.#identity.iceServers === iceServers) return;
		this.#identity.iceServers = iceServers;
		this.#enterHour(this.#identity);
	}

	/** Whom this device calls from now on. */
	connectTo(connectTo: ConnectTo): void {
		if (this.#identity === undefined || isSame(this.#identity.connectTo, connectTo)) return;
		this.#identity.connectTo = connectTo;
		this.#enterHour(this.#identity);
	}

	/** In no mesh any more. */
	leave(): void {
		this.#identity = undefined;
		this.#keys = new Map();
		this.#dependencies.emit({ type: "network" });
	}

	/** Time passed: every hour has its own topics. */
	tick(): void {
		if (this.#identity !== undefined && this.#hour !== this.#hourNow()) this.#enterHour(this.#identity);
	}

	/** Signs and seals what the mesh wants to say, for all servers to publish. */
	say(draft: SignalDraft): void {
		const identity = this.#identity;
		if (identity === undefined) return;
		const { context, deviceId, deviceSecret } = identity;
		const signed = signedBytes({ ...draft, from: deviceId }, context, this.#nowMs());
		const content = encodeSignal(signed, this.#dependencies.signer.sign(hashSignal(signed), deviceSecret));
		if (content.length > MAX_SIGNAL_BYTES) {
			this.#incidents.refused("signal-too-long");
			return;
		}
		const padded = new Uint8Array(PADDED_SIGNAL_BYTES);
		new DataView(padded.buffer).setUint16(0, content.length);
		padded.set(content, SIGNAL_LENGTH_BYTES);
		const hour = this.#hourNow();
		const networkKey = this.#keyFor(identity, draft.to?.deviceId);
		const topic = draft.to === undefined ? hubTopic(networkKey, hour) : ownTopic(networkKey, hour, draft.to.deviceId);
		const nonce = this.#dependencies.randomBytes(SEAL_NONCE_BYTES);
		this.#remember(nonce);
		const sealed = joinBytes([nonce, seal(sealKey(networkKey, hour), nonce, encode(topic), padded)]);
		this.#dependencies.emit({ type: "sealedSignal", topic, sealed: toBase64Url(sealed) });
	}

	/** The newest, but for a device that was last heard under an older one: it may not know of any newer. */
	#keyFor({ heardKeys }: Identity, deviceId: string | undefined): Uint8Array {
		const generation = deviceId === undefined ? undefined : this.#heardUnder.get(deviceId);
		return (heardKeys.find(({ keyGeneration }) => keyGeneration === generation) ?? heardKeys[0]).networkKey;
	}

	/** What a server handed on, which may be any text. Copies, and one's own words, say nothing. */
	hear(topic: string, sealed: string): void {
		const signal = this.#open(topic, sealed);
		if (signal === undefined) return;
		if (signal.ok) this.#dependencies.emit({ type: "signal", signal: signal.value });
		else this.#incidents.refused(signal.error.code);
	}

	#open(topic: string, sealed: string): Result<Signal, SignalRefusal> | undefined {
		const identity = this.#identity;
		const key = this.#keys.get(topic);
		// What was subscribed to a moment ago.
		if (identity === undefined || key === undefined) return undefined;
		const bytes = sealed.length === SEALED_SIGNAL_LENGTH ? fromBase64Url(sealed) : undefined;
		if (bytes === undefined) return refused({ code: "signal-not-sealed" });
		const nonce = bytes.subarray(0, SEAL_NONCE_BYTES);
		if (this.#nonces.has(toHex(nonce))) return undefined;
		// A text that is moved to another topic is not opened there.
		const padded = unseal(key.seal, nonce, encode(topic), bytes.subarray(SEAL_NONCE_BYTES));
		if (padded === undefined) return refused({ code: "signal-not-sealed" });
		this.#remember(nonce);
		const length = new DataView(padded.buffer, padded.byteOffset).getUint16(0);
		const decoded = decodeSignal(padded.subarray(SIGNAL_LENGTH_BYTES, SIGNAL_LENGTH_BYTES + length));
		if (!decoded.ok) return decoded;
		// What is spoken about is not compared: a lobby, its chain and the chain after it share the key, and who has gone over
		// is looked for by who has not. The handshake compares it.
		const { signal, timestampMs, signed, signature } = decoded.value;
		if (signal.to !== undefined && signal.to.deviceId !== identity.deviceId) {
			return refused({ code: "signal-not-for-here" });
		}
		const author = fromHex(signal.from);
		const isSigned = author.ok && this.#dependencies.verifier.verify(signature, hashSignal(signed), author.value);
		if (!isSigned) return refused({ code: "signal-bad-signature" });
		if (this.#isShutOut(identity, signal.from, key.heardKey)) return refused({ code: "signal-under-old-key" });
		const offsetMs = this.#nowMs() - timestampMs;
		this.#clocks.heard(signal.from, offsetMs, this.#dependencies.clocks.monotonicMs());
		if (Math.abs(offsetMs) > this.#scaled(MAX_SIGNAL_AGE_MS)) return refused({ code: "signal-too-old" });
		this.#rememberKey(signal.from, key.heardKey);
		return ok(signal);
	}

	/** Whoever moved out knows the older keys as well: after a while only devices in use are heard under them. */
	#isShutOut({ isInUse }: Identity, deviceId: string, { replacedMs }: HeardKey): boolean {
		if (replacedMs === undefined || isInUse(deviceId)) return false;
		return this.#nowMs() - replacedMs > this.#scaled(OLD_LINK_MS);
	}

	#rememberKey(deviceId: string, { keyGeneration }: HeardKey): void {
		this.#heardUnder.set(deviceId, keyGeneration);
		if (this.#heardUnder.size > MAX_HEARD_DEVICES) forgetFirst(this.#heardUnder);
	}

	/**
	 * By how much this device's clock is ahead of the neighbours' (negative: behind), where it is too far for them to hear
	 * one another; undefined: it is not, or nobody is heard. In the world's time.
	 */
	get clockOffMs(): number | undefined {
		const offMs = this.#clocks.offMs(this.#scaled(MAX_SIGNAL_AGE_MS), this.#dependencies.clocks.monotonicMs());
		return offMs === undefined ? undefined : Math.trunc(offMs / this.#scaled(1));
	}

	#remember(nonce: Uint8Array): void {
		this.#nonces.add(toHex(nonce));
		if (this.#nonces.size > MAX_REMEMBERED) forgetFirst(this.#nonces);
	}

	/** Those of this hour, and of the hours beside it: clocks differ. */
	#enterHour({ networkKey, heardKeys, signalingUrls, iceServers, deviceId, connectTo }: Identity): void {
		this.#hour = this.#hourNow();
		this.#keys = new Map();
		for (const heardKey of heardKeys) {
			for (const hour of [this.#hour, this.#hour - 1, this.#hour + 1]) {
				const key = { seal: sealKey(heardKey.networkKey, hour), heardKey };
				this.#keys.set(hubTopic(heardKey.networkKey, hour), key);
				this.#keys.set(ownTopic(heardKey.networkKey, hour, deviceId), key);
			}
		}
		// Of the key that this device came in with: it is in the same mesh when that was changed.
		const meshId = toHex(hashMesh(networkKey));
		const network = { signalingUrls, meshId, topics: [...this.#keys.keys()], deviceId, iceServers, connectTo };
		this.#dependencies.emit({ type: "network", network });
	}

	#nowMs(): number {
		return this.#dependencies.clocks.chainMs();
	}

	#hourNow(): number {
		return divideFloor(this.#nowMs(), this.#scaled(MS_PER_HOUR));
	}

	/** The chain's time may run faster than the servers'. */
	#scaled(durationMs: number): number {
		return durationMs * this.#dependencies.settings.founding.timeScale;
	}
}

/** The one that has been there the longest. */
function forgetFirst(remembered: Set<string> | Map<string, unknown>): void {
	for (const first of remembered.keys()) {
		remembered.delete(first);
		return;
	}
}

function isSame(a: ConnectTo, b: ConnectTo): boolean {
	if (typeof a === "string" || typeof b === "string") return a === b;
	return a.length === b.length && a.every((device, at) => device === b[at]);
}

function hubTopic(networkKey: Uint8Array, hour: number): string {
	return toHex(derived(networkKey, ["hub", hour]));
}

function ownTopic(networkKey: Uint8Array, hour: number, deviceId: string): string {
	return toHex(derived(networkKey, ["device", hour, deviceId]));
}

function sealKey(networkKey: Uint8Array, hour: number): Uint8Array {
	return derived(networkKey, ["seal", hour]);
}

/** HMAC-SHA256 under the network key: what it is for, and the hour. */
function derived(networkKey: Uint8Array, purpose: readonly (string | number)[]): Uint8Array {
	return hmac(sha256, networkKey, encode(["nabostrom/v1/signaling", ...purpose]));
}
