import { expect, test } from "vitest";
import type { WhatIf } from "../../../src/node/protocol.js";
import { isTraded, joined, piecesOf } from "../../../src/ui/whatIf.js";

const UNTIL = 20_000 * 1_440 + 615;

test.each([
	["days30", 30],
	["year", 365],
] as const)("a period of %s is asked about in pieces that follow on one another", (period, days) => {
	const pieces = piecesOf(period, UNTIL);
	expect(pieces[0]?.fromMinute).toBe(UNTIL - days * 1_440);
	expect(pieces.at(-1)?.untilMinute).toBe(UNTIL);
	for (const [at, { fromMinute, untilMinute }] of pieces.entries()) {
		expect(untilMinute - fromMinute).toBeLessThanOrEqual(30 * 1_440);
		if (at > 0) expect(fromMinute).toBe(pieces[at - 1]?.untilMinute);
	}
});

test("a neighbourhood that is younger than the period begins with its first minute", () => {
	expect(piecesOf("year", 1_000)).toEqual([{ fromMinute: 0, untilMinute: 1_000 }]);
	expect(piecesOf("year", 0)).toEqual([]);
});

test("pieces add up, and begin where the first of them that is kept does", () => {
	const figures = (n: number) => ({
		boughtWh: n,
		soldWh: 2 * n,
		paidMicroNok: 3 * n,
		earnedMicroNok: 5 * n,
		savedMicroNok: -7 * n,
	});
	const none: WhatIf = { intervals: 96, kept: 0, was: figures(0), would: figures(0) };
	const some: WhatIf = { intervals: 96, kept: 90, firstMinute: 1_455, was: figures(1), would: figures(10) };
	const later: WhatIf = { intervals: 4, kept: 4, firstMinute: 2_880, was: figures(2), would: figures(20) };
	expect(isTraded(none)).toBe(false);
	expect(joined(none, none)).not.toHaveProperty("firstMinute");
	const whole = joined(joined(none, some), later);
	expect(whole).toEqual({ intervals: 196, kept: 94, firstMinute: 1_455, was: figures(3), would: figures(30) });
	expect(isTraded(whole)).toBe(true);
});
