/**
 * Numbers of bank accounts, as people type and read them: Norwegian ones by themselves (eleven digits, the last one a check
 * digit after module 11), and those of all countries as IBAN (ISO 13616, checked after ISO 7064 module 97).
 */
import { ok, type Result, refused } from "./result.js";

export type BankAccountError =
	| { code: "account-missing" }
	/** Neither digits alone, nor a country, two check digits and what follows. */
	| { code: "account-unknown-form" }
	/** `length`: how many digits, or letters and digits, it has to have. */
	| { code: "account-too-short"; length: number }
	| { code: "account-too-long"; length: number }
	/** A digit is wrong, or two have changed places. */
	| { code: "account-check-digit" };

const NORWEGIAN_DIGITS = 11;
/** From the first digit on; the check digit counts once. */
const NORWEGIAN_WEIGHTS = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1];

/** By country (registry of ISO 13616); others have between the two lengths below. */
const IBAN_LENGTHS: Readonly<Record<string, number>> = {
	...{ NO: 15, DK: 18, FI: 18, FO: 18, GL: 18, SE: 24, IS: 26 },
	...{ EE: 20, LV: 21, LT: 20, DE: 22, NL: 18, GB: 22, PL: 28, ES: 24, FR: 27, BE: 16, AT: 20, CH: 21, IE: 22 },
};
const MIN_IBAN_LENGTH = 15;
/** The longest name of its holder that banks take. */
export const MAX_HOLDER_LENGTH = 70;
/** The longest number of an account. */
export const MAX_ACCOUNT_LENGTH = 34;

/** The number that a person typed, without what was between its digits: as it is kept, sent and compared. */
export function parseBankAccount(text: string): Result<string, BankAccountError> {
	const number = text.replace(/[\s.-]/gu, "").toUpperCase();
	const error = errorOf(number);
	return error === undefined ? ok(number) : refused(error);
}

/** Whether this is a number as `parseBankAccount` gives it. */
export function isBankAccount(text: string): boolean {
	return errorOf(text) === undefined;
}

/** As it is read aloud and typed: 1234 56 78903, and an IBAN in fours. */
export function formatBankAccount(number: string): string {
	const groups = isNorwegian(number) ? /^(\d{4})(\d{2})(\d{5})$/u.exec(number)?.slice(1) : number.match(/.{1,4}/gu);
	return (groups ?? [number]).join(" ");
}

function isNorwegian(number: string): boolean {
	return /^\d+$/u.test(number);
}

function errorOf(number: string): BankAccountError | undefined {
	if (number === "") return { code: "account-missing" };
	if (isNorwegian(number)) {
		return lengthError(number, NORWEGIAN_DIGITS) ?? (isNorwegianRight(number) ? undefined : WRONG_DIGIT);
	}
	if (!/^[A-Z]{2}(?:\d{0,2}|\d{2}[A-Z0-9]+)$/u.test(number)) return { code: "account-unknown-form" };
	const country = number.slice(0, 2);
	const error = lengthError(number, IBAN_LENGTHS[country]);
	if (error !== undefined) return error;
	if (!isIbanRight(number)) return WRONG_DIGIT;
	return country === "NO" && !isNorwegianRight(number.slice(4)) ? WRONG_DIGIT : undefined;
}

const WRONG_DIGIT: BankAccountError = { code: "account-check-digit" };

/** `length`: undefined where a country's is not known here. */
function lengthError(number: string, length: number | undefined): BankAccountError | undefined {
	const [min, max] = [length ?? MIN_IBAN_LENGTH, length ?? MAX_ACCOUNT_LENGTH];
	if (number.length < min) return { code: "account-too-short", length: min };
	return number.length > max ? { code: "account-too-long", length: max } : undefined;
}

/** Eleven zeros add up as well, and are nobody's account. */
function isNorwegianRight(number: string): boolean {
	const digits = [...number].map(Number);
	const sum = digits.reduce((all, digit, at) => all + digit * (NORWEGIAN_WEIGHTS[at] ?? 0), 0);
	return sum > 0 && sum % 11 === 0;
}

/** The country and check digits come last, letters count from A = 10, and the whole leaves 1 after division by 97. */
function isIbanRight(number: string): boolean {
	// 97 to 99 leave the same as 00 to 02: only 02 to 98 are ever given out.
	const check = Number(number.slice(2, 4));
	if (check < 2 || check > 98) return false;
	let rest = 0;
	for (const character of number.slice(4) + number.slice(0, 4)) {
		const value = Number.parseInt(character, 36);
		rest = (rest * (value < 10 ? 10 : 100) + value) % 97;
	}
	return rest === 1;
}
