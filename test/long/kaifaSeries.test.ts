import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inFlightMilliWh, MILLI_PER_WH } from "../../src/meter/energyLine.js";
import { encodeKaifa } from "../../src/meter/kaifaEncoder.js";
import type { MeterMemory } from "../../src/meter/meterPipeline.js";
import { until } from "../e2e/support/expect.js";
import { connectMeter, foundAlone, openSerialHome, type SerialHome, storedMeter } from "../e2e/support/serialHome.js";
import { serialPtyMissing } from "../e2e/support/serialPty.js";
import { capturesMissing, type PowerSeries, powerSeries } from "../unit/meter/captures.js";

/**
 * Twelve hours of a real Kaifa meter through a real port into a real browser, in twelve minutes: only the clock of the
 * chain runs faster. At each hourly register what is on its way to the chain, what is there and what is still to be
 * made good are the register's difference, to the thousandth of a Wh.
 */
const TIME_SCALE = 60;
const missing = capturesMissing ?? serialPtyMissing();
if (missing !== undefined) console.log(`skipped: twelve hours of a Kaifa meter: ${missing}`);

const LIST_2_S = 10;
const METER = { meterId: "6970631401753985", meterType: "MA304H3E" };
const PHASES = [{ currentMilliA: 4_000, voltageDeciV: 2_320 }] as const;

/** What the meter says at its n-th sample: list 1 every 2 s, list 2 every 10 s, list 3 with the hour's registers. */
function telegramAt({ start, t, importW, registers }: PowerSeries, at: number): Uint8Array {
	const atS = t[at] ?? 0;
	const meterClock = new Date(Date.parse(`${start}Z`) + atS * 1_000).toISOString().slice(0, 19);
	const power = { importW: importW[at] ?? 0, meterClock };
	const register = registers.find(({ registerClock }) => registerClock === meterClock);
	if (register !== undefined) {
		const { importWh } = register;
		return encodeKaifa({ list: 3, ...power, exportW: 0, ...METER, phases: PHASES, importWh, exportWh: 0 });
	}
	if (atS % LIST_2_S !== 0) return encodeKaifa({ list: 1, ...power });
	return encodeKaifa({ list: 2, ...power, exportW: 0, ...METER, phases: PHASES });
}

interface Stored {
	memory: MeterMemory;
	/** Of all minutes that are on the chain or on their way. */
	emittedWh: number;
	minutes: number;
}

async function stored(page: Page): Promise<Stored | undefined> {
	const { memory, readings } = await storedMeter(page);
	if (memory === undefined) return undefined;
	const emittedWh = [...readings.values()].reduce((sum, { importWh }) => sum + importWh, 0);
	return { memory, emittedWh, minutes: readings.size };
}

/** What was emitted and is in flight, less what came after the last register: what that register stands for, mWh. */
function atRegister({ memory, emittedWh }: Stored): number {
	const line = memory.energy.import;
	return emittedWh * MILLI_PER_WH + inFlightMilliWh(line) + line.lostMilliWh - line.sinceMilliWh;
}

describe.skipIf(missing !== undefined)("twelve hours of a Kaifa meter, sixty times faster", () => {
	let home: SerialHome;

	beforeAll(async () => {
		home = await openSerialHome({ timeScale: TIME_SCALE });
		await foundAlone(home);
		await connectMeter(home);
	}, 180_000);

	afterAll(async () => {
		await home?.stop();
	}, 30_000);

	it("are on the chain as the registers say, hour by hour", async () => {
		const series = powerSeries();
		const { page, port } = home;
		const beganMs = Date.now();
		const rows: { hour: number; registerWh: number; emittedWh: number; carryMilliWh: number; offMilliWh: number }[] =
			[];
		let first: { registerMilliWh: number; base: number } | undefined;
		let seenMilliWh: number | undefined;
		let checking = Promise.resolve();

		const check = async () => {
			const now = await stored(page);
			const milliWh = now?.memory.energy.import.register?.milliWh;
			if (now === undefined || milliWh === undefined || milliWh === seenMilliWh) return;
			seenMilliWh = milliWh;
			first ??= { registerMilliWh: milliWh, base: atRegister(now) };
			rows.push({
				hour: rows.length,
				registerWh: (milliWh - first.registerMilliWh) / MILLI_PER_WH,
				emittedWh: now.emittedWh,
				carryMilliWh: now.memory.energy.import.carryMilliWh,
				offMilliWh: atRegister(now) - first.base - (milliWh - first.registerMilliWh),
			});
		};
		for (const [at, atS] of series.t.entries()) {
			const dueMs = beganMs + (atS * 1_000) / TIME_SCALE;
			if (dueMs > Date.now()) await sleep(dueMs - Date.now());
			port.toPort.write(telegramAt(series, at));
			// Every minute of ours, an hour of theirs, a register came half a minute ago.
			if (at % 150 === 0) checking = checking.then(check);
		}
		await checking;
		await until(
			async () => {
				await check();
				return rows.length;
			},
			(count) => count >= series.registers.length,
			30_000,
		).catch(() => undefined);
		console.table(rows);
		expect(rows.length).toBeGreaterThanOrEqual(series.registers.length - 1);
		for (const { offMilliWh } of rows) expect(offMilliWh).toBe(0);
		const final = await stored(page);
		const qualities: Record<string, number> = {};
		for (const { quality, importWh } of (await storedMeter(page)).readings.values()) {
			expect(importWh).toBeGreaterThanOrEqual(0);
			qualities[quality] = (qualities[quality] ?? 0) + 1;
		}
		console.log(`${final?.minutes} minutes: ${JSON.stringify(qualities)}`);
		expect(final?.minutes).toBeGreaterThan(740);
	}, 1_000_000);
});
