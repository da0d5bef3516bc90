/** The market that trades by itself, and the prices that it goes by. */
import * as v from "valibot";
import { MAX_PRICE_MICRO_NOK_PER_WH } from "../../primitives/units.js";
import * as shapes from "../fieldShapes.js";
import { act, flag, minute, oneOf, perhaps, plain } from "./fields.js";
import { type Field, kindOf, type TransactionOf } from "./kind.js";

/** Append only: the place is the number on the wire. The first is the default. */
export const MATCHING_RULES = ["midMarket", "uniform", "pairwise", "balance"] as const;
export type MatchingRule = (typeof MATCHING_RULES)[number];
/** What an operator can choose: a rule, or that nothing is matched. */
export const MARKET_CHOICES = [...MATCHING_RULES, "none"] as const;
export type MarketChoice = (typeof MARKET_CHOICES)[number];

/** A price, or 0: whatever the tariff makes it. */
const limit = plain(shapes.integer(0, MAX_PRICE_MICRO_NOK_PER_WH));

/** A household's standing order: what it would trade at, in every interval from the next one on. */
export const LIMITS = kindOf("limits", {
	...act,
	/** Buys at this price or below; 0: as long as it costs no more than the utility; undefined: it buys nothing. */
	buyBelowMicroNokPerWh: perhaps(limit),
	/** Sells at this price or above; 0: as long as the utility pays no more; undefined: it sells nothing. */
	sellAboveMicroNokPerWh: perhaps(limit),
	/** It buys from neighbours even where that costs more than the utility, up to its own price. */
	paysMoreForLocal: flag,
});
export type LimitsTransaction = TransactionOf<typeof LIMITS>;

/** The operator chooses by which rule the market is matched, from a later interval on. */
export const MARKET = kindOf("market", {
	...act,
	choice: oneOf(MARKET_CHOICES),
	/** First minute of an interval. */
	fromMinute: minute,
});
export type MarketTransaction = TransactionOf<typeof MARKET>;

/** The utility's prices from a minute on, µNOK per Wh. */
export interface TariffStep {
	readonly fromMinute: number;
	readonly retailMicroNokPerWh: number;
	readonly feedInMicroNokPerWh: number;
	readonly localFeeMicroNokPerWh: number;
}

/** Two days of hours, the longer for summer time's end, and the price that holds from then on. */
export const MAX_TARIFF_STEPS = 50;

const tariffPrice = shapes.integer(0, MAX_PRICE_MICRO_NOK_PER_WH);

/** The first with its minute, each later one with its distance from the one before, which takes less room. */
const steps: Field<readonly TariffStep[]> = {
	shape: v.pipe(
		v.array(v.strictTuple([shapes.minute, tariffPrice, tariffPrice, tariffPrice])),
		v.minLength(1),
		v.maxLength(MAX_TARIFF_STEPS),
		v.transform((written) => {
			let fromMinute = 0;
			return written.map(([distance, retail, feedIn, localFee]): TariffStep => {
				fromMinute += distance;
				return {
					fromMinute,
					retailMicroNokPerWh: retail,
					feedInMicroNokPerWh: feedIn,
					localFeeMicroNokPerWh: localFee,
				};
			});
		}),
		v.check((read) => read.every(({ fromMinute }, at) => at === 0 || fromMinute > (read[at - 1]?.fromMinute ?? 0))),
		v.check((read) => v.is(shapes.minute, read.at(-1)?.fromMinute)),
	),
	write: (written) =>
		written.map(({ fromMinute, retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh }, at) => [
			fromMinute - (written[at - 1]?.fromMinute ?? 0),
			retailMicroNokPerWh,
			feedInMicroNokPerWh,
			localFeeMicroNokPerWh,
		]),
};

/** The operator states what the utility takes and pays, in place of all that was stated from the first minute on. */
export const TARIFF = kindOf("tariff", { ...act, steps });
export type TariffTransaction = TransactionOf<typeof TARIFF>;
