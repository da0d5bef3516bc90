/**
 * The state root: an RFC 6962 root over the block's settlement results, the range of all earlier block hashes, the
 * globals, and one leaf per device, offer, order, demand, lock, household and contract. One settled minute, one balance or one old
 * block can be proved alone against any certified block; all leaves together are the state (`snapshot.ts`).
 */
import { merkleLeaf, rememberingMerkleRoot } from "../block/merkle.js";
import { type CborValue, encode } from "../primitives/codec.js";
import { CLAIM_LEAF, CORRECTION_LEAF } from "./correctionLeaves.js";
import {
	BANK_LEAF,
	COUNTED_LEAF,
	GLOBALS_LEAF,
	HISTORY_LEAF,
	ICE_SERVERS_LEAF,
	KEY_ROTATIONS_LEAF,
	MARKET_LEAF,
	MONEY_LEAF,
	NETTED_MONTH_LEAF,
	OPERATOR_ACT_LEAF,
	PAID_OUT_LEAF,
	PREDECESSOR_LEAF,
	TARIFF_LEAF,
	TERMS_LEAF,
} from "./globalLeaves.js";
import { pagesOfReadings, pagesOfRuns, pagesOfWaiting } from "./leafPages.js";
import type { Household, Ledger, PendingReading } from "./ledger.js";
import { CONTRACT_LEAF, DEMAND_LEAF, LOCK_LEAF, OFFER_LEAF, ORDER_LEAF } from "./marketLeaves.js";
import {
	CREDIT_LEAF,
	DEVICE_LEAF,
	HOUSEHOLD_LEAF,
	OPEN_LEAF,
	PENDING_LEAF,
	SEEN_LEAF,
	STANDING_LEAF,
	TRADING_LEAF,
} from "./memberLeaves.js";
import type { MinuteRanges } from "./minuteRanges.js";
import { resultsRoot } from "./results.js";
import type { SettlementResults } from "./settlement.js";
import { standingOf } from "./standing.js";

/** Root of the ledger after a block, with that block's settlement results. Only what changed is hashed again. */
export function stateRoot(ledger: Ledger, results: SettlementResults): Uint8Array {
	return rememberingMerkleRoot(stateLeafHashes(ledger, results));
}

/** The root's leaves, in their order. */
export function stateLeafHashes(ledger: Ledger, results: SettlementResults): Uint8Array[] {
	const hashes = [merkleLeaf(resultsRoot(results))];
	visitLeaves(ledger, (part, fields) => hashes.push(rememberedLeaf(part, fields)));
	return hashes;
}

/** The preimages of the root's leaves, in their order; in place of the first the root over the results itself. */
export function stateLeaves(ledger: Ledger, results: SettlementResults): Uint8Array[] {
	const leaves = [resultsRoot(results)];
	visitLeaves(ledger, (part, fields) => leaves.push(encode(fields(part))));
	return leaves;
}

export type LeafVisitor = <Part extends object>(part: Part, fields: (part: Part) => CborValue) => void;

/** Goes through everything but the results, in the order of the leaves. */
export function visitLeaves(ledger: Ledger, visit: LeafVisitor): void {
	visit(ledger.history, HISTORY_LEAF.fields);
	visit(ledger, GLOBALS_LEAF.fields);
	if (ledger.predecessor !== undefined) visit(ledger.predecessor, PREDECESSOR_LEAF.fields);
	if (ledger.iceServers !== undefined) visit(ledger.iceServers, ICE_SERVERS_LEAF.fields);
	if (ledger.paidOutMicroNok > 0) visit([ledger.paidOutMicroNok] as const, PAID_OUT_LEAF.fields);
	if (ledger.bank !== undefined) visit(ledger.bank, BANK_LEAF.fields);
	if (ledger.moneyProposal !== undefined) visit(ledger.moneyProposal, MONEY_LEAF.fields);
	if (ledger.nettedMonth !== undefined) visit([ledger.nettedMonth] as const, NETTED_MONTH_LEAF.fields);
	for (const act of ledger.operatorRecord ?? []) visit(act, OPERATOR_ACT_LEAF.fields);
	if (ledger.keyRotations !== undefined) visit(ledger.keyRotations, KEY_ROTATIONS_LEAF.fields);
	if (ledger.tariff !== undefined) visit(ledger.tariff, TARIFF_LEAF.fields);
	if (ledger.market !== undefined) visit(ledger.market, MARKET_LEAF.fields);
	if (ledger.parameters.terms !== undefined) visit(ledger.parameters.terms, TERMS_LEAF.fields);
	for (const page of pagesOfRuns(ledger.counted)) visit(page, COUNTED_LEAF.fields);
	for (const device of ledger.devices) visit(device, DEVICE_LEAF.fields);
	for (const offer of ledger.offers.values()) visit(offer, OFFER_LEAF.fields);
	for (const order of ledger.orders.values()) visit(order, ORDER_LEAF.fields);
	for (const demand of ledger.demands.values()) visit(demand, DEMAND_LEAF.fields);
	for (const lock of ledger.locks.values()) visit(lock, LOCK_LEAF.fields);
	for (const correction of ledger.corrections.values()) visit(correction, CORRECTION_LEAF.fields);
	for (const claim of ledger.claims.values()) visit(claim, CLAIM_LEAF.fields);
	for (const household of ledger.households) {
		visit(household, HOUSEHOLD_LEAF.fields);
		const standing = standingOf(household);
		if (standing !== undefined) visit(standing, STANDING_LEAF.fields);
		if (household.creditMicroNok > 0) visit([household.creditMicroNok] as const, CREDIT_LEAF.fields);
		if (household.trading.length > 0) visit(household.trading, TRADING_LEAF.fields);
		for (const page of seenPages(household)) visit(page, SEEN_LEAF.fields);
		for (const page of pendingPages(household)) visit(page, PENDING_LEAF.fields);
	}
	for (const page of pagesOfWaiting(ledger.households)) visit(page, OPEN_LEAF.fields);
	for (const contract of ledger.contracts) visit(contract, CONTRACT_LEAF.fields);
}

/** Leaf hashes of what did not change since they were last asked for: ledgers share it. */
const leaves = new WeakMap<object, Uint8Array>();

function rememberedLeaf<Part extends object>(part: Part, fields: (part: Part) => CborValue): Uint8Array {
	let leaf = leaves.get(part);
	if (leaf === undefined) {
		leaf = merkleLeaf(encode(fields(part)));
		leaves.set(part, leaf);
	}
	return leaf;
}

const pagesOfSeen = new WeakMap<MinuteRanges, MinuteRanges[]>();

function seenPages({ seen }: Household): MinuteRanges[] {
	let pages = pagesOfSeen.get(seen);
	if (pages === undefined) {
		pages = pagesOfRuns(seen);
		pagesOfSeen.set(seen, pages);
	}
	return pages;
}

/** The page that last began with a reading: it is taken again, and with it its leaf, while it holds the same. */
const pageByFirst = new WeakMap<PendingReading, PendingReading[]>();

function pendingPages({ pending }: Household): PendingReading[][] {
	return pagesOfReadings(pending).map(rememberedPage);
}

function rememberedPage(page: PendingReading[]): PendingReading[] {
	const [first] = page;
	if (first === undefined) return page;
	const known = pageByFirst.get(first);
	const isSame = known?.length === page.length && known.every((reading, at) => reading === page[at]);
	if (known !== undefined && isSame) return known;
	pageByFirst.set(first, page);
	return page;
}
