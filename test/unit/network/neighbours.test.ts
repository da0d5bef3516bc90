import { describe, expect, it } from "vitest";
import type { Signal } from "../../../src/message/signal.js";
import type { Link } from "../../../src/network/link.js";
import {
	FORGET_MS,
	MAX_UNCONNECTED,
	type Neighbour,
	Neighbours,
	SequenceWindow,
} from "../../../src/network/neighbours.js";

const OPEN = { state: "open" } as Link;
const announce = (from: string, session = "s1", sequence = 1): Signal => ({
	from,
	session,
	sequence,
	kind: "announce",
});
const answer = (from: string, session: string, sequence: number): Signal => {
	return { from, session, sequence, kind: "answer", attempt: 1, sdp: "" };
};

function admit(neighbours: Neighbours, signal: Signal, nowMs = 0) {
	const result = neighbours.admit(signal, nowMs);
	return result.ok ? result.value : result.error.code;
}

describe("the neighbours", () => {
	it("hear each signal once, in any order", () => {
		const neighbours = new Neighbours();
		expect(admit(neighbours, announce("a", "s1", 5))).toMatchObject({ restarted: false });
		expect(admit(neighbours, announce("a", "s1", 5))).toBe("signal-repeated");
		expect(admit(neighbours, announce("a", "s1", 3))).toMatchObject({ restarted: false });
		expect(admit(neighbours, announce("b", "s1", 5))).toMatchObject({ restarted: false });
	});

	it("take a new session for a restart, and never go back to the old one", () => {
		const neighbours = new Neighbours();
		admit(neighbours, announce("a", "s1"));
		expect(admit(neighbours, announce("a", "s2"))).toMatchObject({ restarted: true, neighbour: { session: "s2" } });
		expect(admit(neighbours, announce("a", "s1", 99))).toBe("signal-old-session");
		expect(admit(neighbours, announce("a", "s2", 2))).toMatchObject({ restarted: false });
	});

	it("do not begin with an answer", () => {
		const neighbours = new Neighbours();
		expect(admit(neighbours, answer("a", "s1", 1))).toBe("signal-unknown-session");
		admit(neighbours, announce("a", "s1"));
		expect(admit(neighbours, answer("a", "s2", 1))).toBe("signal-unknown-session");
		expect(neighbours.all()).toHaveLength(1);
	});

	it("that are not connected are 64 at most: who was heard longest ago, or failed most, gives way; who is connected stays", () => {
		const neighbours = new Neighbours();
		for (let i = 0; i < MAX_UNCONNECTED + 40; i++) {
			const admitted = neighbours.admit(announce(`device ${i}`), i);
			if (admitted.ok && i < 40) admitted.value.neighbour.link = OPEN;
		}
		expect(neighbours.all()).toHaveLength(MAX_UNCONNECTED + 40);
		expect(admit(neighbours, announce("late"), 200)).toMatchObject({ restarted: false });
		expect(neighbours.all().map(({ deviceId }) => deviceId)).not.toContain("device 40");
		const failing = neighbours.find("device 90");
		let closedWith = "";
		const closing = { state: "connecting", close: (code: string) => (closedWith = code) };
		if (failing !== undefined) Object.assign(failing, { failures: 1, link: closing });
		expect(admit(neighbours, announce("later"), 201)).toMatchObject({ restarted: false });
		expect([closedWith, neighbours.all().includes(failing as Neighbour)]).toEqual(["peer-forgotten", false]);
		expect(neighbours.all()).toHaveLength(MAX_UNCONNECTED + 40);
	});

	it("are 256 at most, all told", () => {
		const neighbours = new Neighbours();
		for (let i = 0; i < 256; i++) {
			const admitted = neighbours.admit(announce(`device ${i}`), i);
			if (admitted.ok) admitted.value.neighbour.link = OPEN;
		}
		expect(admit(neighbours, announce("too late"), 300)).toBe("too-many-neighbours");
		expect(neighbours.all()).toHaveLength(256);
	});

	it("are forgotten when they were not heard for long, unless they are connected", () => {
		const neighbours = new Neighbours();
		admit(neighbours, announce("gone"));
		const connected = neighbours.admit(announce("connected"), 0);
		if (connected.ok) connected.value.neighbour.link = OPEN;
		neighbours.prune(FORGET_MS);
		expect(neighbours.all()).toHaveLength(2);
		neighbours.prune(FORGET_MS + 1);
		expect(neighbours.all().map(({ deviceId }) => deviceId)).toEqual(["connected"]);
	});
});

describe("the sequence window", () => {
	it("remembers 256 numbers, and takes what lies before them for repeated", () => {
		const window = new SequenceWindow();
		expect([1_000, 745, 744, 745].map((sequence) => window.accept(sequence))).toEqual([true, true, false, false]);
		expect([Number.MAX_SAFE_INTEGER, 1_001, 0].map((sequence) => window.accept(sequence))).toEqual([
			true,
			false,
			false,
		]);
	});
});
