/**
 * Frames: what one data-channel message carries. A message of up to 16 kB is one frame; a longer one travels in parts,
 * between which heartbeats find their place.
 */
import * as v from "valibot";
import { natural } from "../block/fieldShapes.js";
import { joinBytes } from "../primitives/bytes.js";
import { type CodecError, decode, encode } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { MAX_MESSAGE_BYTES } from "./wire.js";

export const MAX_FRAME_BYTES = 64 * 1024;
const PART_BYTES = 16 * 1024;
const MAX_PARTS = Math.ceil(MAX_MESSAGE_BYTES / PART_BYTES);

export type FrameError = CodecError | { code: "bad-part" };

/** Cuts a message into frames. `number` tells this message's parts from another's on the same channel. */
export function toFrames(message: Uint8Array, number: number): Uint8Array[] {
	const count = Math.max(1, Math.ceil(message.length / PART_BYTES));
	return Array.from({ length: count }, (_, at) =>
		encode([number, at, count, message.subarray(at * PART_BYTES, (at + 1) * PART_BYTES)]),
	);
}

/** Puts one channel's frames together again. Only one long message is under way at a time; a channel keeps its order. */
export class FrameAssembler {
	#number = -1;
	#count = 0;
	#parts: Uint8Array[] = [];

	/** Takes a frame; gives a message when it is complete. */
	push(frame: Uint8Array): Result<Uint8Array | undefined, FrameError> {
		const decoded = decode(frame, MAX_FRAME_BYTES);
		if (!decoded.ok) return decoded;
		const shaped = v.safeParse(PART_SHAPE, decoded.value, { abortEarly: true });
		if (!shaped.success) return refused({ code: "bad-part" });
		const [number, at, count, bytes] = shaped.output;
		if (at >= count) return refused({ code: "bad-part" });
		// A short message (a heartbeat) may stand between the parts of a long one.
		if (count === 1) return ok(bytes);
		if (at === 0) {
			this.#number = number;
			this.#count = count;
			this.#parts = [];
		}
		if (number !== this.#number || count !== this.#count || at !== this.#parts.length) {
			return refused({ code: "bad-part" });
		}
		this.#parts.push(bytes);
		if (this.#parts.length < count) return ok(undefined);
		const message = joinBytes(this.#parts);
		this.#number = -1;
		this.#parts = [];
		return ok(message);
	}
}

const PART_SHAPE = v.strictTuple([
	natural,
	natural,
	v.pipe(natural, v.minValue(1), v.maxValue(MAX_PARTS)),
	v.pipe(v.instance(Uint8Array), v.maxLength(PART_BYTES)),
]);
