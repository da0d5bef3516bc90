/** A meter that speaks its registers into a port in real time: by one line, and by any other it is noise. */
import { setTimeout as sleep } from "node:timers/promises";
import type { SerialBrowser } from "./serialPty.js";

/** Import and export in mWh. */
export interface Registers {
	importMilliWh: number;
	exportMilliWh: number;
}

export interface RegisterMeterOptions {
	port: SerialBrowser;
	baudRate: number;
	everyMs: number;
	/** Both powers, W, all the time. */
	importW: number;
	exportW: number;
	/** What the meter says at a time. */
	telegramAt(atMs: number, registers: Registers): Uint8Array;
}

const FIRST_MILLI_WH = 12_345_678;
const MS_PER_HOUR = 3_600_000;

export class RegisterMeter {
	readonly #options: RegisterMeterOptions;
	readonly #beganMs = Date.now();
	#isSpeaking = true;
	#isPlugged = true;
	readonly #ended: Promise<void>;

	constructor(options: RegisterMeterOptions) {
		this.#options = options;
		this.#ended = this.#speak();
	}

	/** Both registers go on whether anybody listens or not. */
	registersAt(atMs: number): Registers {
		const { importW, exportW } = this.#options;
		const moved = (powerW: number) => Math.floor((powerW * (atMs - this.#beganMs) * 1_000) / MS_PER_HOUR);
		return { importMilliWh: FIRST_MILLI_WH + moved(importW), exportMilliWh: FIRST_MILLI_WH + moved(exportW) };
	}

	async unplug(): Promise<void> {
		this.#isPlugged = false;
		await this.#options.port.unplug();
	}

	async replug(): Promise<void> {
		await this.#options.port.replug();
		this.#isPlugged = true;
	}

	async stop(): Promise<void> {
		this.#isSpeaking = false;
		await this.#ended;
	}

	async #speak(): Promise<void> {
		const { port, baudRate, everyMs, telegramAt } = this.#options;
		while (this.#isSpeaking) {
			const nowMs = Date.now();
			if (this.#isPlugged) {
				const bytes = telegramAt(nowMs, this.registersAt(nowMs));
				// A pty hands on what was written at any speed; a line makes something else of it.
				port.toPort.write(port.baudRate() === baudRate ? bytes : bytes.map((byte) => (byte * 7 + 3) & 0xff));
			}
			await sleep(everyMs - (Date.now() % everyMs));
		}
	}
}
