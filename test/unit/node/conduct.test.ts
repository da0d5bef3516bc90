import { describe, expect, it } from "vitest";
import { Conduct } from "../../../src/node/conduct.js";

const MINUTE_MS = 60_000;

function struck(conduct: Conduct, device: string, times: number, atMs: number): void {
	for (let i = 0; i < times; i++) conduct.note(device, "bad-cbor", atMs);
}

describe("the conduct of neighbours' devices", () => {
	it("keeps one out after three faults within an hour, twice as long each time, for a day at most", () => {
		const conduct = new Conduct();
		let nowMs = 0;
		for (const minutes of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_440, 1_440]) {
			struck(conduct, "a", 2, nowMs);
			expect(conduct.isKeptOut("a", nowMs)).toBe(false);
			struck(conduct, "a", 1, nowMs);
			expect(conduct.isKeptOut("a", nowMs + minutes * MINUTE_MS - 1)).toBe(true);
			nowMs += minutes * MINUTE_MS;
			expect(conduct.isKeptOut("a", nowMs)).toBe(false);
		}
		expect(conduct.isKeptOut("b", 0)).toBe(false);
	});

	it("forgives a fault now and then", () => {
		const conduct = new Conduct();
		for (let hour = 0; hour < 20; hour++) struck(conduct, "a", 1, hour * 31 * MINUTE_MS);
		expect(conduct.isKeptOut("a", 20 * 31 * MINUTE_MS)).toBe(false);
		expect(conduct.viewOf("a", 0)).toEqual({ codes: { "bad-cbor": 20 }, keptOutMs: 0 });
	});

	it("is no fault of who is old, elsewhere, asleep or replaced", () => {
		const conduct = new Conduct();
		for (const code of ["silent", "other-version", "other-neighbourhood", "own-device", "kept-out"]) {
			for (let i = 0; i < 5; i++) conduct.note("a", code, 0);
		}
		expect([conduct.isKeptOut("a", 0), conduct.viewOf("a", 0)]).toEqual([false, undefined]);
	});

	it("allows each device so much, and no other one less for it", () => {
		const conduct = new Conduct();
		expect(conduct.spend("a", "requests", 400, 0)).toBe(true);
		expect(conduct.spend("a", "requests", 1, 0)).toBe(false);
		expect(conduct.spend("a", "transactions", 1, 0)).toBe(true);
		expect(conduct.spend("b", "requests", 1, 0)).toBe(true);
		expect(conduct.spend("a", "requests", 50, 1_000)).toBe(true);
		expect(conduct.spend("a", "requests", 1, 1_000)).toBe(false);
	});

	it("does not hold against a device what it was asked for", () => {
		const conduct = new Conduct();
		const most = 32 * 1_024 * 1_024;
		expect(conduct.takes("a", most, 0)).toBe(true);
		expect(conduct.takes("a", 100_000, 0)).toBe(false);
		conduct.expect("a", 500_000);
		for (let n = 0; n < 5; n++) expect(conduct.takes("a", 100_000, 0)).toBe(true);
		expect(conduct.takes("a", 100_000, 0)).toBe(false);
	});

	it("does not let a device answer with more small frames than one answer has, whatever it was asked for", () => {
		const conduct = new Conduct();
		expect(conduct.spend("a", "frames", 4_000, 0)).toBe(true);
		expect(conduct.takes("a", 1, 0)).toBe(false);
		conduct.expect("a", 512 * 1_024);
		for (let n = 0; n < 128; n++) expect(conduct.takes("a", 1, 0)).toBe(true);
		expect(conduct.takes("a", 1, 0)).toBe(false);
	});

	it("is remembered of so many devices and no more", () => {
		const conduct = new Conduct();
		struck(conduct, "first", 3, 0);
		// Who did something wrong is not forgotten for who invents keys.
		for (let n = 0; n < 3_000; n++) conduct.spend(`device ${n}`, "frames", 1, 0);
		expect(conduct.isKeptOut("first", 1)).toBe(true);
		for (let n = 0; n < 1_000; n++) struck(conduct, `device ${n}`, 1, 0);
		expect(conduct.isKeptOut("first", 1)).toBe(false);
	});
});
