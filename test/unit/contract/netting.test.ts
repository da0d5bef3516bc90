import { describe, expect, it } from "vitest";
import { linesMicroNok } from "../../../src/contract/credit.js";
import { removalStep } from "../../../src/contract/movingOut.js";
import { nettingId } from "../../../src/contract/netting.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { monthNumberAt, monthOfNumber } from "../../../src/primitives/localTime.js";
import { FIRST_MINUTE, FOUNDED_MS, TestNeighbourhood } from "../../support/ledger.js";

const KR = 1_000_000;
const MINUTE_MS = 60_000;
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
const at = (text: string) => Date.parse(`${text}Z`);
/** What is counted as a month: from January of the year 0 on. */
const monthOf = (year: number, month: number) => year * 12 + month - 1;
/** The street is founded on 19 February 2025, at 22:20 of its clocks. */
const FEBRUARY = monthOf(2025, 2);
/** In which March begins in Norway. */
const MARCH_MS = at("2025-02-28T23:00");
const APRIL_MS = at("2025-03-31T22:00");
const MAY_MS = at("2025-04-30T22:00");
const JUNE_MS = at("2025-05-31T22:00");

function monthly(lines: readonly number[] = [500, 500, 500], parameters = {}): TestNeighbourhood {
	const street = new TestNeighbourhood(lines.length, { moneyKind: "monthly", ...parameters }, 3);
	for (const [household, kroner] of lines.entries()) {
		street.block(soon(street), [street.act("credit", 0, { household, creditMicroNok: kroner * KR })]);
	}
	return street;
}

/** One household buys of another for so many kroner in the minute after the next that begins. */
function trade(street: TestNeighbourhood, seller: number, buyer: number, kroner: number): void {
	const minute = Math.floor(soon(street) / MINUTE_MS) + 1;
	const terms = { priceMicroNokPerWh: 1_000, fromMinute: minute, untilMinute: minute + 1 };
	street.contractBetween(seller, buyer, terms);
	const energyWh = kroner * 1_000;
	street.minute(minute, [street.reading(seller, minute, 0, energyWh), street.reading(buyer, minute, energyWh, 0)]);
}

const demandsOf = (street: TestNeighbourhood) =>
	[...street.ledger.demands.values()].map(({ member, month, amountMicroNok }) => [member, month, amountMicroNok]);
const locksOf = (street: TestNeighbourhood) =>
	[...street.ledger.locks.values()].map(({ member, amountMicroNok }) => [member, amountMicroNok]);

/** Pays a demand: the operator has seen the money. */
function pay(street: TestNeighbourhood, member: number): void {
	for (const demand of street.ledger.demands.values()) {
		if (demand.member !== member) continue;
		const { id: orderId, amountMicroNok } = demand;
		street.block(soon(street), [street.act("issue", 0, { orderId, amountMicroNok })]);
		return;
	}
	throw new Error("nothing is demanded");
}

describe("the example in netting.ts", () => {
	it("comes out to the µNOK", () => {
		const street = monthly();
		const [anna, bjorn, cecilie] = [0, 1, 2];
		trade(street, anna, bjorn, 80);
		trade(street, anna, cecilie, 120.5);
		trade(street, bjorn, cecilie, 0.25);
		expect(street.balances()).toEqual([700_500_000, 420_250_000, 379_250_000]);

		street.block(MARCH_MS);
		expect(demandsOf(street)).toEqual([
			[bjorn, FEBRUARY, 79_750_000],
			[cecilie, FEBRUARY, 120_750_000],
		]);
		expect(locksOf(street)).toEqual([[anna, 200_500_000]]);
		expect(street.balances()).toEqual([500_000_000, 420_250_000, 379_250_000]);

		street.block(MARCH_MS + 60 * MINUTE_MS);
		const [lock] = street.ledger.locks.values();
		if (lock === undefined) throw new Error("there is a lock");
		const payout = (id: Uint8Array, amountMicroNok: number) => street.act("payout", 0, { lockId: id, amountMicroNok });
		expect(street.refusal(soon(street), [payout(lock.id, 200_500_000)])).toMatchObject({ code: "reserve-too-low" });
		pay(street, bjorn);
		trade(street, anna, cecilie, 30);
		expect(street.balances()).toEqual([530_000_000, 500_000_000, 349_250_000]);
		expect(street.refusal(soon(street), [payout(lock.id, 200_500_000)])).toEqual({
			code: "reserve-too-low",
			reserveMicroNok: 79_750_000,
			amountMicroNok: 200_500_000,
		});

		street.block(APRIL_MS);
		expect(demandsOf(street)).toEqual([
			[cecilie, FEBRUARY, 120_750_000],
			[cecilie, FEBRUARY + 1, 30_000_000],
		]);
		expect(locksOf(street)).toEqual([
			[anna, 200_500_000],
			[anna, 30_000_000],
		]);
		pay(street, cecilie);
		pay(street, cecilie);
		street.block(APRIL_MS + 60 * MINUTE_MS);
		for (const { id, amountMicroNok } of [...street.ledger.locks.values()]) {
			street.block(soon(street), [payout(id, amountMicroNok)]);
		}
		expect(street.balances()).toEqual([500_000_000, 500_000_000, 500_000_000]);
		expect(street.ledger).toMatchObject({ issuedMicroNok: 230_500_000, paidOutMicroNok: 230_500_000 });
	});
});

describe("what is left of a øre", () => {
	it("is demanded as a whole one, and of what is to be paid out it stays in the balance", () => {
		const street = monthly();
		const [anna, bjorn] = [0, 1];
		const minute = Math.floor(soon(street) / MINUTE_MS) + 1;
		const terms = { priceMicroNokPerWh: 1_237, fromMinute: minute, untilMinute: minute + 1 };
		street.contractBetween(anna, bjorn, terms);
		// 1,237 µNOK/Wh × 4,321 Wh = 5.345077 kr.
		street.minute(minute, [street.reading(anna, minute, 0, 4_321), street.reading(bjorn, minute, 4_321, 0)]);
		street.block(MARCH_MS);
		expect(demandsOf(street)).toEqual([[bjorn, FEBRUARY, 5_350_000]]);
		expect(locksOf(street)).toEqual([[anna, 5_340_000]]);
		pay(street, bjorn);
		expect(street.balances()).toEqual([500_005_077, 500_004_923, 500_000_000]);
		expect(street.ledger.issuedMicroNok).toBe(5_350_000);
	});
});

describe("when the month turns", () => {
	it("is decided by the neighbourhood's clocks, summer time among them, and by the block's time", () => {
		const turns: [before: number, turn: number, month: number][] = [
			[MARCH_MS - 1, MARCH_MS, FEBRUARY],
			// The clocks have been put forward since.
			[APRIL_MS - 1, APRIL_MS, FEBRUARY + 1],
			[at("2025-10-31T22:59:59.999"), at("2025-10-31T23:00"), monthOf(2025, 10)],
			[at("2025-12-31T22:59:59.999"), at("2025-12-31T23:00"), monthOf(2025, 12)],
		];
		for (const [beforeMs, turnMs, month] of turns) {
			const street = monthly();
			trade(street, 0, 1, 80);
			// So that the month that ends was not netted yet.
			street.block(beforeMs - 3 * 86_400_000);
			const known = street.ledger.demands.size;
			trade(street, 0, 1, 1);
			street.block(beforeMs);
			expect(street.ledger.demands.size).toBe(known);
			street.block(turnMs);
			expect(demandsOf(street).at(-1)?.[1]).toBe(month);
			expect(street.ledger.demands.size).toBe(known + 1);
			expect(street.ledger.nettedMonth).toBe(month + 1);
		}
	});

	it("is another time where the clocks go otherwise", () => {
		const terms = { localTime: { offsetMinutes: -300, summerTime: false }, market: undefined };
		const street = monthly([500, 500, 500], { terms });
		trade(street, 0, 1, 80);
		street.block(at("2025-03-01T04:59:59.999"));
		expect(demandsOf(street)).toEqual([]);
		street.block(at("2025-03-01T05:00"));
		expect(demandsOf(street)).toEqual([[1, FEBRUARY, 80 * KR]]);
	});

	it("comes after the block's minutes have settled, and what has not settled falls into the next month", () => {
		const last = MARCH_MS / MINUTE_MS - 1;
		const street = monthly();
		street.block(MARCH_MS - 10 * MINUTE_MS);
		street.contractBetween(0, 1, { priceMicroNokPerWh: 1_000, fromMinute: last - 1, untilMinute: last + 1 });
		street.minute(last - 1, [street.reading(0, last - 1, 0, 9_000), street.reading(1, last - 1, 9_000, 0)]);
		// The block of the month's last minute is stamped in the new month, and the buyer's reading is late.
		street.minute(last, [street.reading(0, last, 0, 9_000)]);
		expect(demandsOf(street)).toEqual([[1, FEBRUARY, 9 * KR]]);
		street.minute(last + 1, [street.reading(1, last, 4_000, 0)]);
		expect(demandsOf(street)).toEqual([[1, FEBRUARY, 9 * KR]]);
		// Out of the balance, and not out of what is locked.
		expect(street.household(1).balanceMicroNok).toBe(487 * KR);
		street.block(APRIL_MS);
		expect(demandsOf(street)).toEqual([
			[1, FEBRUARY, 9 * KR],
			[1, FEBRUARY + 1, 4 * KR],
		]);
	});

	it("asks nobody twice, locks nothing twice, and nets months in which the chain stood still together", () => {
		const street = monthly();
		trade(street, 0, 1, 80);
		street.block(JUNE_MS);
		street.block(soon(street));
		street.block(JUNE_MS + 86_400_000);
		expect(demandsOf(street)).toEqual([[1, FEBRUARY, 80 * KR]]);
		expect(locksOf(street)).toEqual([[0, 80 * KR]]);
		expect(street.ledger.nettedMonth).toBe(monthOf(2025, 6));
	});

	it("locks nothing of what is owed to neighbours after corrections", () => {
		const street = monthly([0, 0, 0, 500]);
		street.block(MARCH_MS - 30 * MINUTE_MS);
		for (let minute = MARCH_MS / MINUTE_MS - 20; minute < MARCH_MS / MINUTE_MS - 10; minute++) street.minute(minute);
		const minute = MARCH_MS / MINUTE_MS - 1;
		const period = { fromMinute: minute - 18, untilMinute: minute - 17, isPayer: true };
		for (const [debtor, counterparty, kroner] of [
			[1, 0, 10],
			[2, 1, 5],
		] as const) {
			const correct = street.act("correct", debtor, { counterparty, ...period, amountMicroNok: kroner * KR });
			const answer = street.act("answer", counterparty, { correctionId: street.id(correct) });
			street.block(soon(street), [correct, answer]);
		}
		street.contractBetween(2, 3, { priceMicroNokPerWh: 1_000, fromMinute: minute, untilMinute: minute + 1 });
		// What the third earns now it owes to the second, who owes it to the first, and pays when the next block ends.
		street.minute(minute, [street.reading(2, minute, 0, 5_000), street.reading(3, minute, 5_000, 0)]);
		expect(street.balances()).toEqual([0, 5 * KR, 0, 495 * KR]);
		expect(locksOf(street)).toEqual([]);
		street.block(soon(street));
		expect(street.balances()).toEqual([5 * KR, 0, 0, 495 * KR]);
	});

	it("locks nothing of who has not paid", () => {
		const street = monthly();
		trade(street, 0, 1, 80);
		street.block(MARCH_MS);
		trade(street, 1, 2, 100);
		street.block(APRIL_MS);
		expect(street.household(1).balanceMicroNok).toBe(520 * KR);
		expect(locksOf(street)).toEqual([[0, 80 * KR]]);
		pay(street, 1);
		street.block(MAY_MS);
		expect(locksOf(street)).toEqual([
			[0, 80 * KR],
			[1, 100 * KR],
		]);
	});

	it("gives ids of their own to each household, month and neighbourhood", () => {
		const { gridId } = monthly().ledger;
		const ids = [nettingId(gridId, 1, 2), nettingId(gridId, 2, 1), nettingId(gridId, 12, 0)];
		ids.push(nettingId(new Uint8Array(32), 1, 2));
		expect(new Set(ids.map(String)).size).toBe(4);
	});

	it("never happens where money is not monthly", () => {
		const street = new TestNeighbourhood(3);
		street.giveTokens(1, 5 * KR);
		street.block(MARCH_MS);
		expect(street.ledger).toMatchObject({ nettedMonth: undefined, demands: new Map(), locks: new Map() });
	});
});

describe("who does not pay", () => {
	it("never owes more than its line, however many months it does not", () => {
		const street = monthly([500, 100, 500]);
		for (const turnMs of [MARCH_MS, APRIL_MS, MAY_MS, JUNE_MS]) {
			trade(street, 0, 1, 40);
			street.block(turnMs);
			const owed = [...street.ledger.demands.values()].reduce((sum, { amountMicroNok }) => sum + amountMicroNok, 0);
			expect(owed).toBe(100 * KR - street.household(1).balanceMicroNok);
			expect(owed).toBeLessThanOrEqual(100 * KR);
		}
		expect(demandsOf(street)).toEqual([
			[1, FEBRUARY, 40 * KR],
			[1, FEBRUARY + 1, 40 * KR],
			[1, FEBRUARY + 2, 20 * KR],
		]);
		expect(street.household(1).boughtWh).toBe(100_000);
	});

	it("takes no demand back, may order as many tokens as others, and is asked after it has moved out", () => {
		const street = new TestNeighbourhood(4, { moneyKind: "monthly" }, 3);
		street.block(soon(street), [street.act("credit", 0, { household: 3, creditMicroNok: 500 * KR })]);
		trade(street, 0, 3, 80);
		street.block(MARCH_MS);
		const [demand] = street.ledger.demands.values();
		if (demand === undefined) throw new Error("there is a demand");
		const cancel = street.act("cancel", 3, { orderId: demand.id });
		expect(street.refusal(soon(street), [cancel])).toEqual({ code: "unknown-order" });
		for (let order = 0; order < 8; order++) street.block(soon(street), [street.act("buy", 3)]);
		trade(street, 0, 3, 5);
		street.block(soon(street), [street.act("leave", 3)]);
		expect(street.ledger.orders.size).toBe(0);
		// What it was asked for already, and what it has used since.
		expect(demandsOf(street)).toEqual([
			[3, FEBRUARY, 80 * KR],
			[3, FEBRUARY + 1, 5 * KR],
		]);
		street.block(APRIL_MS);
		expect(street.ledger.demands.size).toBe(2);
		pay(street, 3);
		expect(removalStep(street.ledger, 3)).toBe("debt");
		pay(street, 3);
		expect(removalStep(street.ledger, 3)).toBe("completed");
	});

	it("is issued what was asked for, and nothing else", () => {
		const street = monthly();
		trade(street, 0, 1, 80);
		street.block(MARCH_MS);
		const [demand] = street.ledger.demands.values();
		if (demand === undefined) throw new Error("there is a demand");
		const issue = (amountMicroNok: number) => street.act("issue", 0, { orderId: demand.id, amountMicroNok });
		expect(street.refusal(soon(street), [issue(80 * KR - 1)])).toMatchObject({
			code: "amount-differs",
			orderedMicroNok: 80 * KR,
		});
		street.block(soon(street), [issue(80 * KR)]);
		expect(street.ledger.operatorRecord?.at(-1)).toMatchObject({ kind: "issue", household: 1 });
		expect(street.household(1).balanceMicroNok).toBe(500 * KR);
		expect(street.refusal(soon(street), [issue(80 * KR)])).toEqual({ code: "unknown-order" });
	});

	it("is nobody's secret: what is asked for is in the state, and comes back from a snapshot", () => {
		const street = monthly();
		trade(street, 0, 1, 80);
		street.block(MARCH_MS);
		const { leaves } = snapshotOf(street.ledger, NO_RESULTS);
		const opened = openSnapshot(street.ledger, leaves);
		if (!opened.ok) throw new Error(opened.error.code);
		expect(opened.value.demands).toEqual(street.ledger.demands);
		expect(opened.value.nettedMonth).toBe(FEBRUARY + 1);
		const [key, demand] = [...street.ledger.demands][0] ?? ["", undefined];
		const strange = { ...street.ledger, demands: new Map([[key, { ...demand, member: 9 }]]) } as typeof street.ledger;
		expect(openSnapshot(street.ledger, snapshotOf(strange, NO_RESULTS).leaves)).toMatchObject({
			error: { code: "inconsistent-snapshot", what: "references" },
		});
	});
});

describe("a trial that ends", () => {
	it("begins with no lines, and nets nothing before its first month is over", () => {
		const street = new TestNeighbourhood(3, { moneyKind: "trial" });
		street.giveTokens(1, 5 * KR);
		street.block(MARCH_MS);
		expect(street.ledger.nettedMonth).toBeUndefined();
		const money = street.act("money", 0, { proposed: { moneyKind: "monthly", reason: "We share one meter." } });
		const confirms = [1, 2].map((member) => street.act("moneyConfirm", member, { proposalId: street.id(money) }));
		street.block(soon(street), [money, ...confirms]);
		expect(street.ledger).toMatchObject({ nettedMonth: FEBRUARY + 1, parameters: { moneyKind: "monthly" } });
		expect(linesMicroNok(street.ledger)).toBe(0);
		street.block(soon(street), [street.act("credit", 0, { household: 1, creditMicroNok: 500 * KR })]);
		trade(street, 0, 1, 80);
		street.block(APRIL_MS);
		expect(demandsOf(street)).toEqual([[1, FEBRUARY + 1, 80 * KR]]);
	});

	it("is as if it had been founded so from the first block on", () => {
		const rule = { offsetMinutes: 60, summerTime: true };
		expect(monthly().ledger.nettedMonth).toBe(monthNumberAt(rule, FIRST_MINUTE));
		expect(monthOfNumber(monthNumberAt(rule, FOUNDED_MS / MINUTE_MS))).toEqual({ year: 2025, month: 2 });
		expect(monthOfNumber(monthOf(2025, 12))).toEqual({ year: 2025, month: 12 });
		expect(monthOfNumber(monthOf(2026, 1))).toEqual({ year: 2026, month: 1 });
	});
});
