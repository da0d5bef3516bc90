import { describe, expect, it } from "vitest";
import {
	labelSpots,
	movedBy,
	nameLines,
	type Place,
	placeHouses,
	placesText,
	readPlaces,
	type Sheet,
	sheetFor,
} from "../../../src/ui/networkLayout.js";

const NOBODY = new Map<number, Place>();
const members = (count: number) => Array.from({ length: count }, (_, member) => member);
const star = (count: number) =>
	members(count)
		.slice(1)
		.map((member) => [0, member] as const);

/** Pairs of houses that stand over each other, the market in the middle among them. */
function overlaps(places: ReadonlyMap<number, Place>, sheet: Sheet): number {
	const all = [...places.values(), { x: 0.5, y: 0.5 }];
	let count = 0;
	for (const [at, a] of all.entries()) {
		for (const b of all.slice(at + 1)) {
			const isBeside = Math.abs(a.x - b.x) * sheet.width >= sheet.houseWidth - 1;
			const isBelow = Math.abs(a.y - b.y) * sheet.height >= sheet.houseHeight - 1;
			if (!isBeside && !isBelow) count += 1;
		}
	}
	return count;
}

describe("the houses of the picture", () => {
	it("stand where they stood the last time, without anything kept", () => {
		const sheet = sheetFor(12, 700);
		expect(placeHouses(members(12), star(12), sheet, NOBODY)).toEqual(
			placeHouses(members(12), star(12), sheet, NOBODY),
		);
	});

	it("do not overlap, from one to twenty, on a phone, a tablet and a wide screen", () => {
		for (const width of [256, 296, 620, 760]) {
			for (const count of [1, 2, 6, 13, 20]) {
				const sheet = sheetFor(count, width);
				const places = placeHouses(members(count), star(count), sheet, NOBODY);
				expect([width, count, places.size, overlaps(places, sheet)]).toEqual([width, count, count, 0]);
				for (const { x, y } of places.values()) {
					expect(x >= 0 && x <= 1 && y >= 0 && y <= 1).toBe(true);
				}
			}
		}
	});

	it("that somebody has put somewhere stay there, and newcomers find room beside them", () => {
		const sheet = sheetFor(4, 700);
		const kept = new Map([
			[0, { x: 0.1, y: 0.2 }],
			[1, { x: 0.9, y: 0.8 }],
		]);
		const places = placeHouses(members(4), star(4), sheet, kept);
		expect([places.get(0), places.get(1)]).toEqual([kept.get(0), kept.get(1)]);
		expect(overlaps(places, sheet)).toBe(0);
	});

	it("of households that are gone are forgotten", () => {
		const kept = new Map([[7, { x: 0.1, y: 0.1 }]]);
		expect([...placeHouses([0, 1], [], sheetFor(2, 700), kept).keys()].sort()).toEqual([0, 1]);
	});

	it("are moved, and not out of the picture", () => {
		const sheet = sheetFor(4, 500);
		const place = movedBy({ x: 0.5, y: 0.5 }, 50, -36, sheet);
		expect(place.x).toBeCloseTo(0.6);
		expect(place.y).toBeCloseTo(0.5 - 36 / sheet.height);
		const corner = { x: (500 - sheet.houseWidth / 2) / 500, y: sheet.houseHeight / 2 / sheet.height };
		expect(movedBy(place, 9_000, -9_000, sheet)).toEqual(corner);
	});

	it("are kept as text, of which nothing is read that is no place", () => {
		const places = new Map([[3, { x: 0.25, y: 0.75 }]]);
		expect(readPlaces(placesText(places))).toEqual(places);
		for (const text of [null, "", "{}", "[[1]]", '[[1,"a",2]]', "[[1,0.5,7]]", "[null]"]) {
			expect(readPlaces(text)).toEqual(NOBODY);
		}
	});
});

describe("what is written in the picture", () => {
	it("is a figure in the middle of its line, or beside what stands there", () => {
		const line = { from: { x: 0, y: 0 }, to: { x: 200, y: 0 } };
		const size = { width: 50, height: 18 };
		expect(labelSpots([line], size, [])).toEqual([{ x: 100, y: 0 }]);
		const [beside] = labelSpots([line], size, [{ x: 100, y: 0, width: 60, height: 20 }]);
		expect(Math.abs((beside?.x ?? 0) - 100)).toBeGreaterThanOrEqual(55);
		const [first, second] = labelSpots([line, line], size, []);
		expect(Math.abs((first?.x ?? 0) - (second?.x ?? 0))).toBeGreaterThanOrEqual(50);
		// Where its line is hidden all along it stands beside it, and does not touch it.
		const [aside] = labelSpots([line], size, [{ x: 100, y: 0, width: 400, height: 2 }]);
		expect(Math.abs(aside?.y ?? 0)).toBeGreaterThan(size.height / 2);
	});

	it("is a name in two lines at the most, with its number", () => {
		expect(nameLines("Solvang", 12)).toEqual(["Solvang"]);
		expect(nameLines("Bjørkeveien 12", 12)).toEqual(["Bjørkeveien", "12"]);
		expect(nameLines("Familien Nordmann-Gyldensteen", 15)).toEqual(["Familien", "Nordmann-Gylde…"]);
		expect(nameLines("Gyldensteengården", 12)).toEqual(["Gyldensteen…"]);
	});
});
