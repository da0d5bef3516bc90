/**
 * Settlement: what the smart contracts do by themselves. Each seller's minutes settle strictly in order, each as soon
 * as the readings of all concerned are on the chain, or the grace has passed.
 */
import type { Reading } from "../block/reading.js";
import { assert } from "../primitives/assert.js";
import { add, multiply, multiplyDivide, subtract } from "../primitives/units.js";
import { countedSince } from "./countedBlocks.js";
import { type Coverage, coverageIn, nextCoveredMinute } from "./coverage.js";
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

/** What is left of a household's minute for the utility, booked once when all its contract-minutes have settled. */
export interface UtilityRest {
	readonly household: number;
	readonly minute: number;
	readonly importWh: number;
	readonly exportWh: number;
}

export interface SettlementResults {
	readonly settled: readonly SettledMinute[];
	readonly rests: readonly UtilityRest[];
}

/** Settles everything that can settle now, sellers by member index, each seller's minutes ascending. */
export function settle(draft: Draft): SettlementResults {
	const settled: SettledMinute[] = [];
	const covers = coverageIn(draft);
	const sellers = new Set(draft.liveContracts.map((index) => contractOf(draft, index).seller));
	for (const seller of [...sellers].sort((a, b) => a - b)) {
		for (;;) {
			const minute = nextMinute(draft, seller, covers);
			if (minute === undefined) break;
			const contracts = liveContractsOf(draft, seller).filter((contract) => covers(contract, minute));
			if (!isReady(draft, seller, contracts, minute)) break;
			settled.push(settleMinute(draft, seller, contracts, minute));
		}
	}
	return { settled, rests: bookRests(draft, covers) };
}

function liveContractsOf(draft: Draft, seller: number): Contract[] {
	return draft.liveContracts.map((index) => contractOf(draft, index)).filter((contract) => contract.seller === seller);
}

/** The first minute from the seller's cursor on that a contract of it covers. */
function nextMinute(draft: Draft, seller: number, covers: Coverage): number | undefined {
	const { settledUntilMinute } = householdOf(draft, seller);
	const contracts = liveContractsOf(draft, seller);
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

/** A reading that settles, of one that is missing or only shown: zero. */
function settles(draft: Draft, reading: Reading | undefined): reading is Reading {
	if (reading === undefined || reading.quality === "typed") return false;
	// Nobody sells energy that a program made up: only where the money is play money as well.
	return reading.quality !== "simulated" || draft.parameters.moneyKind === "trial" || draft.parameters.timeScale !== 1;
}

function settleMinute(draft: Draft, seller: number, contracts: readonly Contract[], minute: number): SettledMinute {
	const sold = pendingOf(draft, seller, minute);
	const availableWh = settles(draft, sold) ? sold.exportWh : 0;
	const wantedWh = contracts.map((contract) => {
		const bought = pendingOf(draft, contract.buyer, minute);
		const importWh = settles(draft, bought) ? bought.importWh : 0;
		const { balanceMicroNok } = householdOf(draft, contract.buyer);
		// A contract whose sum no longer fits a safe integer is used up: an endless trade must not stop every node.
		const sumLeftMicroNok = subtract(Number.MAX_SAFE_INTEGER, contract.amountMicroNok);
		const payableMicroNok = Math.min(balanceMicroNok, sumLeftMicroNok);
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

/** Energy and money change hands in one step. */
function deliver(draft: Draft, contract: Contract, minute: number, energyWh: number): Delivery {
	const amountMicroNok = multiply(energyWh, contract.priceMicroNokPerWh);
	const buyer = householdOf(draft, contract.buyer);
	changeHousehold(draft, contract.buyer, {
		balanceMicroNok: subtract(buyer.balanceMicroNok, amountMicroNok),
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

/** Books the utility's part of every minute whose contract-minutes have all settled. */
function bookRests(draft: Draft, covers: Coverage): UtilityRest[] {
	const rests: UtilityRest[] = [];
	const live = draft.liveContracts.map((index) => contractOf(draft, index));
	for (const { index, pending } of draft.households) {
		if (pending.length === 0) continue;
		const concerned = live.filter((contract) => contract.seller === index || contract.buyer === index);
		const waits = (reading: PendingReading) =>
			concerned.some(
				(contract) =>
					covers(contract, reading.minute) && householdOf(draft, contract.seller).settledUntilMinute <= reading.minute,
			);
		const waiting = pending.filter(waits);
		if (waiting.length === pending.length) continue;
		let { utilityImportWh, utilityExportWh } = householdOf(draft, index);
		for (const reading of pending) {
			if (waits(reading)) continue;
			const importWh = subtract(reading.importWh, reading.boughtWh);
			const exportWh = subtract(reading.exportWh, reading.soldWh);
			utilityImportWh = add(utilityImportWh, importWh);
			utilityExportWh = add(utilityExportWh, exportWh);
			rests.push({ household: index, minute: reading.minute, importWh, exportWh });
		}
		changeHousehold(draft, index, { pending: waiting, utilityImportWh, utilityExportWh });
	}
	return rests;
}
