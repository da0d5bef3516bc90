/** Which minutes a contract covers: those of its period in which its schedule is active. */
import { localTimeOf } from "../block/kinds/founding.js";
import { type LocalMinute, localMinuteAt } from "../primitives/localTime.js";
import type { Contract, Ledger } from "./ledger.js";
import { isActiveAt, nextActiveMinute } from "./schedule.js";

type Period = Pick<Contract, "fromMinute" | "untilMinute" | "schedule">;

/** Whether a contract covers a minute. */
export type Coverage = (contract: Period, minute: number) => boolean;

/** Answers for many contracts, and works out once for each minute what the clocks show in it. */
export function coverageIn({ parameters }: Pick<Ledger, "parameters">): Coverage {
	const rule = localTimeOf(parameters);
	const known = new Map<number, LocalMinute>();
	return ({ fromMinute, untilMinute, schedule }, minute) => {
		if (minute < fromMinute || minute >= untilMinute) return false;
		if (schedule === undefined) return true;
		let local = known.get(minute);
		if (local === undefined) {
			local = localMinuteAt(rule, minute);
			known.set(minute, local);
		}
		return isActiveAt(schedule, local);
	};
}

/** The first minute from this one on that a contract, or one made of an offer, covers; undefined: none any more. */
export function nextCoveredMinute(
	{ parameters }: Pick<Ledger, "parameters">,
	{ fromMinute, untilMinute, schedule }: Period,
	minute: number,
): number | undefined {
	return nextActiveMinute(schedule, Math.max(fromMinute, minute), untilMinute, localTimeOf(parameters));
}
