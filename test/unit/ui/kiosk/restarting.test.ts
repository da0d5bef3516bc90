import { describe, expect, test } from "vitest";
import type { StreetView } from "../../../../src/node/view.js";
import {
	afterLook,
	canBeSpared,
	type Health,
	healthAtStart,
	isNightlyDue,
	isRestartDue,
	nightlySecond,
	troubleOf,
	waitMs,
} from "../../../../src/ui/kiosk/restarting.js";
import { street } from "../../../ui-preview/views.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function looks(health: Health, count: number, gapMs: number, isHeard: boolean): Health {
	let next = health;
	for (let at = 0; at < count; at++) next = afterLook(next, { gapMs, isHeard });
	return next;
}

/** A node that was heard for a minute. */
const well = (attempts = 0) => looks(healthAtStart(attempts), 12, 5_000, true);

describe("a node that says nothing", () => {
	test("is in trouble after 30 s, and the page is loaded anew at once where that is new", () => {
		const almost = looks(well(), 5, 5_000, false);
		expect(troubleOf(almost, false)).toBeUndefined();
		const silent = looks(almost, 1, 5_000, false);
		expect(troubleOf(silent, false)).toBe("silent");
		expect(isRestartDue(silent)).toBe(true);
		expect(troubleOf(looks(silent, 1, 5_000, true), false)).toBeUndefined();
	});

	test("and has said nothing yet has two minutes to open its storage", () => {
		expect(troubleOf(looks(healthAtStart(0), 23, 5_000, false), false)).toBeUndefined();
		expect(troubleOf(looks(healthAtStart(0), 24, 5_000, false), false)).toBe("silent");
	});

	test("is no dead one where the page slept, or is hidden and looks once a minute", () => {
		expect(troubleOf(looks(well(), 1, 8 * HOUR, false), false)).toBeUndefined();
		expect(troubleOf(looks(well(), 2, MINUTE, false), false)).toBeUndefined();
		expect(troubleOf(looks(well(), 3, MINUTE, false), false)).toBe("silent");
	});

	test("leads to pages that run longer and longer, up to an hour", () => {
		expect([0, 1, 2, 3, 6, 7, 8, 40].map(waitMs)).toEqual(
			[0, 1, 2, 4, 32, 60, 60, 60].map((minutes) => minutes * MINUTE),
		);
		const third = looks(healthAtStart(3), 47, 5_000, false);
		expect([troubleOf(third, false), isRestartDue(third)]).toEqual(["silent", false]);
		expect(isRestartDue(looks(third, 1, 5_000, false))).toBe(true);
	});

	test("and one that said that it stopped is in trouble at once, and waits as long", () => {
		expect(troubleOf(healthAtStart(0), true)).toBe("failed");
		expect([isRestartDue(healthAtStart(0)), isRestartDue(healthAtStart(1))]).toEqual([true, false]);
	});

	test("is forgotten after an hour in which it was well, and no sooner", () => {
		const almost = looks(healthAtStart(5), 719, 5_000, true);
		expect(almost.attempts).toBe(5);
		expect(looks(almost, 1, 5_000, true).attempts).toBe(0);
		const interrupted = looks(looks(almost, 6, 5_000, false), 719, 5_000, true);
		expect(interrupted.attempts).toBe(5);
	});
});

describe("the nightly start", () => {
	/** 03:17:05 in Oslo. */
	const device = `02${"ab".repeat(28)}${(17 * 60 + 5).toString(16).padStart(8, "0")}`;
	const day = 24 * HOUR;

	/** Oslo's clock at the minutes of a night in which it is due, from an UTC time on. */
	function dueIn(fromMs: number, hours: number): string[] {
		const clock = new Intl.DateTimeFormat("nb-NO", { timeZone: "Europe/Oslo", timeStyle: "short" });
		const due: string[] = [];
		for (let at = fromMs; at < fromMs + hours * HOUR; at += MINUTE) {
			if (isNightlyDue(at, device, day)) due.push(clock.format(at));
		}
		return due;
	}

	test("comes at the device's second of the hour after three, or later in it, but not after four", () => {
		expect(nightlySecond(device)).toBe(17 * 60 + 5);
		const threeMs = Date.UTC(2026, 10, 27, 2);
		const at = (seconds: number) => isNightlyDue(threeMs + seconds * 1000, device, day);
		expect([1024, 1025, 3599, 3600].map(at)).toEqual([false, true, true, false]);
		expect(dueIn(Date.UTC(2026, 10, 26, 12), 24)).toHaveLength(42);
	});

	test("is drawn from the device: neighbours' devices start one after the other", () => {
		const seconds = Array.from({ length: 20 }, (_, at) =>
			nightlySecond(street(at % 6).self.deviceId.slice(0, -2) + (10 + at)),
		);
		expect(new Set(seconds).size).toBe(20);
		for (const second of seconds) expect(second).toBeLessThan(3600);
	});

	test("comes once where the hour before it is missing, and once where it is there twice", () => {
		// 29 March 2026: 02:00 is followed by 03:00, at 01:00 UTC. 25 October: 03:00 by 02:00, at 01:00 UTC.
		for (const [night, first] of [
			[Date.UTC(2026, 2, 28, 20), Date.UTC(2026, 2, 29, 1, 18)],
			[Date.UTC(2026, 9, 24, 20), Date.UTC(2026, 9, 25, 2, 18)],
		] as const) {
			const due = dueIn(night, 12);
			expect([due[0], due.at(-1), due.length]).toEqual(["03:18", "03:59", 42]);
			expect([isNightlyDue(first - MINUTE, device, day), isNightlyDue(first, device, day)]).toEqual([false, true]);
		}
	});

	test("leaves a page alone that has just been loaded, and so comes once a night", () => {
		const at = Date.UTC(2026, 10, 27, 2, 30);
		expect([HOUR - 1, HOUR].map((runningMs) => isNightlyDue(at, device, runningMs))).toEqual([false, true]);
	});
});

describe("a street can spare this device", () => {
	function spared(change: (view: StreetView) => void, waitedMinutes = 0): boolean {
		const view = street(0);
		Object.assign(view.chain, { voters: 5, votersOnline: 5, role: "follower", waitingMinutes: 0 });
		view.devices = view.devices.map((device) => ({ ...device, voter: device.self }));
		change(view);
		return canBeSpared(view, waitedMinutes);
	}

	test("while the other voters are a majority without it", () => {
		expect(spared(() => {})).toBe(true);
		// Four of five are here, this one among them: three are left.
		expect(spared((view) => Object.assign(view.chain, { votersOnline: 4 }))).toBe(true);
		expect(spared((view) => Object.assign(view.chain, { votersOnline: 3 }))).toBe(false);
		expect(spared((view) => Object.assign(view.chain, { voters: 4, votersOnline: 3 }))).toBe(false);
		expect(spared((view) => Object.assign(view.chain, { voters: 1, votersOnline: 1 }))).toBe(false);
	});

	test("and where it does not vote, or has stopped voting, it is none of those who are counted", () => {
		expect(spared((view) => Object.assign(view.chain, { votersOnline: 3, role: "observer" }))).toBe(true);
		const other = (view: StreetView) => {
			view.devices = view.devices.map((device) => ({ ...device, voter: !device.self }));
			Object.assign(view.chain, { votersOnline: 3 });
		};
		expect(spared(other)).toBe(true);
	});

	test("not while it fetches blocks, nor while ever more of its minutes wait", () => {
		expect(spared((view) => Object.assign(view.chain, { sync: { haveIndex: 1, targetIndex: 9 } }))).toBe(false);
		const waiting = (minutes: number) => (view: StreetView) => Object.assign(view.chain, { waitingMinutes: minutes });
		expect([spared(waiting(2)), spared(waiting(3))]).toEqual([true, false]);
		// A backlog that becomes shorter is no reason to wait.
		expect([spared(waiting(40), 44), spared(waiting(45), 44)]).toEqual([true, false]);
	});
});
