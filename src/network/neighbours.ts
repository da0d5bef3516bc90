/**
 * Who has been heard on the topic: one entry for each device, for the session that it is in now. Copies, replays and
 * what comes from sessions that are over are told apart here.
 */
import type { Candidate, Signal } from "../message/signal.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Link } from "./link.js";

/** Those that are not connected: ids can be invented. */
export const MAX_UNCONNECTED = 64;
/** A voter of a large street has so many at most. */
const MAX_NEIGHBOURS = 256;
/** A device that has not been heard for this long (four announcements) is gone. */
export const FORGET_MS = 120_000;
const MAX_RETIRED_SESSIONS = 8;

export interface Neighbour {
	readonly deviceId: string;
	session: string;
	/** Sessions of the same device that are over. */
	retired: string[];
	sequences: SequenceWindow;
	heardMs: number;
	/** The newest attempt to connect, made by whichever side starts. */
	attempt: number;
	/** Candidates of the attempt after that one: servers may hand them on before its offer. */
	early: Candidate[];
	/** When this device's newest offer was sent; absent: it was answered, or none was sent. */
	offeredMs?: number;
	/** When it last asked to be called, which it does while it has no channel to this device. */
	askedMs: number;
	/** It has nothing to tell: it takes no place among those that are sought. */
	isPassedOver: boolean;
	/** Connections in a row that failed or did not last. */
	failures: number;
	link?: Link;
	/** Waits to connect again. */
	retry?: ReturnType<typeof setTimeout>;
	/** Waits for an answer that may still come, to call again if none does. */
	recall?: ReturnType<typeof setTimeout>;
	/** Offers that come before this are too many. */
	acceptFromMs: number;
}

export type AdmissionError = {
	code: "signal-repeated" | "signal-old-session" | "signal-unknown-session" | "too-many-neighbours";
};

export class Neighbours {
	readonly #byDevice = new Map<string, Neighbour>();

	/**
	 * The entry of a signal's sender, made or moved to its new session where that is due. A neighbour whose session
	 * ended keeps its old link until the caller has closed it (`restarted`).
	 */
	admit(signal: Signal, nowMs: number): Result<{ neighbour: Neighbour; restarted: boolean }, AdmissionError> {
		const known = this.#byDevice.get(signal.from);
		if (known?.session === signal.session) {
			if (!known.sequences.accept(signal.sequence)) return refused({ code: "signal-repeated" });
			known.heardMs = nowMs;
			return ok({ neighbour: known, restarted: false });
		}
		if (known?.retired.includes(signal.session)) return refused({ code: "signal-old-session" });
		// Only these two begin something; the rest answers what a session that is over has sent.
		if (signal.kind !== "announce" && signal.kind !== "offer") return refused({ code: "signal-unknown-session" });
		if (known === undefined && !this.#makeRoom()) return refused({ code: "too-many-neighbours" });
		const neighbour = known ?? newNeighbour(signal.from);
		if (known !== undefined) known.retired = [known.session, ...known.retired].slice(0, MAX_RETIRED_SESSIONS);
		neighbour.session = signal.session;
		neighbour.sequences = new SequenceWindow();
		neighbour.sequences.accept(signal.sequence);
		neighbour.heardMs = nowMs;
		neighbour.attempt = 0;
		neighbour.early = [];
		neighbour.askedMs = Number.NEGATIVE_INFINITY;
		neighbour.isPassedOver = false;
		delete neighbour.offeredMs;
		neighbour.failures = 0;
		neighbour.acceptFromMs = nowMs;
		this.#byDevice.set(signal.from, neighbour);
		return ok({ neighbour, restarted: known !== undefined });
	}

	forget(neighbour: Neighbour): void {
		clearTimeout(neighbour.retry);
		clearTimeout(neighbour.recall);
		const { link } = neighbour;
		// Taken off first, so that its end is no reason to connect again.
		delete neighbour.link;
		link?.close("peer-forgotten");
		this.#byDevice.delete(neighbour.deviceId);
	}

	/** Forgets who has neither a link nor been heard for long. */
	prune(nowMs: number): void {
		for (const neighbour of this.#byDevice.values()) {
			if (neighbour.link === undefined && nowMs - neighbour.heardMs > FORGET_MS) this.forget(neighbour);
		}
	}

	find(deviceId: string): Neighbour | undefined {
		return this.#byDevice.get(deviceId);
	}

	all(): Neighbour[] {
		return [...this.#byDevice.values()];
	}

	/** Whether there is room for one more: of those not connected, who failed most or was heard longest ago gives way. */
	#makeRoom(): boolean {
		const unconnected = this.all().filter(({ link }) => link?.state !== "open");
		if (unconnected.length < MAX_UNCONNECTED && this.#byDevice.size < MAX_NEIGHBOURS) return true;
		const [last] = unconnected.sort((a, b) => b.failures - a.failures || a.heardMs - b.heardMs);
		if (last === undefined) return false;
		this.forget(last);
		return true;
	}
}

/** Accepts each number once. Numbers far behind the highest are taken for old without remembering them. */
export class SequenceWindow {
	static readonly #SIZE = 256;
	readonly #seen = new Set<number>();
	#highest = -1;

	accept(sequence: number): boolean {
		if (sequence <= this.#highest - SequenceWindow.#SIZE || this.#seen.has(sequence)) return false;
		this.#seen.add(sequence);
		if (sequence > this.#highest) {
			this.#highest = sequence;
			for (const old of this.#seen) if (old <= sequence - SequenceWindow.#SIZE) this.#seen.delete(old);
		}
		return true;
	}
}

function newNeighbour(deviceId: string): Neighbour {
	return {
		deviceId,
		session: "",
		retired: [],
		sequences: new SequenceWindow(),
		heardMs: 0,
		attempt: 0,
		early: [],
		askedMs: Number.NEGATIVE_INFINITY,
		isPassedOver: false,
		failures: 0,
		acceptFromMs: 0,
	};
}
