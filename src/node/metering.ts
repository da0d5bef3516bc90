/** Where this household's readings come from: a meter's port, a simulated household, or nothing. */
import type { Reading } from "../block/reading.js";
import { createMeterPipeline, type MeterPipeline } from "../meter/meterPipeline.js";
import { createSimulatedHousehold, type SimulatedHousehold } from "../meter/simulatedHousehold.js";
import type { MeterSourceConfig } from "./records.js";
import type { MeterView, SerialStatus } from "./view.js";

/** A simulated meter speaks for this much of the past at most when the page comes back. */
const SIMULATED_PAST_MS = 3_600_000;
/** In a demo, whose clock runs faster, a simulated meter sends its 10-s list alone. */
const DEMO_STEP_MS = 10_000;
const STEP_MS = 2_000;

export class Metering {
	readonly #pipeline: MeterPipeline = createMeterPipeline();
	#source: MeterSourceConfig = { source: "none" };
	#simulated: { household: SimulatedHousehold; untilMs: number } | undefined;
	#serial: SerialStatus = { state: "closed" };

	get source(): MeterSourceConfig["source"] {
		return this.#source.source;
	}

	/** Changes the source; what the old one had begun is forgotten. */
	use(source: MeterSourceConfig, chainMs: number): void {
		this.#source = source;
		this.#pipeline.reset();
		this.#simulated =
			source.source === "simulated"
				? { household: createSimulatedHousehold(source.seed, source.profile), untilMs: chainMs }
				: undefined;
	}

	/** The same: where it is the same source, what was begun goes on. */
	goOnWith(source: MeterSourceConfig, chainMs: number): void {
		const before = this.#source;
		const isSame =
			source.source === "simulated" && before.source === "simulated"
				? source.seed === before.seed && source.profile === before.profile
				: source.source === before.source;
		if (!isSame) this.use(source, chainMs);
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
			const { household, untilMs } = this.#simulated;
			const fromMs = Math.max(untilMs, chainMs - SIMULATED_PAST_MS);
			const telegrams = household.meterBytesBetween(fromMs, chainMs, timeScale === 1 ? STEP_MS : DEMO_STEP_MS);
			for (const { atMs, bytes } of telegrams) this.#pipeline.push(bytes, atMs);
			this.#simulated.untilMs = Math.max(untilMs, chainMs);
		}
		const readings = this.#pipeline.close(chainMs);
		return this.#simulated === undefined ? readings : readings.map((reading) => ({ ...reading, quality: "simulated" }));
	}

	view(lastReading: MeterView["lastReading"]): MeterView {
		const { telegrams, dropped, live, meterId } = this.#pipeline.counters;
		return {
			source: this.#source.source,
			serial: this.#serial,
			telegrams,
			dropped: { ...dropped },
			...(live === undefined ? {} : { live: { ...live } }),
			...(meterId === undefined ? {} : { meterId }),
			...(lastReading === undefined ? {} : { lastReading }),
		};
	}
}
