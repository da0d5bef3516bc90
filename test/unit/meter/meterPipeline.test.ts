import { describe, expect, it } from "vitest";
import type { Reading } from "../../../src/block/reading.js";
import { encodeKaifa } from "../../../src/meter/kaifaEncoder.js";
import { createMeterPipeline } from "../../../src/meter/meterPipeline.js";
import type { MinuteEnergyState } from "../../../src/meter/minuteEnergy.js";
import { createSimulatedHousehold } from "../../../src/meter/simulatedHousehold.js";

const START_MS = Date.UTC(2025, 5, 21, 9);
const PHASE = { currentMilliA: 0, voltageDeciV: 2_300 };
const meterClock = "2025-06-21T11:00:00";

const list1 = (importW: number) => encodeKaifa({ list: 1, importW, meterClock });
const list2 = (importW: number, exportW: number) =>
	encodeKaifa({ list: 2, phases: [PHASE], importW, exportW, meterId: "123", meterType: "MA105H2E", meterClock });

describe("the way from a meter's bytes to readings", () => {
	it("gives one reading for each minute of a simulated household, which add up to its power", () => {
		for (const stepMs of [2_000, 10_000]) {
			const household = createSimulatedHousehold(1, "prosumer");
			const pipeline = createMeterPipeline();
			const readings: Reading[] = [];
			for (const { atMs, bytes } of household.meterBytesBetween(START_MS, START_MS + 3_610_000, stepMs)) {
				pipeline.push(bytes, atMs);
				readings.push(...pipeline.close(atMs));
			}
			expect(readings.map((reading) => reading.minute - START_MS / 60_000)).toEqual(
				Array.from({ length: 60 }, (_, i) => i),
			);
			expect(readings.every((reading) => reading.quality === "measured")).toBe(true);
			let exportWh = 0;
			let importWh = 0;
			for (let atMs = START_MS; atMs < START_MS + 3_600_000; atMs += 500) {
				const power = household.powerAt(atMs);
				importWh += power.importW / 7_200;
				exportWh += power.exportW / 7_200;
			}
			const sum = (key: "importWh" | "exportWh") => readings.reduce((all, reading) => all + reading[key], 0);
			expect(Math.abs(sum("exportWh") - exportWh)).toBeLessThan(1 + 0.01 * exportWh);
			expect(Math.abs(sum("importWh") - importWh)).toBeLessThan(1 + 0.01 * importWh);
			expect(exportWh).toBeGreaterThan(100);
		}
	});

	it("counts telegrams, what was dropped by reason, and keeps the meter's id", () => {
		const pipeline = createMeterPipeline();
		const { events } = pipeline.push(list2(500, 0).with(-5, 0xff), START_MS);
		expect(events).toMatchObject([{ kind: "dropped", reason: "bad-frame-checksum" }]);
		pipeline.push(list2(500, 0), START_MS);
		pipeline.push(list1(510).with(-4, 0xff), START_MS);
		expect(pipeline.counters).toMatchObject({ telegrams: 1, dropped: { "bad-frame-checksum": 2 }, meterId: "123" });
	});

	it("knows the power of both directions once list 2 has come or something is imported", () => {
		const pipeline = createMeterPipeline();
		pipeline.push(list1(0), START_MS);
		expect(pipeline.counters.live).toBeUndefined();
		pipeline.push(list2(0, 800), START_MS + 1);
		expect(pipeline.counters.live).toEqual({ importW: 0, exportW: 800, atMs: START_MS + 1 });
		pipeline.push(list1(0), START_MS + 2);
		expect(pipeline.counters.live).toEqual({ importW: 0, exportW: 800, atMs: START_MS + 2 });
		pipeline.push(list1(300), START_MS + 3);
		expect(pipeline.counters.live).toEqual({ importW: 300, exportW: 0, atMs: START_MS + 3 });
	});

	it("goes on after a restart with what it had saved", () => {
		const bytes = Array.from({ length: 70 }, (_, second) => ({
			atMs: START_MS + second * 1_000,
			bytes: list2(3_600, 0),
		}));
		let pipeline = createMeterPipeline();
		const readings: Reading[] = [];
		for (const [i, each] of bytes.entries()) {
			if (i === 33) pipeline = createMeterPipeline(structuredClone<MinuteEnergyState>(pipeline.minuteEnergy));
			pipeline.push(each.bytes, each.atMs);
			readings.push(...pipeline.close(each.atMs));
		}
		expect(readings).toEqual([{ minute: START_MS / 60_000, importWh: 60, exportWh: 0, quality: "measured" }]);
	});

	it("forgets everything when it is reset, half a frame included", () => {
		const pipeline = createMeterPipeline();
		pipeline.push(list2(3_600, 0), START_MS);
		pipeline.push(list1(1).subarray(0, 20), START_MS + 10_000);
		pipeline.reset();
		expect(pipeline.counters).toEqual({ telegrams: 0, dropped: {} });
		expect(pipeline.push(list1(1).subarray(20, -1), START_MS + 11_000).events).toEqual([]);
		expect(pipeline.close(START_MS + 120_000)).toEqual([]);
	});
});
