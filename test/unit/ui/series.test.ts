import { describe, expect, test } from "vitest";
import type { Series } from "../../../src/node/protocol.js";
import { fromFirstReading, gapsOf, hourRows, plotColumns, totalsOf } from "../../../src/ui/series.js";

/** 13:58 to 14:03 in Oslo, with two minutes missing. */
const series: Series = {
	member: 0,
	fromMinute: Date.parse("2026-06-18T11:58Z") / 60_000,
	importWh: Int32Array.of(10, -1, -1, 20, 0),
	exportWh: Int32Array.of(0, -1, -1, 0, 50),
	boughtWh: Int32Array.of(5, -1, -1, 0, 0),
	soldWh: Int32Array.of(0, -1, -1, 0, 40),
};

test("a minute without a reading is a gap in the graph, never a zero", () => {
	const [seconds, importW, exportW] = plotColumns(series);
	expect(seconds[1]).toBe((series.fromMinute + 1) * 60);
	expect(importW).toEqual([600, null, null, 1200, 0]);
	expect(exportW).toEqual([0, null, null, 0, 3000]);
	expect(gapsOf(series)).toEqual([{ from: 1, until: 3 }]);
});

test("a gap at the end goes on to the end", () => {
	expect(gapsOf({ ...series, importWh: Int32Array.of(1, -1) })).toEqual([{ from: 1, until: 2 }]);
});

test("a day begins at the full hour before its first reading, and gaps after that stay", () => {
	const morning = new Int32Array(123).fill(-1);
	const of = (values: Int32Array) => Int32Array.of(...morning, ...values);
	const late = {
		...series,
		fromMinute: series.fromMinute - 123,
		importWh: of(series.importWh),
		exportWh: of(series.exportWh),
		boughtWh: of(series.boughtWh),
		soldWh: of(series.soldWh),
	};
	const shown = fromFirstReading(late);
	expect(shown.fromMinute % 60).toBe(0);
	expect(shown.importWh.length).toBe(58 + 5);
	expect(totalsOf(shown)).toEqual(totalsOf(series));
	expect(gapsOf(shown)).toEqual([
		{ from: 0, until: 58 },
		{ from: 59, until: 61 },
	]);
});

test("the totals are sums of integers, with the peak and how many minutes were read", () => {
	expect(totalsOf(series)).toEqual({
		minutes: 3,
		importWh: 30,
		exportWh: 50,
		peak: { minute: series.fromMinute + 3, importW: 1200 },
	});
});

test("the table has one row for each hour", () => {
	const hours = hourRows(series);
	expect(
		hours.map(({ hour, minutes, importWh, exportWh, boughtWh, soldWh }) => [
			hour,
			minutes,
			importWh,
			exportWh,
			boughtWh,
			soldWh,
		]),
	).toEqual([
		[13, 1, 10, 0, 5, 0],
		[14, 2, 20, 50, 0, 40],
	]);
});

describe("an empty day", () => {
	test("has no peak", () => {
		const none = { ...series, importWh: Int32Array.of(-1), exportWh: Int32Array.of(-1) };
		expect(totalsOf(none)).toEqual({ minutes: 0, importWh: 0, exportWh: 0 });
	});
});
