/** A meter that nobody can connect: its registers are read by a person, now and then, and spread evenly in between. */
import type { Reading } from "../block/reading.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { MAX_READING_WH, multiplyDivide } from "../primitives/units.js";

/** What a person read. */
export interface TypedRegisters {
	minute: number;
	importWh: number;
	exportWh: number;
}

export type TypedRegistersError =
	| { code: "typed-not-later" }
	| { code: "typed-backwards" }
	| { code: "typed-too-long"; maxMinutes: number }
	/** More than a minute can hold. */
	| { code: "typed-too-much" };

/** The chain takes nothing older than a week. */
export const MAX_TYPED_MINUTES = 10_080;

/** The minutes from one reading of the registers until before the other; their sums are the differences, to the Wh. */
export function spreadTypedRegisters(from: TypedRegisters, to: TypedRegisters): Result<Reading[], TypedRegistersError> {
	const minutes = to.minute - from.minute;
	if (minutes <= 0) return refused({ code: "typed-not-later" });
	if (minutes > MAX_TYPED_MINUTES) return refused({ code: "typed-too-long", maxMinutes: MAX_TYPED_MINUTES });
	const importedWh = to.importWh - from.importWh;
	const exportedWh = to.exportWh - from.exportWh;
	if (importedWh < 0 || exportedWh < 0) return refused({ code: "typed-backwards" });
	if (Math.max(importedWh, exportedWh) > MAX_READING_WH * minutes) return refused({ code: "typed-too-much" });
	const until = (energyWh: number, count: number) => multiplyDivide(energyWh, count, minutes).quotient;
	return ok(
		Array.from({ length: minutes }, (_, at) => ({
			minute: from.minute + at,
			importWh: until(importedWh, at + 1) - until(importedWh, at),
			exportWh: until(exportedWh, at + 1) - until(exportedWh, at),
			quality: "typed",
		})),
	);
}
