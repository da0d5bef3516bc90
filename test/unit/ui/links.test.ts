import { describe, expect, test } from "vitest";
import { addressOf, linkFragment, shareBase, signalingUrl } from "../../../src/ui/links.js";

describe("a link that brings a neighbour in", () => {
	test.each([
		["https://192.168.1.20:4443/#lobby=Ab_-9", "lobby=Ab_-9"],
		["  #join=Ab_-9 ", "join=Ab_-9"],
		["join=Ab_-9", "join=Ab_-9"],
		["#/join=Ab_-9", "join=Ab_-9"],
	])("%s", (text, fragment) => {
		expect(linkFragment(text)).toBe(fragment);
	});

	test.each(["", "#/market", "https://192.168.1.20:4443/", "#lobby=", "#lobby=a b", "mylobby=Ab"])(
		"%s is none",
		(text) => {
			expect(linkFragment(text)).toBeUndefined();
		},
	);
});

describe("another server's address", () => {
	test.each([
		["192.168.1.20:4443", undefined, "https://192.168.1.20:4443/#/join"],
		[" https://Nabo.example/ ", "join=Ab", "https://nabo.example/#join=Ab"],
		["[fe80::1]:4443", undefined, "https://[fe80::1]:4443/#/join"],
	])("%s with %s is %s", (typed, fragment, address) => {
		expect(addressOf(typed, fragment)).toBe(address);
	});

	test.each(["", "http://nabo.example", "nabo.example:99999", "nabo/x", "javascript:alert(1)", "a b", "user@host"])(
		"%s is none",
		(typed) => {
			expect(addressOf(typed, undefined)).toBeUndefined();
		},
	);
});

describe("the address in a link", () => {
	const at = (origin: string) => ({ origin, hostname: new URL(origin).hostname });

	test.each(["http://localhost:4444", "http://127.0.0.1:4444", "http://[::1]:4444"])(
		"%s is replaced by the address on the network",
		(origin) => {
			const base = shareBase(at(origin), { lanUrl: "https://192.168.1.20:4443/" });
			expect(base).toEqual({ url: "https://192.168.1.20:4443", localOnly: false });
		},
	);

	test("localhost without another address is said to be for this machine only", () => {
		expect(shareBase(at("http://localhost:4444"), {})).toEqual({ url: "http://localhost:4444", localOnly: true });
	});

	test("an address that others can open stays", () => {
		const base = shareBase(at("https://strom.example"), { lanUrl: "https://192.168.1.20:4443" });
		expect(base).toEqual({ url: "https://strom.example", localOnly: false });
	});

	test("the signaling server is where the page came from", () => {
		expect(signalingUrl({ protocol: "https:", host: "192.168.1.20:4443" })).toBe("wss://192.168.1.20:4443");
		expect(signalingUrl({ protocol: "http:", host: "127.0.0.1:4444" })).toBe("ws://127.0.0.1:4444");
	});
});
