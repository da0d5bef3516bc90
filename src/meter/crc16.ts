/**
 * CRC-16/X-25, the frame check of HDLC (ISO/IEC 13239, RFC 1662 appendix C): polynomial 1021 reflected, initial value
 * and final complement FFFF. It detects every error of up to three bits and every burst of up to 16 in a frame of ours.
 */
export function crc16X25(bytes: Uint8Array, from = 0, until = bytes.length): number {
	let crc = 0xffff;
	for (let i = from; i < until; i++) crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
	return crc ^ 0xffff;
}

const REFLECTED_POLYNOMIAL = 0x8408;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
	let crc = byte;
	for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ REFLECTED_POLYNOMIAL : crc >>> 1;
	return crc;
});
