import { QUALITIES } from "../reading.js";
import { energyWh, member, minute, oneOf } from "./fields.js";
import { kindOf, type TransactionOf } from "./kind.js";

/** A metering device's reading of one minute. */
export const READING = kindOf("reading", {
	member,
	minute,
	importWh: energyWh,
	exportWh: energyWh,
	quality: oneOf(QUALITIES),
});
export type ReadingTransaction = TransactionOf<typeof READING>;
