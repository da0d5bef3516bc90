/** Where a household's electricity came from, and where it went: neighbours by name, the market, the utility. */
import type { Usage } from "../../node/protocol.js";
import { divideFloor, multiply } from "../../primitives/units.js";

export interface Source {
	/** Member index of a neighbour; "others": neighbours of whom it is not known which (the market has no one partner). */
	readonly of: number | "market" | "utility" | "others";
	readonly energyWh: number;
	/** What was paid for it or earned; absent: the utility's, which is on the household's own bill. */
	readonly amountMicroNok?: number;
	/** Of all that came in, or went out, in tenths of a percent, rounded down. */
	readonly perMille: number;
}

/** By energy, the most first and the utility last; those without any are left out. */
export function sourcesOf({ partners, total }: Usage, direction: "in" | "out"): Source[] {
	const isIn = direction === "in";
	const wholeWh = isIn ? total.importWh : total.exportWh;
	const tradedWh = isIn ? total.boughtWh : total.soldWh;
	const share = (energyWh: number) =>
		wholeWh === 0 ? 0 : Math.min(1000, divideFloor(multiply(energyWh, 1000), wholeWh));
	const named = partners.flatMap(({ other, boughtWh, soldWh, paidMicroNok, earnedMicroNok }): Source[] => {
		const energyWh = isIn ? boughtWh : soldWh;
		const amountMicroNok = isIn ? paidMicroNok : earnedMicroNok;
		return energyWh === 0 ? [] : [{ of: other ?? "market", energyWh, amountMicroNok, perMille: share(energyWh) }];
	});
	const namedWh = named.reduce((sum, { energyWh }) => sum + energyWh, 0);
	// Of a neighbour no partners are shown, and some of one's own may be of days of which the money is not kept.
	const unnamedWh = Math.max(0, tradedWh - namedWh);
	const utilityWh = isIn ? total.fromUtilityWh : total.toUtilityWh;
	const rest: Source[] = [
		{ of: "others", energyWh: unnamedWh, perMille: share(unnamedWh) },
		{ of: "utility", energyWh: utilityWh, perMille: share(utilityWh) },
	];
	const sorted = named.sort((a, b) => b.energyWh - a.energyWh);
	return [...sorted, ...rest.filter(({ energyWh }) => energyWh > 0)];
}
