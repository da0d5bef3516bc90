import { describe, expect, it } from "vitest";
import { decodeSignal, encodeSignal, type Signal, signedBytes } from "../../../src/message/signal.js";
import { MAX_CANDIDATES, MAX_SIGNAL_BYTES } from "../../../src/message/signalLimits.js";
import { fromHex } from "../../../src/primitives/bytes.js";
import { type CborValue, decode, encode } from "../../../src/primitives/codec.js";
import { publicKeyOf } from "../../../src/primitives/signature.js";

const key = (n: number) => Buffer.from(publicKeyOf(new Uint8Array(32).fill(n))).toString("hex");
const from = key(1);
const to = { deviceId: key(2), session: "1".repeat(32) };
const head = { from, session: "0".repeat(32), sequence: 7 };
const candidate = { candidate: "candidate:1 1 udp 1 192.0.2.1 5000 typ host", sdpMLineIndex: 0, sdpMid: "0" };
const CONTEXT = new Uint8Array(32).fill(3);
const AT_MS = Date.UTC(2026, 10, 26, 12);
const signature = new Uint8Array(65).fill(9);

const signals: Signal[] = [
	{ ...head, kind: "announce" },
	{ ...head, to, kind: "announce" },
	{ ...head, to, kind: "offer", attempt: 1, sdp: "v=0\r\n" },
	{ ...head, to, kind: "answer", attempt: 2, sdp: "" },
	{ ...head, to, kind: "candidates", attempt: 1, candidates: [candidate, { ...candidate, sdpMid: null }] },
	{ ...head, to, kind: "candidates", attempt: 1, candidates: [{ ...candidate, sdpMLineIndex: null }] },
	{ ...head, to, kind: "candidates", attempt: 1, candidates: [] },
];

const sealed = (signal: Signal) => encodeSignal(signedBytes(signal, CONTEXT, AT_MS), signature);
const code = (bytes: Uint8Array) => {
	const decoded = decodeSignal(bytes);
	return decoded.ok ? "ok" : decoded.error.code;
};
/** An offer with one of its fields changed. */
function changed(field: number, value: CborValue): Uint8Array {
	const fields = decode(signedBytes(signals[2] as Signal, CONTEXT, AT_MS), MAX_SIGNAL_BYTES);
	if (!fields.ok || !Array.isArray(fields.value)) throw new Error("a signal is a list");
	return encodeSignal(encode(fields.value.with(field, value)), signature);
}
const keyBytes = () => {
	const bytes = fromHex(from);
	return bytes.ok ? bytes.value : new Uint8Array();
};

describe("a signal", () => {
	it.each(signals.map((signal) => [signal.kind, signal] as const))("comes out as it went in: %s", (_kind, signal) => {
		const signed = signedBytes(signal, CONTEXT, AT_MS);
		expect(decodeSignal(sealed(signal))).toEqual({
			ok: true,
			value: { signal, context: CONTEXT, timestampMs: AT_MS, signed, signature },
		});
	});

	it("of another version is not read", () => {
		for (const version of [0, 1, 3]) expect(code(changed(0, version))).toBe("signal-other-version");
		expect(code(changed(0, "2"))).toBe("signal-malformed");
	});

	it("is neither any bytes, nor one without its signature, nor one that goes on", () => {
		const whole = sealed(signals[2] as Signal);
		for (const bytes of [
			new Uint8Array(),
			Uint8Array.of(0),
			whole.subarray(0, -1),
			Uint8Array.of(...whole, 0),
			encode([signedBytes(signals[0] as Signal, CONTEXT, AT_MS)]),
			encode([signedBytes(signals[0] as Signal, CONTEXT, AT_MS), signature.subarray(1)]),
			encode([encode(5), signature]),
		]) {
			expect(code(bytes)).toBe("signal-malformed");
		}
	});

	it.each<[name: string, field: number, values: CborValue[]]>([
		["context", 1, ["", CONTEXT.subarray(1), 5]],
		["time", 2, [-1, "1", [], 2 ** 53 - 1]],
		["from", 3, [keyBytes().subarray(1), from]],
		["session", 4, [new Uint8Array(15), "0".repeat(32), 0]],
		["sequence", 5, [-1, "7"]],
		["receiver", 6, [[], 5, [keyBytes()], [keyBytes(), new Uint8Array(15)], [new Uint8Array(16), keyBytes()]]],
		["kind", 7, [-1, 4, "offer", 3, 0]],
		["description", 8, [[], [1], ["1", "v=0"], [1, 5], [1, "v=0", 1], [-1, "v=0"], "v=0"]],
	])("with a wrong %s is malformed", (_name, field, values) => {
		for (const value of values) expect([value, code(changed(field, value))]).toEqual([value, "signal-malformed"]);
	});

	it.each<[name: string, candidates: CborValue]>([
		["no list", 1],
		["a candidate that is no text", [[1, [0], ["0"]]]],
		["a candidate that is too long", [["x".repeat(1_025), [0], ["0"]]]],
		["no place at all", [["candidate:1", [], []]]],
		["too many of them", Array.from({ length: MAX_CANDIDATES + 1 }, () => ["c", [0], []])],
	])("with %s is malformed", (_name, candidates) => {
		const fields = decode(signedBytes(signals[4] as Signal, CONTEXT, AT_MS), MAX_SIGNAL_BYTES);
		if (!fields.ok || !Array.isArray(fields.value)) throw new Error("a signal is a list");
		const bytes = encodeSignal(encode(fields.value.with(8, [1, candidates])), signature);
		expect(code(bytes)).toBe("signal-malformed");
	});
});
