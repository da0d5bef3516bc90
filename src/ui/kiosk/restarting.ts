/**
 * When a kiosk's page is loaded anew, decided on what is known at one look: because its node says nothing or stopped, or
 * because it is night. Nothing here has a clock: durations come from one that never jumps, times of day from the world's.
 */
import type { StreetView } from "../../node/view.js";
import { MS_PER_MINUTE } from "../../primitives/units.js";
import { hourOf } from "../calendar.js";

const MS_PER_HOUR = 60 * MS_PER_MINUTE;

/** A node that says nothing for so long is stuck. */
export const SILENT_MS = 30_000;
/** One that has said nothing yet opens its storage, which may hold years. */
export const START_MS = 120_000;
/** A page that slept, or is hidden, looks seldom: of a gap so much counts, or a machine's sleep would be a dead node. */
export const COUNTED_GAP_MS = 10_000;
const FIRST_WAIT_MS = MS_PER_MINUTE;
const LONGEST_WAIT_MS = MS_PER_HOUR;
/** A node that was well for so long: what was wrong is over. */
const WELL_MS = MS_PER_HOUR;
const NIGHT_HOUR = 3;
/** A newer version waits for a street that can spare this device, but not for one that never can. */
const UPDATE_WAIT_MS = 24 * MS_PER_HOUR;
/** Minutes that wait for a block: one or two always do. */
const FEW_MINUTES = 2;

export type Trouble = "silent" | "failed";

/** How the node of a page has done since the page was loaded. */
export interface Health {
	/** Since the page was loaded, ms. */
	readonly runningMs: number;
	/** For how long the node has said nothing while somebody listened, and how long it has been well since, ms. */
	readonly silentMs: number;
	readonly wellMs: number;
	/** Whether it has said anything. */
	readonly isHeard: boolean;
	/** Restarts for its sake since it was last well for an hour. */
	readonly attempts: number;
}

/** A page that was just loaded. */
export function healthAtStart(attempts: number): Health {
	return { runningMs: 0, silentMs: 0, wellMs: 0, isHeard: false, attempts };
}

/** Takes in one look. `gapMs`: since the one before; `isHeard`: the node has said something since. */
export function afterLook(health: Health, { gapMs, isHeard }: { gapMs: number; isHeard: boolean }): Health {
	const runningMs = health.runningMs + gapMs;
	if (!isHeard) {
		const silentMs = health.silentMs + Math.min(gapMs, COUNTED_GAP_MS);
		return { ...health, runningMs, silentMs, wellMs: silentMs < SILENT_MS ? health.wellMs + gapMs : 0 };
	}
	const wellMs = health.wellMs + gapMs;
	return { runningMs, silentMs: 0, wellMs, isHeard: true, attempts: wellMs < WELL_MS ? health.attempts : 0 };
}

/** What is wrong with the node; undefined: nothing. `hasFailed`: it said itself that it stopped. */
export function troubleOf({ silentMs, isHeard }: Health, hasFailed: boolean): Trouble | undefined {
	if (hasFailed) return "failed";
	return silentMs >= (isHeard ? SILENT_MS : START_MS) ? "silent" : undefined;
}

/** For how long a page runs at least before its node's trouble may end it: 0, then 1, 2, 4 … 60 minutes. */
export function waitMs(attempts: number): number {
	return attempts === 0 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1));
}

/** Whether a page whose node is in trouble is loaded anew now. */
export function isRestartDue({ runningMs, attempts }: Health): boolean {
	return runningMs >= waitMs(attempts);
}

/** When in the hour from 03:00 on a device starts anew, in seconds: neighbours' devices do so one after the other. */
export function nightlySecond(deviceId: string): number {
	return Number.parseInt(deviceId.slice(-8), 16) % 3600;
}

/**
 * Whether this is the time for the nightly start: from the device's second until four o'clock, once, for a page that has
 * just been loaded is left alone. Clocks in Oslo skip or repeat the hour before three, never this one.
 */
export function isNightlyDue(nowMs: number, deviceId: string, runningMs: number): boolean {
	if (runningMs < MS_PER_HOUR || hourOf(Math.floor(nowMs / MS_PER_MINUTE)) !== NIGHT_HOUR) return false;
	return Math.floor(nowMs / 1000) % 3600 >= nightlySecond(deviceId);
}

/** Whether a newer version, which has been ready for `readyMs`, takes over now. */
export function isUpdateDue(isSpared: boolean, readyMs: number): boolean {
	return isSpared || readyMs >= UPDATE_WAIT_MS;
}

/**
 * Whether the street can spare this device for a moment: the other voters are a majority without it, it fetches nothing,
 * and no more of its readings wait than `waitedMinutes`, some minutes ago.
 */
export function canBeSpared({ chain, devices }: StreetView, waitedMinutes: number): boolean {
	const { voters, votersOnline, role, sync, waitingMinutes } = chain;
	const isCounted = role !== "observer" && devices.some(({ self, voter }) => self && voter);
	const others = votersOnline - (isCounted ? 1 : 0);
	if (others < Math.floor(voters / 2) + 1 || sync !== undefined) return false;
	return waitingMinutes <= Math.max(FEW_MINUTES, waitedMinutes);
}
