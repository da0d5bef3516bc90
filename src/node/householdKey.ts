/** The household's key while this browser runs: locked, until the household's password has opened it. */
import { assert } from "../primitives/assert.js";
import type { Signer } from "./dependencies.js";
import { type HouseholdRecord, householdSecretOf } from "./vault.js";

export class HouseholdKey {
	readonly publicKey: Uint8Array;
	readonly #signer: Signer;
	#secret: Uint8Array | undefined;

	constructor(record: HouseholdRecord, signer: Signer) {
		this.#signer = signer;
		this.#secret = record.seed === undefined ? undefined : householdSecretOf(record.seed);
		this.publicKey = record.vault === undefined ? publicKeyOf(record.seed, signer) : record.publicKey;
	}

	/** Nothing can be signed for the household now. */
	get isLocked(): boolean {
		return this.#secret === undefined;
	}

	unlock(seed: Uint8Array): void {
		this.#secret = householdSecretOf(seed);
	}

	lock(): void {
		this.#secret = undefined;
	}

	/** Signs a 32-byte digest for the household (65 bytes). It must not be locked. */
	sign(digest: Uint8Array): Uint8Array {
		assert(this.#secret !== undefined, "whoever signs for the household has looked whether its key is open");
		return this.#signer.sign(digest, this.#secret);
	}
}

/** The public key of the household whose seed this is. */
export function publicKeyOf(seed: Uint8Array, signer: Signer): Uint8Array {
	return signer.publicKeyOf(householdSecretOf(seed));
}
