import { afterEach, describe, expect, it, vi } from "vitest";
import { logRefusals, type RefusalCounts, refusalLine } from "../../../signaling/refusalLog.js";

afterEach(() => {
	vi.useRealTimers();
});

describe("the line about refusals", () => {
	it("says what came since the last one, the most frequent first, without what happens every day", () => {
		const before: RefusalCounts = { "bad-frame": 7, "too-many-sockets": 1, idle: 3 };
		const now: RefusalCounts = { "bad-frame": 7, "too-many-sockets": 3, "bad-path": 40, idle: 9, "no-topic": 5 };
		expect(refusalLine(before, now)).toBe("Refused in the last hour: bad-path 40, too-many-sockets 2.\n");
		expect(refusalLine(before, { ...before, idle: 100 })).toBeUndefined();
		expect(refusalLine({}, {})).toBeUndefined();
	});

	it("comes at most once an hour, and not at all where nothing was refused", () => {
		vi.useFakeTimers();
		const lines: string[] = [];
		let count = 0;
		const stop = logRefusals(
			() => ({ "bad-frame": count }),
			(line) => lines.push(line),
		);
		for (let minute = 0; minute < 60; minute++) {
			count += 1;
			vi.advanceTimersByTime(60_000);
		}
		expect(lines).toEqual(["Refused in the last hour: bad-frame 60.\n"]);
		vi.advanceTimersByTime(7_200_000);
		expect(lines).toHaveLength(1);
		stop();
		count += 1;
		vi.advanceTimersByTime(7_200_000);
		expect(lines).toHaveLength(1);
	});
});
