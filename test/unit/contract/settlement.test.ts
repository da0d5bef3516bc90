import { describe, expect, it } from "vitest";
import { blockMsOf, FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;
const NOK = 1_000_000;

/** Member 0 sells to member 1 at 1,000 µNOK/Wh from minute M + 1 on; member 1 has this many µNOK. */
function pair(tokensMicroNok = 100 * NOK, terms: Parameters<TestNeighbourhood["contractBetween"]>[2] = {}, grace = 3) {
	const street = new TestNeighbourhood(2, { settlementGraceBlocks: grace });
	if (tokensMicroNok > 0) street.giveTokens(1, tokensMicroNok);
	street.contractBetween(0, 1, terms);
	street.minute(M);
	return street;
}

/** The minutes that a block settled, as [seller, minute − M]. */
const settledIn = (executed: ReturnType<TestNeighbourhood["minute"]>) =>
	executed.results.settled.map(({ seller, minute }) => [seller, minute - M]);

describe("a minute", () => {
	it("settles in the block in which the last of its readings stands: energy and money in one step", () => {
		const street = pair();
		expect(settledIn(street.minute(M + 1, [street.reading(0, M + 1, 0, 500)]))).toEqual([]);
		expect(street.balances()).toEqual([0, 100 * NOK]);
		const { results } = street.minute(M + 2, [street.reading(1, M + 1, 300, 0)]);
		expect(results.settled).toEqual([
			{
				seller: 0,
				minute: M + 1,
				availableWh: 500,
				deliveries: [{ contract: 0, buyer: 1, energyWh: 300, amountMicroNok: 300_000 }],
			},
		]);
		expect(street.balances()).toEqual([300_000, 100 * NOK - 300_000]);
		expect(street.contract(0)).toMatchObject({ deliveredWh: 300, amountMicroNok: 300_000, lastDeliveryMinute: M + 1 });
		expect(street.household(0)).toMatchObject({ exportWh: 500, soldWh: 300, utilityExportWh: 200, utilityImportWh: 0 });
		expect(street.household(1)).toMatchObject({ importWh: 300, boughtWh: 300, utilityImportWh: 0 });
	});

	it("waits for the minute before it, though its own readings are there", () => {
		const street = pair();
		street.minute(M + 1, [street.reading(0, M + 1, 0, 10)]);
		const waiting = street.minute(M + 2, [street.reading(0, M + 2, 0, 20), street.reading(1, M + 2, 20, 0)]);
		expect(settledIn(waiting)).toEqual([]);
		expect(settledIn(street.minute(M + 3, [street.reading(1, M + 1, 10, 0)]))).toEqual([
			[0, 1],
			[0, 2],
		]);
	});

	it("waits for all active buyers of its seller, and not for those of another", () => {
		const street = new TestNeighbourhood(5);
		street.contractBetween(0, 1);
		street.contractBetween(0, 2);
		street.contractBetween(3, 4);
		street.minute(M);
		const first = street.minute(M + 1, [
			street.reading(0, M + 1, 0, 10),
			street.reading(1, M + 1, 5, 0),
			street.reading(3, M + 1, 0, 10),
			street.reading(4, M + 1, 5, 0),
		]);
		expect(settledIn(first)).toEqual([[3, 1]]);
		expect(settledIn(street.minute(M + 2, [street.reading(2, M + 1, 5, 0)]))).toEqual([[0, 1]]);
	});

	it("is settled in the hours of a contract only: at others nobody is waited for and nothing changes hands", () => {
		// By the clocks of the neighbourhood M is 22:20 on a Wednesday.
		const schedule = { days: 0b0000100, fromMinuteOfDay: 1_342, untilMinuteOfDay: 1_344 };
		const street = pair(100 * NOK, { schedule });
		const readings = (minute: number) => [street.reading(0, minute, 0, 10), street.reading(1, minute, 10, 0)];
		const before = street.minute(M + 1, readings(M + 1));
		expect(settledIn(before)).toEqual([]);
		expect(before.results.rests.map(({ minute, importWh, exportWh }) => [minute - M, importWh, exportWh])).toEqual([
			[1, 0, 10],
			[1, 10, 0],
		]);
		expect(settledIn(street.minute(M + 2, readings(M + 2)))).toEqual([[0, 2]]);
		expect(settledIn(street.minute(M + 3, [street.reading(0, M + 3, 0, 10)]))).toEqual([]);
		const late = street.minute(M + 4, [...readings(M + 4), street.reading(1, M + 3, 10, 0)]);
		expect(settledIn(late)).toEqual([[0, 3]]);
		expect(late.results.rests.map(({ minute }) => minute - M)).toEqual([3, 4, 3, 4]);
		expect(street.contract(0)).toMatchObject({ deliveredWh: 20, lastDeliveryMinute: M + 3 });
		// A week later the hours come again; between them nothing waits, and no grace passes.
		const week = M + 7 * 1_440;
		expect(settledIn(street.minute(week + 1, readings(week + 1)))).toEqual([]);
		expect(street.ledger.liveContracts).toEqual([0]);
		expect(settledIn(street.minute(week + 2, readings(week + 2)))).toEqual([[0, 7 * 1_440 + 2]]);
		expect(street.household(0).pending).toEqual([]);
	});

	it("waits only for those buyers of its seller whose hours it is", () => {
		const street = new TestNeighbourhood(3);
		const hours = (from: number, until: number) => ({
			days: 127,
			fromMinuteOfDay: 1_340 + from,
			untilMinuteOfDay: 1_340 + until,
		});
		street.contractBetween(0, 1, { schedule: hours(0, 2) });
		street.contractBetween(0, 2, { schedule: hours(2, 4) });
		street.minute(M);
		expect(settledIn(street.minute(M + 1, [street.reading(0, M + 1, 0, 1), street.reading(1, M + 1, 1, 0)]))).toEqual([
			[0, 1],
		]);
		const second = [street.reading(0, M + 2, 0, 1), street.reading(1, M + 2, 1, 0)];
		expect(settledIn(street.minute(M + 2, second))).toEqual([]);
		expect(settledIn(street.minute(M + 3, [street.reading(2, M + 2, 1, 0)]))).toEqual([[0, 2]]);
	});

	it("waits for no buyer whose contract does not cover it", () => {
		const street = new TestNeighbourhood(3);
		street.contractBetween(0, 1);
		street.contractBetween(0, 2, { fromMinute: M + 5 });
		street.minute(M);
		const executed = street.minute(M + 1, [street.reading(0, M + 1, 0, 10), street.reading(1, M + 1, 5, 0)]);
		expect(settledIn(executed)).toEqual([[0, 1]]);
	});

	it("is settled by sellers in the order of their indices, so that what one earns the next can spend", () => {
		// Member 0 sells to 1, member 1 sells to 2. Member 1 can pay nothing before it has sold.
		const readings = (street: TestNeighbourhood) => [
			street.reading(0, M + 1, 0, 10),
			street.reading(1, M + 1, 10, 10),
			street.reading(2, M + 1, 10, 0),
		];
		const down = new TestNeighbourhood(3);
		down.giveTokens(2, NOK);
		down.contractBetween(0, 1);
		down.contractBetween(1, 2);
		down.minute(M);
		down.minute(M + 1, readings(down));
		expect(down.balances()).toEqual([0, 10_000, NOK - 10_000]);
		// The other way round member 0 sells first and buys with what it earned.
		const up = new TestNeighbourhood(3);
		up.giveTokens(2, NOK);
		up.contractBetween(0, 2);
		up.contractBetween(1, 0);
		up.minute(M);
		up.minute(M + 1, [up.reading(0, M + 1, 10, 10), up.reading(1, M + 1, 0, 10), up.reading(2, M + 1, 10, 0)]);
		expect(up.balances()).toEqual([0, 10_000, NOK - 10_000]);
	});
});

describe("what is wanted", () => {
	it("is not more than the energy limit leaves, and a used-up contract stays in force and delivers nothing", () => {
		const street = pair(100 * NOK, { energyLimitWh: 70 });
		for (const k of [1, 2, 3]) street.minute(M + k, [street.reading(0, M + k, 0, 50), street.reading(1, M + k, 50, 0)]);
		expect(street.results.slice(-3).map(({ settled }) => settled[0]?.deliveries[0]?.energyWh)).toEqual([
			50,
			20,
			undefined,
		]);
		expect(street.contract(0)).toMatchObject({ deliveredWh: 70, lastDeliveryMinute: M + 2 });
		expect(street.household(1)).toMatchObject({ boughtWh: 70, utilityImportWh: 80 });
		expect(street.ledger.liveContracts).toEqual([0]);
		const offer = street.act("offer", 0, { buyer: 1 });
		const accept = street.act("accept", 1, { offerId: street.id(offer) });
		expect(street.refusal(blockMsOf(M + 4), [offer, accept])).toMatchObject({ code: "overlapping-contract" });
	});

	it("is not more than the balance pays now: whole Wh, and the rest falls back to the utility", () => {
		const street = pair(20_999);
		street.minute(M + 1, [street.reading(0, M + 1, 0, 50), street.reading(1, M + 1, 50, 0)]);
		expect(street.balances()).toEqual([20_000, 999]);
		expect(street.household(1)).toMatchObject({ boughtWh: 20, utilityImportWh: 30 });
		expect(street.household(0)).toMatchObject({ soldWh: 20, utilityExportWh: 30 });
	});

	it("is nothing from a buyer that cannot pay for 1 Wh; its readings are still awaited, and a top-up ends it", () => {
		const street = pair(999);
		const paused = street.minute(M + 1, [street.reading(0, M + 1, 0, 50), street.reading(1, M + 1, 50, 0)]);
		expect(paused.results.settled).toEqual([{ seller: 0, minute: M + 1, availableWh: 50, deliveries: [] }]);
		expect(street.household(1)).toMatchObject({ boughtWh: 0, utilityImportWh: 50 });
		expect(settledIn(street.minute(M + 2, [street.reading(0, M + 2, 0, 50)]))).toEqual([]);
		street.giveTokens(1, NOK);
		street.minute(M + 3, [street.reading(1, M + 2, 50, 0)]);
		expect(street.household(1)).toMatchObject({ boughtWh: 50, balanceMicroNok: 999 + NOK - 50_000 });
	});

	it("of a buyer without money leaves the energy to the others", () => {
		const street = new TestNeighbourhood(3);
		street.giveTokens(2, NOK);
		street.contractBetween(0, 1);
		street.contractBetween(0, 2);
		street.minute(M);
		street.minute(M + 1, [
			street.reading(0, M + 1, 0, 10),
			street.reading(1, M + 1, 10, 0),
			street.reading(2, M + 1, 10, 0),
		]);
		expect([1, 2].map((member) => street.household(member).boughtWh)).toEqual([0, 10]);
	});

	it("is shared pro rata where there is too little, by largest remainder, ties to the older contract", () => {
		const street = new TestNeighbourhood(4);
		for (const member of [1, 2, 3]) street.giveTokens(member, NOK);
		// The older contract is member 3's.
		for (const buyer of [3, 1, 2]) street.contractBetween(0, buyer);
		street.minute(M);
		street.minute(M + 1, [
			street.reading(0, M + 1, 0, 10),
			...[1, 2, 3].map((member) => street.reading(member, M + 1, 7, 0)),
		]);
		expect([1, 2, 3].map((member) => street.household(member).boughtWh)).toEqual([3, 3, 4]);
	});

	it("is nothing beyond what a sum of money can say: a contract's amount stays a safe integer", () => {
		const street = pair(10 ** 15, { priceMicroNokPerWh: 1_000_000 });
		const near = Number.MAX_SAFE_INTEGER - 3_500_000;
		street.ledger = {
			...street.ledger,
			contracts: street.ledger.contracts.map((contract) => ({ ...contract, amountMicroNok: near })),
		};
		street.minute(M + 1, [street.reading(0, M + 1, 0, 50), street.reading(1, M + 1, 50, 0)]);
		expect(street.contract(0).deliveredWh).toBe(3);
		expect(street.household(1)).toMatchObject({ boughtWh: 3, utilityImportWh: 47 });
	});
});

describe("the rest of a minute", () => {
	it("is booked for the utility at once where no contract concerns it", () => {
		const street = new TestNeighbourhood(2);
		const { results } = street.minute(M, [street.reading(1, M, 40, 7)]);
		expect(results.rests).toEqual([{ household: 1, minute: M, importWh: 40, exportWh: 7 }]);
		expect(street.household(1)).toMatchObject({ utilityImportWh: 40, utilityExportWh: 7, pending: [] });
	});

	it("waits until all contract-minutes of the household have settled: as buyer and as seller", () => {
		const street = new TestNeighbourhood(3);
		street.giveTokens(1, NOK);
		street.giveTokens(2, NOK);
		street.contractBetween(0, 1);
		street.contractBetween(1, 2);
		street.minute(M);
		const half = street.minute(M + 1, [street.reading(0, M + 1, 0, 10), street.reading(1, M + 1, 30, 20)]);
		expect(settledIn(half)).toEqual([[0, 1]]);
		expect(half.results.rests).toEqual([{ household: 0, minute: M + 1, importWh: 0, exportWh: 0 }]);
		const whole = street.minute(M + 2, [street.reading(2, M + 1, 5, 0)]);
		expect(settledIn(whole)).toEqual([[1, 1]]);
		expect(whole.results.rests).toEqual([
			{ household: 1, minute: M + 1, importWh: 20, exportWh: 15 },
			{ household: 2, minute: M + 1, importWh: 0, exportWh: 0 },
		]);
	});
});

describe("the quality of a reading", () => {
	const soldWith = (quality: "measured" | "estimated" | "catch-up" | "gap" | "simulated" | "typed", trial: object) => {
		const street = new TestNeighbourhood(2, trial);
		street.giveTokens(1, NOK);
		street.contractBetween(0, 1);
		street.minute(M);
		street.minute(M + 1, [street.reading(0, M + 1, 0, 50, quality), street.reading(1, M + 1, 50, 0)]);
		expect(street.household(0).exportWh).toBe(50);
		expect(street.household(0).soldWh + street.household(0).utilityExportWh).toBe(50);
		return street.household(0).soldWh;
	};

	it.each(["measured", "estimated", "catch-up", "gap"] as const)("%s settles", (quality) => {
		expect(soldWith(quality, {})).toBe(50);
	});

	it("simulated settles only in a trial or a demo: nobody sells energy that a program made up", () => {
		expect(soldWith("simulated", {})).toBe(0);
		expect(soldWith("simulated", { moneyKind: "trial" })).toBe(50);
		expect(soldWith("simulated", { timeScale: 60 })).toBe(50);
	});

	it("typed is shown only, in a trial as well", () => {
		expect(soldWith("typed", {})).toBe(0);
		expect(soldWith("typed", { moneyKind: "trial" })).toBe(0);
	});

	it("of the buyer counts in the same way, and a minute of such readings does not wait for the grace", () => {
		const street = pair();
		const executed = street.minute(M + 1, [
			street.reading(0, M + 1, 0, 50),
			street.reading(1, M + 1, 50, 0, "simulated"),
		]);
		expect(executed.results.settled).toEqual([{ seller: 0, minute: M + 1, availableWh: 50, deliveries: [] }]);
		expect(street.household(1)).toMatchObject({ importWh: 50, boughtWh: 0, utilityImportWh: 50 });
	});
});

describe("the grace", () => {
	it("of 3 ends in the fourth counted block: the block of the minute itself is the first", () => {
		const street = pair();
		street.minute(M + 1, [street.reading(0, M + 1, 0, 50)]);
		expect(settledIn(street.minute(M + 2))).toEqual([]);
		expect(settledIn(street.minute(M + 3))).toEqual([]);
		const { results } = street.minute(M + 4);
		expect(results.settled).toEqual([{ seller: 0, minute: M + 1, availableWh: 50, deliveries: [] }]);
		expect(street.household(0)).toMatchObject({ soldWh: 0, utilityExportWh: 50 });
	});

	it("ends after that block's transactions: a reading in it still settles", () => {
		const street = pair();
		street.minute(M + 1, [street.reading(0, M + 1, 0, 50)]);
		street.minute(M + 2);
		street.minute(M + 3);
		street.minute(M + 4, [street.reading(1, M + 1, 30, 0)]);
		expect(street.household(1)).toMatchObject({ boughtWh: 30, utilityImportWh: 0 });
	});

	it("of 0 settles a minute with its own block", () => {
		const street = pair(NOK, {}, 0);
		expect(settledIn(street.minute(M + 1, [street.reading(0, M + 1, 0, 50)]))).toEqual([[0, 1]]);
	});

	it("of a minute that is not the oldest ends with its own count, however long the older one waited", () => {
		const street = pair();
		for (const k of [1, 2, 3]) street.minute(M + k);
		expect(settledIn(street.minute(M + 4))).toEqual([[0, 1]]);
		expect(settledIn(street.minute(M + 5))).toEqual([[0, 2]]);
		expect(settledIn(street.minute(M + 6, [street.reading(0, M + 3, 0, 5), street.reading(1, M + 3, 5, 0)]))).toEqual([
			[0, 3],
		]);
		expect(street.household(1).boughtWh).toBe(5);
	});

	it("is not shortened by quick blocks: only the first block of an interval counts", () => {
		const street = pair();
		street.minute(M + 1);
		for (let i = 1; i <= 20; i++) street.block(blockMsOf(M + 1) + i * 1_000);
		for (let i = 0; i < 5; i++) street.block(blockMsOf(M + 2) - 10 + i);
		expect(settledIn(street.minute(M + 2))).toEqual([]);
		expect(settledIn(street.minute(M + 3))).toEqual([]);
		expect(settledIn(street.minute(M + 4))).toEqual([[0, 1]]);
	});

	it("never runs while the chain stands still: after an outage the first block counts once, the backlog not at all", () => {
		const street = pair();
		street.minute(M + 1);
		// Two hours of nothing; then the first block carries the clock, and a backlog follows at parent + 1 ms.
		const after = M + 121;
		expect(settledIn(street.minute(after, [street.reading(0, M + 1, 0, 50)]))).toEqual([]);
		for (let i = 1; i <= 40; i++) {
			expect(settledIn(street.block(blockMsOf(after) + i, [street.reading(0, M + 1 + i, 0, 50)]))).toEqual([]);
		}
		expect(settledIn(street.minute(after + 1))).toEqual([]);
		// Nobody has lost anything: the buyer hands in what it kept.
		const settled = street.minute(
			after + 2,
			[1, 2, 3].map((k) => street.reading(1, M + k, 20, 0)),
		);
		expect(settledIn(settled)).toEqual([1, 2, 3].map((k) => [0, k]));
		expect(street.household(1).boughtWh).toBe(60);
	});

	it("is the same number of counted blocks for every minute of an outage", () => {
		const street = pair();
		street.minute(M + 1);
		street.minute(M + 60);
		street.minute(M + 61);
		// M + 1 has seen blocks M + 1, M + 60, M + 61; all others of the outage one less.
		expect(settledIn(street.minute(M + 62))).toEqual([[0, 1]]);
		const settled = settledIn(street.minute(M + 63));
		expect(settled).toHaveLength(59);
		expect(settled.at(-1)).toEqual([0, 60]);
	});

	it("with three blocks a minute counts each of them", () => {
		const street = new TestNeighbourhood(2, { blockIntervalMs: 20_000, settlementGraceBlocks: 3 });
		street.contractBetween(0, 1);
		street.block(blockMsOf(M));
		const settled = [0, 20_000, 25_000, 40_000, 60_000].map((ms) => settledIn(street.block(blockMsOf(M + 1) + ms)));
		expect(settled).toEqual([[], [], [], [], [[0, 1]]]);
	});
});

describe("a reading after the grace", () => {
	it("is taken and shown, and settles as zero", () => {
		const street = pair();
		street.minute(M + 1, [street.reading(0, M + 1, 0, 50)]);
		for (const k of [2, 3, 4]) street.minute(M + k);
		const before = street.balances();
		const { results } = street.minute(M + 5, [street.reading(1, M + 1, 30, 0)]);
		expect(results.rests).toEqual([{ household: 1, minute: M + 1, importWh: 30, exportWh: 0 }]);
		expect(street.household(1)).toMatchObject({ importWh: 30, boughtWh: 0, utilityImportWh: 30 });
		expect(street.balances()).toEqual(before);
	});

	it("of the seller sells nothing any more", () => {
		const street = pair();
		street.minute(M + 1, [street.reading(1, M + 1, 30, 0)]);
		for (const k of [2, 3, 4]) street.minute(M + k);
		street.minute(M + 5, [street.reading(0, M + 1, 0, 50)]);
		expect(street.household(0)).toMatchObject({ exportWh: 50, soldWh: 0, utilityExportWh: 50 });
		expect(street.household(1)).toMatchObject({ boughtWh: 0, utilityImportWh: 30 });
	});
});

describe("the minutes of a contract", () => {
	const soldMinutes = (street: TestNeighbourhood) =>
		street.results.flatMap(({ settled }) => settled.map(({ minute }) => minute - M));

	function playTo(street: TestNeighbourhood, last: number, from = 1) {
		for (let k = from; k <= last; k++) {
			street.minute(M + k, [street.reading(0, M + k, 0, 10), street.reading(1, M + k, 10, 0)]);
		}
	}

	it("begin with the minute after the accept's block, where from is earlier", () => {
		const street = new TestNeighbourhood(2);
		street.giveTokens(1, NOK);
		street.minute(M);
		// The block of minute M is stamped at the beginning of M + 1, so its neighbours lie in M + 1.
		street.contractBetween(0, 1, { fromMinute: M });
		expect(street.contract(0).fromMinute).toBe(M + 2);
		playTo(street, 4);
		expect(soldMinutes(street)).toEqual([2, 3, 4]);
	});

	it("begin with from, where that is later", () => {
		const street = pair(NOK, { fromMinute: M + 3 });
		playTo(street, 5);
		expect(soldMinutes(street)).toEqual([3, 4, 5]);
	});

	it("do not reach until, which is exclusive", () => {
		const street = pair(NOK, { untilMinute: M + 4 });
		playTo(street, 6);
		expect(soldMinutes(street)).toEqual([1, 2, 3]);
		expect(street.ledger.liveContracts).toEqual([]);
		expect(street.household(1)).toMatchObject({ boughtWh: 30, utilityImportWh: 30 });
	});

	it("end with the minute of the end's block + 1 + notice", () => {
		const street = pair(NOK, { noticeMinutes: 2 });
		playTo(street, 2);
		// The block of minute M + 2 is stamped in minute M + 3; so is this one.
		street.block(street.head.timestampMs + 1, [street.act("end", 1, { contractId: street.contract(0).id })]);
		expect(street.contract(0)).toMatchObject({ untilMinute: M + 3 + 1 + 2, ended: true });
		playTo(street, 8, 3);
		expect(soldMinutes(street)).toEqual([1, 2, 3, 4, 5]);
	});
});
