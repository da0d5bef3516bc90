import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatBankAccount, isBankAccount, parseBankAccount } from "../../../src/primitives/bankAccount.js";

/** Nobody's: ten digits, and the last one as it has to be; undefined where none fits. */
function norwegian(tenDigits: string): string | undefined {
	const last = [...Array(10).keys()].find((digit) => {
		const weights = "54327654321";
		const sum = [...`${tenDigits}${digit}`].reduce((all, each, at) => all + Number(each) * Number(weights[at]), 0);
		return sum % 11 === 0;
	});
	return last === undefined ? undefined : `${tenDigits}${last}`;
}

/** By long division of the whole number, as ISO 13616 describes it. */
function iban(country: string, rest: string): string {
	const number = [...`${rest}${country}00`].map((each) => Number.parseInt(each, 36)).join("");
	const check = 98n - (BigInt(number) % 97n);
	return `${country}${`${check}`.padStart(2, "0")}${rest}`;
}

const codeOf = (text: string) => {
	const parsed = parseBankAccount(text);
	return parsed.ok ? parsed.value : parsed.error.code;
};

describe("the number of a bank account", () => {
	it.each([
		["1234 56 78903", "12345678903"],
		["1234.56.78903", "12345678903"],
		[" 12345678903\n", "12345678903"],
		["1234\u00a056\u202f78903", "12345678903"],
		// Examples of the standard's registry.
		["NO93 8601 1117 947", "NO9386011117947"],
		["no93 8601 1117 947", "NO9386011117947"],
		["SE45 5000 0000 0583 9825 7466", "SE4550000000058398257466"],
		["DK50 0040 0440 1162 43", "DK5000400440116243"],
		["FI21 1234 5600 0007 85", "FI2112345600000785"],
		["IS14 0159 2600 7654 5510 7303 39", "IS140159260076545510730339"],
		["GB29 NWBK 6016 1331 9268 19", "GB29NWBK60161331926819"],
		["MT84MALT011000012345MTLCAST001S", "MT84MALT011000012345MTLCAST001S"],
	])("is taken as %j", (typed, number) => {
		expect(parseBankAccount(typed)).toEqual({ ok: true, value: number });
		expect(isBankAccount(number)).toBe(true);
		expect(codeOf(formatBankAccount(number))).toBe(number);
	});

	it.each([
		["", "account-missing"],
		[" . ", "account-missing"],
		["1234 56 7890", "account-too-short"],
		["1234 56 789033", "account-too-long"],
		["1234 56 78904", "account-check-digit"],
		["1234 56 87903", "account-check-digit"],
		["000000 00000", "account-check-digit"],
		["NO", "account-too-short"],
		["NO9", "account-too-short"],
		["NO93 8601 1117 94", "account-too-short"],
		["NO93 8601 1117 9470", "account-too-long"],
		["NO93 8601 1117 948", "account-check-digit"],
		["SE45 5000 0000 0583 9825 7467", "account-check-digit"],
		["XX45 5000", "account-too-short"],
		[`XX45${"0".repeat(31)}`, "account-too-long"],
		["Kari Nordmann", "account-unknown-form"],
		["12345x78903", "account-unknown-form"],
		["vipps 12345678", "account-unknown-form"],
		["NO93/8601/1117/947", "account-unknown-form"],
		["１２３４５６７８９０３", "account-unknown-form"],
	])("%j is refused: %s", (typed, code) => {
		expect(codeOf(typed)).toBe(code);
	});

	it("of Norway is checked inside its IBAN as well", () => {
		expect(codeOf(iban("NO", "12345678903"))).toBe(iban("NO", "12345678903"));
		expect(codeOf(iban("NO", "12345678904"))).toBe("account-check-digit");
	});

	it("says how long it has to be", () => {
		expect(parseBankAccount("1")).toEqual({ ok: false, error: { code: "account-too-short", length: 11 } });
		expect(parseBankAccount("SE12")).toEqual({ ok: false, error: { code: "account-too-short", length: 24 } });
		expect(parseBankAccount("XX12")).toEqual({ ok: false, error: { code: "account-too-short", length: 15 } });
	});

	it("shows by its check digits that one digit was mistyped, or two neighbours changed places", () => {
		const tenDigits = fc.stringMatching(/^\d{10}$/u);
		const numbers = fc.oneof(
			tenDigits.map(norwegian).filter((number) => number !== undefined && number !== "0".repeat(11)),
			fc.stringMatching(/^[A-Z0-9]{20}$/u).map((rest) => iban("SE", rest)),
		) as fc.Arbitrary<string>;
		fc.assert(
			fc.property(numbers, fc.nat(40), fc.integer({ min: 1, max: 9 }), (number, place, by) => {
				expect(codeOf(number)).toBe(number);
				const at = place % number.length;
				const [one = "", two = ""] = [number[at], number[at + 1]];
				if (/\d/u.test(one)) {
					const mistyped = `${number.slice(0, at)}${(Number(one) + by) % 10}${number.slice(at + 1)}`;
					expect(codeOf(mistyped)).toBe("account-check-digit");
				}
				if (at < 4 || !/\d/u.test(one) || !/\d/u.test(two) || one === two) return;
				expect(codeOf(`${number.slice(0, at)}${two}${one}${number.slice(at + 2)}`)).toBe("account-check-digit");
			}),
		);
	});

	it("never throws, whatever was typed, and what it gives is taken again as it is", () => {
		fc.assert(
			fc.property(fc.string({ unit: "grapheme" }), (typed) => {
				const parsed = parseBankAccount(typed);
				if (parsed.ok) expect(parseBankAccount(parsed.value)).toEqual(parsed);
			}),
		);
	});

	it("is read in the groups that people know", () => {
		expect(formatBankAccount("12345678903")).toBe("1234 56 78903");
		expect(formatBankAccount("NO9386011117947")).toBe("NO93 8601 1117 947");
	});
});
