/**
 * What is left of a household's minute when all its contracts have settled: it waits for the market that trades by itself,
 * or goes to the utility.
 */
import { add, subtract } from "../primitives/units.js";
import { addToInterval, openIntervalOf } from "./automaticMarket.js";
import type { Coverage } from "./coverage.js";
import { changeHousehold, contractOf, type Draft, householdOf, type PendingReading } from "./ledger.js";
import { settles } from "./metering.js";

/** Booked once. */
export interface MinuteRest {
	readonly household: number;
	readonly minute: number;
	readonly importWh: number;
	readonly exportWh: number;
}

/** Books the rest of every minute whose contract-minutes have all settled. */
export function bookRests(draft: Draft, covers: Coverage): MinuteRest[] {
	const rests: MinuteRest[] = [];
	const live = draft.liveContracts.map((index) => contractOf(draft, index));
	for (const { index, pending } of draft.households) {
		if (pending.length === 0) continue;
		const concerned = live.filter((contract) => contract.seller === index || contract.buyer === index);
		const waits = ({ minute }: PendingReading) =>
			concerned.some(
				(contract) => covers(contract, minute) && householdOf(draft, contract.seller).settledUntilMinute <= minute,
			);
		const waiting = pending.filter(waits);
		if (waiting.length === pending.length) continue;
		let { open, utilityImportWh, utilityExportWh } = householdOf(draft, index);
		for (const reading of pending) {
			if (waits(reading)) continue;
			const { minute } = reading;
			const importWh = subtract(reading.importWh, reading.boughtWh);
			const exportWh = subtract(reading.exportWh, reading.soldWh);
			rests.push({ household: index, minute, importWh, exportWh });
			const interval = openIntervalOf(draft, householdOf(draft, index), minute);
			if (interval === undefined) {
				utilityImportWh = add(utilityImportWh, importWh);
				utilityExportWh = add(utilityExportWh, exportWh);
			} else {
				const tradable = tradableOf(draft, covers, index, reading);
				open = addToInterval(open, interval, { importWh, exportWh, ...tradable });
			}
		}
		changeHousehold(draft, index, { pending: waiting, open, utilityImportWh, utilityExportWh });
	}
	return rests;
}

/**
 * What of a minute's rest can be traded. A household to which a contract sells buys from nobody else (thesis 3.1.1), unless
 * the founder chose otherwise.
 */
function tradableOf(
	draft: Draft,
	covers: Coverage,
	member: number,
	reading: PendingReading,
): { needWh: number; surplusWh: number } {
	if (!settles(draft, reading)) return { needWh: 0, surplusWh: 0 };
	const { importWh, exportWh, boughtWh, soldWh, minute } = reading;
	const needWh = subtract(importWh, boughtWh);
	const buys = needWh > 0 && (draft.market?.buysUnderContract === true || !isBuyer(draft, covers, member, minute));
	return { needWh: buys ? needWh : 0, surplusWh: subtract(exportWh, soldWh) };
}

/**
 * Whether a contract sells to a household in a minute. It may be finished by now: a rest waits for the slowest of the
 * household's contracts, and an interval for the slowest reading.
 */
function isBuyer({ contracts }: Draft, covers: Coverage, member: number, minute: number): boolean {
	return contracts.some((contract) => contract.buyer === member && covers(contract, minute));
}
