import { describe, expect, it } from "vitest";
import { blockHash } from "../../../src/block/block.js";
import { billOf } from "../../../src/node/bill.js";
import { History } from "../../../src/node/history.js";
import { openRecord, sealRecord } from "../../../src/node/records.js";
import { DEFAULT_PARAMETERS, FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";

const DAY = 20_000;
const FROM = DAY * 1_440;
const KEY = new Uint8Array(33);
const PRICES = {
	...DEFAULT_PARAMETERS,
	retailMicroNokPerWh: 1_500,
	feedInMicroNokPerWh: 500,
	localFeeMicroNokPerWh: 0,
};

/** A day as earlier versions wrote it: 30 Wh in every minute, 10 of them by a contract; in the first quarter 90 matched. */
function earlierRecord(): Uint8Array {
	const values = [30, 0, 10, 0].flatMap((wh) => Array.from({ length: 1_440 }, () => wh));
	const bytes = new Uint8Array((values.length + 4) * 4);
	const view = new DataView(bytes.buffer);
	for (const [at, value] of [...values, 0, 15, 90, 0].entries()) view.setInt32(at * 4, value, true);
	return sealRecord(bytes);
}

const stored = (record: Uint8Array) => [{ member: 1, day: DAY, record }];

describe("a day's record", () => {
	it("of an earlier version still opens: its prices and money are not known, its energy is", () => {
		const history = new History(KEY);
		history.restore(stored(earlierRecord()));
		expect([...history.series(1, FROM + 14, FROM + 16).boughtWh]).toEqual([16, 10]);
		const bill = billOf({ ...history.billed(1, FROM, FROM + 1_440, PRICES), ownRetail: [] });
		expect(bill.total).toMatchObject({ minutesWithoutPrices: 1_440, minutesWithoutMoney: 1_440 });
		expect(bill.total).toMatchObject({ savedMicroNok: 0, boughtWh: 14_490, fromUtilityWh: 28_710 });
	});

	it("is written in this version's shape, and read as the same", () => {
		const history = new History(KEY);
		history.restore(stored(earlierRecord()));
		const again = new History(KEY);
		again.restore(history.storedDays());
		const all = (each: History) => each.billed(1, FROM, FROM + 1_440, PRICES);
		expect(all(again)).toEqual(all(history));
	});

	it("of storage is passed over for what is still in memory, and is read where that is gone", () => {
		const memory = new History(KEY);
		memory.restore([{ member: 1, day: DAY + 1, record: earlierRecord() }]);
		const older = [0, 1].map((at) => ({ member: 1, day: DAY + at, record: earlierRecord() }));
		const whole = new History(KEY);
		whole.restore(older);
		// The second day is in memory alone.
		const past = memory.past(1, DAY, DAY + 2, older.slice(0, 1));
		expect(past?.series(1, FROM, FROM + 2 * 1_440)).toEqual(whole.series(1, FROM, FROM + 2 * 1_440));
		expect(memory.series(1, FROM, FROM + 1).importWh[0]).toBe(-1);
		expect(new History(KEY).past(1, DAY, DAY + 1, stored(new Uint8Array(9)))).toBeUndefined();
	});

	it("that is too short or too long is damaged", () => {
		const history = new History(KEY);
		history.restore(stored(earlierRecord()));
		const content = openRecord(history.storedDays()[0]?.record ?? new Uint8Array());
		if (!content.ok) throw new Error("it was just sealed");
		for (const length of [100, content.value.length - 4, content.value.length + 4]) {
			const bytes = new Uint8Array(length);
			bytes.set(content.value.subarray(0, length));
			let damaged = 0;
			const opened = new History(KEY, () => damaged++);
			opened.restore(stored(sealRecord(bytes)));
			expect(opened.reading(1, FROM)).toBeUndefined();
			expect(opened.reading(1, FROM)).toBeUndefined();
			expect(damaged).toBe(1);
		}
	});

	it("tells of a minute's reading by itself what the series tells of it", () => {
		const history = new History(KEY);
		history.restore(stored(earlierRecord()));
		expect(history.reading(1, FROM + 3)).toEqual({ importWh: 30, exportWh: 0 });
		expect(history.reading(1, FROM - 1)).toBeUndefined();
		expect(history.reading(2, FROM)).toBeUndefined();
	});
});

describe("a reading that settles nothing", () => {
	/** A street whose blocks a history takes in. */
	function followed(): { street: TestNeighbourhood; history: History } {
		const street = new TestNeighbourhood(3, { moneyKind: "prepaid" });
		const history = new History(KEY);
		const { block } = street;
		street.block = (...given) => {
			const parent = street.ledger;
			const executed = block.apply(street, given);
			history.add(parent, { ...executed, block: street.head, hash: blockHash(street.head) });
			return executed;
		};
		return { street, history };
	}
	const M = FIRST_MINUTE;

	it("came after the block that ended its minute's grace, or was typed", () => {
		const { street, history } = followed();
		for (let minute = M; minute < M + 3; minute++) street.minute(minute);
		// The fourth block since the minute settles it with what it holds itself.
		street.minute(M + 3, [street.reading(0, M, 5, 0)]);
		street.block(street.head.timestampMs + 1, [street.reading(1, M, 6, 0)]);
		street.minute(M + 4, [street.reading(2, M + 4, 7, 0, "typed"), street.reading(2, M, 8, 1)]);
		expect(history.unsettled(0)).toEqual([]);
		const run = { fromMinute: M, untilMinute: M + 1, exportWh: 0 };
		expect(history.unsettled(1)).toEqual([{ ...run, reason: "late", importWh: 6 }]);
		expect(history.unsettled(2)).toEqual([
			{ reason: "typed", fromMinute: M + 4, untilMinute: M + 5, importWh: 7, exportWh: 0 },
			{ ...run, reason: "late", importWh: 8, exportWh: 1 },
		]);
	});

	it("is one of a run with those next to it of the same reason, over midnight as well, and kept in the day's record", () => {
		const { street, history } = followed();
		const midnight = Math.ceil(M / 1_440) * 1_440;
		for (let minute = midnight - 1; minute < midnight + 6; minute++) street.minute(minute);
		for (const minute of [midnight, midnight - 1])
			street.block(street.head.timestampMs + 1, [street.reading(1, minute, 6, 1)]);
		expect(history.unsettled(1)).toEqual([
			{ reason: "late", fromMinute: midnight - 1, untilMinute: midnight + 1, importWh: 12, exportWh: 2 },
		]);
		const again = new History(KEY);
		again.restore(history.storedDays());
		expect(again.unsettled(1)).toEqual(history.unsettled(1));
		expect(again.unsettled(0)).toEqual([]);
	});
});
