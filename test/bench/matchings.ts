/** What matching an interval costs under each rule, and a year of quarter hours under the default one. */
import { performance } from "node:perf_hooks";
import { MATCHING_RULES, type MatchingRule } from "../../src/block/kinds/trading.js";
import { match } from "../../src/contract/matching/match.js";
import type { IntervalOrders } from "../../src/contract/matching/orders.js";
import type { Figure } from "./bench.js";

const HOUSEHOLDS = 100;
const INTERVALS_PER_DAY = 96;
const MEASURED_INTERVALS = 500;
const ROUNDS = 10;

/**
 * An interval of 100 households around the mid-market rate. In turn they have surplus or need, as people take a few round
 * prices for limits; or all have both, and no two of a side the same limit.
 */
function street(kind: "typical" | "worst"): IntervalOrders {
	const isWorst = kind === "worst";
	const households = Array.from({ length: HOUSEHOLDS }, (_, household) => household);
	const stepOf = (household: number, factor: number) =>
		isWorst ? (factor * household) % HOUSEHOLDS : 25 * (household % 4);
	return {
		asks: households
			.filter((household) => isWorst || household % 2 === 0)
			.map((household) => ({
				household,
				energyWh: 100 + ((7_919 * household) % 900),
				limitMicroNokPerWh: 900 + stepOf(household, 37),
			})),
		bids: households
			.filter((household) => isWorst || household % 2 === 1)
			.map((household) => ({
				household,
				energyWh: 100 + ((104_729 * household) % 1_100),
				limitMicroNokPerWh: 1_000 + stepOf(household, 53),
				payableMicroNok: 1_000_000_000,
			})),
		retailMicroNokPerWh: 1_450,
		feedInMicroNokPerWh: 600,
		localFeeMicroNokPerWh: 50,
	};
}

/** The best of some rounds: the machine's noise only ever slows. */
function msPerInterval(rule: MatchingRule, orders: IntervalOrders): number {
	let bestMs = Number.POSITIVE_INFINITY;
	for (let i = 0; i < MEASURED_INTERVALS; i++) match(rule, orders);
	for (let round = 0; round < ROUNDS; round++) {
		const begin = performance.now();
		for (let i = 0; i < MEASURED_INTERVALS; i++) match(rule, orders);
		bestMs = Math.min(bestMs, performance.now() - begin);
	}
	return bestMs / MEASURED_INTERVALS;
}

export function matchings(): Figure[] {
	const figures: Figure[] = MATCHING_RULES.flatMap((rule) => {
		const typicalMs = msPerInterval(rule, street("typical"));
		const worstMs = msPerInterval(rule, street("worst"));
		const name = `match, ${HOUSEHOLDS} households, ${rule}`;
		return [
			{ name, value: typicalMs, unit: "ms/interval" },
			{
				name: `${name}, all limits differ`,
				value: worstMs,
				unit: "ms/interval",
				ratio: { value: worstMs / typicalMs, to: "few limits" },
			},
		];
	});
	return [...figures, { name: `match, ${HOUSEHOLDS} households, midMarket, a year`, value: yearSeconds(), unit: "s" }];
}

/** The default rule over a whole year, once: a day's intervals of different energies, as often as there are days. */
function yearSeconds(): number {
	const { asks, bids, ...prices } = street("typical");
	const day = Array.from({ length: INTERVALS_PER_DAY }, (_, interval): IntervalOrders => {
		const shifted = <Order extends { energyWh: number }>(order: Order): Order => ({
			...order,
			energyWh: (order.energyWh + 31 * interval) % 1_000,
		});
		return { asks: asks.map(shifted), bids: bids.map(shifted), ...prices };
	});
	const begin = performance.now();
	for (let days = 0; days < 365; days++) for (const orders of day) match("midMarket", orders);
	return (performance.now() - begin) / 1_000;
}
