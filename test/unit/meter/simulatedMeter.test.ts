import { describe, expect, it } from "vitest";
import type { Reading } from "../../../src/block/reading.js";
import { createMeterDecoder } from "../../../src/meter/anyFormat.js";
import { createMeterPipeline } from "../../../src/meter/meterPipeline.js";
import { createSimulatedHousehold } from "../../../src/meter/simulatedHousehold.js";
import { createSimulatedMeter, type SimulatedMeter } from "../../../src/meter/simulatedMeter.js";
import type { MeterEvent, TelegramEvent } from "../../../src/meter/telegram.js";

/** A sunny morning of June, half an hour before the hour. */
const START_MS = Date.UTC(2025, 5, 21, 8, 30);
const HOUR_MS = 3_600_000;
const household = createSimulatedHousehold(1, "prosumer");

const meterOf = (seed: number) => createSimulatedMeter(seed, household, START_MS);
const heard = (meter: SimulatedMeter, fromMs: number, untilMs: number, stepMs = 2_000) => {
	const decoder = createMeterDecoder();
	return meter.bytesBetween(fromMs, untilMs, stepMs).flatMap(({ atMs, bytes }) => {
		return decoder.push(bytes).map((event: MeterEvent) => ({ atMs, event: event as TelegramEvent }));
	});
};

/** A seed of each make. */
const SEEDS = new Map(
	Array.from({ length: 60 }, (_, seed) => [heard(meterOf(seed), START_MS, START_MS + 1)[0]?.event.format, seed]),
);
const MAKES = [...SEEDS].map(([format, seed]) => ({ format, seed }));

describe("the meter of a simulated household", () => {
	it("is of any of five makes, by seed", () => {
		expect(MAKES.map(({ format }) => format).sort()).toEqual(["han-aidon", "han-kaifa", "han-kamstrup", "p1", "sml"]);
	});

	it.each(MAKES)("says the power of the moment ($format)", ({ seed }) => {
		const meter = meterOf(seed);
		const telegrams = heard(meter, START_MS, START_MS + 60_000);
		expect([6, 30]).toContain(telegrams.length);
		for (const { atMs, event } of telegrams) {
			const { importW, exportW } = household.powerAt(atMs);
			expect(event.kind).toBe("telegram");
			expect(event.importMilliW).toBe(importW * 1_000);
			if (event.list !== 1) expect(event.exportMilliW).toBe(exportW * 1_000);
			if (event.meterId !== undefined) expect(event.meterId).toBe(meter.meterId);
		}
		const full = telegrams.filter(({ event }) => event.list !== 1);
		expect(full.length).toBeGreaterThanOrEqual(6);
		if (full[0]?.event.format !== "p1") expect(full[0]?.event.meterId).toBe(meter.meterId);
	});

	it.each(MAKES)(
		"has registers that move by what the household uses, also while nobody listens ($format)",
		({ seed }) => {
			const meter = meterOf(seed);
			const registers = (fromMs: number) =>
				heard(meter, fromMs, fromMs + HOUR_MS)
					.filter(({ event }) => event.importMilliWh !== undefined && event.exportMilliWh !== undefined)
					.slice(0, 1)
					.map(({ atMs, event }) => ({ ...event, atMs }))[0];
			const first = registers(START_MS);
			const second = registers(START_MS + 4 * HOUR_MS);
			if (first === undefined || second === undefined) throw new Error("registers come every hour");
			let exportMilliWh = 0;
			for (let atMs = first.atMs; atMs < second.atMs; atMs += 2_000) {
				exportMilliWh += (household.powerAt(atMs).exportW * 2_000) / 3_600;
			}
			const step = second.registerStepMilliWh ?? 0;
			const moved = (second.exportMilliWh ?? 0) - (first.exportMilliWh ?? 0);
			expect(exportMilliWh).toBeGreaterThan(2_000_000);
			expect(Math.abs(moved - exportMilliWh)).toBeLessThan(step + 0.005 * exportMilliWh);
			expect(second.importMilliWh).toBeGreaterThanOrEqual(first.importMilliWh ?? Number.POSITIVE_INFINITY);
			expect(first.importMilliWh).toBeGreaterThan(10_000_000_000);
		},
	);

	it.each(MAKES)("sends at a coarser step what it sends every ten seconds, and nothing twice ($format)", ({ seed }) => {
		const all = meterOf(seed).bytesBetween(START_MS, START_MS + HOUR_MS, 10_000);
		const meter = meterOf(seed);
		const parts = [0, 25_000, 25_001, HOUR_MS].flatMap((untilMs, at, edges) =>
			meter.bytesBetween(START_MS + (edges[at - 1] ?? 0), START_MS + untilMs, 10_000),
		);
		expect(all).toHaveLength(360);
		expect(parts.map(({ atMs }) => atMs)).toEqual(all.map(({ atMs }) => atMs));
	});

	it.each(MAKES.flatMap(({ format, seed }) => [2_000, 10_000].map((stepMs) => ({ format, seed, stepMs }))))(
		"gives one reading for each minute, which add up to the household's energy ($format, $stepMs ms)",
		({ seed, stepMs }) => {
			const pipeline = createMeterPipeline();
			const readings: Reading[] = [];
			for (const { atMs, bytes } of meterOf(seed).bytesBetween(START_MS, START_MS + HOUR_MS + 10_000, stepMs)) {
				pipeline.push(bytes, atMs);
				readings.push(...pipeline.close(atMs));
			}
			expect(readings.map(({ minute }) => minute - START_MS / 60_000)).toEqual(
				Array.from({ length: 60 }, (_, at) => at),
			);
			expect(readings.every(({ quality }) => quality === "measured" || quality === "catch-up")).toBe(true);
			const sum = { importWh: 0, exportWh: 0 };
			for (let atMs = START_MS; atMs < START_MS + HOUR_MS; atMs += 500) {
				const { importW, exportW } = household.powerAt(atMs);
				sum.importWh += importW / 7_200;
				sum.exportWh += exportW / 7_200;
			}
			for (const key of ["importWh", "exportWh"] as const) {
				const read = readings.reduce((all, reading) => all + reading[key], 0);
				expect(Math.abs(read - sum[key])).toBeLessThan(2 + 0.01 * sum[key]);
			}
			expect(sum.exportWh).toBeGreaterThan(500);
		},
	);
});
