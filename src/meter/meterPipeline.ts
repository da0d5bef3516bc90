/** From a meter's bytes to readings: what the node holds for its one meter. */
import type { Reading } from "../block/reading.js";
import { divideFloor } from "../primitives/units.js";
import { createMeterDecoder } from "./anyFormat.js";
import { closeMinutes, createMinuteEnergy, type MinuteEnergyState, pushPower } from "./minuteEnergy.js";
import type { DropReason, MeterDecoder, MeterEvent, TelegramEvent } from "./telegram.js";

export interface MeterPipeline {
	/** Bytes that arrived at `atMs` (host's UTC), in chunks of any size. Never throws on any bytes. */
	push(bytes: Uint8Array, atMs: number): { events: MeterEvent[] };
	/** The minutes that can be closed at `nowMs`; to be called at least every second. */
	close(nowMs: number): Reading[];
	/** Another meter, or none: forgets everything. */
	reset(): void;
	/** What has been seen since the last reset. */
	readonly counters: MeterCounters;
	/** To be persisted, and given to {@link createMeterPipeline} after a restart. */
	readonly minuteEnergy: MinuteEnergyState;
}

export interface MeterCounters {
	telegrams: number;
	/** Events by reason. */
	dropped: Partial<Record<DropReason, number>>;
	/** The newest power, W, and when it came (host's UTC). Absent until both directions are known. */
	live?: { importW: number; exportW: number; atMs: number };
	meterId?: string;
}

/** Makes a pipeline, going on from a persisted state where there is one. */
export function createMeterPipeline(saved?: MinuteEnergyState): MeterPipeline {
	let decoder: MeterDecoder = createMeterDecoder();
	let minuteEnergy = saved ?? createMinuteEnergy();
	let counters: MeterCounters = { telegrams: 0, dropped: {} };
	return {
		push(bytes, atMs) {
			const events = decoder.push(bytes);
			for (const event of events) {
				if (event.kind === "telegram") pushPower(minuteEnergy, atMs, powerW(event));
				count(counters, event, atMs);
			}
			return { events };
		},
		close: (nowMs) => closeMinutes(minuteEnergy, nowMs),
		reset() {
			decoder = createMeterDecoder();
			minuteEnergy = createMinuteEnergy();
			counters = { telegrams: 0, dropped: {} };
		},
		get counters() {
			return counters;
		},
		get minuteEnergy() {
			return minuteEnergy;
		},
	};
}

function count(counters: MeterCounters, event: MeterEvent, atMs: number): void {
	if (event.kind === "dropped") {
		counters.dropped[event.reason] = (counters.dropped[event.reason] ?? 0) + 1;
		return;
	}
	counters.telegrams += 1;
	if (event.meterId !== undefined) counters.meterId = event.meterId;
	const live = livePower(event, counters.live);
	if (live !== undefined) counters.live = { ...live, atMs };
}

const MILLI = 1_000;

/** Whole watts. What a finer meter says below them is lost, half a watt on average, until its registers are used. */
function powerW({ importMilliW, exportMilliW }: TelegramEvent): { importW?: number; exportW?: number } {
	return {
		...(importMilliW === undefined ? {} : { importW: divideFloor(importMilliW, MILLI) }),
		...(exportMilliW === undefined ? {} : { exportW: divideFloor(exportMilliW, MILLI) }),
	};
}

/**
 * List 1 says nothing of export. The meter nets its phases, so while it imports it exports nothing; while it does not,
 * the last export is the best that is known.
 */
function livePower(
	telegram: TelegramEvent,
	before: MeterCounters["live"],
): { importW: number; exportW: number } | undefined {
	const { importW, exportW } = powerW(telegram);
	if (importW === undefined) return undefined;
	const export_ = exportW ?? (importW > 0 ? 0 : before?.exportW);
	return export_ === undefined ? undefined : { importW, exportW: export_ };
}
