import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDecimal, parseKroner, parseKwh, parsePrice, parseWhole } from "../../../src/ui/amount.js";

describe("what people type is read exactly", () => {
	test.each([
		["118,4", 1184],
		["118.4", 1184],
		["  118,4 ", 1184],
		["118,40", 1184],
		["100", 1000],
		["0,1", 1],
		["1 234,5", 12345],
		["1\u00a0234,5", 12345],
		["1\u202f234", 12340],
		["100000", 1_000_000],
	])("a price of %s øre/kWh", (text, microNokPerWh) => {
		expect(parsePrice(text)).toEqual({ ok: true, value: microNokPerWh });
	});

	test.each([
		["0,29", 290_000],
		["1,10", 1_100_000],
		["1000000000,00", 1_000_000_000_000_000],
	])("%s kroner, where floating point would be off", (text, amountMicroNok) => {
		expect(parseKroner(text)).toEqual({ ok: true, value: amountMicroNok });
	});

	test("kWh to Wh", () => {
		expect(parseKwh("0,001")).toEqual({ ok: true, value: 1 });
		expect(parseKwh("12,5")).toEqual({ ok: true, value: 12_500 });
	});

	test("zero is a price only where it is allowed", () => {
		expect(parsePrice("0")).toEqual({ ok: false, error: { code: "too-small", min: 1 } });
		expect(parsePrice("0,0", 0)).toEqual({ ok: true, value: 0 });
	});

	test("every integer comes back from its decimal text, with comma and with point", () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.constantFrom(",", "."), (value, separator) => {
				const text = `${Math.floor(value / 10)}${separator}${value % 10}`;
				expect(parseDecimal(text, 1, 0, 1_000_000)).toEqual({ ok: true, value });
			}),
		);
	});
});

describe("what cannot be read is refused with its reason", () => {
	test.each(["abc", "-1", "+1", "1e3", "1,2,3", "1.234,50", "1,", ",5", "12 34", "1  234", "٣", "0x10", "1 000 00"])(
		"%s is no number",
		(text) => {
			expect(parsePrice(text)).toEqual({ ok: false, error: { code: "bad-number" } });
		},
	);

	test("an empty field", () => {
		expect(parseKroner("   ")).toEqual({ ok: false, error: { code: "required" } });
	});

	test("more decimals than the unit has", () => {
		expect(parsePrice("118,45")).toEqual({ ok: false, error: { code: "too-many-decimals", max: 1 } });
	});

	test("more than the ledger takes, however long the text", () => {
		expect(parsePrice("100000,1")).toEqual({ ok: false, error: { code: "too-large", max: 1_000_000 } });
		expect(parseKroner("9".repeat(200))).toMatchObject({ ok: false, error: { code: "too-large" } });
	});

	test("a fraction where a whole number is asked for", () => {
		expect(parseWhole("2,5", 1, 10)).toEqual({ ok: false, error: { code: "too-many-decimals", max: 0 } });
	});
});
