/**
 * A meter's stream in whatever known format: all decoders read along until one of them finds a telegram, or what is so
 * nearly one that it is no other's; from then on it is that one's stream, as long as telegrams come.
 */
import { createAsciiDecoder } from "./asciiTelegram.js";
import { createHanDecoder } from "./han.js";
import { createSmlDecoder } from "./sml.js";
import type { DropReason, MeterDecoder, MeterEvent } from "./telegram.js";

/** The stream is looked at in blocks of so many bytes, wherever its chunks end; so many of them without a telegram … */
const BLOCK_BYTES = 1_024;
/** … and it is looked at anew: it was a guess, or it is another meter. */
const SILENT_BLOCKS = 8;
/** What a decoder dropped before it is known whether the stream is its own. */
const MAX_HELD_EVENTS = 100;

interface Candidate {
	decoder: MeterDecoder;
	held: MeterEvent[];
}

/** Makes a decoder that has seen nothing yet. */
export function createMeterDecoder(): MeterDecoder {
	let candidates = allCandidates();
	let blockBytes = 0;
	let silentBlocks = 0;

	/** Once it is known whose stream it is, that one's events, with what it dropped before. */
	const take = (bytes: Uint8Array): MeterEvent[] => {
		for (const { decoder, held } of candidates) {
			for (const event of decoder.push(bytes)) held.push(event);
			if (candidates.length > 1 && held.length > MAX_HELD_EVENTS) held.shift();
		}
		const own = candidates.length === 1 ? candidates[0] : candidates.find(({ held }) => held.some(decides));
		if (own === undefined) return [];
		candidates = [own];
		const events = own.held.splice(0);
		if (events.some(decides)) silentBlocks = -1;
		return events;
	};

	const endBlock = () => {
		blockBytes = 0;
		silentBlocks += 1;
		if (silentBlocks < SILENT_BLOCKS || candidates.length > 1) return;
		candidates = allCandidates();
		silentBlocks = 0;
	};

	return {
		push(bytes) {
			const events: MeterEvent[] = [];
			for (let at = 0; at < bytes.length; ) {
				// Byte by byte while it is open, so that the chunks' borders do not change who is first.
				const length = candidates.length > 1 ? 1 : Math.min(bytes.length - at, BLOCK_BYTES - blockBytes);
				for (const event of take(bytes.subarray(at, at + length))) events.push(event);
				at += length;
				blockBytes += length;
				if (blockBytes === BLOCK_BYTES) endBlock();
			}
			return events;
		},
		end() {
			for (const { decoder, held } of candidates) held.push(...decoder.end());
			const ended = candidates.map(({ held }) => held);
			candidates = allCandidates();
			blockBytes = 0;
			silentBlocks = 0;
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
