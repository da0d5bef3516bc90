/**
 * The statement of a month or a year: what a household's tokens did, reckoned from its account, and what its meter and the
 * utility's prices say of the same minutes. Of the two only the tokens are the ledger's; what the utility and the grid
 * take is for information. Energy counts in the minute in which it flowed.
 */
import { awaitsMatching } from "../contract/automaticMarket.js";
import { nextCoveredMinute } from "../contract/coverage.js";
import { contractOf, householdOf, type Ledger } from "../contract/ledger.js";
import { assert } from "../primitives/assert.js";
import { toHex } from "../primitives/bytes.js";
import { add, minuteOf } from "../primitives/units.js";
import type { Link } from "./chain.js";
import type { Period } from "./periods.js";
import type { BillFigures, PeriodStatement, StatementContract, StatementFigures, StatementMonth } from "./protocol.js";
import { type Account, changeOf } from "./statement.js";

/** A month, or what of it lies in the period. */
export interface StatedMonth extends Period {
	readonly account: Account;
	/** Of its minutes that have ended. */
	readonly bill: BillFigures;
}

/** `account`: of the whole period, whose months they are, ascending. `head`: the block that it is made at. */
export function periodStatementOf(
	member: number,
	{ fromMinute, untilMinute }: Period,
	account: Account,
	months: readonly StatedMonth[],
	{ block, hash, ledger }: Pick<Link, "block" | "hash" | "ledger">,
): PeriodStatement {
	const { name, publicKey, joinedMinute } = householdOf(ledger, member);
	const stated = months.map((month): StatementMonth => {
		const figures = figuresOf(month.account, month.bill, countMemberMinutes(ledger, member, month));
		return { fromMinute: month.fromMinute, untilMinute: month.untilMinute, ...figures };
	});
	const bill = sumOf(months.map((month) => month.bill));
	const { keptFromMs, gaps, movements } = account;
	const isPartlyKept = Math.max(fromMinute, joinedMinute) < minuteOf(keptFromMs);
	return {
		fromMinute,
		untilMinute,
		gridId: toHex(ledger.gridId),
		neighbourhood: ledger.parameters.name,
		household: { name, id: toHex(publicKey) },
		head: { index: block.index, hash: toHex(hash), timestampMs: block.timestampMs },
		total: figuresOf(account, bill, countMemberMinutes(ledger, member, { fromMinute, untilMinute })),
		months: stated,
		contracts: contractsOf(account, ledger),
		transfers: movements.flatMap((movement) => ("reference" in movement ? [movement] : [])),
		gaps,
		...(isPartlyKept ? { keptFromMs } : {}),
		isOver: untilMinute <= minuteOf(ledger.timestampMs),
		isSettled: !awaitsSettlement(ledger, member, untilMinute),
	};
}

/** The minutes of a period that have ended, and in which the household was a member; maybe none. */
export function memberMinutes(ledger: Ledger, member: number, { fromMinute, untilMinute }: Period): Period {
	const { joinedMinute, removal } = householdOf(ledger, member);
	const from = Math.max(fromMinute, joinedMinute);
	const until = Math.min(untilMinute, minuteOf(ledger.timestampMs), removal?.fromMinute ?? untilMinute);
	return { fromMinute: from, untilMinute: Math.max(from, until) };
}

/** How many they are. */
export function countMemberMinutes(ledger: Ledger, member: number, period: Period): number {
	const { fromMinute, untilMinute } = memberMinutes(ledger, member, period);
	return untilMinute - fromMinute;
}

function figuresOf({ movements, others, ...balances }: Account, bill: BillFigures, minutes: number) {
	const figures: StatementFigures = {
		openingMicroNok: balances.openingMicroNok,
		closingMicroNok: balances.closingMicroNok,
		issuedMicroNok: 0,
		paidOutMicroNok: 0,
		boughtWh: 0,
		boughtMicroNok: 0,
		soldWh: 0,
		soldMicroNok: 0,
		matchedBoughtWh: 0,
		matchedBoughtMicroNok: 0,
		matchedSoldWh: 0,
		matchedSoldMicroNok: 0,
		correctionReceivedMicroNok: 0,
		correctionPaidMicroNok: 0,
		creditGrantedMicroNok: 0,
		creditWithdrawnMicroNok: 0,
		otherInMicroNok: others.reduce((sum, { inMicroNok }) => add(sum, inMicroNok), 0),
		otherOutMicroNok: others.reduce((sum, { outMicroNok }) => add(sum, outMicroNok), 0),
		unknownMicroNok: 0,
		grossSalesMicroNok: 0,
		minutes,
		measuredMinutes: bill.minutes,
		importWh: bill.importWh,
		exportWh: bill.exportWh,
		fromUtilityWh: bill.fromUtilityWh,
		toUtilityWh: bill.toUtilityWh,
		utilityCostMicroNok: bill.utilityCostMicroNok,
		utilityIncomeMicroNok: bill.utilityIncomeMicroNok,
		localFeeMicroNok: bill.localFeeMicroNok,
	};
	let known = figures.otherInMicroNok - figures.otherOutMicroNok;
	for (const movement of movements) {
		known += changeOf(movement);
		if (movement.type === "carried") continue;
		const amount = `${movement.type}MicroNok` as const;
		figures[amount] = add(figures[amount], movement.amountMicroNok);
		if (!("energyWh" in movement)) continue;
		const energy = `${movement.type}Wh` as const;
		figures[energy] = add(figures[energy], movement.energyWh);
	}
	figures.grossSalesMicroNok = add(figures.soldMicroNok, figures.matchedSoldMicroNok);
	// What tokens did in blocks that never came here.
	figures.unknownMicroNok = figures.closingMicroNok - figures.openingMicroNok - known;
	return figures;
}

function contractsOf({ movements }: Account, ledger: Ledger): StatementContract[] {
	const sums = new Map<string, StatementContract>();
	for (const movement of movements) {
		if (!("contractId" in movement)) continue;
		const { contractId, type, other, energyWh, amountMicroNok } = movement;
		const sum = sums.get(contractId);
		const price = ledger.contracts.find(({ id }) => toHex(id) === contractId)?.priceMicroNokPerWh;
		sums.set(contractId, {
			contractId,
			type,
			otherName: ledger.households[other]?.name ?? "",
			...(price === undefined ? {} : { priceMicroNokPerWh: price }),
			energyWh: add(sum?.energyWh ?? 0, energyWh),
			amountMicroNok: add(sum?.amountMicroNok ?? 0, amountMicroNok),
		});
	}
	return [...sums.values()];
}

/** Whether minutes before one may still come to cost a household something, or bring it something. */
export function awaitsSettlement(ledger: Ledger, member: number, beforeMinute: number): boolean {
	if (awaitsMatching(ledger, member, beforeMinute)) return true;
	return ledger.liveContracts.some((index) => {
		const contract = contractOf(ledger, index);
		if (contract.buyer !== member && contract.seller !== member) return false;
		const { settledUntilMinute } = householdOf(ledger, contract.seller);
		return (nextCoveredMinute(ledger, contract, settledUntilMinute) ?? beforeMinute) < beforeMinute;
	});
}

function sumOf(bills: readonly BillFigures[]): BillFigures {
	const [first, ...others] = bills;
	assert(first !== undefined, "a period of which an account is kept has a month of which one is");
	const sum = { ...first };
	for (const bill of others) {
		for (const field of Object.keys(sum) as (keyof BillFigures)[]) sum[field] = add(sum[field], bill[field]);
	}
	return sum;
}
