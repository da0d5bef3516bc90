/**
 * Where the houses of the operator's picture stand: placed once by forces, the same for the same households, and from
 * then on wherever a person put them. Places are parts of the picture's width and height, 0 … 1 to their middle.
 */
import {
	forceCollide,
	forceLink,
	forceManyBody,
	forceSimulation,
	forceX,
	forceY,
	type SimulationNodeDatum,
} from "d3-force";

export interface Place {
	readonly x: number;
	readonly y: number;
}

/** A picture's size, and what a house with its name takes of it, px. */
export interface Sheet {
	readonly width: number;
	readonly height: number;
	readonly houseWidth: number;
	readonly houseHeight: number;
}

/** The market stands in the middle, and is no household. */
export const MARKET = -1;
const MIDDLE: Place = { x: 0.5, y: 0.5 };
const TICKS = 300;
/** How often houses that overlap push each other apart before they are put in rows. */
const PUSHES = 400;
const NARROW_BELOW_PX = 560;
const LOWEST_PX = 400;

/** The sheet for so many houses in a picture of this width; narrower ones are higher. */
export function sheetFor(houses: number, widthPx: number): Sheet {
	const isNarrow = widthPx < NARROW_BELOW_PX;
	const [houseWidth, houseHeight] = isNarrow ? [92, 122] : [136, 126];
	const columns = Math.max(1, Math.floor(widthPx / houseWidth) - (isNarrow ? 0 : 1));
	// Of the row in the middle the market takes the most.
	const rows = odd(Math.ceil((houses + columns) / columns));
	return { width: widthPx, height: Math.max(LOWEST_PX, rows * houseHeight + 24), houseWidth, houseHeight };
}

/** Places by a narrow and a wide picture are kept apart. */
export function sheetName({ width }: Pick<Sheet, "width">): "narrow" | "wide" {
	return width < NARROW_BELOW_PX ? "narrow" : "wide";
}

/**
 * A place for every household: those that have one keep it, the others are put where forces and the links between them
 * (member indices) say. The same in, the same out.
 */
export function placeHouses(
	members: readonly number[],
	links: readonly (readonly [number, number])[],
	sheet: Sheet,
	kept: ReadonlyMap<number, Place>,
): Map<number, Place> {
	const { houseHeight, houseWidth } = sheet;
	const fixed = new Map([...kept].filter(([member]) => members.includes(member)));
	if (members.every((member) => fixed.has(member))) return fixed;
	const nodes = [MARKET, ...members].map((member): SimulationNodeDatum & { member: number } => {
		const place = member === MARKET ? MIDDLE : fixed.get(member);
		if (place === undefined) return { member };
		const { x, y } = { x: place.x * sheet.width, y: place.y * sheet.height };
		return { member, x, y, fx: x, fy: y };
	});
	const known = links.filter((link) => link.every((member) => members.includes(member)));
	const stretch = sheet.width / sheet.height;
	const simulation = forceSimulation(nodes)
		.force("charge", forceManyBody().strength(-400))
		.force("collide", forceCollide(Math.min(houseWidth, houseHeight) / 2))
		.force("x", forceX(sheet.width / 2).strength(Math.min(0.3, 0.08 / stretch)))
		.force("y", forceY(sheet.height / 2).strength(Math.min(0.3, 0.08 * stretch)))
		.force(
			"link",
			forceLink<(typeof nodes)[number], { source: number; target: number }>(
				known.map(([source, target]) => ({ source, target })),
			)
				.id(({ member }) => member)
				.distance(houseWidth * 1.6)
				.strength(0.15),
		)
		.stop();
	simulation.tick(TICKS);
	const found = new Map(nodes.map(({ member, x = 0, y = 0 }) => [member, { x, y }]));
	const centres = fixed.size > 0 ? found : spread(found, sheet);
	const apart =
		pushedApart(centres, sheet, new Set([MARKET, ...fixed.keys()])) ?? inRows(centres, sheet, fixed.size > 0);
	apart.delete(MARKET);
	return new Map([...apart].map(([member, { x, y }]) => [member, { x: x / sheet.width, y: y / sheet.height }]));
}

/** As far out as the sheet reaches, to each of its four sides: lines and figures want room between the houses. */
function spread(centres: ReadonlyMap<number, Place>, sheet: Sheet): Map<number, Place> {
	const places = [...centres.values()];
	const stretched = (axis: "x" | "y", middle: number, room: number) => {
		const far = (sign: number) => Math.max(1, ...places.map((place) => sign * (place[axis] - middle)));
		const [before, after] = [room / far(-1), room / far(1)];
		return (at: number) => middle + (at - middle) * (at < middle ? before : after);
	};
	const byX = stretched("x", sheet.width / 2, (sheet.width - sheet.houseWidth) / 2);
	const byY = stretched("y", sheet.height / 2, (sheet.height - sheet.houseHeight) / 2);
	return new Map([...centres].map(([member, { x, y }]) => [member, { x: byX(x), y: byY(y) }]));
}

/** Centres (px) in the sheet of which no two overlap; undefined: they do not come apart. */
function pushedApart(
	centres: ReadonlyMap<number, Place>,
	sheet: Sheet,
	still: ReadonlySet<number>,
): Map<number, Place> | undefined {
	const placed = new Map(
		[...centres].map(([member, place]) => [member, still.has(member) ? place : inside(place, sheet)]),
	);
	const members = [...placed.keys()];
	for (let push = 0; push < PUSHES; push++) {
		let isApart = true;
		for (const [at, first] of members.entries()) {
			for (const second of members.slice(at + 1)) {
				const [a, b] = [placed.get(first), placed.get(second)];
				if (a === undefined || b === undefined || (still.has(first) && still.has(second))) continue;
				const [dx, dy] = [b.x - a.x, b.y - a.y];
				const overlapX = sheet.houseWidth - Math.abs(dx);
				const overlapY = sheet.houseHeight - Math.abs(dy);
				if (overlapX <= 0.5 || overlapY <= 0.5) continue;
				isApart = false;
				const share = still.has(first) || still.has(second) ? 1 : 0.5;
				const sideways = overlapX / sheet.houseWidth < overlapY / sheet.houseHeight;
				const step = {
					x: sideways ? Math.sign(dx || 1) * (overlapX + 1) * share : 0,
					y: sideways ? 0 : Math.sign(dy || 1) * (overlapY + 1) * share,
				};
				if (!still.has(first)) placed.set(first, inside({ x: a.x - step.x, y: a.y - step.y }, sheet));
				if (!still.has(second)) placed.set(second, inside({ x: b.x + step.x, y: b.y + step.y }, sheet));
			}
		}
		if (isApart) return placed;
	}
	return undefined;
}

/** Rows and columns with room for all, each house in the free cell that is nearest. */
function inRows(centres: ReadonlyMap<number, Place>, sheet: Sheet, keepsOthers: boolean): Map<number, Place> {
	// Where somebody has put houses by hand, a newcomer that finds no room stands over another one, and can be moved.
	if (keepsOthers) return new Map(centres);
	const columns = Math.max(1, Math.floor(sheet.width / sheet.houseWidth));
	const highest = Math.floor(sheet.height / sheet.houseHeight);
	const rows = odd(highest) > highest ? highest - 1 : highest;
	const cells = Array.from({ length: columns * rows }, (_, cell) => ({
		x: ((cell % columns) + 0.5) * (sheet.width / columns),
		y: (Math.floor(cell / columns) + 0.5) * (sheet.height / rows),
	}));
	const isOfMarket = ({ x, y }: Place) =>
		Math.abs(x - sheet.width / 2) < sheet.houseWidth && Math.abs(y - sheet.height / 2) < sheet.houseHeight;
	const free = cells.filter((cell) => !isOfMarket(cell));
	const placed = new Map<number, Place>();
	for (const [member, centre] of centres) {
		if (member === MARKET) continue;
		const distance = ({ x, y }: Place) => (x - centre.x) ** 2 + (y - centre.y) ** 2;
		const nearest = free.reduce((best, cell, at) => (distance(cell) < distance(free[best] ?? cell) ? at : best), 0);
		const [cell] = free.splice(nearest, 1);
		placed.set(member, cell ?? centre);
	}
	return placed;
}

/** So many rows that one of them is in the middle. */
function odd(rows: number): number {
	return rows % 2 === 0 ? rows + 1 : rows;
}

function inside({ x, y }: Place, { height, houseHeight, houseWidth, width }: Sheet): Place {
	const within = (value: number, margin: number, size: number) => Math.min(Math.max(value, margin), size - margin);
	return { x: within(x, houseWidth / 2, width), y: within(y, houseHeight / 2, height) };
}

/** A place that was moved by so many px, and stays in the picture. */
export function movedBy({ x, y }: Place, dx: number, dy: number, sheet: Sheet): Place {
	const moved = inside({ x: x * sheet.width + dx, y: y * sheet.height + dy }, sheet);
	return { x: moved.x / sheet.width, y: moved.y / sheet.height };
}

/** Places as a text that this browser keeps. */
export function placesText(places: ReadonlyMap<number, Place>): string {
	const rounded = (part: number) => Number(part.toFixed(4));
	return JSON.stringify([...places].map(([member, { x, y }]) => [member, rounded(x), rounded(y)]));
}

/** What was kept; nothing, where it is no such text. */
export function readPlaces(text: string | null): Map<number, Place> {
	const places = new Map<number, Place>();
	for (const entry of parsed(text)) {
		if (!Array.isArray(entry)) continue;
		const [member, x, y]: unknown[] = entry;
		if (Number.isSafeInteger(member) && isPart(x) && isPart(y)) places.set(Number(member), { x, y });
	}
	return places;
}

function parsed(text: string | null): unknown[] {
	try {
		const value: unknown = JSON.parse(text ?? "[]");
		return Array.isArray(value) ? value : [];
	} catch {
		return [];
	}
}

function isPart(value: unknown): value is number {
	return typeof value === "number" && value >= 0 && value <= 1;
}

/** A rectangle by its middle, px. */
export interface Box {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}

/** Where along its line a figure may stand: the middle first. */
const ALONG = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8];
const LINE_GAP_PX = 5;
/** On the line if there is room, else at one side of it. */
const BESIDE = [0, 1, -1];

/**
 * Places for the figures of lines, so that as few as can be stand over names, signs or each other. Lines in the order in
 * which they choose; `size`: of a figure, px.
 */
export function labelSpots(
	lines: readonly { readonly from: Place; readonly to: Place }[],
	size: Pick<Box, "width" | "height">,
	obstacles: readonly Box[],
): Place[] {
	const taken = [...obstacles];
	return lines.map(({ from, to }) => {
		const [dx, dy] = [to.x - from.x, to.y - from.y];
		const length = Math.max(1, Math.hypot(dx, dy));
		// So far from the line that a figure does not touch it.
		const apart = (Math.abs(dy) * size.width + Math.abs(dx) * size.height) / 2 / length + LINE_GAP_PX;
		const spots = BESIDE.flatMap((side) =>
			ALONG.map((along) => ({
				x: from.x + dx * along + (side * apart * dy) / length,
				y: from.y + dy * along - (side * apart * dx) / length,
			})),
		);
		const covered = spots.map((spot) => taken.reduce((sum, box) => sum + overlapOf({ ...spot, ...size }, box), 0));
		const spot = spots[covered.indexOf(Math.min(...covered))] ?? from;
		taken.push({ ...spot, ...size });
		return spot;
	});
}

/** px². */
function overlapOf(a: Box, b: Box): number {
	const width = (a.width + b.width) / 2 - Math.abs(a.x - b.x);
	const height = (a.height + b.height) / 2 - Math.abs(a.y - b.y);
	return width > 0 && height > 0 ? width * height : 0;
}

/** A name in at most two lines of so many characters: houses of one street differ at their end. */
export function nameLines(name: string, length: number): string[] {
	const cut = (text: string) => (text.length <= length ? text : `${text.slice(0, length - 1).trimEnd()}…`);
	if (name.length <= length) return [name];
	const at = Math.max(name.slice(0, length + 1).lastIndexOf(" "), name.indexOf(" ") > length ? name.indexOf(" ") : 0);
	return at <= 0 ? [cut(name)] : [cut(name.slice(0, at)), cut(name.slice(at + 1))];
}
