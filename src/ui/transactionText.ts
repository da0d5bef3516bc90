/** What was signed, transaction by transaction, in plain words and with the names that its reader knows. */
import type { Quality } from "../block/reading.js";
import type { Transaction } from "../block/transaction.js";
import { toHex } from "../primitives/bytes.js";
import { MS_PER_MINUTE } from "../primitives/units.js";
import { formatDate, formatEnergy, formatHash, formatKronerNumber, formatPrice, formatTime } from "./format.js";
import { moneyKindName } from "./moneyKind.js";
import { kindText } from "./names.js";
import { m } from "./paraglide/messages.js";

/** Names of households by their member indices, as far as they are known. */
export type Names = ReadonlyMap<number, string>;

/** Groups of an id that tell a household's acts apart. */
const SHORT_GROUPS = 4;

export function transactionText(transaction: Transaction, names: Names): string {
	const name = "member" in transaction ? householdName(transaction.member, names) : "";
	switch (transaction.kind) {
		case "reading":
			return m.verify_reading({
				name,
				imported: formatEnergy(transaction.importWh),
				exported: formatEnergy(transaction.exportWh),
				minute: minuteText(transaction.minute),
				quality: qualityText(transaction.quality),
			});
		case "offer":
			return m.verify_offer({ name, price: formatPrice(transaction.priceMicroNokPerWh) });
		case "accept":
			return m.verify_accept({ name, id: shortHash(transaction.offerId) });
		case "buy":
			return m.verify_order({ name, amount: formatKronerNumber(transaction.amountMicroNok, 6) });
		case "redeem":
			return m.verify_redeem({ name, amount: formatKronerNumber(transaction.amountMicroNok, 6) });
		case "cancel":
			return m.verify_cancel({ name, id: shortHash(transaction.orderId) });
		case "correct": {
			const other = householdName(transaction.counterparty, names);
			const from = minuteText(transaction.fromMinute);
			const until = minuteText(transaction.untilMinute);
			if (transaction.amountMicroNok === 0) return m.verify_dispute({ name, other, from, until });
			const [payer, payee] = transaction.isPayer ? [name, other] : [other, name];
			const amount = formatKronerNumber(transaction.amountMicroNok, 6);
			return m.verify_correct({ name, payer, payee, amount, from, until });
		}
		case "answer": {
			const id = shortHash(transaction.correctionId);
			return transaction.isAgreed ? m.verify_agree({ name, id }) : m.verify_decline({ name, id });
		}
		case "issue":
			return m.verify_issue({
				name,
				amount: formatKronerNumber(transaction.amountMicroNok, 6),
				id: shortHash(transaction.orderId),
				reference: transaction.reference,
			});
		case "payout":
			return m.verify_payout({
				name,
				amount: formatKronerNumber(transaction.amountMicroNok, 6),
				id: shortHash(transaction.lockId),
				reference: transaction.reference,
			});
		case "bank":
			return m.verify_bank({
				name,
				amount: formatKronerNumber(transaction.balanceMicroNok, 6),
				minute: minuteText(transaction.minute),
			});
		case "credit": {
			const household = householdName(transaction.household, names);
			return m.verify_credit({ name, household, amount: formatKronerNumber(transaction.creditMicroNok, 6) });
		}
		case "bankConfirm":
			return m.verify_bank_confirm({ name, id: shortHash(transaction.statementId) });
		case "end":
			return m.verify_end({ name, id: shortHash(transaction.contractId) });
		case "withdraw":
			return m.verify_withdraw({ name, id: shortHash(transaction.offerId) });
		case "limits":
			return m.verify_limits({ name });
		case "leave":
			return m.verify_leave({ name });
		case "join":
			return m.verify_join({ name: transaction.name });
		case "money": {
			const { proposed } = transaction;
			return proposed === undefined
				? m.verify_money_back({ name })
				: m.verify_money({ name, kind: moneyKindName(proposed.moneyKind), reason: proposed.reason });
		}
		case "moneyConfirm":
			return m.verify_money_confirm({ name, id: shortHash(transaction.proposalId) });
		default:
			return m.verify_act({ name, kind: kindText(transaction.kind) });
	}
}

function qualityText(quality: Quality): string {
	switch (quality) {
		case "measured":
			return m.verify_quality_measured();
		case "estimated":
			return m.verify_quality_estimated();
		case "catch-up":
			return m.verify_quality_catch_up();
		case "gap":
			return m.verify_quality_gap();
		case "simulated":
			return m.verify_quality_simulated();
		case "typed":
			return m.verify_quality_typed();
	}
}

export function householdName(member: number, names: Names): string {
	return names.get(member) ?? m.verify_household({ n: member + 1 });
}

export function shortHash(id: Uint8Array): string {
	return formatHash(toHex(id), SHORT_GROUPS);
}

export function minuteText(minute: number): string {
	return timeText(minute * MS_PER_MINUTE);
}

/** With the year: a proof is looked at long after. */
export function timeText(timestampMs: number): string {
	return `${formatDate(timestampMs)} ${formatTime(timestampMs)}`;
}
