/** Looks into frames without decoding each of them: there are millions, and few promise anything. */
import type { Message } from "../../src/message/message.js";
import { decodeMessage } from "../../src/message/wire.js";

/** Longest head of a CBOR item: one byte and eight of length. */
const SMALL = 24;
/** CBOR: an array of four. */
const ARRAY_OF_FOUR = 0x84;

/** How many bytes the head of the CBOR item at a position takes. */
function headBytes(frame: Uint8Array, at: number): number {
	const info = (frame[at] ?? 0) & 0x1f;
	return info < SMALL ? 1 : 1 + (1 << (info - SMALL));
}

/** A frame that is a whole message: where the message begins. Undefined: a part of a longer one. */
function messageStart(frame: Uint8Array): number | undefined {
	if (frame[0] !== ARRAY_OF_FOUR) return undefined;
	let at = 1 + headBytes(frame, 1);
	const isWhole = frame[at] === 0 && frame[at + 1] === 1;
	if (!isWhole) return undefined;
	at += 2;
	return at + headBytes(frame, at);
}

/** The type's number on the wire of a message that fits into one frame. */
export function peekType(frame: Uint8Array): number | undefined {
	const start = messageStart(frame);
	return start === undefined ? undefined : frame[start + headBytes(frame, start)];
}

/** The message in a frame that `peekType` could read. */
export function readMessage(frame: Uint8Array): Message | undefined {
	const start = messageStart(frame);
	if (start === undefined) return undefined;
	const message = decodeMessage(frame.subarray(start));
	return message.ok ? message.value : undefined;
}

/** As in message/wire.ts, whose order is append only. */
export const TYPE_NUMBERS = {
	hello: 2,
	status: 3,
	requestVote: 6,
	voteReply: 7,
	appendEntries: 8,
	appendReply: 9,
} as const;
