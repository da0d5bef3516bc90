/** From a meter's bytes to readings: what the node holds for its one meter. */
import type { Reading } from "../block/reading.js";
import { divideFloor, MS_PER_MINUTE, minuteOf } from "../primitives/units.js";
import { createMeterDecoder } from "./anyFormat.js";
import { MAX_GAP_MS } from "./energyLine.js";
import {
	closeMinutes,
	createMinuteEnergy,
	expectOtherMeter,
	MAX_HELD_MINUTES,
	type MinuteEnergyState,
	pushTelegram,
} from "./minuteEnergy.js";
import type { RegisterOutcome, Registers } from "./registers.js";
import type { DropReason, MeterEvent, MeterFormat, TelegramEvent } from "./telegram.js";

/** 63 A at three times 230 V: what a household's main fuse lets through at most. */
export const DEFAULT_FUSE_LIMIT_W = 63 * 3 * 230;
/** Registers are sent some seconds after the meter has taken them; what seems older has another cause. */
const MAX_REGISTER_AGE_MS = 60_000;
/** All zones lie quarters of an hour apart. */
const ZONE_STEP_MS = 15 * MS_PER_MINUTE;
const LOG_LENGTH = 40;
const MILLI = 1_000;
const MILLI_PER_KWH = 1_000_000;
/** Of what had been waiting all is here by then. */
const BURST_MS = 2_000;
const MINUTES_PER_HOUR = 60;

export interface MeterPipeline {
	/** Bytes that arrived at `atMs` (host's UTC), in chunks of any size. Never throws on any bytes. */
	push(bytes: Uint8Array, atMs: number): { events: MeterEvent[] };
	/** The minutes that can be closed at `nowMs`; to be called at least every second. */
	close(nowMs: number): Reading[];
	/** A person says that the meter was exchanged: its registers begin anew. */
	meterExchanged(): void;
	/**
	 * A person says whether a reading is right that no fuse allows: it is sent as it is, or as a gap. Undefined: none of this
	 * minute is asked about.
	 */
	answer(minute: number, isRight: boolean): Reading | undefined;
	/** Power above which a reading is asked about first, W. */
	fuseLimitW: number;
	/** What has been seen since it was made. */
	readonly counters: MeterCounters;
	/** To be persisted with the readings that were given out, and given to {@link createMeterPipeline} after a restart. */
	readonly memory: MeterMemory;
}

/** What must outlive a restart. */
export interface MeterMemory {
	energy: MinuteEnergyState;
	/** Readings that no fuse allows, ascending: kept here until a person has said what they are. */
	questioned: Reading[];
	/** Why the newest registers are not believed. */
	doubt: RegisterDoubt | undefined;
}

export type RegisterDoubt = Extract<RegisterOutcome, { code: "backwards" | "implausible" }>;

export interface MeterCounters {
	telegrams: number;
	/** Events by reason. */
	dropped: Partial<Record<DropReason, number>>;
	/** The newest power, W, and when it came (host's UTC). Absent until both directions are known. */
	live?: { importW: number; exportW: number; atMs: number };
	/** The newest registers, believed or not, and when they came. */
	registers?: { importWh?: number; exportWh?: number; stepWh: number; atMs: number };
	format?: MeterFormat;
	meterId?: string;
	meterType?: string;
	/** It says whole kWh and no power: a German meter without its PIN. Nothing of it is counted. */
	needsPin: boolean;
	/** The newest events, newest first. */
	log: readonly { atMs: number; event: MeterEvent }[];
}

/** Makes a pipeline, going on from what was persisted where there is any. */
export function createMeterPipeline(saved?: MeterMemory): MeterPipeline {
	const decoder = createMeterDecoder();
	const memory = saved ?? { energy: createMinuteEnergy(), questioned: [], doubt: undefined };
	const counters: MeterCounters = { telegrams: 0, dropped: {}, needsPin: false, log: [] };
	let fuseLimitW = DEFAULT_FUSE_LIMIT_W;
	const limitWh = () => Math.ceil(fuseLimitW / MINUTES_PER_HOUR);
	let pushedMs: number | undefined;
	let staleUntilMs = 0;

	/** After a sleep what had been waiting comes at once, as if it were said now: it is not counted. */
	const isStale = (atMs: number) => {
		if (pushedMs !== undefined && atMs - pushedMs > MAX_GAP_MS) staleUntilMs = atMs + BURST_MS;
		pushedMs = atMs;
		return atMs < staleUntilMs;
	};

	const take = (event: TelegramEvent, atMs: number) => {
		const { importMilliW, exportMilliW, meterId } = event;
		const sample = { importMilliW, exportMilliW, meterId, registers: registersOf(event, atMs) };
		const outcome = pushTelegram(memory.energy, atMs, sample, limitWh());
		if (outcome?.code === "backwards" || outcome?.code === "implausible") memory.doubt = outcome;
		else if (outcome !== undefined && outcome.code !== "stale") memory.doubt = undefined;
	};
	return {
		push(bytes, atMs) {
			const events = decoder.push(bytes);
			const isCounted = !isStale(atMs);
			for (const event of events) {
				count(counters, event, atMs);
				if (event.kind === "telegram" && isCounted && !counters.needsPin) take(event, atMs);
			}
			return { events };
		},
		close(nowMs) {
			const readings = closeMinutes(memory.energy, nowMs, limitWh());
			const isAllowed = ({ importWh, exportWh }: Reading) => importWh <= limitWh() && exportWh <= limitWh();
			const oldest = minuteOf(nowMs) - MAX_HELD_MINUTES;
			memory.questioned = [...memory.questioned, ...readings.filter((reading) => !isAllowed(reading))];
			memory.questioned = memory.questioned.filter(({ minute }) => minute >= oldest);
			return readings.filter(isAllowed);
		},
		meterExchanged() {
			expectOtherMeter(memory.energy);
			memory.doubt = undefined;
		},
		answer(minute, isRight) {
			const at = memory.questioned.findIndex((reading) => reading.minute === minute);
			if (at === -1) return undefined;
			const [reading] = memory.questioned.splice(at, 1);
			return isRight ? reading : { minute, importWh: 0, exportWh: 0, quality: "gap" };
		},
		get fuseLimitW() {
			return fuseLimitW;
		},
		set fuseLimitW(limitW) {
			fuseLimitW = limitW;
		},
		counters,
		memory,
	};
}

function registersOf(event: TelegramEvent, atMs: number): Registers | undefined {
	const { importMilliWh, exportMilliWh, meterClock, registerStepMilliWh } = event;
	if (registerStepMilliWh === undefined) return undefined;
	const takenMs = atMs - registerAgeMs(event, atMs);
	return { importMilliWh, exportMilliWh, stepMilliWh: registerStepMilliWh, atMs: takenMs, clock: meterClock };
}

/**
 * How long before the telegram its registers were taken. Only hourly lists stamp them; their age is what lies between the
 * meter's two clocks, or, of a meter that sends but one, between that and the host's, whatever the meter's zone.
 */
function registerAgeMs({ list, meterClock, sentClock }: TelegramEvent, atMs: number): number {
	if (list !== 3 || meterClock === undefined) return 0;
	const takenMs = Date.parse(`${meterClock}Z`);
	const ageMs = sentClock === undefined ? modulo(atMs - takenMs, ZONE_STEP_MS) : Date.parse(`${sentClock}Z`) - takenMs;
	return ageMs >= 0 && ageMs <= MAX_REGISTER_AGE_MS ? ageMs : 0;
}

function modulo(a: number, b: number): number {
	return ((a % b) + b) % b;
}

function count(counters: MeterCounters, event: MeterEvent, atMs: number): void {
	counters.log = [{ atMs, event }, ...counters.log.slice(0, LOG_LENGTH - 1)];
	if (event.kind === "dropped") {
		counters.dropped[event.reason] = (counters.dropped[event.reason] ?? 0) + 1;
		return;
	}
	counters.telegrams += 1;
	counters.format = event.format;
	if (event.meterId !== undefined) counters.meterId = event.meterId;
	if (event.meterType !== undefined) counters.meterType = event.meterType;
	const live = livePower(event, counters.live);
	if (live !== undefined) counters.live = { ...live, atMs };
	const { importMilliWh, exportMilliWh, registerStepMilliWh } = event;
	const isGerman = event.format === "sml" || event.format === "d0";
	const isWhole = [importMilliWh, exportMilliWh].every((milliWh = 0) => milliWh % MILLI_PER_KWH === 0);
	counters.needsPin = isGerman && isWhole && registerStepMilliWh !== undefined && counters.live === undefined;
	if (registerStepMilliWh === undefined) return;
	counters.registers = {
		...whole("importWh", importMilliWh),
		...whole("exportWh", exportMilliWh),
		stepWh: divideFloor(registerStepMilliWh, MILLI),
		atMs,
	};
}

function whole<K extends string>(key: K, milli: number | undefined): { [P in K]?: number } {
	return milli === undefined ? {} : ({ [key]: divideFloor(milli, MILLI) } as { [P in K]?: number });
}

/**
 * List 1 says nothing of export. The meter nets its phases, so while it imports it exports nothing; while it does not,
 * the last export is the best that is known.
 */
function livePower(
	{ importMilliW, exportMilliW }: TelegramEvent,
	before: MeterCounters["live"],
): { importW: number; exportW: number } | undefined {
	if (importMilliW === undefined) return undefined;
	const importW = divideFloor(importMilliW, MILLI);
	if (exportMilliW !== undefined) return { importW, exportW: divideFloor(exportMilliW, MILLI) };
	const exportW = importW > 0 ? 0 : before?.exportW;
	return exportW === undefined ? undefined : { importW, exportW };
}
