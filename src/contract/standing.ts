/** Where a household stands: what an operator or the street has said about it, beside what it owns and has metered. */
import type { TransactionKind } from "../block/transaction.js";
import { equalBytes } from "../primitives/bytes.js";
import { HOUSEHOLD_NOTICE_MINUTES, minuteOf } from "../primitives/units.js";
import { type Household, isInUse, type Ledger } from "./ledger.js";
import { isDue } from "./notices.js";
import type { Refusal } from "./refusal.js";

/** A household's fields that most never need: nothing is said of them until there is something to say. */
export type Standing = Pick<Household, "suspended" | "removal" | "appoints" | "notice">;

/** A household of which nothing was said. */
export const ORDINARY: Standing = { suspended: false, removal: undefined, appoints: undefined, notice: undefined };

/** What was said of a household; undefined: nothing. */
export function standingOf({ suspended, removal, appoints, notice }: Household): Standing | undefined {
	const isOrdinary = !suspended && removal === undefined && appoints === undefined && notice === undefined;
	return isOrdinary ? undefined : { suspended, removal, appoints, notice };
}

/**
 * What a suspended household may still sign: a device of its own that was stolen goes out of use all the same, and who
 * has got hold of the operator's key must keep no household from naming another operator, from its own key or from
 * staying or going.
 */
const WHILE_SUSPENDED: ReadonlySet<TransactionKind> = new Set(["revoke", "appoint", "contest", "leave"]);
/** And one that moves out, until it is out. */
const WHILE_MOVING: ReadonlySet<TransactionKind> = new Set(["revoke", "appoint", "correct", "answer"]);

/** Why nothing of this kind counts that a household signs; undefined: it does. */
export function standingRefusal({ index, removal, suspended }: Household, kind: TransactionKind): Refusal | undefined {
	if (removal !== undefined && (removal.completed || !WHILE_MOVING.has(kind)))
		return { code: "moved-out", member: index };
	return suspended && !WHILE_SUSPENDED.has(kind) ? { code: "suspended" } : undefined;
}

/** Why nothing new can be agreed upon with a household, or decided about it; undefined: it can. */
export function partyRefusal({ households }: Pick<Ledger, "households">, member: number): Refusal | undefined {
	const household = households[member];
	if (household === undefined) return { code: "unknown-member", member };
	return household.removal === undefined ? undefined : { code: "moved-out", member };
}

/** Whether a household runs the neighbourhood, and may. */
export function isActingOperator({ households }: Pick<Ledger, "households">, member: number): boolean {
	const household = households[member];
	return household?.operator === true && !household.suspended;
}

/** Whether there would be no operator any more that may act, without this household. */
export function isLastOperator(ledger: Pick<Ledger, "households">, member: number): boolean {
	return !ledger.households.some(({ index }) => index !== member && isActingOperator(ledger, index));
}

/** The households that stay: all but those that moved out, or do. They agree about founding the neighbourhood again. */
export function membersOf({ households }: Pick<Ledger, "households">): readonly Household[] {
	return households.filter(({ removal }) => removal === undefined);
}

/** What it takes to know whose vote counts. */
export type Electorate = Pick<Ledger, "households" | "timestampMs">;

/** The households that have a say about the operator: until they have moved out. */
export function electorsOf(ledger: Electorate): readonly Household[] {
	return ledger.households.filter(
		(household) => household.removal?.completed !== true && !isNewcomer(ledger, household),
	);
}

/**
 * Whether a household came after the first founding, and less than seven days ago, or was sent away within these. It has
 * no say about the operator, nor about founding the neighbourhood again: whoever has got hold of the operator's key could
 * invite as many as it takes to outvote all others, before they have looked.
 */
export function isNewcomer(
	{ households, timestampMs }: Electorate,
	{ joinedMinute, removal }: Pick<Household, "joinedMinute" | "removal">,
): boolean {
	// The first household founded the neighbourhood, and keeps its place in every chain.
	const isFounder = joinedMinute <= (households[0]?.joinedMinute ?? 0);
	const untilMinute = removal === undefined ? minuteOf(timestampMs) : removal.fromMinute - 1;
	return !isFounder && untilMinute - joinedMinute < HOUSEHOLD_NOTICE_MINUTES;
}

/** As many as it takes where no operator can decide. */
export function isMoreThanTwoThirds(count: number, of: number): boolean {
	return count * 3 > of * 2;
}

/** Whether a key is a household's, or is to be one's. */
export function isHouseholdKey({ households }: Pick<Ledger, "households">, key: Uint8Array): boolean {
	return households.some(
		({ publicKey, notice }) =>
			equalBytes(publicKey, key) || (notice?.kind === "rebind" && equalBytes(notice.householdKey, key)),
	);
}

/** Whether a device is out of use, or will be as soon as it does not vote: its household moves out, or gets another key. */
export function isLeaving(
	ledger: Pick<Ledger, "countedTotal" | "devices"> & {
		readonly households: readonly Pick<Household, "notice" | "removal">[];
	},
	index: number,
): boolean {
	const device = ledger.devices[index];
	const household = ledger.households[device?.household ?? -1];
	if (!isInUse(device) || household?.removal !== undefined) return true;
	return household?.notice?.kind === "rebind" && isDue(ledger, household.notice);
}
