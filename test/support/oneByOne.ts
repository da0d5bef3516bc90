import type { BatchVerifier, Verifier } from "../../src/primitives/signature.js";

/** A verifier that has nothing to gain from many at once. */
export function oneByOne(verify: Verifier["verify"]): BatchVerifier {
	return {
		verify,
		findBad: (checks) =>
			checks.flatMap(({ signature, digest, publicKey }, at) => (verify(signature, digest, publicKey) ? [] : [at])),
	};
}
