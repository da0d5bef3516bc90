/** A meter that has to be asked (IEC 62056-21 mode C), on a real port: found as the last of all lines, read to the chain. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expect as expectPage } from "../e2e/support/expect.js";
import {
	chainUpTo,
	connectMeter,
	foundAlone,
	meterUnderstood,
	openSerialHome,
	type SerialHome,
} from "../e2e/support/serialHome.js";
import { type SerialBrowser, serialPtyMissing } from "../e2e/support/serialPty.js";

const missing = serialPtyMissing();
if (missing !== undefined) console.log(`skipped: a meter that has to be asked: ${missing}`);

const MS_PER_MINUTE = 60_000;
const POWER_W = 3_600;
const IDENTIFICATION = "/ISk5MT174-0001\r\n";
/** How long a meter takes to answer, and then to begin with its data (IEC 62056-21 §6.3.13). */
const REACTION_MS = 300;

/** Answers as such a meter does; what the page asks at another speed it does not hear. */
class AskedMeter {
	readonly #beganMs = Date.now();
	readouts = 0;
	#heard = "";

	constructor(readonly port: SerialBrowser) {
		port.onWritten((bytes) => void this.#hear(bytes));
	}

	registerWhAt(atMs: number): number {
		return 4_321_000 + Math.floor((POWER_W * (atMs - this.#beganMs)) / 3_600_000);
	}

	async #hear(bytes: Uint8Array): Promise<void> {
		this.#heard += String.fromCharCode(...bytes);
		if (this.#heard.endsWith("/?!\r\n")) {
			this.#heard = "";
			await sleep(REACTION_MS);
			if (this.port.baudRate() === 300) this.port.toPort.write(IDENTIFICATION);
		} else if (this.#heard.endsWith("\u0006050\r\n")) {
			this.#heard = "";
			await sleep(REACTION_MS);
			if (this.port.baudRate() !== 9_600) return;
			this.readouts += 1;
			this.port.toPort.write(this.#readout());
		}
	}

	#readout(): Uint8Array {
		const kWh = (this.registerWhAt(Date.now()) / 1_000).toFixed(3).padStart(10, "0");
		const lines = `0.0.0(12345678)\r\n1.8.0(${kWh}*kWh)\r\n2.8.0(000000.000*kWh)\r\n!\r\n\u0003`;
		const checked = Array.from(lines, (character) => character.charCodeAt(0));
		return Uint8Array.of(
			0x02,
			...checked,
			checked.reduce((sum, byte) => sum ^ byte, 0),
		);
	}
}

describe.skipIf(missing !== undefined)("a meter that has to be asked, on a real serial port", () => {
	let home: SerialHome;
	let meter: AskedMeter;

	beforeAll(async () => {
		home = await openSerialHome();
		await foundAlone(home);
	}, 180_000);

	afterAll(async () => {
		await home?.stop();
	}, 30_000);

	it("is found after all lines by which others speak, and asked again and again", async () => {
		meter = new AskedMeter(home.port);
		await connectMeter(home);
		await meterUnderstood(home, "300 7E1", 90_000);
		await expectPage(home.page.getByText("12345678", { exact: true })).visible();
		await expectPage(home.page.getByText("IEC 62056-21", { exact: true })).visible();
	}, 120_000);

	it("has on the chain what its register says", async () => {
		const firstMinute = Math.ceil(Date.now() / MS_PER_MINUTE);
		const untilMinute = firstMinute + 2;
		await sleep(untilMinute * MS_PER_MINUTE + 30_000 - Date.now());
		const readings = (await chainUpTo(home.page, untilMinute - 1)).filter(
			({ minute }) => minute >= firstMinute && minute < untilMinute,
		);
		console.log(
			`${meter.readouts} readouts; ${JSON.stringify(readings.map(({ importWh, quality }) => [importWh, quality]))}`,
		);
		const registersWh =
			meter.registerWhAt(untilMinute * MS_PER_MINUTE) - meter.registerWhAt(firstMinute * MS_PER_MINUTE);
		const onChainWh = readings.reduce((sum, { importWh }) => sum + importWh, 0);
		expect(readings.map(({ minute }) => minute)).toEqual([firstMinute, firstMinute + 1]);
		expect(Math.abs(onChainWh - registersWh)).toBeLessThanOrEqual(2);
		expect(meter.readouts).toBeGreaterThan(8);
	}, 300_000);
});
