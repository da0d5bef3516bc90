import { describe, expect, it } from "vitest";
import { sameMeters } from "../../../src/node/sameMeter.js";
import { MS_PER_MINUTE } from "../../../src/primitives/units.js";
import { foundedStreet } from "../../support/cluster.js";

const UNTIL = 29_000_000;

type Told = (minute: number) => { importWh: number; exportWh: number } | undefined;

/** A house whose use goes up and down, another way for each seed. */
const house =
	(seed: number): Told =>
	(minute) => ({ importWh: 8 + ((minute * (7 + seed) + seed * 13) % 11), exportWh: 0 });

const found = (...houses: Told[]) =>
	sameMeters(
		houses.map((_, at) => at),
		UNTIL,
		(member, minute) => houses[member]?.(minute),
	);

/** What a device tells that ends its minutes some seconds later. */
const beside =
	(told: Told): Told =>
	(minute) => {
		const reading = told(minute);
		return reading && { ...reading, importWh: reading.importWh + (minute % 2 === 0 ? 1 : -1) };
	};

describe("two households at one meter", () => {
	it("are found, whoever else is there", () => {
		expect(found(house(1), house(2), beside(house(1)), house(3))).toEqual([[0, 2]]);
		expect(found(house(1), house(1), house(1))).toEqual([
			[0, 1],
			[0, 2],
			[1, 2],
		]);
	});

	it("are found by what they sell, too, and where some of it is missing", () => {
		const sun: Told = (minute) => ({ importWh: 0, exportWh: (minute * 5) % 23 });
		expect(found(sun, (minute) => (minute % 5 === 0 ? undefined : sun(minute)))).toEqual([[0, 1]]);
	});

	it("are not those who are away, or use the same all the time", () => {
		const idle: Told = () => ({ importWh: 2, exportWh: 0 });
		expect(found(idle, idle)).toEqual([]);
		expect(
			found(
				() => undefined,
				() => undefined,
			),
		).toEqual([]);
	});

	it("are not those who tell the same for a while only, or differ by a little more each minute", () => {
		const forAWhile: Told = (minute) => (minute < UNTIL - 20 ? house(1)(minute) : house(2)(minute));
		expect(found(house(1), forAWhile)).toEqual([]);
		expect(found(house(1), (minute) => (minute < UNTIL - 40 ? house(1)(minute) : undefined))).toEqual([]);
		const more: Told = (minute) => ({ importWh: (house(1)(minute)?.importWh ?? 0) + 1, exportWh: 0 });
		expect(found(house(1), more)).toEqual([]);
	});
});

describe("an operator", () => {
	it("is told of them, and nobody else is", async () => {
		const cluster = await foundedStreet(3);
		await cluster.nextMinute();
		const first = Math.floor(cluster.chainMs / MS_PER_MINUTE);
		for (let minute = first; minute < first + 50; minute++) {
			const importWh = 5 + ((minute * 7) % 13);
			for (const at of [1, 2]) await cluster.read(at, minute, importWh);
			await cluster.nextMinute();
		}
		expect(cluster.view(0).operator?.sameMeters).toEqual([[1, 2]]);
		expect(JSON.stringify(cluster.view(1))).not.toContain("sameMeters");
	});
});
