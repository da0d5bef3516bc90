/**
 * HDLC frames of type 3 (IEC 62056-46 §6.4, ISO/IEC 13239) as the Norwegian HAN port sends them:
 *
 *     7E | format 2 | destination 1…4 | source 1…4 | control | HCS 2 | information | FCS 2 | 7E
 *
 * The format is A in four bits, the segmentation bit, and eleven bits of length, which counts everything between the
 * flags. Frames are **not** byte-stuffed: 7E and 7D occur inside them (2 % of real Kaifa frames hold a 7E), so only the
 * length finds the end. Both checksums are CRC-16/X-25, low byte first; HCS covers format to control, FCS everything
 * before itself. Two frames may share one flag.
 */
import { crc16X25 } from "./crc16.js";
import type { DroppedEvent } from "./telegram.js";

export interface HdlcFrame {
	kind: "frame";
	/** The information field (LLC header and APDU). */
	information: Uint8Array;
	/** What the length field says. */
	bytes: number;
	/** More frames follow that belong to the same list. */
	isSegment: boolean;
}

/** Finds the frames in a stream. */
export interface HdlcFramer {
	/** Takes the next bytes, returns the frames whose checksums are right and what was dropped. Never throws. */
	push(bytes: Uint8Array): (HdlcFrame | DroppedEvent)[];
	/** No more bytes come: a frame that was begun is cut off. */
	end(): DroppedEvent[];
}

const FLAG = 0x7e;
const FORMAT_TYPE_3 = 0xa0;
const SEGMENTATION_BIT = 0x08;
const MAX_FRAME_BYTES = 0x7ff;
const MAX_ADDRESS_BYTES = 4;
const CHECKSUM_BYTES = 2;
/** A frame being waited for takes at most a flag and MAX_FRAME_BYTES, so there is always room for more. */
const BUFFER_BYTES = 2 * (1 + MAX_FRAME_BYTES);
/** Noise is reported at the next frame, or when there is this much of it: a wrong baud rate brings no frame at all. */
const NOISE_REPORT_BYTES = 256;

/** Makes a framer that has seen nothing yet. */
export function createHdlcFramer(): HdlcFramer {
	const buffer = new Uint8Array(BUFFER_BYTES);
	let start = 0;
	let end = 0;
	let noiseBytes = 0;
	/** Bytes before this belong to a frame already reported as dropped, and are not counted again as noise. */
	let reportedUntil = 0;

	const reportNoise = (events: (HdlcFrame | DroppedEvent)[]) => {
		if (noiseBytes > 0) events.push({ kind: "dropped", reason: "noise", bytes: noiseBytes });
		noiseBytes = 0;
	};

	const skipByte = (events: (HdlcFrame | DroppedEvent)[]) => {
		if (start >= reportedUntil) noiseBytes += 1;
		start += 1;
		if (noiseBytes >= NOISE_REPORT_BYTES) reportNoise(events);
	};

	const scan = (events: (HdlcFrame | DroppedEvent)[]) => {
		while (start < end) {
			const found = frameAt(buffer, start, end);
			if (found.kind === "incomplete") return;
			if (found.kind === "fill") start += 1;
			if (found.kind === "noise") skipByte(events);
			if (found.kind === "dropped") {
				// A lost byte makes the length reach into the next frame, so the search goes on right after the flag.
				reportNoise(events);
				events.push(found);
				reportedUntil = start + found.bytes;
				start += 1;
			}
			if (found.kind === "frame") {
				reportNoise(events);
				events.push(found);
				// The closing flag stays: it may open the next frame.
				start += 1 + found.bytes;
				reportedUntil = start;
			}
		}
	};

	return {
		end() {
			const events: DroppedEvent[] = [];
			if (noiseBytes > 0) events.push({ kind: "dropped", reason: "noise", bytes: noiseBytes });
			// A lone flag closes the last frame.
			if (end - start > 1) events.push({ kind: "dropped", reason: "cut-off", bytes: end - start });
			noiseBytes = 0;
			start = 0;
			end = 0;
			reportedUntil = 0;
			return events;
		},
		push(bytes) {
			const events: (HdlcFrame | DroppedEvent)[] = [];
			let taken = 0;
			while (taken < bytes.length) {
				const part = bytes.subarray(taken, taken + BUFFER_BYTES - end);
				buffer.set(part, end);
				end += part.length;
				taken += part.length;
				scan(events);
				buffer.copyWithin(0, start, end);
				end -= start;
				reportedUntil = Math.max(0, reportedUntil - start);
				start = 0;
			}
			return events;
		},
	};
}

type Found = HdlcFrame | DroppedEvent | { kind: "incomplete" } | { kind: "fill" } | { kind: "noise" };

/** What begins at `start`. Decides by content alone, so that the chunks' borders make no difference. */
function frameAt(buffer: Uint8Array, start: number, end: number): Found {
	const first = start + 1;
	if (buffer[start] !== FLAG) return { kind: "noise" };
	if (first >= end) return { kind: "incomplete" };
	const format = buffer[first] ?? 0;
	if (format === FLAG) return { kind: "fill" };
	if ((format & 0xf0) !== FORMAT_TYPE_3) return { kind: "noise" };

	const destination = first + 2;
	const source = addressEnd(buffer, destination, end);
	const control = typeof source === "number" ? addressEnd(buffer, source, end) : source;
	if (control === "incomplete") return { kind: "incomplete" };
	if (control === "too-long") return { kind: "noise" };
	const headerEnd = control + 1;
	const informationStart = headerEnd + CHECKSUM_BYTES;
	if (informationStart > end) return { kind: "incomplete" };
	const length = ((format & 0x07) << 8) | (buffer[first + 1] ?? 0);
	if (crc16X25(buffer, first, headerEnd) !== littleEndian16(buffer, headerEnd)) {
		return { kind: "dropped", reason: "bad-header-checksum", bytes: informationStart - start };
	}
	const frameEnd = first + length;
	const informationEnd = frameEnd - CHECKSUM_BYTES;
	// A header that is sound and leaves no room for information is a supervisory frame; meters that push send none.
	if (informationEnd < informationStart) return { kind: "noise" };
	if (frameEnd > end) return { kind: "incomplete" };
	if (crc16X25(buffer, first, informationEnd) !== littleEndian16(buffer, informationEnd)) {
		return { kind: "dropped", reason: "bad-frame-checksum", bytes: 1 + length };
	}
	const isSegment = (format & SEGMENTATION_BIT) !== 0;
	return { kind: "frame", information: buffer.slice(informationStart, informationEnd), bytes: length, isSegment };
}

/** Where the address that begins at `from` ends: its last byte has the lowest bit set (IEC 62056-46 §6.4.2.2). */
function addressEnd(buffer: Uint8Array, from: number, end: number): number | "incomplete" | "too-long" {
	for (let at = from; at < from + MAX_ADDRESS_BYTES; at++) {
		if (at >= end) return "incomplete";
		if ((buffer[at] ?? 0) & 1) return at + 1;
	}
	return "too-long";
}

function littleEndian16(buffer: Uint8Array, at: number): number {
	return (buffer[at] ?? 0) | ((buffer[at + 1] ?? 0) << 8);
}
