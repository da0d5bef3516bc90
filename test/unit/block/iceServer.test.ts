import { describe, expect, it } from "vitest";
import { type IceServer, iceServersFault } from "../../../src/block/iceServer.js";

const stun = (urls: string) => ({ urls, username: "", credential: "" });
const turn = (urls: string) => ({ urls, username: "solbakken", credential: "hemmelig" });

describe("servers that help two devices to reach each other", () => {
	it.each(["stun:stun.example.org", "stun:192.0.2.1:3478", "stuns:[2001:db8::1]:5349"])(
		"are STUN servers without a user: %s",
		(urls) => {
			expect(iceServersFault([stun(urls)])).toBeUndefined();
			expect(iceServersFault([turn(urls)])).toBe("username");
		},
	);

	it.each(["turn:turn.example.org:3478", "turns:192.0.2.1:5349?transport=tcp", "turn:[2001:db8::1]?transport=udp"])(
		"are TURN servers with one: %s",
		(urls) => {
			expect(iceServersFault([turn(urls)])).toBeUndefined();
			expect(iceServersFault([stun(urls)])).toBe("username");
			expect(iceServersFault([{ ...turn(urls), credential: "" }])).toBe("credential");
		},
	);

	it.each([
		"",
		"turn:",
		"turn.example.org",
		"https://example.org",
		"turn://example.org",
		"turn:a b",
		"turn:example.org:port",
		"turn:example.org:0",
		"turn:example.org:65536",
		"stun:example.org:99999",
		"turn:user:password@example.org",
		"stun:example.org?transport=udp",
		"turn:example.org?transport=sctp",
		"javascript:alert(1)",
		`turn:${"a".repeat(128)}`,
	])("are nothing that no browser would take: %s", (urls) => {
		expect(iceServersFault([turn(urls)])).toBe("urls");
	});

	it("have users of printable characters, and not too long", () => {
		const server = turn("turn:example.org");
		for (const wrong of ["a b", "æ", "a\n", "x".repeat(65)]) {
			expect(iceServersFault([{ ...server, username: wrong }])).toBe("username");
			expect(iceServersFault([{ ...server, credential: wrong }])).toBe("credential");
		}
	});

	it("are not the same twice", () => {
		expect(iceServersFault([turn("turn:a"), { ...turn("turn:a"), credential: "other" }])).toBe("twice");
	});

	it("are three at most", () => {
		const all: IceServer[] = Array.from({ length: 3 }, (_, n) => stun(`stun:192.0.2.${n}`));
		expect(iceServersFault(all)).toBeUndefined();
		expect(iceServersFault([...all, stun("stun:192.0.2.9")])).toBe("count");
	});
});
