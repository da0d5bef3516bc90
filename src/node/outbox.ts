/** This household's own signed transactions, from the signature until they are in a committed block (or refused there). */
import type { Transaction } from "../block/transaction.js";
import { decodeTransaction, encodeTransaction } from "../block/transactionCodec.js";
import type { OwnTransactionView } from "./protocol.js";
import { openRecord, sealRecord } from "./records.js";

/** Finished acts that the screens still show. */
const SHOWN_FINISHED = 20;

export interface Pending {
	readonly id: string;
	readonly transaction: Transaction;
	/** Monotonic time of the last gossip; −1: never. */
	sentMs: number;
}

export class Outbox {
	readonly #pending = new Map<string, Pending>();
	/** Confirmed or refused, but still in the database. */
	#finished: string[] = [];
	/** Acts, newest first. Readings are only counted. */
	#shown: OwnTransactionView[] = [];

	get size(): number {
		return this.#pending.size;
	}

	all(): Iterable<Pending> {
		return this.#pending.values();
	}

	/** Whether an act waits: its nonce is taken, the next one is signed after it. */
	get hasAct(): boolean {
		for (const { transaction } of this.#pending.values()) if (transaction.kind !== "reading") return true;
		return false;
	}

	/** Takes over what was written. */
	add(id: string, transaction: Transaction, timestampMs: number): void {
		this.#pending.set(id, { id, transaction, sentMs: -1 });
		if (transaction.kind === "reading") return;
		this.#shown.unshift({ id, kind: transaction.kind, state: "signed", timestampMs });
		this.#shown = this.#shown.filter((own, at) => at < SHOWN_FINISHED || this.#pending.has(own.id));
	}

	sent(id: string, nowMs: number): void {
		const pending = this.#pending.get(id);
		if (pending === undefined) return;
		pending.sentMs = nowMs;
		this.#show(id, (own) => (own.state === "signed" ? { ...own, state: "sent" } : own));
	}

	confirmed(id: string, blockIndex: number): void {
		this.#finish(id);
		this.#show(id, (own) => ({ ...own, state: "confirmed", blockIndex }));
	}

	refused(id: string, code: string): void {
		this.#finish(id);
		this.#show(id, (own) => ({ ...own, state: "refused", code }));
	}

	#finish(id: string): void {
		this.#pending.delete(id);
		this.#finished.push(id);
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
