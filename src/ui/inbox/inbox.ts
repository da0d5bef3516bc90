/** What was told, and what is known already: kept in this browser, for each neighbourhood. */
import * as v from "valibot";
import type { NamedOccasion, Occasion } from "./occasion.js";

export interface Entry {
	readonly name: string;
	/** When it was told (chain time). */
	readonly atMs: number;
	readonly occasion: Occasion;
	readonly isRead: boolean;
}

export interface Inbox {
	/** Newest first. */
	readonly entries: readonly Entry[];
	/** Names of what held when it was looked at last, and of what has happened; undefined: it was never looked at. */
	readonly known: readonly string[] | undefined;
}

export const MAX_ENTRIES = 100;
/** More has not happened than a view can show. */
const MAX_KNOWN = 1_000;

export const EMPTY_INBOX: Inbox = { entries: [], known: undefined };

/**
 * Takes in what there is to tell. The entries of `told` are new. What had happened before this browser looked for the first
 * time is not told: it is no news.
 */
export function lookAt(
	inbox: Inbox,
	occasions: readonly NamedOccasion[],
	nowMs: number,
): { inbox: Inbox; told: Entry[] } {
	const known = new Set(inbox.known);
	const told = occasions
		.filter(({ name, isPast }) => !known.has(name) && !(isPast && inbox.known === undefined))
		.map(({ name, occasion }): Entry => ({ name, occasion, atMs: nowMs, isRead: false }));
	const names = occasions.map(({ name }) => name);
	if (inbox.known !== undefined && told.length === 0 && isSame(names, inbox.known)) return { inbox, told };
	return {
		inbox: { entries: [...told, ...inbox.entries].slice(0, MAX_ENTRIES), known: names.slice(0, MAX_KNOWN) },
		told,
	};
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
	return a.length === b.length && a.every((name, at) => name === b[at]);
}

export function withAllRead(inbox: Inbox): Inbox {
	return { ...inbox, entries: inbox.entries.map((entry) => ({ ...entry, isRead: true })) };
}

export function unreadOf({ entries }: Inbox): number {
	return entries.filter(({ isRead }) => !isRead).length;
}

// ── as text ──────────────────────────────────────────────────────────────────────────────────────────────────────

const whole = v.pipe(v.number(), v.safeInteger());
const contract = { contractId: v.string(), other: whole };
const occasionShape: v.GenericSchema<unknown, Occasion> = v.variant("type", [
	v.strictObject({ type: v.literal("lowBalance"), days: whole }),
	v.strictObject({ type: v.literal("contractEnding"), ...contract, untilMinute: whole }),
	v.strictObject({ type: v.literal("contractPaused"), ...contract }),
	v.strictObject({ type: v.literal("contractLoss"), ...contract, lossMicroNok: whole, buying: v.boolean() }),
	v.strictObject({ type: v.picklist(["issued", "paidOut"]), amountMicroNok: whole }),
	v.strictObject({ type: v.literal("refused"), kind: v.string(), code: v.string() }),
	v.strictObject({ type: v.literal("correction"), other: whole }),
	v.strictObject({ type: v.literal("moneyProposed"), by: whole }),
	v.strictObject({ type: v.literal("bill"), amountMicroNok: whole, fromMinute: whole }),
	v.strictObject({ type: v.literal("meterSilent"), sinceMs: whole }),
	v.strictObject({ type: v.literal("neighbourSilent"), member: whole, sinceMinute: whole }),
	v.strictObject({ type: v.literal("chainWaiting"), sinceMs: whole }),
]);
const inboxShape: v.GenericSchema<unknown, Inbox> = v.strictObject({
	entries: v.pipe(
		v.array(v.strictObject({ name: v.string(), atMs: whole, occasion: occasionShape, isRead: v.boolean() })),
		v.maxLength(MAX_ENTRIES),
	),
	known: v.pipe(v.array(v.string()), v.maxLength(MAX_KNOWN)),
});

export function encodeInbox(inbox: Inbox): string {
	return JSON.stringify(inbox);
}

/** What was kept; an inbox of another version, or a damaged one, is an empty one. */
export function decodeInbox(text: string | null): Inbox {
	if (text === null) return EMPTY_INBOX;
	try {
		const parsed = v.safeParse(inboxShape, JSON.parse(text));
		return parsed.success ? parsed.output : EMPTY_INBOX;
	} catch {
		return EMPTY_INBOX;
	}
}
