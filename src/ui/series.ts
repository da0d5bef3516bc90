/** Minute values made ready for a graph, its sentence and its table. −1 is a minute without a reading: never a zero. */
import type { Series } from "../node/protocol.js";
import { MS_PER_MINUTE } from "../primitives/units.js";
import { hourOf } from "./calendar.js";

export interface SeriesTotals {
	minutes: number;
	importWh: number;
	exportWh: number;
	/** The minute with the highest import, if there is any reading. */
	peak?: { minute: number; importW: number };
}

export interface HourRow {
	fromMinute: number;
	hour: number;
	minutes: number;
	importWh: number;
	exportWh: number;
	boughtWh: number;
	soldWh: number;
}

/** Columns for uPlot: seconds, average W in and out of each minute; null where there is no reading. */
export type PlotColumns = [number[], (number | null)[], (number | null)[]];

export function plotColumns(series: Series): PlotColumns {
	const seconds: number[] = [];
	for (let i = 0; i < series.importWh.length; i++) seconds.push(((series.fromMinute + i) * MS_PER_MINUTE) / 1000);
	return [seconds, powers(series.importWh), powers(series.exportWh)];
}

/**
 * Without the minutes before the first reading, from the full hour on: a household that joined at noon has no morning
 * that is missing. The sentence beside the graph says where it begins.
 */
export function fromFirstReading(series: Series): Series {
	const first = series.importWh.findIndex((importWh) => importWh >= 0);
	if (first <= 0) return series;
	const start = Math.max(0, first - ((series.fromMinute + first) % 60));
	return {
		member: series.member,
		fromMinute: series.fromMinute + start,
		importWh: series.importWh.subarray(start),
		exportWh: series.exportWh.subarray(start),
		boughtWh: series.boughtWh.subarray(start),
		soldWh: series.soldWh.subarray(start),
	};
}

export function totalsOf(series: Series): SeriesTotals {
	const totals: SeriesTotals = { minutes: 0, importWh: 0, exportWh: 0 };
	for (let i = 0; i < series.importWh.length; i++) {
		const importWh = series.importWh[i] ?? -1;
		if (importWh < 0) continue;
		totals.minutes++;
		totals.importWh += importWh;
		totals.exportWh += Math.max(0, series.exportWh[i] ?? 0);
		if (totals.peak === undefined || importWh * 60 > totals.peak.importW)
			totals.peak = { minute: series.fromMinute + i, importW: importWh * 60 };
	}
	return totals;
}

/** The table twin: one row for each hour of the day that has begun. */
export function hourRows(series: Series): HourRow[] {
	const rows: HourRow[] = [];
	for (let i = 0; i < series.importWh.length; i++) {
		const minute = series.fromMinute + i;
		let row = rows.at(-1);
		if (row === undefined || (minute % 60 === 0 && minute !== row.fromMinute)) {
			row = { fromMinute: minute, hour: hourOf(minute), minutes: 0, importWh: 0, exportWh: 0, boughtWh: 0, soldWh: 0 };
			rows.push(row);
		}
		const importWh = series.importWh[i] ?? -1;
		if (importWh < 0) continue;
		row.minutes++;
		row.importWh += importWh;
		row.exportWh += Math.max(0, series.exportWh[i] ?? 0);
		row.boughtWh += Math.max(0, series.boughtWh[i] ?? 0);
		row.soldWh += Math.max(0, series.soldWh[i] ?? 0);
	}
	return rows;
}

/** Runs of minutes without a reading, as half-open index ranges, to be hatched. */
export function gapsOf(series: Series): { from: number; until: number }[] {
	const gaps: { from: number; until: number }[] = [];
	let from = -1;
	for (let i = 0; i <= series.importWh.length; i++) {
		const missing = i < series.importWh.length && (series.importWh[i] ?? -1) < 0;
		if (missing && from < 0) from = i;
		if (!missing && from >= 0) {
			gaps.push({ from, until: i });
			from = -1;
		}
	}
	return gaps;
}

function powers(energiesWh: Int32Array): (number | null)[] {
	return Array.from(energiesWh, (energyWh) => (energyWh < 0 ? null : energyWh * 60));
}
