/** The form of a correction, from what was typed to the command, and how a correction is said. */
import type { Command } from "../node/protocol.js";
import type { ContractView, CorrectionView, EndedCorrectionView, StreetView, UnsettledRun } from "../node/view.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { MICRO_NOK_PER_ORE } from "../primitives/units.js";
import { type InputError, parseKroner, parseKwh } from "./amount.js";
import { localOf, minuteOfLocal } from "./calendar.js";
import type { Household } from "./context.js";
import { formatCount, formatEnergy, formatKroner, formatMinute, kronerInput, kwhInput } from "./format.js";
import { memberName } from "./names.js";
import { m } from "./paraglide/messages.js";
import type { Review } from "./review.js";

type CorrectionReason = CorrectionView["reason"];
export type CorrectCommand = Extract<Command, { type: "correct" }>;

export interface CorrectionFields {
	/** Member index; "": none is chosen. */
	counterparty: string;
	/** As fields hold them, `2026-11-23T08:15`; the minute of the latter is not included. */
	from: string;
	until: string;
	reason: CorrectionReason;
	/** kWh; empty: not known. */
	energy: string;
	/** kr; empty: the period is disputed, and no amount proposed. */
	amount: string;
	pays: "self" | "neighbour";
	note: string;
}

export const NO_CORRECTION: CorrectionFields = {
	counterparty: "",
	from: "",
	until: "",
	reason: "wrongRegister",
	energy: "",
	amount: "",
	pays: "neighbour",
	note: "",
};

/**
 * What the form begins with for readings that settled nothing. Where one neighbour alone had a contract then, with what
 * all of them would have cost at its price: how much of it the neighbour had to do with, the two of them know.
 */
export function correctionOfRun(run: UnsettledRun, contracts: readonly ContractView[], self: number): CorrectionFields {
	const { reason, fromMinute, untilMinute, importWh, exportWh } = run;
	const isSold = exportWh > importWh;
	const concerned = contracts.filter(
		(contract) =>
			(isSold ? contract.seller : contract.buyer) === self &&
			contract.fromMinute < untilMinute &&
			fromMinute < contract.untilMinute,
	);
	const [contract] = concerned;
	const energyWh = isSold ? exportWh : importWh;
	const fields: CorrectionFields = {
		...NO_CORRECTION,
		from: localOf(fromMinute),
		until: localOf(untilMinute),
		reason: reason === "late" ? "lateReadings" : "typedRegisters",
		energy: energyWh === 0 ? "" : kwhInput(energyWh),
		pays: isSold ? "neighbour" : "self",
	};
	if (contract === undefined || concerned.length > 1) return fields;
	return {
		...fields,
		counterparty: String(isSold ? contract.buyer : contract.seller),
		amount: energyWh === 0 ? "" : kronerInput(energyWh * contract.priceMicroNokPerWh),
	};
}

export type CorrectionFieldError = (InputError | { code: "bad-date" } | { code: "until-before-from" }) & {
	field: keyof CorrectionFields;
};

/** The correction that the fields describe. */
export function readCorrection(fields: CorrectionFields): Result<CorrectCommand, CorrectionFieldError> {
	if (fields.counterparty === "") return refused({ code: "required", field: "counterparty" });
	const fromMinute = minuteOfLocal(fields.from);
	if (fromMinute === undefined) return refused({ code: "bad-date", field: "from" });
	const untilMinute = minuteOfLocal(fields.until);
	if (untilMinute === undefined) return refused({ code: "bad-date", field: "until" });
	if (untilMinute <= fromMinute) return refused({ code: "until-before-from", field: "until" });
	const energy = fields.energy.trim() === "" ? ok(0) : parseKwh(fields.energy);
	if (!energy.ok) return refused({ ...energy.error, field: "energy" });
	const amount = fields.amount.trim() === "" ? ok(0) : parseKroner(fields.amount);
	if (!amount.ok) return refused({ ...amount.error, field: "amount" });
	const note = fields.note.trim();
	return ok({
		type: "correct",
		counterparty: Number(fields.counterparty),
		fromMinute,
		untilMinute,
		reason: fields.reason,
		energyWh: energy.value,
		amountMicroNok: amount.value,
		isPayer: fields.pays === "self",
		...(note === "" ? {} : { note }),
	});
}

const REASONS: Record<CorrectionReason, () => string> = {
	meterExchanged: m.correction_reason_exchanged,
	wrongRegister: m.correction_reason_wrong,
	typedRegisters: m.correction_reason_typed,
	other: m.correction_reason_other,
	lateReadings: m.correction_reason_late,
};

export const CORRECTION_REASONS: readonly CorrectionReason[] = [
	"wrongRegister",
	"meterExchanged",
	"lateReadings",
	"typedRegisters",
	"other",
];

export function reasonText(reason: CorrectionReason): string {
	return REASONS[reason]();
}

/** How many minutes are shown but not settled, and why. */
export function unsettledText({ late, typed }: StreetView["corrections"]["unsettledMinutes"]): string {
	const texts = [
		...(late === 0 ? [] : [m.unsettled_late({ count: formatCount(late) })]),
		...(typed === 0 ? [] : [m.unsettled_typed({ count: formatCount(typed) })]),
	];
	return texts.join(" · ");
}

/** Of which minutes, and what was read in them. */
export function runText({ fromMinute, untilMinute, importWh, exportWh }: UnsettledRun): string {
	return m.unsettled_run({
		from: formatMinute(fromMinute),
		until: formatMinute(untilMinute),
		import: formatEnergy(importWh),
		export: formatEnergy(exportWh),
	});
}

const OUTCOMES: Record<EndedCorrectionView["outcome"], (said: { time: string }) => string> = {
	agreed: m.correction_was_agreed,
	takenBack: m.correction_was_taken_back,
	lapsed: m.correction_was_lapsed,
};

export function outcomeText(outcome: EndedCorrectionView["outcome"], time: string): string {
	return OUTCOMES[outcome]({ time });
}

/** What a correction is about: who pays whom how much, or that nothing is proposed. */
export function correctionText(
	street: StreetView,
	correction: Pick<CorrectionView, "amountMicroNok" | "counterparty" | "member" | "payer">,
): string {
	const { amountMicroNok, counterparty, member, payer } = correction;
	const name = memberName(street, member);
	const other = memberName(street, counterparty);
	if (amountMicroNok === 0) return m.correction_dispute({ name, other });
	const payee = payer === member ? other : name;
	return m.correction_pays({
		payer: memberName(street, payer),
		payee,
		amount: formatKroner(amountMicroNok),
	});
}

/** Of which period, and why. */
export function periodText(
	correction: Pick<CorrectionView, "fromMinute" | "untilMinute" | "reason" | "energyWh">,
): string {
	const { fromMinute, untilMinute, reason, energyWh } = correction;
	const said = { from: formatMinute(fromMinute), until: formatMinute(untilMinute), reason: reasonText(reason) };
	return energyWh === 0
		? m.correction_period(said)
		: m.correction_period_energy({ ...said, energy: formatEnergy(energyWh) });
}

/** What is proposed, as it is looked at before it is signed. */
export function proposalReview({ client, street }: Household, command: CorrectCommand): Review {
	const { amountMicroNok, counterparty, isPayer } = command;
	const name = memberName(street, counterparty);
	const amount = formatKroner(amountMicroNok);
	const period = periodText(command);
	const says = isPayer ? m.correction_review_pay : m.correction_review_get;
	return {
		title: m.correction_new(),
		sentence: amountMicroNok === 0 ? m.correction_review_dispute({ name, period }) : says({ name, amount, period }),
		confirmLabel: m.correction_send(),
		run: () => client.command(command),
	};
}

/** The neighbour's amount is agreed to: what this household pays is typed again, unless it has parts of an øre. */
export function agreeReview({ client, street }: Household, correction: CorrectionView): Review {
	const { amountMicroNok, id, payer } = correction;
	const isTypedAgain = payer === street.self.index && amountMicroNok % MICRO_NOK_PER_ORE === 0;
	return {
		title: m.correction_agree(),
		sentence: m.correction_agree_review({ what: correctionText(street, correction), period: periodText(correction) }),
		confirmLabel: m.correction_agree(),
		...(isTypedAgain ? { retypeMicroNok: amountMicroNok } : {}),
		run: () => client.command({ type: "answer", correctionId: id, isAgreed: true }),
	};
}

/** It is declined, or of one's own taken back. */
export function refuseReview({ client, street }: Household, correction: CorrectionView, note: string): Review {
	const isOwn = correction.member === street.self.index;
	const label = isOwn ? m.correction_take_back() : m.correction_decline();
	const what = correctionText(street, correction);
	const written = note.trim();
	return {
		title: label,
		sentence: isOwn ? m.correction_take_back_review({ what }) : m.correction_decline_review({ what }),
		confirmLabel: label,
		run: () =>
			client.command({
				type: "answer",
				correctionId: correction.id,
				isAgreed: false,
				...(isOwn || written === "" ? {} : { note: written }),
			}),
	};
}
