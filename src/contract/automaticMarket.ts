/**
 * The market that trades by itself: what no contract covers of the neighbours' surplus and need is matched interval by
 * interval, by the rule that the neighbourhood has chosen (`matching`). A household gives its limits once, and need not
 * look at it again. Which limits, rule and prices an interval goes by is settled when it begins.
 */
import type { FoundingMarket } from "../block/kinds/founding.js";
import type { LimitsTransaction, MarketChoice, MarketTransaction, MatchingRule } from "../block/kinds/trading.js";
import { assert } from "../primitives/assert.js";
import { add, HOUSEHOLD_NOTICE_MINUTES, minuteOf, subtract } from "../primitives/units.js";
import { countedSince } from "./countedBlocks.js";
import { fundsFor, pay } from "./funds.js";
import {
	changeHousehold,
	type Draft,
	type Household,
	householdOf,
	type Ledger,
	type Market,
	type OpenInterval,
	type TradingTerms,
} from "./ledger.js";
import { match } from "./matching/match.js";
import type { Ask, Bid, IntervalOrders } from "./matching/orders.js";
import type { MatchedShare } from "./matching/shares.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator } from "./standing.js";
import { type Tariff, tariffAt } from "./tariff.js";

/** The interval of a market that an operator begins in a neighbourhood that was founded without one. */
export const DEFAULT_INTERVAL_MINUTES = 15;

/** One interval as it was settled. */
export interface MatchedInterval {
	readonly fromMinute: number;
	readonly untilMinute: number;
	readonly choice: MarketChoice;
	/** Undefined: not all of it traded at one price. */
	readonly priceMicroNokPerWh: number | undefined;
	/** By household ascending; who traded nothing is left out. */
	readonly shares: readonly MatchedShare[];
}

/** What one interval was matched from, where a rule held: also where nobody traded. */
export interface OrderedInterval {
	readonly fromMinute: number;
	readonly untilMinute: number;
	readonly choice: MatchingRule;
	readonly orders: IntervalOrders;
}

/** The market with which a neighbourhood is founded: it begins with the first whole interval. */
export function foundingMarket(founding: FoundingMarket | undefined, timestampMs: number): Market | undefined {
	if (founding === undefined) return undefined;
	const { choice, intervalMinutes, buysUnderContract } = founding;
	const fromMinute = intervalAfter(minuteOf(timestampMs), intervalMinutes);
	return { intervalMinutes, buysUnderContract, choices: [{ fromMinute, choice }], matchedUntilMinute: fromMinute };
}

// ── what households and operators say ────────────────────────────────────────────────────────────────────────────

/** A household's limits hold from the next interval on: nobody bids when it is known who needs how much. */
export function applyLimits(draft: Draft, limits: LimitsTransaction): undefined {
	const { member, buyBelowMicroNokPerWh, sellAboveMicroNokPerWh, paysMoreForLocal } = limits;
	const fromMinute = nextIntervalMinute(draft);
	const before = householdOf(draft, member).trading.filter((terms) => terms.fromMinute < fromMinute);
	const terms = { fromMinute, buyBelowMicroNokPerWh, sellAboveMicroNokPerWh, paysMoreForLocal };
	changeHousehold(draft, member, { trading: [...before, terms] });
	return undefined;
}

/** Another rule comes with notice; the first one in a neighbourhood without any at once, since nobody has relied on one. */
export function applyMarket(draft: Draft, { member, choice, fromMinute }: MarketTransaction): Refusal | undefined {
	if (!isActingOperator(draft, member)) return { code: "not-operator" };
	const { market } = draft;
	const intervalMinutes = market?.intervalMinutes ?? DEFAULT_INTERVAL_MINUTES;
	if (fromMinute % intervalMinutes !== 0) return { code: "not-an-interval", fromMinute, intervalMinutes };
	const earliestMinute = earliestChangeMinute(draft);
	if (fromMinute < earliestMinute) return { code: "market-too-early", fromMinute, earliestMinute };
	const before = (market?.choices ?? []).filter((each) => each.fromMinute < fromMinute && isBegun(draft, each));
	draft.market = {
		intervalMinutes,
		buysUnderContract: market?.buysUnderContract ?? false,
		choices: [...before, { fromMinute, choice }],
		matchedUntilMinute: market?.matchedUntilMinute ?? fromMinute,
	};
	return undefined;
}

/** From which interval on a rule could hold that is stated now. */
export function earliestChangeMinute(ledger: Pick<Ledger, "market" | "timestampMs">): number {
	const nextMinute = nextIntervalMinute(ledger);
	if (ledger.market === undefined) return nextMinute;
	// The first that has not begun when the notice is over, which need not be when one begins.
	return intervalAfter(nextMinute + HOUSEHOLD_NOTICE_MINUTES - 1, ledger.market.intervalMinutes);
}

/** What has not begun yet is replaced by what is said now. */
function isBegun({ timestampMs }: Ledger, { fromMinute }: Market["choices"][number]): boolean {
	return fromMinute <= minuteOf(timestampMs);
}

/** First minute of the first interval that has not begun. */
export function nextIntervalMinute({ market, timestampMs }: Pick<Ledger, "market" | "timestampMs">): number {
	const intervalMinutes = market?.intervalMinutes ?? DEFAULT_INTERVAL_MINUTES;
	return intervalAfter(minuteOf(timestampMs), intervalMinutes);
}

function intervalAfter(minute: number, intervalMinutes: number): number {
	return minute - (minute % intervalMinutes) + intervalMinutes;
}

// ── what holds in an interval ────────────────────────────────────────────────────────────────────────────────────

/** The first minute of the interval that a minute lies in. */
function intervalOf({ intervalMinutes }: Market, minute: number): number {
	return minute - (minute % intervalMinutes);
}

/** By which rule an interval is matched; "none" before the first. */
export function choiceAt(market: Market | undefined, minute: number): MarketChoice {
	return market?.choices.findLast(({ fromMinute }) => fromMinute <= minute)?.choice ?? "none";
}

/** A household's standing order in a minute; undefined: it trades nothing by itself. */
export function termsAt({ trading }: Pick<Household, "trading">, minute: number): TradingTerms | undefined {
	const terms = trading.findLast(({ fromMinute }) => fromMinute <= minute);
	const isOff = terms?.buyBelowMicroNokPerWh === undefined && terms?.sellAboveMicroNokPerWh === undefined;
	return isOff ? undefined : terms;
}

/** The highest price at which a household buys under this tariff, µNOK/Wh; undefined: it does not. */
export function buyLimit(
	terms: TradingTerms,
	{ retailMicroNokPerWh, localFeeMicroNokPerWh }: Tariff,
): number | undefined {
	const { buyBelowMicroNokPerWh: own, paysMoreForLocal } = terms;
	if (own === undefined) return undefined;
	const ceiling = retailMicroNokPerWh - localFeeMicroNokPerWh;
	const limit = own === 0 ? ceiling : paysMoreForLocal ? own : Math.min(own, ceiling);
	return limit < 1 ? undefined : limit;
}

/** The lowest price at which a household sells under this tariff; undefined: it does not. */
export function sellLimit(terms: TradingTerms, { feedInMicroNokPerWh }: Tariff): number | undefined {
	const { sellAboveMicroNokPerWh: own } = terms;
	return own === undefined ? undefined : Math.max(own, feedInMicroNokPerWh, 1);
}

// ── taking in minutes ────────────────────────────────────────────────────────────────────────────────────────────

/** The interval that a household's minute waits for; undefined: it takes part in none that is still to be matched. */
export function openIntervalOf(ledger: Ledger, household: Household, minute: number): number | undefined {
	const { market } = ledger;
	if (market === undefined || minute < market.matchedUntilMinute) return undefined;
	const fromMinute = intervalOf(market, minute);
	if (choiceAt(market, fromMinute) === "none" || termsAt(household, fromMinute) === undefined) return undefined;
	return fromMinute;
}

/** Adds a minute to what waits. */
export function addToInterval(
	open: readonly OpenInterval[],
	fromMinute: number,
	minute: Omit<OpenInterval, "fromMinute" | "minutes">,
): OpenInterval[] {
	const sum = open.find((each) => each.fromMinute === fromMinute);
	const grown: OpenInterval = {
		fromMinute,
		minutes: add(sum?.minutes ?? 0, 1),
		importWh: add(sum?.importWh ?? 0, minute.importWh),
		exportWh: add(sum?.exportWh ?? 0, minute.exportWh),
		needWh: add(sum?.needWh ?? 0, minute.needWh),
		surplusWh: add(sum?.surplusWh ?? 0, minute.surplusWh),
	};
	const others = open.filter((each) => each !== sum);
	return [...others, grown].sort((a, b) => a.fromMinute - b.fromMinute);
}

// ── matching ─────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Matches every interval that can be now, in their order: each as soon as all minutes of all who take part are settled
 * under their contracts, or the grace of its last minute has passed.
 */
export function matchIntervals(draft: Draft): { matched: MatchedInterval[]; ordered: OrderedInterval[] } {
	const matched: MatchedInterval[] = [];
	const ordered: OrderedInterval[] = [];
	for (;;) {
		const { market } = draft;
		if (market === undefined) break;
		const fromMinute = market.matchedUntilMinute;
		const untilMinute = add(fromMinute, market.intervalMinutes);
		if (untilMinute > minuteOf(draft.timestampMs)) break;
		const choice = choiceAt(market, fromMinute);
		if (choice !== "none") {
			const traders = draft.households.filter((household) => termsAt(household, fromMinute) !== undefined);
			if (!isReady(draft, traders, fromMinute, untilMinute)) break;
			const orders = ordersOf(draft, traders, fromMinute);
			const interval = matchInterval(draft, traders, { choice, fromMinute, untilMinute, orders });
			if (interval.shares.length > 0) matched.push(interval);
			ordered.push({ fromMinute, untilMinute, choice, orders });
		}
		draft.market = {
			...market,
			choices: fromLast(market.choices, untilMinute),
			matchedUntilMinute: untilMinute,
		};
		forgetTerms(draft, untilMinute);
	}
	return { matched, ordered };
}

function isReady(draft: Draft, traders: readonly Household[], fromMinute: number, untilMinute: number): boolean {
	const { blockIntervalMs, settlementGraceBlocks } = draft.parameters;
	if (countedSince(draft.counted, untilMinute - 1, blockIntervalMs) > settlementGraceBlocks) return true;
	return traders.every(({ joinedMinute, removal, open }) => {
		const first = Math.max(fromMinute, joinedMinute);
		const end = Math.min(untilMinute, removal?.fromMinute ?? untilMinute);
		const minutes = open.find((each) => each.fromMinute === fromMinute)?.minutes ?? 0;
		return minutes >= end - first;
	});
}

function ordersOf(draft: Draft, traders: readonly Household[], fromMinute: number): IntervalOrders {
	const tariff = tariffAt(draft, fromMinute);
	const asks: Ask[] = [];
	const bids: Bid[] = [];
	for (const household of traders) {
		const terms = termsAt(household, fromMinute);
		const sum = household.open.find((each) => each.fromMinute === fromMinute);
		if (terms === undefined || sum === undefined) continue;
		const [sell, buy] = [sellLimit(terms, tariff), buyLimit(terms, tariff)];
		if (sell !== undefined && sum.surplusWh > 0) {
			asks.push({ household: household.index, energyWh: sum.surplusWh, limitMicroNokPerWh: sell });
		}
		if (buy !== undefined && sum.needWh > 0) {
			const payableMicroNok = fundsFor(draft, household.index, fromMinute);
			bids.push({ household: household.index, energyWh: sum.needWh, limitMicroNokPerWh: buy, payableMicroNok });
		}
	}
	const { retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh } = tariff;
	return { asks, bids, retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh };
}

function matchInterval(
	draft: Draft,
	traders: readonly Household[],
	{ choice, fromMinute, untilMinute, orders }: OrderedInterval,
): MatchedInterval {
	const { priceMicroNokPerWh, shares } = match(choice, orders);
	// All pay before anybody is paid: what is earned in an interval pays for a later one.
	for (const { household, paidMicroNok } of shares) pay(draft, household, fromMinute, paidMicroNok);
	const shareOf = new Map(shares.map((share) => [share.household, share]));
	for (const { index } of traders) closeInterval(draft, index, fromMinute, shareOf.get(index) ?? NO_SHARE);
	return { fromMinute, untilMinute, choice, priceMicroNokPerWh, shares };
}

const NO_SHARE = { boughtWh: 0, soldWh: 0, earnedMicroNok: 0 };

/** A household gets what it earned; what it has not traded goes to the utility. */
function closeInterval(
	draft: Draft,
	member: number,
	fromMinute: number,
	{ boughtWh, soldWh, earnedMicroNok }: Omit<MatchedShare, "household" | "paidMicroNok">,
): void {
	const before = householdOf(draft, member);
	const sum = before.open.find((each) => each.fromMinute === fromMinute);
	if (sum === undefined) return;
	changeHousehold(draft, member, {
		open: before.open.filter((each) => each !== sum),
		balanceMicroNok: add(before.balanceMicroNok, earnedMicroNok),
		boughtWh: add(before.boughtWh, boughtWh),
		soldWh: add(before.soldWh, soldWh),
		utilityImportWh: add(before.utilityImportWh, subtract(sum.importWh, boughtWh)),
		utilityExportWh: add(before.utilityExportWh, subtract(sum.exportWh, soldWh)),
	});
}

/**
 * Nobody trades by itself before it says so again, and what waits to be matched goes to the utility. The rule goes on with
 * the first interval that has not begun.
 */
export function beginMarketAnew(draft: Draft): void {
	for (const { index, open, trading } of draft.households) {
		for (const { fromMinute } of open) closeInterval(draft, index, fromMinute, NO_SHARE);
		if (trading.length > 0) changeHousehold(draft, index, { trading: [] });
	}
	const { market } = draft;
	if (market === undefined) return;
	const matchedUntilMinute = Math.max(market.matchedUntilMinute, nextIntervalMinute(draft));
	draft.market = { ...market, choices: fromLast(market.choices, matchedUntilMinute), matchedUntilMinute };
}

/** What holds at a minute, and what comes later. */
function fromLast<T extends { readonly fromMinute: number }>(entries: readonly T[], minute: number): readonly T[] {
	const first = entries.findLastIndex(({ fromMinute }) => fromMinute <= minute);
	return first <= 0 ? entries : entries.slice(first);
}

function forgetTerms(draft: Draft, minute: number): void {
	for (const { index, open, trading } of draft.households) {
		assert(
			open.every(({ fromMinute }) => fromMinute >= minute),
			"what is matched waits no more",
		);
		const kept = fromLast(trading, minute);
		if (kept.length < trading.length) changeHousehold(draft, index, { trading: kept });
	}
}

/** Whether intervals that begin before a minute are still to be matched in which a household takes part. */
export function awaitsMatching(ledger: Ledger, member: number, beforeMinute: number): boolean {
	const { market } = ledger;
	if (market === undefined) return false;
	const household = householdOf(ledger, member);
	for (let minute = market.matchedUntilMinute; minute < beforeMinute; minute += market.intervalMinutes) {
		if (choiceAt(market, minute) !== "none" && termsAt(household, minute) !== undefined) return true;
	}
	return false;
}
