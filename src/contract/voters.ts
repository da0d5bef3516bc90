/** Who votes: the operator's `voters` transactions, one step at a time (Raft thesis §4.1; Ongaro 2015). */

import type { VotersTransaction } from "../block/kinds/network.js";
import type { KeptVotersTransaction } from "../block/transaction.js";
import { votersAfter } from "../block/voters.js";
import { equalBytes } from "../primitives/bytes.js";
import { type Device, type Draft, householdOf, isInUse, type Ledger } from "./ledger.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator, isLeaving, partyRefusal } from "./standing.js";

/** At most this many devices vote. */
export const MAX_VOTERS = 25;
/** With fewer always-on devices than this, one voter is safer than two. */
export const MIN_VOTERS = 3;

/**
 * The same by the operator's metering device alone, within what needs no decision: devices that stay on come, those go
 * that are out of use, or will be as soon as they do not vote. Whoever steals the device can keep nobody from voting, and take no nonce of the household's.
 */
export function applyKeptVoters(draft: Draft, change: KeptVotersTransaction): Refusal | undefined {
	const { device, member, nonce } = change;
	if (householdOf(draft, member).meteringDevice !== device) return { code: "not-your-device", device };
	if (!isInUse(draft.devices[device])) return { code: "device-revoked", device };
	if (nonce !== draft.votersSinceIndex + 1) return { code: "voters-changed" };
	const mayCome =
		change.added.every((added) => draft.devices[added.device]?.alwaysOn === true) && !isNeedlessPair(draft, change);
	const mayGo = change.removed.every((removed) => isLeaving(draft, removed));
	return mayCome && mayGo ? applyVoters(draft, change) : { code: "voters-by-household" };
}

/** Changes the voter set from this block on. */
export function applyVoters(draft: Draft, change: VotersTransaction): Refusal | undefined {
	// A device signs without its household, of which an operator may have decided otherwise.
	if (!isActingOperator(draft, change.member)) return { code: "not-operator" };
	const voters = votersAfter(draft.voters, { transactions: [change] });
	const refusal = stepRefusal(draft, change) ?? deviceRefusal(draft, change) ?? majorityRefusal(draft.devices, voters);
	if (refusal !== undefined) return refusal;
	draft.voters = voters;
	draft.votersSinceIndex = draft.index;
	return undefined;
}

/**
 * Why these voters could never agree on anything again; undefined: they could. A device that is out of use votes no more,
 * and the quorum does not shrink with it: where those in use are no majority, no block follows, not even one that would
 * change the voters.
 */
export function majorityRefusal(devices: readonly Device[], voters: readonly number[]): Refusal | undefined {
	const inUse = voters.filter((voter) => isInUse(devices[voter])).length;
	return inUse * 2 > voters.length ? undefined : { code: "too-few-voters", voters: voters.length, inUse };
}

/** Two voters are worse than one, for both have to be there: a pair is only for a device that takes the other's place. */
function isNeedlessPair(ledger: Ledger, { added }: KeptVotersTransaction): boolean {
	const [voter, ...others] = ledger.voters;
	return voter !== undefined && others.length === 0 && added.length === 1 && !isLeaving(ledger, voter);
}

/**
 * Why nobody could vote in place of a household's device; undefined: somebody could, or it does not vote. A single voter is
 * exchanged in two steps: another comes, then it goes.
 */
export function successionRefusal(ledger: Ledger, household: number): Refusal | undefined {
	const device = ledger.voters.find((voter) => ledger.devices[voter]?.household === household);
	if (device === undefined) return undefined;
	const isSucceeded = ledger.devices.some((each) => each.household !== household && !isLeaving(ledger, each.index));
	return isSucceeded ? undefined : { code: "only-voter", device };
}

/**
 * Majorities of neighbouring sets always share a voter only if the sets differ by one. A single voter signs every change of
 * its set (the covering rule of certificates), so that beside it two may come at once.
 */
function stepRefusal({ voters }: Ledger, { added, removed }: VotersTransaction): Refusal | undefined {
	const alone = voters.length === 1;
	const grows = removed.length === 0 && (added.length === 1 || added.length === 2);
	const isStep = alone ? grows : added.length + removed.length === 1;
	if (!isStep) return { code: "voters-step", voters: voters.length, added: added.length, removed: removed.length };
	if (voters.length + added.length > MAX_VOTERS) return { code: "too-many-voters", limit: MAX_VOTERS };
	return undefined;
}

function deviceRefusal(ledger: Ledger, { added, removed }: VotersTransaction): Refusal | undefined {
	for (const [at, { device, publicKey }] of added.entries()) {
		const known = ledger.devices[device];
		if (!isInUse(known) || !equalBytes(known.publicKey, publicKey)) {
			return { code: "unknown-device", device };
		}
		const mover = partyRefusal(ledger, known.household);
		if (mover !== undefined) return mover;
		const isTwice = added.findIndex((other) => other.device === device) !== at;
		if (isTwice || ledger.voters.includes(device)) return { code: "already-voter", device };
		const isOfHousehold = (other: number) => ledger.devices[other]?.household === known.household;
		if (ledger.voters.some(isOfHousehold) || added.slice(0, at).some((other) => isOfHousehold(other.device))) {
			return { code: "household-votes-already", member: known.household };
		}
	}
	for (const device of removed) if (!ledger.voters.includes(device)) return { code: "not-voter", device };
	return undefined;
}
