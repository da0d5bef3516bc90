/**
 * One direction's energy, import or export: power integrated by the trapezoid rule, set right by the meter's register.
 *
 * Nothing is rounded away and nothing is counted twice. What has been credited since the last register, to minutes or as
 * lost, is kept beside the register, so that at the next one
 *
 *     carry = register − last register − credited since
 *
 * is what the integration missed. Where time was missed altogether (a gap), the difference belongs to that time: it is
 * spread over the gap's minutes, which wait for it (minuteEnergy.ts). What is left is the carry, released little by
 * little. Energies are integer mWh; the trapezoid's rest below one is kept, too.
 */
import { assert } from "../primitives/assert.js";
import { divideFloor, MAX_READING_WH, MS_PER_MINUTE, minuteOf, multiplyDivide } from "../primitives/units.js";

/** Longer than this between two samples, and nothing is known about what happened between them. */
export const MAX_GAP_MS = 30_000;
/** After a gap that is longer the register is waited for. */
export const HOLD_GAP_MS = 120_000;
/** No meter of a household measures more. Keeps every product below 2^53. */
export const MAX_POWER_MILLI_W = 1_000_000_000;
export const MILLI_PER_WH = 1_000;
/** The trapezoid (P₁ + P₂)·Δt comes in halves of a mW·ms. */
const HALF_MILLI_W_MS_PER_MILLI_WH = 2 * 3_600_000;
/** A register that moves by steps no coarser is better than any integration, if it comes often. */
const FINE_STEP_MILLI_WH = MILLI_PER_WH;
/** For so long the way of the energy is remembered, for registers that are sent some seconds after they were taken. */
const TRAIL_MS = 60_000;

/** Plain data of safe integers: it is persisted. */
export interface EnergyLine {
	/** The newest sample; undefined: this line has not been heard. */
	last: Sample | undefined;
	/** Integrated and not emitted, ascending. */
	minutes: MinuteShare[];
	/** Times without samples in minutes that are not emitted, ascending, apart. */
	gaps: Gap[];
	/** Emitted ahead of its trapezoid: from the newest sample to the edge of the minute that was closed after it. */
	heldMilliWh: number;
	/** Due in the next minute emitted: what is less than a Wh, and what was held too much. May be negative. */
	remainderMilliWh: number;
	/** What the registers say beyond what was integrated; released little by little. May be negative. */
	carryMilliWh: number;
	/** Less than a mWh, in {@link HALF_MILLI_W_MS_PER_MILLI_WH}. */
	restHalfMilliWMs: number;
	/** The last register, at the time at which it was taken; undefined: none has come. */
	register: { milliWh: number; atMs: number } | undefined;
	/** Credited since that register: more (or less, if negative) than it is left open by it. */
	sinceMilliWh: number;
	/** What was credited in the last minute, by when it was used, ascending. */
	trail: { fromMs: number; toMs: number; milliWh: number }[];
	/** How long no sample came, since the register, in minutes that are emitted … */
	emittedGapMs: number;
	/** … and in minutes that were given up. */
	lostGapMs: number;
	/** Energy of minutes that were given up: known to the meter, and in no reading. */
	lostMilliWh: number;
	/** The clock was set back behind the newest sample: the last time heard since. */
	behindMs: number | undefined;
}

interface Sample {
	atMs: number;
	/** Undefined: the meter sends none, and there is nothing to hold. */
	powerMilliW: number | undefined;
}

type PowerSample = Sample & { powerMilliW: number };

export interface MinuteShare {
	minute: number;
	milliWh: number;
	/** How long of it was integrated, ms. */
	coveredMs: number;
}

export interface Gap {
	fromMs: number;
	toMs: number;
	/** What the register says of it, not yet emitted; undefined: no register has come since. */
	milliWh: number | undefined;
	/** So long that its minutes wait for a register. */
	isLong: boolean;
	/** Nothing will ever be known of it. */
	isLost: boolean;
}

/** What a telegram says of one direction. */
export interface LineSample {
	powerMilliW: number | undefined;
	/** A register, when it was taken (not after the telegram, host's UTC) and by how much it can move at least. */
	register: { milliWh: number; atMs: number; stepMilliWh: number } | undefined;
}

export function createEnergyLine(): EnergyLine {
	return {
		last: undefined,
		minutes: [],
		gaps: [],
		heldMilliWh: 0,
		remainderMilliWh: 0,
		carryMilliWh: 0,
		restHalfMilliWMs: 0,
		register: undefined,
		sinceMilliWh: 0,
		trail: [],
		emittedGapMs: 0,
		lostGapMs: 0,
		lostMilliWh: 0,
		behindMs: undefined,
	};
}

/**
 * Takes what came at `atMs` (host's UTC). The register is believed: whether it may be is asked before (registers.ts).
 * Minutes before `openMinute` without a share of their own are emitted: what is credited to them goes into the next one.
 */
export function pushSample(line: EnergyLine, atMs: number, sample: LineSample, openMinute: number): void {
	const { powerMilliW, register } = sample;
	assert(powerMilliW === undefined || isPower(powerMilliW), `${powerMilliW} mW is a power`);
	const { last } = line;
	if (last === undefined) {
		line.last = { atMs, powerMilliW };
		if (register !== undefined) reconcile(line, register);
		return;
	}
	if (atMs < last.atMs && !takeBackGap(line, atMs)) {
		liveTwice(line, last, atMs, sample);
		return;
	}
	line.behindMs = undefined;
	if (atMs > last.atMs) advance(line, last, atMs, sample, openMinute);
	else line.last = { atMs, powerMilliW: powerMilliW ?? last.powerMilliW };
	if (register !== undefined) reconcile(line, register);
	while ((line.trail[0]?.toMs ?? atMs) < atMs - TRAIL_MS) line.trail.shift();
}

/** Nothing came until a time, and nothing will that says more of it. */
export function pushSilence(line: EnergyLine, untilMs: number, openMinute: number): void {
	if (line.last === undefined || line.last.atMs >= untilMs) return;
	missTime(line, line.last, untilMs, openMinute);
	line.heldMilliWh = 0;
	line.last = { atMs: untilMs, powerMilliW: undefined };
}

export function isPower(powerMilliW: number): boolean {
	return Number.isSafeInteger(powerMilliW) && powerMilliW >= 0 && powerMilliW <= MAX_POWER_MILLI_W;
}

/** The time between the newest sample and one after it: measured by the register, integrated, or a gap. */
function advance(line: EnergyLine, last: Sample, atMs: number, sample: LineSample, openMinute: number): void {
	const { powerMilliW, register } = sample;
	const durationMs = atMs - last.atMs;
	if (durationMs > MAX_GAP_MS) {
		missTime(line, last, atMs, openMinute);
	} else {
		line.remainderMilliWh -= line.heldMilliWh;
		const measured = register === undefined ? undefined : measuredBy(line, register, last.atMs, atMs);
		if (measured !== undefined) {
			credit(line, last.atMs, atMs, measured, edgeShare(last.atMs, atMs, measured), openMinute);
			// A meter without power is held to the edge by its mean since the sample before.
			const mean = multiplyDivide(measured, HALF_MILLI_W_MS_PER_MILLI_WH, 2 * durationMs).quotient;
			line.last = { atMs, powerMilliW: powerMilliW ?? Math.min(mean, MAX_POWER_MILLI_W) };
			line.heldMilliWh = 0;
			return;
		} else if (powerMilliW !== undefined && last.powerMilliW !== undefined) {
			integrate(line, { ...last, powerMilliW: last.powerMilliW }, { atMs, powerMilliW }, openMinute);
		} else {
			addGap(line, last.atMs, atMs, openMinute);
		}
	}
	line.last = { atMs, powerMilliW };
	line.heldMilliWh = 0;
}

/** What was held to the edge was used in that minute, and nothing later ought to pay for it: the gap begins after it. */
function missTime(line: EnergyLine, last: Sample, untilMs: number, openMinute: number): void {
	line.sinceMilliWh += line.heldMilliWh;
	addGap(line, line.heldMilliWh > 0 ? edgeAfter(last.atMs) : last.atMs, untilMs, openMinute);
}

/** What a register says of the time since the sample before, if it is one that comes with each telegram, finely. */
function measuredBy(
	line: EnergyLine,
	register: NonNullable<LineSample["register"]>,
	fromMs: number,
	atMs: number,
): number | undefined {
	const before = line.register;
	if (before === undefined || before.atMs !== fromMs || register.atMs !== atMs) return undefined;
	if (register.stepMilliWh > FINE_STEP_MILLI_WH) return undefined;
	const measured = register.milliWh - before.milliWh - line.sinceMilliWh - line.carryMilliWh;
	const most = multiplyDivide(MAX_POWER_MILLI_W, 2 * (atMs - fromMs), HALF_MILLI_W_MS_PER_MILLI_WH).quotient;
	return measured >= 0 && measured <= most ? measured : undefined;
}

/** Adds the trapezoid between two samples at most 30 s apart to the one or two minutes that it lies in. */
function integrate(line: EnergyLine, from: PowerSample, to: PowerSample, openMinute: number): void {
	const durationMs = to.atMs - from.atMs;
	const total = line.restHalfMilliWMs + (from.powerMilliW + to.powerMilliW) * durationMs;
	const milliWh = divideFloor(total, HALF_MILLI_W_MS_PER_MILLI_WH);
	line.restHalfMilliWMs = total - milliWh * HALF_MILLI_W_MS_PER_MILLI_WH;
	// The power at the edge lies on the line between the two, so the area before it is P₁·a + (P₂ − P₁)·a² ÷ 2Δt.
	// Whatever is rounded here stays in the sum, because the other part is the rest.
	const beforeMs = Math.min(edgeAfter(from.atMs) - from.atMs, durationMs);
	const rise = to.powerMilliW - from.powerMilliW;
	const bend = divideFloor(Math.abs(rise) * beforeMs, durationMs) * beforeMs;
	const before = divideFloor(2 * from.powerMilliW * beforeMs + (rise < 0 ? -bend : bend), HALF_MILLI_W_MS_PER_MILLI_WH);
	credit(line, from.atMs, to.atMs, milliWh, Math.min(before, milliWh), openMinute);
}

/** Of energy used evenly between two times, what lies before the first minute's edge between them. */
function edgeShare(fromMs: number, toMs: number, milliWh: number): number {
	const beforeMs = Math.min(edgeAfter(fromMs), toMs) - fromMs;
	return multiplyDivide(milliWh, beforeMs, toMs - fromMs).quotient;
}

/** Credits energy between two times at most a minute apart: `beforeMilliWh` of it before the edge that may lie between. */
function credit(
	line: EnergyLine,
	fromMs: number,
	toMs: number,
	milliWh: number,
	beforeMilliWh: number,
	openMinute: number,
): void {
	line.sinceMilliWh += milliWh;
	line.trail.push({ fromMs, toMs, milliWh });
	const edgeMs = edgeAfter(fromMs);
	if (toMs <= edgeMs) {
		creditMinute(line, minuteOf(fromMs), milliWh, toMs - fromMs, openMinute);
		return;
	}
	creditMinute(line, minuteOf(fromMs), beforeMilliWh, edgeMs - fromMs, openMinute);
	creditMinute(line, minuteOf(edgeMs), milliWh - beforeMilliWh, toMs - edgeMs, openMinute);
}

function creditMinute(line: EnergyLine, minute: number, milliWh: number, coveredMs: number, openMinute: number): void {
	let at = line.minutes.length;
	while (at > 0 && (line.minutes[at - 1]?.minute ?? 0) >= minute) at -= 1;
	const found = line.minutes[at];
	if (found?.minute === minute) {
		found.milliWh += milliWh;
		found.coveredMs += coveredMs;
	} else if (minute < openMinute) line.remainderMilliWh += milliWh;
	else line.minutes.splice(at, 0, { minute, milliWh, coveredMs });
}

/** Notes a time without samples. What of it lies in minutes that are emitted already is only counted. */
function addGap(line: EnergyLine, fromMs: number, toMs: number, openMinute: number): void {
	const before = line.gaps.at(-1);
	const isOpen = before !== undefined && before.toMs === fromMs && isUnknown(before);
	const openFromMs = isOpen || isOwn(line, fromMs) ? fromMs : Math.max(fromMs, openMinute * MS_PER_MINUTE);
	line.emittedGapMs += Math.min(openFromMs, toMs) - fromMs;
	if (openFromMs >= toMs) return;
	const gap = isOpen ? before : { fromMs: openFromMs, toMs, milliWh: undefined, isLong: false, isLost: false };
	if (!isOpen) line.gaps.push(gap);
	gap.toMs = toMs;
	gap.isLong ||= toMs - gap.fromMs > HOLD_GAP_MS;
}

/** Whether the minute of a time has energy that waits to be emitted. */
function isOwn(line: EnergyLine, atMs: number): boolean {
	const minute = minuteOf(atMs);
	return line.minutes.some((share) => share.minute === minute);
}

/** The clock had been ahead for a moment: of the gap that it made only what lies before the right time is one. */
function takeBackGap(line: EnergyLine, atMs: number): boolean {
	const gap = line.gaps.at(-1);
	if (gap === undefined || gap.toMs !== line.last?.atMs || gap.isLost || atMs < gap.fromMs) return false;
	line.sinceMilliWh -= gap.milliWh ?? 0;
	line.gaps.pop();
	const isLong = atMs - gap.fromMs > HOLD_GAP_MS;
	if (atMs > gap.fromMs) line.gaps.push({ ...gap, toMs: atMs, milliWh: undefined, isLong });
	if (line.register !== undefined) line.register.atMs = Math.min(line.register.atMs, atMs);
	return true;
}

/**
 * The clock was set back: hours that are lived twice are counted once. Their energy is in the register, and in no
 * minute.
 */
function liveTwice(line: EnergyLine, last: Sample, atMs: number, { powerMilliW, register }: LineSample): void {
	const fromMs = line.behindMs ?? atMs;
	if (powerMilliW !== undefined && last.powerMilliW !== undefined && atMs > fromMs && atMs - fromMs <= MAX_GAP_MS) {
		const lost = divideFloor((last.powerMilliW + powerMilliW) * (atMs - fromMs), HALF_MILLI_W_MS_PER_MILLI_WH);
		line.lostMilliWh += lost;
		line.sinceMilliWh += lost;
	}
	line.behindMs = atMs;
	line.last = { atMs: last.atMs, powerMilliW: powerMilliW ?? last.powerMilliW };
	if (register === undefined || line.register === undefined) return;
	const fresh = register.milliWh - line.register.milliWh - line.sinceMilliWh - line.carryMilliWh;
	line.lostMilliWh += Math.max(fresh, 0);
	line.sinceMilliWh += Math.max(fresh, 0);
	reconcile(line, { ...register, atMs: last.atMs });
}

/** The meter has said its registers, and has none of this direction: nothing more will be known of the gaps before. */
export function pushNoRegister(line: EnergyLine, atMs: number): void {
	for (const gap of line.gaps) if (isUnknown(gap) && gap.toMs <= atMs) gap.milliWh = 0;
}

/** Another meter, which may not speak of this direction at all: what was held stands. */
export function stopHearing(line: EnergyLine): void {
	line.sinceMilliWh += line.heldMilliWh;
	line.heldMilliWh = 0;
	line.last = undefined;
	line.behindMs = undefined;
}

/** Whether the minutes of a gap wait for a register. */
export function isWaitedFor(gap: Gap): boolean {
	return gap.isLong && isUnknown(gap);
}

function isUnknown(gap: Gap): boolean {
	return gap.milliWh === undefined && !gap.isLost;
}

/** Sets the line right by a register. */
function reconcile(line: EnergyLine, register: NonNullable<LineSample["register"]>): void {
	const before = line.register;
	const after = creditedAfter(line, register.atMs);
	line.register = { milliWh: register.milliWh, atMs: register.atMs };
	// Of a gap that ends after the register was taken it says what lies before.
	const cut = (gap: Gap) => cutGap(gap, register.atMs).filter((part) => part.fromMs < part.toMs);
	line.gaps = line.gaps.flatMap((gap) => (isUnknown(gap) ? cut(gap) : [gap]));
	const waiting = line.gaps.filter((gap) => isUnknown(gap) && gap.toMs <= register.atMs);
	if (before === undefined) {
		for (const gap of waiting) gap.isLost = true;
		// What an exchanged meter's registers have left open stays due.
		line.sinceMilliWh = after - line.carryMilliWh;
	} else {
		const advance = register.milliWh - before.milliWh;
		spread(line, waiting, advance - (line.sinceMilliWh - after) - line.carryMilliWh);
		const due = advance - (line.sinceMilliWh - after);
		line.carryMilliWh = Math.abs(due) < register.stepMilliWh ? 0 : due;
		line.sinceMilliWh -= advance;
	}
	line.emittedGapMs = 0;
	line.lostGapMs = 0;
}

/** Gives what a register says beyond all that is known to the gaps before it, each its part by how long it was. */
function spread(line: EnergyLine, waiting: readonly Gap[], freshMilliWh: number): void {
	const waitingMs = waiting.reduce((sum, gap) => sum + gap.toMs - gap.fromMs, 0);
	const totalMs = waitingMs + line.emittedGapMs + line.lostGapMs;
	let restMilliWh = Math.max(freshMilliWh, 0);
	let restMs = totalMs;
	for (const gap of waiting) {
		const gapMs = gap.toMs - gap.fromMs;
		gap.milliWh = multiplyDivide(restMilliWh, gapMs, restMs).quotient;
		line.sinceMilliWh += gap.milliWh;
		restMilliWh -= gap.milliWh;
		restMs -= gapMs;
	}
	if (line.lostGapMs === 0) return;
	const lost = multiplyDivide(restMilliWh, line.lostGapMs, restMs).quotient;
	line.lostMilliWh += lost;
	line.sinceMilliWh += lost;
}

/** What was credited after a time, not longer ago than the trail reaches. */
function creditedAfter(line: EnergyLine, atMs: number): number {
	let after = 0;
	for (const { fromMs, toMs, milliWh } of line.trail) {
		const partMs = Math.min(toMs - atMs, toMs - fromMs);
		if (partMs > 0) after += multiplyDivide(milliWh, partMs, toMs - fromMs).quotient;
	}
	return after;
}

/** The clock had been wrong: keeps all energy (what was held stands, as after a gap), drops all times. */
export function forgetTimes(line: EnergyLine): void {
	stopHearing(line);
	line.remainderMilliWh = inFlightMilliWh(line);
	line.lostGapMs += line.gaps.reduce((sum, gap) => sum + (gap.milliWh === undefined ? gap.toMs - gap.fromMs : 0), 0);
	line.minutes = [];
	line.gaps = [];
	line.trail = [];
}

// ── a minute's end ───────────────────────────────────────────────────────────────────────────────────────────────

/** Holds the newest power to the edge of its minute, unless it is too old to say anything. */
export function holdToEdge(line: EnergyLine, minute: number, nowMs: number): void {
	const { last } = line;
	if (last?.powerMilliW === undefined || minuteOf(last.atMs) !== minute || nowMs - last.atMs > MAX_GAP_MS) return;
	const heldMs = edgeAfter(last.atMs) - last.atMs;
	line.heldMilliWh = divideFloor(2 * last.powerMilliW * heldMs, HALF_MILLI_W_MS_PER_MILLI_WH);
	creditMinute(line, minute, line.heldMilliWh, heldMs, minute);
}

export interface Emitted {
	energyWh: number;
	/** All of the minute was integrated. */
	isCovered: boolean;
	/** Energy of other minutes was added or taken away. */
	isCatchUp: boolean;
	/** Nothing will ever be known of a part of it. */
	isLost: boolean;
}

/**
 * Takes a minute's energy from the line, in whole Wh, at most `limitWh` if that can be kept; minutes that wait are to be
 * taken in their order. `isGivenUp`: what the registers will say of its gaps is not to come later.
 */
export function emitMinute(line: EnergyLine, minute: number, limitWh: number, isGivenUp: boolean): Emitted {
	const at = line.minutes.findIndex((share) => share.minute === minute);
	const share = at === -1 ? undefined : line.minutes.splice(at, 1)[0];
	const isLost = overlapping(line, minute).some((gap) => gap.isLost);
	const known = (share?.milliWh ?? 0) + takeGaps(line, minute, isGivenUp) + line.remainderMilliWh;
	const released = isGivenUp ? 0 : releaseOf(line.carryMilliWh, known, limitWh * MILLI_PER_WH);
	line.carryMilliWh -= released;
	line.sinceMilliWh += released;
	const due = known + released;
	const energyWh = due > 0 ? Math.min(divideFloor(due, MILLI_PER_WH), MAX_READING_WH) : 0;
	line.remainderMilliWh = due - energyWh * MILLI_PER_WH;
	return { energyWh, isCovered: share?.coveredMs === MS_PER_MINUTE, isCatchUp: released !== 0, isLost };
}

/** A quarter of the carry, at least a Wh of it; never so much that the minute were negative, or that no fuse allowed it. */
function releaseOf(carryMilliWh: number, knownMilliWh: number, limitMilliWh: number): number {
	const size = Math.abs(carryMilliWh);
	const quarter = Math.min(size, Math.max(divideFloor(size, 4), MILLI_PER_WH));
	const room = carryMilliWh > 0 ? limitMilliWh - knownMilliWh : knownMilliWh;
	const released = Math.max(0, Math.min(quarter, room));
	return carryMilliWh > 0 ? released : -released;
}

/** The gaps that reach into a minute. */
export function overlapping(line: EnergyLine, minute: number): Gap[] {
	const startMs = minute * MS_PER_MINUTE;
	return line.gaps.filter((gap) => gap.toMs > startMs && gap.fromMs < startMs + MS_PER_MINUTE);
}

/** Takes out of the gaps what lies in a minute; the energy of it that is known. */
function takeGaps(line: EnergyLine, minute: number, isGivenUp: boolean): number {
	const startMs = minute * MS_PER_MINUTE;
	let taken = 0;
	line.gaps = line.gaps.flatMap((gap) => {
		const [before, rest] = cutGap(gap, startMs);
		const [inside, after] = cutGap(rest, startMs + MS_PER_MINUTE);
		taken += inside.milliWh ?? 0;
		if (isUnknown(inside)) {
			if (isGivenUp) line.lostGapMs += inside.toMs - inside.fromMs;
			else line.emittedGapMs += inside.toMs - inside.fromMs;
		}
		return [before, after].filter((part) => part.fromMs < part.toMs);
	});
	return taken;
}

/** What is known of older minutes, and will be, is in no reading any more. */
export function loseBefore(line: EnergyLine, minute: number): void {
	const lostUntil = line.minutes.findIndex((share) => share.minute >= minute);
	const lost = line.minutes.splice(0, lostUntil === -1 ? line.minutes.length : lostUntil);
	line.lostMilliWh += lost.reduce((sum, share) => sum + share.milliWh, 0);
	line.gaps = line.gaps.flatMap((gap) => {
		const [before, after] = cutGap(gap, minute * MS_PER_MINUTE);
		if (before.milliWh !== undefined) line.lostMilliWh += before.milliWh;
		else if (!before.isLost) line.lostGapMs += before.toMs - before.fromMs;
		return after.fromMs < after.toMs ? [after] : [];
	});
}

/** A gap as what lies before a time and what lies after it; either may be empty. */
function cutGap(gap: Gap, cutMs: number): [Gap, Gap] {
	const atMs = Math.min(Math.max(cutMs, gap.fromMs), gap.toMs);
	const [before, after] = [
		{ ...gap, toMs: atMs },
		{ ...gap, fromMs: atMs },
	];
	if (gap.milliWh !== undefined && gap.fromMs < gap.toMs) {
		before.milliWh = multiplyDivide(gap.milliWh, atMs - gap.fromMs, gap.toMs - gap.fromMs).quotient;
		after.milliWh = gap.milliWh - before.milliWh;
	}
	return [before, after];
}

function edgeAfter(atMs: number): number {
	return (minuteOf(atMs) + 1) * MS_PER_MINUTE;
}

// ── sums ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Credited and not emitted, mWh: negative where a minute was emitted ahead. Without the carry. */
export function inFlightMilliWh(line: EnergyLine): number {
	const minutes = line.minutes.reduce((sum, share) => sum + share.milliWh, 0);
	const gaps = line.gaps.reduce((sum, gap) => sum + (gap.milliWh ?? 0), 0);
	return minutes + gaps + line.remainderMilliWh - line.heldMilliWh;
}
