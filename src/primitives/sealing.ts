/**
 * Sealing with AES-256-GCM (NIST SP 800-38D): who has not got the key can neither read what is sealed nor change it.
 * This is the only file that imports a cipher.
 */
import { gcm } from "@noble/ciphers/aes.js";
import { assert } from "./assert.js";

export const SEAL_KEY_BYTES = 32;
/** Fresh random bytes for each sealing. */
export const SEAL_NONCE_BYTES = 12;
export const SEAL_TAG_BYTES = 16;

/**
 * The ciphertext and its tag. `associated` is sealed with it and not sent: both sides know it. Under one key a nonce is
 * used once.
 */
export function seal(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): Uint8Array {
	assert(key.length === SEAL_KEY_BYTES && nonce.length === SEAL_NONCE_BYTES, "a key and a nonce of the right length");
	return gcm(key, nonce, associated).encrypt(plaintext);
}

/** What was sealed; undefined: by another key, with another nonce or associated data, or it was changed. */
export function unseal(
	key: Uint8Array,
	nonce: Uint8Array,
	associated: Uint8Array,
	sealed: Uint8Array,
): Uint8Array | undefined {
	assert(key.length === SEAL_KEY_BYTES && nonce.length === SEAL_NONCE_BYTES, "a key and a nonce of the right length");
	if (sealed.length < SEAL_TAG_BYTES) return undefined;
	try {
		return gcm(key, nonce, associated).decrypt(sealed);
	} catch {
		return undefined;
	}
}
