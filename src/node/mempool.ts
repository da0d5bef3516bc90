/** Everybody's waiting transactions. What is in here has valid signatures. */

import type { VotersTransaction } from "../block/kinds/network.js";
import { isAct, isKeptVoters, type Transaction, transactionId } from "../block/transaction.js";
import { judgeAll } from "../contract/execute.js";
import { isInUse, type Ledger } from "../contract/ledger.js";
import type { Refusal, Wait } from "../contract/refusal.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import { OFFERED_READINGS } from "./outbox.js";

/** Some times what a household offers at once: its neighbours may lag behind it. What does not fit is told again. */
const MAX_READINGS_PER_MEMBER = 5 * OFFERED_READINGS;
const MAX_ACTS_PER_MEMBER = 16;
const MAX_JOINS = 64;

export type AddResult = "added" | "known" | "full";

interface Waiting {
	readonly id: string;
	readonly transaction: Transaction;
	/** Left out of proposals until this block index: a voter's ledger refused it. */
	notBeforeIndex: number;
}

export class Mempool {
	readonly #waiting = new Map<string, Waiting>();
	readonly #perMember = new Map<string, number>();

	get size(): number {
		return this.#waiting.size;
	}

	/** Whether exactly this transaction, signature included, is here: its signature was checked already. */
	has(id: string, transaction: Transaction): boolean {
		const known = this.#waiting.get(id)?.transaction;
		return known !== undefined && equalBytes(signatureOf(known), signatureOf(transaction));
	}

	/** Whether its author has a place left: what would not be taken need not be verified. */
	hasRoomFor(transaction: Transaction): boolean {
		const { key, limit } = quotaOf(transaction);
		return (this.#perMember.get(key) ?? 0) < limit;
	}

	/** Takes a transaction whose signatures were checked. */
	add(id: string, transaction: Transaction): AddResult {
		if (this.#waiting.has(id)) return "known";
		if (!this.hasRoomFor(transaction)) return "full";
		const { key } = quotaOf(transaction);
		this.#perMember.set(key, (this.#perMember.get(key) ?? 0) + 1);
		this.#waiting.set(id, { id, transaction, notBeforeIndex: 0 });
		return "added";
	}

	remove(id: string): void {
		const waiting = this.#waiting.get(id);
		if (waiting === undefined) return;
		this.#waiting.delete(id);
		const { key } = quotaOf(waiting.transaction);
		this.#perMember.set(key, (this.#perMember.get(key) ?? 1) - 1);
	}

	/** Households changed the devices that meter for them, or their key: what the old ones signed counts no more. */
	dropSignedByOthers(before: Ledger, after: Ledger): void {
		// A household that gets another key loses its devices with the old one.
		if (before.devices === after.devices) return;
		const rekeyed = new Set(
			before.households.flatMap(({ index, publicKey }) => {
				const now = after.households[index]?.publicKey;
				return now === undefined || equalBytes(now, publicKey) ? [] : [index];
			}),
		);
		const changed = new Set(
			before.households
				.filter((household) => !isMeteredAlike(before, after, household.index))
				.map(({ index }) => index),
		);
		if (changed.size + rekeyed.size === 0) return;
		for (const { id, transaction } of [...this.#waiting.values()]) {
			if (transaction.kind === "join") {
				// Its invitation is an operator's word.
				if (rekeyed.has(transaction.invitation?.operator ?? -1)) this.remove(id);
				continue;
			}
			if (!("member" in transaction)) continue;
			const isOutdated = transaction.kind === "reading" ? changed : rekeyed;
			if (isOutdated.has(transaction.member)) this.remove(id);
		}
	}

	/** A voter refused these in an open proposal: they are left out of the next blocks. */
	leaveOut(ids: readonly string[], notBeforeIndex: number): void {
		for (const id of ids) {
			const waiting = this.#waiting.get(id);
			if (waiting !== undefined) waiting.notBeforeIndex = notBeforeIndex;
		}
	}

	/** What the next block may take: acts in the order of their nonces, then readings, oldest first. */
	candidates(index: number): Transaction[] {
		const open = [...this.#waiting.values()].filter((waiting) => waiting.notBeforeIndex <= index);
		const acts = open.map(({ transaction }) => transaction).filter((transaction) => transaction.kind !== "reading");
		// Stable: acts of different households stay in the order in which they came.
		acts.sort((a, b) => (isAct(a) && isAct(b) && a.member === b.member ? a.nonce - b.nonce : 0));
		// A voter change stands first in its block, or waits for the next one.
		acts.sort((a, b) => Number(b.kind === "voters") - Number(a.kind === "voters"));
		const readings = open.flatMap(({ transaction }) => (transaction.kind === "reading" ? [transaction] : []));
		readings.sort((a, b) => a.minute - b.minute || a.member - b.member);
		return [...acts, ...readings];
	}

	/** The oldest voter change that waits. */
	voterChange(): VotersTransaction | undefined {
		for (const { transaction } of this.#waiting.values()) if (transaction.kind === "voters") return transaction;
		return undefined;
	}

	/** How many acts and how many readings of minutes up to one could go into a block now. */
	counts(lastMinute: number, index: number): { acts: number; readings: number } {
		let acts = 0;
		let readings = 0;
		for (const { transaction, notBeforeIndex } of this.#waiting.values()) {
			if (notBeforeIndex > index) continue;
			if (transaction.kind !== "reading") acts += 1;
			else if (transaction.minute <= lastMinute) readings += 1;
		}
		return { acts, readings };
	}

	/** Forgets what the ledger at the committed head refuses: every node decides the same. */
	prune(ledger: Ledger, timestampMs: number): void {
		const waiting = [...this.#waiting.values()];
		const causes = judgeAll(
			ledger,
			timestampMs,
			waiting.map(({ transaction }) => transaction),
		);
		for (const [at, { id }] of waiting.entries()) if (isRefusal(causes[at])) this.remove(id);
	}
}

function isMeteredAlike(before: Ledger, after: Ledger, member: number): boolean {
	const [old, now] = [before, after].map(({ devices, households }) => {
		const device = devices[households[member]?.meteringDevice ?? -1];
		return isInUse(device) ? device.index : undefined;
	});
	return old === now;
}

/** Whether a verdict is final at this head: what only came too early may wait. */
export function isRefusal(cause: Refusal | Wait | undefined): cause is Refusal {
	return cause !== undefined && cause.code !== "minute-not-ended" && cause.code !== "nonce-gap";
}

/** A transaction's id in hex, as the mempool names it. */
export function idOf(transaction: Transaction, gridId: Uint8Array): string {
	return toHex(transactionId(transaction, gridId));
}

const lists = new WeakMap<readonly Transaction[], { gridId: Uint8Array; ids: readonly string[] }>();

/** The ids of a block's transactions: remembered, since they are asked for when it is validated and when it is committed. */
export function idsOf(transactions: readonly Transaction[], gridId: Uint8Array): readonly string[] {
	const known = lists.get(transactions);
	if (known !== undefined && equalBytes(known.gridId, gridId)) return known.ids;
	const ids = transactions.map((transaction) => idOf(transaction, gridId));
	lists.set(transactions, { gridId, ids });
	return ids;
}

function signatureOf(transaction: Transaction): Uint8Array {
	return transaction.kind === "join" ? transaction.signatures.household : transaction.signature;
}

function quotaOf(transaction: Transaction): { key: string; limit: number } {
	switch (transaction.kind) {
		case "reading":
			return { key: `readings of ${transaction.member}`, limit: MAX_READINGS_PER_MEMBER };
		case "join":
		case "found":
		case "refound":
		case "seal":
			return { key: "joins", limit: MAX_JOINS };
		case "voters":
			if (!isKeptVoters(transaction)) return { key: `acts of ${transaction.member}`, limit: MAX_ACTS_PER_MEMBER };
			return { key: `voters of ${transaction.member}`, limit: 1 };
		default:
			return { key: `acts of ${transaction.member}`, limit: MAX_ACTS_PER_MEMBER };
	}
}
