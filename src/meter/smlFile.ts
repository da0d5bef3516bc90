/**
 * SML's transport (BSI TR-03109-1, annex SML §8, version 1): a file between its escapes.
 *
 *     1B1B1B1B 01010101 | messages, filled up to a multiple of four | 1B1B1B1B 1A fill CRC CRC
 *
 * 1B1B1B1B inside is sent twice. The check covers everything before itself. The standard's is CRC-16/X-25, low byte first;
 * meters that use CRC-16/KERMIT, or send the high byte first, are known.
 */
import { crc16Kermit, crc16X25 } from "./crc16.js";
import type { DroppedEvent, DropReason } from "./telegram.js";

export interface SmlFile {
	kind: "file";
	/** The messages, unescaped, with what fills them up. */
	content: Uint8Array;
	/** As sent. */
	bytes: number;
	/** Which of the known checks it can be: that of its messages, too. */
	checks: readonly SmlCheck[];
}

/** Finds the files in a stream. */
export interface SmlFramer {
	/** Takes the next bytes, returns the files whose check is right and what was dropped. Never throws. */
	push(bytes: Uint8Array): (SmlFile | DroppedEvent)[];
	/** No more bytes come: a file that was begun is cut off. */
	end(): DroppedEvent[];
}

export interface SmlCheck {
	readonly name: string;
	/** Of bytes from an index up to another, as the two bytes that are sent. */
	of(bytes: Uint8Array, from: number, until: number): readonly [number, number];
}

const lowFirst = (crc: number): readonly [number, number] => [crc & 0xff, crc >> 8];
const highFirst = (crc: number): readonly [number, number] => [crc >> 8, crc & 0xff];

/** The standard's first. */
export const SML_CHECKS: readonly SmlCheck[] = [
	{ name: "X-25", of: (...range) => lowFirst(crc16X25(...range)) },
	{ name: "X-25, high byte first", of: (...range) => highFirst(crc16X25(...range)) },
	{ name: "KERMIT", of: (...range) => lowFirst(crc16Kermit(...range)) },
	{ name: "KERMIT, high byte first", of: (...range) => highFirst(crc16Kermit(...range)) },
];

const ESCAPE = 0x1b;
const ESCAPE_BYTES = 4;
const START_BYTE = 0x01;
const END_BYTE = 0x1a;
/** The escape, 1A, the number of filling bytes, the check. */
const TRAILER_BYTES = 8;
const HEADER_BYTES = 8;
/** Real ones have 200 to 700 bytes. */
const MAX_FILE_BYTES = 8_192;
const NOISE_REPORT_BYTES = 256;

/** Makes a framer that has seen nothing yet. */
export function createSmlFramer(): SmlFramer {
	const buffer = new Uint8Array(MAX_FILE_BYTES);
	/** In a file: since its header. */
	let length = 0;
	let isInFile = false;
	let noiseBytes = 0;
	/** Escape bytes in a row, up to four; and what has come after four. */
	let escapes = 0;
	let afterEscape = 0;

	const dropped = (reason: DropReason, bytes: number): DroppedEvent => ({ kind: "dropped", reason, bytes });
	const reportNoise = (events: (SmlFile | DroppedEvent)[]) => {
		if (noiseBytes > 0) events.push(dropped("noise", noiseBytes));
		noiseBytes = 0;
	};
	const leave = () => {
		isInFile = false;
		length = 0;
		escapes = 0;
		afterEscape = 0;
	};

	/** Outside of a file: waits for its header. */
	const hunt = (byte: number, events: (SmlFile | DroppedEvent)[]) => {
		const isExpected = length < ESCAPE_BYTES ? byte === ESCAPE : byte === START_BYTE;
		if (isExpected) {
			buffer[length++] = byte;
			if (length < HEADER_BYTES) return;
			isInFile = true;
			reportNoise(events);
			return;
		}
		if (byte === ESCAPE && length === ESCAPE_BYTES) {
			noiseBytes += 1;
			return;
		}
		noiseBytes += length;
		length = 0;
		if (byte === ESCAPE) buffer[length++] = byte;
		else noiseBytes += 1;
		if (noiseBytes >= NOISE_REPORT_BYTES) reportNoise(events);
	};

	const collect = (byte: number, events: (SmlFile | DroppedEvent)[]) => {
		if (length === MAX_FILE_BYTES) {
			events.push(dropped("cut-off", length));
			leave();
			hunt(byte, events);
			return;
		}
		buffer[length++] = byte;
		if (escapes < ESCAPE_BYTES) {
			escapes = byte === ESCAPE ? escapes + 1 : 0;
			return;
		}
		afterEscape += 1;
		if (afterEscape < ESCAPE_BYTES) return;
		const command = buffer.subarray(length - ESCAPE_BYTES, length);
		escapes = 0;
		afterEscape = 0;
		// Sent twice: the content has it once.
		if (command.every((each) => each === ESCAPE)) return;
		if (command.every((each) => each === START_BYTE)) {
			// Another file begins in the middle of this one.
			events.push(dropped("cut-off", length - HEADER_BYTES));
			buffer.copyWithin(0, length - HEADER_BYTES, length);
			length = HEADER_BYTES;
			return;
		}
		const event = command[0] === END_BYTE ? readFile(buffer.subarray(0, length)) : dropped("bad-telegram", length);
		events.push(event);
		// Where a byte of the end was lost the next file's escape has been taken for the check.
		const ahead = buffer.slice(length - 3, length);
		leave();
		if (event.kind === "dropped") for (const each of ahead) if (each === ESCAPE) hunt(each, events);
	};

	return {
		push(bytes) {
			const events: (SmlFile | DroppedEvent)[] = [];
			for (const byte of bytes) (isInFile ? collect : hunt)(byte, events);
			return events;
		},
		end() {
			const events: DroppedEvent[] = [];
			if (!isInFile) noiseBytes += length;
			if (noiseBytes > 0) events.push(dropped("noise", noiseBytes));
			if (isInFile) events.push(dropped("cut-off", length));
			noiseBytes = 0;
			leave();
			return events;
		},
	};
}

function readFile(raw: Uint8Array): SmlFile | DroppedEvent {
	const bytes = raw.length;
	const checks = SML_CHECKS.filter((each) => {
		const [first, second] = each.of(raw, 0, bytes - 2);
		return raw[bytes - 2] === first && raw[bytes - 1] === second;
	});
	if (checks.length === 0) return { kind: "dropped", reason: "bad-frame-checksum", bytes };
	return { kind: "file", content: unescaped(raw.subarray(HEADER_BYTES, bytes - TRAILER_BYTES)), bytes, checks };
}

/** Four escape bytes in a row were sent twice. */
function unescaped(raw: Uint8Array): Uint8Array {
	const content = new Uint8Array(raw.length);
	let length = 0;
	let row = 0;
	for (let at = 0; at < raw.length; at++) {
		const byte = raw[at] ?? 0;
		content[length++] = byte;
		row = byte === ESCAPE ? row + 1 : 0;
		if (row < ESCAPE_BYTES) continue;
		at += ESCAPE_BYTES;
		row = 0;
	}
	return content.slice(0, length);
}
