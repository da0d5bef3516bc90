/** Integers as decimal numbers in text: no floating point on the way. */

export type DecimalString = `${number}`;

/** `value` ÷ 10^`scale` as a decimal string with `decimals` digits, rounded half away from zero. */
export function decimalString(value: number, scale: number, decimals: number): DecimalString {
	const negative = value < 0;
	let digits = BigInt(Math.abs(value));
	if (decimals < scale) {
		const unit = 10n ** BigInt(scale - decimals);
		digits = (digits + unit / 2n) / unit;
	} else digits *= 10n ** BigInt(decimals - scale);
	const text = digits.toString().padStart(decimals + 1, "0");
	const whole = text.slice(0, text.length - decimals);
	const sign = negative && digits !== 0n ? "-" : "";
	return (decimals === 0 ? sign + whole : `${sign}${whole}.${text.slice(text.length - decimals)}`) as DecimalString;
}
