/** A contract's minutes by the hour, for a day's list. */
import type { ContractMinute } from "../node/protocol.js";
import { MINUTES_PER_HOUR } from "../primitives/units.js";

export interface ContractHour {
	/** First minute of the clock's hour. */
	fromMinute: number;
	energyWh: number;
	/** Of minutes with a reading. */
	neededWh: number;
	minutes: readonly ContractMinute[];
}

/** Hours with at least one of the minutes, which are ascending; hours of all clocks of Europe begin with one of UTC. */
export function contractHours(minutes: readonly ContractMinute[]): ContractHour[] {
	const hours: (ContractHour & { minutes: ContractMinute[] })[] = [];
	for (const each of minutes) {
		const fromMinute = each.minute - (each.minute % MINUTES_PER_HOUR);
		let hour = hours.at(-1);
		if (hour?.fromMinute !== fromMinute) {
			hour = { fromMinute, energyWh: 0, neededWh: 0, minutes: [] };
			hours.push(hour);
		}
		hour.energyWh += each.energyWh;
		hour.neededWh += Math.max(0, each.neededWh);
		hour.minutes.push(each);
	}
	return hours;
}
