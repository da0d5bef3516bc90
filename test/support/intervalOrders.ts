/** Random markets of an interval: small ones, in which everything happens often, and large ones, at the bounds. */
import fc from "fast-check";
import { type Ask, type Bid, type IntervalOrders, MAX_ORDER_WH } from "../../src/contract/matching/orders.js";
import { MAX_PRICE_MICRO_NOK_PER_WH } from "../../src/primitives/units.js";

/** Without fees, and a gain of 800 µNOK/Wh between neighbours unless something else is said. */
export function market(
	asks: readonly Ask[],
	bids: readonly Bid[],
	prices: Partial<IntervalOrders> = {},
): IntervalOrders {
	return {
		asks,
		bids,
		retailMicroNokPerWh: 1_400,
		feedInMicroNokPerWh: 600,
		localFeeMicroNokPerWh: 0,
		...prices,
	};
}

export const ask = (household: number, energyWh: number, limitMicroNokPerWh = 1): Ask => ({
	household,
	energyWh,
	limitMicroNokPerWh,
});

export const bid = (
	household: number,
	energyWh: number,
	limitMicroNokPerWh = MAX_PRICE_MICRO_NOK_PER_WH,
	payableMicroNok = Number.MAX_SAFE_INTEGER,
): Bid => ({ household, energyWh, limitMicroNokPerWh, payableMicroNok });

interface Scale {
	energyWh: number;
	/** Limits and prices lie this far above the lowest at most. */
	spreadMicroNokPerWh: number;
	lowestMicroNokPerWh: number;
}

const mostly = (value: number, other: fc.Arbitrary<number>) =>
	fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other });

/** A household has surplus, need, both or neither; `sides`: of one kind only. */
function household({ energyWh, spreadMicroNokPerWh, lowestMicroNokPerWh }: Scale, sides: "any" | "one") {
	const limit = fc.integer({ min: lowestMicroNokPerWh, max: lowestMicroNokPerWh + spreadMicroNokPerWh });
	const energy = fc.oneof(fc.nat(energyWh), fc.constant(energyWh), fc.constantFrom(0, 1, 2));
	const terms = fc.record({
		kind: fc.constantFrom(...(sides === "one" ? ["ask", "bid"] : ["ask", "bid", "both", "both", "neither"])),
		askWh: energy,
		askLimit: fc.oneof(limit, fc.constant(lowestMicroNokPerWh)),
		bidWh: energy,
		bidLimit: fc.oneof(limit, fc.constant(lowestMicroNokPerWh + spreadMicroNokPerWh)),
		/** In Wh at the highest limit: too little, enough, or more than ever. */
		fundsWh: mostly(2 * energyWh, fc.nat(energyWh)),
		odd: fc.nat(lowestMicroNokPerWh),
	});
	return terms.map(({ kind, askWh, askLimit, bidWh, bidLimit, fundsWh, odd }) => ({
		ask: kind === "ask" || kind === "both" ? { energyWh: askWh, limitMicroNokPerWh: askLimit } : undefined,
		bid:
			kind === "bid" || kind === "both"
				? {
						energyWh: bidWh,
						limitMicroNokPerWh: bidLimit,
						payableMicroNok: fundsWh * (lowestMicroNokPerWh + spreadMicroNokPerWh) + odd,
					}
				: undefined,
	}));
}

const scale = fc.oneof(
	fc.record({
		energyWh: fc.constantFrom(3, 12, 1_000),
		spreadMicroNokPerWh: fc.constantFrom(2, 8, 20),
		lowestMicroNokPerWh: fc.constant(1),
	}),
	fc.record({
		energyWh: fc.constantFrom(1_000_000, MAX_ORDER_WH),
		spreadMicroNokPerWh: fc.constantFrom(2, 15),
		lowestMicroNokPerWh: fc.integer({ min: 1, max: MAX_PRICE_MICRO_NOK_PER_WH - 15 }),
	}),
);

/** Any market of up to seven households, or only those in which nobody has both sides. */
export function anyMarket(sides: "any" | "one" = "any"): fc.Arbitrary<IntervalOrders> {
	return scale.chain((of) => {
		const price = fc.integer({ min: of.lowestMicroNokPerWh - 1, max: of.lowestMicroNokPerWh + of.spreadMicroNokPerWh });
		return fc
			.record({
				households: fc.oneof(
					{ weight: 9, arbitrary: fc.array(household(of, sides), { minLength: 2, maxLength: 7, size: "max" }) },
					{ weight: 1, arbitrary: fc.array(household(of, sides), { maxLength: 2 }) },
				),
				gap: fc.integer({ min: 1, max: 7 }),
				retailMicroNokPerWh: mostly(of.lowestMicroNokPerWh + of.spreadMicroNokPerWh, price),
				feedInMicroNokPerWh: mostly(of.lowestMicroNokPerWh - 1, price),
				localFeeMicroNokPerWh: fc.constantFrom(0, 0, 1, 3),
			})
			.map(({ households, gap, ...prices }) => ({
				asks: households.flatMap(({ ask }, at) => (ask === undefined ? [] : { household: at * gap, ...ask })),
				bids: households.flatMap(({ bid }, at) => (bid === undefined ? [] : { household: at * gap, ...bid })),
				...prices,
			}));
	});
}
