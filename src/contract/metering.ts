import type { ReadingTransaction } from "../block/kinds/metering.js";
import type { Reading } from "../block/reading.js";
import { add, MS_PER_MINUTE } from "../primitives/units.js";
import { countedSince } from "./countedBlocks.js";
import { changeHousehold, type Draft, householdOf, type Ledger } from "./ledger.js";
import { addMinute, dropBefore, hasMinute } from "./minuteRanges.js";
import type { Refusal, Wait } from "./refusal.js";

/**
 * Whether a block of this ledger's time may hold a reading: once per household and minute, in the window, after the
 * minute, of a minute in which the household was a member.
 */
export function readingRefusal(ledger: Ledger, { member, minute }: ReadingTransaction): Refusal | Wait | undefined {
	const { blockIntervalMs, readingWindowBlocks } = ledger.parameters;
	const household = ledger.households[member];
	if (household === undefined) return { code: "unknown-member", member };
	if ((minute + 1) * MS_PER_MINUTE > ledger.timestampMs) return { code: "minute-not-ended", minute };
	if (minute < household.joinedMinute) {
		return { code: "before-membership", minute, joinedMinute: household.joinedMinute };
	}
	if (household.removal !== undefined && minute >= household.removal.fromMinute) {
		return { code: "after-membership", minute, fromMinute: household.removal.fromMinute };
	}
	if (countedSince(ledger.counted, minute, blockIntervalMs) > readingWindowBlocks) {
		return { code: "outside-window", minute };
	}
	return hasMinute(household.seen, minute) ? { code: "duplicate-reading", member, minute } : undefined;
}

/** Books a reading, unless it is refused. */
export function applyReading(draft: Draft, reading: ReadingTransaction): Refusal | Wait | undefined {
	const cause = readingRefusal(draft, reading);
	if (cause !== undefined) return cause;
	const { member, minute, importWh, exportWh, quality } = reading;
	const household = householdOf(draft, member);
	const pending = [...household.pending];
	let at = pending.length;
	while (at > 0 && (pending[at - 1]?.minute ?? 0) > minute) at -= 1;
	pending.splice(at, 0, { minute, importWh, exportWh, quality, boughtWh: 0, soldWh: 0 });
	changeHousehold(draft, member, {
		importWh: add(household.importWh, importWh),
		exportWh: add(household.exportWh, exportWh),
		seen: addMinute(dropBefore(household.seen, windowFloor(draft)), minute),
		pending,
	});
	return undefined;
}

/** A reading that trades, of one that is missing or only shown. */
export function settles({ parameters }: Pick<Ledger, "parameters">, reading: Reading | undefined): reading is Reading {
	if (reading === undefined || reading.quality === "typed") return false;
	// Nobody sells energy that a program made up: only where the money is play money as well.
	return reading.quality !== "simulated" || parameters.moneyKind === "trial" || parameters.timeScale !== 1;
}

/** A minute before which the reading window refuses everything: what was seen before it need not be remembered. */
function windowFloor(draft: Draft): number {
	const { blockIntervalMs, readingWindowBlocks } = draft.parameters;
	const first = draft.counted[0];
	if (first === undefined) return 0;
	const oldestCounted = Math.floor((first[0] * blockIntervalMs) / MS_PER_MINUTE);
	// The list of counted blocks holds more than the window: its oldest minute is outside once the list is full.
	return countedSince(draft.counted, oldestCounted - 1, blockIntervalMs) > readingWindowBlocks ? oldestCounted : 0;
}
