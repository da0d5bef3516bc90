/** What a block settled, as leaves of a tree of its own, whose root is the first leaf of the state root. */
import * as v from "valibot";
import { natural } from "../block/fieldShapes.js";
import { MARKET_CHOICES } from "../block/kinds/trading.js";
import { merkleLeaf, rememberingMerkleRoot } from "../block/merkle.js";
import { type CborValue, encode } from "../primitives/codec.js";
import type { MatchedInterval } from "./automaticMarket.js";
import type { LeafCodec } from "./leafCodec.js";
import type { MatchedShare } from "./matching/shares.js";
import type { MinuteRest } from "./minuteRests.js";
import type { SettledMinute, SettlementResults } from "./settlement.js";

/** Root over a block's results. */
export function resultsRoot(results: SettlementResults): Uint8Array {
	return rememberingMerkleRoot(resultLeafHashes(results));
}

const leaves = new WeakMap<SettlementResults, readonly Uint8Array[]>();

/**
 * A leaf per settled minute, then one per rest, then one per share of a matched interval: remembered, since proofs are made
 * from them as well.
 */
export function resultLeafHashes(results: SettlementResults): readonly Uint8Array[] {
	const known = leaves.get(results);
	if (known !== undefined) return known;
	const { settled, rests, matched } = results;
	const hashes = [
		...settled.map(settledLeafHash),
		...rests.map((rest) => merkleLeaf(encode(restFields(rest)))),
		...matched.flatMap((interval) => interval.shares.map((share) => matchedLeafHash(interval, share))),
	];
	leaves.set(results, hashes);
	return hashes;
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

/** One household's share of an interval: it tells of nobody else's. */
export function matchedLeafHash(interval: MatchedInterval, share: MatchedShare): Uint8Array {
	return merkleLeaf(encode(matchedFields(interval, share)));
}

function matchedFields(
	{ fromMinute, untilMinute, choice, priceMicroNokPerWh }: MatchedInterval,
	{ household, boughtWh, paidMicroNok, soldWh, earnedMicroNok }: MatchedShare,
): CborValue {
	return [
		"matched",
		fromMinute,
		untilMinute,
		MARKET_CHOICES.indexOf(choice),
		priceMicroNokPerWh === undefined ? [] : [priceMicroNokPerWh],
		household,
		boughtWh,
		paidMicroNok,
		soldWh,
		earnedMicroNok,
	];
}

function restFields(rest: MinuteRest): CborValue {
	return ["rest", rest.household, rest.minute, rest.importWh, rest.exportWh];
}
