/**
 * The mesh: channels between houses under one topic. Each frame has a delay of its own; links can be cut in one
 * direction; a channel's end can be open while the other one is gone. Normally a channel keeps its order and loses
 * nothing, as WebRTC's do; the weather decides whether today is normal.
 */
import { taggedHash } from "../../src/primitives/hash.js";
import type { House } from "./house.js";
import { Random } from "./random.js";
import type { Trace } from "./trace.js";
import { peekType, TYPE_NUMBERS } from "./wire.js";

const hashFingerprint = taggedHash("simulated fingerprint");

/** WebRTC notices a lost peer. */
const NOTICE_MS = 16_000;
/** The mesh tries a closed channel again. */
const RECONNECT_MS = 1_000;
/** Who knows nobody yet connects to so many. */
const SOMEBODY = 6;

export interface End {
	readonly house: House;
	readonly run: number;
	readonly name: string;
	readonly initiator: boolean;
	readonly delays: Random;
	other: End;
	isOpen: boolean;
	/** When the newest frame towards this end arrives. */
	lastArrivalMs: number;
}

/** What the weather does to frames now. */
export interface Weather {
	lossRate: number;
	duplicationRate: number;
	duplicationMs: number;
	reorderingRate: number;
	reorderingMs: number;
	/** On top of each frame's own. */
	delayMs: number;
	/** The same, of votes and acknowledgements alone. */
	lateRepliesMs: number;
}

const FAIR: Readonly<Weather> = {
	lossRate: 0,
	duplicationRate: 0,
	duplicationMs: 0,
	reorderingRate: 0,
	reorderingMs: 0,
	delayMs: 0,
	lateRepliesMs: 0,
};

export interface NetworkEvents {
	nowMs(): number;
	plan(atMs: number, happen: () => void | Promise<void>): void;
	/** Hands something to a house. */
	arrive(house: House, input: Parameters<House["feed"]>[0]): Promise<void>;
	count(kind: string): void;
}

export class Network {
	readonly weather: Weather = { ...FAIR };
	readonly #ends = new Map<string, End>();
	/** By house: its channels by the other's index. */
	readonly #byHouse = new Map<House, Map<House, End>>();
	/** How many faults cut a direction. */
	readonly #cuts = new Map<number, number>();
	readonly #notBeforeMs = new Map<number, number>();
	readonly #seed: number;
	readonly #events: NetworkEvents;
	readonly #trace: Trace;
	#opened = 0;

	constructor(seed: number, events: NetworkEvents, trace: Trace) {
		this.#seed = seed;
		this.#events = events;
		this.#trace = trace;
	}

	// ── links ────────────────────────────────────────────────────────────────────────────────────────────────────

	/** Cuts one direction; cuts add up. */
	cut(from: House, to: House): void {
		const key = keyOf(from, to);
		this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + 1);
	}

	mend(from: House, to: House): void {
		const key = keyOf(from, to);
		const left = (this.#cuts.get(key) ?? 0) - 1;
		if (left > 0) this.#cuts.set(key, left);
		else this.#cuts.delete(key);
	}

	isCut(from: House, to: House): boolean {
		return this.#cuts.has(keyOf(from, to));
	}

	/** Everything works. */
	heal(): void {
		this.#cuts.clear();
		this.#notBeforeMs.clear();
		Object.assign(this.weather, FAIR);
	}

	// ── channels ─────────────────────────────────────────────────────────────────────────────────────────────────

	end(name: string): End | undefined {
		return this.#ends.get(name);
	}

	endsOf(house: House): End[] {
		return [...(this.#byHouse.get(house)?.values() ?? [])];
	}

	/** Houses under one topic find one another. */
	async meet(houses: readonly House[]): Promise<void> {
		const nowMs = this.#events.nowMs();
		const present = houses.filter((house) => house.isUp && house.topic !== undefined && !house.isFrozen);
		for (const [at, a] of present.entries()) {
			for (const b of present.slice(at + 1)) {
				if (a.topic !== b.topic || this.isCut(a, b) || this.isCut(b, a)) continue;
				if (this.#byHouse.get(a)?.has(b) || this.#byHouse.get(b)?.has(a)) continue;
				if (nowMs < (this.#notBeforeMs.get(keyOf(a, b)) ?? 0)) continue;
				if (!this.#wants(a, b) && !this.#wants(b, a)) continue;
				await this.#open(a, b);
			}
		}
	}

	#wants(house: House, other: House): boolean {
		const { connectTo = "everybody" } = house.network ?? {};
		if (connectTo === "everybody") return true;
		if (connectTo === "somebody") return (this.#byHouse.get(house)?.size ?? 0) < SOMEBODY;
		return connectTo.includes(other.network?.deviceId ?? "");
	}

	async #open(a: House, b: House): Promise<void> {
		const id = this.#opened++;
		const [one, two] = [this.#createEnd(a, id, true), this.#createEnd(b, id, false)];
		one.other = two;
		two.other = one;
		for (const end of [one, two]) {
			this.#ends.set(end.name, end);
			let channels = this.#byHouse.get(end.house);
			if (channels === undefined) {
				channels = new Map();
				this.#byHouse.set(end.house, channels);
			}
			channels.set(end.other.house, end);
		}
		for (const end of [one, two]) {
			const { house, name, initiator, other } = end;
			await this.#events.arrive(house, {
				type: "peerOpened",
				channel: name,
				localFingerprint: hashFingerprint(Uint8Array.of(house.index)),
				remoteFingerprint: hashFingerprint(Uint8Array.of(other.house.index)),
				initiator,
			});
		}
	}

	#createEnd(house: House, id: number, initiator: boolean): End {
		const name = `${house.index}#${id}`;
		const delays = new Random(this.#seed, `delays ${name}`);
		const end = { house, run: house.run, name, initiator, delays, isOpen: true, lastArrivalMs: 0 };
		return Object.assign(end, { other: end as unknown as End });
	}

	/** One side closes; the other hears of it, at once or when WebRTC notices. */
	close(end: End, isHeard: boolean): void {
		if (!end.isOpen) return;
		this.#forget(end);
		const { other } = end;
		const nowMs = this.#events.nowMs();
		const soon = isHeard && !this.isCut(end.house, other.house);
		const atMs = nowMs + (soon ? 1 + end.delays.below(30) : NOTICE_MS);
		this.#notBeforeMs.set(keyOf(end.house, other.house), nowMs + RECONNECT_MS);
		this.#notBeforeMs.set(keyOf(other.house, end.house), nowMs + RECONNECT_MS);
		this.#events.plan(atMs, () => this.#lost(other));
	}

	#lost(end: End): Promise<void> | void {
		if (!end.isOpen) return;
		this.#forget(end);
		if (end.house.isUp && end.house.run === end.run) {
			return this.#events.arrive(end.house, { type: "peerClosed", channel: end.name });
		}
	}

	/** Both ends hear that the channel broke. */
	async breakChannel(end: End): Promise<void> {
		await this.#lost(end);
		await this.#lost(end.other);
	}

	#forget(end: End): void {
		end.isOpen = false;
		this.#ends.delete(end.name);
		const channels = this.#byHouse.get(end.house);
		if (channels?.get(end.other.house) === end) channels.delete(end.other.house);
	}

	// ── frames ───────────────────────────────────────────────────────────────────────────────────────────────────

	/** A frame leaves; `afterMs`: its sender was so long about it. */
	send(from: End, frame: Uint8Array, afterMs: number): void {
		const { delays, other: to } = from;
		const { lossRate, duplicationRate, duplicationMs, reorderingRate, reorderingMs } = this.weather;
		const { delayMs, lateRepliesMs } = this.weather;
		if (this.isCut(from.house, to.house)) {
			this.#lose(to, frame);
			return;
		}
		if (lossRate > 0 && delays.happens(lossRate)) {
			this.#events.count("frame lost");
			this.#lose(to, frame);
			return;
		}
		const ownMs = 1 + delays.below(20) + (delayMs > 0 ? delays.below(delayMs) : 0);
		let atMs = this.#events.nowMs() + afterMs + ownMs;
		const isLate = lateRepliesMs > 0 && isReply(frame);
		if (isLate) atMs += lateRepliesMs;
		else if (reorderingRate > 0 && !isFirstWord(frame) && delays.happens(reorderingRate)) {
			this.#events.count("frame overtaken");
			atMs += delays.below(reorderingMs);
		} else {
			atMs = Math.max(atMs, to.lastArrivalMs);
			to.lastArrivalMs = atMs;
		}
		this.#events.plan(atMs, () => this.#deliver(to, frame));
		if (duplicationRate > 0 && delays.happens(duplicationRate)) {
			this.#events.count("frame twice");
			this.#events.plan(atMs + delays.below(duplicationMs), () => this.#deliver(to, frame));
		}
	}

	/**
	 * A frame gets lost. A real channel delivers everything in order, or breaks. Raft has to stand more than that; but
	 * nothing repeats the first words of a channel, so one that lost them breaks.
	 */
	#lose(to: End, frame: Uint8Array): void {
		if (isFirstWord(frame)) this.#events.plan(this.#events.nowMs(), () => this.breakChannel(to));
	}

	#deliver(to: End, frame: Uint8Array): Promise<void> | void {
		const { house } = to;
		if (!to.isOpen || !house.isUp || house.run !== to.run) return;
		// Cut while it was on its way.
		if (this.isCut(to.other.house, house) || (house.isFrozen && house.dropsWhileFrozen)) {
			this.#lose(to, frame);
			return;
		}
		this.#trace.mix(house.index);
		this.#trace.mixBytes(frame);
		return this.#events.arrive(house, { type: "peerFrame", channel: to.name, frame });
	}
}

function keyOf(from: House, to: House): number {
	return from.index * 4_096 + to.index;
}

/** Handshake, proof and hello. */
function isFirstWord(frame: Uint8Array): boolean {
	return (peekType(frame) ?? TYPE_NUMBERS.status) < TYPE_NUMBERS.status;
}

/** What a voter says after it has written. */
function isReply(frame: Uint8Array): boolean {
	const type = peekType(frame);
	return type === TYPE_NUMBERS.voteReply || type === TYPE_NUMBERS.appendReply;
}
