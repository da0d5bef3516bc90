/**
 * Power samples → one integer reading a minute, in integer arithmetic throughout.
 *
 * Import and export each run on their own timer (import comes every 2–2.5 s, export only in the 10-s list) and are
 * integrated by the trapezoid rule, split at the minute's edge. Nothing is rounded away: what is less than a Wh waits
 * in the carry for the next minute, and at every moment
 *
 *     Wh emitted + energy in flight = the integral up to the last sample, to the last half watt-millisecond.
 *
 * A gap of more than 30 s between two samples integrates nothing. A reading is `measured` when each of its 60 s was
 * integrated, else `estimated`; a minute of which nothing could be integrated is not emitted.
 *
 * A minute is emitted at most 4 s after its edge, sooner if both lines have passed it. The last power is then held to
 * the edge; the sample after the edge makes the exact trapezoid known, and the difference goes into the carry. If that
 * sample comes after a gap, what was held stands: it was used in that minute, and nothing later ought to pay for it.
 * A negative carry waits until there is energy to take it from, so no minute is ever below 0.
 */
import type { Quality, Reading } from "../block/reading.js";
import { assert } from "../primitives/assert.js";
import { divideFloor, MAX_READING_WH, MS_PER_MINUTE, minuteOf } from "../primitives/units.js";

/** Longer than this between two samples, and nothing is known about what happened between them. */
export const MAX_GAP_MS = 30_000;
/** How long after its edge a minute waits for a sample: the leader proposes the minute's block some 5 s after it. */
export const CLOSE_DELAY_MS = 4_000;
/** No meter with a HAN port measures more (63 A at 400 V are 44 kW). Keeps every product below 2^53. */
export const MAX_POWER_W = 1_000_000;
/** Energies are counted in halves of a watt-millisecond: the trapezoid (P₁ + P₂)·Δt is then an integer. */
export const HALF_WATT_MS_PER_WH = 2 * 3_600_000;

/** A clock set back by up to this much is waited for; by more, it had been wrong before, and counting begins anew. */
const CLOCK_FAULT_MS = 2 * 3_600_000;

/** Plain data of safe integers: it is persisted, and cloned between worker and page. */
export interface MinuteEnergyState {
	/** No reading is emitted for a minute before this one any more. */
	nextMinute: number;
	/** Minutes with something integrated and not yet emitted, ascending. */
	open: OpenMinute[];
	import: LineState;
	export: LineState;
}

interface OpenMinute {
	minute: number;
	import: Integrated;
	export: Integrated;
}

interface Integrated {
	halfWattMs: number;
	coveredMs: number;
}

interface LineState {
	/** The newest sample; absent: this line has not been heard. */
	last?: { atMs: number; powerW: number };
	/** Emitted ahead of its trapezoid: from the newest sample to the edge of the minute that was closed after it. */
	heldHalfWattMs: number;
	/** Due in the next minute emitted: what is less than a Wh, and corrections. May be negative. */
	carryHalfWattMs: number;
}

type Direction = "import" | "export";

const DIRECTIONS: readonly Direction[] = ["import", "export"];

export function createMinuteEnergy(): MinuteEnergyState {
	return {
		nextMinute: 0,
		open: [],
		import: { heldHalfWattMs: 0, carryHalfWattMs: 0 },
		export: { heldHalfWattMs: 0, carryHalfWattMs: 0 },
	};
}

/**
 * Takes what a telegram says, at the host's UTC. A power that no meter measures is taken for no sample. A time before
 * the newest sample's is a clock set back: the hours lived twice are counted once.
 */
export function pushPower(
	state: MinuteEnergyState,
	atMs: number,
	power: { importW?: number | undefined; exportW?: number | undefined },
): void {
	assert(Number.isSafeInteger(atMs) && atMs >= 0, `${atMs} is a time`);
	pushSample(state, "import", atMs, power.importW);
	pushSample(state, "export", atMs, power.exportW);
}

/** Emits the minutes that can be closed at `nowMs` (host's UTC), ascending, each minute once. */
export function closeMinutes(state: MinuteEnergyState, nowMs: number): Reading[] {
	const readings: Reading[] = [];
	for (;;) {
		const first = state.open[0];
		if (first === undefined || !isDue(state, first.minute, nowMs)) return readings;
		state.open.shift();
		state.nextMinute = first.minute + 1;
		const reading = emit(state, first, nowMs);
		if (reading !== undefined) readings.push(reading);
	}
}

/** Integrated and not emitted, in {@link HALF_WATT_MS_PER_WH}; negative where a minute was emitted ahead. */
export function energyInFlight(state: MinuteEnergyState): { importHalfWattMs: number; exportHalfWattMs: number } {
	const inFlight = (direction: Direction) =>
		state.open.reduce(
			(sum, minute) => sum + minute[direction].halfWattMs,
			state[direction].carryHalfWattMs - state[direction].heldHalfWattMs,
		);
	return { importHalfWattMs: inFlight("import"), exportHalfWattMs: inFlight("export") };
}

function pushSample(state: MinuteEnergyState, direction: Direction, atMs: number, powerW: number | undefined): void {
	if (powerW === undefined || !Number.isSafeInteger(powerW) || powerW < 0 || powerW > MAX_POWER_W) return;
	const { last } = state[direction];
	if (last !== undefined && last.atMs - atMs > CLOCK_FAULT_MS) forgetTimes(state);
	const line = state[direction];
	if (line.last === undefined) {
		line.last = { atMs, powerW };
		return;
	}
	const from = line.last;
	const durationMs = atMs - from.atMs;
	if (durationMs <= 0) {
		line.last = { atMs: from.atMs, powerW };
		return;
	}
	if (durationMs <= MAX_GAP_MS) {
		line.carryHalfWattMs -= line.heldHalfWattMs;
		integrate(state, direction, from, { atMs, powerW });
	}
	line.heldHalfWattMs = 0;
	line.last = { atMs, powerW };
}

/** Adds the trapezoid between two samples at most 30 s apart to the one or two minutes that it lies in. */
function integrate(
	state: MinuteEnergyState,
	direction: Direction,
	from: { atMs: number; powerW: number },
	to: { atMs: number; powerW: number },
): void {
	const minute = minuteOf(from.atMs);
	const edgeMs = (minute + 1) * MS_PER_MINUTE;
	const durationMs = to.atMs - from.atMs;
	const total = (from.powerW + to.powerW) * durationMs;
	if (to.atMs <= edgeMs) {
		credit(state, direction, minute, total, durationMs);
		return;
	}
	// The power at the edge lies on the line between the two, so the area before it is P₁·a + (P₂ − P₁)·a² ÷ 2Δt.
	// Whatever is rounded here stays in the sum, because the other part is the rest.
	const beforeMs = edgeMs - from.atMs;
	const rise = to.powerW - from.powerW;
	const bend = divideFloor(Math.abs(rise) * beforeMs * beforeMs, durationMs);
	const before = 2 * from.powerW * beforeMs + (rise < 0 ? -bend : bend);
	credit(state, direction, minute, before, beforeMs);
	credit(state, direction, minute + 1, total - before, to.atMs - edgeMs);
}

function credit(
	state: MinuteEnergyState,
	direction: Direction,
	minute: number,
	halfWattMs: number,
	coveredMs: number,
): void {
	if (minute < state.nextMinute) {
		state[direction].carryHalfWattMs += halfWattMs;
		return;
	}
	const integrated = openMinute(state, minute)[direction];
	integrated.halfWattMs += halfWattMs;
	integrated.coveredMs += coveredMs;
}

function openMinute(state: MinuteEnergyState, minute: number): OpenMinute {
	const at = state.open.findIndex((each) => each.minute >= minute);
	const found = state.open[at];
	if (found?.minute === minute) return found;
	const created = { minute, import: { halfWattMs: 0, coveredMs: 0 }, export: { halfWattMs: 0, coveredMs: 0 } };
	state.open.splice(at === -1 ? state.open.length : at, 0, created);
	return created;
}

function isDue(state: MinuteEnergyState, minute: number, nowMs: number): boolean {
	const edgeMs = (minute + 1) * MS_PER_MINUTE;
	if (nowMs < edgeMs) return false;
	const isPassed = DIRECTIONS.every((direction) => (state[direction].last?.atMs ?? edgeMs) >= edgeMs);
	return isPassed || nowMs >= edgeMs + CLOSE_DELAY_MS;
}

function emit(state: MinuteEnergyState, open: OpenMinute, nowMs: number): Reading | undefined {
	for (const direction of DIRECTIONS) holdToEdge(state[direction], open.minute, open[direction], nowMs);
	if (open.import.coveredMs === 0) {
		for (const direction of DIRECTIONS) state[direction].carryHalfWattMs += open[direction].halfWattMs;
		return undefined;
	}
	// A meter that never speaks of export has none to cover.
	const isCovered = (direction: Direction) =>
		open[direction].coveredMs === MS_PER_MINUTE || (direction === "export" && state.export.last === undefined);
	const quality: Quality = DIRECTIONS.every(isCovered) ? "measured" : "estimated";
	return {
		minute: open.minute,
		importWh: release(state.import, open.import.halfWattMs),
		exportWh: release(state.export, open.export.halfWattMs),
		quality,
	};
}

function holdToEdge(line: LineState, minute: number, integrated: Integrated, nowMs: number): void {
	const edgeMs = (minute + 1) * MS_PER_MINUTE;
	if (line.last === undefined || minuteOf(line.last.atMs) !== minute || nowMs - line.last.atMs > MAX_GAP_MS) return;
	const heldMs = edgeMs - line.last.atMs;
	line.heldHalfWattMs = 2 * line.last.powerW * heldMs;
	integrated.halfWattMs += line.heldHalfWattMs;
	integrated.coveredMs += heldMs;
}

/** Whole Wh of a minute's energy and the carry; the rest is the new carry. */
function release(line: LineState, halfWattMs: number): number {
	const due = halfWattMs + line.carryHalfWattMs;
	const energyWh = due > 0 ? Math.min(divideFloor(due, HALF_WATT_MS_PER_WH), MAX_READING_WH) : 0;
	line.carryHalfWattMs = due - energyWh * HALF_WATT_MS_PER_WH;
	return energyWh;
}

/** Keeps all energy (what was held stands, as after a gap), drops all times: the next sample is the first one. */
function forgetTimes(state: MinuteEnergyState): void {
	for (const direction of DIRECTIONS) {
		const carry = state.open.reduce((sum, open) => sum + open[direction].halfWattMs, state[direction].carryHalfWattMs);
		state[direction] = { heldHalfWattMs: 0, carryHalfWattMs: carry };
	}
	state.nextMinute = 0;
	state.open = [];
}
