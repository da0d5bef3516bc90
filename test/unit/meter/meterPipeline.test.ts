import { describe, expect, it } from "vitest";
import type { Reading } from "../../../src/block/reading.js";
import { encodeKaifa } from "../../../src/meter/kaifaEncoder.js";
import { createMeterPipeline } from "../../../src/meter/meterPipeline.js";
import { encodeAidon } from "../../../src/meter/obisListEncoder.js";
import { encodeSml } from "../../../src/meter/smlEncoder.js";

const START_MS = Date.UTC(2025, 5, 21, 9);
const PHASE = { currentMilliA: 0, voltageDeciV: 2_300 };
const meterClock = "2025-06-21T11:00:00";

const list1 = (importW: number) => encodeKaifa({ list: 1, importW, meterClock });
const list2 = (importW: number, exportW: number) =>
	encodeKaifa({ list: 2, phases: [PHASE], importW, exportW, meterId: "123", meterType: "MA105H2E", meterClock });

describe("the way from a meter's bytes to readings", () => {
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
			if (i === 33) pipeline = createMeterPipeline(structuredClone(pipeline.memory));
			pipeline.push(each.bytes, each.atMs);
			readings.push(...pipeline.close(each.atMs));
		}
		expect(readings).toEqual([{ minute: START_MS / 60_000, importWh: 60, exportWh: 0, quality: "measured" }]);
	});
});

describe("a reading that no fuse allows", () => {
	/** A minute of 30 kW behind a fuse of 25 A at three phases. */
	function questioned() {
		const pipeline = createMeterPipeline();
		pipeline.fuseLimitW = 17_250;
		const readings: Reading[] = [];
		for (let second = 0; second <= 180; second += 2) {
			const importW = second < 60 || second > 120 ? 500 : 30_000;
			pipeline.push(list2(importW, 0), START_MS + second * 1_000);
			readings.push(...pipeline.close(START_MS + second * 1_000));
		}
		return { pipeline, readings };
	}
	const minute = START_MS / 60_000 + 1;

	it("waits for a person, while the others go on", () => {
		const { pipeline, readings } = questioned();
		expect(readings.map((reading) => reading.minute - START_MS / 60_000)).toEqual([0, 2]);
		expect(pipeline.memory.questioned).toMatchObject([{ minute, quality: "measured" }]);
		expect(pipeline.memory.questioned[0]?.importWh).toBeGreaterThan(480);
	});

	it("is handed in as it is, or given up, as the person says, once", () => {
		const right = questioned().pipeline;
		const reading = right.memory.questioned[0];
		expect(right.answer(minute, true)).toEqual(reading);
		expect(right.answer(minute, true)).toBeUndefined();
		const wrong = questioned().pipeline;
		expect(wrong.answer(minute, false)).toEqual({ minute, importWh: 0, exportWh: 0, quality: "gap" });
		expect(wrong.memory.questioned).toEqual([]);
	});
});

describe("registers", () => {
	const kaifa = (importWh: number, clock: string) =>
		encodeKaifa({
			...{ list: 3, phases: [PHASE], importW: 600, exportW: 0, meterId: "123", meterType: "MA105H2E" },
			...{ meterClock: clock, importWh, exportWh: 0 },
		});
	const aidon = (importWh: number, clock: string) =>
		encodeAidon({
			...{ importW: 600, exportW: 0, meterId: "123", meterType: "6525" },
			registers: { importWh, exportWh: 0, meterClock: clock },
		});

	it("of a meter that stamps them the time of its telegram were taken when it came", () => {
		const pipeline = createMeterPipeline();
		pipeline.push(kaifa(1_000, "2025-06-21T12:00:10"), START_MS + 3_000);
		expect(pipeline.memory.energy.registers).toMatchObject({ importMilliWh: 1_000_000, atMs: START_MS + 3_000 });
	});

	it("of a meter that sends one clock were taken when that says, in whatever zone it is", () => {
		for (const clock of ["2025-06-21T11:00:00", "2025-06-21T09:00:00", "2025-06-21T10:30:00"]) {
			const pipeline = createMeterPipeline();
			pipeline.push(aidon(1_000, clock), START_MS + 12_000);
			expect(pipeline.memory.energy.registers?.atMs).toBe(START_MS);
		}
		const late = createMeterPipeline();
		late.push(aidon(1_000, "2025-06-21T11:00:00"), START_MS + 61_000);
		expect(late.memory.energy.registers?.atMs).toBe(START_MS + 61_000);
	});

	it("that had been waiting while the page slept are not those of now", () => {
		const pipeline = createMeterPipeline();
		pipeline.push(kaifa(5_000, "2025-06-21T12:00:10"), START_MS);
		const wokenMs = START_MS + 10 * 3_600_000;
		for (const hour of ["13", "14"]) pipeline.push(kaifa(5_200, `2025-06-21T${hour}:00:10`), wokenMs);
		expect(pipeline.memory.energy.registers?.importMilliWh).toBe(5_000_000);
		expect(pipeline.counters.telegrams).toBe(3);
		pipeline.push(kaifa(9_000, "2025-06-21T22:00:10"), wokenMs + 4_000);
		expect(pipeline.memory.energy.registers?.importMilliWh).toBe(9_000_000);
	});

	it("in whole kWh without a power are a German meter's without its PIN: nothing of them is counted", () => {
		const pipeline = createMeterPipeline();
		const sml = (importKwh: number, netCentiW?: number) =>
			encodeSml({
				...{ meterId: "0a01454d480000000001", importDeciWh: importKwh * 10_000, exportDeciWh: 0 },
				...(netCentiW === undefined ? {} : { netCentiW }),
			});
		pipeline.push(sml(1_000), START_MS);
		expect(pipeline.counters.needsPin).toBe(true);
		expect(pipeline.memory.energy.registers).toBeUndefined();
		pipeline.push(sml(1_000, 12_345), START_MS + 2_000);
		expect(pipeline.counters.needsPin).toBe(false);
		expect(pipeline.memory.energy.registers).toBeDefined();
	});

	it("that go back are doubted until they are right again, or the meter is said to be another", () => {
		const pipeline = createMeterPipeline();
		const says = (importWh: number, clock: string, atMs: number) => {
			pipeline.push(list1(600), atMs - 4_000);
			pipeline.push(kaifa(importWh, clock), atMs);
		};
		says(5_000, "2025-06-21T12:00:10", START_MS);
		says(40, "2025-06-21T13:00:10", START_MS + 3_600_000);
		const doubt = { code: "backwards", direction: "import", beforeMilliWh: 5_000_000, milliWh: 40_000 };
		expect(pipeline.memory.doubt).toEqual(doubt);
		says(5_100, "2025-06-21T14:00:10", START_MS + 7_200_000);
		expect(pipeline.memory.doubt).toBeUndefined();
		says(60, "2025-06-21T15:00:10", START_MS + 10_800_000);
		pipeline.meterExchanged();
		expect(pipeline.memory.doubt).toBeUndefined();
		says(61, "2025-06-21T16:00:10", START_MS + 14_400_000);
		expect(pipeline.memory.energy.registers?.importMilliWh).toBe(61_000);
	});
});
