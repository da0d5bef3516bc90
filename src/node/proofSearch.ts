/**
 * What of the pages of proofs a file is to be made of: where a minute settled, where an act stands and what belongs to it.
 * Pages are read one after the other, since nothing else says where something is; by their times a minute is found fast.
 */
import type { Transaction } from "../block/transaction.js";
import { transactionId } from "../block/transaction.js";
import type { Contract, Ledger } from "../contract/ledger.js";
import { householdOf } from "../contract/ledger.js";
import type { IntervalShare } from "../contract/results.js";
import type { WantedResults } from "../contract/resultsProof.js";
import type { SettledMinute } from "../contract/settlement.js";
import { toHex } from "../primitives/bytes.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { MS_PER_MINUTE } from "../primitives/units.js";
import type { Choice } from "./proofFileMaker.js";
import { lastTimestampMs, openProofPage, type ProofPage, type ProvenBlock } from "./proofPage.js";
import type { StorageError, StoredProofPage } from "./storage.js";

/** What is to be proven. Ids in hex. */
export type ProofRequest =
	| { readonly contractId: string; readonly minute: number }
	/** What of this household's the market matched in intervals that begin in [fromMinute, untilMinute). */
	| { readonly fromMinute: number; readonly untilMinute: number }
	/** A contract: offer and acceptance. */
	| { readonly contractId: string }
	/** An act that concerns this household: an order or what it became, a payout, or any other. */
	| { readonly id: string };

export type ProofRequestError =
	| StorageError
	| { code: "unknown-contract" }
	| { code: "not-your-contract" }
	/** The minute waits for readings. */
	| { code: "proof-not-settled" }
	/** It has settled, and nothing was delivered. */
	| { code: "proof-no-delivery" }
	/** Not on the chain, not this household's, or from before this device has kept proofs. */
	| { code: "proof-not-kept" };

/** The page that holds a block, or the first one above it. */
export type PageFrom = (index: number) => Promise<Result<StoredProofPage | undefined, StorageError>>;

/** Where a household looks for its proofs. */
export interface ProofShelf {
	readonly pageFrom: PageFrom;
	/** At the head. */
	readonly ledger: Ledger;
	readonly member: number;
}

/** What to make a file of. */
export function findChoices(shelf: ProofShelf, request: ProofRequest): Promise<Result<Choice[], ProofRequestError>> {
	if ("id" in request) return findAct(shelf, request.id);
	if ("fromMinute" in request) return findShares(shelf, request.fromMinute, request.untilMinute);
	return "minute" in request
		? findMinute(shelf, request.contractId, request.minute)
		: findContract(shelf, request.contractId);
}

// ── a settled minute ─────────────────────────────────────────────────────────────────────────────────────────────

async function findMinute(
	shelf: ProofShelf,
	contractId: string,
	minute: number,
): Promise<Result<Choice[], ProofRequestError>> {
	const { ledger, member } = shelf;
	const contract = ownContract(shelf, contractId);
	if (!contract.ok) return contract;
	const { index, seller } = contract.value;
	if (minute < contract.value.fromMinute || minute >= contract.value.untilMinute) {
		return refused({ code: "proof-no-delivery" });
	}
	if (householdOf(ledger, seller).settledUntilMinute <= minute) return refused({ code: "proof-not-settled" });
	const isReading = (transaction: Transaction) =>
		transaction.kind === "reading" && transaction.member === member && transaction.minute === minute;
	const isSettled = (settled: SettledMinute) => settled.seller === seller && settled.minute === minute;
	const from = await firstPageAt(shelf, (minute + 1) * MS_PER_MINUTE);
	if (!from.ok) return from;
	const choices: Choice[] = [];
	for await (const page of pagesFrom(shelf.pageFrom, from.value)) {
		if (!page.ok) return page;
		for (const block of page.value.blocks) {
			const isRead = block.transactions.some(isReading);
			const settled = block.settled.find(isSettled);
			if (isRead) choices.push({ page: page.value, block, transactions: isReading });
			if (settled?.deliveries.some(({ contract: each }) => each === index) === true) {
				// The reading may stand in the same block.
				const { transactions } = (isRead ? choices.pop() : undefined) ?? {};
				const readings = transactions === undefined ? {} : { transactions };
				const results: WantedResults = { settled: isSettled, share: () => false };
				return ok([...choices, { page: page.value, block, ...readings, results, contracts: [index] }]);
			}
			// A seller's minutes settle in their order.
			const isPast = block.settled.some((each) => each.seller === seller && each.minute > minute);
			if (settled !== undefined || isPast) return refused({ code: "proof-no-delivery" });
		}
	}
	return refused({ code: "proof-not-kept" });
}

function ownContract({ ledger, member }: ProofShelf, contractId: string): Result<Contract, ProofRequestError> {
	const contract = ledger.contracts.find(({ id }) => toHex(id) === contractId);
	if (contract === undefined) return refused({ code: "unknown-contract" });
	const isOwn = contract.seller === member || contract.buyer === member;
	return isOwn ? ok(contract) : refused({ code: "not-your-contract" });
}

// ── intervals of the market ──────────────────────────────────────────────────────────────────────────────────────

/** Intervals are matched in their order, none before its last minute has ended. */
async function findShares(
	shelf: ProofShelf,
	fromMinute: number,
	untilMinute: number,
): Promise<Result<Choice[], ProofRequestError>> {
	const isAsked = (share: IntervalShare) => share.fromMinute >= fromMinute && share.fromMinute < untilMinute;
	const results: WantedResults = { settled: () => false, share: isAsked };
	const from = await firstPageAt(shelf, (fromMinute + 1) * MS_PER_MINUTE);
	if (!from.ok) return from;
	const choices: Choice[] = [];
	for await (const page of pagesFrom(shelf.pageFrom, from.value)) {
		if (!page.ok) return page;
		for (const block of page.value.blocks) {
			if (block.shares.some(isAsked)) choices.push({ page: page.value, block, results });
		}
		const isPast = page.value.blocks.some(({ shares }) => shares.some((share) => share.fromMinute >= untilMinute));
		if (isPast) break;
	}
	return choices.length > 0 ? ok(choices) : refused({ code: "proof-not-kept" });
}

// ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

async function findContract(shelf: ProofShelf, contractId: string): Promise<Result<Choice[], ProofRequestError>> {
	const contract = ownContract(shelf, contractId);
	if (!contract.ok) return contract;
	const ids = [contractId, toHex(contract.value.offerId)];
	return choicesOf(shelf, contractId, (id) => ids.includes(id), contract.value);
}

/** With an order what was issued for it, with a moving out what was paid, and the other way round. */
async function findAct(shelf: ProofShelf, wanted: string): Promise<Result<Choice[], ProofRequestError>> {
	const contract = shelf.ledger.contracts.find(({ id }) => toHex(id) === wanted);
	if (contract !== undefined) return findContract(shelf, wanted);
	const found = await findTransaction(shelf, wanted);
	if (!found.ok) return found;
	const root = toHex(answeredBy(found.value) ?? new Uint8Array()) || wanted;
	return choicesOf(shelf, wanted, (id, transaction) => {
		return id === root || toHex(answeredBy(transaction) ?? new Uint8Array()) === root;
	});
}

/** Which act one answers. */
function answeredBy(transaction: Transaction): Uint8Array | undefined {
	if (transaction.kind === "issue" || transaction.kind === "cancel") return transaction.orderId;
	if (transaction.kind === "answer") return transaction.correctionId;
	return transaction.kind === "payout" ? transaction.lockId : undefined;
}

async function findTransaction(
	{ pageFrom, ledger }: ProofShelf,
	wanted: string,
): Promise<Result<Transaction, ProofRequestError>> {
	for await (const page of pagesFrom(pageFrom, 0)) {
		if (!page.ok) return page;
		for (const { transactions } of page.value.blocks) {
			const found = transactions.find((each) => idOfAct(each, ledger.gridId) === wanted);
			if (found !== undefined) return ok(found);
		}
	}
	return refused({ code: "proof-not-kept" });
}

/** The acts that are wanted, all of them; without the one that it is about it is nothing. */
async function choicesOf(
	{ pageFrom, ledger }: ProofShelf,
	about: string,
	isWanted: (id: string, transaction: Transaction) => boolean,
	contract?: Contract,
): Promise<Result<Choice[], ProofRequestError>> {
	const choices: Choice[] = [];
	let isFound = false;
	for await (const page of pagesFrom(pageFrom, 0)) {
		if (!page.ok) return page;
		for (const block of page.value.blocks) {
			const ids = wantedIn(block, ledger.gridId, isWanted);
			if (ids.size === 0) continue;
			const transactions = (each: Transaction) => ids.has(idOfAct(each, ledger.gridId) ?? "");
			const isMade = contract !== undefined && ids.has(toHex(contract.id));
			isFound ||= ids.has(about);
			choices.push({ page: page.value, block, transactions, ...(isMade ? { contracts: [contract.index] } : {}) });
		}
		// An offer stands below its acceptance.
		if (isFound && contract !== undefined) break;
	}
	return isFound ? ok(choices) : refused({ code: "proof-not-kept" });
}

function wantedIn(
	{ transactions }: ProvenBlock,
	gridId: Uint8Array,
	isWanted: (id: string, transaction: Transaction) => boolean,
): Set<string> {
	return new Set(
		transactions.flatMap((each) => {
			const id = idOfAct(each, gridId);
			return id !== undefined && isWanted(id, each) ? [id] : [];
		}),
	);
}

/** Of a reading nobody asks by its id: there are many of them. */
function idOfAct(transaction: Transaction, gridId: Uint8Array): string | undefined {
	return transaction.kind === "reading" ? undefined : toHex(transactionId(transaction, gridId));
}

// ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Pages from a block on, ascending. One that is damaged is passed over, and one that has grown since it was read, before
 * it was written: all of it that was there at the beginning has been seen.
 */
async function* pagesFrom(pageFrom: PageFrom, fromIndex: number): AsyncGenerator<Result<ProofPage, StorageError>> {
	for (let index = fromIndex; ; ) {
		const stored = await pageFrom(index);
		if (!stored.ok) yield stored;
		if (!stored.ok || stored.value === undefined) return;
		const page = openProofPage(stored.value.record);
		const isNew = page.ok && (index === fromIndex || (page.value.blocks[0]?.header.index ?? 0) >= index);
		if (page.ok && isNew) yield ok(page.value);
		index = stored.value.index + 1;
	}
}

/** An index in the first page that ends at a time or after it. */
async function firstPageAt(
	{ pageFrom, ledger }: ProofShelf,
	timestampMs: number,
): Promise<Result<number, StorageError>> {
	let low = 0;
	let high = ledger.index;
	while (low < high) {
		const middle = Math.floor((low + high) / 2);
		const stored = await pageFrom(middle);
		if (!stored.ok) return stored;
		const endMs = stored.value === undefined ? undefined : lastTimestampMs(stored.value.record);
		if (stored.value === undefined || endMs === undefined || endMs >= timestampMs) high = middle;
		else low = stored.value.index + 1;
	}
	return ok(low);
}
