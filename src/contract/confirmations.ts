/**
 * Who has to agree before a neighbourhood is founded again. More than two thirds of the member households of the old
 * state that have been there for seven days, each by its household key, as where the operator's key is lost: it takes more
 * than those who can be reached by chance, no third of the street can take the others' money elsewhere, and two chains
 * could only come about if more than a third of the households agreed to both. Among them are whoever proposes it, and the
 * household of each device that is to vote: nobody is counted on who knows nothing of it.
 */
import type { ConfirmTransaction, RefoundTransaction } from "../block/kinds/founding.js";
import { transactionId } from "../block/transaction.js";
import { equalBytes } from "../primitives/bytes.js";
import { ZERO_HASH } from "../primitives/hash.js";
import type { Verifier } from "../primitives/signature.js";
import type { Draft, Household, Ledger } from "./ledger.js";
import type { Refusal } from "./refusal.js";
import { type Electorate, isMoreThanTwoThirds, isNewcomer, membersOf } from "./standing.js";

export type ConfirmationError =
	| { code: "unknown-member"; member: number }
	/** Of another proposal. */
	| { code: "confirmation-for-another"; member: number }
	| { code: "bad-signature"; kind: string };

export type AgreementError =
	/** Whose device is to vote, or who proposed it, has not confirmed. */
	| { code: "confirmation-needed"; member: number }
	| { code: "too-few-confirmations"; confirmed: number; households: number };

/** Why a household's confirmation, made before there is a genesis, counts for nothing; undefined: it counts. */
export function confirmationRefusal(
	old: Pick<Ledger, "households">,
	proposal: Uint8Array,
	confirm: ConfirmTransaction,
	verifier: Verifier,
): ConfirmationError | undefined {
	const { member, signature } = confirm;
	const household = old.households[member];
	if (household === undefined) return { code: "unknown-member", member };
	if (!equalBytes(confirm.proposal, proposal)) return { code: "confirmation-for-another", member };
	const isGood = verifier.verify(signature, transactionId(confirm, ZERO_HASH), household.publicKey);
	return isGood ? undefined : { code: "bad-signature", kind: "confirm" };
}

/** Whose agreement counts: who moves out neither counts nor is waited for, and who has just come has no say yet. */
export function refoundersOf(old: Electorate): readonly Household[] {
	const members = membersOf(old);
	const settled = members.filter((household) => !isNewcomer(old, household));
	// Where nobody else is left their time would never come: while nothing is founded again, it stands still.
	return settled.length > 0 ? settled : members;
}

/** What is missing for the households that confirmed to found the neighbourhood again; undefined: nothing. */
export function agreementRefusal(
	old: Electorate & Pick<Ledger, "devices">,
	{ member, voters }: Pick<RefoundTransaction, "member" | "voters">,
	confirmed: ReadonlySet<number>,
): AgreementError | undefined {
	const needed = [member, ...voters.map((voter) => old.devices[voter]?.household ?? member)];
	const missing = needed.find((each) => !confirmed.has(each));
	if (missing !== undefined) return { code: "confirmation-needed", member: missing };
	const asked = refoundersOf(old);
	const agreed = asked.filter(({ index }) => confirmed.has(index)).length;
	return isMoreThanTwoThirds(agreed, asked.length)
		? undefined
		: { code: "too-few-confirmations", confirmed: agreed, households: asked.length };
}

/** A household that had not confirmed yet goes over to the chain that was founded again. */
export function applyConfirm(draft: Draft, { member, proposal }: ConfirmTransaction): Refusal | undefined {
	const { predecessor } = draft;
	if (predecessor === undefined || !equalBytes(predecessor.proposal, proposal)) {
		return { code: "confirmation-for-another", member };
	}
	if (!predecessor.unconfirmed.includes(member)) return { code: "already-confirmed", member };
	const unconfirmed = predecessor.unconfirmed.filter((each) => each !== member);
	draft.predecessor = { ...predecessor, unconfirmed };
	return undefined;
}
