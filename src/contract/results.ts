/** What a block settled, as leaves of a tree of its own, whose root is the first leaf of the state root. */
import * as v from "valibot";
import { natural } from "../block/fieldShapes.js";
import { oneOf } from "../block/kinds/fields.js";
import { MARKET_CHOICES, type MarketChoice } from "../block/kinds/trading.js";
import { headOf, merkleLeaf, merkleLevels } from "../block/merkle.js";
import { type CborValue, encode } from "../primitives/codec.js";
import type { MatchedInterval } from "./automaticMarket.js";
import type { LeafCodec } from "./leafCodec.js";
import type { MatchedShare } from "./matching/shares.js";
import type { MinuteRest } from "./minuteRests.js";
import type { SettledMinute, SettlementResults } from "./settlement.js";

/** Root over a block's results. */
export function resultsRoot(results: SettlementResults): Uint8Array {
	return headOf(resultLevels(results));
}

const levels = new WeakMap<SettlementResults, readonly (readonly Uint8Array[])[]>();

/**
 * The tree of a block's results: a leaf per settled minute, then one per rest, then one per share of a matched interval.
 * It is remembered, since proofs are made from it as well.
 */
export function resultLevels(results: SettlementResults): readonly (readonly Uint8Array[])[] {
	const known = levels.get(results);
	if (known !== undefined) return known;
	const { settled, rests, matched } = results;
	const made = merkleLevels([
		...settled.map(settledLeafHash),
		...rests.map((rest) => merkleLeaf(encode(restFields(rest)))),
		...matched.flatMap(sharesOf).map(shareLeafHash),
	]);
	levels.set(results, made);
	return made;
}

export function settledLeafHash(minute: SettledMinute): Uint8Array {
	return merkleLeaf(encode(SETTLED_LEAF.fields(minute)));
}

export const SETTLED_LEAF: LeafCodec<SettledMinute> = {
	fields: ({ seller, minute, availableWh, deliveries }) => [
		"settled",
		seller,
		minute,
		availableWh,
		deliveries.map(({ contract, buyer, energyWh, amountMicroNok }) => [contract, buyer, energyWh, amountMicroNok]),
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("settled"),
			natural,
			natural,
			natural,
			v.array(
				v.pipe(
					v.strictTuple([natural, natural, natural, natural]),
					v.transform(([contract, buyer, energyWh, amountMicroNok]) => ({ contract, buyer, energyWh, amountMicroNok })),
				),
			),
		]),
		v.transform(([, seller, minute, availableWh, deliveries]) => ({ seller, minute, availableWh, deliveries })),
	),
};

/** One household's share of a matched interval: it tells of nobody else's. */
export interface IntervalShare extends MatchedShare {
	readonly fromMinute: number;
	readonly untilMinute: number;
	readonly choice: MarketChoice;
	/** Undefined: not all of the interval traded at one price. */
	readonly priceMicroNokPerWh: number | undefined;
}

/** The shares of an interval, in the order of their leaves. */
export function sharesOf({ shares, ...interval }: MatchedInterval): IntervalShare[] {
	return shares.map((share) => ({ ...interval, ...share }));
}

export function shareLeafHash(share: IntervalShare): Uint8Array {
	return merkleLeaf(encode(SHARE_LEAF.fields(share)));
}

const choiceField = oneOf(MARKET_CHOICES);

export const SHARE_LEAF: LeafCodec<IntervalShare> = {
	fields: (share) => [
		"matched",
		share.fromMinute,
		share.untilMinute,
		choiceField.write(share.choice),
		share.priceMicroNokPerWh === undefined ? [] : [share.priceMicroNokPerWh],
		share.household,
		share.boughtWh,
		share.paidMicroNok,
		share.soldWh,
		share.earnedMicroNok,
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("matched"),
			natural,
			natural,
			choiceField.shape,
			v.union([v.strictTuple([]), v.strictTuple([natural])]),
			natural,
			natural,
			natural,
			natural,
			natural,
		]),
		v.transform(
			([, fromMinute, untilMinute, choice, [price], household, boughtWh, paidMicroNok, soldWh, earnedMicroNok]) => {
				const interval = { fromMinute, untilMinute, choice, priceMicroNokPerWh: price };
				return { ...interval, household, boughtWh, paidMicroNok, soldWh, earnedMicroNok };
			},
		),
	),
};

function restFields(rest: MinuteRest): CborValue {
	return ["rest", rest.household, rest.minute, rest.importWh, rest.exportWh];
}
