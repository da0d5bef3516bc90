/**
 * What electricity costs now: what the last settled minute was made of and cost on average, and what the next kWh costs. A
 * neighbour's energy costs what the neighbour is paid, and what the grid takes for it.
 */
import type { StreetView } from "../node/view.js";
import { add, divideFloor, multiply } from "../primitives/units.js";
import { buyingContract } from "./homeFigures.js";

export interface PricePart {
	/** Member index; "rest": what contracts left, for the market or the utility. */
	readonly of: number | "rest";
	readonly energyWh: number;
	readonly priceMicroNokPerWh: number;
}

export interface MinutePrice {
	readonly minute: number;
	readonly averageMicroNokPerWh: number;
	/** The most energy first, the rest last. */
	readonly parts: readonly PricePart[];
	/** The market has not matched it yet: it costs no more than this. */
	readonly isRestOpen: boolean;
}

export type NextPrice =
	/** Under a contract that covered all that was needed in the last minute. */
	| { readonly of: "contract"; readonly seller: number; readonly priceMicroNokPerWh: number }
	/** The contract is paused, its seller had too little, or there is none. */
	| { readonly of: "utility"; readonly why: "paused" | "tooLittle" | "none"; readonly priceMicroNokPerWh: number }
	/** There is sun to spare: what is used is not sold. */
	| { readonly of: "ownSurplus"; readonly priceMicroNokPerWh: number };

/** What the last settled minute cost; absent: nothing came in, or nothing has settled since this device was started. */
export function minutePrice(street: StreetView): MinutePrice | undefined {
	const last = street.lastMinute;
	if (last === undefined || last.importWh === 0) return undefined;
	const fee = street.tariff.localFeeMicroNokPerWh;
	const bought = last.bought
		.map(({ other, energyWh, amountMicroNok }): PricePart => {
			const priceMicroNokPerWh = add(divideFloor(amountMicroNok, energyWh), fee);
			return { of: other, energyWh, priceMicroNokPerWh };
		})
		.sort((a, b) => b.energyWh - a.energyWh);
	const retail = street.ownRetailMicroNokPerWh;
	const rest: PricePart = { of: "rest", energyWh: last.restImportWh, priceMicroNokPerWh: retail };
	const parts = rest.energyWh > 0 ? [...bought, rest] : bought;
	const costMicroNok = parts.reduce((sum, part) => add(sum, multiply(part.energyWh, part.priceMicroNokPerWh)), 0);
	const { automatic } = street.market;
	const isInMarket = automatic.terms?.buyBelowMicroNokPerWh !== undefined && automatic.terms.fromMs === undefined;
	return {
		minute: last.minute,
		averageMicroNokPerWh: rounded(costMicroNok, last.importWh),
		parts,
		isRestOpen: rest.energyWh > 0 && isInMarket && (last.matched?.untilMinute ?? 0) <= last.minute,
	};
}

/** What the next kWh costs, by what the last minute tells. */
export function nextPrice(street: StreetView): NextPrice {
	const { lastMinute: last, ownRetailMicroNokPerWh: retail, tariff } = street;
	if (last !== undefined && last.exportWh > 0 && last.importWh === 0) {
		const isSoldOut = last.restExportWh === 0 && last.sold.length > 0;
		const lowest = Math.min(...last.sold.map(({ energyWh, amountMicroNok }) => divideFloor(amountMicroNok, energyWh)));
		return { of: "ownSurplus", priceMicroNokPerWh: isSoldOut ? lowest : tariff.feedInMicroNokPerWh };
	}
	const contract = buyingContract(street);
	if (contract === undefined) return { of: "utility", why: "none", priceMicroNokPerWh: retail };
	if (contract.state === "paused") return { of: "utility", why: "paused", priceMicroNokPerWh: retail };
	const isCovered = last === undefined || last.restImportWh === 0;
	if (!isCovered) return { of: "utility", why: "tooLittle", priceMicroNokPerWh: retail };
	const priceMicroNokPerWh = add(contract.priceMicroNokPerWh, tariff.localFeeMicroNokPerWh);
	return { of: "contract", seller: contract.seller, priceMicroNokPerWh };
}

/** Of what flows over the meter now, how much is a neighbour's, as the last settled minute went: tenths of a percent. */
export function neighbourPerMille(street: StreetView): { inPerMille: number; outPerMille: number } {
	const last = street.lastMinute;
	const share = (restWh: number, wholeWh: number) =>
		wholeWh === 0 ? 0 : divideFloor(multiply(wholeWh - restWh, 1000), wholeWh);
	return {
		inPerMille: share(last?.restImportWh ?? 0, last?.importWh ?? 0),
		outPerMille: share(last?.restExportWh ?? 0, last?.exportWh ?? 0),
	};
}

/** To the nearest µNOK/Wh. */
function rounded(amountMicroNok: number, energyWh: number): number {
	return divideFloor(add(multiply(amountMicroNok, 2), energyWh), multiply(energyWh, 2));
}
