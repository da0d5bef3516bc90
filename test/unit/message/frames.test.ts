import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameAssembler, MAX_FRAME_BYTES, toFrames } from "../../../src/message/frames.js";
import { MAX_MESSAGE_BYTES } from "../../../src/message/wire.js";
import { equalBytes } from "../../../src/primitives/bytes.js";
import { type CborValue, encode } from "../../../src/primitives/codec.js";

const PART_BYTES = 16_384;
const HEARTBEAT = Uint8Array.of(1, 2, 3);

/** Bytes that differ everywhere, so that no part can stand for another. */
function messageOf(length: number): Uint8Array {
	return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8) * 7) & 255);
}

/** All messages that come out of frames, in order; throws at a refusal. */
function assemble(frames: readonly Uint8Array[]): Uint8Array[] {
	const assembler = new FrameAssembler();
	return frames.flatMap((frame) => {
		const result = assembler.push(frame);
		if (!result.ok) throw new Error(result.error.code);
		return result.value === undefined ? [] : [result.value];
	});
}

function codeOf(assembler: FrameAssembler, frame: CborValue): string {
	const result = assembler.push(encode(frame));
	if (!result.ok) return result.error.code;
	return result.value === undefined ? "waits" : "complete";
}

describe("frames", () => {
	it.each([0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, 200_000, MAX_MESSAGE_BYTES])(
		"carry a message of %i bytes",
		(length) => {
			const message = messageOf(length);
			const frames = toFrames(message, 5);
			expect(frames).toHaveLength(Math.max(1, Math.ceil(length / PART_BYTES)));
			for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
			const [whole, ...rest] = assemble(frames);
			expect(rest).toEqual([]);
			expect(whole !== undefined && equalBytes(whole, message)).toBe(true);
		},
	);

	it("carry messages of any length, one after the other on one channel", () => {
		fc.assert(
			fc.property(fc.array(fc.nat(80_000), { minLength: 1, maxLength: 4 }), (lengths) => {
				const messages = lengths.map(messageOf);
				const arrived = assemble(messages.flatMap((message, number) => toFrames(message, number)));
				expect(arrived.map(({ length }) => length)).toEqual(lengths);
				expect(arrived.every((each, at) => equalBytes(each, messages[at] ?? HEARTBEAT))).toBe(true);
			}),
			{ numRuns: 20 },
		);
	});

	it("let a short message stand between the parts of a long one", () => {
		const long = messageOf(50_000);
		const frames = toFrames(long, 1).flatMap((frame, at) => [frame, ...toFrames(HEARTBEAT, 100 + at)]);
		const arrived = assemble(frames);
		expect(arrived.map(({ length }) => length)).toEqual([3, 3, 3, 50_000, 3]);
		expect(equalBytes(arrived[3] ?? HEARTBEAT, long)).toBe(true);
	});

	it("refuse parts out of order, left out, repeated, or behind the last", () => {
		const [first, second, third] = toFrames(messageOf(40_000), 1);
		if (first === undefined || second === undefined || third === undefined) throw new Error("three parts");
		for (const wrong of [
			[second],
			[first, third],
			[first, second, second],
			[first, second, third, third],
			[first, second, third, second],
		]) {
			expect(() => assemble(wrong)).toThrow("bad-part");
		}
	});

	it("refuse a part of another message, or of another number of parts", () => {
		const part = new Uint8Array(10);
		const begun = () => {
			const assembler = new FrameAssembler();
			expect(codeOf(assembler, [1, 0, 3, part])).toBe("waits");
			return assembler;
		};
		expect(codeOf(begun(), [1, 1, 3, part])).toBe("waits");
		expect(codeOf(begun(), [2, 1, 3, part])).toBe("bad-part");
		expect(codeOf(begun(), [1, 1, 4, part])).toBe("bad-part");
	});

	it("begin anew when the sender begins anew: a first part drops what was under way", () => {
		const [stale] = toFrames(messageOf(40_000), 1);
		if (stale === undefined) throw new Error("a part");
		const fresh = messageOf(20_000);
		const [whole] = assemble([stale, ...toFrames(fresh, 2)]);
		expect(whole !== undefined && equalBytes(whole, fresh)).toBe(true);
	});

	it.each<[string, CborValue]>([
		["a part behind the only one", [1, 1, 1, HEARTBEAT]],
		["no parts at all", [1, 0, 0, HEARTBEAT]],
		["more parts than 512 kB have", [1, 0, 33, HEARTBEAT]],
		["a part longer than 16 kB", [1, 0, 2, new Uint8Array(PART_BYTES + 1)]],
		["a negative number", [-1, 0, 1, HEARTBEAT]],
		["a negative part", [1, -1, 1, HEARTBEAT]],
		["a part that is text", [1, 0, 1, "x"]],
		["a field too few", [1, 0, 1]],
		["a field too many", [1, 0, 1, HEARTBEAT, 0]],
		["something else", 7],
	])("refuse %s", (_, frame) => {
		expect(codeOf(new FrameAssembler(), frame)).toBe("bad-part");
	});

	it("refuse more than 64 kB and what is no CBOR", () => {
		const assembler = new FrameAssembler();
		expect(assembler.push(new Uint8Array(MAX_FRAME_BYTES + 1))).toMatchObject({ error: { code: "too-long" } });
		expect(assembler.push(Uint8Array.of(0xff))).toEqual({ ok: false, error: { code: "bad-cbor" } });
	});

	it("never make the reader throw, however they are changed, nor hold more than 512 kB", () => {
		const frames = [...toFrames(messageOf(40_000), 1), ...toFrames(HEARTBEAT, 2)].map((frame) =>
			Uint8Array.from(frame),
		);
		fc.assert(
			fc.property(fc.nat(3), fc.nat(60), fc.nat(255), (which, at, byte) => {
				const assembler = new FrameAssembler();
				for (const [index, frame] of frames.entries()) {
					const copy = Uint8Array.from(frame);
					if (index === which) copy[at % copy.length] = byte;
					const result = assembler.push(copy);
					if (result.ok && result.value !== undefined) {
						expect(result.value.length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
					}
				}
			}),
			{ numRuns: 300 },
		);
	});
});
