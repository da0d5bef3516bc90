import { describe, expect, it } from "vitest";
import { MATCHING_RULES, type MatchingRule } from "../../../src/block/kinds/trading.js";
import { householdOf } from "../../../src/contract/ledger.js";
import { decodeDay, IntervalHistory, type KeptInterval } from "../../../src/node/intervalHistory.js";
import { whatIf } from "../../../src/node/whatIf.js";
import { CENTRAL_EUROPEAN_TIME } from "../../../src/primitives/localTime.js";
import { FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";
import { referenceMatch } from "../../support/referenceMatching.js";

const INTERVAL_MINUTES = 5;
/** The first interval that begins after the founding. */
const FROM = FIRST_MINUTE + INTERVAL_MINUTES;
const INTERVALS = 8;
const UNTIL = FROM + INTERVALS * INTERVAL_MINUTES;
const HOUSEHOLDS = 4;
const PRICES = { retailMicroNokPerWh: 2_000, feedInMicroNokPerWh: 400, localFeeMicroNokPerWh: 100 };
/** From the fifth interval on. */
const DEARER = { retailMicroNokPerWh: 3_100, feedInMicroNokPerWh: 300, localFeeMicroNokPerWh: 150 };

/**
 * Some quarters of an hour of a street that has a rule: one household makes electricity, one has limits of its own, one
 * has hardly any money, and the prices change meanwhile. In the first minutes everybody only needs some.
 */
function lived(choice: MatchingRule): TestNeighbourhood {
	const market = { choice, intervalMinutes: INTERVAL_MINUTES, buysUnderContract: false };
	const terms = { localTime: CENTRAL_EUROPEAN_TIME, market };
	const street = new TestNeighbourhood(HOUSEHOLDS, { ...PRICES, terms });
	for (const [member, amountMicroNok] of [5_000_000, 700_000, 5_000_000, 5_000_000].entries()) {
		street.giveTokens(member, amountMicroNok);
	}
	const limits = [
		street.act("limits", 0, { sellAboveMicroNokPerWh: 700 }),
		street.act("limits", 1, {}),
		street.act("limits", 2, { buyBelowMicroNokPerWh: 1_300, sellAboveMicroNokPerWh: 1_000 }),
		street.act("limits", 3, { buyBelowMicroNokPerWh: 2_500, paysMoreForLocal: true }),
	];
	const steps = [{ fromMinute: FROM + 4 * INTERVAL_MINUTES, ...DEARER }];
	street.block(street.head.timestampMs + 1, [...limits, street.act("tariff", 0, { steps })]);
	for (let minute = FIRST_MINUTE; minute < UNTIL; minute++) {
		const sun = minute < FROM + INTERVAL_MINUTES ? 0 : 1;
		const readings = Array.from({ length: HOUSEHOLDS }, (_, member) => {
			const importWh = (minute * 7 + member * 13) % 41;
			const exportWh = sun * (member === 0 ? 60 : member === 2 ? (minute * 11) % 47 : 0);
			return street.reading(member, minute, importWh, exportWh);
		});
		street.minute(minute, readings);
	}
	return street;
}

/** What a household's device keeps of the chain's intervals, after it was stored and opened again. */
function keptOf({ ledger, results: all }: TestNeighbourhood, member: number): KeptInterval[] {
	const history = new IntervalHistory(householdOf(ledger, member).publicKey);
	for (const results of all) history.add({ ledger, results });
	return history.takeChangedDays().flatMap(({ day, record }) => decodeDay(record, day) ?? []);
}

interface Sums {
	boughtWh: number;
	soldWh: number;
	paidMicroNok: number;
	earnedMicroNok: number;
	savedMicroNok: number;
}

/** Adds up shares as they are, at the prices of their intervals. */
function summed(shares: readonly (Omit<Sums, "savedMicroNok"> & { fromMinute: number })[]): Sums {
	const sums = { boughtWh: 0, soldWh: 0, paidMicroNok: 0, earnedMicroNok: 0, savedMicroNok: 0 };
	for (const { fromMinute, boughtWh, soldWh, paidMicroNok, earnedMicroNok } of shares) {
		const prices = fromMinute < FROM + 4 * INTERVAL_MINUTES ? PRICES : DEARER;
		sums.boughtWh += boughtWh;
		sums.soldWh += soldWh;
		sums.paidMicroNok += paidMicroNok;
		sums.earnedMicroNok += earnedMicroNok;
		const utility = boughtWh * prices.retailMicroNokPerWh - soldWh * prices.feedInMicroNokPerWh;
		sums.savedMicroNok += utility - (paidMicroNok + boughtWh * prices.localFeeMicroNokPerWh - earnedMicroNok);
	}
	return sums;
}

describe.each(MATCHING_RULES)("the past of a street that was matched by %s", (choice) => {
	const street = lived(choice);
	const kept = Array.from({ length: HOUSEHOLDS }, (_, member) => keptOf(street, member));
	const settled = street.results.flatMap(({ matched }) => matched);
	const ordered = street.results.flatMap((results) => results.ordered);
	const request = { fromMinute: FROM, untilMinute: UNTIL };

	it("is what the chain settled to the µNOK, when it is matched once more by the same rule", () => {
		expect(settled.length).toBeGreaterThan(3);
		for (let member = 0; member < HOUSEHOLDS; member++) {
			const chain = summed(
				settled.flatMap(({ fromMinute, shares }) =>
					shares.filter(({ household }) => household === member).map((share) => ({ fromMinute, ...share })),
				),
			);
			const answer = whatIf(kept[member] ?? [], { ...request, rule: choice }, []);
			expect(answer).toEqual({ kept: INTERVALS, firstMinute: FROM, was: chain, would: chain });
		}
	});

	it("is under another rule what a reference that was written by itself makes of the same orders", () => {
		for (const rule of MATCHING_RULES) {
			const matched = ordered.map(({ fromMinute, orders }) => ({ fromMinute, ...referenceMatch(rule, orders) }));
			for (let member = 0; member < HOUSEHOLDS; member++) {
				const shares = matched.flatMap(({ fromMinute, shares: all }) =>
					all
						.filter(({ household }) => household === member)
						.map(({ boughtWh, soldWh, paid, earned }) => ({
							fromMinute,
							boughtWh: Number(boughtWh),
							soldWh: Number(soldWh),
							paidMicroNok: Number(paid),
							earnedMicroNok: Number(earned),
						})),
				);
				const answer = whatIf(kept[member] ?? [], { ...request, rule }, []);
				expect(answer.would).toEqual(summed(shares));
				expect(answer.was).toEqual(whatIf(kept[member] ?? [], { ...request, rule: choice }, []).was);
			}
		}
	});

	it("adds up from parts as it is in one", () => {
		const parts = [FROM, FROM + 7, FROM + 10, UNTIL].flatMap((fromMinute, at, all) => {
			const untilMinute = all[at + 1];
			return untilMinute === undefined ? [] : [{ fromMinute, untilMinute, rule: "uniform" as const }];
		});
		const [own = []] = kept;
		const whole = whatIf(own, { ...request, rule: "uniform" }, []);
		const each = parts.map((part) => whatIf(own, part, []));
		expect(each.reduce((sum, part) => sum + part.kept, 0)).toBe(whole.kept);
		for (const field of ["soldWh", "earnedMicroNok", "savedMicroNok"] as const) {
			expect(each.reduce((sum, part) => sum + part.would[field], 0)).toBe(whole.would[field]);
		}
		expect(whatIf(own, { fromMinute: UNTIL, untilMinute: UNTIL + 60, rule: choice }, [])).toMatchObject({
			kept: 0,
			was: { soldWh: 0 },
		});
	});
});

it("reckons what is saved at what the household says that it pays, from when it says so", () => {
	const kept = keptOf(lived("midMarket"), 3);
	const request = { fromMinute: FROM, untilMinute: UNTIL, rule: "midMarket" as const };
	const { was } = whatIf(kept, request, []);
	expect(was.boughtWh).toBeGreaterThan(0);
	const early = whatIf(kept, { ...request, untilMinute: FROM + 20 }, []).was;
	const ownRetail = [
		{ fromMinute: FROM, retailMicroNokPerWh: 2_010 },
		{ fromMinute: FROM + 20, retailMicroNokPerWh: 0 },
	];
	expect(whatIf(kept, request, ownRetail).was).toEqual({
		...was,
		savedMicroNok: was.savedMicroNok + 10 * early.boughtWh,
	});
});

it("knows intervals in which the rule that held let nobody trade, and another one would have", () => {
	const kept = keptOf(lived("midMarket"), 2);
	const never = whatIf(kept, { fromMinute: FROM, untilMinute: UNTIL, rule: "pairwise" }, []);
	expect(never.would.boughtWh).toBeGreaterThan(never.was.boughtWh);
});
