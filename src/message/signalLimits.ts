/** How long signals are. Apart from their codec: the page asks for it, and needs no codec. */

/** What one signal may take, signed: with a length before it, it fills the seal. */
export const MAX_SIGNAL_BYTES = 4_094;
export const SIGNAL_LENGTH_BYTES = 2;
/** All are filled up to this: an announcement looks like an offer. */
export const PADDED_SIGNAL_BYTES = SIGNAL_LENGTH_BYTES + MAX_SIGNAL_BYTES;
/** Beside what is sealed: a nonce of 12 bytes and a tag of 16 (primitives/sealing.ts). */
const SEAL_BYTES = 12 + 16;
/** So all sealed signals are texts of this length: base64url has four characters for three bytes. */
export const SEALED_SIGNAL_LENGTH = Math.ceil(((PADDED_SIGNAL_BYTES + SEAL_BYTES) * 4) / 3);
/** A device has some 3 to 10. So many of the usual length fit into one signal. */
export const MAX_CANDIDATES = 12;
