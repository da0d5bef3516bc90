/** What a proof file proves, line by line, in the language of the page. */
import type { Contract } from "../../contract/ledger.js";
import type { SettledMinute } from "../../contract/settlement.js";
import type { Proven, ProvenFacts } from "../../node/proofFileCheck.js";
import { MS_PER_MINUTE } from "../../primitives/units.js";
import { formatDate, formatEnergy, formatKronerNumber, formatPrice, formatTime } from "../format.js";
import { ruleName } from "../marketRule.js";
import { m } from "../paraglide/messages.js";
import { householdName, minuteText, shortHash, timeText, transactionText } from "../transactionText.js";

export function provenLines(proven: Proven): string[] {
	const { neighbourhood, foundedMs, contracts, blocks, voterChanges } = proven;
	const date = formatDate(foundedMs);
	return [
		neighbourhood === undefined ? m.verify_founded({ date }) : m.verify_neighbourhood({ name: neighbourhood, date }),
		...(voterChanges === 0 ? [] : [m.verify_voter_changes({ n: voterChanges })]),
		...contracts.map((contract) => contractLine(contract, proven)),
		...blocks.flatMap((block) => blockLines(block, proven)),
	];
}

function contractLine(contract: Contract, proven: Proven): string {
	return m.verify_contract({
		id: shortHash(contract.id),
		seller: nameOf(contract.seller, proven),
		buyer: nameOf(contract.buyer, proven),
		price: formatPrice(contract.priceMicroNokPerWh),
		from: minuteText(contract.fromMinute),
		until: minuteText(contract.untilMinute),
	});
}

function blockLines(block: ProvenFacts, proven: Proven): string[] {
	const { signatures, voters, index } = block.certified;
	const said = { index: block.index, time: timeText(block.timestampMs), signatures, voters };
	return [
		...block.transactions.map(({ transaction }) => transactionText(transaction, proven.names)),
		...block.settled.flatMap((minute) => deliveryLines(minute, proven)),
		...block.shares.flatMap((share) => shareLines(share, proven)),
		index === block.index ? m.verify_block(said) : m.verify_block_below({ ...said, above: index }),
	];
}

function deliveryLines({ seller, minute, deliveries }: SettledMinute, proven: Proven): string[] {
	return deliveries.map(({ buyer, energyWh, amountMicroNok }) =>
		m.verify_delivery({
			seller: nameOf(seller, proven),
			buyer: nameOf(buyer, proven),
			energy: formatEnergy(energyWh),
			minute: minuteText(minute),
			amount: formatKronerNumber(amountMicroNok, 6),
		}),
	);
}

function shareLines(share: ProvenFacts["shares"][number], proven: Proven): string[] {
	const { household, boughtWh, paidMicroNok, soldWh, earnedMicroNok } = share;
	const of = {
		name: nameOf(household, proven),
		from: minuteText(share.fromMinute),
		until: formatTime(share.untilMinute * MS_PER_MINUTE),
		rule: ruleName(share.choice),
	};
	const amount = (microNok: number) => formatKronerNumber(microNok, 6);
	return [
		...(boughtWh === 0
			? []
			: [m.verify_share_bought({ ...of, energy: formatEnergy(boughtWh), amount: amount(paidMicroNok) })]),
		...(soldWh === 0
			? []
			: [m.verify_share_sold({ ...of, energy: formatEnergy(soldWh), amount: amount(earnedMicroNok) })]),
	];
}

function nameOf(member: number, { names }: Proven): string {
	return householdName(member, names);
}
