/** What is left in the end of what electricity cost and brought. */
import type { BillFigures } from "../../node/protocol.js";

/** Negative: it cost money. */
export function sumMicroNok(figures: BillFigures): number {
	const { utilityIncomeMicroNok, earnedMicroNok, utilityCostMicroNok, paidMicroNok, localFeeMicroNok } = figures;
	return utilityIncomeMicroNok + earnedMicroNok - utilityCostMicroNok - paidMicroNok - localFeeMicroNok;
}
