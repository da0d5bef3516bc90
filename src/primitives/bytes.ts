import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { ok, type Result, refused } from "./result.js";

/** Lower-case hex of bytes, for names in databases, logs and screens. */
export function toHex(bytes: Uint8Array): string {
	return bytesToHex(bytes);
}

/** Bytes of a hex string from outside (a link, a file). */
export function fromHex(text: string): Result<Uint8Array, { code: "bad-hex"; length: number }> {
	if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return refused({ code: "bad-hex", length: text.length });
	return ok(hexToBytes(text));
}

/** The number of big-endian bytes. */
export function toNumber(bytes: Uint8Array): bigint {
	return BigInt(`0x${toHex(bytes)}`);
}

/** Whether two byte strings are the same. Not constant time: used on public data only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return true;
}

/** Order of byte strings, as unsigned numbers from the left. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
	const length = Math.min(a.length, b.length);
	for (let i = 0; i < length; i++) {
		const difference = (a[i] ?? 0) - (b[i] ?? 0);
		if (difference !== 0) return difference;
	}
	return a.length - b.length;
}

/** All parts, one after the other. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
	return concatBytes(...parts);
}
