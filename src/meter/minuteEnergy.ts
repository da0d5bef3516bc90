/**
 * What a meter says → one integer reading a minute, which in the long run add up to the meter's own registers. At every
 * register, for import and for export each,
 *
 *     emitted + in flight + carry + lost = what the register has moved since the first one, within one step of it.
 *
 * A minute is emitted at most 4 s after its edge, sooner if both lines have passed it. The last power is then held to
 * the edge; the sample after the edge makes the exact energy known, and the difference goes into the next minute.
 *
 * A gap of more than 30 s integrates nothing and makes its minutes `estimated`. If it is longer than two minutes, they
 * are held back until the next register, whose difference is spread over them: in later minutes it would be energy at a
 * time at which nobody used it. When no register comes they are sent as `gap`, and what the meter says of them later is
 * lost for the settlement.
 */
import type { Quality, Reading } from "../block/reading.js";
import { assert } from "../primitives/assert.js";
import { MS_PER_MINUTE, minuteOf } from "../primitives/units.js";
import {
	createEnergyLine,
	type Emitted,
	type EnergyLine,
	emitMinute,
	forgetTimes,
	HOLD_GAP_MS,
	holdToEdge,
	isPower,
	isWaitedFor,
	type LineSample,
	loseBefore,
	MAX_GAP_MS,
	overlapping,
	pushNoRegister,
	pushSample,
	pushSilence,
	stopHearing,
} from "./energyLine.js";
import { judgeRegisters, type RegisterOutcome, type Registers } from "./registers.js";

/** How long after its edge a minute waits for a sample: the leader proposes the minute's block some 5 s after it. */
export const CLOSE_DELAY_MS = 4_000;
/** Registers come every hour at least: longer than this, while it is listened to, and none will. */
export const REGISTER_PATIENCE_MS = 65 * MS_PER_MINUTE;
/** The chain takes no older reading (the reading window of a week). */
export const MAX_HELD_MINUTES = 10_080;
/** A week's readings at once would keep the node from everything else. */
const MAX_READINGS_AT_ONCE = 60;
/** A clock set back by up to this much is waited for; by more, it had been wrong before, and counting begins anew. */
const CLOCK_FAULT_MS = 2 * 3_600_000;
/** A computer's clock is set within this time of its start. */
const CLOCK_FAULT_PATIENCE_MS = 120_000;
/** Between two calls it was listened for so long at most: the rest was sleep. */
const LONGEST_TICK_MS = MS_PER_MINUTE;

/** Plain data of safe integers and short texts: it is persisted (node/meterRecord.ts). */
export interface MinuteEnergyState {
	/** Minutes before this one are emitted, unless they are held back. */
	nextMinute: number;
	/** Held back, ascending, apart: [fromMinute, toMinute). */
	held: { fromMinute: number; toMinute: number }[];
	/** How long it has been listened to the meter since its last register. */
	listenedMs: number;
	/** The last call of {@link closeMinutes}. */
	closedAtMs: number | undefined;
	/** Since when the clock has been far behind the newest sample. */
	faultSinceMs: number | undefined;
	meterId: string | undefined;
	/** The newest registers that were believed. */
	registers: Registers | undefined;
	import: EnergyLine;
	export: EnergyLine;
}

/** What one telegram says. Powers in mW, registers as {@link Registers}. */
export interface MeterSample {
	importMilliW?: number | undefined;
	exportMilliW?: number | undefined;
	registers?: Registers | undefined;
	meterId?: string | undefined;
}

export function createMinuteEnergy(): MinuteEnergyState {
	return {
		nextMinute: 0,
		held: [],
		listenedMs: 0,
		closedAtMs: undefined,
		faultSinceMs: undefined,
		meterId: undefined,
		registers: undefined,
		import: createEnergyLine(),
		export: createEnergyLine(),
	};
}

/**
 * Takes what a telegram says, at the host's UTC. A power that no meter measures is taken for no sample; registers that
 * cannot be right are not believed, and the outcome says why. `limitWh`: what the household's fuse lets through in a
 * minute. Undefined: the telegram has no registers.
 */
export function pushTelegram(
	state: MinuteEnergyState,
	atMs: number,
	sample: MeterSample,
	limitWh: number,
): RegisterOutcome | undefined {
	assert(Number.isSafeInteger(atMs) && atMs >= 0, `${atMs} is a time`);
	if (isClockFault(state, atMs)) return undefined;
	const outcome = takeRegisters(state, sample, limitWh);
	const registers = outcome !== undefined && isBelieved(outcome) ? sample.registers : undefined;
	// After a silence the register is waited for anew: it may have come in the meantime.
	const isBack = state.registers !== undefined && atMs - (state.import.last?.atMs ?? atMs) > HOLD_GAP_MS;
	if (registers !== undefined || isBack) state.listenedMs = 0;
	pushDirection(state, "import", atMs, sample.importMilliW, registers);
	// A reading needs its import: export counts from the first import on.
	if (state.import.last !== undefined) pushDirection(state, "export", atMs, sample.exportMilliW, registers);
	return outcome;
}

/** The next registers are another meter's: what they say does not go on from the last ones. */
export function expectOtherMeter(state: MinuteEnergyState): void {
	state.registers = undefined;
	state.import.register = undefined;
	state.export.register = undefined;
	stopHearing(state.export);
}

/**
 * Whether the clock is far behind the newest sample. For a moment that is a clock that is not set yet, and what comes is
 * not counted; if it stays so, it had been wrong before, and counting begins anew.
 */
function isClockFault(state: MinuteEnergyState, atMs: number): boolean {
	const lastMs = state.import.last?.atMs;
	if (lastMs === undefined || lastMs - atMs <= CLOCK_FAULT_MS) {
		state.faultSinceMs = undefined;
		return false;
	}
	const sinceMs = atMs - (state.faultSinceMs ?? atMs);
	if (state.faultSinceMs === undefined || sinceMs < 0) state.faultSinceMs = atMs;
	if (sinceMs < CLOCK_FAULT_PATIENCE_MS) return true;
	beginAnew(state);
	return false;
}

/** Emits the minutes that can be closed at `nowMs` (host's UTC), each minute once, some 60 at a time. */
export function closeMinutes(state: MinuteEnergyState, nowMs: number, limitWh: number): Reading[] {
	const sinceMs = nowMs - (state.closedAtMs ?? nowMs);
	state.listenedMs += Math.min(Math.max(sinceMs, 0), LONGEST_TICK_MS);
	state.closedAtMs = nowMs;
	dropOldMinutes(state, nowMs);
	const readings: Reading[] = [];
	closeHeld(state, nowMs, limitWh, readings);
	closeLive(state, nowMs, limitWh, readings);
	return readings;
}

/** The chain takes no reading of minutes so old. */
function dropOldMinutes(state: MinuteEnergyState, nowMs: number): void {
	const oldest = Math.max(0, minuteOf(nowMs) - MAX_HELD_MINUTES);
	for (const line of heardLines(state)) {
		pushSilence(line, oldest * MS_PER_MINUTE, openMinute(state));
		loseBefore(line, oldest);
	}
	state.held = state.held.flatMap(({ fromMinute, toMinute }) =>
		toMinute <= oldest ? [] : [{ fromMinute: Math.max(fromMinute, oldest), toMinute }],
	);
	state.nextMinute = Math.max(state.nextMinute, oldest);
}

function takeRegisters(state: MinuteEnergyState, sample: MeterSample, limitWh: number): RegisterOutcome | undefined {
	const { meterId, registers } = sample;
	const isOther = meterId !== undefined && state.meterId !== undefined && meterId !== state.meterId;
	if (isOther) expectOtherMeter(state);
	if (meterId !== undefined) state.meterId = meterId;
	if (registers === undefined) return undefined;
	const outcome = judgeRegisters(state.registers, registers, limitWh);
	if (isBelieved(outcome)) state.registers = { ...registers };
	return outcome;
}

function isBelieved({ code }: RegisterOutcome): boolean {
	return code === "first" || code === "taken";
}

function pushDirection(
	state: MinuteEnergyState,
	direction: "import" | "export",
	atMs: number,
	powerMilliW: number | undefined,
	registers: Registers | undefined,
): void {
	const milliWh = registers?.[`${direction}MilliWh`];
	if (registers !== undefined && milliWh === undefined) pushNoRegister(state[direction], registers.atMs);
	const sample: LineSample = {
		powerMilliW: powerMilliW !== undefined && isPower(powerMilliW) ? powerMilliW : undefined,
		register:
			registers === undefined || milliWh === undefined
				? undefined
				: { milliWh, atMs: Math.min(registers.atMs, atMs), stepMilliWh: registers.stepMilliWh },
	};
	if (sample.powerMilliW === undefined && sample.register === undefined) return;
	pushSample(state[direction], atMs, sample, openMinute(state));
}

/** The first of the newest minutes that are not emitted: held back just now, or the next one. */
function openMinute({ held, nextMinute }: MinuteEnergyState): number {
	const newest = held.at(-1);
	return newest?.toMinute === nextMinute ? newest.fromMinute : nextMinute;
}

function beginAnew(state: MinuteEnergyState): void {
	for (const line of [state.import, state.export]) forgetTimes(line);
	state.nextMinute = 0;
	state.held = [];
	state.faultSinceMs = undefined;
}

// ── minutes as they end ──────────────────────────────────────────────────────────────────────────────────────────

function closeLive(state: MinuteEnergyState, nowMs: number, limitWh: number, readings: Reading[]): void {
	const lines = heardLines(state);
	if (lines.length === 0) return;
	const untilMinute = minuteOf(nowMs);
	state.nextMinute = Math.max(state.nextMinute, firstMinute(lines));
	while (state.nextMinute < untilMinute) {
		const minute = state.nextMinute;
		const heldUntil = Math.max(...lines.map((line) => heldUntilMinute(line, minute, nowMs)));
		if (heldUntil > minute) {
			holdUntil(state, Math.min(heldUntil, untilMinute));
			continue;
		}
		if (lines.some((line) => waits(line, minute, nowMs))) return;
		for (const line of lines) holdToEdge(line, minute, nowMs);
		state.nextMinute = minute + 1;
		readings.push(emit(state, minute, limitWh, false));
	}
}

/** The first minute that anything is known of. */
function firstMinute(lines: readonly HeardLine[]): number {
	const times = lines.flatMap(({ last, minutes, gaps }) => [
		minuteOf(last.atMs),
		...minutes.slice(0, 1).map((share) => share.minute),
		...gaps.slice(0, 1).map((gap) => minuteOf(gap.fromMs)),
	]);
	return Math.min(...times);
}

/** Until which minute a register is to be waited for, on account of a long gap that reaches into this one. */
function heldUntilMinute(line: HeardLine, minute: number, nowMs: number): number {
	const edgeMs = (minute + 1) * MS_PER_MINUTE;
	if (line.last.atMs < edgeMs && nowMs - line.last.atMs > HOLD_GAP_MS) return minuteOf(nowMs);
	const ends = overlapping(line, minute)
		.filter(isWaitedFor)
		.map((gap) => minuteOf(gap.toMs - 1) + 1);
	return Math.max(minute, ...ends);
}

/** Whether more is to come of a minute: its last seconds, or the end of a gap. */
function waits(line: HeardLine, minute: number, nowMs: number): boolean {
	const edgeMs = (minute + 1) * MS_PER_MINUTE;
	if (line.last.atMs >= edgeMs) return false;
	return nowMs - line.last.atMs > MAX_GAP_MS || nowMs < edgeMs + CLOSE_DELAY_MS;
}

function holdUntil(state: MinuteEnergyState, toMinute: number): void {
	const newest = state.held.at(-1);
	if (newest?.toMinute === state.nextMinute) newest.toMinute = toMinute;
	else state.held.push({ fromMinute: state.nextMinute, toMinute });
	state.nextMinute = toMinute;
}

// ── minutes that were held back ──────────────────────────────────────────────────────────────────────────────────

function closeHeld(state: MinuteEnergyState, nowMs: number, limitWh: number, readings: Reading[]): void {
	const isGivenUp = state.listenedMs >= REGISTER_PATIENCE_MS;
	for (let range = state.held[0]; range !== undefined; range = state.held[0]) {
		const minute = range.fromMinute;
		// The clock may have been set back since.
		if (minute >= minuteOf(nowMs)) return;
		const isUnknownYet = heardLines(state).some((line) => isWaiting(line, minute));
		if (isUnknownYet && !isGivenUp) return;
		if (readings.length >= MAX_READINGS_AT_ONCE) return;
		for (const line of heardLines(state)) pushSilence(line, (minute + 1) * MS_PER_MINUTE, minute);
		range.fromMinute += 1;
		if (range.fromMinute === range.toMinute) state.held.shift();
		readings.push(emit(state, minute, limitWh, isUnknownYet));
	}
}

/** Whether a register is still to say something of a minute. */
function isWaiting(line: HeardLine, minute: number): boolean {
	return line.last.atMs < (minute + 1) * MS_PER_MINUTE || overlapping(line, minute).some(isWaitedFor);
}

// ── a reading ────────────────────────────────────────────────────────────────────────────────────────────────────

type HeardLine = EnergyLine & { last: NonNullable<EnergyLine["last"]> };

function heardLines(state: MinuteEnergyState): HeardLine[] {
	return [state.import, state.export].filter((line): line is HeardLine => line.last !== undefined);
}

function emit(state: MinuteEnergyState, minute: number, limitWh: number, isGivenUp: boolean): Reading {
	const imported = emitMinute(state.import, minute, limitWh, isGivenUp);
	const exported = emitMinute(state.export, minute, limitWh, isGivenUp);
	// A meter that never speaks of export has none to cover.
	const parts = state.export.last === undefined ? [imported] : [imported, exported];
	return {
		minute,
		importWh: imported.energyWh,
		exportWh: exported.energyWh,
		quality: isGivenUp ? "gap" : qualityOf(parts),
	};
}

function qualityOf(parts: readonly Emitted[]): Quality {
	if (parts.some((part) => part.isLost)) return "gap";
	if (!parts.every((part) => part.isCovered)) return "estimated";
	return parts.some((part) => part.isCatchUp) ? "catch-up" : "measured";
}
