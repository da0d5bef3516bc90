/**
 * Checking a page of proofs with nothing but the neighbourhood's genesis and the proofs of its voter changes: offline,
 * years later, by somebody who never was a member.
 */
import type { Anchor } from "../block/anchor.js";
import { type CertificateError, checkCertificate } from "../consensus/certificate.js";
import type { Ledger } from "../contract/ledger.js";
import { ok, type Result } from "../primitives/result.js";
import type { Verifier } from "../primitives/signature.js";
import { votersAt } from "./checkpointWalk.js";
import { openProofPage, type ProofPage, type ProofPageError } from "./proofPage.js";
import { type KnownVoters, type WalkError, walkUpTo } from "./voterWalk.js";

export type ProofError = ProofPageError | WalkError;

/**
 * What a page proves, if it proves it: its hashes hang together, and a majority of those who voted then stands behind
 * the last of its blocks. `genesis`: the ledger after genesis, whose `gridId` says of which neighbourhood; `steps`: its
 * voter changes, ascending.
 */
export function verifyProof(
	record: Uint8Array,
	genesis: Ledger,
	steps: readonly Anchor[],
	verifier: Verifier,
): Result<ProofPage, ProofError> {
	const page = openProofPage(record);
	if (!page.ok) return page;
	const { certificate } = page.value;
	const known = walkUpTo(votersAt(genesis), steps, certificate.index, genesis.gridId, verifier);
	if (!known.ok) return known;
	const covered = checkVoters(page.value, known.value, genesis.gridId, verifier);
	return covered.ok ? page : covered;
}

/** The certificate of a change itself is signed by the voters before it as well. */
function checkVoters(
	{ certificate }: ProofPage,
	known: KnownVoters,
	gridId: Uint8Array,
	verifier: Verifier,
): Result<true, CertificateError> {
	const sets = known.index === certificate.index ? [known.before, known.voters] : [known.voters];
	const checked = checkCertificate(certificate, sets, (voter) => known.keys.get(voter), gridId, verifier);
	return checked.ok ? ok(true) : checked;
}
