import { describe, expect, it } from "vitest";
import type { Reading } from "../../../src/block/reading.js";
import { inFlightMilliWh, MILLI_PER_WH } from "../../../src/meter/energyLine.js";
import {
	closeMinutes,
	createMinuteEnergy,
	expectOtherMeter,
	type MeterSample,
	type MinuteEnergyState,
	pushTelegram,
} from "../../../src/meter/minuteEnergy.js";
import { judgeRegisters, type Registers } from "../../../src/meter/registers.js";
import { capturesMissing, powerSeries } from "./captures.js";

/** Minute 29,000,000 of the epoch, a full hour. */
const FIRST_MINUTE = 29_000_040;
const START_MS = FIRST_MINUTE * 60_000;
const HOUR_MS = 3_600_000;
/** 63 A at three times 230 V. */
const LIMIT_WH = 725;

/** A household of one line, whose meter is heard as the test says. */
class Heard {
	state: MinuteEnergyState = createMinuteEnergy();
	readings: Reading[] = [];

	at(afterMs: number, sample: MeterSample): string | undefined {
		const outcome = pushTelegram(this.state, START_MS + afterMs, sample, LIMIT_WH);
		this.close(afterMs);
		return outcome?.code;
	}

	close(afterMs: number): void {
		this.readings.push(...closeMinutes(this.state, START_MS + afterMs, LIMIT_WH));
	}

	/** Power every 2 s from a time until before another. */
	power(fromMs: number, untilMs: number, importW: number): void {
		for (let afterMs = fromMs; afterMs < untilMs; afterMs += 2_000) this.at(afterMs, { importMilliW: importW * 1_000 });
	}

	register(afterMs: number, importWh: number, stepWh = 1): string | undefined {
		return this.at(afterMs, { importMilliW: 0, registers: registersAt(afterMs, importWh, stepWh) });
	}

	restart(): void {
		this.state = JSON.parse(JSON.stringify(this.state)) as MinuteEnergyState;
	}

	importWh(minute: number): number | undefined {
		return this.readings.find((reading) => reading.minute === FIRST_MINUTE + minute)?.importWh;
	}

	quality(minute: number): string | undefined {
		return this.readings.find((reading) => reading.minute === FIRST_MINUTE + minute)?.quality;
	}

	/** Emitted, in flight, carry and lost: what the registers are to equal, mWh. */
	get accountedMilliWh(): number {
		const { carryMilliWh, lostMilliWh } = this.state.import;
		const emitted = this.readings.reduce((sum, { importWh }) => sum + importWh * MILLI_PER_WH, 0);
		return emitted + inFlightMilliWh(this.state.import) + carryMilliWh + lostMilliWh;
	}
}

function registersAt(afterMs: number, importWh: number, stepWh = 1, clock?: string): Registers {
	return {
		importMilliWh: importWh * MILLI_PER_WH,
		stepMilliWh: stepWh * MILLI_PER_WH,
		atMs: START_MS + afterMs,
		exportMilliWh: undefined,
		clock,
	};
}

describe("an hourly register", () => {
	it("sets right what the integration missed, a quarter a minute, and the minutes say so", () => {
		const heard = new Heard();
		heard.register(0, 1_000);
		heard.power(2_000, HOUR_MS, 3_600);
		expect(heard.register(HOUR_MS, 4_640)).toBe("taken");
		expect(heard.accountedMilliWh).toBe(3_640_000);
		heard.power(HOUR_MS, HOUR_MS + 20 * 60_000, 0);
		// 3,600 Wh less the slopes of the first and of the last two seconds were integrated: 42 Wh are missing.
		const released = heard.readings.slice(58, 63).map(({ importWh, quality }) => [importWh, quality]);
		expect(released).toEqual([
			[60, "measured"],
			[69, "catch-up"],
			[8, "catch-up"],
			[6, "catch-up"],
			[4, "catch-up"],
		]);
		expect(heard.state.import.carryMilliWh).toBe(0);
		expect(heard.readings.at(-1)).toMatchObject({ importWh: 0, quality: "measured" });
	});

	it("takes back what was integrated too much, and no minute is negative", () => {
		const heard = new Heard();
		heard.register(0, 1_000);
		heard.power(0, HOUR_MS, 3_600);
		heard.register(HOUR_MS, 4_500);
		expect(heard.state.import.carryMilliWh).toBeLessThan(-70_000);
		heard.power(HOUR_MS, 2 * HOUR_MS, 600);
		expect(Math.min(...heard.readings.map(({ importWh }) => importWh))).toBe(0);
		heard.register(2 * HOUR_MS, 5_100);
		expect(heard.state.import.carryMilliWh).toBe(0);
		expect(Math.abs(heard.accountedMilliWh - 4_100_000)).toBeLessThan(1_000);
	});

	it("that differs by less than its step changes nothing, and such differences do not add up", () => {
		const heard = new Heard();
		heard.register(0, 1_000, 10);
		for (let hour = 1; hour <= 5; hour++) {
			heard.power((hour - 1) * HOUR_MS + 2_000, hour * HOUR_MS, 3_600);
			heard.register(hour * HOUR_MS, 1_000 + hour * 3_604, 10);
			expect(Math.abs(heard.accountedMilliWh - hour * 3_604_000)).toBeLessThan(10_000);
		}
		expect(heard.readings.some(({ quality }) => quality === "catch-up")).toBe(true);
	});

	it("gives a gap its energy, in the minutes in which it was used, and none later", () => {
		const heard = new Heard();
		heard.register(0, 1_000);
		heard.power(2_000, 20 * 60_000, 3_600);
		// Twelve minutes of 6,000 W of which nothing is heard: 1,200 Wh.
		heard.power(32 * 60_000, HOUR_MS, 3_600);
		expect(heard.importWh(19)).toBeUndefined();
		expect(heard.importWh(25)).toBeUndefined();
		expect(heard.importWh(40)).toBe(60);
		heard.register(HOUR_MS, 1_000 + 48 * 60 + 1_200);
		heard.close(HOUR_MS + 5_000);
		for (const minute of [20, 25, 31]) {
			expect(heard.importWh(minute)).toBeGreaterThanOrEqual(99);
			expect(heard.importWh(minute)).toBeLessThanOrEqual(101);
			expect(heard.quality(minute)).toBe("estimated");
		}
		heard.power(HOUR_MS, HOUR_MS + 10 * 60_000, 3_600);
		expect(Math.max(...heard.readings.slice(-9).map(({ importWh }) => importWh))).toBeLessThanOrEqual(61);
		expect(new Set(heard.readings.map(({ minute }) => minute)).size).toBe(heard.readings.length);
	});

	it("gives three hours of sleep theirs, after a restart, some sixty minutes at a time", () => {
		const heard = new Heard();
		heard.register(0, 1_000);
		heard.power(2_000, 10 * 60_000, 3_600);
		heard.restart();
		heard.power(190 * 60_000, 4 * HOUR_MS, 3_600);
		expect(heard.readings.some(({ minute }) => minute - FIRST_MINUTE === 100)).toBe(false);
		heard.register(4 * HOUR_MS, 1_000 + 4 * 3_600);
		for (let afterMs = 4 * HOUR_MS; afterMs < 4 * HOUR_MS + 6_000; afterMs += 1_000) heard.close(afterMs);
		for (const minute of [11, 100, 188]) expect([60, 61]).toContain(heard.importWh(minute));
		expect(heard.readings.filter(({ quality }) => quality === "estimated")).toHaveLength(181);
		expect(heard.readings).toHaveLength(240);
	});

	it("loses the energy of minutes that were given up: it is in no later minute, and counted", () => {
		const heard = new Heard();
		heard.register(0, 1_000);
		heard.power(2_000, 10 * 60_000, 3_600);
		// The cable is out for three hours, and the page is awake.
		for (let afterMs = 10 * 60_000; afterMs < 193 * 60_000; afterMs += 1_000) heard.close(afterMs);
		expect(heard.quality(30)).toBe("gap");
		expect(heard.quality(180)).toBe("gap");
		heard.power(193 * 60_000, 4 * HOUR_MS, 3_600);
		heard.register(4 * HOUR_MS, 1_000 + 4 * 3_600);
		heard.power(4 * HOUR_MS, 5 * HOUR_MS, 3_600);
		const lostWh = heard.state.import.lostMilliWh / MILLI_PER_WH;
		expect(lostWh).toBeGreaterThan(170 * 60);
		// The last minute or two before the cable was in again were not given up: a quarter of theirs comes later.
		expect(Math.max(...heard.readings.map(({ importWh }) => importWh))).toBeLessThanOrEqual(90);
		expect(heard.state.import.carryMilliWh).toBe(0);
	});

	it("is waited for anew after a sleep, though it was waited for before", () => {
		const heard = new Heard();
		heard.register(0, 1_000);
		heard.power(2_000, 55 * 60_000, 3_600);
		heard.restart();
		// Nine hours and ten minutes later: the next register comes in 55 minutes.
		heard.power(605 * 60_000, 11 * HOUR_MS, 3_600);
		expect(heard.quality(300)).toBeUndefined();
		heard.register(11 * HOUR_MS, 1_000 + 11 * 3_600);
		for (let afterMs = 11 * HOUR_MS; afterMs < 11 * HOUR_MS + 12_000; afterMs += 1_000) heard.close(afterMs);
		expect([heard.quality(300), heard.state.import.lostMilliWh]).toEqual(["estimated", 0]);
		expect([60, 61]).toContain(heard.importWh(300));
	});

	it("that is taken in the middle of a gap fills what lies before it", () => {
		const heard = new Heard();
		heard.register(0, 1_000);
		heard.power(2_000, 10 * 60_000, 3_600);
		const registers = registersAt(2 * HOUR_MS, 1_000 + 7_200);
		heard.at(2 * HOUR_MS + 10_000, { importMilliW: 3_600_000, registers });
		for (let afterMs = 2 * HOUR_MS + 11_000; afterMs < 2 * HOUR_MS + 20_000; afterMs += 1_000) heard.close(afterMs);
		expect([60, 61]).toContain(heard.importWh(60));
		expect(Math.abs(heard.state.import.carryMilliWh)).toBeLessThan(1_000);
	});

	it("of a meter that counts one way only fills the gap, though its power is said to have two", () => {
		const heard = new Heard();
		const says = (afterMs: number, importWh: number) =>
			heard.at(afterMs, { importMilliW: 600_000, exportMilliW: 0, registers: registersAt(afterMs, importWh) });
		for (let i = 0; i < 60; i++) says(i * 10_000, 1_000 + Math.floor(i * 1.67));
		for (let i = 0; i < 60; i++) says(8 * HOUR_MS + i * 10_000, 9_000 + Math.floor(i * 1.67));
		for (let i = 0; i < 10; i++) heard.close(8 * HOUR_MS + 600_000 + i * 1_000);
		expect(heard.readings.length).toBeGreaterThanOrEqual(488);
		expect(heard.state.held).toEqual([]);
	});

	it("without power is lost where the clock was set back, and in no minute", () => {
		const heard = new Heard();
		for (let i = 0; i <= 60; i++) heard.at(i * 10_000, { registers: registersAt(i * 10_000, 1_000 + 10 * i) });
		for (let i = 0; i <= 30; i++) {
			const afterMs = 300_000 + i * 10_000;
			heard.at(afterMs, { registers: registersAt(afterMs, 1_600 + 10 * i) });
		}
		for (let i = 61; i <= 80; i++) heard.at(i * 10_000, { registers: registersAt(i * 10_000, 1_300 + 10 * i) });
		expect(Math.max(...heard.readings.map(({ importWh }) => importWh))).toBeLessThanOrEqual(70);
		expect(heard.accountedMilliWh).toBe((1_300 + 800 - 1_000) * MILLI_PER_WH);
	});

	it("when it is the first one says nothing of the gap before it", () => {
		const heard = new Heard();
		heard.power(0, 10 * 60_000, 3_600);
		heard.power(20 * 60_000, HOUR_MS, 3_600);
		expect(heard.register(HOUR_MS, 1_000)).toBe("first");
		heard.close(HOUR_MS + 1_000);
		expect(heard.quality(15)).toBe("gap");
		expect(heard.importWh(15)).toBe(0);
	});

	it("that was taken some seconds before it is sent is compared with what was integrated until then", () => {
		const heard = new Heard();
		heard.register(0, 1_000);
		heard.power(0, HOUR_MS + 20_000, 3_600);
		// Taken at the hour, sent 12 s later: 12 Wh more were integrated.
		const registers = registersAt(HOUR_MS, 4_600);
		heard.at(HOUR_MS + 20_000, { importMilliW: 3_600_000, registers });
		expect(Math.abs(heard.state.import.carryMilliWh)).toBeLessThan(1_100);
	});
});

describe("registers every ten seconds, to the Wh", () => {
	it("are the minutes themselves: their sum is the register's difference, whatever the power says", () => {
		const heard = new Heard();
		let wh = 5_000;
		for (let i = 0; i <= 360; i++) {
			// Power lies; the registers do not.
			heard.at(i * 10_000, { importMilliW: 99_000, registers: registersAt(i * 10_000, wh) });
			expect(heard.accountedMilliWh).toBe((wh - 5_000) * MILLI_PER_WH);
			wh += i % 7;
		}
		expect(heard.readings).toHaveLength(60);
		expect(heard.readings.every(({ quality }) => quality === "measured")).toBe(true);
	});

	it("without power make minutes, too, and one that is missing is made good at once", () => {
		const heard = new Heard();
		for (let i = 0; i <= 60; i++) {
			if (i >= 20 && i < 26) continue;
			heard.at(i * 10_000, { registers: registersAt(i * 10_000, 100 + 10 * i) });
		}
		expect(heard.readings.map(({ importWh }) => importWh)).toEqual(Array.from({ length: 10 }, () => 60));
		expect(heard.quality(2)).toBe("measured");
		expect(heard.quality(3)).toBe("estimated");
	});
});

describe("registers that cannot be right", () => {
	const begun = () => {
		const heard = new Heard();
		heard.register(0, 1_000);
		heard.power(0, HOUR_MS, 3_600);
		return heard;
	};

	it("go back: they are not believed, and the power is counted on", () => {
		const heard = begun();
		expect(heard.register(HOUR_MS, 999)).toBe("backwards");
		expect(heard.state.import.carryMilliWh).toBe(0);
		expect(heard.readings).toHaveLength(60);
		expect(heard.register(HOUR_MS + 2_000, 4_598)).toBe("taken");
	});

	it("leap by more than the fuse lets through", () => {
		const heard = begun();
		expect(heard.register(HOUR_MS, 1_000 + 62 * LIMIT_WH + 2)).toBe("implausible");
		expect(heard.register(HOUR_MS + 2_000, 4_600)).toBe("taken");
	});

	it("are the last ones once more: the difference waits for the next", () => {
		const heard = begun();
		const stale = registersAt(HOUR_MS, 1_000, 1, "2025-02-20T06:00:00");
		heard.state.registers = { ...stale, atMs: START_MS };
		expect(heard.at(HOUR_MS, { importMilliW: 0, registers: stale })).toBe("stale");
		expect(heard.state.import.carryMilliWh).toBe(0);
	});

	it("are new ones though the meter's clock went back, when summer time ends", () => {
		const before = registersAt(0, 1_000, 1, "2025-10-26T02:00:10");
		const now = registersAt(HOUR_MS, 1_400, 1, "2025-10-26T02:00:10");
		expect(judgeRegisters(before, now, LIMIT_WH)).toEqual({ code: "taken" });
		expect(judgeRegisters(before, { ...before, atMs: now.atMs }, LIMIT_WH)).toEqual({ code: "stale" });
	});

	it("are another meter's: by its number, or because a person says so", () => {
		const heard = begun();
		heard.at(HOUR_MS, { importMilliW: 0, registers: registersAt(HOUR_MS, 4_600), meterId: "old" });
		const other = { importMilliW: 0, registers: registersAt(HOUR_MS + 2_000, 12), meterId: "new" };
		expect(heard.at(HOUR_MS + 2_000, other)).toBe("first");
		expect(heard.at(HOUR_MS + 4_000, { importMilliW: 0, registers: registersAt(HOUR_MS, 3) })).toBe("backwards");
		expectOtherMeter(heard.state);
		expect(heard.at(HOUR_MS + 6_000, { importMilliW: 0, registers: registersAt(HOUR_MS, 3) })).toBe("first");
		expect(heard.accountedMilliWh).toBeGreaterThan(3_590_000);
	});
});

// ── twelve hours of a real meter ─────────────────────────────────────────────────────────────────────────────────

interface Telegram {
	atS: number;
	importW: number;
	registers?: Registers;
}

interface Outcome {
	/** The largest difference between what is accounted and the register, at any register, Wh. */
	worstWh: number;
	leastWh: number;
	mostWh: number;
	readings: number;
	/** How many readings are of which quality. */
	qualities: Record<string, number>;
}

/** Plays telegrams, and compares at each register that is believed. */
function play(telegrams: readonly Telegram[], startMs: number): Outcome {
	const heard = new Heard();
	let first: { register: number; accounted: number } | undefined;
	let worst = 0;
	let lastS = telegrams[0]?.atS ?? 0;
	for (const { atS, importW, registers } of telegrams) {
		for (let s = lastS + 1; s < atS; s++)
			heard.readings.push(...closeMinutes(heard.state, startMs + s * 1_000, LIMIT_WH));
		lastS = atS;
		const sample: MeterSample = { importMilliW: importW * 1_000, registers };
		const outcome = pushTelegram(heard.state, startMs + atS * 1_000, sample, LIMIT_WH);
		const { importMilliWh = 0 } = registers ?? {};
		if (outcome?.code === "first") first = { register: importMilliWh, accounted: heard.accountedMilliWh };
		else if (outcome?.code === "taken" && first !== undefined) {
			const difference = heard.accountedMilliWh - first.accounted - (importMilliWh - first.register);
			worst = Math.max(worst, Math.abs(difference));
		}
		heard.readings.push(...closeMinutes(heard.state, startMs + atS * 1_000, LIMIT_WH));
	}
	const qualities: Record<string, number> = {};
	for (const { quality } of heard.readings) qualities[quality] = (qualities[quality] ?? 0) + 1;
	const energies = heard.readings.map(({ importWh }) => importWh);
	return {
		worstWh: worst / MILLI_PER_WH,
		leastWh: Math.min(...energies),
		mostWh: Math.max(...energies),
		readings: energies.length,
		qualities,
	};
}

const VARIANTS: Record<string, (telegrams: readonly Telegram[]) => Telegram[]> = {
	"all samples": (telegrams) => [...telegrams],
	"one in five": (telegrams) => telegrams.filter((each, i) => i % 5 === 0 || each.registers !== undefined),
	// Once an hour, now here and now there, but not where the register comes.
	"12-minute drop-outs": (telegrams) =>
		telegrams.filter(({ atS }) => {
			const hour = Math.floor(atS / 3_600);
			const fromS = hour * 3_600 + 900 + ((hour * 1_009) % 1_900);
			return atS < fromS || atS >= fromS + 720;
		}),
	"power + 3 %": (telegrams) => telegrams.map((each) => ({ ...each, importW: Math.round(each.importW * 1.03) })),
	"power − 3 %": (telegrams) => telegrams.map((each) => ({ ...each, importW: Math.round(each.importW * 0.97) })),
	"a stale register": (telegrams) => {
		let before: Registers | undefined;
		let count = 0;
		return telegrams.map((each) => {
			if (each.registers === undefined) return each;
			count += 1;
			const isStale = before !== undefined && count % 4 === 0;
			const registers = isStale && before !== undefined ? { ...before, atMs: each.registers.atMs } : each.registers;
			before = registers;
			return { ...each, registers };
		});
	},
};

describe.skipIf(capturesMissing)(
	`twelve hours of a real meter ${capturesMissing ? `(skipped: ${capturesMissing})` : ""}`,
	() => {
		/** Every 2 s, with the registers of the hour: Wh, stamped when they are sent. */
		function hourly(startMs: number): Telegram[] {
			const series = powerSeries();
			const registers = new Map(
				series.registers.map(({ registerClock, importWh }) => {
					const atMs = Date.parse(`${registerClock}Z`);
					const afterMs = atMs - START_MS;
					return [(atMs - startMs) / 1_000, registersAt(afterMs, importWh, 1, registerClock)];
				}),
			);
			return series.t.map((atS, i) => {
				const own = registers.get(atS);
				return { atS, importW: series.importW[i] ?? 0, ...(own === undefined ? {} : { registers: own }) };
			});
		}

		/** The same household by a meter that speaks every 10 s, each time with a register in steps of 10 Wh. */
		function everyTenSeconds(startMs: number): Telegram[] {
			const series = powerSeries();
			const telegrams: Telegram[] = [];
			let wattSeconds = 0;
			for (const [i, atS] of series.t.entries()) {
				const beforeS = series.t[i - 1] ?? atS;
				const [before, importW] = [series.importW[i - 1] ?? 0, series.importW[i] ?? 0];
				wattSeconds += ((before + importW) * (atS - beforeS)) / 2;
				if (atS < (telegrams.at(-1)?.atS ?? -10) + 10) continue;
				const importWh = Math.floor(wattSeconds / 36_000) * 10;
				const afterMs = startMs + atS * 1_000 - START_MS;
				const clock = new Date(startMs + atS * 1_000).toISOString();
				telegrams.push({ atS, importW, registers: registersAt(afterMs, importWh, 10, clock) });
			}
			return telegrams;
		}

		const meters = { "Kaifa, 1 Wh": [hourly, 1], "10 s, 10 Wh": [everyTenSeconds, 10] } as const;
		for (const [meter, [telegramsOf, stepWh]] of Object.entries(meters)) {
			it.each(Object.keys(VARIANTS))(`of which %s come (${meter}) stays within a step of the register`, (name) => {
				const startMs = Date.parse(`${powerSeries().start}Z`);
				const outcome = play(VARIANTS[name]?.(telegramsOf(startMs)) ?? [], startMs);
				console.info(`${meter}, ${name}: ${JSON.stringify(outcome)}`);
				expect(outcome.worstWh).toBeLessThan(stepWh);
				expect(outcome.leastWh).toBeGreaterThanOrEqual(0);
				expect(outcome.mostWh).toBeLessThan(200);
				expect(outcome.readings).toBeGreaterThan(700);
			});
		}
	},
);
