/** Whether a contract was worse for this household than the utility: looked at anew every hour, for the days before. */
import { type Contract, contractOf, type Ledger } from "../contract/ledger.js";
import { tariffAt } from "../contract/tariff.js";
import { add, divideFloor, MINUTES_PER_DAY, MINUTES_PER_HOUR, multiply } from "../primitives/units.js";
import type { History } from "./history.js";
import { type HouseholdPrices, pricesByMinute } from "./minutePrices.js";
import type { OwnRetailStep, Series } from "./protocol.js";

export const CHECKED_MINUTES = 7 * MINUTES_PER_DAY;

export class ContractCheck {
	#hour = -1;
	#losses: ReadonlyMap<number, number> = new Map();

	/**
	 * What this household lost in the last seven days by each of its contracts that held in all of them, µNOK, by the
	 * contract's index: what it paid, with the local fee, above its price at the utility, or what it got below the feed-in
	 * price. Those that were worth it are not there.
	 */
	losses(
		ledger: Ledger,
		member: number,
		minute: number,
		{ history, ownRetail }: { history: History; ownRetail: readonly OwnRetailStep[] },
	): ReadonlyMap<number, number> {
		const hour = divideFloor(minute, MINUTES_PER_HOUR);
		if (hour === this.#hour) return this.#losses;
		this.#hour = hour;
		const losses = new Map<number, number>();
		for (const index of ledger.liveContracts) {
			const contract = contractOf(ledger, index);
			if (contract.seller !== member && contract.buyer !== member) continue;
			const settledUntilMinute = ledger.households[contract.seller]?.settledUntilMinute ?? 0;
			const untilMinute = Math.min(settledUntilMinute, contract.untilMinute);
			const fromMinute = untilMinute - CHECKED_MINUTES;
			if (contract.fromMinute > fromMinute || contract.untilMinute <= minute) continue;
			const minutes = history.contracted(contract.buyer, fromMinute, untilMinute);
			const prices = history.prices(fromMinute, untilMinute, tariffAt(ledger, fromMinute));
			const loss = lossOf(contract, member, minutes, { prices, ownRetail });
			if (loss > 0) losses.set(index, loss);
		}
		this.#losses = losses;
		return losses;
	}
}

/** What a party lost by a contract against the utility, µNOK; negative: it gained. `minutes`: the buyer's, of contracts. */
export function lossOf(
	contract: Pick<Contract, "buyer" | "priceMicroNokPerWh">,
	member: number,
	{ fromMinute, boughtWh }: Pick<Series, "fromMinute" | "boughtWh">,
	prices: HouseholdPrices,
): number {
	const { buyer, priceMicroNokPerWh: price } = contract;
	const priceOf = pricesByMinute(prices, fromMinute);
	let loss = 0;
	for (const [at, energyWh] of boughtWh.entries()) {
		const { retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh } = priceOf(at);
		if (energyWh === 0) continue;
		const perWh = member === buyer ? price + localFeeMicroNokPerWh - retailMicroNokPerWh : feedInMicroNokPerWh - price;
		loss = add(loss, multiply(energyWh, perWh));
	}
	return loss;
}
