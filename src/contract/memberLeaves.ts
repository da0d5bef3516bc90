/** Leaves of devices and households, with what was metered and waits for settlement. */
import * as v from "valibot";
import { flag, hash, nameShape, natural, perhaps, publicKey } from "../block/fieldShapes.js";
import { QUALITIES } from "../block/reading.js";
import type { CborValue } from "../primitives/codec.js";
import { bit, type LeafCodec, runs } from "./leafCodec.js";
import { inlineOf, type Waiting } from "./leafPages.js";
import type { Device, Household, Notice, PendingReading, Removal, TradingTerms } from "./ledger.js";
import type { MinuteRanges } from "./minuteRanges.js";
import { ORDINARY, type Standing } from "./standing.js";

export const DEVICE_LEAF: LeafCodec<Device> = {
	fields: (device) => [
		"device",
		device.index,
		device.household,
		device.publicKey,
		bit(device.alwaysOn),
		device.revokedIndex === undefined ? 0 : device.revokedIndex + 1,
	],
	shape: v.pipe(
		v.strictTuple([v.literal("device"), natural, natural, publicKey, flag, natural]),
		v.transform(([, index, household, key, alwaysOn, revoked]) => ({
			index,
			household,
			publicKey: key,
			alwaysOn,
			revokedIndex: revoked === 0 ? undefined : revoked - 1,
		})),
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

const removalShape = v.pipe(
	v.strictTuple([hash, natural, flag]),
	v.transform(([id, fromMinute, completed]): Removal => ({ id, fromMinute, completed })),
);

/** Told apart by what they are about: a key has 33 bytes, an id 32. */
const noticeFields = (notice: Notice): CborValue => [
	notice.kind === "rebind" ? notice.householdKey : notice.id,
	notice.countedTotal,
];
const noticeShape = v.union([
	v.pipe(
		v.strictTuple([publicKey, natural]),
		v.transform(([householdKey, countedTotal]): Notice => ({ kind: "rebind", householdKey, countedTotal })),
	),
	v.pipe(
		v.strictTuple([hash, natural]),
		v.transform(([id, countedTotal]): Notice => ({ kind: "remove", id, countedTotal })),
	),
]);

/** What a household's own leaf says nothing of: where something is said, this one follows it. */
export const STANDING_LEAF: LeafCodec<Standing> = {
	fields: ({ suspended, removal, appoints, notice }) => [
		"standing",
		bit(suspended),
		removal === undefined ? [] : [[removal.id, removal.fromMinute, bit(removal.completed)]],
		appoints === undefined ? [] : [appoints],
		notice === undefined ? [] : [noticeFields(notice)],
	],
	shape: v.pipe(
		v.strictTuple([v.literal("standing"), flag, perhaps(removalShape), perhaps(natural), perhaps(noticeShape)]),
		v.transform(([, suspended, removal, appoints, notice]) => ({ suspended, removal, appoints, notice })),
	),
};

/** Only where a household has given standing orders; follows its leaf. */
export const TRADING_LEAF: LeafCodec<readonly TradingTerms[]> = {
	fields: (trading) => [
		"trading",
		trading.map(({ fromMinute, buyBelowMicroNokPerWh: buy, sellAboveMicroNokPerWh: sell, paysMoreForLocal }) => [
			fromMinute,
			buy === undefined ? [] : [buy],
			sell === undefined ? [] : [sell],
			bit(paysMoreForLocal),
		]),
	],
	shape: v.pipe(
		v.strictTuple([v.literal("trading"), v.array(v.strictTuple([natural, perhaps(natural), perhaps(natural), flag]))]),
		v.transform(([, trading]) =>
			trading.map(([fromMinute, buy, sell, paysMoreForLocal]) => ({
				fromMinute,
				buyBelowMicroNokPerWh: buy,
				sellAboveMicroNokPerWh: sell,
				paysMoreForLocal,
			})),
		),
	),
};

/** Only where a household has a credit line; follows its leaf. */
export const CREDIT_LEAF: LeafCodec<readonly [creditMicroNok: number], number> = {
	fields: ([creditMicroNok]) => ["credit", creditMicroNok],
	shape: v.pipe(
		v.strictTuple([v.literal("credit"), natural]),
		v.transform(([, creditMicroNok]) => creditMicroNok),
	),
};

/** Many households' in one leaf, behind all of theirs: every minute changes it for all who take part. */
export const OPEN_LEAF: LeafCodec<readonly Waiting[]> = {
	fields: (page) => [
		"open",
		page.map(({ household, fromMinute, minutes, importWh, exportWh, needWh, surplusWh }) => [
			household,
			fromMinute,
			minutes,
			importWh,
			exportWh,
			needWh,
			surplusWh,
		]),
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("open"),
			v.array(v.strictTuple([natural, natural, natural, natural, natural, natural, natural])),
		]),
		v.transform(([, page]) =>
			page.map(([household, fromMinute, minutes, importWh, exportWh, needWh, surplusWh]) => ({
				household,
				fromMinute,
				minutes,
				importWh,
				exportWh,
				needWh,
				surplusWh,
			})),
		),
	),
};

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
				...ORDINARY,
				meteringDevice,
				joinedMinute,
				nonce,
				balanceMicroNok: balance,
				creditMicroNok: 0,
				importWh,
				exportWh,
				boughtWh,
				soldWh,
				utilityImportWh,
				utilityExportWh,
				settledUntilMinute: cursor,
				seen,
				pending,
				trading: [],
				open: [],
			};
		}),
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
