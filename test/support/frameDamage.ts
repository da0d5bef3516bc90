/** Damage to frames of the peer wire, of every kind that we could think of. What comes out may by chance be good again. */
import { toFrames } from "../../src/message/frames.js";
import { joinBytes } from "../../src/primitives/bytes.js";
import { type CborValue, decode, encode } from "../../src/primitives/codec.js";
import { pick, type Random } from "./xorshift.js";

/** A message as it was said, in one frame or several. */
export type Said = readonly Uint8Array[];

const MAX_BYTES = 1_024 * 1_024;

/** The frames of a message, one of them or the message itself damaged. `others`: what else was said, to splice with. */
export function damaged(said: Said, others: readonly Said[], random: Random): Uint8Array[] {
	const frames = [...said];
	const at = random(frames.length);
	const frame = frames[at] ?? new Uint8Array();
	switch (random(8)) {
		case 0:
			frames[at] = bitsFlipped(frame, random);
			return frames;
		case 1:
			frames[at] = bytesReplaced(frame, random);
			return frames;
		case 2:
			frames[at] = frame.subarray(0, random(frame.length));
			return frames;
		case 3:
			frames[at] = grown(frame, random);
			return frames;
		case 4:
			frames[at] = spliced(frame, pick(pick(others, random), random), random);
			return frames;
		case 5:
			// A part is lost, or comes twice, or out of its order.
			if (frames.length > 1) return pick([without, doubled, swapped], random)(frames, at, random);
			frames[at] = reshaped(frame, random);
			return frames;
		case 6:
			frames[at] = reshaped(frame, random);
			return frames;
		default:
			return toFrames(reshaped(messageIn(said), random), 1_000_000 + random(1_000)).slice(0, 40);
	}
}

/** The bytes of the message in its frames. */
function messageIn(said: Said): Uint8Array {
	return joinBytes(
		said.map((frame) => {
			const decoded = decode(frame, MAX_BYTES);
			const part = decoded.ok && Array.isArray(decoded.value) ? decoded.value[3] : undefined;
			return part instanceof Uint8Array ? part : new Uint8Array();
		}),
	);
}

/** One to four bits. */
function bitsFlipped(bytes: Uint8Array, random: Random): Uint8Array {
	const bent = bytes.slice();
	for (let bits = 1 + random(4); bits > 0; bits--) {
		const at = random(bent.length);
		bent[at] = (bent[at] ?? 0) ^ (1 << random(8));
	}
	return bent;
}

function bytesReplaced(bytes: Uint8Array, random: Random): Uint8Array {
	const bent = bytes.slice();
	for (let count = 1 + random(16); count > 0; count--) bent[random(bent.length)] = random(256);
	return bent;
}

/** Bytes put in somewhere, now and then more than a frame may have. */
function grown(bytes: Uint8Array, random: Random): Uint8Array {
	const at = random(bytes.length + 1);
	const more = new Uint8Array(random(50) === 0 ? 70_000 : 1 + random(64)).map(() => random(256));
	return joinBytes([bytes.subarray(0, at), more, bytes.subarray(at)]);
}

const spliced = (head: Uint8Array, tail: Uint8Array, random: Random): Uint8Array =>
	joinBytes([head.subarray(0, random(head.length + 1)), tail.subarray(random(tail.length + 1))]);

const without = (frames: readonly Uint8Array[], at: number) => frames.filter((_, index) => index !== at);
const doubled = (frames: readonly Uint8Array[], at: number) =>
	frames.flatMap((frame, index) => (index === at ? [frame, frame] : [frame]));
const swapped = (frames: readonly Uint8Array[], at: number, random: Random) => {
	const other = random(frames.length);
	return frames.map((frame, index) => (index === at ? frames[other] : index === other ? frames[at] : frame) ?? frame);
};

/** One place in its CBOR is something else; what holds no CBOR is cut. */
function reshaped(bytes: Uint8Array, random: Random): Uint8Array {
	const decoded = decode(bytes, MAX_BYTES);
	if (!decoded.ok) return bytes.subarray(0, random(bytes.length));
	return encodeLoosely(bent(decoded.value, random));
}

/** CBOR that our encoder does not write. */
class Raw {
	constructor(readonly bytes: Uint8Array) {}
}
type LooseValue = CborValue | Raw | readonly LooseValue[];

/** Goes down to a random place and puts something else there. */
function bent(value: CborValue, random: Random): LooseValue {
	if (Array.isArray(value) && value.length > 0 && random(5) > 0) {
		const items: readonly CborValue[] = value;
		const at = random(items.length);
		const item = items[at] as CborValue;
		switch (random(8)) {
			case 0:
				return items.filter((_, index) => index !== at);
			case 1:
				return items.flatMap((each, index) => (index === at ? [each, each] : [each]));
			case 2:
				return items.toSorted(() => random(3) - 1);
			default:
				return items.map((each, index) => (index === at ? bent(item, random) : each));
		}
	}
	// Bytes may hold CBOR themselves: transactions, blocks.
	if (value instanceof Uint8Array && random(2) === 0) {
		const inner = value.length > 1 ? decode(value, MAX_BYTES) : undefined;
		if (inner?.ok === true && Array.isArray(inner.value)) return encodeLoosely(bent(inner.value, random));
		return pick(OTHER_LENGTHS, random)(value, random);
	}
	if (typeof value === "number" && random(2) === 0) return pick(EXTREME_NUMBERS, random);
	return pick(STRANGE, random)(random);
}

const OTHER_LENGTHS: readonly ((bytes: Uint8Array, random: Random) => Uint8Array)[] = [
	(bytes) => bytes.subarray(1),
	(bytes) => joinBytes([bytes, Uint8Array.of(0)]),
	(bytes, random) => (bytes.length === 0 ? bytes : bitsFlipped(bytes, random)),
	(bytes) => new Uint8Array(bytes.length),
	(bytes) => new Uint8Array(bytes.length).fill(255),
];

const raw = (...bytes: number[]) => new Raw(Uint8Array.from(bytes));

/** RFC 8949: what an integer may be elsewhere, and what ours may be at most. */
const EXTREME_NUMBERS: readonly LooseValue[] = [
	...[0, 1, -1, 23, 24, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32],
	...[Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1],
	raw(0x1b, ...Array<number>(8).fill(0xff)),
	raw(0x3b, ...Array<number>(8).fill(0xff)),
	raw(0x1b, 0x00, 0x20, 0, 0, 0, 0, 0, 0),
	// Half, single and double floats: a NaN, an infinity, 1.5; an integer in a longer head than it needs.
	...[raw(0xf9, 0x7e, 0x00), raw(0xfa, 0x7f, 0x80, 0, 0), raw(0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0), raw(0x18, 0x01)],
];

const STRANGE: readonly ((random: Random) => LooseValue)[] = [
	(random) => pick(EXTREME_NUMBERS, random),
	() => [],
	() => "",
	() => new Uint8Array(),
	(random) => "x".repeat(random(300)),
	(random) => new Uint8Array(random(300)).fill(random(256)),
	// Nested as deep as is allowed, and deeper.
	(random) => nested(1 + random(12)),
	(random) => Array.from({ length: random(600) }, () => 0),
	// A map, a tag, null, true, undefined, "break"; lengths that promise more than there is, or that nobody knows.
	...[[0xa0], [0xc0, 0x00], [0xf6], [0xf5], [0xf7], [0xff], [0x9f, 0xff], [0x5f, 0xff]].map(
		(bytes) => () => raw(...bytes),
	),
	...[
		[0x9b, 0xff],
		[0x5a, 0xff, 0xff, 0xff, 0xff],
		[0x9a, 0xff, 0xff, 0xff, 0xff],
	].map((bytes) => () => raw(...bytes)),
	// Text that is no UTF-8, and half a surrogate pair.
	...[
		[0x61, 0xff],
		[0x63, 0xed, 0xa0, 0x80],
	].map((bytes) => () => raw(...bytes)),
];

function nested(depth: number): CborValue {
	return depth === 0 ? 0 : [nested(depth - 1)];
}

function encodeLoosely(value: LooseValue): Uint8Array {
	if (value instanceof Raw) return value.bytes;
	if (!Array.isArray(value)) return encode(value as CborValue);
	// An array's head is what is left of an array of as many zeros, each of one byte.
	const items: readonly LooseValue[] = value;
	const zeros = encode(items.map(() => 0));
	return joinBytes([zeros.subarray(0, zeros.length - items.length), ...items.map(encodeLoosely)]);
}
