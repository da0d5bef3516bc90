/**
 * The rules of the interval's market once more: written from their description and not from the code, slow, without any
 * cleverness, in bigints. What can be traded is found by handing energy over along one path after another, and the
 * uniform price by trying every price. The matching must agree with it.
 */
import type { MatchingRule } from "../../src/block/kinds/trading.js";
import type { Ask, Bid, IntervalOrders } from "../../src/contract/matching/orders.js";
import { least, referenceAllocation } from "./referenceAllocation.js";

export interface ReferenceShare {
	household: number;
	boughtWh: bigint;
	paid: bigint;
	soldWh: bigint;
	earned: bigint;
}

export interface ReferenceMatching {
	price: bigint | undefined;
	shares: ReferenceShare[];
}

/** Energy by household; who is not in it has none. */
type Energies = Map<number, bigint>;

const sum = (energies: Energies) => [...energies.values()].reduce((a, b) => a + b, 0n);
const energyOf = (energies: Energies, household: number) => energies.get(household) ?? 0n;
const energiesOf = (orders: readonly { household: number; energyWh: number }[]): Energies =>
	new Map(orders.map(({ household, energyWh }) => [household, BigInt(energyWh)]));

/** The most that can be handed from sellers to buyers when nobody hands anything to itself: its maximum flow. */
export function mostHandedOver(selling: Energies, buying: Energies): bigint {
	const left = new Map<string, bigint>();
	const nodes = ["source", "sink"];
	for (const [seller, energy] of selling) {
		nodes.push(`from ${seller}`);
		left.set(`source>from ${seller}`, energy);
		for (const buyer of buying.keys()) if (buyer !== seller) left.set(`from ${seller}>to ${buyer}`, energy);
	}
	for (const [buyer, energy] of buying) {
		nodes.push(`to ${buyer}`);
		left.set(`to ${buyer}>sink`, energy);
	}
	const leftOf = (from: string, to: string) => left.get(`${from}>${to}`) ?? 0n;
	let handedOver = 0n;
	for (;;) {
		const path = shortestPath(nodes, leftOf);
		if (path === undefined) return handedOver;
		const steps = path.slice(1).map((to, at) => [path[at] ?? "", to] as const);
		const most = least(...steps.map(([from, to]) => leftOf(from, to)));
		for (const [from, to] of steps) {
			left.set(`${from}>${to}`, leftOf(from, to) - most);
			left.set(`${to}>${from}`, leftOf(to, from) + most);
		}
		handedOver += most;
	}
}

function shortestPath(nodes: readonly string[], leftOf: (from: string, to: string) => bigint): string[] | undefined {
	const waiting = [["source"]];
	const seen = new Set(["source"]);
	for (const path of waiting) {
		const from = path.at(-1) ?? "";
		if (from === "sink") return path;
		for (const to of nodes) {
			if (seen.has(to) || leftOf(from, to) === 0n) continue;
			seen.add(to);
			waiting.push([...path, to]);
		}
	}
	return undefined;
}

interface Pooled {
	sold: Energies;
	bought: Energies;
}

/**
 * As much as can be handed over, each side pro rata. Where that cannot be handed over, somebody would have to trade with
 * itself: it gets what the others want and have, and they share the rest pro rata.
 */
function poolOf(selling: Energies, buying: Energies): Pooled {
	const volume = mostHandedOver(selling, buying);
	const proRata = { sold: sharedOut(volume, selling), bought: sharedOut(volume, buying) };
	if (mostHandedOver(proRata.sold, proRata.bought) === volume) return proRata;
	for (const household of selling.keys()) {
		const othersBuy = volume - energyOf(proRata.bought, household);
		if (energyOf(proRata.sold, household) <= othersBuy) continue;
		const beside = (own: Energies, others: Energies): Energies => {
			const share = least(energyOf(own, household), sum(others) - energyOf(others, household));
			const rest = new Map([...own].filter(([other]) => other !== household));
			return new Map([...sharedOut(volume - share, rest), [household, share]]);
		};
		const held = { sold: beside(selling, buying), bought: beside(buying, selling) };
		if (mostHandedOver(held.sold, held.bought) !== volume) throw new Error("cannot be handed over");
		return held;
	}
	throw new Error("nobody stands in its own way");
}

function sharedOut(volume: bigint, energies: Energies): Energies {
	const shares = referenceAllocation(volume, [...energies.values()]);
	return new Map([...energies.keys()].map((household, at) => [household, shares[at] ?? 0n]));
}

export function referenceMatch(rule: MatchingRule, orders: IntervalOrders): ReferenceMatching {
	switch (rule) {
		case "midMarket":
			return posted(orders, (ceiling, feedIn) => (ceiling + feedIn) / 2n);
		case "balance":
			return posted(orders, (ceiling, feedIn) => {
				const supply = sum(energiesOf(orders.asks));
				const demand = sum(energiesOf(orders.bids));
				if (supply + demand === 0n) return 0n;
				return (feedIn * (supply + demand) + (ceiling - feedIn) * demand) / (supply + demand);
			});
		case "uniform":
			return uniform(orders).matching;
		case "pairwise":
			return pairwise(orders);
	}
}

function posted(orders: IntervalOrders, priceOf: (ceiling: bigint, feedIn: bigint) => bigint): ReferenceMatching {
	const ceiling = BigInt(orders.retailMicroNokPerWh) - BigInt(orders.localFeeMicroNokPerWh);
	const feedIn = BigInt(orders.feedInMicroNokPerWh);
	if (ceiling < feedIn) return added([]);
	const price = priceOf(ceiling, feedIn);
	if (price < 1n) return added([]);
	const funded = orders.bids.map((bid) => affordable(bid, price));
	return added([{ price, ...poolOf(...takingPart(orders.asks, funded, price)) }]);
}

function affordable(bid: Bid, price: bigint): Bid {
	const affordableWh = BigInt(bid.payableMicroNok) / price;
	return affordableWh < BigInt(bid.energyWh) ? { ...bid, energyWh: Number(affordableWh) } : bid;
}

function takingPart(asks: readonly Ask[], bids: readonly Bid[], price: bigint): [Energies, Energies] {
	return [
		energiesOf(asks.filter((ask) => BigInt(ask.limitMicroNokPerWh) <= price)),
		energiesOf(bids.filter((bid) => BigInt(bid.limitMicroNokPerWh) >= price)),
	];
}

/** Also says between which prices the lowest run lies. */
export function uniform(orders: IntervalOrders): { matching: ReferenceMatching; run: [bigint, bigint] | undefined } {
	const bids = orders.bids.map((bid) => affordable(bid, BigInt(bid.limitMicroNokPerWh)));
	const limits = [...orders.asks, ...bids].map((order) => order.limitMicroNokPerWh);
	let most = 0n;
	let run: [bigint, bigint] | undefined;
	for (let price = Math.min(...limits); price <= Math.max(...limits); price++) {
		const volume = mostHandedOver(...takingPart(orders.asks, bids, BigInt(price)));
		if (volume > most) {
			most = volume;
			run = [BigInt(price), BigInt(price)];
		} else if (volume === most && run?.[1] === BigInt(price - 1)) run[1] = BigInt(price);
	}
	if (run === undefined) return { matching: added([]), run };
	const price = (run[0] + run[1]) / 2n;
	return { matching: added([{ price, ...poolOf(...takingPart(orders.asks, bids, price)) }]), run };
}

function pairwise(orders: IntervalOrders): ReferenceMatching {
	const bids = orders.bids.map((bid) => affordable(bid, BigInt(bid.limitMicroNokPerWh)));
	const selling = energiesOf(orders.asks);
	const buying = energiesOf(bids);
	const limitsOf = (side: readonly (Ask | Bid)[]) => [...new Set(side.map((order) => order.limitMicroNokPerWh))];
	const meetings = limitsOf(bids)
		.flatMap((bidLimit) => limitsOf(orders.asks).map((askLimit) => ({ bidLimit, askLimit })))
		.filter(({ bidLimit, askLimit }) => askLimit <= bidLimit)
		.sort((a, b) => b.bidLimit - a.bidLimit || a.askLimit - b.askLimit);
	const trades = meetings.map(({ bidLimit, askLimit }) => {
		const leftOf = (side: readonly (Ask | Bid)[], left: Energies, limit: number): Energies =>
			new Map(
				side
					.filter((order) => order.limitMicroNokPerWh === limit)
					.map(({ household }) => [household, energyOf(left, household)]),
			);
		const pooled = poolOf(leftOf(orders.asks, selling, askLimit), leftOf(bids, buying, bidLimit));
		for (const [household, energy] of pooled.sold) selling.set(household, energyOf(selling, household) - energy);
		for (const [household, energy] of pooled.bought) buying.set(household, energyOf(buying, household) - energy);
		return { price: (BigInt(bidLimit) + BigInt(askLimit)) / 2n, ...pooled };
	});
	return added(trades);
}

function added(trades: readonly (Pooled & { price: bigint })[]): ReferenceMatching {
	const households = new Set(trades.flatMap(({ sold, bought }) => [...sold.keys(), ...bought.keys()]));
	const shares = [...households]
		.sort((a, b) => a - b)
		.map((household) => {
			const share: ReferenceShare = { household, boughtWh: 0n, paid: 0n, soldWh: 0n, earned: 0n };
			for (const { price, sold, bought } of trades) {
				share.boughtWh += energyOf(bought, household);
				share.paid += energyOf(bought, household) * price;
				share.soldWh += energyOf(sold, household);
				share.earned += energyOf(sold, household) * price;
			}
			return share;
		})
		.filter(({ boughtWh, soldWh }) => boughtWh + soldWh > 0n);
	const prices = new Set(trades.filter(({ sold }) => sum(sold) > 0n).map(({ price }) => price));
	return { price: prices.size === 1 ? [...prices][0] : undefined, shares };
}
