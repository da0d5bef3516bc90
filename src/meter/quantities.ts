/**
 * Quantities by OBIS code (IEC 62056-61), as every format but Kaifa's names them: collected from a telegram's lines, and
 * turned into the fields of its event. Integers throughout: a mantissa and a power of ten.
 */
import { divideFloor } from "../primitives/units.js";
import type { TelegramEvent } from "./telegram.js";

/** No meter's register or power is beyond it; keeps every sum of a few of them a safe integer. */
const MAX_MILLI = 2 ** 50;
const POWERS_OF_TEN = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
/** A register as a whole, and its tariffs. */
const IMPORT_REGISTER = { whole: "1.8.0", tariffs: ["1.8.1", "1.8.2", "1.8.3", "1.8.4"] };
const EXPORT_REGISTER = { whole: "2.8.0", tariffs: ["2.8.1", "2.8.2", "2.8.3", "2.8.4"] };

/** mantissa · 10^exponent, in thousandths; what is finer than a thousandth is left out. Undefined: no meter says that. */
export function toMilli(mantissa: number, exponent: number): number | undefined {
	const shift = exponent + 3;
	const factor = POWERS_OF_TEN[Math.abs(shift)];
	if (!Number.isSafeInteger(mantissa) || factor === undefined) return undefined;
	const magnitude = Math.abs(mantissa);
	const shifted = shift >= 0 ? magnitude * factor : divideFloor(magnitude, factor);
	const milli = mantissa < 0 ? -shifted : shifted;
	return shifted <= MAX_MILLI ? milli : undefined;
}

interface Quantity {
	milli: number;
	stepMilli: number;
}

export class Quantities {
	/** By C.D.E of the code: electricity's, of any channel. The first of each counts. */
	readonly #values = new Map<string, Quantity>();

	/** Notes a power (C.7.0) or an energy (C.8.E). Nonsense is left out. */
	add(code: string, mantissa: number, exponent: number): void {
		const milli = toMilli(mantissa, exponent);
		if (milli === undefined || this.#values.has(code)) return;
		this.#values.set(code, { milli, stepMilli: Math.max(1, toMilli(1, exponent) ?? 1) });
	}

	/** The event's fields. Undefined: no power and no register is among them. */
	fields(): QuantityFields | undefined {
		const imported = this.#register(IMPORT_REGISTER);
		const exported = this.#register(EXPORT_REGISTER);
		const fields = this.#power(exported === undefined);
		if (imported !== undefined) fields.importMilliWh = imported.milli;
		if (exported !== undefined) fields.exportMilliWh = exported.milli;
		const stepMilli = Math.max(imported?.stepMilli ?? 0, exported?.stepMilli ?? 0);
		if (stepMilli > 0) fields.registerStepMilliWh = stepMilli;
		return stepMilli > 0 || fields.importMilliW !== undefined || fields.exportMilliW !== undefined ? fields : undefined;
	}

	/** The whole, or the sum of the tariffs where the meter sends no whole. */
	#register(register: { whole: string; tariffs: readonly string[] }): Quantity | undefined {
		const whole = this.#values.get(register.whole);
		if (whole !== undefined) return whole.milli < 0 ? undefined : whole;
		let sum: Quantity | undefined;
		for (const tariff of register.tariffs) {
			const part = this.#values.get(tariff);
			if (part === undefined || part.milli < 0) continue;
			sum = {
				milli: (sum?.milli ?? 0) + part.milli,
				stepMilli: Math.max(sum?.stepMilli ?? 0, part.stepMilli),
			};
		}
		return sum;
	}

	/**
	 * Both directions; or their difference with its sign, which some meters send as 1.7.0; or, of a meter that counts in one
	 * direction only, the power without direction (15.7.0).
	 */
	#power(isOneWay: boolean): QuantityFields {
		const importMilliW = this.#values.get("1.7.0")?.milli;
		const exportMilliW = this.#values.get("2.7.0")?.milli;
		const netMilliW =
			this.#values.get("16.7.0")?.milli ??
			(exportMilliW === undefined && (importMilliW ?? 0) < 0 ? importMilliW : undefined) ??
			(isOneWay && importMilliW === undefined ? this.#values.get("15.7.0")?.milli : undefined);
		if (netMilliW !== undefined && (importMilliW === undefined || exportMilliW === undefined)) {
			return { importMilliW: Math.max(netMilliW, 0), exportMilliW: Math.max(-netMilliW, 0) };
		}
		const power: QuantityFields = {};
		if (importMilliW !== undefined && importMilliW >= 0) power.importMilliW = importMilliW;
		if (exportMilliW !== undefined && exportMilliW >= 0) power.exportMilliW = exportMilliW;
		return power;
	}
}

/** Whether the three numbers of a code name something that is read here: power, by direction or net; energy, by tariff. */
export function isQuantity(code: string): boolean {
	return /^(?:1[56]\.7\.0|[12]\.(?:7\.0|8\.[0-4]))$/.test(code);
}

type QuantityFields = Pick<
	TelegramEvent,
	"importMilliW" | "exportMilliW" | "importMilliWh" | "exportMilliWh" | "registerStepMilliWh"
>;
