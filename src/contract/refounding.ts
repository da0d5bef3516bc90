/** The genesis of a neighbourhood that is founded again: `refound`, the households' `confirm`s, the proposer's `seal`. */
import { type Block, blockHash } from "../block/block.js";
import type { ConfirmTransaction, RefoundTransaction, SealTransaction } from "../block/kinds/founding.js";
import { confirmationsHash } from "../block/refounding.js";
import type { Unsigned } from "../block/transaction.js";
import { transactionId } from "../block/transaction.js";
import { equalBytes } from "../primitives/bytes.js";
import { ZERO_HASH } from "../primitives/hash.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Verifier } from "../primitives/signature.js";
import { type AgreementError, agreementRefusal, type ConfirmationError, confirmationRefusal } from "./confirmations.js";
import { firstBlock, isGenesisHeader } from "./genesis.js";
import type { Ledger } from "./ledger.js";
import {
	type CertificateCheck,
	type OldChain,
	openPredecessor,
	type PredecessorError,
	refoundedLedger,
} from "./predecessor.js";
import { NO_RESULTS } from "./settlement.js";
import { membersOf } from "./standing.js";
import { stateRoot } from "./stateRoot.js";

export type RefoundingError =
	| PredecessorError
	| ConfirmationError
	| AgreementError
	| { code: "bad-genesis"; what: "header" | "transactions" | "proposer-signature" | "seal" | "state-root" }
	/** Confirmations stand by member ascending, each household once. */
	| { code: "confirmation-repeated"; member: number };

/** The ways that a proposal leads: what it goes on from, and what it is called by those who confirm it. */
export interface OpenProposal {
	readonly refound: RefoundTransaction;
	readonly old: OldChain;
	/** Id of the `refound` (32 bytes). */
	readonly proposal: Uint8Array;
}

/** Checks a proposal, its proposer's signature included. Whether enough households agree is another question. */
export function openProposal(
	refound: RefoundTransaction,
	verifier: Verifier,
	checkCertificate: CertificateCheck,
): Result<OpenProposal, RefoundingError> {
	const old = openPredecessor(refound, verifier, checkCertificate);
	if (!old.ok) return old;
	const proposal = transactionId(refound, ZERO_HASH);
	const proposer = old.value.ledger.households[refound.member];
	if (proposer === undefined || !verifier.verify(refound.signature, proposal, proposer.publicKey)) {
		return refused({ code: "bad-genesis", what: "proposer-signature" });
	}
	return ok({ refound, old: old.value, proposal });
}

/** What the proposer signs when enough households have confirmed; `confirms` by member ascending. */
export function unsignedSeal(
	{ refound, proposal }: OpenProposal,
	confirms: readonly ConfirmTransaction[],
): Unsigned<SealTransaction> {
	return { kind: "seal", member: refound.member, proposal, confirmations: confirmationsHash(confirms) };
}

/** Writes the genesis block of the new chain. */
export function createRefoundedGenesis(
	open: OpenProposal,
	confirms: readonly ConfirmTransaction[],
	seal: SealTransaction,
): Block {
	const { refound } = open;
	return firstBlock([refound, ...confirms, seal], refound.timestampMs, ledgerOf(open, confirms));
}

/** Checks the genesis of a neighbourhood that was founded again, alone, and makes its first ledger of it. */
export function openRefounding(
	block: Block,
	verifier: Verifier,
	checkCertificate: CertificateCheck,
): Result<Ledger, RefoundingError> {
	if (!isGenesisHeader(block)) return refused({ code: "bad-genesis", what: "header" });
	const [refound, ...rest] = block.transactions;
	const seal = rest.at(-1);
	const confirms = rest.slice(0, -1).filter((transaction) => transaction.kind === "confirm");
	if (refound?.kind !== "refound" || seal?.kind !== "seal" || confirms.length !== rest.length - 1) {
		return refused({ code: "bad-genesis", what: "transactions" });
	}
	if (refound.timestampMs !== block.timestampMs) return refused({ code: "bad-genesis", what: "header" });
	const open = openProposal(refound, verifier, checkCertificate);
	if (!open.ok) return open;
	const agreed = checkAgreement(open.value, confirms, verifier);
	if (!agreed.ok) return agreed;
	if (!isSealed(open.value, confirms, seal, verifier)) return refused({ code: "bad-genesis", what: "seal" });
	const ledger = ledgerOf(open.value, confirms);
	if (!equalBytes(stateRoot(ledger, NO_RESULTS), block.stateRoot)) {
		return refused({ code: "bad-genesis", what: "state-root" });
	}
	return ok({ ...ledger, gridId: blockHash(block) });
}

/** Whether these confirmations, by member ascending, found the neighbourhood again. */
function checkAgreement(
	{ refound, old, proposal }: OpenProposal,
	confirms: readonly ConfirmTransaction[],
	verifier: Verifier,
): Result<true, RefoundingError> {
	for (const [at, confirm] of confirms.entries()) {
		const before = confirms[at - 1];
		if (before !== undefined && before.member >= confirm.member) {
			return refused({ code: "confirmation-repeated", member: confirm.member });
		}
		const refusal = confirmationRefusal(old.ledger, proposal, confirm, verifier);
		if (refusal !== undefined) return refused(refusal);
	}
	const missing = agreementRefusal(old.ledger, refound, new Set(confirms.map(({ member }) => member)));
	return missing === undefined ? ok(true) : refused(missing);
}

function isSealed(
	open: OpenProposal,
	confirms: readonly ConfirmTransaction[],
	seal: SealTransaction,
	verifier: Verifier,
): boolean {
	const digest = transactionId(unsignedSeal(open, confirms), ZERO_HASH);
	const proposer = open.old.ledger.households[open.refound.member];
	return (
		proposer !== undefined &&
		equalBytes(digest, transactionId(seal, ZERO_HASH)) &&
		verifier.verify(seal.signature, digest, proposer.publicKey)
	);
}

function ledgerOf({ refound, old, proposal }: OpenProposal, confirms: readonly ConfirmTransaction[]): Ledger {
	const confirmed = new Set(confirms.map(({ member }) => member));
	const unconfirmed = membersOf(old.ledger)
		.map(({ index }) => index)
		.filter((index) => !confirmed.has(index));
	return refoundedLedger(old, refound, proposal, unconfirmed);
}
