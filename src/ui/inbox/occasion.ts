/** What a household wants to be told of without looking for it: what holds now, and what has happened. */
import type { ContractView, ShownMovementView, StreetView } from "../../node/view.js";
import { MINUTES_PER_DAY, MS_PER_MINUTE, minuteOf } from "../../primitives/units.js";
import { BACKLOG_MINUTES, METER_SILENT_MS, meterAgeMs } from "../banners.js";

/** A reason to tell something. It is told again when it comes again after it was gone. */
export type Occasion =
	/** The balance lasts for so many days, 0: it is empty, as the last seven days went. */
	| { type: "lowBalance"; days: number }
	| { type: "contractEnding"; contractId: string; other: number; untilMinute: number }
	/** It cannot be paid. */
	| { type: "contractPaused"; contractId: string; other: number }
	/** It was worse than the utility for seven days. */
	| { type: "contractLoss"; contractId: string; other: number; lossMicroNok: number; buying: boolean }
	/** Tokens were issued, or paid out. */
	| { type: "issued" | "paidOut"; amountMicroNok: number }
	| { type: "refused"; kind: string; code: string }
	/** A neighbour waits for an answer to a correction. */
	| { type: "correction"; other: number }
	/** An operator has proposed tokens worth NOK, and this household has not said yes. */
	| { type: "moneyProposed"; by: number }
	/** A month is over, and the household is to pay what it used on credit. */
	| { type: "bill"; amountMicroNok: number; fromMinute: number }
	| { type: "meterSilent"; sinceMs: number }
	/** Operator: another household's meter. */
	| { type: "neighbourSilent"; member: number; sinceMinute: number }
	| { type: "chainWaiting"; sinceMs: number };

/** An occasion with a name of its own: as long as it is named, it is the same. */
export interface NamedOccasion {
	readonly name: string;
	readonly occasion: Occasion;
	/** It has happened once, and is no state that goes by. */
	readonly isPast: boolean;
}

export const LOW_BALANCE_DAYS = 7;
/** The operator is told of others' meters later than they are: most come back by themselves. */
export const NEIGHBOUR_SILENT_MINUTES = 15;
const SPENT_DAYS = 7;
/** How long before a contract's end: a week, and a day. */
const ENDING_DAYS = [1, 7] as const;

/** All that there is to tell of now, most urgent first. */
export function occasionsOf(street: StreetView, chainNowMs: number): NamedOccasion[] {
	const contracts = street.market.contracts.filter(({ mine }) => mine);
	return [
		...chainOccasions(street, chainNowMs),
		...meterOccasions(street, chainNowMs),
		...billOccasions(street),
		...balanceOccasions(street, chainNowMs),
		...contracts.flatMap((contract) => contractOccasions(street, contract, minuteOf(chainNowMs))),
		...street.corrections.open
			.filter(({ counterparty, declined }) => counterparty === street.self.index && declined === undefined)
			.map(({ id, member }) => state(`correction ${id}`, { type: "correction", other: member })),
		...proposalOccasions(street),
		...street.balance.movements.flatMap(moneyOccasions),
		...street.own.flatMap(({ id, kind, state, code }) =>
			state === "refused" ? [past(`refused ${id}`, { type: "refused", kind, code: code ?? "" })] : [],
		),
	];
}

function state(name: string, occasion: Occasion): NamedOccasion {
	return { name, occasion, isPast: false };
}

function past(name: string, occasion: Occasion): NamedOccasion {
	return { name, occasion, isPast: true };
}

function chainOccasions({ chain }: StreetView, chainNowMs: number): NamedOccasion[] {
	if (chain.waitingMinutes < BACKLOG_MINUTES || chain.sync !== undefined) return [];
	return [state("chainWaiting", { type: "chainWaiting", sinceMs: chainNowMs - chain.waitingMinutes * MS_PER_MINUTE })];
}

function meterOccasions(street: StreetView, chainNowMs: number): NamedOccasion[] {
	const ageMs = meterAgeMs(street, chainNowMs) ?? 0;
	const own: NamedOccasion[] =
		ageMs >= METER_SILENT_MS ? [state("meterSilent", { type: "meterSilent", sinceMs: chainNowMs - ageMs })] : [];
	const latest = new Map<number, number>();
	for (const { member, lastReadingMinute = 0 } of street.operator?.nodes ?? []) {
		latest.set(member, Math.max(lastReadingMinute, latest.get(member) ?? 0));
	}
	const silent = [...latest].filter(
		([member, minute]) =>
			member !== street.self.index && minute > 0 && minuteOf(chainNowMs) - minute > NEIGHBOUR_SILENT_MINUTES,
	);
	// Where nothing comes into blocks, it is not the meters.
	if (street.chain.waitingMinutes >= BACKLOG_MINUTES) return own;
	return [
		...own,
		...silent.map(([member, minute]) =>
			state(`neighbourSilent ${member}`, { type: "neighbourSilent", member, sinceMinute: minute + 1 }),
		),
	];
}

function billOccasions({ balance }: StreetView): NamedOccasion[] {
	return (balance.credit?.demands ?? []).map(({ id, amountMicroNok, fromMinute }) =>
		state(`bill ${id}`, { type: "bill", amountMicroNok, fromMinute }),
	);
}

function balanceOccasions(street: StreetView, chainNowMs: number): NamedOccasion[] {
	const days = daysLeft(street, chainNowMs);
	if (days === undefined || days >= LOW_BALANCE_DAYS) return [];
	// Once within the week, and once more when the last day begins.
	return [state(`lowBalance ${days < 1 ? 1 : LOW_BALANCE_DAYS}`, { type: "lowBalance", days })];
}

/** For how many days the balance lasts, rounded down, as the last seven days went; undefined: nothing was spent. */
export function daysLeft({ balance }: StreetView, chainNowMs: number): number | undefined {
	const nowMinute = minuteOf(chainNowMs);
	let spentMicroNok = 0;
	let firstMinute = nowMinute;
	for (const movement of balance.movements) {
		if (movement.type !== "bought" && movement.type !== "matchedBought") continue;
		// What was spent of trial kroner says nothing of what is now.
		if (movement.isTrial === true) continue;
		if (movement.dayMinute < nowMinute - SPENT_DAYS * MINUTES_PER_DAY) continue;
		spentMicroNok += movement.amountMicroNok;
		firstMinute = Math.min(firstMinute, movement.dayMinute);
	}
	if (spentMicroNok === 0) return undefined;
	// A household that began to buy this morning has not bought for a week.
	const overDays = Math.max(1, Math.ceil((nowMinute - firstMinute) / MINUTES_PER_DAY));
	return Math.floor((balance.balanceMicroNok * overDays) / spentMicroNok);
}

function contractOccasions({ self }: StreetView, contract: ContractView, nowMinute: number): NamedOccasion[] {
	const { id: contractId, seller, buyer, fromMinute, untilMinute, state: standing, lossMicroNok } = contract;
	const buying = buyer === self.index;
	const other = buying ? seller : buyer;
	const occasions: NamedOccasion[] = [];
	const isOver = standing === "ended" || standing === "over" || standing === "usedUp";
	const leftMinutes = untilMinute - nowMinute;
	const days = ENDING_DAYS.find((each) => leftMinutes <= each * MINUTES_PER_DAY);
	if (!isOver && days !== undefined && untilMinute - fromMinute > days * MINUTES_PER_DAY) {
		occasions.push(
			state(`contractEnding ${contractId} ${days}`, { type: "contractEnding", contractId, other, untilMinute }),
		);
	}
	if (standing === "paused" && buying) {
		occasions.push(state(`contractPaused ${contractId}`, { type: "contractPaused", contractId, other }));
	}
	if (lossMicroNok !== undefined) {
		occasions.push(
			state(`contractLoss ${contractId}`, { type: "contractLoss", contractId, other, lossMicroNok, buying }),
		);
	}
	return occasions;
}

function proposalOccasions({ moneyProposal, self }: StreetView): NamedOccasion[] {
	if (moneyProposal?.awaited.includes(self.index) !== true) return [];
	return [state(`moneyProposed ${moneyProposal.id}`, { type: "moneyProposed", by: moneyProposal.proposedBy })];
}

function moneyOccasions(movement: ShownMovementView): NamedOccasion[] {
	if ((movement.type !== "issued" && movement.type !== "paidOut") || movement.isTrial === true) return [];
	const { type, amountMicroNok, timestampMs, id = String(timestampMs) } = movement;
	return [past(`${type} ${id}`, { type, amountMicroNok })];
}
