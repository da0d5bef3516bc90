/** Bytes as text that goes into addresses and JSON: base64url without padding (RFC 4648 §5). The core has no `btoa`. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BITS = 6;
/** More than any value: what stands for a character that is not of the alphabet. */
const NONE = 64;
/** By character code. */
const VALUES = new Uint8Array(128).fill(NONE);
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value;

export function toBase64Url(data: Uint8Array): string {
	let text = "";
	for (let at = 0; at < data.length; at += 3) {
		const left = Math.min(3, data.length - at);
		const word = ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
		for (let i = 0; i <= left; i++) text += ALPHABET[(word >> (18 - BITS * i)) & 63];
	}
	return text;
}

/** Undefined: a character that is not of the alphabet. Bits that make no whole byte are dropped. */
export function fromBase64Url(text: string): Uint8Array | undefined {
	const data = new Uint8Array(Math.floor((text.length * BITS) / 8));
	let word = 0;
	let bits = 0;
	let length = 0;
	for (let at = 0; at < text.length; at++) {
		const value = VALUES[text.charCodeAt(at)] ?? NONE;
		if (value === NONE) return undefined;
		word = ((word << BITS) | value) & 0xffff;
		bits += BITS;
		if (bits < 8) continue;
		bits -= 8;
		data[length++] = (word >> bits) & 0xff;
	}
	return data;
}
