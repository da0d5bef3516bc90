/** Making and checking certificates against a voter set. */
import { type Acknowledged, acknowledgementDigest, type Certificate } from "../block/certificate.js";
import { assert } from "../primitives/assert.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Verifier } from "../primitives/signature.js";
import { majorityOf } from "./quorum.js";

export type CertificateError =
	| { code: "certificate-without-majority"; index: number; signatures: number; needed: number }
	| { code: "certificate-of-stranger"; index: number; voter: number }
	| { code: "certificate-bad-signature"; index: number; voter: number };

/** A certificate of exactly a majority, the lowest voters first: equal inputs give equal bytes. */
export function makeCertificate(
	acknowledged: Acknowledged,
	acknowledgements: ReadonlyMap<number, Uint8Array>,
	voters: readonly number[],
): Certificate | undefined {
	const signatures = voters
		.flatMap((voter) => {
			const signature = acknowledgements.get(voter);
			return signature === undefined ? [] : [{ voter, signature }];
		})
		.slice(0, majorityOf(voters));
	if (signatures.length < majorityOf(voters)) return undefined;
	const { index, term, hash } = acknowledged;
	return { index, term, hash, signatures };
}

/** Checks that a majority of the voters signed. `keyOf` gives a voter's device key. */
export function checkCertificate(
	certificate: Certificate,
	voters: readonly number[],
	keyOf: (voter: number) => Uint8Array | undefined,
	gridId: Uint8Array,
	verifier: Verifier,
): Result<true, CertificateError> {
	const { index, signatures } = certificate;
	const needed = majorityOf(voters);
	// The shape makes voters distinct and ascending.
	if (signatures.length < needed) {
		return refused({ code: "certificate-without-majority", index, signatures: signatures.length, needed });
	}
	for (const { voter, signature } of signatures) {
		if (!voters.includes(voter)) return refused({ code: "certificate-of-stranger", index, voter });
		const key = keyOf(voter);
		assert(key !== undefined, "every voter is a device of the ledger");
		if (!verifier.verify(signature, acknowledgementDigest(gridId, certificate, voter), key)) {
			return refused({ code: "certificate-bad-signature", index, voter });
		}
	}
	return ok(true);
}
