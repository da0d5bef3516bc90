/**
 * What a payment through the bank is marked with, so that it finds its order: digits as of a Norwegian KID, whose last one
 * is a check digit after module 10. It says nothing that is not on the chain, and is never stored: everybody derives the same.
 */

/** Of the household's index, and of the transaction's id. */
const MEMBER_DIGITS = 3;
const ID_DIGITS = 6;

/**
 * The reference of an order, or of tokens whose money is paid out: ten digits. `id`: of the transaction, at least 4 bytes.
 * Two orders of one household have the same by chance once in a million.
 */
export function paymentReference(member: number, id: Uint8Array): string {
	const number = new DataView(id.buffer, id.byteOffset).getUint32(0) % 10 ** ID_DIGITS;
	const digits = `${member}`.padStart(MEMBER_DIGITS, "0") + `${number}`.padStart(ID_DIGITS, "0");
	return digits + checkDigit(digits);
}

/** Module 10: digits count once and twice by turns, twice at the end; what comes to two digits counts as their sum. */
export function checkDigit(digits: string): number {
	let sum = 0;
	for (const [at, digit] of [...digits].reverse().entries()) {
		const counted = Number(digit) * (at % 2 === 0 ? 2 : 1);
		sum += counted > 9 ? counted - 9 : counted;
	}
	return (10 - (sum % 10)) % 10;
}
