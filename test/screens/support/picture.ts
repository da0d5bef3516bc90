/**
 * Pictures of screens as files, small enough to be kept with the tests: at half their size, with a palette. They are compared
 * with what is drawn now, made as small.
 */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";

/** All surfaces, lines and marks are exact, and nearly all edges of letters. */
const COLOURS_MAX = 256;
/** What is looked at together: so many small pixels each way. */
const WINDOW_PX = 16;
/** Shapes: edges of letters differ from machine to machine, what has moved differs more, and in more places. Distances in OKLab. */
const SHAPES = { threshold: 0.1, differentMax: 40 };
/** Colours of surfaces and straight lines, which are the same everywhere: the slightest difference that is seen. */
const SURFACES = { threshold: 0.006, differentMax: 24 };
/** A surface or a line is as long in one direction. */
const RUN_PX = 3;

/** What differs, how much of the window where most does, and the difference drawn. */
export interface Difference {
	readonly of: "shapes" | "surfaces";
	readonly inWindow: number;
	readonly picture: Buffer;
}

/** Nothing where two pictures (PNG), both of them small, look the same. */
export function differenceOf(wanted: Buffer, drawn: Buffer): Difference | undefined {
	const [a, b] = [PNG.sync.read(wanted), PNG.sync.read(drawn)];
	if (a.width !== b.width || a.height !== b.height) return { of: "shapes", inWindow: a.width, picture: drawn };
	return compare("shapes", a, b, SHAPES) ?? compare("surfaces", a, b, { ...SURFACES, ignoreMask: edgesOf(a) });
}

function compare(
	of: Difference["of"],
	{ data, width, height }: PNG,
	drawn: PNG,
	{ threshold, differentMax, ignoreMask }: { threshold: number; differentMax: number; ignoreMask?: Uint8Array },
): Difference | undefined {
	const difference = new PNG({ width, height });
	const options = { threshold, windowSize: WINDOW_PX, ignoreMask };
	const inWindow = pixelmatch(data, drawn.data, difference.data, width, height, options);
	return inWindow <= differentMax ? undefined : { of, inWindow, picture: PNG.sync.write(difference) };
}

/** 1 where there is neither a surface nor a straight line. */
function edgesOf({ data, width, height }: PNG): Uint8Array {
	const edges = new Uint8Array(width * height).fill(1);
	const colourAt = (x: number, y: number) => data.readUInt32BE((y * width + x) * 4);
	const reach = Array.from({ length: 2 * RUN_PX + 1 }, (_, at) => at - RUN_PX);
	for (let y = RUN_PX; y < height - RUN_PX; y++) {
		for (let x = RUN_PX; x < width - RUN_PX; x++) {
			const colour = colourAt(x, y);
			const isRow = reach.every((by) => colourAt(x + by, y) === colour);
			if (isRow || reach.every((by) => colourAt(x, y + by) === colour)) edges[y * width + x] = 0;
		}
	}
	return edges;
}

let folder: string | undefined;

/** Puts pictures where a person can look at them; gives the folder. */
export function layOut(pictures: Record<string, Buffer>): string {
	folder ??= mkdtempSync(join(tmpdir(), "nabostrom-pictures-"));
	for (const [name, picture] of Object.entries(pictures)) writeFileSync(join(folder, `${name}.png`), picture);
	return folder;
}

export function readPicture(path: string): Buffer | undefined {
	try {
		return readFileSync(path);
	} catch {
		return undefined;
	}
}

/** The picture (PNG) as it is kept: a tenth of the bytes. */
export function small(picture: Buffer): Buffer {
	return withPalette(halved(PNG.sync.read(picture)));
}

/** Each pixel is the mean of four: what moves still moves, and a surface has its colour. */
function halved({ data, width, height }: PNG): PNG {
	const half = new PNG({ width: width / 2, height: height / 2 });
	for (let y = 0; y < half.height; y++) {
		for (let x = 0; x < half.width; x++) {
			const [from, to] = [(2 * y * width + 2 * x) * 4, (y * half.width + x) * 4];
			for (let channel = 0; channel < 4; channel++) {
				const at = (offset: number) => data[from + offset + channel] ?? 0;
				half.data[to + channel] = (at(0) + at(4) + at(width * 4) + at(width * 4 + 4) + 2) >> 2;
			}
		}
	}
	return half;
}

/** As a PNG with a palette of its most frequent colours. */
function withPalette({ data, width, height }: PNG): Buffer {
	const colourAt = (pixel: number) => (data.readUInt32BE(pixel * 4) >>> 8) as number;
	const counts = new Map<number, number>();
	for (let pixel = 0; pixel < width * height; pixel++) {
		const colour = colourAt(pixel);
		counts.set(colour, (counts.get(colour) ?? 0) + 1);
	}
	const palette = [...counts]
		.sort(([, a], [, b]) => b - a)
		.slice(0, COLOURS_MAX)
		.map(([colour]) => colour);
	const places = new Map(palette.map((colour, place) => [colour, place]));
	// A row begins with its filter: none.
	const rows = Buffer.alloc((width + 1) * height);
	for (let pixel = 0; pixel < width * height; pixel++) {
		const colour = colourAt(pixel);
		let place = places.get(colour);
		if (place === undefined) {
			place = nearest(palette, colour);
			places.set(colour, place);
		}
		rows[Math.floor(pixel / width) * (width + 1) + 1 + (pixel % width)] = place;
	}
	const header = Buffer.alloc(13);
	header.writeUInt32BE(width, 0);
	header.writeUInt32BE(height, 4);
	// Eight bits a pixel, which name a colour of the palette.
	header.set([8, 3], 8);
	const colours = Buffer.from(palette.flatMap(channelsOf));
	return Buffer.concat([
		Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
		chunk("IHDR", header),
		chunk("PLTE", colours),
		chunk("IDAT", deflateSync(rows, { level: 9 })),
		chunk("IEND", Buffer.alloc(0)),
	]);
}

const channelsOf = (colour: number): [number, number, number] => [colour >>> 16, (colour >>> 8) & 0xff, colour & 0xff];

function nearest(palette: readonly number[], colour: number): number {
	const [red, green, blue] = channelsOf(colour);
	let best = 0;
	let bestDistance = Number.POSITIVE_INFINITY;
	for (const [place, each] of palette.entries()) {
		const [r, g, b] = channelsOf(each);
		const distance = (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2;
		if (distance < bestDistance) [best, bestDistance] = [place, distance];
	}
	return best;
}

/** A PNG's part: its length, its name, what it holds, and their checksum. */
function chunk(name: string, content: Buffer): Buffer {
	const length = Buffer.alloc(4);
	length.writeUInt32BE(content.length);
	const named = Buffer.concat([Buffer.from(name, "latin1"), content]);
	const checksum = Buffer.alloc(4);
	checksum.writeUInt32BE(crc32(named));
	return Buffer.concat([length, named, checksum]);
}
