/**
 * Settlement: what the smart contracts do by themselves. Each seller's minutes settle strictly in order, each as soon
 * as the readings of all concerned are on the chain, or the grace has passed.
 */
import { assert } from "../primitives/assert.js";
import { add, multiply, subtract } from "../primitives/units.js";
import { allocate } from "./allocation.js";
import { type MatchedInterval, matchIntervals, type OrderedInterval } from "./automaticMarket.js";
import { countedSince } from "./countedBlocks.js";
import { type Coverage, coverageIn, nextCoveredMinute } from "./coverage.js";
import { fundsFor, pay } from "./funds.js";
import {
	affordableWh,
	type Contract,
	changeContract,
	changeHousehold,
	contractOf,
	type Draft,
	householdOf,
	type PendingReading,
	remainingWh,
} from "./ledger.js";
import { settles } from "./metering.js";
import { bookRests, type MinuteRest } from "./minuteRests.js";

/** One settled minute of one seller. */
export interface SettledMinute {
	readonly seller: number;
	readonly minute: number;
	/** What the seller fed in. */
	readonly availableWh: number;
	/** By contract index ascending; contracts that delivered nothing are left out. */
	readonly deliveries: readonly Delivery[];
}

export interface Delivery {
	readonly contract: number;
	readonly buyer: number;
	readonly energyWh: number;
	readonly amountMicroNok: number;
}

export interface SettlementResults {
	readonly settled: readonly SettledMinute[];
	readonly rests: readonly MinuteRest[];
	readonly matched: readonly MatchedInterval[];
	/** What was matched from what: no leaves of the results, since every node has it from the state. */
	readonly ordered: readonly OrderedInterval[];
}

/** Of a block that settles nothing. */
export const NO_RESULTS: SettlementResults = { settled: [], rests: [], matched: [], ordered: [] };

/**
 * Settles everything that can settle now: under contracts, sellers by member index, each seller's minutes ascending; then
 * what they leave.
 */
export function settle(draft: Draft): SettlementResults {
	const settled: SettledMinute[] = [];
	const covers = coverageIn(draft);
	for (const [seller, live] of contractsBySeller(draft)) {
		for (;;) {
			const contracts = live.map((index) => contractOf(draft, index));
			const minute = nextMinute(draft, seller, contracts, covers);
			if (minute === undefined) break;
			const concerned = contracts.filter((contract) => covers(contract, minute));
			if (!isReady(draft, seller, concerned, minute)) break;
			settled.push(settleMinute(draft, seller, concerned, minute));
		}
	}
	const rests = bookRests(draft, covers);
	return { settled, rests, ...matchIntervals(draft) };
}

/** Sellers by member index ascending, with the indices of their live contracts, ascending too. */
function contractsBySeller(draft: Draft): [seller: number, contracts: number[]][] {
	const bySeller = new Map<number, number[]>();
	for (const index of draft.liveContracts) {
		const { seller } = contractOf(draft, index);
		const contracts = bySeller.get(seller);
		if (contracts === undefined) bySeller.set(seller, [index]);
		else contracts.push(index);
	}
	return [...bySeller].sort(([a], [b]) => a - b);
}

/** The first minute from the seller's cursor on that one of its contracts covers. */
function nextMinute(
	draft: Draft,
	seller: number,
	contracts: readonly Contract[],
	covers: Coverage,
): number | undefined {
	const { settledUntilMinute } = householdOf(draft, seller);
	// Mostly one of them goes on where the last minute has settled.
	if (contracts.some((contract) => covers(contract, settledUntilMinute))) return settledUntilMinute;
	let next: number | undefined;
	for (const contract of contracts) {
		const minute = nextCoveredMinute(draft, contract, settledUntilMinute);
		if (minute !== undefined && (next === undefined || minute < next)) next = minute;
	}
	return next;
}

function isReady(draft: Draft, seller: number, contracts: readonly Contract[], minute: number): boolean {
	const { blockIntervalMs, settlementGraceBlocks } = draft.parameters;
	const complete =
		pendingOf(draft, seller, minute) !== undefined &&
		contracts.every((contract) => pendingOf(draft, contract.buyer, minute) !== undefined);
	return complete || countedSince(draft.counted, minute, blockIntervalMs) > settlementGraceBlocks;
}

function pendingOf(draft: Draft, member: number, minute: number): PendingReading | undefined {
	return householdOf(draft, member).pending.find((reading) => reading.minute === minute);
}

function settleMinute(draft: Draft, seller: number, contracts: readonly Contract[], minute: number): SettledMinute {
	const sold = pendingOf(draft, seller, minute);
	const availableWh = settles(draft, sold) ? sold.exportWh : 0;
	const wantedWh = contracts.map((contract) => {
		const bought = pendingOf(draft, contract.buyer, minute);
		const importWh = settles(draft, bought) ? bought.importWh : 0;
		// A contract whose sum no longer fits a safe integer is used up: an endless trade must not stop every node.
		const sumLeftMicroNok = subtract(Number.MAX_SAFE_INTEGER, contract.amountMicroNok);
		const payableMicroNok = Math.min(fundsFor(draft, contract.buyer, minute), sumLeftMicroNok);
		return Math.min(importWh, remainingWh(contract), affordableWh(payableMicroNok, contract.priceMicroNokPerWh));
	});
	const deliveries: Delivery[] = [];
	for (const [at, energyWh] of allocate(availableWh, wantedWh).entries()) {
		const contract = contracts[at];
		assert(contract !== undefined, "one allocation per contract");
		if (energyWh > 0) deliveries.push(deliver(draft, contract, minute, energyWh));
	}
	changeHousehold(draft, seller, { settledUntilMinute: minute + 1 });
	return { seller, minute, availableWh, deliveries };
}

/** Energy and money change hands in one step. */
function deliver(draft: Draft, contract: Contract, minute: number, energyWh: number): Delivery {
	const amountMicroNok = multiply(energyWh, contract.priceMicroNokPerWh);
	pay(draft, contract.buyer, minute, amountMicroNok);
	const buyer = householdOf(draft, contract.buyer);
	changeHousehold(draft, contract.buyer, {
		boughtWh: add(buyer.boughtWh, energyWh),
		pending: buyer.pending.map((reading) =>
			reading.minute === minute ? { ...reading, boughtWh: add(reading.boughtWh, energyWh) } : reading,
		),
	});
	const seller = householdOf(draft, contract.seller);
	changeHousehold(draft, contract.seller, {
		balanceMicroNok: add(seller.balanceMicroNok, amountMicroNok),
		soldWh: add(seller.soldWh, energyWh),
		pending: seller.pending.map((reading) =>
			reading.minute === minute ? { ...reading, soldWh: add(reading.soldWh, energyWh) } : reading,
		),
	});
	changeContract(draft, contract.index, {
		deliveredWh: add(contract.deliveredWh, energyWh),
		amountMicroNok: add(contract.amountMicroNok, amountMicroNok),
		lastDeliveryMinute: minute,
	});
	return { contract: contract.index, buyer: contract.buyer, energyWh, amountMicroNok };
}
