/** Usage made ready to be drawn. Sums never come from here: they are the node's integers. */
import type { Usage } from "../../node/protocol.js";
import type { Measure } from "./span.js";

/** Colours and marks stand for the same everywhere (app.css). */
export type SeriesRole = "use" | "production" | "token" | "grid";

/** What is stacked on the axis: upwards what came in or was paid, downwards what went out or was earned. */
export interface Layer {
	readonly role: SeriesRole;
	readonly values: Float64Array;
}

export interface BarChart {
	readonly kind: "bars";
	/** Wh, or µNOK. */
	readonly measure: "energy" | "money";
	readonly starts: Int32Array;
	readonly up: readonly Layer[];
	readonly down: readonly Layer[];
	readonly gaps: readonly Gap[];
	/** Of the span before, piece by piece: what went upwards altogether. */
	readonly before?: Float64Array;
}

/** Average power of each piece with the least and the most of its minutes, W; null: no reading. */
export interface PowerChart {
	readonly kind: "power";
	readonly starts: Int32Array;
	readonly importW: readonly (number | null)[];
	readonly exportW: readonly (number | null)[];
	/** Absent: a piece is a minute. */
	readonly band?: { readonly minW: readonly (number | null)[]; readonly maxW: readonly (number | null)[] };
	readonly gaps: readonly Gap[];
	readonly beforeW?: readonly (number | null)[];
}

export type Chart = BarChart | PowerChart;

/** Pieces [from, until) in which nothing was measured though the household was there: never drawn as zero. */
export interface Gap {
	readonly from: number;
	readonly until: number;
}

/** `before`: the span before, in the same pieces, to compare with. `nowMinute`: what has not ended is no gap. */
export function chartOf(usage: Usage, measure: Measure, nowMinute: number, before?: Usage): Chart {
	const { figures, starts } = usage;
	const gaps = gapsOf(usage, nowMinute);
	if (measure === "power") {
		const { importMinWh, importMaxWh } = usage.band;
		const power = (values: Float64Array, of: Usage) => powers(values, of.figures.minutes);
		return {
			kind: "power",
			starts,
			importW: power(figures.importWh, usage),
			exportW: power(figures.exportWh, usage),
			...(usage.unit === "minute"
				? {}
				: { band: { minW: minuteW(importMinWh, usage), maxW: minuteW(importMaxWh, usage) } }),
			gaps,
			...(before === undefined ? {} : { beforeW: power(before.figures.importWh, before) }),
		};
	}
	if (measure === "energy") {
		return {
			kind: "bars",
			measure,
			starts,
			up: [
				{ role: "use", values: figures.fromUtilityWh },
				{ role: "token", values: figures.boughtWh },
			],
			down: [
				{ role: "production", values: figures.toUtilityWh },
				{ role: "token", values: figures.soldWh },
			],
			gaps,
			...(before === undefined ? {} : { before: before.figures.importWh }),
		};
	}
	return {
		kind: "bars",
		measure,
		starts,
		up: [
			{ role: "use", values: added(figures.utilityCostMicroNok, figures.localFeeMicroNok) },
			{ role: "token", values: figures.paidMicroNok },
		],
		down: [
			{ role: "production", values: figures.utilityIncomeMicroNok },
			{ role: "token", values: figures.earnedMicroNok },
		],
		gaps,
		...(before === undefined ? {} : { before: costOf(before) }),
	};
}

/** Runs of pieces without a reading between the first one that has one and now. */
export function gapsOf({ starts, figures: { minutes } }: Usage, nowMinute: number): Gap[] {
	const gaps: Gap[] = [];
	let from = -1;
	const first = minutes.findIndex((count) => count > 0);
	if (first < 0) return gaps;
	for (let piece = first; piece <= minutes.length; piece++) {
		const isPast = (starts[piece + 1] ?? Number.POSITIVE_INFINITY) <= nowMinute;
		const isMissing = piece < minutes.length && minutes[piece] === 0 && isPast;
		if (isMissing && from < 0) from = piece;
		if (!isMissing && from >= 0) {
			gaps.push({ from, until: piece });
			from = -1;
		}
	}
	return gaps;
}

function costOf({ figures }: Usage): Float64Array {
	return added(added(figures.utilityCostMicroNok, figures.localFeeMicroNok), figures.paidMicroNok);
}

function added(a: Float64Array, b: Float64Array): Float64Array {
	return a.map((value, piece) => value + (b[piece] ?? 0));
}

function powers(energiesWh: Float64Array, minutes: Float64Array): (number | null)[] {
	return Array.from(energiesWh, (energyWh, piece) => {
		const count = minutes[piece] ?? 0;
		return count === 0 ? null : (energyWh * 60) / count;
	});
}

function minuteW(energiesWh: Float64Array, { figures: { minutes } }: Usage): (number | null)[] {
	return Array.from(energiesWh, (energyWh, piece) => (minutes[piece] === 0 ? null : energyWh * 60));
}
