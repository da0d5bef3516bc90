import { describe, expect, it } from "vitest";
import { BILL_FIGURES } from "../../../../src/node/bill.js";
import type { BillFigures, Usage } from "../../../../src/node/protocol.js";
import { type BarChart, chartOf, gapsOf, type PowerChart } from "../../../../src/ui/usage/chart.js";
import { sourcesOf } from "../../../../src/ui/usage/sources.js";

/** Hours from minute 0 on, with these figures each. */
function usageWith(pieces: Partial<BillFigures>[], said: Partial<Usage> = {}): Usage {
	const column = (field: keyof BillFigures) => Float64Array.from(pieces, (piece) => piece[field] ?? 0);
	const figures = Object.fromEntries(BILL_FIGURES.map((field) => [field, column(field)])) as Usage["figures"];
	const total = Object.fromEntries(
		BILL_FIGURES.map((field) => [field, figures[field].reduce((sum, value) => sum + value, 0)]),
	) as unknown as BillFigures;
	const nothing = new Float64Array(pieces.length);
	return {
		of: 0,
		unit: "hour",
		starts: Int32Array.from({ length: pieces.length + 1 }, (_, at) => at * 60),
		figures,
		band: { importMinWh: nothing, importMaxWh: nothing, exportMinWh: nothing, exportMaxWh: nothing },
		total,
		memberMinutes: total.minutes,
		partners: [],
		isSettled: true,
		...said,
	};
}

describe("a chart", () => {
	it("of power is the average of the minutes that were measured, and nothing where none was", () => {
		const usage = usageWith([{ minutes: 30, importWh: 500 }, {}, { minutes: 60, exportWh: 60 }]);
		const chart = chartOf(usage, "power", 1_000) as PowerChart;
		expect(chart.importW).toEqual([1_000, null, 0]);
		expect(chart.exportW).toEqual([0, null, 60]);
		expect(chart.gaps).toEqual([{ from: 1, until: 2 }]);
		expect(chart.beforeW).toBeUndefined();
	});

	it("of energy stacks the utility's and the neighbours', upwards what came in", () => {
		const usage = usageWith([
			{ minutes: 60, importWh: 9, boughtWh: 4, fromUtilityWh: 5, exportWh: 7, soldWh: 1, toUtilityWh: 6 },
		]);
		const chart = chartOf(usage, "energy", 1_000) as BarChart;
		const said = (layers: BarChart["up"]) => layers.map(({ role, values }) => [role, values[0]]);
		expect(said(chart.up)).toEqual([
			["use", 5],
			["token", 4],
		]);
		expect(said(chart.down)).toEqual([
			["production", 6],
			["token", 1],
		]);
	});

	it("of money counts what the grid takes with what the utility does, and compares what was paid altogether", () => {
		const piece = { minutes: 60, utilityCostMicroNok: 50, localFeeMicroNok: 3, paidMicroNok: 20, earnedMicroNok: 7 };
		const usage = usageWith([piece]);
		const chart = chartOf(usage, "money", 1_000, usage) as BarChart;
		expect(chart.up.map(({ values }) => values[0])).toEqual([53, 20]);
		expect(chart.down.map(({ values }) => values[0])).toEqual([0, 7]);
		expect(chart.before?.[0]).toBe(73);
	});

	it("hatches what is missing between the first reading and now, not what is still to come", () => {
		const usage = usageWith([{}, { minutes: 60 }, {}, {}, { minutes: 1 }, {}, {}]);
		expect(gapsOf(usage, 1_000)).toEqual([
			{ from: 2, until: 4 },
			{ from: 5, until: 7 },
		]);
		expect(gapsOf(usage, 5 * 60 + 30)).toEqual([{ from: 2, until: 4 }]);
		expect(gapsOf(usageWith([{}, {}]), 1_000)).toEqual([]);
	});
});

describe("where it came from", () => {
	const partner = (other: number | undefined, boughtWh: number) => ({
		...(other === undefined ? {} : { other }),
		boughtWh,
		soldWh: 0,
		paidMicroNok: boughtWh * 1_000,
		earnedMicroNok: 0,
	});

	it("names neighbours by their energy, then the rest of them, then the utility, and adds up to what came in", () => {
		const partners = [partner(2, 100), partner(undefined, 300), partner(5, 0)];
		const usage = usageWith([{ minutes: 60, importWh: 1_000, boughtWh: 410, fromUtilityWh: 590 }], { partners });
		const sources = sourcesOf(usage, "in");
		expect(sources.map(({ of, energyWh, perMille }) => [of, energyWh, perMille])).toEqual([
			["market", 300, 300],
			[2, 100, 100],
			["others", 10, 10],
			["utility", 590, 590],
		]);
		expect(sources.reduce((sum, { energyWh }) => sum + energyWh, 0)).toBe(1_000);
		expect(sources.map(({ amountMicroNok }) => amountMicroNok)).toEqual([300_000, 100_000, undefined, undefined]);
	});

	it("is nowhere where nothing came", () => {
		expect(sourcesOf(usageWith([{ minutes: 60 }]), "in")).toEqual([]);
		expect(sourcesOf(usageWith([{ minutes: 60, exportWh: 5, toUtilityWh: 5 }]), "out")).toMatchObject([
			{ of: "utility", perMille: 1_000 },
		]);
	});
});
