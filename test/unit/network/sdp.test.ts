import { describe, expect, it } from "vitest";
import { fingerprintOf } from "../../../src/network/sdp.js";

const bytes = Array.from({ length: 32 }, (_, i) => (i * 37 + 5) & 255);
const text = bytes.map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(":");
const other = text.replace(/^../, "EE");

/** As Chromium writes it, with the lines under test in the place of the fingerprint. */
const sdp = (...lines: string[]) =>
	[
		"v=0",
		"o=- 4611731400430051336 2 IN IP4 127.0.0.1",
		"s=-",
		"t=0 0",
		"a=group:BUNDLE 0",
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
		"c=IN IP4 0.0.0.0",
		"a=ice-ufrag:4ZcD",
		"a=ice-pwd:2/1muCWoOi3uLifh0NuRHlAa",
		...lines,
		"a=setup:actpass",
		"a=mid:0",
		"a=sctp-port:5000",
		"",
	].join("\r\n");

const code = (text: string) => {
	const result = fingerprintOf(text);
	return result.ok ? "ok" : result.error.code;
};

describe("the fingerprint of a session description", () => {
	it("is the 32 bytes of its sha-256 line", () => {
		expect(fingerprintOf(sdp(`a=fingerprint:sha-256 ${text}`))).toEqual({ ok: true, value: Uint8Array.from(bytes) });
	});

	it("may be written in small letters, with line feeds only, and twice if it is the same", () => {
		const lines = [`a=fingerprint:sha-256 ${text.toLowerCase()}`, `a=fingerprint:SHA-256 ${text}`];
		expect(fingerprintOf(sdp(...lines).replaceAll("\r", ""))).toEqual({ ok: true, value: Uint8Array.from(bytes) });
	});

	it("must be there", () => {
		expect(code(sdp())).toBe("sdp-no-fingerprint");
		expect(code("")).toBe("sdp-no-fingerprint");
		expect(code(sdp(`a=x-fingerprint:sha-256 ${text}`))).toBe("sdp-no-fingerprint");
	});

	it("must be the only one: a second would let another certificate in", () => {
		expect(code(sdp(`a=fingerprint:sha-256 ${text}`, `a=fingerprint:sha-256 ${other}`))).toBe(
			"sdp-several-fingerprints",
		);
		const front = `a=fingerprint:sha-256 ${other}\n${sdp(`a=fingerprint:sha-256 ${text}`)}`;
		expect(code(front)).toBe("sdp-several-fingerprints");
	});

	it.each([
		["another hash", "a=fingerprint:sha-1 AA:BB:CC"],
		["another hash beside a good one", `a=fingerprint:sha-256 ${text}\r\na=fingerprint:sha-512 ${text}`],
		["31 bytes", `a=fingerprint:sha-256 ${text.slice(3)}`],
		["33 bytes", `a=fingerprint:sha-256 ${text}:00`],
		["no hex", `a=fingerprint:sha-256 ${text.replace(/^../, "XY")}`],
		["nothing behind it", "a=fingerprint:"],
		["a space in front, which another parser may skip", ` a=fingerprint:sha-256 ${text}`],
		["capitals, which another parser may read", `A=FingerPrint:sha-256 ${text} x`],
	])("is refused as %s", (_name, line) => {
		expect(code(sdp(line))).toBe("sdp-bad-fingerprint");
	});
});
