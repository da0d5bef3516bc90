/** uPlot with the look of these screens, for usage: stacked bars, or power with its band; what was not measured is hatched. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { MS_PER_MINUTE } from "../../primitives/units.js";
import { formatAxisKroner, formatAxisKwh, formatAxisPower, TIME_ZONE } from "../format.js";
import type { BarChart, Chart, PowerChart, SeriesRole } from "./chart.js";
import { type Tick, ticksOf } from "./ticks.js";

export interface UsagePlot {
	draw(chart: Chart): void;
	/** Puts the cursor on a piece, or takes it away. */
	point(piece: number | undefined): void;
	/** Draws everything anew: colours have changed. */
	repaint(): void;
	destroy(): void;
}

export interface UsagePlotEvents {
	/** The pointer is over a piece, or over none any more. */
	onhover(piece: number | undefined): void;
	/** A piece was clicked or tapped. */
	onchoose(piece: number): void;
}

const HEIGHT_PX = 260;
/** Lines are thin where there are many points: they cost by their width (uPlot #1053). */
const FEW_POINTS = 750;
const LABEL_WIDTH_PX = 58;

/** Makes a plot that follows its container's width. */
export function createUsagePlot(container: HTMLElement, events: UsagePlotEvents): UsagePlot {
	/** Another chart of the same shape takes the place of the one that is drawn. */
	let drawn: { chart: Chart } | undefined;
	let plot: uPlot | undefined;

	function make(chart: Chart): void {
		plot?.destroy();
		drawn = { chart };
		plot = new uPlot(options(container, drawn, events), dataOf(chart), container);
	}

	const resize = new ResizeObserver(() => {
		if (container.clientWidth > 0) plot?.setSize({ width: container.clientWidth, height: HEIGHT_PX });
	});
	resize.observe(container);

	return {
		draw(next) {
			// With every block the numbers are others, and hardly ever what is drawn of them.
			if (drawn !== undefined && shapeOf(next) === shapeOf(drawn.chart)) {
				drawn.chart = next;
				plot?.setData(dataOf(next));
			} else make(next);
		},
		point(piece) {
			const x = piece === undefined ? undefined : plot?.data[0][piece];
			plot?.setCursor({ left: x === undefined ? -10 : plot.valToPos(x, "x"), top: 0 }, false);
		},
		repaint() {
			if (drawn !== undefined) make(drawn.chart);
		},
		destroy() {
			resize.disconnect();
			plot?.destroy();
			[plot, drawn] = [undefined, undefined];
		},
	};
}

/** Charts of one shape are the same lines or bars of other numbers. */
function shapeOf(chart: Chart): string {
	if (chart.kind === "bars") return `${chart.kind} ${chart.measure}`;
	return `${chart.kind} ${chart.band !== undefined} ${hasFewPoints(chart)}`;
}

function hasFewPoints({ importW }: PowerChart): boolean {
	return importW.length < FEW_POINTS;
}

/** By piece, at its middle: the bars' outline, or the lines. */
function dataOf(chart: Chart): uPlot.AlignedData {
	const { starts } = chart;
	const middles = Array.from({ length: starts.length - 1 }, (_, piece) => middleOf(starts, piece));
	if (chart.kind === "bars") {
		const sum = (layers: BarChart["up"], sign: 1 | -1) =>
			middles.map((_, piece) => sign * layers.reduce((all, { values }) => all + (values[piece] ?? 0), 0));
		const before = chart.before;
		return [
			middles,
			sum(chart.up, 1),
			sum(chart.down, -1),
			before === undefined ? middles.map(() => null) : middles.map((_, piece) => before[piece] ?? null),
		];
	}
	const none = middles.map(() => null);
	const { importW, exportW, band, beforeW } = chart;
	return [middles, band?.maxW ?? none, band?.minW ?? none, importW, exportW, sized(beforeW, middles.length)].map(
		(column) => [...column],
	) as uPlot.AlignedData;
}

function sized(values: readonly (number | null)[] | undefined, length: number): (number | null)[] {
	return Array.from({ length }, (_, piece) => values?.[piece] ?? null);
}

/** `drawn`: its chart is another with every block, of the same shape. */
function options(container: HTMLElement, drawn: { readonly chart: Chart }, events: UsagePlotEvents): uPlot.Options {
	const { chart } = drawn;
	const style = getComputedStyle(container);
	const colour = probe(container);
	const axis = { stroke: colour("--muted"), font: `15px ${style.fontFamily}`, ticks: { show: false } };
	const ends = (): [number, number] => {
		const { starts } = drawn.chart;
		return [secondsOf(starts[0] ?? 0), secondsOf(starts.at(-1) ?? 0)];
	};
	let ticks: Tick[] = [];
	return {
		width: container.clientWidth,
		height: HEIGHT_PX,
		padding: [12, 10, 0, 0],
		tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), TIME_ZONE),
		legend: { show: false },
		cursor: { y: false, drag: { x: false, y: false }, points: { show: chart.kind === "power", size: 8 } },
		scales: { x: { time: true, range: ends }, y: { range: (_plot, min, max) => rangeOf(drawn.chart, min, max) } },
		axes: [
			{
				...axis,
				grid: { show: false },
				splits: (plot) => {
					const room = Math.max(2, Math.floor(plot.width / LABEL_WIDTH_PX));
					ticks = ticksOf(drawn.chart.starts, room);
					return ticks.map(({ minute }) => secondsOf(minute));
				},
				values: () => ticks.map(({ text }) => text),
				size: 34,
			},
			{
				...axis,
				grid: { stroke: colour("--line"), width: 1 },
				size: 68,
				values: (_plot, splits) => splits.map((value) => axisText(chart, value)),
			},
		],
		series: chart.kind === "bars" ? [{}, HIDDEN, HIDDEN, HIDDEN] : lines(hasFewPoints(chart), colour),
		...(chart.kind === "power" && chart.band !== undefined
			? { bands: [{ series: [1, 2] as [number, number], fill: colour("--use", 0.2) }] }
			: {}),
		hooks: {
			drawClear: [(plot) => hatch(plot, drawn.chart, colour("--control"))],
			draw: [(plot) => bars(plot, drawn.chart, colour)],
			setCursor: [
				(plot) => {
					const { idx, left } = plot.cursor;
					events.onhover(idx === null || idx === undefined || (left ?? -1) < 0 ? undefined : idx);
				},
			],
			ready: [
				(plot) =>
					plot.over.addEventListener("click", () => {
						const { idx } = plot.cursor;
						if (idx !== null && idx !== undefined) events.onchoose(idx);
					}),
			],
		},
	};
}

const HIDDEN: uPlot.Series = { show: true, paths: () => null, points: { show: false } };

function lines(isFew: boolean, colour: Colour): uPlot.Series[] {
	const width = isFew ? 2 : 1 / devicePixelRatio;
	const line = (role: string): uPlot.Series => ({ stroke: colour(role), width, points: { show: false } });
	const edge: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false } };
	return [
		{},
		edge,
		edge,
		line("--use"),
		{ ...line("--production"), fill: colour("--production", 0.2), dash: [6, 3] },
		{ ...line("--muted"), dash: [2, 4] },
	];
}

function rangeOf(chart: Chart, min: number | null, max: number | null): [number, number] {
	const least = chart.kind === "power" ? 1000 : chart.measure === "energy" ? 1000 : 1_000_000;
	const top = Math.max((max ?? 0) * 1.1, (min ?? 0) < 0 ? 0 : least);
	return [Math.min(0, (min ?? 0) * 1.1), top === 0 ? least : top];
}

function axisText(chart: Chart, value: number): string {
	if (chart.kind === "power") return formatAxisPower(Math.round(value));
	const size = Math.round(Math.abs(value));
	return chart.measure === "energy" ? formatAxisKwh(size) : formatAxisKroner(size);
}

/** By rectangles: 365 of uPlot's own bars cost a hundred times as much. */
function bars(plot: uPlot, chart: Chart, colour: Colour): void {
	if (chart.kind !== "bars") return;
	const { starts, up, down, before } = chart;
	const { ctx } = plot;
	const fills = new Map<SeriesRole, string>(
		(["use", "production", "token", "grid"] as const).map((role) => [role, colour(`--${role}`)]),
	);
	const zero = plot.valToPos(0, "y", true);
	ctx.save();
	for (let piece = 0; piece + 1 < starts.length; piece++) {
		const [left, width] = barOf(plot, starts, piece);
		for (const [layers, sign] of [
			[up, 1],
			[down, -1],
		] as const) {
			let sum = 0;
			for (const { role, values } of layers) {
				const value = values[piece] ?? 0;
				if (value <= 0) continue;
				const y = plot.valToPos(sign * sum, "y", true);
				sum += value;
				ctx.fillStyle = fills.get(role) ?? "";
				ctx.fillRect(left, y, width, plot.valToPos(sign * sum, "y", true) - y);
			}
		}
		const compared = before?.[piece] ?? 0;
		if (compared > 0) {
			ctx.fillStyle = colour("--text");
			ctx.fillRect(left, plot.valToPos(compared, "y", true) - devicePixelRatio, width, 2 * devicePixelRatio);
		}
	}
	ctx.fillStyle = colour("--control");
	ctx.fillRect(plot.bbox.left, zero, plot.bbox.width, devicePixelRatio);
	ctx.restore();
}

/** Left edge and width of a piece's bar, canvas pixels, with room beside it where there is some. */
function barOf(plot: uPlot, starts: Int32Array, piece: number): [left: number, width: number] {
	const [from, until] = [piece, piece + 1].map((at) => plot.valToPos(secondsOf(starts[at] ?? 0), "x", true));
	const room = (until ?? 0) - (from ?? 0);
	const gap = room < 4 ? 0 : Math.min(room * 0.24, 10 * devicePixelRatio);
	return [(from ?? 0) + gap / 2, Math.max(1, room - gap)];
}

function hatch(plot: uPlot, { starts, gaps }: Chart, colour: string): void {
	const { ctx, bbox } = plot;
	ctx.save();
	ctx.strokeStyle = colour;
	ctx.globalAlpha = 0.45;
	ctx.lineWidth = 1;
	for (const { from, until } of gaps) {
		const [left, right] = [from, until].map((at) => plot.valToPos(secondsOf(starts[at] ?? 0), "x", true));
		const width = Math.max(1, (right ?? 0) - (left ?? 0));
		ctx.save();
		ctx.beginPath();
		ctx.rect(left ?? 0, bbox.top, width, bbox.height);
		ctx.clip();
		ctx.beginPath();
		for (let x = (left ?? 0) - bbox.height; x < (left ?? 0) + width; x += 10 * devicePixelRatio) {
			ctx.moveTo(x, bbox.top + bbox.height);
			ctx.lineTo(x + bbox.height, bbox.top);
		}
		ctx.stroke();
		ctx.restore();
	}
	ctx.restore();
}

type Colour = (name: string, alpha?: number) => string;

/** Reads a custom property as a colour that canvas understands: `light-dark()` is resolved on an element. */
function probe(container: HTMLElement): Colour {
	const known = new Map<string, string>();
	return (name, alpha = 1) => {
		const key = `${name}/${alpha}`;
		const found = known.get(key);
		if (found !== undefined) return found;
		const element = document.createElement("span");
		element.style.color = `color-mix(in srgb, var(${name}) ${alpha * 100}%, transparent)`;
		container.append(element);
		const resolved = getComputedStyle(element).color;
		element.remove();
		known.set(key, resolved);
		return resolved;
	};
}

function middleOf(starts: Int32Array, piece: number): number {
	return (secondsOf(starts[piece] ?? 0) + secondsOf(starts[piece + 1] ?? 0)) / 2;
}

function secondsOf(minute: number): number {
	return (minute * MS_PER_MINUTE) / 1000;
}
