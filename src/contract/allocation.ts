/** Sharing out: what there is too little of is divided in whole Wh, and nothing is created or lost by rounding. */
import { add, multiplyDivide, subtract } from "../primitives/units.js";

/**
 * Shares available energy out: all that is wanted if it suffices, else pro rata by largest remainder, ties to the
 * earlier entry. Nothing is created or lost by rounding. All Wh, integers ≥ 0.
 */
export function allocate(availableWh: number, wantedWh: readonly number[]): number[] {
	const sumWh = wantedWh.reduce(add, 0);
	if (sumWh <= availableWh) return [...wantedWh];
	const quotas = wantedWh.map((wanted) => multiplyDivide(availableWh, wanted, sumWh));
	const shares = quotas.map((quota) => quota.quotient);
	let leftWh = subtract(availableWh, shares.reduce(add, 0));
	const byRemainder = quotas
		.map((quota, at) => ({ at, remainder: quota.remainder }))
		.sort((a, b) => b.remainder - a.remainder || a.at - b.at);
	for (const { at } of byRemainder) {
		if (leftWh === 0) break;
		shares[at] = add(shares[at] ?? 0, 1);
		leftWh -= 1;
	}
	return shares;
}
