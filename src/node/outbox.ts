/** This household's own signed transactions, from the signature until they are in a committed block (or refused there). */
import * as v from "valibot";
import { timestampMs } from "../block/fieldShapes.js";
import type { ReadingTransaction } from "../block/kinds/metering.js";
import { isKeptVoters, type Transaction } from "../block/transaction.js";
import { decodeTransaction, encodeTransaction } from "../block/transactionCodec.js";
import { decodeRecord, encodeRecord, openRecord, sealRecord } from "./records.js";
import type { OwnTransactionView } from "./view.js";

/** Finished acts that the screens still show. */
const SHOWN_FINISHED = 20;
/**
 * Of a backlog only the oldest readings are with the neighbours at a time: everybody holds everybody's, and no more
 * than that gets into the next few blocks anyway.
 */
export const OFFERED_READINGS = 100;
/** Up to so many are offered at once: the last ones of a backlog are no few that would wait for the next minute's block. */
const OFFERED_AT_ONCE = 2 * OFFERED_READINGS;

export interface Pending {
	readonly id: string;
	readonly transaction: Transaction;
	/** Monotonic time of the last gossip; −1: never. */
	sentMs: number;
}

/** An act that was refused, as its record says it to the runs after this one. */
export interface RefusedAct {
	readonly id: string;
	readonly kind: string;
	readonly code: string;
	/** When it was signed. */
	readonly timestampMs: number;
}

interface PendingReading extends Pending {
	readonly transaction: ReadingTransaction;
}

export class Outbox {
	readonly #pending = new Map<string, Pending>();
	readonly #acts = new Map<string, Pending>();
	/** By minute ascending: the oldest go first. */
	readonly #readings: PendingReading[] = [];
	/** Confirmed, or refused so long ago that nobody is shown it any more, but still in the database. */
	#finished: string[] = [];
	/** Acts, newest first. Readings are only counted. */
	#shown: OwnTransactionView[] = [];

	get size(): number {
		return this.#pending.size;
	}

	all(): Iterable<Pending> {
		return this.#pending.values();
	}

	/** How many readings wait: a minute each. */
	get readings(): number {
		return this.#readings.length;
	}

	/** The first minute of which a reading waits. */
	get oldestMinute(): number | undefined {
		return this.#readings[0]?.transaction.minute;
	}

	/** What a block may take now: all acts, and the oldest readings. */
	offered(): Pending[] {
		return [...this.#acts.values(), ...this.#readings.slice(0, this.#offeredReadings)];
	}

	/** Readings that are not offered now count as told to nobody: while fewer waited more of them were offered. */
	untellLater(): void {
		for (const reading of this.#readings.slice(this.#offeredReadings)) reading.sentMs = -1;
	}

	get #offeredReadings(): number {
		return this.#readings.length > OFFERED_AT_ONCE ? OFFERED_READINGS : OFFERED_AT_ONCE;
	}

	/** Whether an act waits: its nonce is taken, the next one is signed after it. */
	get hasAct(): boolean {
		return [...this.#acts.values()].some(({ transaction }) => !isKeptVoters(transaction));
	}

	/** Whether a change of the voters waits that this device has signed by itself. */
	get hasKeptVoters(): boolean {
		return [...this.#acts.values()].some(({ transaction }) => isKeptVoters(transaction));
	}

	/** Whether a minute's reading waits. */
	hasReading(minute: number): boolean {
		return this.#readings[this.#placeOf(minute)]?.transaction.minute === minute;
	}

	/** Takes over what was written. */
	add(id: string, transaction: Transaction, timestampMs: number): void {
		if (transaction.kind === "reading") {
			const reading = { id, transaction, sentMs: -1 };
			this.#pending.set(id, reading);
			this.#readings.splice(this.#placeOf(transaction.minute), 0, reading);
			return;
		}
		const act = { id, transaction, sentMs: -1 };
		this.#pending.set(id, act);
		this.#acts.set(id, act);
		// Nobody has asked for it, and nobody is told.
		if (isKeptVoters(transaction)) return;
		const isShown = (own: OwnTransactionView, at: number) => at < SHOWN_FINISHED || this.#pending.has(own.id);
		const shown: OwnTransactionView[] = [{ id, kind: transaction.kind, state: "signed", timestampMs }, ...this.#shown];
		this.#shown = shown.filter(isShown);
		for (const [at, own] of shown.entries()) {
			if (isShown(own, at)) continue;
			this.#finished.push(own.id);
			if (own.state === "refused") this.#finished.push(refusalKeyOf(own.id));
		}
	}

	/** Takes over what earlier runs were refused. */
	restoreRefused(refused: readonly RefusedAct[]): void {
		const shown = refused.map((act): OwnTransactionView => ({ ...act, state: "refused" }));
		this.#shown = [...this.#shown, ...shown.sort((a, b) => b.timestampMs - a.timestampMs)];
	}

	sent(id: string, nowMs: number): void {
		const pending = this.#pending.get(id);
		if (pending === undefined) return;
		pending.sentMs = nowMs;
		if (pending.transaction.kind !== "reading")
			this.#show(id, (own) => (own.state === "signed" ? { ...own, state: "sent" } : own));
	}

	confirmed(id: string, blockIndex: number): void {
		this.#finished.push(id);
		this.#forget(id);
		this.#show(id, (own) => ({ ...own, state: "confirmed", blockIndex }));
	}

	/** The record that says of an act that it was refused; a reading has none, and is deleted. */
	refusalRecord(id: string, code: string): Uint8Array | undefined {
		const own = this.#shown.find((each) => each.id === id);
		return own === undefined ? undefined : sealRefusal(own, code);
	}

	/** Records of what was refused and is still shown: they go along into another database. */
	refusalRecords(): { id: string; transaction: Uint8Array }[] {
		return this.#shown.flatMap((own) => {
			if (own.state !== "refused" || own.code === undefined) return [];
			return [{ id: refusalKeyOf(own.id), transaction: sealRefusal(own, own.code) }];
		});
	}

	/** It was written that it is refused. */
	refused(id: string, code: string): void {
		this.#forget(id);
		this.#show(id, (own) => ({ ...own, state: "refused", code }));
	}

	#forget(id: string): void {
		const pending = this.#pending.get(id);
		if (pending === undefined) return;
		this.#pending.delete(id);
		this.#acts.delete(id);
		if (pending.transaction.kind !== "reading") return;
		const at = this.#readings.findIndex((reading) => reading.id === id);
		if (at >= 0) this.#readings.splice(at, 1);
	}

	/** Where the first reading of a minute or a later one is in the list. */
	#placeOf(minute: number): number {
		let from = 0;
		let until = this.#readings.length;
		while (from < until) {
			const middle = (from + until) >> 1;
			if ((this.#readings[middle]?.transaction.minute ?? 0) < minute) from = middle + 1;
			else until = middle;
		}
		return from;
	}

	/** Ids of what was finished since the last call: their records can be deleted. */
	takeFinished(): string[] {
		const finished = this.#finished;
		this.#finished = [];
		return finished;
	}

	has(id: string): boolean {
		return this.#pending.has(id);
	}

	#show(id: string, change: (own: OwnTransactionView) => OwnTransactionView): void {
		this.#shown = this.#shown.map((own) => (own.id === id ? change(own) : own));
	}

	shown(): OwnTransactionView[] {
		return this.#shown;
	}
}

/** The outbox record of a transaction. */
export function sealTransaction(transaction: Transaction): Uint8Array {
	return sealRecord(encodeTransaction(transaction));
}

/** Undefined: the record is damaged. */
export function openTransaction(record: Uint8Array): Transaction | undefined {
	const content = openRecord(record);
	if (!content.ok) return undefined;
	const transaction = decodeTransaction(content.value);
	return transaction.ok ? transaction.value : undefined;
}

const refusalShape = v.strictTuple([v.literal("refused"), v.string(), v.string(), timestampMs]);

const REFUSAL_PREFIX = "refused/";

/**
 * Under what key of the outbox it lies that an act was refused: beside the act. A record that is torn takes nothing with it
 * then, and the act is handed in, and refused, once more.
 */
export function refusalKeyOf(id: string): string {
	return REFUSAL_PREFIX + id;
}

/** The act that a key of the outbox is about. Earlier versions put the refusal in the act's own place. */
export function actOfKey(key: string): string {
	return key.startsWith(REFUSAL_PREFIX) ? key.slice(REFUSAL_PREFIX.length) : key;
}

function sealRefusal({ kind, timestampMs }: OwnTransactionView, code: string): Uint8Array {
	return encodeRecord(["refused", kind, code, timestampMs]);
}

/** An outbox record that says that an act was refused; undefined: it is none. */
export function openRefusal(id: string, record: Uint8Array): RefusedAct | undefined {
	const refusal = decodeRecord(record, refusalShape);
	if (!refusal.ok) return undefined;
	const [, kind, code, timestampMs] = refusal.value;
	return { id, kind, code, timestampMs };
}
