import { describe, expect, it } from "vitest";
import { osloClock, osloTime } from "../../../src/meter/osloTime.js";
import { type PhotovoltaicPlant, photovoltaicPowerW } from "../../../src/meter/photovoltaics.js";
import { createSimulatedHousehold } from "../../../src/meter/simulatedHousehold.js";
import { clearness } from "../../../src/meter/simulatedWeather.js";

const MS_PER_DAY = 86_400_000;
const CLEAR = () => 1;
const OSLO: PhotovoltaicPlant = {
	latitudeDegrees: 59.91,
	longitudeDegrees: 10.75,
	peakW: 5_000,
	tiltDegrees: 38,
	azimuthDegrees: 0,
};
const TROMSO = { ...OSLO, latitudeDegrees: 69.65, longitudeDegrees: 18.96 };

function energyKwh(fromMs: number, days: number, stepMs: number, powerW: (timestampMs: number) => number): number {
	let kWh = 0;
	for (let atMs = fromMs; atMs < fromMs + days * MS_PER_DAY; atMs += stepMs) kWh += (powerW(atMs) * stepMs) / 3.6e9;
	return kWh;
}

const plantKwh = (plant: PhotovoltaicPlant, fromMs: number, days: number, sky: (timestampMs: number) => number) =>
	energyKwh(fromMs, days, 300_000, (atMs) => photovoltaicPowerW(plant, atMs, sky(atMs)));

describe("5 kWp of panels", () => {
	it("give about 36 kWh on a clear day in June in Oslo, and about 8 in January", () => {
		expect(Math.abs(plantKwh(OSLO, Date.UTC(2025, 5, 21), 1, CLEAR) - 36)).toBeLessThan(1);
		expect(Math.abs(plantKwh(OSLO, Date.UTC(2025, 0, 15), 1, CLEAR) - 8)).toBeLessThan(1);
	});

	it("give nothing in Tromsø in December", () => {
		expect(plantKwh(TROMSO, Date.UTC(2025, 11, 1), 31, CLEAR)).toBe(0);
	});

	it("give about 950 kWh/kWp in a year of simulated weather", () => {
		for (const year of [2024, 2025, 2026]) {
			expect(Math.abs(plantKwh(OSLO, Date.UTC(year, 0, 1), 365, clearness) / 5 - 950)).toBeLessThan(50);
		}
	});

	it("give most around solar noon, and at night nothing", () => {
		const at = (hour: number, minute = 0) => photovoltaicPowerW(OSLO, Date.UTC(2025, 5, 21, hour, minute), 1);
		// 10.75° E and an equation of time of −2 minutes: noon at 11:19 UTC.
		expect(at(11, 19)).toBeGreaterThan(at(10, 19));
		expect(at(11, 19)).toBeGreaterThan(at(12, 19));
		expect(Math.abs(at(10, 19) - at(12, 19))).toBeLessThan(20);
		expect(at(23, 19)).toBe(0);
	});

	it("give more facing west in the evening than facing east", () => {
		const evening = Date.UTC(2025, 5, 21, 17);
		const facing = (azimuthDegrees: number) => photovoltaicPowerW({ ...OSLO, azimuthDegrees }, evening, 1);
		expect(facing(60)).toBeGreaterThan(2 * facing(-60));
	});
});

describe("Norwegian time", () => {
	it.each([
		[Date.UTC(2025, 2, 30, 0, 59, 59), "2025-03-30T01:59:59"],
		[Date.UTC(2025, 2, 30, 1), "2025-03-30T03:00:00"],
		[Date.UTC(2025, 9, 26, 0, 59, 59), "2025-10-26T02:59:59"],
		[Date.UTC(2025, 9, 26, 1), "2025-10-26T02:00:00"],
		[Date.UTC(2024, 1, 29, 12), "2024-02-29T13:00:00"],
	])("%d is %s", (timestampMs, text) => {
		expect(osloClock(timestampMs)).toBe(text);
	});

	it("agrees with the time zone database through two years", () => {
		const format = new Intl.DateTimeFormat("sv-SE", {
			timeZone: "Europe/Oslo",
			dateStyle: "short",
			timeStyle: "medium",
		});
		for (let hour = 0; hour < 2 * 365 * 24; hour++) {
			const timestampMs = Date.UTC(2025, 0, 1) + hour * 3_600_000;
			expect(osloClock(timestampMs).replace("T", " ")).toBe(format.format(timestampMs));
		}
	});

	it("knows its weekdays", () => {
		expect(osloTime(Date.UTC(2025, 5, 22, 21, 59))).toMatchObject({ weekday: 6 });
		expect(osloTime(Date.UTC(2025, 5, 22, 22))).toMatchObject({ weekday: 0, hour: 0 });
	});
});

describe("a simulated household", () => {
	const JUNE = Date.UTC(2025, 5, 21);

	it("is the same at any time in whatever order it is asked", () => {
		const forwards = createSimulatedHousehold(7, "prosumer");
		const backwards = createSimulatedHousehold(7, "prosumer");
		const times = Array.from({ length: 200 }, (_, i) => JUNE + i * 1_234_567);
		const seen = new Map(times.map((atMs) => [atMs, forwards.powerAt(atMs)]));
		for (const atMs of times.toReversed()) expect(backwards.powerAt(atMs)).toEqual(seen.get(atMs));
	});

	it("differs by seed", () => {
		const at = (seed: number) => createSimulatedHousehold(seed, "consumer").powerAt(JUNE + 43_200_000).importW;
		expect(new Set([1, 2, 3, 4, 5].map(at)).size).toBeGreaterThan(1);
	});

	it("imports or exports whole W, never both, within what a main fuse bears", () => {
		const household = createSimulatedHousehold(3, "prosumer");
		for (let i = 0; i < 20_000; i++) {
			const { importW, exportW } = household.powerAt(JUNE + i * 98_765);
			expect(Number.isSafeInteger(importW) && Number.isSafeInteger(exportW)).toBe(true);
			expect(importW >= 0 && exportW >= 0 && importW * exportW === 0).toBe(true);
			expect(Math.max(importW, exportW)).toBeLessThan(25_000);
		}
	});

	it("uses between 8 and 25 MWh a year as a consumer, more of it in winter, and exports nothing", () => {
		for (const seed of [1, 2]) {
			const household = createSimulatedHousehold(seed, "consumer");
			const used = (month: number, days: number) =>
				energyKwh(Date.UTC(2025, month, 1), days, 900_000, (atMs) => household.powerAt(atMs).importW);
			const year = used(0, 365);
			expect(year).toBeGreaterThan(8_000);
			expect(year).toBeLessThan(25_000);
			expect(used(0, 31)).toBeGreaterThan(1.3 * used(6, 31));
			expect(energyKwh(JUNE, 30, 900_000, (atMs) => household.powerAt(atMs).exportW)).toBe(0);
		}
	});

	it("uses more in the evening than at night", () => {
		const household = createSimulatedHousehold(1, "consumer");
		const atHour = (hour: number) => {
			let sum = 0;
			for (let day = 0; day < 60; day++) {
				for (let m = 0; m < 60; m += 5)
					sum += household.powerAt(JUNE + day * MS_PER_DAY + (hour * 60 + m) * 60_000).importW;
			}
			return sum;
		};
		expect(atHour(17)).toBeGreaterThan(1.5 * atHour(1));
	});

	it("exports at noon in June as a prosumer, and at night imports", () => {
		const household = createSimulatedHousehold(1, "prosumer");
		const exported = (fromHour: number) =>
			energyKwh(JUNE + fromHour * 3_600_000, 10 / 24, 60_000, (atMs) => household.powerAt(atMs).exportW);
		expect(exported(6)).toBeGreaterThan(5);
		expect(household.powerAt(JUNE + 23 * 3_600_000).exportW).toBe(0);
	});
});
