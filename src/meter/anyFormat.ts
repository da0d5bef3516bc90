/**
 * A meter's stream in whatever known format: all decoders read along until one of them finds a telegram, or what is so
 * nearly one that it is no other's; from then on it is that one's stream, as long as telegrams come.
 */
import { createAsciiDecoder } from "./asciiTelegram.js";
import { createHanDecoder } from "./han.js";
import { createSmlDecoder } from "./sml.js";
import type { DropReason, MeterDecoder, MeterEvent } from "./telegram.js";

/** So many bytes without a telegram, and the stream is looked at anew: it was a guess, or it is another meter. */
const ANEW_BYTES = 8_192;
/** What a decoder dropped before it is known whether the stream is its own. */
const MAX_HELD_EVENTS = 100;

interface Candidate {
	decoder: MeterDecoder;
	held: MeterEvent[];
}

/** Makes a decoder that has seen nothing yet. */
export function createMeterDecoder(): MeterDecoder {
	let candidates = allCandidates();
	let silentBytes = 0;

	/** Whose stream it is: events of that one, with what it dropped before; undefined while nobody knows. */
	const decide = (): MeterEvent[] | undefined => {
		const found = candidates.find(({ held }) => held.some(decides));
		if (found === undefined) return undefined;
		candidates = [found];
		return found.held.splice(0);
	};

	const pushByte = (byte: Uint8Array): MeterEvent[] => {
		for (const { decoder, held } of candidates) {
			held.push(...decoder.push(byte));
			if (held.length > MAX_HELD_EVENTS) held.shift();
		}
		return decide() ?? [];
	};

	return {
		push(bytes) {
			const events: MeterEvent[] = [];
			let at = 0;
			// Byte by byte while it is open, so that the chunks' borders do not change who is first.
			for (; at < bytes.length && candidates.length > 1; at++) events.push(...pushByte(bytes.subarray(at, at + 1)));
			const [own] = candidates;
			if (candidates.length === 1 && own !== undefined) events.push(...own.decoder.push(bytes.subarray(at)));
			const isHeard = events.some(({ kind }) => kind === "telegram");
			silentBytes = isHeard ? 0 : silentBytes + bytes.length;
			if (silentBytes > ANEW_BYTES && candidates.length === 1) {
				candidates = allCandidates();
				silentBytes = 0;
			}
			return events;
		},
		end() {
			for (const { decoder, held } of candidates) held.push(...decoder.end());
			const ended = candidates.map(({ held }) => held);
			candidates = allCandidates();
			silentBytes = 0;
			return ended.sort((a, b) => mark(b) - mark(a))[0] ?? [];
		},
	};
}

function allCandidates(): Candidate[] {
	return [createHanDecoder(), createSmlDecoder(), createAsciiDecoder()].map((decoder) => ({ decoder, held: [] }));
}

/** Whether an event says whose stream it is. Noise is everybody's, and a flag or a slash may be anybody's byte. */
function decides(event: MeterEvent): boolean {
	return event.kind === "telegram" || MARKS[event.reason] >= MARKS["bad-frame-checksum"];
}

/** How much a decoder's events say that the stream is its own. */
function mark(events: readonly MeterEvent[]): number {
	return Math.max(0, ...events.map((event) => (event.kind === "dropped" ? MARKS[event.reason] : CERTAIN)));
}

const CERTAIN = 10;
const MARKS: Readonly<Record<DropReason, number>> = {
	noise: 0,
	"bad-header-checksum": 1,
	"cut-off": 2,
	"bad-frame-checksum": 3,
	"bad-telegram": 4,
	"unknown-list": 5,
	encrypted: 6,
};
