/** Whether the ledger and the reference say the same after a block: what was taken, what settled, and what everybody has. */
import { expect } from "vitest";
import { differenceMicroNok } from "../../src/contract/bank.js";
import { isInUse, type Ledger } from "../../src/contract/ledger.js";
import type { MinuteRest } from "../../src/contract/minuteRests.js";
import { equalBytes } from "../../src/primitives/bytes.js";
import type { ReferenceLedger } from "./referenceLedger.js";
import type { Played } from "./scenario.js";

export function expectAgreement({ executed, reference, expected, taken, allowed }: Played): void {
	const { ledger, results } = executed;
	expect(taken).toEqual(allowed);
	expect(settledOf(results)).toEqual(expected.settled);
	const rests = expected.rests.map(({ interval: _, ...rest }) => rest);
	expect(restsOf(results.rests)).toEqual(rests.sort(byHouseholdAndMinute));
	expect(matchedOf(results)).toEqual(expected.matched);
	expect(householdsOf(ledger)).toEqual(expectedHouseholds(reference));
	expect(contractsOf(ledger)).toEqual(expectedContracts(reference));
	expect(BigInt(ledger.issuedMicroNok)).toBe(reference.issued);
	expect(bankOf(ledger)).toEqual(expectedBank(reference));
	expect(moneyOf(ledger)).toEqual(expectedMoney(reference));
	expect(creditOf(ledger)).toEqual(expectedCredit(reference));
	expect(standingsOf(ledger)).toEqual(expectedStandings(reference));
	expect(betweenOf(ledger)).toEqual(expectedBetween(reference));
}

const bankOf = ({ bank }: Ledger) =>
	bank && {
		member: bank.member,
		difference: BigInt(differenceMicroNok(bank)),
		confirmed: bank.confirmed?.member,
		isOfThis: bank.confirmed !== undefined && equalBytes(bank.confirmed.statementId, bank.id),
	};

const expectedBank = ({ statements, bankDifference, bankConfirmed }: ReferenceLedger) => {
	const last = statements.at(-1);
	return (
		last && {
			member: last.member,
			difference: bankDifference,
			confirmed: bankConfirmed?.member,
			isOfThis: bankConfirmed?.statement === statements.length - 1,
		}
	);
};

const moneyOf = ({ moneyProposal, parameters }: Ledger) => ({
	isPlayMoney: parameters.moneyKind === "trial",
	confirmed: moneyProposal && [...moneyProposal.confirmed],
	from: moneyProposal?.fromMinute,
});

const expectedMoney = ({ isPlayMoney, moneyProposal }: ReferenceLedger) => ({
	isPlayMoney,
	confirmed: moneyProposal && [...moneyProposal.confirmed].sort((a, b) => a - b),
	from: moneyProposal?.from,
});

/** Lines, and what is to be paid, in its order. */
const creditOf = ({ demands, households, nettedMonth }: Ledger) => ({
	lines: households.map(({ creditMicroNok }) => BigInt(creditMicroNok)),
	demands: [...demands.values()].map(({ amountMicroNok, member, month }) => {
		return { member, month, amount: BigInt(amountMicroNok) };
	}),
	nettedMonth,
});

const expectedCredit = ({ demands, lines, month: nettedMonth }: ReferenceLedger) => ({
	lines: [...lines],
	demands: demands.filter(({ isOpen }) => isOpen).map(({ amount, member, month }) => ({ member, month, amount })),
	nettedMonth,
});

export const householdsOf = ({ households }: Ledger) =>
	households.map((household) => ({
		balance: BigInt(household.balanceMicroNok),
		importWh: BigInt(household.importWh),
		exportWh: BigInt(household.exportWh),
		boughtWh: BigInt(household.boughtWh),
		soldWh: BigInt(household.soldWh),
		utilityImportWh: BigInt(household.utilityImportWh),
		utilityExportWh: BigInt(household.utilityExportWh),
	}));

const expectedHouseholds = (reference: ReferenceLedger) =>
	reference.balances.map((balance, member) => ({
		balance,
		importWh: reference.meteredWh(member, "importWh"),
		exportWh: reference.meteredWh(member, "exportWh"),
		boughtWh: reference.boughtWh(member),
		soldWh: reference.soldWh(member),
		utilityImportWh: reference.restWh(member, "importWh"),
		utilityExportWh: reference.restWh(member, "exportWh"),
	}));

export const contractsOf = ({ contracts }: Ledger) =>
	contracts.map(({ seller, buyer, fromMinute, untilMinute, deliveredWh, amountMicroNok }) => ({
		seller,
		buyer,
		fromMinute,
		untilMinute,
		deliveredWh: BigInt(deliveredWh),
		amount: BigInt(amountMicroNok),
	}));

const expectedContracts = (reference: ReferenceLedger) =>
	reference.contracts.map(({ seller, buyer, price, fromMinute, untilMinute }, at) => ({
		seller,
		buyer,
		fromMinute,
		untilMinute,
		deliveredWh: reference.deliveredWh(at),
		amount: reference.deliveredWh(at) * price,
	}));

/** Roles, suspensions and removals, who votes and whose devices are in use, and the money that is on its way out. */
const standingsOf = ({ households, locks, paidOutMicroNok, voters, devices }: Ledger) => ({
	households: households.map(({ appoints, notice, operator, suspended, removal }) => ({
		appoints,
		notice: notice?.kind,
		operator,
		suspended,
		removal: removal && { fromMinute: removal.fromMinute, isOut: removal.completed },
	})),
	voters: [...voters],
	/** At the founding each household has one device. */
	out: devices.filter((device) => !isInUse(device)).map(({ household }) => household),
	locked: [...locks.values()].reduce((sum, { amountMicroNok }) => sum + BigInt(amountMicroNok), 0n),
	paidOut: BigInt(paidOutMicroNok),
});

const expectedStandings = ({
	balances,
	locked,
	operators,
	notices,
	paidOut,
	rebound,
	removals,
	suspended,
	voters,
	votes,
}: ReferenceLedger) => ({
	households: [...balances.keys()].map((member) => {
		const removal = removals.get(member);
		return {
			appoints: votes.get(member),
			notice: notices.get(member)?.kind,
			operator: operators.has(member),
			suspended: suspended.has(member),
			removal: removal && { fromMinute: removal.fromMinute, isOut: removal.isOut },
		};
	}),
	voters: [...voters].sort((a, b) => a - b),
	out: [...balances.keys()].filter((member) => removals.get(member)?.isOut === true || rebound.has(member)),
	locked,
	paidOut,
});

/** What is open between neighbours, in its order. */
const betweenOf = ({ corrections, claims }: Ledger) => ({
	corrections: [...corrections.values()].map(({ member, counterparty, fromMinute, amountMicroNok, declined }) => {
		return { member, counterparty, fromMinute, amount: BigInt(amountMicroNok), isDeclined: declined !== undefined };
	}),
	claims: [...claims.values()].map(({ debtor, creditor, amountMicroNok }) => {
		return { debtor, creditor, amount: BigInt(amountMicroNok) };
	}),
});

const expectedBetween = ({ corrections, claims }: ReferenceLedger) => ({
	corrections: corrections
		.filter(({ isOpen }) => isOpen)
		.map(({ member, counterparty, fromMinute, amount, isDeclined }) => {
			return { member, counterparty, fromMinute, amount, isDeclined };
		}),
	claims: claims
		.filter(({ amount }) => amount > 0n)
		.map(({ debtor, creditor, amount }) => ({ debtor, creditor, amount })),
});

const byHouseholdAndMinute = (a: { household: number; minute: number }, b: { household: number; minute: number }) =>
	a.household - b.household || a.minute - b.minute;

const restsOf = (rests: readonly MinuteRest[]) =>
	rests
		.map((rest) => ({ ...rest, importWh: BigInt(rest.importWh), exportWh: BigInt(rest.exportWh) }))
		.sort(byHouseholdAndMinute);

const settledOf = ({ settled }: Played["executed"]["results"]) =>
	settled.map(({ seller, minute, availableWh, deliveries }) => ({
		seller,
		minute,
		availableWh: BigInt(availableWh),
		deliveries: deliveries.map(({ contract, buyer, energyWh, amountMicroNok }) => ({
			contract,
			buyer,
			energyWh: BigInt(energyWh),
			amount: BigInt(amountMicroNok),
		})),
	}));

const matchedOf = ({ matched }: Played["executed"]["results"]) =>
	matched.map(({ fromMinute, choice, priceMicroNokPerWh, shares }) => ({
		from: fromMinute,
		choice,
		price: priceMicroNokPerWh === undefined ? undefined : BigInt(priceMicroNokPerWh),
		shares: shares.map(({ household, boughtWh, paidMicroNok, soldWh, earnedMicroNok }) => ({
			household,
			boughtWh: BigInt(boughtWh),
			paid: BigInt(paidMicroNok),
			soldWh: BigInt(soldWh),
			earned: BigInt(earnedMicroNok),
		})),
	}));
