import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Reading } from "../../../src/block/reading.js";
import { inFlightMilliWh, MAX_GAP_MS, MAX_POWER_MILLI_W, MILLI_PER_WH } from "../../../src/meter/energyLine.js";
import {
	CLOSE_DELAY_MS,
	closeMinutes as closeWithin,
	createMinuteEnergy,
	type MinuteEnergyState,
	pushTelegram,
} from "../../../src/meter/minuteEnergy.js";
import { capturesMissing, powerSeries } from "./captures.js";

const MAX_POWER_W = MAX_POWER_MILLI_W / 1_000;
/** No fuse stands in the way here. */
const LIMIT_WH = 1_000_000;

const closeMinutes = (state: MinuteEnergyState, nowMs: number) => closeWithin(state, nowMs, LIMIT_WH);

function pushPower(
	state: MinuteEnergyState,
	atMs: number,
	{ importW, exportW }: { importW?: number | undefined; exportW?: number | undefined },
): void {
	const milli = (powerW: number | undefined) => (powerW === undefined ? undefined : powerW * 1_000);
	pushTelegram(state, atMs, { importMilliW: milli(importW), exportMilliW: milli(exportW) }, LIMIT_WH);
}

/** Minute 29,000,000 of the epoch: 20 February 2025, 05:20 UTC. */
const FIRST_MINUTE = 29_000_000;
const START_MS = FIRST_MINUTE * 60_000;

const sum = (readings: Reading[], key: "importWh" | "exportWh") => readings.reduce((all, each) => all + each[key], 0);

/** Import every 2 s and export every 10 s, closed every second, from START_MS + `fromMs` until before `untilMs`. */
function live(
	state: MinuteEnergyState,
	fromMs: number,
	untilMs: number,
	power: (afterMs: number) => { importW: number; exportW: number },
): Reading[] {
	const readings: Reading[] = [];
	for (let afterMs = fromMs; afterMs < untilMs; afterMs += 1_000) {
		const { importW, exportW } = power(afterMs);
		if (afterMs % 10_000 === 0) pushPower(state, START_MS + afterMs, { importW, exportW });
		else if (afterMs % 2_000 === 0) pushPower(state, START_MS + afterMs, { importW });
		readings.push(...closeMinutes(state, START_MS + afterMs));
	}
	return readings;
}

describe("a minute's energy", () => {
	it("is 60 Wh at 3,600 W, and its quality measured", () => {
		const readings = live(createMinuteEnergy(), 0, 185_000, () => ({ importW: 3_600, exportW: 0 }));
		expect(readings).toEqual(
			[0, 1, 2].map((i) => ({ minute: FIRST_MINUTE + i, importWh: 60, exportWh: 0, quality: "measured" })),
		);
	});

	it("is the trapezoid's, split where the line between two samples crosses the edge", () => {
		const state = createMinuteEnergy();
		// 0 W at 55 s, rising to 36,000 W at 65 s: 18,000 W at the edge, 12.5 Wh before it and 37.5 Wh after it.
		for (const [at, importW] of [
			[0, 0],
			[25, 0],
			[55, 0],
			[65, 36_000],
			[66, 0],
		] as const) {
			pushPower(state, START_MS + at * 1_000, { importW });
		}
		expect(closeMinutes(state, START_MS + 66_000)).toEqual([
			{ minute: FIRST_MINUTE, importWh: 12, exportWh: 0, quality: "measured" },
		]);
		// 0.5 Wh left over, 37.5 Wh, and 5 Wh of the fall from 36,000 W to 0 in a second.
		expect(inFlightMilliWh(state.import)).toBe(43 * MILLI_PER_WH);
	});

	it("is split where a falling line crosses the edge, too", () => {
		const state = createMinuteEnergy();
		for (const [at, importW] of [
			[50, 36_000],
			[55, 36_000],
			[65, 0],
		] as const) {
			pushPower(state, START_MS + at * 1_000, { importW });
		}
		// 50 Wh until 55 s, 37.5 Wh until the edge, 12.5 Wh after it.
		expect(closeMinutes(state, START_MS + 65_000)).toMatchObject([{ minute: FIRST_MINUTE, importWh: 87 }]);
		expect(inFlightMilliWh(state.import)).toBe(13 * MILLI_PER_WH);
	});

	it("is emitted 4 s after its edge though the export has not come, and the difference goes to the next minute", () => {
		const state = createMinuteEnergy();
		live(state, 0, 52_000, () => ({ importW: 0, exportW: 7_200 }));
		for (const at of [52, 54, 56, 58, 60, 62]) pushPower(state, START_MS + at * 1_000, { importW: 0 });
		expect(closeMinutes(state, START_MS + 60_000 + CLOSE_DELAY_MS - 1)).toEqual([]);
		const [first] = closeMinutes(state, START_MS + 60_000 + CLOSE_DELAY_MS);
		// Held at 7,200 W for the last 10 s: all of the 120 Wh.
		expect(first).toEqual({ minute: FIRST_MINUTE, importWh: 0, exportWh: 120, quality: "measured" });
		// The sun had gone at the edge: the 10 s were 10 Wh, not 20, which leaves a debt of 10 Wh.
		pushPower(state, START_MS + 60_000, { exportW: 0 });
		expect(inFlightMilliWh(state.export)).toBe(-10 * MILLI_PER_WH);
		const dark = live(state, 64_000, 125_000, () => ({ importW: 0, exportW: 0 }));
		expect(dark.map((reading) => reading.exportWh)).toEqual([0]);
		const sunny = live(state, 130_000, 185_000, () => ({ importW: 0, exportW: 7_200 }));
		// Up to 130 s the power rises from 0, which is 10 Wh; then 50 s of 7,200 W; less the debt.
		expect(sum(sunny, "exportWh")).toBe(10 + 100 - 10);
	});

	it("does not wait once both lines have passed its edge", () => {
		const state = createMinuteEnergy();
		live(state, 0, 60_000, () => ({ importW: 600, exportW: 0 }));
		pushPower(state, START_MS + 60_000, { importW: 600, exportW: 0 });
		expect(closeMinutes(state, START_MS + 60_000)).toHaveLength(1);
	});

	it("needs no export from a meter that never speaks of it", () => {
		const state = createMinuteEnergy();
		for (let at = 0; at <= 60; at += 2) pushPower(state, START_MS + at * 1_000, { importW: 1_200 });
		expect(closeMinutes(state, START_MS + 60_000)).toEqual([
			{ minute: FIRST_MINUTE, importWh: 20, exportWh: 0, quality: "measured" },
		]);
	});

	it("is estimated in the minute in which the meter is heard first", () => {
		const [first, second] = live(createMinuteEnergy(), 20_000, 125_000, () => ({ importW: 3_600, exportW: 0 }));
		expect(first).toEqual({ minute: FIRST_MINUTE, importWh: 40, exportWh: 0, quality: "estimated" });
		expect(second?.quality).toBe("measured");
	});
});

describe("a gap", () => {
	const steady = () => ({ importW: 3_600, exportW: 0 });

	it("of 30 s is integrated, of a ms more it is not, and marks its minute", () => {
		for (const [gapMs, importWh, quality] of [
			[MAX_GAP_MS, 60, "measured"],
			[MAX_GAP_MS + 1, 29, "estimated"],
		] as const) {
			const state = createMinuteEnergy();
			live(state, 0, 11_000, steady);
			for (let at = 10_000 + gapMs; at <= 61_000; at += 1_000) {
				pushPower(state, START_MS + at, { importW: 3_600, exportW: 0 });
			}
			expect(closeMinutes(state, START_MS + 70_000)).toMatchObject([{ importWh, quality }]);
		}
	});

	it("of up to two minutes is emitted as estimated when it has ended, with what was integrated", () => {
		const state = createMinuteEnergy();
		const before = live(state, 0, 90_000, steady);
		expect(closeMinutes(state, START_MS + 188_000)).toEqual([]);
		expect([...before, ...live(state, 190_000, 250_000, steady)]).toEqual([
			{ minute: FIRST_MINUTE, importWh: 60, exportWh: 0, quality: "measured" },
			{ minute: FIRST_MINUTE + 1, importWh: 28, exportWh: 0, quality: "estimated" },
			{ minute: FIRST_MINUTE + 2, importWh: 0, exportWh: 0, quality: "estimated" },
			{ minute: FIRST_MINUTE + 3, importWh: 50, exportWh: 0, quality: "estimated" },
		]);
	});

	it("of more holds all its minutes back, until for 65 minutes no register has come: then they are gaps", () => {
		const state = createMinuteEnergy();
		const before = live(state, 0, 90_000, steady);
		const after = [...closeMinutes(state, START_MS + 300_000), ...live(state, 330_000, 3_890_000, steady)];
		const minutes = [...before, ...after].map((reading) => reading.minute - FIRST_MINUTE);
		expect(minutes).toEqual([0, ...Array.from({ length: 58 }, (_, i) => 6 + i)]);
		const givenUp = live(state, 3_890_000, 4_200_000, steady).filter((reading) => reading.quality === "gap");
		expect(givenUp.map(({ minute, importWh }) => [minute - FIRST_MINUTE, importWh])).toEqual([
			[1, 28],
			[2, 0],
			[3, 0],
			[4, 0],
			[5, 30],
		]);
	});

	it("leaves standing what was held to the edge before it was known to be one", () => {
		const state = createMinuteEnergy();
		const readings = live(state, 0, 51_000, steady);
		readings.push(...closeMinutes(state, START_MS + 64_000), ...live(state, 600_000, 661_000, steady));
		expect(readings.map((reading) => reading.importWh)).toEqual([60, 60]);
	});

	it("before the first import counts no export: a reading needs both", () => {
		const state = createMinuteEnergy();
		for (let at = 0; at <= 60; at += 10) pushPower(state, START_MS + at * 1_000, { exportW: 3_600 });
		expect(closeMinutes(state, START_MS + 70_000)).toEqual([]);
		expect(inFlightMilliWh(state.export)).toBe(0);
	});

	it("of export alone marks the minute", () => {
		const state = createMinuteEnergy();
		live(state, 0, 11_000, steady);
		for (let at = 12; at <= 60; at += 2) pushPower(state, START_MS + at * 1_000, { importW: 3_600 });
		expect(closeMinutes(state, START_MS + 64_000)).toEqual([]);
		pushPower(state, START_MS + 66_000, { importW: 3_600, exportW: 0 });
		expect(closeMinutes(state, START_MS + 66_000)).toMatchObject([{ importWh: 60, quality: "estimated" }]);
	});
});

describe("a wrong clock", () => {
	const steady = () => ({ importW: 3_600, exportW: 0 });
	const minutes = (readings: Reading[]) => readings.map((reading) => reading.minute - FIRST_MINUTE);

	it("set back by an hour makes no minute twice, and goes on where it was", () => {
		const state = createMinuteEnergy();
		const readings = live(state, 0, 3_600_000, steady);
		readings.push(...live(state, 0, 3_590_000, () => ({ importW: 7_200, exportW: 900 })));
		readings.push(...live(state, 3_590_000, 3_725_000, steady));
		expect(minutes(readings)).toEqual(Array.from({ length: 62 }, (_, i) => i));
		expect(sum(readings, "importWh")).toBe(62 * 60);
	});

	it("set back by a day begins anew, and keeps the energy that was not emitted", () => {
		const state = createMinuteEnergy();
		expect(live(state, 24 * 3_600_000, 24 * 3_600_000 + 90_001, steady)).toHaveLength(1);
		// For two minutes it may be a clock that is not set yet.
		const readings = live(state, 0, 245_000, steady);
		expect(minutes(readings)).toEqual([2, 3]);
		expect(sum(readings, "importWh")).toBe(30 + 120);
	});

	it("that is not set yet, for a moment after a start, changes nothing", () => {
		const state = createMinuteEnergy();
		const before = live(state, 24 * 3_600_000, 24 * 3_600_000 + 90_000, steady);
		live(state, 0, 30_000, steady);
		const after = live(state, 24 * 3_600_000 + 90_000, 24 * 3_600_000 + 185_000, steady);
		const day = 24 * 60;
		expect(minutes([...before, ...after])).toEqual([day, day + 1, day + 2]);
		expect(sum([...before, ...after], "importWh")).toBe(180);
	});

	it("that is an hour ahead for a moment loses no hour", () => {
		const state = createMinuteEnergy();
		const readings = live(state, 0, 90_000, steady);
		readings.push(...live(state, 3_690_000, 3_692_000, steady));
		expect(readings).toHaveLength(1);
		readings.push(...live(state, 100_000, 3_725_000, steady));
		expect(minutes(readings).sort((a, b) => a - b)).toEqual(Array.from({ length: 62 }, (_, i) => i));
		// Ten seconds were missed, and no register came to make them good.
		expect(sum(readings, "importWh")).toBeGreaterThanOrEqual(62 * 60 - 15);
	});

	it("or an impossible power does no harm", () => {
		const state = createMinuteEnergy();
		const readings: Reading[] = [];
		for (let at = 0; at < 125_000; at += 1_000) {
			pushPower(state, START_MS + at, { importW: at % 2_000 ? MAX_POWER_W + 1 : 3_600, exportW: -1 });
			readings.push(...closeMinutes(state, START_MS + at - (at % 7_000)));
		}
		expect(sum(readings, "importWh")).toBe(60 * readings.length);
		expect(inFlightMilliWh(state.export)).toBe(0);
		expect(readings.length).toBeGreaterThan(0);
	});
});

// ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────

interface Step {
	afterMs: number;
	importW?: number | undefined;
	exportW?: number | undefined;
	closes: boolean;
	/** The state goes through the database here. */
	restarts: boolean;
}

const watt = fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.constant(0), fc.constant(MAX_POWER_W));

function stepsOf(longestMs: number): fc.Arbitrary<Step[]> {
	return fc.array(
		fc.record({
			afterMs: fc.integer({ min: 0, max: longestMs }),
			importW: fc.option(watt, { nil: undefined }),
			exportW: fc.option(watt, { nil: undefined }),
			closes: fc.boolean(),
			restarts: fc.boolean(),
		}),
		{ minLength: 1, maxLength: 120 },
	);
}

interface Run {
	readings: Reading[];
	state: MinuteEnergyState;
	samples: { import: [number, number][]; export: [number, number][] };
}

function play(steps: Step[]): Run {
	let state = createMinuteEnergy();
	const readings: Reading[] = [];
	const samples: Run["samples"] = { import: [], export: [] };
	let nowMs = START_MS;
	for (const { afterMs, importW, exportW, closes, restarts } of steps) {
		nowMs += afterMs;
		pushPower(state, nowMs, { importW, exportW });
		if (importW !== undefined) samples.import.push([nowMs, importW]);
		// Export counts from the first import on.
		if (exportW !== undefined && samples.import.length > 0) samples.export.push([nowMs, exportW]);
		if (closes) readings.push(...closeMinutes(state, nowMs));
		if (restarts) state = JSON.parse(JSON.stringify(state)) as MinuteEnergyState;
	}
	return { readings, state, samples };
}

/** The integral by the definition, in halves of a W·ms, and the most that gaps can have had held in them. */
const MILLI_WH = BigInt(MILLI_PER_WH);
/** Halves of a watt-millisecond in a mWh. */
const HALF_WATT_MS = 7_200n;

function integral(samples: [number, number][]): { exact: bigint; gapsHold: bigint } {
	let exact = 0n;
	let gapsHold = 0n;
	for (let i = 1; i < samples.length; i++) {
		const [fromMs, fromW] = samples[i - 1] ?? [0, 0];
		const [toMs, toW] = samples[i] ?? [0, 0];
		if (toMs - fromMs <= MAX_GAP_MS) exact += (BigInt(fromW) + BigInt(toW)) * BigInt(toMs - fromMs);
		else gapsHold += 2n * BigInt(fromW) * BigInt(MAX_GAP_MS);
	}
	return { exact, gapsHold };
}

function accounted(run: Run, direction: "import" | "export"): bigint {
	const emitted = BigInt(sum(run.readings, `${direction}Wh`)) * MILLI_WH;
	const line = run.state[direction];
	return (emitted + BigInt(inFlightMilliWh(line))) * HALF_WATT_MS + BigInt(line.restHalfMilliWMs) / 1_000n;
}

describe("whatever the samples and whenever minutes are closed", () => {
	it("what was emitted and what is in flight are the exact integral, to the last half watt-millisecond", () => {
		fc.assert(
			fc.property(stepsOf(14_000), (steps) => {
				const complete = steps.map((step) => ({ ...step, importW: step.importW ?? 500, exportW: step.exportW ?? 0 }));
				const run = play(complete);
				for (const direction of ["import", "export"] as const) {
					expect(accounted(run, direction)).toBe(integral(run.samples[direction]).exact);
				}
			}),
			{ numRuns: 500 },
		);
	});

	it("gaps add nothing but what was held to an edge in them", () => {
		fc.assert(
			fc.property(stepsOf(45_000), (steps) => {
				const run = play(steps);
				for (const direction of ["import", "export"] as const) {
					const { exact, gapsHold } = integral(run.samples[direction]);
					expect(accounted(run, direction)).toBeGreaterThanOrEqual(exact);
					expect(accounted(run, direction)).toBeLessThanOrEqual(exact + gapsHold);
				}
			}),
			{ numRuns: 500 },
		);
	});

	it("no minute comes twice, is negative, or is anything but whole Wh", () => {
		fc.assert(
			fc.property(stepsOf(45_000), (steps) => {
				const { readings } = play(steps);
				expect(new Set(readings.map(({ minute }) => minute)).size).toBe(readings.length);
				for (const { importWh, exportWh } of readings) {
					expect(Number.isSafeInteger(importWh) && importWh >= 0).toBe(true);
					expect(Number.isSafeInteger(exportWh) && exportWh >= 0).toBe(true);
				}
			}),
			{ numRuns: 500 },
		);
	});

	it("a clock that jumps anywhere breaks nothing", () => {
		const jump = fc.record({ nowMs: fc.integer({ min: 0, max: 3 * 10 ** 12 }), importW: watt, exportW: watt });
		fc.assert(
			fc.property(
				fc.array(
					fc.oneof(
						jump,
						jump.map((each) => ({ ...each, nowMs: each.nowMs % 200_000 })),
					),
				),
				(jumps) => {
					const state = createMinuteEnergy();
					for (const { nowMs, ...power } of jumps) {
						pushPower(state, nowMs, power);
						for (const reading of closeMinutes(state, nowMs)) expect(reading.importWh).toBeGreaterThanOrEqual(0);
					}
					for (const line of [state.import, state.export]) {
						expect(Number.isSafeInteger(inFlightMilliWh(line))).toBe(true);
					}
				},
			),
			{ numRuns: 500 },
		);
	});
});

describe.skipIf(capturesMissing)(
	`twelve hours of a real Kaifa meter ${capturesMissing ? `(skipped: ${capturesMissing})` : ""}`,
	() => {
		/** Energy until each time, Wh: straight lines between the samples, summed in steps of 0.1 s, in floating point. */
		function independentWh({ t, importW }: { t: number[]; importW: number[] }, untilS: number): number {
			let wh = 0;
			for (let i = 1; i < t.length; i++) {
				const [from = 0, to = 0, a = 0, b = 0] = [t[i - 1], t[i], importW[i - 1], importW[i]];
				for (let tenth = 0; tenth < 10 * (to - from); tenth++) {
					const middle = from + (tenth + 0.5) / 10;
					if (middle > untilS) return wh;
					wh += (a + ((b - a) * (middle - from)) / (to - from)) / 36_000;
				}
			}
			return wh;
		}

		it("agree with an independent integration within 1 Wh in each hour, and with the registers within 0.4 %", () => {
			const series = powerSeries();
			const startMs = Date.parse(`${series.start}Z`);
			const state = createMinuteEnergy();
			const readings: Reading[] = [];
			/** Emitted and in flight, Wh, at each second at which a sample was taken. */
			const totals = new Map<number, number>();
			for (const [i, at] of series.t.entries()) {
				const atMs = startMs + at * 1_000;
				pushPower(state, atMs, { importW: series.importW[i], ...(i % 5 === 0 ? { exportW: 0 } : {}) });
				readings.push(...closeMinutes(state, atMs));
				totals.set(at, sum(readings, "importWh") + inFlightMilliWh(state.import) / MILLI_PER_WH);
			}

			const hourWh = new Map<number, number>();
			for (const { minute, importWh } of readings) {
				const hour = Math.floor(minute / 60);
				hourWh.set(hour, (hourWh.get(hour) ?? 0) + importWh);
			}
			const lastS = series.t.at(-1) ?? 0;
			let hours = 0;
			for (const [hour, wh] of hourWh) {
				const fromS = Math.max(0, hour * 3_600 - startMs / 1_000);
				const untilS = (hour + 1) * 3_600 - startMs / 1_000;
				if (untilS > lastS) continue;
				hours += 1;
				expect(Math.abs(wh - (independentWh(series, untilS) - independentWh(series, fromS)))).toBeLessThan(1);
			}
			expect(hours).toBe(13);

			const errors: number[] = [];
			for (const [i, { registerClock, importWh }] of series.registers.entries()) {
				const before = series.registers[i - 1];
				if (before === undefined) continue;
				const at = (clock: string) => totals.get((Date.parse(`${clock}Z`) - startMs) / 1_000) ?? Number.NaN;
				const meant = importWh - before.importWh;
				const error = at(registerClock) - at(before.registerClock) - meant;
				errors.push(error);
				expect(Math.abs(error)).toBeLessThan(2.5);
				expect(Math.abs(error) / meant).toBeLessThan(0.004);
			}
			console.info(`integral − register, each hour, Wh: ${errors.map((error) => error.toFixed(2)).join(" ")}`);
			expect(readings.filter((reading) => reading.quality !== "measured").length).toBeLessThanOrEqual(1);
		});
	},
);
