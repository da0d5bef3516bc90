/** What stands in a genesis only, and the households' yes to one that goes on from an older chain. */
import * as v from "valibot";
import type { CborValue } from "../../primitives/codec.js";
import {
	CENTRAL_EUROPEAN_TIME,
	type LocalTimeRule,
	MAX_OFFSET_MINUTES,
	MIN_OFFSET_MINUTES,
} from "../../primitives/localTime.js";
import { MINUTES_PER_HOUR, MS_PER_MINUTE } from "../../primitives/units.js";
import * as shapes from "../fieldShapes.js";
import { id, member, name, omittable, oneOf, plain, tariffPrice } from "./fields.js";
import { type Kind, kindOf, type TransactionOf } from "./kind.js";
import { MARKET_CHOICES, type MarketChoice } from "./trading.js";

/** Seldom enough that keeping the state costs little, often enough that starting from it is quick. */
const MIN_CHECKPOINT_BLOCKS = 10;
const MAX_CHECKPOINT_BLOCKS = 100_000;

/** A divisor of the minute, so that a minute's end is a slot's beginning. */
const blockInterval = v.pipe(
	shapes.integer(1_000, MS_PER_MINUTE),
	v.check((intervalMs) => MS_PER_MINUTE % intervalMs === 0),
);

/** What a neighbourhood's time runs by, and what tells it from others: nothing changes it. */
const pace = {
	/** A block for each such interval of chain time; divides a minute. */
	blockIntervalMs: plain(blockInterval),
	settlementGraceBlocks: plain(shapes.integer(0, 100_000)),
	readingWindowBlocks: plain(shapes.integer(1, 1_000_000)),
	/** A checkpoint for so many counted blocks: a day of minutes by default. */
	checkpointBlocks: plain(shapes.integer(MIN_CHECKPOINT_BLOCKS, MAX_CHECKPOINT_BLOCKS)),
	/** How much faster than the world the chain's clock runs; not 1: a demo. */
	timeScale: plain(shapes.integer(1, 10_000)),
	/** 16 random bytes: two neighbourhoods of one name founded at one instant are two. */
	salt: plain(shapes.bytes(16)),
};

export const MONEY_KINDS = ["trial", "prepaid", "monthly"] as const;
export type MoneyKind = (typeof MONEY_KINDS)[number];
/** Kinds whose tokens are worth NOK. */
export type RealMoneyKind = Exclude<MoneyKind, "trial">;
/** The same by their places in `MONEY_KINDS`. */
export const realMoneyShape: v.GenericSchema<unknown, RealMoneyKind> = v.pipe(
	shapes.integer(1, MONEY_KINDS.length - 1),
	v.transform((at) => MONEY_KINDS[at] as RealMoneyKind),
);

/** What chains are founded on that earlier ones were not. */
export interface FoundingTerms {
	/** By which the hours of offers and the days of statements go. */
	readonly localTime: LocalTimeRule;
	/** The market that trades by itself; undefined: an operator may begin one later. */
	readonly market: FoundingMarket | undefined;
}

export interface FoundingMarket {
	readonly choice: MarketChoice;
	/** An hour is a whole number of intervals. */
	readonly intervalMinutes: number;
	/** Whether a household buys there in minutes in which a contract of its own sells to it. */
	readonly buysUnderContract: boolean;
}

/** As a positional list, which grows at its end. */
export function termsFields({ localTime, market }: FoundingTerms): CborValue[] {
	const time = [localTime.offsetMinutes, localTime.summerTime ? 1 : 0];
	if (market === undefined) return time;
	return [...time, MARKET_CHOICES.indexOf(market.choice), market.intervalMinutes, market.buysUnderContract ? 1 : 0];
}

const localTimeShapes = [shapes.integer(MIN_OFFSET_MINUTES, MAX_OFFSET_MINUTES), shapes.flag] as const;
const intervalMinutes = v.pipe(
	shapes.integer(1, MINUTES_PER_HOUR),
	v.check((minutes) => MINUTES_PER_HOUR % minutes === 0),
);

export const termsShape: v.GenericSchema<unknown, FoundingTerms> = v.pipe(
	v.union([
		v.strictTuple(localTimeShapes),
		v.strictTuple([...localTimeShapes, v.picklist(MARKET_CHOICES.map((_, at) => at)), intervalMinutes, shapes.flag]),
	]),
	v.transform(
		([offsetMinutes, summerTime, choice, interval, buysUnderContract]): FoundingTerms => ({
			localTime: { offsetMinutes, summerTime },
			market:
				choice === undefined || interval === undefined || buysUnderContract === undefined
					? undefined
					: { choice: MARKET_CHOICES[choice] ?? "none", intervalMinutes: interval, buysUnderContract },
		}),
	),
);

/** First transaction of genesis, by the founder (member 0). */
export const FOUND = kindOf("found", {
	name,
	moneyKind: oneOf(MONEY_KINDS),
	retailMicroNokPerWh: tariffPrice,
	feedInMicroNokPerWh: tariffPrice,
	localFeeMicroNokPerWh: tariffPrice,
	...pace,
	/** Undefined: the chain was founded before there were any. */
	terms: omittable<FoundingTerms>({ shape: termsShape, write: termsFields }),
});
export type FoundTransaction = TransactionOf<typeof FOUND>;
/** What a neighbourhood is founded on; money kind and prices change by the rules only. */
export type FoundingParameters = Omit<FoundTransaction, "kind" | "signature">;

/** How the clocks of a neighbourhood go: where it was founded before that was said, as in Norway. */
export function localTimeOf({ terms }: Pick<FoundingParameters, "terms">): LocalTimeRule {
	return terms?.localTime ?? CENTRAL_EUROPEAN_TIME;
}

/** Where the new chain begins: the last certified block of the old one, with all of its state. */
const predecessor = {
	/** The old neighbourhood's grid id (32 bytes). */
	gridId: id,
	/** Its genesis block's timestamp, ms. */
	genesisTimestampMs: plain(shapes.timestampMs),
	/** The certified block's header, encoded as it is hashed. */
	header: plain(shapes.blob),
	/** The certificate for that very block, encoded as it is sent. */
	certificate: plain(shapes.blob),
	/** Preimages of the leaves of the block's state root, in their order. */
	leaves: plain<readonly Uint8Array[]>(v.array(shapes.blob)),
};

/** The old state travels in the genesis, whose block may be longer than any other (`MAX_GENESIS_BYTES`). */
const FLAT_REFOUND = kindOf("refound", {
	/** Member index of the household that proposes it. */
	member,
	/** The new genesis block's timestamp. */
	timestampMs: plain(shapes.timestampMs),
	/** Device indices of those who vote from then on, ascending. */
	voters: plain<readonly number[]>(v.array(shapes.deviceIndex)),
	name,
	...pace,
	...predecessor,
});
type FlatRefound = TransactionOf<typeof FLAT_REFOUND>;

export type PredecessorState = Pick<FlatRefound, keyof typeof predecessor>;

/**
 * First transaction of the genesis; by itself, the proposal that households confirm. The parameters are the old chain's,
 * but for the salt.
 */
export type RefoundTransaction = Omit<FlatRefound, keyof PredecessorState> & { predecessor: PredecessorState };

export const REFOUND: Kind<RefoundTransaction> = {
	...FLAT_REFOUND,
	fields: ({ predecessor, ...rest }) => FLAT_REFOUND.fields({ ...rest, ...predecessor }),
	signatures: ({ signature }) => signature,
	read: (wire) => {
		const flat = FLAT_REFOUND.read(wire);
		if (flat === undefined) return undefined;
		const { gridId, genesisTimestampMs, header, certificate, leaves, ...rest } = flat;
		return { ...rest, predecessor: { gridId, genesisTimestampMs, header, certificate, leaves } };
	},
};

/** A household goes over to the new chain. In its genesis, or later in a block. */
export const CONFIRM = kindOf("confirm", {
	member,
	/** Id of the `refound` (32 bytes). */
	proposal: id,
});
export type ConfirmTransaction = TransactionOf<typeof CONFIRM>;

/** Last transaction of the genesis: the proposer closes the list of those who confirmed. */
export const SEAL = kindOf("seal", {
	/** The proposer. */
	member,
	proposal: id,
	/** Hash over the confirmations, signatures included (32 bytes). */
	confirmations: id,
});
export type SealTransaction = TransactionOf<typeof SEAL>;
