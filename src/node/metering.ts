/** Where this household's readings come from: a meter's port, a simulated household, or nothing. */
import type { Reading } from "../block/reading.js";
import { MILLI_PER_WH } from "../meter/energyLine.js";
import { createMeterPipeline, type MeterMemory, type MeterPipeline } from "../meter/meterPipeline.js";
import { createSimulatedHousehold } from "../meter/simulatedHousehold.js";
import { createSimulatedMeter, type SimulatedMeter } from "../meter/simulatedMeter.js";
import { divideFloor } from "../primitives/units.js";
import type { MeterSourceConfig } from "./records.js";
import type { MeterView, SerialStatus } from "./view.js";

/** A simulated meter speaks for this much of the past at most when the page comes back. */
const SIMULATED_PAST_MS = 3_600_000;
/** In a demo, whose clock runs faster, a simulated meter speaks every 10 s only. */
const DEMO_STEP_MS = 10_000;
const STEP_MS = 2_000;

export class Metering {
	#pipeline: MeterPipeline = createMeterPipeline();
	#source: MeterSourceConfig = { source: "none" };
	#simulated: { meter: SimulatedMeter; untilMs: number } | undefined;
	#serial: SerialStatus = { state: "closed" };

	get source(): MeterSourceConfig["source"] {
		return this.#source.source;
	}

	/** What a port's meter has begun, to be kept with its readings. A simulated one begins anew each time. */
	get memory(): MeterMemory | undefined {
		return this.#source.source === "serial" ? this.#pipeline.memory : undefined;
	}

	/** Power above which a reading is asked about first, W. */
	set fuseLimitW(limitW: number) {
		this.#pipeline.fuseLimitW = limitW;
	}

	/** Changes the source; what the old one had begun is forgotten. `saved`: what an earlier run of this one had begun. */
	use(source: MeterSourceConfig, chainMs: number, saved?: MeterMemory): void {
		const { fuseLimitW } = this.#pipeline;
		// The same port by another line: its meter goes on.
		const isSamePort = source.source === "serial" && this.#source.source === "serial";
		this.#source = source;
		if (!isSamePort) this.#pipeline = createMeterPipeline(source.source === "serial" ? saved : undefined);
		this.#pipeline.fuseLimitW = fuseLimitW;
		this.#simulated = undefined;
		if (source.source !== "simulated") return;
		const household = createSimulatedHousehold(source.seed, source.profile);
		this.#simulated = { meter: createSimulatedMeter(source.seed, household, chainMs), untilMs: chainMs };
	}

	/** The same: where it is the same source, what was begun goes on. */
	goOnWith(source: MeterSourceConfig, chainMs: number, saved?: MeterMemory): void {
		const before = this.#source;
		const isSame =
			source.source === "simulated" && before.source === "simulated"
				? source.seed === before.seed && source.profile === before.profile
				: source.source === before.source;
		if (!isSame) this.use(source, chainMs, saved);
	}

	/** A person says that the meter was exchanged. */
	meterExchanged(): void {
		this.#pipeline.meterExchanged();
	}

	/** A person says whether a minute is right that no fuse allows; the reading that is to be handed in. */
	answer(minute: number, isRight: boolean): Reading | undefined {
		const reading = this.#pipeline.answer(minute, isRight);
		return reading === undefined || this.#simulated === undefined ? reading : { ...reading, quality: "simulated" };
	}

	/** Bytes of the port, at the time at which they came. */
	onBytes(bytes: Uint8Array, chainMs: number): void {
		if (this.#source.source === "serial") this.#pipeline.push(bytes, chainMs);
	}

	onSerialStatus(status: SerialStatus): void {
		this.#serial = status;
	}

	/** Time passed: gives the minutes that have ended. */
	tick(chainMs: number, timeScale: number): Reading[] {
		if (this.#source.source === "none") return [];
		if (this.#simulated !== undefined) {
			const { meter, untilMs } = this.#simulated;
			const fromMs = Math.max(untilMs, chainMs - SIMULATED_PAST_MS);
			const telegrams = meter.bytesBetween(fromMs, chainMs, timeScale === 1 ? STEP_MS : DEMO_STEP_MS);
			for (const { atMs, bytes } of telegrams) this.#pipeline.push(bytes, atMs);
			this.#simulated.untilMs = Math.max(untilMs, chainMs);
		}
		const readings = this.#pipeline.close(chainMs);
		return this.#simulated === undefined ? readings : readings.map((reading) => ({ ...reading, quality: "simulated" }));
	}

	view(lastReading: MeterView["lastReading"]): MeterView {
		const { memory, counters, fuseLimitW } = this.#pipeline;
		const { energy, questioned, doubt } = memory;
		const heldMinutes = energy.held.reduce((sum, { fromMinute, toMinute }) => sum + toMinute - fromMinute, 0);
		return {
			...counters,
			dropped: { ...counters.dropped },
			source: this.#source.source,
			...(this.#source.source === "serial" && this.#source.line !== undefined ? { line: this.#source.line } : {}),
			serial: this.#serial,
			fuseLimitW,
			heldMinutes,
			lostWh: divideFloor(energy.import.lostMilliWh + energy.export.lostMilliWh, MILLI_PER_WH),
			questioned: [...questioned],
			...(doubt === undefined ? {} : { doubt }),
			...(lastReading === undefined ? {} : { lastReading }),
		};
	}
}
