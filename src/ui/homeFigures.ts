/** What the home screen works out of a view: the price that counts now, and the day in kroner. */
import type { ContractView, StreetView, TodayView } from "../node/view.js";

/** The contract under which this household buys at this moment, if there is one. */
export function buyingContract(street: StreetView): ContractView | undefined {
	return street.market.contracts.find(
		({ buyer, state }) => buyer === street.self.index && (state === "active" || state === "paused"),
	);
}

/** Earned minus paid, neighbours and utility together. */
export function dayMicroNok(today: TodayView): number {
	return today.earnedMicroNok + today.utilityIncomeMicroNok - today.paidMicroNok - today.utilityCostMicroNok;
}
