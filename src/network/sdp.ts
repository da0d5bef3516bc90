/**
 * The one thing that the node needs to know of a session description: which DTLS certificate it announces
 * (RFC 8122 §5). Both sides sign the two fingerprints, so nobody can sit in between.
 */
import { ok, type Result, refused } from "../primitives/result.js";

export const FINGERPRINT_BYTES = 32;

export type SdpError = {
	/**
	 * none: no fingerprint at all; bad: one that is not SHA-256 in the standard's form; several: two that differ, of
	 * which the browser may accept either, so that a signature over one would prove nothing.
	 */
	code: "sdp-no-fingerprint" | "sdp-bad-fingerprint" | "sdp-several-fingerprints";
};

/** The SHA-256 fingerprint that a session description announces: 32 bytes. */
export function fingerprintOf(sdp: string): Result<Uint8Array, SdpError> {
	const stated = new Set<string>();
	for (const line of sdp.split(/[\r\n]+/)) {
		if (!/^\s*a\s*=\s*fingerprint/i.test(line)) continue;
		const hex = FINGERPRINT_LINE.exec(line)?.[1];
		if (hex === undefined) return refused({ code: "sdp-bad-fingerprint" });
		stated.add(hex.toUpperCase());
	}
	const [only, ...others] = stated;
	if (only === undefined) return refused({ code: "sdp-no-fingerprint" });
	if (others.length > 0) return refused({ code: "sdp-several-fingerprints" });
	return ok(Uint8Array.from(only.split(":"), (byte) => Number.parseInt(byte, 16)));
}

/** Browsers write upper case, the standard's grammar asks for it, and some gateways do not care. */
const FINGERPRINT_LINE = /^a=fingerprint:sha-256 ([0-9A-F]{2}(?::[0-9A-F]{2}){31})\s*$/i;
