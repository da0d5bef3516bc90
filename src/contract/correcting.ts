/**
 * Corrections: what was metered or settled wrongly is never edited. Two households agree on one net amount for a period
 * that has settled, each with one signature, and what the payer cannot pay stays a claim that everybody sees.
 *
 * A claim is paid out of the debtor's balance, the oldest first: at once, and then when a block ends, after its minutes
 * have settled. So a contract is paid before a claim in the block in which money comes in, and what is left over then goes
 * to the claims before it pays for a later minute. What is locked for a payout is not touched. Each claim is looked at
 * once a block: what a creditor gets that way pays its own older claims with the next one, or two households that owe
 * each other could pass one µNOK to and fro for ever.
 */
import type { AnswerTransaction, CorrectTransaction } from "../block/kinds/correcting.js";
import { toHex } from "../primitives/bytes.js";
import {
	add,
	CORRECTION_MINUTES,
	MAX_CIRCULATION_MICRO_NOK,
	MAX_CORRECTED_MINUTES,
	minuteOf,
	subtract,
} from "../primitives/units.js";
import { countedSince } from "./countedBlocks.js";
import { type Claim, type Correction, changeHousehold, type Draft, householdOf, type Ledger } from "./ledger.js";
import type { Refusal } from "./refusal.js";

/** What a household may have open towards another, their claims included. */
export const MAX_CORRECTIONS_PER_PAIR = 8;
/** What a household may have open towards all others. */
export const MAX_CORRECTIONS_PER_HOUSEHOLD = 32;

/** Proposes an amount, or disputes the period. */
export function applyCorrect(draft: Draft, correct: CorrectTransaction, id: Uint8Array): Refusal | undefined {
	const refusal = counterpartyRefusal(draft, correct) ?? periodRefusal(draft, correct) ?? countRefusal(draft, correct);
	if (refusal !== undefined) return refusal;
	const { member, counterparty, fromMinute, untilMinute, reason, energyWh, amountMicroNok, isPayer, note } = correct;
	draft.corrections = new Map(draft.corrections).set(toHex(id), {
		id,
		member,
		counterparty,
		fromMinute,
		untilMinute,
		reason,
		energyWh,
		amountMicroNok,
		isPayer,
		note,
		timestampMs: draft.timestampMs,
		declined: undefined,
	});
	return undefined;
}

/** Whoever has moved out has nothing left to pay with, and nobody who signs. */
function counterpartyRefusal(
	{ households }: Ledger,
	{ member, counterparty }: CorrectTransaction,
): Refusal | undefined {
	if (member === counterparty) return { code: "own-correction" };
	const household = households[counterparty];
	if (household === undefined) return { code: "unknown-member", member: counterparty };
	return household.removal?.completed === true ? { code: "moved-out", member: counterparty } : undefined;
}

/** A period is corrected when all of it has settled: until then its readings can still come by themselves. */
function periodRefusal(ledger: Ledger, correct: CorrectTransaction): Refusal | undefined {
	const { member, counterparty, fromMinute, untilMinute } = correct;
	if (fromMinute >= untilMinute) return { code: "empty-period", fromMinute, untilMinute };
	if (untilMinute - fromMinute > MAX_CORRECTED_MINUTES) {
		return { code: "correction-too-long", limitMinutes: MAX_CORRECTED_MINUTES };
	}
	const joinedMinute = Math.max(...[member, counterparty].map((each) => householdOf(ledger, each).joinedMinute));
	if (fromMinute < joinedMinute) return { code: "before-membership", minute: fromMinute, joinedMinute };
	const { blockIntervalMs, settlementGraceBlocks } = ledger.parameters;
	const isSettled = countedSince(ledger.counted, untilMinute - 1, blockIntervalMs) > settlementGraceBlocks;
	return isSettled ? undefined : { code: "period-not-settled", untilMinute };
}

function countRefusal(ledger: Ledger, { member, counterparty }: CorrectTransaction): Refusal | undefined {
	const own = [...ledger.corrections.values()].filter((correction) => correction.member === member);
	const claims = [...ledger.claims.values()].filter(
		({ debtor, creditor }) =>
			(debtor === member && creditor === counterparty) || (debtor === counterparty && creditor === member),
	);
	const ofPair = own.filter((correction) => correction.counterparty === counterparty).length + claims.length;
	if (ofPair >= MAX_CORRECTIONS_PER_PAIR) return { code: "too-many-corrections", limit: MAX_CORRECTIONS_PER_PAIR };
	return own.length >= MAX_CORRECTIONS_PER_HOUSEHOLD
		? { code: "too-many-corrections", limit: MAX_CORRECTIONS_PER_HOUSEHOLD }
		: undefined;
}

/** Agrees, declines, or takes one's own proposal back. What was declined stands as a dispute until then. */
export function applyAnswer(draft: Draft, answer: AnswerTransaction): Refusal | undefined {
	const key = toHex(answer.correctionId);
	const correction = draft.corrections.get(key);
	const isAuthor = correction?.member === answer.member;
	if (correction === undefined || !(isAuthor || correction.counterparty === answer.member)) {
		return { code: "unknown-correction" };
	}
	if (answer.isAgreed) {
		if (isAuthor) return { code: "own-correction" };
		if (correction.amountMicroNok === 0) return { code: "no-amount-proposed" };
		dropCorrections(draft, (each) => each === correction);
		owe(draft, correction);
		return undefined;
	}
	if (isAuthor) {
		dropCorrections(draft, (each) => each === correction);
		return undefined;
	}
	if (correction.declined !== undefined) return { code: "already-declined" };
	draft.corrections = new Map(draft.corrections).set(key, { ...correction, declined: answer.note ?? "" });
	return undefined;
}

/** Makes a claim of what was agreed upon, and pays of it what can be paid now. */
function owe(draft: Draft, { id, member, counterparty, isPayer, amountMicroNok }: Correction): void {
	const [debtor, creditor] = isPayer ? [member, counterparty] : [counterparty, member];
	const claim: Claim = { id, debtor, creditor, amountMicroNok, timestampMs: draft.timestampMs };
	draft.claims = new Map(draft.claims).set(toHex(id), claim);
	payClaims(draft, (each) => each.debtor === debtor);
}

/** Pays claims out of balances as far as these go, the oldest first. */
export function payClaims(draft: Draft, isMeant: (claim: Claim) => boolean = () => true): void {
	if (draft.claims.size === 0) return;
	const claims = new Map(draft.claims);
	for (const [key, claim] of draft.claims) {
		const { debtor, creditor } = claim;
		const { balanceMicroNok } = householdOf(draft, debtor);
		const paidMicroNok = Math.min(balanceMicroNok, claim.amountMicroNok);
		if (!isMeant(claim) || !isPayable(draft, claim) || paidMicroNok === 0) continue;
		changeHousehold(draft, debtor, { balanceMicroNok: subtract(balanceMicroNok, paidMicroNok) });
		const before = householdOf(draft, creditor).balanceMicroNok;
		changeHousehold(draft, creditor, { balanceMicroNok: add(before, paidMicroNok) });
		const amountMicroNok = subtract(claim.amountMicroNok, paidMicroNok);
		if (amountMicroNok === 0) claims.delete(key);
		else claims.set(key, { ...claim, amountMicroNok });
	}
	draft.claims = claims;
}

/** Whoever has moved out has no balance any more: the claim stays to be seen, and is a matter outside of the ledger. */
function isPayable(ledger: Ledger, { creditor }: Claim): boolean {
	return householdOf(ledger, creditor).removal?.completed !== true;
}

/**
 * What a household has to pay its neighbours before it gets money back, µNOK. No more than there can be altogether: a
 * household may agree to owe more than that, and the sum of it is no safe integer.
 */
export function owedMicroNok(ledger: Ledger, member: number): number {
	let sumMicroNok = 0;
	for (const claim of ledger.claims.values()) {
		if (claim.debtor !== member || !isPayable(ledger, claim)) continue;
		if (claim.amountMicroNok > MAX_CIRCULATION_MICRO_NOK - sumMicroNok) return MAX_CIRCULATION_MICRO_NOK;
		sumMicroNok = add(sumMicroNok, claim.amountMicroNok);
	}
	return sumMicroNok;
}

/** Whether there is something that a household's claims will take when the next block ends. */
export function paysClaims(ledger: Ledger, member: number): boolean {
	return householdOf(ledger, member).balanceMicroNok > 0 && owedMicroNok(ledger, member) > 0;
}

/** When a block ends: proposals that nobody answered in time are no more, nor what is open with who has moved out. */
export function dropLapsed(draft: Draft): void {
	const isOut = (member: number) => householdOf(draft, member).removal?.completed === true;
	dropCorrections(
		draft,
		(correction) => lapsesNow(draft, correction) || isOut(correction.member) || isOut(correction.counterparty),
	);
}

/** A dispute stands until whoever opened it takes it back. */
export function isDispute({ amountMicroNok, declined }: Pick<Correction, "amountMicroNok" | "declined">): boolean {
	return amountMicroNok === 0 || declined !== undefined;
}

function lapsesNow({ timestampMs }: Ledger, correction: Correction): boolean {
	return !isDispute(correction) && minuteOf(timestampMs) >= minuteOf(correction.timestampMs) + CORRECTION_MINUTES;
}

function dropCorrections(draft: Draft, isDropped: (correction: Correction) => boolean): void {
	const left = [...draft.corrections].filter(([, correction]) => !isDropped(correction));
	if (left.length < draft.corrections.size) draft.corrections = new Map(left);
}
