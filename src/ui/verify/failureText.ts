/** Why a proof file proves nothing, as a sentence: those of `errorText` that can be meant here, and no others are loaded. */
import type { ProofFileError } from "../../node/proofFileCheck.js";
import { m } from "../paraglide/messages.js";

export function failureText({ code }: Pick<ProofFileError, "code">): string {
	switch (code) {
		case "proof-unreadable":
			return m.error_proof_unreadable();
		case "proof-other-version":
			return m.error_proof_other_version();
		case "proof-damaged":
			return m.error_proof_damaged();
		case "proof-broken":
			return m.error_proof_broken();
		case "proof-of-another":
			return m.error_proof_of_another();
		case "proof-bad-signature":
			return m.error_proof_signature();
		case "proof-without-key":
			return m.error_proof_without_key();
		case "proof-says-otherwise":
			return m.error_proof_says_otherwise();
		case "bad-voter-step":
			return m.error_voter_proof();
		case "certificate-without-majority":
		case "certificate-of-stranger":
		case "certificate-bad-signature":
			return m.error_certificate();
	}
}
