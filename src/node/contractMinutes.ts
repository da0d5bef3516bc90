/**
 * What a contract settled minute by minute, and why it was that and no more. Of its two parties' own minutes only; others
 * appear by what they got of the same surplus.
 */
import { coverageIn } from "../contract/coverage.js";
import type { Contract, Ledger } from "../contract/ledger.js";
import { add } from "../primitives/units.js";
import type { ContractMinute, ContractMinutes, Series, ShareReason } from "./protocol.js";

/** Minutes of a household with the energy of contracts alone. */
type ContractedMinutes = (member: number) => Series;

/** `contracted` gives all members' minutes from `fromMinute` on until `untilMinute`. */
export function contractMinutes(
	ledger: Ledger,
	contract: Contract,
	[fromMinute, untilMinute]: readonly [number, number],
	contracted: ContractedMinutes,
): ContractMinutes {
	const { seller, buyer } = contract;
	const [sold, bought] = [contracted(seller), contracted(buyer)];
	const sellers = ledger.contracts.filter((other) => other.seller === seller && other.index !== contract.index);
	const others = sellers
		.filter((other) => other.fromMinute < untilMinute && other.untilMinute > fromMinute)
		.map((other) => ({ contract: other, member: other.buyer, minutes: contracted(other.buyer), energyWh: 0 }));
	const covers = coverageIn(ledger);
	const settledUntilMinute = ledger.households[seller]?.settledUntilMinute ?? 0;
	const minutes: ContractMinute[] = [];
	for (let at = 0; at < untilMinute - fromMinute; at++) {
		const minute = fromMinute + at;
		if (!covers(contract, minute)) continue;
		const energyWh = bought.boughtWh[at] ?? 0;
		const seen = {
			minute,
			surplusWh: sold.exportWh[at] ?? -1,
			neededWh: bought.importWh[at] ?? -1,
			energyWh,
			// A day of the seller's that was damaged on this device says nothing of what was sold.
			othersWh: Math.max(0, (sold.soldWh[at] ?? 0) - energyWh),
		};
		minutes.push({ ...seen, reason: minute < settledUntilMinute ? reasonOf(contract, seen) : "waiting" });
		for (const other of others) {
			if (covers(other.contract, minute)) other.energyWh = add(other.energyWh, other.minutes.boughtWh[at] ?? 0);
		}
	}
	return { minutes, others: sumByMember(others) };
}

function reasonOf(contract: Contract, seen: Omit<ContractMinute, "reason">): ShareReason {
	const { minute, surplusWh, neededWh, energyWh, othersWh } = seen;
	if (neededWh < 0) return "noBuyerReading";
	if (surplusWh < 0) return "noSellerReading";
	if (neededWh === 0) return "noNeed";
	if (surplusWh === 0) return "noSurplus";
	if (energyWh === neededWh) return "all";
	if (energyWh + othersWh === surplusWh) return othersWh === 0 ? "allSurplus" : "shared";
	// The last Wh of the limit was delivered in this minute, or before it.
	const isUsedUp = contract.energyLimitWh !== 0 && contract.deliveredWh === contract.energyLimitWh;
	if (isUsedUp && minute >= contract.lastDeliveryMinute) return "limit";
	return "unpaidOrLate";
}

function sumByMember(others: readonly { member: number; energyWh: number }[]): ContractMinutes["others"] {
	const sums = new Map<number, number>();
	for (const { member, energyWh } of others) sums.set(member, add(sums.get(member) ?? 0, energyWh));
	return [...sums].filter(([, energyWh]) => energyWh > 0).map(([member, energyWh]) => ({ member, energyWh }));
}
