/** WebSocket frames as a client may, or may not, send them (RFC 6455 §5.2), byte by byte. */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
	isFinal?: boolean;
	isMasked?: boolean;
	/** The three reserved bits. */
	reserved?: number;
	/** What the header says the length is, if not the truth. */
	saidBytes?: bigint;
}

const MASK = Uint8Array.of(0x12, 0x34, 0x56, 0x78);

export function clientFrame(opcode: number, payload: Uint8Array, options: FrameOptions = {}): Buffer {
	const { isFinal = true, isMasked = true, reserved = 0, saidBytes } = options;
	const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
	const maskBit = isMasked ? 0x80 : 0;
	const mask = isMasked ? MASK : new Uint8Array(0);
	const masked = isMasked ? payload.map((byte, at) => byte ^ (MASK[at % 4] ?? 0)) : payload;
	return Buffer.concat([Uint8Array.of(first), lengthField(saidBytes ?? BigInt(payload.length), maskBit), mask, masked]);
}

function lengthField(bytes: bigint, maskBit: number): Uint8Array {
	if (bytes < 126n) return Uint8Array.of(maskBit | Number(bytes));
	const field = Buffer.alloc(bytes < 65_536n ? 3 : 9);
	field[0] = maskBit | (bytes < 65_536n ? 126 : 127);
	if (bytes < 65_536n) field.writeUInt16BE(Number(bytes), 1);
	else field.writeBigUInt64BE(bytes, 1);
	return field;
}

/** A good request to change to WebSocket. */
export function rawUpgrade(): string {
	return [
		"GET / HTTP/1.1",
		"Host: 127.0.0.1",
		"Connection: Upgrade",
		"Upgrade: websocket",
		"Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"\r\n",
	].join("\r\n");
}
