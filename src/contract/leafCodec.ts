/**
 * The leaves of the state root, each a complete encoding of its part of the ledger: how it is written, and beside it the
 * shape in which it is read. Every leaf begins with its kind. What reads it (`snapshot.ts`) writes it again and compares
 * the bytes, so that each state has one encoding.
 */
import * as v from "valibot";
import type { MountainRange } from "../block/merkle.js";
import { QUALITIES } from "../block/reading.js";
import { MONEY_KINDS, type MoneyKind } from "../block/transaction.js";
import { nameShape } from "../block/transactionCodec.js";
import { assert } from "../primitives/assert.js";
import { fromHex, toHex } from "../primitives/bytes.js";
import type { CborValue } from "../primitives/codec.js";
import { HASH_BYTES, ZERO_HASH } from "../primitives/hash.js";
import { PUBLIC_KEY_BYTES } from "../primitives/signature.js";
import type { Contract, Device, Household, Ledger, Offer, Order, PendingReading } from "./ledger.js";
import type { MinuteRanges } from "./minuteRanges.js";

/** How a kind of leaf is written, and read. */
interface LeafCodec<Part, Read = Part> {
	fields(part: Part): CborValue;
	shape: v.GenericSchema<unknown, Read>;
}

// ── shapes ───────────────────────────────────────────────────────────────────────────────────────────────────────

const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const bytes = (length: number) => v.pipe(v.instance(Uint8Array), v.length(length));
const hash = bytes(HASH_BYTES);
const publicKey = bytes(PUBLIC_KEY_BYTES);
const flag = v.pipe(
	v.picklist([0, 1]),
	v.transform((bit) => bit === 1),
);
const bit = (value: boolean): CborValue => (value ? 1 : 0);
const perhaps = <T>(shape: v.GenericSchema<unknown, T>) =>
	v.pipe(
		v.union([v.strictTuple([]), v.strictTuple([shape])]),
		v.transform(([only]): T | undefined => only),
	);
const runs = v.array(v.strictTuple([natural, natural]));

// ── what there is once ───────────────────────────────────────────────────────────────────────────────────────────

/** Count and peaks: all that is needed to go on, and through its root a proof of every old block. */
export const HISTORY_LEAF: LeafCodec<MountainRange> = {
	fields: ({ count, peaks }) => ["history", count, peaks],
	shape: v.pipe(
		v.strictTuple([v.literal("history"), natural, v.array(hash)]),
		v.transform(([, count, peaks]) => ({ count, peaks })),
	),
};

/** The genesis block's hash covers its state root, which therefore cannot name it. */
const gridIdOf = ({ index, gridId }: Pick<Ledger, "index" | "gridId">) => (index === 0 ? ZERO_HASH : gridId);

/** The counted blocks follow in leaves of their own where they are many. */
export const GLOBALS_LEAF: LeafCodec<Ledger, Globals> = {
	fields: (ledger) => [
		"globals",
		gridIdOf(ledger),
		ledger.index,
		ledger.timestampMs,
		ledger.genesisTimestampMs,
		MONEY_KINDS.indexOf(ledger.parameters.moneyKind),
		ledger.parameters.retailMicroNokPerWh,
		ledger.parameters.feedInMicroNokPerWh,
		ledger.parameters.localFeeMicroNokPerWh,
		ledger.issuedMicroNok,
		ledger.voters,
		ledger.votersSinceIndex,
		ledger.countedTotal,
		inlineOf(ledger.counted),
		[...ledger.usedInvitations].map(([id, expiryMinute]): CborValue => {
			const idBytes = fromHex(id);
			assert(idBytes.ok, "ids in the ledger are hex");
			return [idBytes.value, expiryMinute];
		}),
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("globals"),
			hash,
			natural,
			natural,
			natural,
			v.picklist(MONEY_KINDS.map((_, at) => at)),
			natural,
			natural,
			natural,
			natural,
			v.array(natural),
			natural,
			natural,
			runs,
			v.array(v.strictTuple([bytes(16), natural])),
		]),
		v.transform(([, gridId, index, timestampMs, genesisTimestampMs, money, retail, feedIn, fee, ...rest]): Globals => {
			const [issuedMicroNok, voters, votersSinceIndex, countedTotal, counted, invitations] = rest;
			return {
				gridId,
				index,
				timestampMs,
				genesisTimestampMs,
				moneyKind: MONEY_KINDS[money] ?? "trial",
				retailMicroNokPerWh: retail,
				feedInMicroNokPerWh: feedIn,
				localFeeMicroNokPerWh: fee,
				issuedMicroNok,
				voters,
				votersSinceIndex,
				countedTotal,
				counted,
				usedInvitations: new Map(invitations.map(([id, expiryMinute]) => [toHex(id), expiryMinute])),
			};
		}),
	),
};

export interface Globals
	extends Pick<
		Ledger,
		| "gridId"
		| "index"
		| "timestampMs"
		| "genesisTimestampMs"
		| "issuedMicroNok"
		| "voters"
		| "votersSinceIndex"
		| "countedTotal"
		| "counted"
		| "usedInvitations"
	> {
	readonly moneyKind: MoneyKind;
	readonly retailMicroNokPerWh: number;
	readonly feedInMicroNokPerWh: number;
	readonly localFeeMicroNokPerWh: number;
}

// ── what there is many of ────────────────────────────────────────────────────────────────────────────────────────

export const DEVICE_LEAF: LeafCodec<Device> = {
	fields: (device) => [
		"device",
		device.index,
		device.household,
		device.publicKey,
		bit(device.alwaysOn),
		bit(device.revoked),
	],
	shape: v.pipe(
		v.strictTuple([v.literal("device"), natural, natural, publicKey, flag, flag]),
		v.transform(([, index, household, key, alwaysOn, revoked]) => ({
			index,
			household,
			publicKey: key,
			alwaysOn,
			revoked,
		})),
	),
};

export const OFFER_LEAF: LeafCodec<Offer> = {
	fields: (offer) => [
		"offer",
		offer.id,
		offer.seller,
		offer.priceMicroNokPerWh,
		offer.fromMinute,
		offer.untilMinute,
		offer.energyLimitWh,
		offer.noticeMinutes,
		offer.buyer === undefined ? [] : [offer.buyer],
		offer.maxBuyers,
		offer.accepted,
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("offer"),
			hash,
			natural,
			natural,
			natural,
			natural,
			natural,
			natural,
			perhaps(natural),
			natural,
			v.array(natural),
		]),
		v.transform(([, id, seller, price, fromMinute, untilMinute, limit, notice, buyer, maxBuyers, accepted]) => ({
			id,
			seller,
			priceMicroNokPerWh: price,
			fromMinute,
			untilMinute,
			energyLimitWh: limit,
			noticeMinutes: notice,
			buyer,
			maxBuyers,
			accepted,
		})),
	),
};

export const ORDER_LEAF: LeafCodec<Order> = {
	fields: (order) => ["order", order.id, order.member, order.amountMicroNok, order.timestampMs],
	shape: v.pipe(
		v.strictTuple([v.literal("order"), hash, natural, natural, natural]),
		v.transform(([, id, member, amountMicroNok, timestampMs]) => ({ id, member, amountMicroNok, timestampMs })),
	),
};

const readingFields = (reading: PendingReading): CborValue => [
	reading.minute,
	reading.importWh,
	reading.exportWh,
	QUALITIES.indexOf(reading.quality),
	reading.boughtWh,
	reading.soldWh,
];
const readingsShape = v.array(
	v.pipe(
		v.strictTuple([natural, natural, natural, v.picklist(QUALITIES.map((_, at) => at)), natural, natural]),
		v.transform(
			([minute, importWh, exportWh, quality, boughtWh, soldWh]): PendingReading => ({
				minute,
				importWh,
				exportWh,
				quality: QUALITIES[quality] ?? "gap",
				boughtWh,
				soldWh,
			}),
		),
	),
);

/** Minutes seen and readings that wait follow in leaves of their own where they are many. */
export const HOUSEHOLD_LEAF: LeafCodec<Household> = {
	fields: (household) => [
		"household",
		household.index,
		household.name,
		household.publicKey,
		bit(household.operator),
		household.meteringDevice,
		household.joinedMinute,
		household.nonce,
		household.balanceMicroNok,
		household.importWh,
		household.exportWh,
		household.boughtWh,
		household.soldWh,
		household.utilityImportWh,
		household.utilityExportWh,
		household.settledUntilMinute,
		inlineOf(household.seen),
		inlineOf(household.pending).map(readingFields),
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("household"),
			natural,
			nameShape,
			publicKey,
			flag,
			natural,
			natural,
			natural,
			natural,
			natural,
			natural,
			natural,
			natural,
			natural,
			natural,
			natural,
			runs,
			readingsShape,
		]),
		v.transform(([, index, name, key, operator, meteringDevice, joinedMinute, nonce, balance, ...rest]): Household => {
			const [importWh, exportWh, boughtWh, soldWh, utilityImportWh, utilityExportWh, cursor, seen, pending] = rest;
			return {
				index,
				name,
				publicKey: key,
				operator,
				meteringDevice,
				joinedMinute,
				nonce,
				balanceMicroNok: balance,
				importWh,
				exportWh,
				boughtWh,
				soldWh,
				utilityImportWh,
				utilityExportWh,
				settledUntilMinute: cursor,
				seen,
				pending,
			};
		}),
	),
};

export const CONTRACT_LEAF: LeafCodec<Contract> = {
	fields: (contract) => [
		"contract",
		contract.index,
		contract.id,
		contract.offerId,
		contract.seller,
		contract.buyer,
		contract.priceMicroNokPerWh,
		contract.fromMinute,
		contract.untilMinute,
		bit(contract.ended),
		contract.energyLimitWh,
		contract.noticeMinutes,
		contract.deliveredWh,
		contract.amountMicroNok,
		contract.lastDeliveryMinute,
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("contract"),
			natural,
			hash,
			hash,
			natural,
			natural,
			natural,
			natural,
			natural,
			flag,
			natural,
			natural,
			natural,
			natural,
			natural,
		]),
		v.transform(([, index, id, offerId, seller, buyer, price, fromMinute, untilMinute, ended, ...rest]): Contract => {
			const [energyLimitWh, noticeMinutes, deliveredWh, amountMicroNok, lastDeliveryMinute] = rest;
			return {
				index,
				id,
				offerId,
				seller,
				buyer,
				priceMicroNokPerWh: price,
				fromMinute,
				untilMinute,
				ended,
				energyLimitWh,
				noticeMinutes,
				deliveredWh,
				amountMicroNok,
				lastDeliveryMinute,
			};
		}),
	),
};

// ── long lists ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Lists up to here stand in their owner's leaf; longer ones in leaves of their own, so that no leaf grows large. */
const INLINE_ENTRIES = 64;
const PAGE_ENTRIES = 1_024;

function inlineOf<T>(entries: readonly T[]): readonly T[] {
	return entries.length <= INLINE_ENTRIES ? entries : [];
}

/** Runs in pages of PAGE_ENTRIES; none where they stand in their owner's leaf. */
export function pagesOfRuns(entries: MinuteRanges): MinuteRanges[] {
	if (entries.length <= INLINE_ENTRIES) return [];
	const count = Math.ceil(entries.length / PAGE_ENTRIES);
	return Array.from({ length: count }, (_, page) => entries.slice(page * PAGE_ENTRIES, (page + 1) * PAGE_ENTRIES));
}

/** Readings in pages of PAGE_ENTRIES minutes: one that settles at the front leaves the later pages as they are. */
export function pagesOfReadings(entries: readonly PendingReading[]): PendingReading[][] {
	if (entries.length <= INLINE_ENTRIES) return [];
	const pages: PendingReading[][] = [];
	let current = -1;
	for (const reading of entries) {
		const page = Math.floor(reading.minute / PAGE_ENTRIES);
		if (page !== current) pages.push([]);
		current = page;
		pages.at(-1)?.push(reading);
	}
	return pages;
}

export const COUNTED_LEAF: LeafCodec<MinuteRanges> = {
	fields: (page) => ["counted", page],
	shape: v.pipe(
		v.strictTuple([v.literal("counted"), runs]),
		v.transform(([, page]) => page),
	),
};

/** Follows its household's leaf. */
export const SEEN_LEAF: LeafCodec<MinuteRanges> = {
	fields: (page) => ["seen", page],
	shape: v.pipe(
		v.strictTuple([v.literal("seen"), runs]),
		v.transform(([, page]) => page),
	),
};

/** Follows its household's leaf. */
export const PENDING_LEAF: LeafCodec<readonly PendingReading[]> = {
	fields: (page) => ["pending", page.map(readingFields)],
	shape: v.pipe(
		v.strictTuple([v.literal("pending"), readingsShape]),
		v.transform(([, page]) => page),
	),
};
