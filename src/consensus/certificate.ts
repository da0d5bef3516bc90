/**
 * Making and checking certificates. The covering rule: a certificate needs a majority of every voter set in force since
 * the last certified block below it (at most two, since one change at a time may be uncommitted).
 */
import { type Acknowledged, acknowledgementDigest, type Certificate } from "../block/certificate.js";
import type { VoterSet } from "../block/voters.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Verifier } from "../primitives/signature.js";
import { hasEveryMajority, hasMajority } from "./quorum.js";

export type CertificateError =
	| { code: "certificate-without-majority"; index: number; signatures: number; voters: readonly number[] }
	| { code: "certificate-of-stranger"; index: number; voter: number }
	| { code: "certificate-bad-signature"; index: number; voter: number };

/**
 * A certificate of no more signatures than the covering rule asks for, the lowest voters first: equal inputs give equal
 * bytes. Undefined: not yet.
 */
export function makeCertificate(
	acknowledged: Acknowledged,
	acknowledgements: ReadonlyMap<number, Uint8Array>,
	sets: readonly VoterSet[],
): Certificate | undefined {
	if (!hasEveryMajority(sets, (voter) => acknowledgements.has(voter))) return undefined;
	const signers = new Set<number>();
	for (const voters of sets) {
		for (const voter of voters) {
			if (hasMajority(voters, (each) => signers.has(each))) break;
			if (acknowledgements.has(voter)) signers.add(voter);
		}
	}
	const signatures = [...signers]
		.sort((a, b) => a - b)
		.flatMap((voter) => {
			const signature = acknowledgements.get(voter);
			return signature === undefined ? [] : [{ voter, signature }];
		});
	const { index, term, hash } = acknowledged;
	return { index, term, hash, signatures };
}

/**
 * Checks that a majority of each set signed. `keyOf` gives a voter's device key. Others that signed as well do not count:
 * who knows of fewer uncommitted blocks than the leader did knows of fewer sets, too. Gives the certificate without
 * them, whose signatures nobody verified: what is kept and handed on holds good ones only.
 */
export function checkCertificate(
	certificate: Certificate,
	sets: readonly VoterSet[],
	keyOf: (voter: number) => Uint8Array | undefined,
	gridId: Uint8Array,
	verifier: Verifier,
): Result<Certificate, CertificateError> {
	const { index } = certificate;
	const signatures = certificate.signatures.filter(({ voter }) => sets.some((voters) => voters.includes(voter)));
	const signed = (voter: number) => signatures.some((signature) => signature.voter === voter);
	const short = sets.find((voters) => !hasMajority(voters, signed));
	if (short !== undefined) {
		return refused({ code: "certificate-without-majority", index, signatures: signatures.length, voters: short });
	}
	const counted = { ...certificate, signatures };
	const checked = checkSignatures(counted, keyOf, gridId, verifier);
	return checked.ok ? ok(counted) : checked;
}

/** Checks the signatures alone, for who cannot know yet which voters were in force. A voter without key is a stranger. */
export function checkSignatures(
	certificate: Certificate,
	keyOf: (voter: number) => Uint8Array | undefined,
	gridId: Uint8Array,
	verifier: Verifier,
): Result<true, CertificateError> {
	const { index } = certificate;
	for (const { voter, signature } of certificate.signatures) {
		const key = keyOf(voter);
		if (key === undefined) return refused({ code: "certificate-of-stranger", index, voter });
		if (!verifier.verify(signature, acknowledgementDigest(gridId, certificate, voter), key)) {
			return refused({ code: "certificate-bad-signature", index, voter });
		}
	}
	return ok(true);
}
