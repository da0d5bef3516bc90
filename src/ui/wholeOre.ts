/** A bank pays whole øre; what trades leave is a matter of millionths of a krone. */
const MICRO_NOK_PER_ORE = 10_000;

/** The most whole øre that an amount has, µNOK. */
export function wholeOreOf(amountMicroNok: number): number {
	return amountMicroNok - (amountMicroNok % MICRO_NOK_PER_ORE);
}

/** The fewest whole øre that pay an amount, µNOK. */
export function wholeOreFor(amountMicroNok: number): number {
	return wholeOreOf(amountMicroNok + MICRO_NOK_PER_ORE - 1);
}
