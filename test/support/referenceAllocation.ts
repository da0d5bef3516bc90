/** Sharing out once more, in bigints and Wh by Wh. */
export const least = (...values: bigint[]) => values.sort((a, b) => (a < b ? -1 : 1))[0] ?? 0n;
export const sum = (values: readonly bigint[]) => values.reduce((a, b) => a + b, 0n);

/**
 * Settlement rule 2, Wh by Wh: everybody gets the whole part of its share, and what is left goes one by one to the
 * largest fraction that has not had one, the older contract first.
 */
export function referenceAllocation(availableWh: bigint, wantedWh: readonly bigint[]): bigint[] {
	const all = sum(wantedWh);
	if (all <= availableWh) return [...wantedWh];
	const shares = wantedWh.map((wanted) => (availableWh * wanted) / all);
	const served = new Set<number>();
	while (sum(shares) < availableWh) {
		let best = -1;
		for (let at = 0; at < wantedWh.length; at++) {
			if (served.has(at)) continue;
			const fraction = (availableWh * (wantedWh[at] ?? 0n)) % all;
			const bestFraction = best < 0 ? -1n : (availableWh * (wantedWh[best] ?? 0n)) % all;
			if (fraction > bestFraction) best = at;
		}
		served.add(best);
		shares[best] = (shares[best] ?? 0n) + 1n;
	}
	return shares;
}
