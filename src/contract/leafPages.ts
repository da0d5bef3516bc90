/** Long lists have leaves of their own: no leaf grows with how long a chain stood still or a seller said nothing. */
import type { Household, OpenInterval, PendingReading } from "./ledger.js";
import type { MinuteRanges } from "./minuteRanges.js";

/** Lists up to here stand in their owner's leaf; longer ones in leaves of their own, so that no leaf grows large. */
const INLINE_ENTRIES = 64;
const PAGE_ENTRIES = 1_024;

/** What stands in the owner's leaf: all of it, or nothing. */
export function inlineOf<T>(entries: readonly T[]): readonly T[] {
	return entries.length <= INLINE_ENTRIES ? entries : [];
}

/** Runs in pages of PAGE_ENTRIES; none where they stand in their owner's leaf. */
export function pagesOfRuns(entries: MinuteRanges): MinuteRanges[] {
	if (entries.length <= INLINE_ENTRIES) return [];
	const count = Math.ceil(entries.length / PAGE_ENTRIES);
	return Array.from({ length: count }, (_, page) => entries.slice(page * PAGE_ENTRIES, (page + 1) * PAGE_ENTRIES));
}

/** What waits to be matched, of a household. */
export type Waiting = OpenInterval & { readonly household: number };

/** What waits to be matched, of all households, in pages of PAGE_ENTRIES. */
export function pagesOfWaiting(households: readonly Pick<Household, "index" | "open">[]): Waiting[][] {
	const waiting = households.flatMap(({ index, open }) => open.map((interval) => ({ household: index, ...interval })));
	const count = Math.ceil(waiting.length / PAGE_ENTRIES);
	return Array.from({ length: count }, (_, page) => waiting.slice(page * PAGE_ENTRIES, (page + 1) * PAGE_ENTRIES));
}

/** Readings in pages of PAGE_ENTRIES minutes: one that settles at the front leaves the later pages as they are. */
export function pagesOfReadings(entries: readonly PendingReading[]): PendingReading[][] {
	if (entries.length <= INLINE_ENTRIES) return [];
	const pages: PendingReading[][] = [];
	let current = -1;
	for (const reading of entries) {
		const page = Math.floor(reading.minute / PAGE_ENTRIES);
		if (page !== current) pages.push([]);
		current = page;
		pages.at(-1)?.push(reading);
	}
	return pages;
}
