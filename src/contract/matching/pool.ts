/** Asks and bids that trade at one price: how much changes hands, and whose it is. Nobody trades with itself. */
import { add, subtract } from "../../primitives/units.js";
import { allocate } from "../allocation.js";
import { type Portion, sumOf } from "./orders.js";

/** What a pool trades: Σ sold = Σ bought = volume. */
export interface Pooled {
	readonly volumeWh: number;
	/** One for each ask, in the asks' order; some may be of 0 Wh. */
	readonly sold: readonly Portion[];
	/** One for each bid, likewise. */
	readonly bought: readonly Portion[];
}

/**
 * Trades as much as can be traded without a household buying its own energy, each side pro rata to its orders by
 * largest remainder, ties to the lower household index. Both sides by household ascending, at most one order each.
 * Pro rata to the orders as they are, however far they exceed the other side: so nine tenths of the surplus are nine
 * tenths of what is sold, and average prices come out as in the paper on the mid-market rate.
 *
 * The result can always be carried out in pairs of two different households. Say household h sells s_h and buys d_h, V
 * is the volume, S and D are the orders. By Hall's theorem such pairs exist if and only if s_h + d_h ≤ V for every h: two
 * sellers together reach every buyer, one alone all but itself, and these have to buy V − d_h ≥ s_h. Pro rata shares
 * break this for one household h at most, since all s_h + d_h add up to 2V. It is held to what the others want and have,
 * s_h ≤ ΣD − D_h and d_h ≤ ΣS − S_h, and the others share the rest:
 * - If V = ΣD, everybody buys all it wants and s_h = V − D_h. The others sell D_h, which they have, as V is not more than
 *   ΣS + ΣD − S_h − D_h. For any other j, s_j + d_j ≤ D_h + D_j ≤ V. If V = ΣS, the same with the sides exchanged.
 * - Else V = ΣS + ΣD − S_g − D_g for some g. The others sell ΣS − S_g at most and buy ΣD − D_g at most, so s_g + d_g ≥ V,
 *   and more than V unless they sell and buy all of it. So h = g, and holding it leaves them just that.
 */
export function pool(asks: readonly Portion[], bids: readonly Portion[]): Pooled {
	const supplyWh = sumOf(asks);
	const demandWh = sumOf(bids);
	const bothSided = findBothSided(asks, bids);
	const volumeWh = poolVolume(supplyWh, demandWh, largest(bothSided.map((both) => add(both.askWh, both.bidWh))));
	const shareOut = (side: readonly Portion[], held?: { at: number; shareWh: number }) => {
		const wantedWh = side.map(({ energyWh }) => energyWh);
		return held === undefined ? allocate(volumeWh, wantedWh) : allocateBeside(volumeWh, wantedWh, held);
	};
	let soldWh = shareOut(asks);
	let boughtWh = shareOut(bids);
	const own = bothSided.find(({ ask, bid }) => add(soldWh[ask] ?? 0, boughtWh[bid] ?? 0) > volumeWh);
	if (own !== undefined) {
		soldWh = shareOut(asks, { at: own.ask, shareWh: Math.min(own.askWh, subtract(demandWh, own.bidWh)) });
		boughtWh = shareOut(bids, { at: own.bid, shareWh: Math.min(own.bidWh, subtract(supplyWh, own.askWh)) });
	}
	return { volumeWh, sold: portions(asks, soldWh), bought: portions(bids, boughtWh) };
}

/**
 * The most that can be traded without anybody buying its own energy: min(ΣS, ΣD, ΣS + ΣD − max_h(S_h + D_h)), all Wh.
 * It is the maximum flow from all asks to all bids except one's own, which is the minimum cut (Ford and Fulkerson 1956):
 * of the asks that a cut leaves, two reach all bids, so it takes all bids; one reaches all but its own household's, so
 * it takes all other asks and all other bids; none, and it takes all asks. Who joins a pool never makes it smaller.
 *
 * @param largestBothWh the largest ask and bid together of one household that has both; 0 if none has
 */
export function poolVolume(supplyWh: number, demandWh: number, largestBothWh: number): number {
	return Math.min(supplyWh, demandWh, subtract(add(supplyWh, demandWh), largestBothWh));
}

/** A household on both sides: where its orders stand, and how large they are. */
interface BothSided {
	readonly ask: number;
	readonly bid: number;
	readonly askWh: number;
	readonly bidWh: number;
}

function findBothSided(asks: readonly Portion[], bids: readonly Portion[]): BothSided[] {
	const found: BothSided[] = [];
	let bid = 0;
	for (const [ask, { household, energyWh }] of asks.entries()) {
		while ((bids[bid]?.household ?? household) < household) bid++;
		const own = bids[bid];
		if (own?.household === household) found.push({ ask, bid, askWh: energyWh, bidWh: own.energyWh });
	}
	return found;
}

/** One entry has its share, the others have the rest. */
function allocateBeside(
	availableWh: number,
	wantedWh: readonly number[],
	{ at, shareWh }: { at: number; shareWh: number },
): number[] {
	return allocate(subtract(availableWh, shareWh), wantedWh.with(at, 0)).with(at, shareWh);
}

function portions(side: readonly Portion[], sharesWh: readonly number[]): Portion[] {
	return side.map(({ household }, at) => ({ household, energyWh: sharesWh[at] ?? 0 }));
}

function largest(energiesWh: readonly number[]): number {
	return energiesWh.reduce((most, energyWh) => Math.max(most, energyWh), 0);
}
