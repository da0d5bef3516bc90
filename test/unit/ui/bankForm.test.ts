import { describe, expect, test } from "vitest";
import type { BankView } from "../../../src/node/view.js";
import {
	type BankFields,
	confirmationWarning,
	differenceText,
	expectedBalance,
	mayConfirm,
	readBank,
} from "../../../src/ui/bankForm.js";

const NOW_MS = Date.parse("2026-11-23T12:00:00Z");
const DAY_MS = 24 * 60 * 60_000;
const fields: BankFields = {
	time: "2026-11-23T08:15",
	balanceMicroNok: "12 345,67",
	feesMicroNok: "35",
	interestMicroNok: "",
	unmatchedMicroNok: " ",
	clearedMicroNok: "0,5",
};
const bank: BankView = {
	id: "ab".repeat(32),
	statedBy: 0,
	atMs: NOW_MS - DAY_MS,
	balanceMicroNok: 5_000_000,
	circulationMicroNok: 5_000_000,
	interestMicroNok: 20_000,
	unmatchedMicroNok: 700_000,
	feesMicroNok: 30_000,
	differenceMicroNok: 0,
};
const confirmedBefore = (days: number, isOfThis = true): BankView => ({
	...bank,
	confirmed: { member: 2, timestampMs: NOW_MS - days * DAY_MS, isOfThis },
});

describe("the form of the bank's balance", () => {
	test("becomes the command, in µNOK and by Oslo's clock; what is left out is nothing", () => {
		expect(readBank(fields, NOW_MS)).toEqual({
			ok: true,
			value: {
				type: "bank",
				minute: Date.parse("2026-11-23T07:15:00Z") / 60_000,
				balanceMicroNok: 12_345_670_000,
				feesMicroNok: 35_000_000,
				interestMicroNok: 0,
				unmatchedMicroNok: 0,
				clearedMicroNok: 500_000,
			},
		});
	});

	test("takes an empty account, and not that nothing was said about it", () => {
		expect(readBank({ ...fields, balanceMicroNok: "0" }, NOW_MS).ok).toBe(true);
		const read = readBank({ ...fields, balanceMicroNok: "" }, NOW_MS);
		expect(!read.ok && Object.keys(read.error.errors)).toEqual(["balanceMicroNok"]);
	});

	test("tells everything that is wrong at once", () => {
		const read = readBank({ ...fields, time: "", feesMicroNok: "-3", interestMicroNok: "0,001" }, NOW_MS);
		expect(!read.ok && Object.keys(read.error.errors).sort()).toEqual(["feesMicroNok", "interestMicroNok", "time"]);
	});

	test("takes no time that has not come", () => {
		expect(readBank({ ...fields, time: "2026-11-23T13:00" }, NOW_MS).ok).toBe(true);
		expect(readBank({ ...fields, time: "2026-11-23T13:01" }, NOW_MS).ok).toBe(false);
	});
});

describe("what the account should hold", () => {
	const stated = {
		balanceMicroNok: 0,
		feesMicroNok: 5_000,
		interestMicroNok: 1_000,
		unmatchedMicroNok: 300_000,
		clearedMicroNok: 700_000,
	};

	test("is what is in circulation, and what came and went", () => {
		expect(expectedBalance(stated, 5_000_000, undefined)).toBe(4_596_000);
	});

	test("counts what earlier statements explained", () => {
		expect(expectedBalance(stated, 5_000_000, bank)).toBe(5_286_000);
	});

	test("and the difference have words for more, less and the same", () => {
		const texts = [-1_500_000, 0, 1_500_000].map((differenceMicroNok) => differenceText({ differenceMicroNok }));
		expect(new Set(texts).size).toBe(3);
		expect([texts[0], texts[2]]).toEqual([
			expect.stringMatching(/^1,50.kr mangler$/),
			expect.stringMatching(/^1,50.kr for mye$/),
		]);
	});
});

describe("a confirmation of the bank's balance", () => {
	test("is warned about when it is older than a month, whichever balance it was of", () => {
		expect(confirmationWarning(confirmedBefore(31), NOW_MS)).toBeUndefined();
		expect(confirmationWarning(confirmedBefore(32), NOW_MS)).toBeDefined();
		expect(confirmationWarning(confirmedBefore(32, false), NOW_MS)).toBeDefined();
		expect(confirmationWarning(confirmedBefore(3, false), NOW_MS)).toBeUndefined();
	});

	test("that never was is warned about a month after the balance", () => {
		expect(confirmationWarning(bank, NOW_MS)).toBeUndefined();
		expect(confirmationWarning(bank, NOW_MS + 31 * DAY_MS)).toBeDefined();
	});

	test("is asked of every household but the one that stated it, until one has given it", () => {
		expect(mayConfirm(bank, 1, NOW_MS)).toBe(true);
		expect(mayConfirm(bank, 0, NOW_MS)).toBe(false);
		expect(mayConfirm(confirmedBefore(3), 1, NOW_MS)).toBe(false);
		expect(mayConfirm(confirmedBefore(3, false), 1, NOW_MS)).toBe(true);
		expect(mayConfirm(confirmedBefore(32), 1, NOW_MS)).toBe(true);
	});
});
