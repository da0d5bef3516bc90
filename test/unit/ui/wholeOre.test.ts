import { describe, expect, it } from "vitest";
import { wholeOreFor, wholeOreOf } from "../../../src/ui/wholeOre.js";

describe("whole øre", () => {
	it.each([
		[0, 0, 0],
		[1, 0, 10_000],
		[9_999, 0, 10_000],
		[10_000, 10_000, 10_000],
		[79_753_214, 79_750_000, 79_760_000],
	])("of %i µNOK are at most %i, and to pay it at least %i", (amount, most, fewest) => {
		expect([wholeOreOf(amount), wholeOreFor(amount)]).toEqual([most, fewest]);
	});
});
