/**
 * Real signatures, each made and checked once in a process: tests found the same neighbourhoods again and again. What is
 * asked for the first time is really reckoned, so nothing false is ever taken for true.
 */
import { toHex } from "../../src/primitives/bytes.js";
import {
	createVerifier,
	publicKeyOf as realPublicKeyOf,
	sign as realSign,
	type Verifier,
} from "../../src/primitives/signature.js";

/** More than the tests of one file ask for. */
const MAX_REMEMBERED = 20_000;

/** A pure function of bytes whose answers are kept. */
function remembering<Parts extends Uint8Array[], Answer>(
	reckon: (...parts: Parts) => Answer,
): (...parts: Parts) => Answer {
	const answers = new Map<string, Answer>();
	return (...parts) => {
		const name = parts.map(toHex).join();
		let answer = answers.get(name);
		if (answer === undefined) {
			answer = reckon(...parts);
			if (answers.size === MAX_REMEMBERED) answers.clear();
			answers.set(name, answer);
		}
		return answer;
	};
}

const rememberedKey = remembering(realPublicKeyOf);
const rememberedSignature = remembering(realSign);

// Copies, for tests that damage what they were given.
export const publicKeyOf = (secretKey: Uint8Array): Uint8Array => rememberedKey(secretKey).slice();
export const sign = (digest: Uint8Array, secretKey: Uint8Array): Uint8Array =>
	rememberedSignature(digest, secretKey).slice();
export const rememberingVerifier: Verifier = {
	verify: remembering(createVerifier().verify),
};
