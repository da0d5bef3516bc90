import { describe, expect, it } from "vitest";
import { billOf } from "../../../src/node/bill.js";
import { History } from "../../../src/node/history.js";
import { openRecord, sealRecord } from "../../../src/node/records.js";
import { DEFAULT_PARAMETERS } from "../../support/ledger.js";

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
		expect(history.restore(stored(earlierRecord()))).toBe(true);
		expect([...history.series(1, FROM + 14, FROM + 16).boughtWh]).toEqual([16, 10]);
		const bill = billOf({ ...history.billed(1, FROM, FROM + 1_440, PRICES), ownRetail: [] });
		expect(bill).toMatchObject({ minutesWithoutPrices: 1_440, minutesWithoutMoney: 1_440 });
		expect(bill.total).toMatchObject({ savedMicroNok: 0, boughtWh: 14_490, fromUtilityWh: 28_710 });
	});

	it("is written in this version's shape, and read as the same", () => {
		const history = new History(KEY);
		history.restore(stored(earlierRecord()));
		const again = new History(KEY);
		expect(again.restore(history.storedDays())).toBe(true);
		const all = (each: History) => each.billed(1, FROM, FROM + 1_440, PRICES);
		expect(all(again)).toEqual(all(history));
	});

	it("that is too short or too long is damaged", () => {
		const history = new History(KEY);
		history.restore(stored(earlierRecord()));
		const content = openRecord(history.storedDays()[0]?.record ?? new Uint8Array());
		if (!content.ok) throw new Error("it was just sealed");
		for (const length of [100, content.value.length - 4, content.value.length + 4]) {
			const bytes = new Uint8Array(length);
			bytes.set(content.value.subarray(0, length));
			expect(new History(KEY).restore(stored(sealRecord(bytes)))).toBe(false);
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
