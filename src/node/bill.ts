/**
 * What a household's electricity cost and what its neighbours saved it, reckoned minute by minute at the prices that held
 * (thesis 3.2.1). For information only: the utility's own bill, and its fixed and capacity charges, are not in it. A meter
 * sees what goes in and out of a house, never what a house uses of its own sun: of that nothing is said.
 */
import { assert } from "../primitives/assert.js";
import { add, MINUTES_PER_HOUR, multiply } from "../primitives/units.js";
import { type HouseholdPrices, pricesByMinute } from "./minutePrices.js";
import type { PriceRun } from "./priceHistory.js";
import type { Bill, BillFigures, BillHour, Series } from "./protocol.js";

/** A household's minutes with what they cost. */
export interface BilledMinutes extends HouseholdPrices {
	series: Series;
	/** Paid to neighbours and earned of them in each minute of the series, µNOK. */
	paidMicroNok: readonly number[];
	earnedMicroNok: readonly number[];
}

/** The bill by the hour, hours beginning with the first minute: where that is a day's first, they are those of the clock. */
export function billOf({ series, paidMicroNok, earnedMicroNok, ...householdPrices }: BilledMinutes): Bill {
	const { fromMinute, importWh, exportWh, boughtWh, soldWh } = series;
	const priceOf = pricesByMinute(householdPrices, fromMinute);
	const hours: BillHour[] = [];
	for (let at = 0; at < importWh.length; at++) {
		const minute = fromMinute + at;
		if (at % MINUTES_PER_HOUR === 0) hours.push({ fromMinute: minute, ...NO_BILL });
		const imported = importWh[at] ?? -1;
		if (imported < 0) continue;
		const price = priceOf(at);
		const hour = hours.at(-1);
		assert(hour !== undefined, "hours begin with the first minute");
		if (!price.isKept) hour.minutesWithoutPrices++;
		const minuteFigures = {
			importWh: imported,
			exportWh: Math.max(0, exportWh[at] ?? 0),
			boughtWh: boughtWh[at] ?? 0,
			soldWh: soldWh[at] ?? 0,
			paidMicroNok: paidMicroNok[at] ?? 0,
			earnedMicroNok: earnedMicroNok[at] ?? 0,
		};
		addMinute(hour, minuteFigures, price);
	}
	const total: BillFigures = { ...NO_BILL };
	for (const hour of hours) for (const field of BILL_FIGURES) total[field] = add(total[field], hour[field]);
	return { fromMinute, hours, total };
}

type MinuteFigures = Pick<
	BillFigures,
	"importWh" | "exportWh" | "boughtWh" | "soldWh" | "paidMicroNok" | "earnedMicroNok"
>;

/** Adds a minute to its hour. */
function addMinute(hour: BillHour, minute: MinuteFigures, price: PriceRun): void {
	const { importWh, exportWh, boughtWh, soldWh, paidMicroNok, earnedMicroNok } = minute;
	const { retailMicroNokPerWh: retail, feedInMicroNokPerWh: feedIn, localFeeMicroNokPerWh: localFee } = price;
	const fromUtilityWh = Math.max(0, importWh - boughtWh);
	const toUtilityWh = Math.max(0, exportWh - soldWh);
	const utilityCost = multiply(fromUtilityWh, retail);
	const utilityIncome = multiply(toUtilityWh, feedIn);
	const fee = multiply(boughtWh, localFee);
	hour.minutes++;
	for (const field of MINUTE_FIGURES) hour[field] = add(hour[field], minute[field]);
	hour.fromUtilityWh = add(hour.fromUtilityWh, fromUtilityWh);
	hour.toUtilityWh = add(hour.toUtilityWh, toUtilityWh);
	hour.utilityCostMicroNok = add(hour.utilityCostMicroNok, utilityCost);
	hour.utilityIncomeMicroNok = add(hour.utilityIncomeMicroNok, utilityIncome);
	hour.localFeeMicroNok = add(hour.localFeeMicroNok, fee);
	// No neighbour's price is 0: where money is not known, nothing is said of what it saved.
	const isMoneyKnown = (boughtWh === 0 || paidMicroNok > 0) && (soldWh === 0 || earnedMicroNok > 0);
	if (!isMoneyKnown) {
		hour.minutesWithoutMoney++;
		return;
	}
	const everythingFromUtility = multiply(importWh, retail) - multiply(exportWh, feedIn);
	const reallyPaid = utilityCost + fee + paidMicroNok - utilityIncome - earnedMicroNok;
	hour.savedMicroNok = add(hour.savedMicroNok, everythingFromUtility - reallyPaid);
}

const MINUTE_FIGURES = ["importWh", "exportWh", "boughtWh", "soldWh", "paidMicroNok", "earnedMicroNok"] as const;
/** Of a time without a reading. */
export const NO_BILL: Readonly<BillFigures> = {
	minutes: 0,
	importWh: 0,
	exportWh: 0,
	boughtWh: 0,
	soldWh: 0,
	fromUtilityWh: 0,
	toUtilityWh: 0,
	paidMicroNok: 0,
	earnedMicroNok: 0,
	utilityCostMicroNok: 0,
	utilityIncomeMicroNok: 0,
	localFeeMicroNok: 0,
	savedMicroNok: 0,
	minutesWithoutPrices: 0,
	minutesWithoutMoney: 0,
};
export const BILL_FIGURES: readonly (keyof BillFigures)[] = Object.keys(NO_BILL) as (keyof BillFigures)[];
