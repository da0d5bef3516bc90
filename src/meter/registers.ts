/** Whether a meter's registers can be believed, by what they were before. */
import { MS_PER_MINUTE, multiply } from "../primitives/units.js";
import { MILLI_PER_WH } from "./energyLine.js";

/** A meter's energy registers as one telegram gives them. */
export interface Registers {
	/** OBIS 1.8.0, mWh. */
	importMilliWh: number | undefined;
	/** OBIS 2.8.0, mWh. */
	exportMilliWh: number | undefined;
	/** By how much they can move at least, mWh. */
	stepMilliWh: number;
	/** When they were taken, host's UTC. */
	atMs: number;
	/** The same by the meter's own clock: what repeats it, and the registers, is stale. */
	clock: string | undefined;
}

export type RegisterOutcome =
	/** The first ones: what comes later is compared with them. */
	| { code: "first" }
	| { code: "taken" }
	/** The last ones once more: some meters repeat those of the hour before. */
	| { code: "stale" }
	/** A register never goes back: another meter, or a fault. */
	| { code: "backwards"; direction: "import" | "export"; beforeMilliWh: number; milliWh: number }
	/** More than the fuse lets through since the last ones: another meter, or a fault. */
	| { code: "implausible"; direction: "import" | "export"; beforeMilliWh: number; milliWh: number };

/** Compares registers with the ones that were believed last. `limitWh`: what the fuse lets through in a minute. */
export function judgeRegisters(before: Registers | undefined, now: Registers, limitWh: number): RegisterOutcome {
	if (before === undefined) return { code: "first" };
	const isSame = now.importMilliWh === before.importMilliWh && now.exportMilliWh === before.exportMilliWh;
	// When summer time ends the clock goes back, too: with other registers it is a new hour.
	if (isSame && now.clock !== undefined && before.clock !== undefined && now.clock <= before.clock) {
		return { code: "stale" };
	}
	for (const direction of ["import", "export"] as const) {
		const beforeMilliWh = before[`${direction}MilliWh`];
		const milliWh = now[`${direction}MilliWh`];
		if (beforeMilliWh === undefined || milliWh === undefined) continue;
		const evidence = { direction, beforeMilliWh, milliWh };
		if (milliWh < beforeMilliWh) return { code: "backwards", ...evidence };
		if (milliWh - beforeMilliWh > most(before, now, limitWh)) return { code: "implausible", ...evidence };
	}
	return { code: "taken" };
}

/** By how much a register can have moved: begun minutes, and a step of rounding. A clock set back says nothing. */
function most(before: Registers, now: Registers, limitWh: number): number {
	const sinceMs = now.atMs - before.atMs;
	if (sinceMs < 0) return Number.MAX_SAFE_INTEGER;
	const minutes = Math.ceil(sinceMs / MS_PER_MINUTE) + 1;
	return multiply(minutes, multiply(limitWh, MILLI_PER_WH)) + now.stepMilliWh;
}
