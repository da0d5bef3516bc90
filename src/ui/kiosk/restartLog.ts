/** What a browser keeps of its kiosk: the last restarts and why, and what a page tells the one that comes after it. */
import * as v from "valibot";
import { keepText, readText } from "../keptText.js";

const KEY = "nabostrom/kiosk";
export const KEPT_RESTARTS = 20;

/** unplanned: nobody here wanted it: no power, a browser that ended, a person who loaded the page. */
const REASONS = ["silent", "failed", "nightly", "update", "unplanned"] as const;
export type RestartReason = (typeof REASONS)[number];

export interface Restart {
	/** Ms since the epoch. */
	readonly atMs: number;
	readonly reason: RestartReason;
}

export interface KioskRecord {
	/** Whether the kiosk is shown: a page that finds it so goes on where another one ended. */
	readonly isShown: boolean;
	/** Why the page before it ended itself; absent: it did not. */
	readonly planned?: Exclude<RestartReason, "unplanned">;
	/** Restarts for a node in trouble, since it was last well for an hour. */
	readonly attempts: number;
	/** Newest first. */
	readonly restarts: readonly Restart[];
}

const EMPTY: KioskRecord = { isShown: false, attempts: 0, restarts: [] };

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const shape = v.object({
	isShown: v.boolean(),
	planned: v.exactOptional(v.picklist(["silent", "failed", "nightly", "update"])),
	attempts: count,
	restarts: v.pipe(v.array(v.object({ atMs: count, reason: v.picklist(REASONS) })), v.maxLength(KEPT_RESTARTS)),
});

/** Nothing, or nothing that can be read, is a kiosk that was never shown. */
export function decodeRecord(text: string | null): KioskRecord {
	if (text === null) return EMPTY;
	try {
		const parsed = v.safeParse(shape, JSON.parse(text));
		return parsed.success ? parsed.output : EMPTY;
	} catch {
		return EMPTY;
	}
}

export function readRecord(): KioskRecord {
	return decodeRecord(readText(KEY));
}

export function keepRecord(record: KioskRecord): void {
	keepText(KEY, JSON.stringify(record));
}

/** The kiosk begins in a page: does it go on where another ended? Then that was a restart. */
export function whenShown(record: KioskRecord, nowMs: number): KioskRecord {
	const { planned, ...rest } = record;
	if (!record.isShown) return { ...rest, isShown: true };
	const restart: Restart = { atMs: nowMs, reason: planned ?? "unplanned" };
	return { ...rest, restarts: [restart, ...rest.restarts].slice(0, KEPT_RESTARTS) };
}

/** The page is about to end itself. */
export function whenEnding(record: KioskRecord, planned: NonNullable<KioskRecord["planned"]>): KioskRecord {
	const isTrouble = planned === "silent" || planned === "failed";
	return { ...record, planned, attempts: isTrouble ? record.attempts + 1 : record.attempts };
}
