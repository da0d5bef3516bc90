import encodeQR from "qr";
import { describe, expect, test } from "vitest";
import { readStatementFragment, statementFragment } from "../../../src/ui/statementLink.js";

const LINK = {
	gridId: "0f".repeat(32),
	blockIndex: 525_600,
	blockHash: "a1".repeat(32),
	householdId: `02${"b3".repeat(32)}`,
};

describe("the code on a statement", () => {
	test("says what it was made of, with and without the sign before it", () => {
		const fragment = statementFragment(LINK);
		expect(readStatementFragment(fragment)).toEqual(LINK);
		expect(readStatementFragment(`#${fragment}`)).toEqual(LINK);
	});

	test("is small enough to be scanned from paper", () => {
		const text = `https://nabostrom.example:4443/verify.html#${statementFragment(LINK)}`;
		expect(text.length).toBeLessThanOrEqual(250);
		expect(encodeQR(text, "raw", { border: 4, ecc: "medium" }).length).toBeLessThanOrEqual(63 + 8);
	});

	test("that is cut off, too long or something else is none", () => {
		const fragment = statementFragment(LINK);
		const [grid = "", index = "", hash = "", key = ""] = fragment.replace("statement=", "").split(".");
		for (const wrong of [
			"",
			"#/balance",
			fragment.slice(0, -3),
			`${fragment}A`,
			`statement=${[grid, "-1", hash, key].join(".")}`,
			`statement=${[grid, index, key, key].join(".")}`,
			`statement=${[grid, index, hash].join(".")}`,
			`join=${grid}`,
		]) {
			expect(readStatementFragment(wrong)).toBeUndefined();
		}
	});
});
