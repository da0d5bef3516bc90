/** uPlot with the look of these screens: import solid, export dashed and filled, minutes without a reading hatched. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Series } from "../node/protocol.js";
import { formatAxisPower, formatTime, TIME_ZONE } from "./format.js";
import { gapsOf, type PlotColumns } from "./series.js";

export interface Plot {
	draw(columns: PlotColumns, series: Series): void;
	/** Puts the cursor on a minute, or takes it away. */
	point(index: number | undefined): void;
	destroy(): void;
}

const HEIGHT_PX = 240;

/** Makes a plot that follows its container's width and the colour scheme. */
export function createPlot(container: HTMLElement): Plot {
	const scheme = matchMedia("(prefers-color-scheme: dark)");
	let data: PlotColumns = [[], [], []];
	let gaps: { from: number; until: number }[] = [];
	let plot = make();

	function make(): uPlot {
		return new uPlot(
			options(container, () => gaps),
			data,
			container,
		);
	}

	function remake(): void {
		plot.destroy();
		plot = make();
	}

	const resize = new ResizeObserver(() => plot.setSize({ width: container.clientWidth, height: HEIGHT_PX }));
	resize.observe(container);
	scheme.addEventListener("change", remake);

	return {
		draw(columns, series) {
			data = columns;
			gaps = gapsOf(series);
			plot.setData(columns);
		},
		point(index) {
			const seconds = index === undefined ? undefined : data[0][index];
			plot.setCursor({ left: seconds === undefined ? -10 : plot.valToPos(seconds, "x"), top: 0 });
		},
		destroy() {
			resize.disconnect();
			scheme.removeEventListener("change", remake);
			plot.destroy();
		},
	};
}

function options(container: HTMLElement, gaps: () => { from: number; until: number }[]): uPlot.Options {
	const style = getComputedStyle(container);
	const colour = probe(container);
	const axis = { stroke: colour("--muted"), font: `15px ${style.fontFamily}`, ticks: { show: false } };
	const grid = { stroke: colour("--line"), width: 1 };
	const control = colour("--control");
	return {
		width: container.clientWidth,
		height: HEIGHT_PX,
		padding: [12, 22, 0, 0],
		tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), TIME_ZONE),
		legend: { show: false },
		cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
		scales: { y: { range: (_plot, _min, max) => [0, Math.max(1000, (max ?? 0) * 1.1)] } },
		axes: [
			{
				...axis,
				grid: { show: false },
				values: (_plot, splits) => splits.map((s) => formatTime(s * 1000)),
				space: 72,
				size: 34,
			},
			{ ...axis, grid, size: 64, values: (_plot, splits) => splits.map((watts) => formatAxisPower(watts)) },
		],
		series: [
			{},
			{ stroke: colour("--use"), width: 1 / devicePixelRatio, points: { show: false } },
			{
				stroke: colour("--production"),
				fill: colour("--production", 0.25),
				width: 1 / devicePixelRatio,
				dash: [6, 3],
				points: { show: false },
			},
		],
		hooks: { drawClear: [(plot) => hatch(plot, gaps(), control)] },
	};
}

/** Reads a custom property as a colour that canvas understands: `light-dark()` is resolved on an element. */
function probe(container: HTMLElement): (name: string, alpha?: number) => string {
	return (name, alpha = 1) => {
		const element = document.createElement("span");
		element.style.color = `color-mix(in srgb, var(${name}) ${alpha * 100}%, transparent)`;
		container.append(element);
		const resolved = getComputedStyle(element).color;
		element.remove();
		return resolved;
	};
}

function hatch(plot: uPlot, gaps: { from: number; until: number }[], colour: string): void {
	const { ctx, bbox } = plot;
	const seconds = plot.data[0];
	ctx.save();
	ctx.strokeStyle = colour;
	ctx.globalAlpha = 0.45;
	ctx.lineWidth = 1;
	for (const { from, until } of gaps) {
		const start = seconds[from];
		const end = seconds[until] ?? seconds[until - 1];
		if (start === undefined || end === undefined) continue;
		const left = plot.valToPos(start, "x", true);
		const width = plot.valToPos(end, "x", true) - left;
		if (width < 1) continue;
		ctx.save();
		ctx.beginPath();
		ctx.rect(left, bbox.top, width, bbox.height);
		ctx.clip();
		ctx.beginPath();
		for (let x = left - bbox.height; x < left + width; x += 10 * devicePixelRatio) {
			ctx.moveTo(x, bbox.top + bbox.height);
			ctx.lineTo(x + bbox.height, bbox.top);
		}
		ctx.stroke();
		ctx.restore();
	}
	ctx.restore();
}
