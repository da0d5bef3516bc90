/**
 * What a contract would have meant: had today's contracts held in minutes that have passed. Nobody knows the next ones; the
 * last ones are what a household can go by. All Wh and µNOK, −1 where there is no reading.
 */
import type { Schedule } from "../block/schedule.js";
import { allocate } from "../contract/allocation.js";
import { isActiveAt } from "../contract/schedule.js";
import { assert } from "../primitives/assert.js";
import { type LocalTimeRule, localMinuteOf, steadyTimeAt } from "../primitives/localTime.js";
import { add, divideFloor, MINUTES_PER_DAY, MINUTES_PER_HOUR, multiply, subtract } from "../primitives/units.js";
import type { BilledMinutes } from "./bill.js";
import { pricesByMinute } from "./minutePrices.js";
import type { LikelyShare, PastShare, Series, SurplusHour } from "./protocol.js";

const HOURS_PER_DAY = 24;

/** A household that takes its part of a seller's surplus. */
export interface Taker {
	readonly importWh: Int32Array;
	/** Absent: in every minute. */
	readonly schedule: Schedule | undefined;
}

/**
 * What the first of those who share a seller's surplus would have had of it, minute by minute; where it has no reading or
 * its schedule rests nothing. `limitWh`: altogether; 0: no limit.
 */
export function shareOfFirst(
	seller: Pick<Series, "fromMinute" | "exportWh">,
	takers: readonly [Taker, ...Taker[]],
	rule: LocalTimeRule,
	limitWh = 0,
): number[] {
	const { fromMinute, exportWh } = seller;
	const active = takers.map(({ schedule }) => activeMinutes(schedule, fromMinute, exportWh.length, rule));
	let leftWh = limitWh === 0 ? Number.MAX_SAFE_INTEGER : limitWh;
	return Array.from(exportWh, (availableWh, at) => {
		const wantedWh = takers.map(({ importWh }, who) => (active[who]?.[at] ? Math.max(0, importWh[at] ?? 0) : 0));
		if (availableWh <= 0 || wantedWh[0] === 0 || leftWh === 0) return 0;
		wantedWh[0] = Math.min(wantedWh[0] ?? 0, leftWh);
		const [shareWh = 0] = allocate(availableWh, wantedWh);
		leftWh -= shareWh;
		return shareWh;
	});
}

/** How much of what it needed the first of those who share a surplus would have had, where both have a reading. */
export function likelyShareOf(
	seller: Pick<Series, "fromMinute" | "exportWh">,
	takers: readonly [Taker, ...Taker[]],
	rule: LocalTimeRule,
): LikelyShare {
	const [{ importWh, schedule }] = takers;
	const isActive = activeMinutes(schedule, seller.fromMinute, importWh.length, rule);
	const likely: LikelyShare = { neededWh: 0, shareWh: 0 };
	for (const [at, shareWh] of shareOfFirst(seller, takers, rule).entries()) {
		const [needed = -1, exported = -1] = [importWh[at], seller.exportWh[at]];
		if (!isActive[at] || needed < 0 || exported < 0) continue;
		likely.neededWh = add(likely.neededWh, needed);
		likely.shareWh = add(likely.shareWh, shareWh);
	}
	return likely;
}

/** In which of the minutes from one on a schedule is active. */
function activeMinutes(
	schedule: Schedule | undefined,
	fromMinute: number,
	length: number,
	rule: LocalTimeRule,
): readonly boolean[] {
	if (schedule === undefined) return new Array<boolean>(length).fill(true);
	return localMinutes(fromMinute, length, rule).map((local) => isActiveAt(schedule, local));
}

/** What the clocks show in the minutes from one on. */
function localMinutes(fromMinute: number, length: number, rule: LocalTimeRule): ReturnType<typeof localMinuteOf>[] {
	let steady = steadyTimeAt(rule, fromMinute);
	return Array.from({ length }, (_, at) => {
		const minute = fromMinute + at;
		if (steady.untilMinute !== undefined && minute >= steady.untilMinute) steady = steadyTimeAt(rule, minute);
		return localMinuteOf(minute + steady.offsetMinutes);
	});
}

/**
 * What a household's minutes would have cost with these shares of a neighbour's energy in place of what it bought then, and
 * what they did cost. Minutes whose money nobody kept are left out.
 */
export function pastShareOf(billed: BilledMinutes, sharesWh: readonly number[], priceMicroNokPerWh: number): PastShare {
	const { series, paidMicroNok } = billed;
	const priceAt = pricesByMinute(billed, series.fromMinute);
	const past: PastShare = { minutes: 0, importWh: 0, shareWh: 0, wouldCostMicroNok: 0, didCostMicroNok: 0 };
	assert(sharesWh.length === series.importWh.length, "there is a share for each minute");
	for (const [at, importWh] of series.importWh.entries()) {
		const { retailMicroNokPerWh: retail, localFeeMicroNokPerWh: localFee } = priceAt(at);
		const boughtWh = series.boughtWh[at] ?? 0;
		const paid = paidMicroNok[at] ?? 0;
		if (importWh < 0 || (boughtWh > 0 && paid === 0)) continue;
		const shareWh = sharesWh[at] ?? 0;
		const did = add(add(multiply(Math.max(0, importWh - boughtWh), retail), multiply(boughtWh, localFee)), paid);
		const fromNeighbour = multiply(shareWh, add(priceMicroNokPerWh, localFee));
		const would = add(multiply(subtract(importWh, shareWh), retail), fromNeighbour);
		past.minutes++;
		past.importWh = add(past.importWh, importWh);
		past.shareWh = add(past.shareWh, shareWh);
		past.wouldCostMicroNok = add(past.wouldCostMicroNok, would);
		past.didCostMicroNok = add(past.didCostMicroNok, did);
	}
	return past;
}

/**
 * What a seller had left by the hour of the day, as its neighbourhood's clocks show them ("query availability", thesis 3.1):
 * the mean of a day, rounded down, of those minutes of which there is a reading. `seller.soldWh`: under contracts.
 */
export function surplusByHour(
	seller: Pick<Series, "fromMinute" | "exportWh" | "soldWh">,
	rule: LocalTimeRule,
): SurplusHour[] {
	const { fromMinute, exportWh, soldWh } = seller;
	const hours = Array.from({ length: HOURS_PER_DAY }, () => ({ minutes: 0, surplusWh: 0 }));
	for (const [at, { minuteOfDay }] of localMinutes(fromMinute, exportWh.length, rule).entries()) {
		const exported = exportWh[at] ?? -1;
		const hour = hours[divideFloor(minuteOfDay, MINUTES_PER_HOUR)];
		assert(hour !== undefined, "a day has 24 hours");
		if (exported < 0) continue;
		hour.minutes++;
		hour.surplusWh = add(hour.surplusWh, Math.max(0, exported - (soldWh[at] ?? 0)));
	}
	return hours.map(({ minutes, surplusWh }) => ({
		minutes,
		surplusWh: minutes === 0 ? 0 : divideFloor(multiply(surplusWh, MINUTES_PER_HOUR), minutes),
	}));
}

/** How many days of minutes are looked at: of a seller's surplus, and of a household's own past. */
export const SURPLUS_MINUTES = 7 * MINUTES_PER_DAY;
export const PAST_MINUTES = 30 * MINUTES_PER_DAY;
