/**
 * How the neighbours' devices behave. Each may say so much and ask for so much; what is beyond that is not heard. A device
 * that says what no correct one says loses its channel; after some of that within an hour it is kept out for a while,
 * longer each time. This is remembered for devices, not for channels, and forgotten with the run: a device is mended,
 * and comes back.
 */
import { TokenBucket } from "../primitives/tokenBucket.js";

/** What a device spends. Bursts up to `capacity`, `perSecond` on average. */
const ALLOWANCES = {
	/** A street of 100 that comes back from an outage sends blocks of 200 kB one after the other. */
	bytes: { capacity: 32 * 1_024 * 1_024, perSecond: 4 * 1_024 * 1_024 },
	/** What piled up while this tab slept for minutes, and 4 MB/s in parts of 16 kB. */
	frames: { capacity: 4_000, perSecond: 256 },
	/** Answered by reading blocks from the disk, 128 kB each: who catches up asks one neighbour as fast as 6 MB/s. */
	requests: { capacity: 400, perSecond: 50 },
	/** Looked up, judged and mostly verified each. A device offers 200 at once, and may hand on what some others offer. */
	transactions: { capacity: 1_000, perSecond: 100 },
	/**
	 * Verified for nothing: who hands a transaction on has verified it. Some come from who does not know yet that its
	 * device was replaced, and tells what waits there again every ten seconds.
	 */
	badSignatures: { capacity: 20, perSecond: 1 },
	/** Not looked at, because of the two above; and those the mempool has no room for. */
	ignoredTransactions: { capacity: 2_000, perSecond: 100 },
	/** Households' bank accounts, each verified and written: a large street's at once where two operators meet, few later. */
	accounts: { capacity: 1_000, perSecond: 1 },
} as const;

export type Allowance = keyof typeof ALLOWANCES;

/** So many within an hour, and it is kept out. */
const STRIKES = 3;
const STRIKES_WITHIN_MS = 3_600_000;
const FIRST_TIME_OUT_MS = 60_000;
const LONGEST_TIME_OUT_MS = 24 * 3_600_000;
/** After so long without being kept out it begins anew with a short time. */
const FORGIVEN_AFTER_MS = 48 * 3_600_000;
/** A frame of an answer that is expected counts for so much at least: it costs something even if nothing is in it. */
const MIN_FRAME_BYTES = 4_096;
/** Some answers of the longest kind. */
const MAX_EXPECTED_BYTES = 8 * 1_024 * 1_024;
/** Devices whose conduct is remembered: more than a street has, and an end for who invents keys. */
const MAX_DEVICES = 1_000;

/** What a correct device does not do either, but not out of malice: it is old, elsewhere, asleep, or was replaced. */
const INNOCENT: ReadonlySet<string> = new Set([
	...["silent", "own-device", "other-version", "other-neighbourhood", "foreign-genesis"],
	...["abandoned", "device-changed", "started-again", "kept-out", "not-authenticated", "too-many-strangers"],
]);

interface Remembered {
	buckets: Map<Allowance, TokenBucket>;
	/** Of answers that were asked for. */
	expectedBytes: number;
	/** When it last did what no correct device does, newest last. */
	strikesMs: number[];
	/** By code, in this run. */
	codes: Map<string, number>;
	timeOuts: number;
	keptOutUntilMs: number;
}

export interface ConductView {
	/** What it did, by code. */
	codes: { [code: string]: number };
	/** For how much longer it is kept out, ms; 0: it is not. */
	keptOutMs: number;
}

export class Conduct {
	/** By device, the one noted longest ago first. */
	readonly #records = new Map<string, Remembered>();

	/** A device sends a frame; false: it may not. */
	takes(device: string, bytes: number, nowMs: number): boolean {
		const remembered = this.#of(device);
		const cost = Math.max(bytes, MIN_FRAME_BYTES);
		if (remembered.expectedBytes >= cost) {
			remembered.expectedBytes -= cost;
			return true;
		}
		return this.spend(device, "frames", 1, nowMs) && this.spend(device, "bytes", bytes, nowMs);
	}

	/** Spends of a device's allowance; false: there is not so much. */
	spend(device: string, allowance: Allowance, count: number, nowMs: number): boolean {
		return this.#bucketOf(device, allowance, nowMs).take(count, nowMs);
	}

	/** Whether anything is left of a device's allowance. */
	has(device: string, allowance: Allowance, nowMs: number): boolean {
		return this.#bucketOf(device, allowance, nowMs).has(1, nowMs);
	}

	#bucketOf(device: string, allowance: Allowance, nowMs: number): TokenBucket {
		const { buckets } = this.#of(device);
		let bucket = buckets.get(allowance);
		if (bucket === undefined) {
			bucket = new TokenBucket(ALLOWANCES[allowance].capacity, ALLOWANCES[allowance].perSecond, nowMs);
			buckets.set(allowance, bucket);
		}
		return bucket;
	}

	/** It was asked for something: so much of what it sends is not held against it. */
	expect(device: string, bytes: number): void {
		const remembered = this.#of(device);
		remembered.expectedBytes = Math.min(remembered.expectedBytes + bytes, MAX_EXPECTED_BYTES);
	}

	/** A device lost its channel for this. */
	note(device: string, code: string, nowMs: number): void {
		if (INNOCENT.has(code)) return;
		const record = this.#of(device);
		record.codes.set(code, (record.codes.get(code) ?? 0) + 1);
		if (nowMs - record.keptOutUntilMs > FORGIVEN_AFTER_MS) record.timeOuts = 0;
		record.strikesMs = [...record.strikesMs.filter((atMs) => atMs > nowMs - STRIKES_WITHIN_MS), nowMs];
		if (record.strikesMs.length < STRIKES) return;
		record.strikesMs = [];
		record.keptOutUntilMs = nowMs + Math.min(FIRST_TIME_OUT_MS * 2 ** record.timeOuts, LONGEST_TIME_OUT_MS);
		record.timeOuts += 1;
	}

	isKeptOut(device: string, nowMs: number): boolean {
		return (this.#records.get(device)?.keptOutUntilMs ?? 0) > nowMs;
	}

	/** For the operator; undefined: nothing to say. */
	viewOf(device: string, nowMs: number): ConductView | undefined {
		const record = this.#records.get(device);
		if (record === undefined || record.codes.size === 0) return undefined;
		return { codes: Object.fromEntries(record.codes), keptOutMs: Math.max(0, record.keptOutUntilMs - nowMs) };
	}

	#of(device: string): Remembered {
		const known = this.#records.get(device);
		if (known !== undefined) return known;
		if (this.#records.size >= MAX_DEVICES) this.#forgetOne();
		const record = {
			...{ buckets: new Map(), expectedBytes: 0, strikesMs: [], codes: new Map() },
			...{ timeOuts: 0, keptOutUntilMs: 0 },
		};
		this.#records.set(device, record);
		return record;
	}

	/** Whoever did nothing wrong; if there is nobody like that, who is remembered longest. */
	#forgetOne(): void {
		for (const [device, { codes }] of this.#records) {
			if (codes.size > 0) continue;
			this.#records.delete(device);
			return;
		}
		for (const device of this.#records.keys()) {
			this.#records.delete(device);
			return;
		}
	}
}
