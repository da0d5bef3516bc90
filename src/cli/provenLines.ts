/** What a proof file proves, line by line, in plain words. */
import type { Transaction } from "../block/transaction.js";
import type { Contract } from "../contract/ledger.js";
import type { IntervalShare } from "../contract/results.js";
import type { Delivery, SettledMinute } from "../contract/settlement.js";
import type { Proven, ProvenFacts, ProvenTransaction } from "../node/proofFileCheck.js";
import { toHex } from "../primitives/bytes.js";
import { MICRO_NOK_PER_NOK, MICRO_NOK_PER_WH_PER_ORE_PER_KWH, MS_PER_MINUTE } from "../primitives/units.js";

/** One line for each thing. */
export function linesOf(proven: Proven): string[] {
	const { neighbourhood, foundedMs, voterChanges, contracts, blocks } = proven;
	const since = voterChanges === 0 ? "" : `, whose voters have changed ${voterChanges} times since`;
	const named = neighbourhood === undefined ? "a neighbourhood" : neighbourhood;
	return [
		`${named}, founded ${timeOf(foundedMs)}${since}`,
		...contracts.map((contract) => contractLine(contract, proven)),
		...blocks.flatMap((block) => blockLines(block, proven)),
	];
}

function contractLine(contract: Contract, proven: Proven): string {
	const { id, seller, buyer, priceMicroNokPerWh, fromMinute, untilMinute } = contract;
	const period = `from ${minuteTime(fromMinute)} until ${minuteTime(untilMinute)}`;
	const price = `${priceMicroNokPerWh / MICRO_NOK_PER_WH_PER_ORE_PER_KWH} øre/kWh`;
	const parties = `${nameOf(seller, proven)} sells to ${nameOf(buyer, proven)}`;
	return `contract ${toHex(id)}: ${parties} at ${price}, ${period} (offer ${toHex(contract.offerId)})`;
}

function blockLines(block: ProvenFacts, proven: Proven): string[] {
	const { certified, index } = block;
	const { signatures, voters } = certified;
	const where = certified.index === index ? "" : ` of block ${certified.index}, which comes after it`;
	return [
		...block.transactions.map((each) => transactionLine(each, proven)),
		...block.settled.flatMap((minute) => settledLines(minute, proven)),
		...block.shares.map((share) => shareLine(share, proven)),
		`in block ${index} of ${timeOf(block.timestampMs)}, certified by ${signatures} of ${voters} voters${where}`,
	];
}

function settledLines({ seller, minute, availableWh, deliveries }: SettledMinute, proven: Proven): string[] {
	const from = nameOf(seller, proven);
	return [
		`minute ${minuteTime(minute)} settled: ${from} fed in ${availableWh} Wh`,
		...deliveries.map((delivery) => deliveryLine(delivery, from, proven)),
	];
}

function deliveryLine({ contract, buyer, energyWh, amountMicroNok }: Delivery, from: string, proven: Proven): string {
	const known = proven.contracts.find(({ index }) => index === contract);
	const under = known === undefined ? `contract no. ${contract}` : `contract ${toHex(known.id.subarray(0, 8))}`;
	return `delivered: ${energyWh} Wh from ${from} to ${nameOf(buyer, proven)} for ${nok(amountMicroNok)} NOK under ${under}`;
}

function shareLine(share: IntervalShare, proven: Proven): string {
	const { household, boughtWh, paidMicroNok, soldWh, earnedMicroNok, priceMicroNokPerWh: price } = share;
	const period = `${minuteTime(share.fromMinute)} to ${minuteTime(share.untilMinute)}`;
	const at = price === undefined ? "" : ` at ${price / MICRO_NOK_PER_WH_PER_ORE_PER_KWH} øre/kWh`;
	const parts = [
		...(boughtWh === 0 ? [] : [`bought ${boughtWh} Wh for ${nok(paidMicroNok)} NOK`]),
		...(soldWh === 0 ? [] : [`sold ${soldWh} Wh for ${nok(earnedMicroNok)} NOK`]),
	];
	return `market from ${period} (${share.choice}): ${nameOf(household, proven)} ${parts.join(" and ")}${at}`;
}

function transactionLine({ id, transaction, device }: ProvenTransaction, proven: Proven): string {
	const said = sentenceOf(transaction, proven);
	if (transaction.kind === "reading") return `${said}, signed by device no. ${device}`;
	return `${said}, ${transaction.kind} ${toHex(id)}, signed by ${authorOf(transaction, proven)}`;
}

function authorOf(transaction: Transaction, proven: Proven): string {
	return "member" in transaction ? nameOf(transaction.member, proven) : "the household itself";
}

function sentenceOf(transaction: Transaction, proven: Proven): string {
	switch (transaction.kind) {
		case "reading": {
			const { member, minute, importWh, exportWh, quality } = transaction;
			const energy = `took ${importWh} Wh and fed in ${exportWh} Wh`;
			return `reading: ${nameOf(member, proven)} ${energy} in minute ${minuteTime(minute)} (${quality})`;
		}
		case "offer": {
			const price = `${transaction.priceMicroNokPerWh / MICRO_NOK_PER_WH_PER_ORE_PER_KWH} øre/kWh`;
			return `${nameOf(transaction.member, proven)} offers energy at ${price}`;
		}
		case "accept":
			return `${nameOf(transaction.member, proven)} accepts offer ${toHex(transaction.offerId)}`;
		case "buy":
			return `${nameOf(transaction.member, proven)} orders ${nok(transaction.amountMicroNok)} tokens`;
		case "redeem":
			return `${nameOf(transaction.member, proven)} asks for ${nok(transaction.amountMicroNok)} NOK back`;
		case "cancel":
			return `${nameOf(transaction.member, proven)} takes back ${toHex(transaction.orderId)}`;
		case "correct": {
			const { amountMicroNok, counterparty, fromMinute, isPayer, member, untilMinute } = transaction;
			const period = `${minuteTime(fromMinute)} to ${minuteTime(untilMinute)}`;
			const [author, other] = [nameOf(member, proven), nameOf(counterparty, proven)];
			if (amountMicroNok === 0) return `${author} disputes ${period} with ${other}`;
			const [payer, payee] = isPayer ? [author, other] : [other, author];
			return `${author} proposes that ${payer} pays ${payee} ${nok(amountMicroNok)} for ${period}`;
		}
		case "answer": {
			const { correctionId, isAgreed, member } = transaction;
			return `${nameOf(member, proven)} ${isAgreed ? "agrees to" : "says no to"} correction ${toHex(correctionId)}`;
		}
		case "issue": {
			const { amountMicroNok, orderId, reference } = transaction;
			return `${nok(amountMicroNok)} tokens issued for order ${toHex(orderId)}, bank reference ${reference}`;
		}
		case "payout": {
			const { amountMicroNok, lockId, reference } = transaction;
			return `${nok(amountMicroNok)} NOK paid out for ${toHex(lockId)}, bank reference ${reference}`;
		}
		case "bank": {
			const { balanceMicroNok, minute } = transaction;
			return `the bank account held ${nok(balanceMicroNok)} NOK in minute ${minuteTime(minute)}`;
		}
		case "credit": {
			const { creditMicroNok, household, member } = transaction;
			return `${nameOf(member, proven)} sets the credit line of ${nameOf(household, proven)} to ${nok(creditMicroNok)} NOK`;
		}
		case "bankConfirm":
			return `${nameOf(transaction.member, proven)} confirms bank statement ${toHex(transaction.statementId)}`;
		case "money": {
			const { member, proposed } = transaction;
			if (proposed === undefined) return `${nameOf(member, proven)} takes back that tokens are worth NOK`;
			const { moneyKind, reason } = proposed;
			return `${nameOf(member, proven)} proposes tokens worth NOK (${moneyKind}), because: ${reason}`;
		}
		case "moneyConfirm":
			return `${nameOf(transaction.member, proven)} agrees to tokens worth NOK: ${toHex(transaction.proposalId)}`;
		default:
			return `an act of kind ${transaction.kind}`;
	}
}

function nameOf(member: number, { names }: Proven): string {
	return names.get(member) ?? `household no. ${member + 1}`;
}

/** Exactly: a µNOK has six places. */
function nok(amountMicroNok: number): string {
	const whole = Math.floor(amountMicroNok / MICRO_NOK_PER_NOK);
	const micro = String(amountMicroNok % MICRO_NOK_PER_NOK).padStart(6, "0");
	return `${whole}.${micro.slice(0, 2)}${micro.slice(2).replace(/0+$/, "")}`;
}

function minuteTime(minute: number): string {
	return timeOf(minute * MS_PER_MINUTE);
}

function timeOf(timestampMs: number): string {
	return `${new Date(timestampMs).toISOString().slice(0, "2025-02-20T05:20".length).replace("T", " ")} UTC`;
}
