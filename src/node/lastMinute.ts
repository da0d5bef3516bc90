/** What the last minute that settled was made of, of one household: from whom its energy came, to whom it went, at which price. */
import { householdOf } from "../contract/ledger.js";
import { equalBytes } from "../primitives/bytes.js";
import { add } from "../primitives/units.js";
import type { Link } from "./chain.js";
import type { LastMinuteView } from "./view.js";

/** So many minutes with deliveries are remembered until their rest is booked: a seller's minute may settle long before. */
const MAX_DELIVERED = 2_000;

type Delivered = Pick<LastMinuteView, "bought" | "sold">;

export class LastMinute {
	readonly #householdKey: Uint8Array;
	/** Of minutes whose rest is not booked. */
	readonly #delivered = new Map<number, Delivered>();
	#last: LastMinuteView | undefined;

	/** `householdKey`: of which household. */
	constructor(householdKey: Uint8Array) {
		this.#householdKey = householdKey;
	}

	/** Takes in a committed block. */
	add({ ledger, results }: Pick<Link, "ledger" | "results">): void {
		const isOwn = (member: number) => equalBytes(householdOf(ledger, member).publicKey, this.#householdKey);
		for (const { seller, minute, deliveries } of results.settled) {
			for (const { buyer, energyWh, amountMicroNok } of deliveries) {
				if (isOwn(buyer)) this.#deliveredIn(minute).bought.push({ other: seller, energyWh, amountMicroNok });
				if (isOwn(seller)) this.#deliveredIn(minute).sold.push({ other: buyer, energyWh, amountMicroNok });
			}
		}
		for (const { household, minute, importWh, exportWh } of results.rests) {
			if (!isOwn(household)) continue;
			const { bought, sold } = this.#delivered.get(minute) ?? { bought: [], sold: [] };
			this.#delivered.delete(minute);
			if (this.#last !== undefined && this.#last.minute >= minute) continue;
			this.#last = {
				minute,
				importWh: bought.reduce((sum, { energyWh }) => add(sum, energyWh), importWh),
				exportWh: sold.reduce((sum, { energyWh }) => add(sum, energyWh), exportWh),
				bought,
				sold,
				restImportWh: importWh,
				restExportWh: exportWh,
			};
		}
		for (const { fromMinute, untilMinute, shares } of results.matched) {
			const share = shares.find(({ household }) => isOwn(household));
			if (this.#last === undefined || share === undefined) continue;
			const { boughtWh, soldWh, paidMicroNok, earnedMicroNok } = share;
			const matched = { fromMinute, untilMinute, boughtWh, soldWh, paidMicroNok, earnedMicroNok };
			this.#last = { ...this.#last, matched };
		}
	}

	/** Absent: nothing of this household has settled since this device was started. */
	get view(): LastMinuteView | undefined {
		return this.#last;
	}

	#deliveredIn(minute: number): Delivered {
		const known = this.#delivered.get(minute);
		if (known !== undefined) return known;
		const delivered: Delivered = { bought: [], sold: [] };
		this.#delivered.set(minute, delivered);
		const [oldest] = this.#delivered.keys();
		if (this.#delivered.size > MAX_DELIVERED && oldest !== undefined) this.#delivered.delete(oldest);
		return delivered;
	}
}
