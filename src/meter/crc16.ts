/**
 * The 16-bit cyclic checks that meters use, all of them reflected. Each detects every error of up to three bits and every
 * burst of up to 16 in a telegram of theirs.
 */

/** CRC-16/X-25, of HDLC (ISO/IEC 13239, RFC 1662 appendix C) and SML: polynomial 1021, initial value and complement FFFF. */
export function crc16X25(bytes: Uint8Array, from = 0, until = bytes.length): number {
	return crc16(TABLE_1021, 0xffff, bytes, from, until) ^ 0xffff;
}

/** CRC-16/KERMIT, which some meters use for SML instead: polynomial 1021, initial value 0, no complement. */
export function crc16Kermit(bytes: Uint8Array, from = 0, until = bytes.length): number {
	return crc16(TABLE_1021, 0, bytes, from, until);
}

/** CRC-16/ARC, of P1 (DSMR 4 §5.2.1): polynomial 8005, initial value 0, no complement. */
export function crc16Arc(bytes: Uint8Array, from = 0, until = bytes.length): number {
	return crc16(TABLE_8005, 0, bytes, from, until);
}

function crc16(table: Uint16Array, initial: number, bytes: Uint8Array, from: number, until: number): number {
	let crc = initial;
	for (let i = from; i < until; i++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
	return crc;
}

const TABLE_1021 = tableOf(0x8408);
const TABLE_8005 = tableOf(0xa001);

function tableOf(reflectedPolynomial: number): Uint16Array {
	return Uint16Array.from({ length: 256 }, (_, byte) => {
		let crc = byte;
		for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ reflectedPolynomial : crc >>> 1;
		return crc;
	});
}
