import { describe, expect, it } from "vitest";
import { EVERY_DAY, type Schedule, WEEKDAYS, WEEKEND } from "../../../src/block/schedule.js";
import { IDLE_MINUTES, MAX_OPEN_OFFERS } from "../../../src/contract/market.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;
const NOK = 1_000_000;
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;

describe("an offer", () => {
	it("stands open with its terms until somebody accepts or withdraws it", () => {
		const street = new TestNeighbourhood(2);
		const offer = street.act("offer", 0, {
			priceMicroNokPerWh: 1_200,
			fromMinute: M + 10,
			untilMinute: M + 20,
			energyLimitWh: 5_000,
			noticeMinutes: 60,
			maxBuyers: 2,
		});
		street.block(soon(street), [offer]);
		expect(street.ledger.offers.get(toHex(street.id(offer)))).toEqual({
			id: street.id(offer),
			seller: 0,
			priceMicroNokPerWh: 1_200,
			fromMinute: M + 10,
			untilMinute: M + 20,
			energyLimitWh: 5_000,
			noticeMinutes: 60,
			buyer: undefined,
			maxBuyers: 2,
			accepted: [],
		});
		street.block(soon(street), [street.act("withdraw", 0, { offerId: street.id(offer) })]);
		expect(street.ledger.offers.size).toBe(0);
	});

	it("is refused with an empty period, a past one, to oneself, or to nobody", () => {
		const street = new TestNeighbourhood(2);
		const refusalOf = (fields: Parameters<TestNeighbourhood["contractBetween"]>[2]) =>
			street.refusal(soon(street), [street.act("offer", 0, fields)]);
		const empty = { code: "empty-period", fromMinute: M + 5, untilMinute: M + 5 };
		expect(refusalOf({ fromMinute: M + 5, untilMinute: M + 5 })).toEqual(empty);
		// The next block's minute is M; an accept in it would cover M + 1 at the earliest.
		expect(refusalOf({ untilMinute: M + 1 })).toEqual({ code: "offer-expired", untilMinute: M + 1 });
		expect(refusalOf({ untilMinute: M + 2 })).toBeUndefined();
		expect(refusalOf({ buyer: 0 })).toEqual({ code: "own-offer" });
		expect(refusalOf({ buyer: 2 })).toEqual({ code: "unknown-member", member: 2 });
	});

	it(`is refused where its seller has ${MAX_OPEN_OFFERS} open; another's do not count`, () => {
		const street = new TestNeighbourhood(2);
		street.block(soon(street), [street.act("offer", 1)]);
		for (let i = 0; i < MAX_OPEN_OFFERS; i++) street.block(soon(street), [street.act("offer", 0)]);
		expect(street.refusal(soon(street), [street.act("offer", 0)])).toEqual({ code: "too-many-offers", limit: 16 });
		const [first] = [...street.ledger.offers.values()].filter(({ seller }) => seller === 0);
		if (first === undefined) throw new Error("an offer");
		street.block(soon(street), [street.act("withdraw", 0, { offerId: first.id })]);
		expect(street.refusal(soon(street), [street.act("offer", 0)])).toBeUndefined();
	});

	it("falls away when nobody can accept it any more", () => {
		const street = new TestNeighbourhood(2);
		const offer = street.act("offer", 0, { untilMinute: M + 4 });
		street.block(soon(street), [offer]);
		// The block of minute M + 1 lies in M + 2: an accept there covers M + 3, the last minute offered.
		street.minute(M + 1);
		expect(street.ledger.offers.size).toBe(1);
		street.minute(M + 2);
		expect(street.ledger.offers.size).toBe(0);
		const accept = street.act("accept", 1, { offerId: street.id(offer) });
		expect(street.refusal(soon(street), [accept])).toEqual({ code: "unknown-offer" });
	});

	it("is withdrawn by its seller only, and only once", () => {
		const street = new TestNeighbourhood(2);
		const offer = street.act("offer", 0);
		street.block(soon(street), [offer]);
		const withdraw = (member: number) => street.act("withdraw", member, { offerId: street.id(offer) });
		expect(street.refusal(soon(street), [withdraw(1)])).toEqual({ code: "not-your-offer" });
		street.block(soon(street), [withdraw(0)]);
		expect(street.refusal(soon(street), [withdraw(0)])).toEqual({ code: "unknown-offer" });
	});
});

/** By the clocks of the neighbourhood minute M is 22:20 on a Wednesday. */
const M_OF_DAY = 22 * 60 + 20;
const daily = (from: number, until: number, days = EVERY_DAY) => ({
	days,
	fromMinuteOfDay: M_OF_DAY + from,
	untilMinuteOfDay: M_OF_DAY + until,
});

describe("an offer for some hours", () => {
	it("stands open with them, and its contract has them", () => {
		const street = new TestNeighbourhood(2);
		const schedule = daily(2, 4);
		street.block(soon(street), [street.act("offer", 0, { schedule })]);
		expect([...street.ledger.offers.values()]).toMatchObject([{ schedule }]);
		street.contractBetween(0, 1, { schedule });
		expect(street.contract(0)).toMatchObject({ fromMinute: M + 1, schedule });
	});

	it("is refused where its period has none of them, or none any more", () => {
		const street = new TestNeighbourhood(2);
		const refusalOf = (schedule: Schedule, untilMinute: number) =>
			street.refusal(soon(street), [street.act("offer", 0, { schedule, untilMinute })]);
		// Until Saturday, 00:00.
		const saturday = M + 3 * 1_440 - M_OF_DAY;
		const weekend = { days: WEEKEND, fromMinuteOfDay: 0, untilMinuteOfDay: 1_440 };
		expect(refusalOf(weekend, saturday)).toEqual({ code: "empty-period", fromMinute: M, untilMinute: saturday });
		expect(refusalOf(weekend, saturday + 1)).toBeUndefined();
		// An accept in the next block would cover M + 1 at the earliest.
		expect(refusalOf(daily(0, 1), M + 60)).toMatchObject({ code: "empty-period" });
		expect(refusalOf(daily(0, 2), M + 60)).toBeUndefined();
		expect(refusalOf(daily(0, 1), M + 1_440)).toMatchObject({ code: "empty-period" });
		expect(refusalOf(daily(0, 1), M + 1_441)).toBeUndefined();
	});

	it("goes by the clocks that the neighbourhood was founded with", () => {
		const localTime = { offsetMinutes: 120, summerTime: true };
		const street = new TestNeighbourhood(2, { terms: { localTime, market: undefined } });
		const refusalOf = (from: number) =>
			street.refusal(soon(street), [street.act("offer", 0, { schedule: daily(from, from + 1), untilMinute: M + 60 })]);
		expect(refusalOf(10)).toMatchObject({ code: "empty-period" });
		expect(refusalOf(70)).toBeUndefined();
	});

	it("falls away when the last of them has begun, and nobody can accept it any more", () => {
		const street = new TestNeighbourhood(2);
		street.block(soon(street), [street.act("offer", 0, { schedule: daily(2, 4), untilMinute: M + 100 })]);
		// The block of minute M + 1 lies in M + 2: an accept there covers M + 3, the last minute of these hours.
		street.minute(M + 1);
		expect(street.ledger.offers.size).toBe(1);
		street.minute(M + 2);
		expect(street.ledger.offers.size).toBe(0);
	});

	it("is accepted beside another contract of the buyer, unless they have a minute in common", () => {
		const street = new TestNeighbourhood(3);
		street.contractBetween(0, 1, { schedule: daily(10, 20, WEEKDAYS) });
		const tried = (schedule: Schedule | undefined, untilMinute = M + 100_000) => {
			const offer = street.act("offer", 2, { schedule, untilMinute });
			return street.refusal(soon(street), [offer, street.act("accept", 1, { offerId: street.id(offer) })])?.code;
		};
		expect(tried(daily(0, 10))).toBeUndefined();
		expect(tried(daily(20, 30))).toBeUndefined();
		expect(tried(daily(10, 20, WEEKEND))).toBeUndefined();
		expect(tried(daily(0, 11))).toBe("overlapping-contract");
		expect(tried(daily(19, 20, 0b0010000))).toBe("overlapping-contract");
		expect(tried(undefined)).toBe("overlapping-contract");
		// From M + 1 on, and no longer than until the first contract's hours begin.
		expect(tried(undefined, M + 10)).toBeUndefined();
		expect(tried(undefined, M + 11)).toBe("overlapping-contract");
	});
});

describe("accepting", () => {
	const withOffer = (fields: Parameters<TestNeighbourhood["contractBetween"]>[2] = {}) => {
		const street = new TestNeighbourhood(4);
		const offer = street.act("offer", 0, fields);
		street.block(soon(street), [offer]);
		const accept = (member: number) => street.act("accept", member, { offerId: street.id(offer) });
		return { street, accept, offer };
	};

	it("makes a contract with the offer's terms, which is named by the accept", () => {
		const { street, accept, offer } = withOffer({ energyLimitWh: 70, noticeMinutes: 5 });
		const accepted = accept(2);
		street.block(soon(street), [accepted]);
		expect(street.contract(0)).toEqual({
			index: 0,
			id: street.id(accepted),
			offerId: street.id(offer),
			seller: 0,
			buyer: 2,
			priceMicroNokPerWh: 1_000,
			fromMinute: M + 1,
			untilMinute: M + 100_000,
			ended: false,
			energyLimitWh: 70,
			noticeMinutes: 5,
			deliveredWh: 0,
			amountMicroNok: 0,
			lastDeliveryMinute: M,
		});
		expect(street.ledger.liveContracts).toEqual([0]);
	});

	it("is open to several buyers, to each once", () => {
		const { street, accept } = withOffer();
		street.block(soon(street), [accept(1), accept(2)]);
		expect(street.ledger.contracts.map(({ buyer }) => buyer)).toEqual([1, 2]);
		expect(street.refusal(soon(street), [accept(1)])).toEqual({ code: "already-accepted" });
		street.block(soon(street), [accept(3)]);
		expect([...street.ledger.offers.values()].map(({ accepted }) => accepted)).toEqual([[1, 2, 3]]);
	});

	it("stops at the offer's number of buyers, and the offer is gone", () => {
		const { street, accept } = withOffer({ maxBuyers: 2 });
		expect(street.refusal(soon(street), [accept(1), accept(2), accept(3)])).toEqual({ code: "unknown-offer" });
		street.block(soon(street), [accept(1), accept(2)]);
		expect(street.ledger.offers.size).toBe(0);
	});

	it("is for the named buyer only, and the offer is gone", () => {
		const { street, accept } = withOffer({ buyer: 2 });
		expect(street.refusal(soon(street), [accept(1)])).toEqual({ code: "offer-for-another" });
		street.block(soon(street), [accept(2)]);
		expect(street.ledger.offers.size).toBe(0);
	});

	it("is refused to the seller itself, and for an offer that never was", () => {
		const { street, accept } = withOffer();
		expect(street.refusal(soon(street), [accept(0)])).toEqual({ code: "own-offer" });
		expect(street.refusal(soon(street), [street.act("accept", 1)])).toEqual({ code: "unknown-offer" });
	});

	it("is refused where it overlaps another contract of the buyer, whoever sells, by a single minute", () => {
		const street = new TestNeighbourhood(3);
		street.contractBetween(0, 1, { fromMinute: M + 10, untilMinute: M + 20 });
		const tried = (fromMinute: number, untilMinute: number) => {
			const offer = street.act("offer", 2, { fromMinute, untilMinute });
			const accept = street.act("accept", 1, { offerId: street.id(offer) });
			return street.refusal(soon(street), [offer, accept])?.code;
		};
		expect(tried(M + 5, M + 10)).toBeUndefined();
		expect(tried(M + 5, M + 11)).toBe("overlapping-contract");
		expect(tried(M + 19, M + 30)).toBe("overlapping-contract");
		expect(tried(M + 20, M + 30)).toBeUndefined();
		expect(tried(M + 12, M + 14)).toBe("overlapping-contract");
		expect(tried(M + 5, M + 30)).toBe("overlapping-contract");
	});

	it("lets a household buy and sell at the same time, and sell to several", () => {
		const street = new TestNeighbourhood(3);
		street.contractBetween(0, 1);
		street.contractBetween(1, 2);
		street.contractBetween(1, 0);
		expect(street.ledger.contracts).toHaveLength(3);
	});

	it("is possible again where the other contract was ended", () => {
		const street = new TestNeighbourhood(3);
		street.contractBetween(0, 1);
		street.minute(M);
		const { id } = street.contract(0);
		street.block(soon(street), [street.act("end", 1, { contractId: id })]);
		// It ends at M + 2; the next one begins there.
		street.contractBetween(2, 1);
		expect(street.ledger.contracts.map(({ fromMinute, untilMinute }) => [fromMinute - M, untilMinute - M])).toEqual([
			[1, 2],
			[2, 100_000],
		]);
	});
});

describe("ending a contract", () => {
	const withContract = (terms: Parameters<TestNeighbourhood["contractBetween"]>[2] = {}) => {
		const street = new TestNeighbourhood(3, { readingWindowBlocks: 20_000 });
		street.giveTokens(1, NOK);
		street.contractBetween(0, 1, terms);
		const end = (member: number) => street.act("end", member, { contractId: street.contract(0).id });
		return { street, end };
	};

	it("is done by either party, and by nobody else", () => {
		for (const party of [0, 1]) {
			const { street, end } = withContract();
			street.block(soon(street), [end(party)]);
			expect(street.contract(0)).toMatchObject({ ended: true, untilMinute: M + 1 });
		}
		const { street, end } = withContract();
		expect(street.refusal(soon(street), [end(2)])).toEqual({ code: "not-your-contract" });
		expect(street.refusal(soon(street), [street.act("end", 1)])).toEqual({ code: "unknown-contract" });
	});

	it("takes effect after the notice, counted from the minute after its block", () => {
		const { street, end } = withContract({ noticeMinutes: 60 });
		street.block(soon(street), [end(1)]);
		expect(street.contract(0).untilMinute).toBe(M + 1 + 60);
	});

	it("never makes a contract longer", () => {
		const { street, end } = withContract({ noticeMinutes: 60, untilMinute: M + 30 });
		expect(street.refusal(soon(street), [end(1)])).toEqual({ code: "already-ended", untilMinute: M + 30 });
	});

	it("a second time is refused while the first notice runs", () => {
		const { street, end } = withContract({ noticeMinutes: 60 });
		street.block(soon(street), [end(1)]);
		expect(street.refusal(soon(street), [end(0)])).toEqual({ code: "already-ended", untilMinute: M + 61 });
	});

	it("needs no notice after 7 days without a delivery, and it does after 7 days less a minute", () => {
		const { street, end } = withContract({ noticeMinutes: 43_200, untilMinute: M + 10_000_000 });
		street.minute(M);
		street.minute(M + 1, [street.reading(0, M + 1, 0, 5), street.reading(1, M + 1, 5, 0)]);
		expect(street.contract(0).lastDeliveryMinute).toBe(M + 1);
		const untilMinuteOfEndIn = (minute: number) => {
			const { ledger } = street;
			street.block(minute * 60_000, [end(1)]);
			const { untilMinute } = street.contract(0);
			street.ledger = ledger;
			street.blocks.pop();
			return untilMinute;
		};
		// Idle are the minutes from M + 2 to the end's own, which is the last before the contract would end.
		const tooEarly = M + 1 + IDLE_MINUTES - 1;
		expect(untilMinuteOfEndIn(tooEarly)).toBe(tooEarly + 1 + 43_200);
		expect(untilMinuteOfEndIn(tooEarly + 1)).toBe(tooEarly + 2);
	});

	it("needs its notice before the first minute, and then the contract may never begin", () => {
		const { street, end } = withContract({ fromMinute: M + 50, noticeMinutes: 10 });
		street.block(soon(street), [end(0)]);
		expect(street.contract(0)).toMatchObject({ fromMinute: M + 50, untilMinute: M + 11 });
		expect(street.ledger.liveContracts).toEqual([]);
		expect(street.refusal(soon(street), [end(0)])).toEqual({ code: "unknown-contract" });
	});

	it("is no longer possible, nor needed, when its last hours have settled, though its period goes on", () => {
		const { street, end } = withContract({ schedule: daily(1, 2), untilMinute: M + 500 });
		street.minute(M);
		expect(street.ledger.liveContracts).toEqual([0]);
		street.minute(M + 1, [street.reading(0, M + 1, 0, 5), street.reading(1, M + 1, 5, 0)]);
		expect(street.contract(0).deliveredWh).toBe(5);
		expect(street.ledger.liveContracts).toEqual([]);
		expect(street.refusal(soon(street), [end(1)])).toEqual({ code: "unknown-contract" });
	});

	it("out of its hours, before they come again, leaves nothing to settle", () => {
		const { street, end } = withContract({ schedule: daily(1, 2) });
		street.minute(M);
		street.minute(M + 1, [street.reading(0, M + 1, 0, 5), street.reading(1, M + 1, 5, 0)]);
		expect(street.ledger.liveContracts).toEqual([0]);
		street.block(soon(street), [end(1)]);
		expect(street.contract(0)).toMatchObject({ ended: true, untilMinute: M + 3 });
		expect(street.ledger.liveContracts).toEqual([]);
	});

	it("is no longer possible when the contract's last minute has settled", () => {
		const { street, end } = withContract({ untilMinute: M + 2 });
		street.minute(M);
		street.minute(M + 1, [street.reading(0, M + 1, 0, 5), street.reading(1, M + 1, 5, 0)]);
		expect(street.ledger.liveContracts).toEqual([]);
		expect(street.refusal(soon(street), [end(1)])).toEqual({ code: "unknown-contract" });
	});
});
