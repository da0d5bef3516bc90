import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkDigit, paymentReference } from "../../../src/node/paymentReference.js";

describe("the reference of a payment", () => {
	it.each([
		["234567", 6],
		["12345678", 2],
		["0000000", 0],
		["7992739871", 3],
	])("ends, after the digits %s, in the check digit %i", (digits, last) => {
		expect(checkDigit(digits)).toBe(last);
	});

	it("is ten digits of the household and of the transaction's id", () => {
		const id = Uint8Array.from([0, 1, 226, 64, ...new Uint8Array(28)]);
		// 0x0001e240 = 123456.
		expect(paymentReference(7, id)).toBe(`007123456${checkDigit("007123456")}`);
		expect(paymentReference(999, new Uint8Array(32).fill(255))).toMatch(/^999967295\d$/);
	});

	it("shows by its last digit that one was mistyped", () => {
		const member = fc.nat(999);
		const id = fc.uint8Array({ minLength: 32, maxLength: 32 });
		const isWhole = (reference: string) => checkDigit(reference.slice(0, -1)) === Number(reference.slice(-1));
		fc.assert(
			fc.property(member, id, fc.nat(9), fc.integer({ min: 1, max: 9 }), (household, bytes, at, by) => {
				const reference = paymentReference(household, bytes);
				expect(isWhole(reference)).toBe(true);
				const digit = (Number(reference[at]) + by) % 10;
				expect(isWhole(reference.slice(0, at) + digit + reference.slice(at + 1))).toBe(false);
			}),
		);
	});
});
