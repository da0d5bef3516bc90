import { describe, expect, it } from "vitest";
import { decodeSignal, encodeSignal, type Signal } from "../../../src/network/signal.js";

const from = `02${"ab".repeat(32)}`;
const to = { deviceId: `03${"cd".repeat(32)}`, session: "1".repeat(32) };
const head = { from, session: "0".repeat(32), sequence: 7 };
const candidate = { candidate: "candidate:1 1 udp 1 192.0.2.1 5000 typ host", sdpMLineIndex: 0, sdpMid: "0" };

const signals: Signal[] = [
	{ ...head, kind: "announce" },
	{ ...head, to, kind: "announce" },
	{ ...head, to, kind: "offer", attempt: 1, sdp: "v=0" },
	{ ...head, to, kind: "answer", attempt: 2, sdp: "v=0" },
	{ ...head, to, kind: "candidate", attempt: 1, candidate },
	{ ...head, to, kind: "candidate", attempt: 1, candidate: { ...candidate, sdpMid: null } },
];

/** As it comes out of the server. */
const overTheWire = (signal: Signal) => JSON.parse(JSON.stringify(encodeSignal(signal))) as Record<string, unknown>;
const code = (wire: unknown) => {
	const decoded = decodeSignal(wire);
	return decoded.ok ? "ok" : decoded.error.code;
};

describe("a signal", () => {
	it.each(signals.map((signal) => [signal.kind, signal] as const))("comes out as it went in: %s", (_kind, signal) => {
		expect(decodeSignal(overTheWire(signal))).toEqual({ ok: true, value: signal });
	});

	it("of another version is not read", () => {
		for (const version of [0, 2, "1", undefined]) {
			expect(code({ ...overTheWire(signals[2] as Signal), version })).toBe("signal-other-version");
		}
	});

	it.each([null, undefined, 1, "c2VhbGVk", [], [1]])("is not %j", (wire) => {
		expect(code(wire)).toBe("signal-malformed");
	});

	it.each([
		["from", [undefined, 1, "", "02ab", from.toUpperCase(), `04${"ab".repeat(32)}`, `${from}0`, [from]]],
		["session", [undefined, "", 0, "0".repeat(31), "g".repeat(32)]],
		["sequence", [undefined, -1, 1.5, 2 ** 53, "7", null]],
		["to", [undefined, null, "everybody", 5]],
		["toSession", [undefined, null, "", 5]],
		["kind", [undefined, "renegotiate", "constructor", 3]],
		["data", [undefined, null, [], "v=0", {}, { attempt: 1 }, { attempt: "1", sdp: "v=0" }, { attempt: 1, sdp: 5 }]],
		["data", [{ attempt: 1, sdp: "x".repeat(12_289) }]],
	])("with a wrong %s is malformed", (field, values) => {
		for (const value of values) {
			expect([value, code({ ...overTheWire(signals[2] as Signal), [field]: value })]).toEqual([
				value,
				"signal-malformed",
			]);
		}
	});

	it.each([
		["no candidate", {}],
		["a candidate that is no text", { candidate: { ...candidate, candidate: 1 } }],
		["a candidate that is too long", { candidate: { ...candidate, candidate: "x".repeat(1_025) } }],
		["a fractional line", { candidate: { ...candidate, sdpMLineIndex: 0.5 } }],
		["no place at all", { candidate: { ...candidate, sdpMLineIndex: null, sdpMid: null } }],
	])("with %s is malformed", (_name, data) => {
		expect(code({ ...overTheWire(signals[4] as Signal), data: { attempt: 1, ...data } })).toBe("signal-malformed");
	});
});
