/** From a person's command to the transaction that is signed. */
import * as v from "valibot";
import {
	MAX_REASON_LENGTH,
	MAX_REFERENCE_LENGTH,
	nameShape,
	note as noteShape,
	reason as reasonShape,
} from "../block/fieldShapes.js";
import { type IceServerFault, iceServersFault } from "../block/iceServer.js";
import { MAX_CORRECTED_WH } from "../block/kinds/correcting.js";
import { MAX_TARIFF_STEPS } from "../block/kinds/trading.js";
import { isSchedule } from "../block/schedule.js";
import type { Transaction, Unsigned } from "../block/transaction.js";
import type { Device } from "../contract/ledger.js";
import { fromHex } from "../primitives/bytes.js";
import { ok, type Result, refused } from "../primitives/result.js";
import {
	MAX_AMOUNT_MICRO_NOK,
	MAX_MINUTE,
	MAX_NOTICE_MINUTES,
	MAX_PRICE_MICRO_NOK_PER_WH,
	MIN_PRICE_MICRO_NOK_PER_WH,
	MINUTES_PER_DAY,
} from "../primitives/units.js";
import { decodeClaim } from "./claim.js";
import type { Command } from "./protocol.js";

/** Commands that become a transaction with a nonce. */
export type ActCommand = Extract<
	Command,
	{
		type:
			| ("offer" | "withdraw" | "accept" | "end" | "buy" | "issue" | "voters")
			| ("revoke" | "iceServers" | "rename" | "role" | "suspend" | "remove" | "payout" | "appoint")
			| ("rebind" | "contest" | "redeem" | "cancel" | "leave")
			| ("limits" | "market" | "tariff" | "bank" | "bankConfirm" | "correct" | "answer" | "money" | "moneyConfirm")
			| "credit";
	}
>;

export type ActError =
	| { code: "bad-id" }
	| { code: "bad-price"; min: number; max: number }
	| { code: "bad-amount"; max: number }
	| { code: "bad-notice"; max: number }
	| { code: "bad-period" }
	| { code: "bad-schedule" }
	| { code: "unknown-device"; device: number }
	| { code: "bad-reference" }
	| { code: "bad-reason"; max: number }
	| { code: "bad-claim" }
	| { code: "bad-name" }
	| { code: "bad-note" }
	| { code: "bad-energy"; max: number }
	| { code: "bad-ice-server"; field: IceServerFault };

const ACTS: ReadonlySet<Command["type"]> = new Set<ActCommand["type"]>([
	...(["offer", "withdraw", "accept", "end", "buy", "issue", "voters"] as const),
	...(["revoke", "iceServers", "rename", "role", "suspend", "remove", "payout", "appoint"] as const),
	...(["rebind", "contest", "redeem", "cancel", "leave", "limits", "market", "tariff"] as const),
	...(["bank", "bankConfirm", "correct", "answer", "money", "moneyConfirm", "credit"] as const),
]);

/** An order that was not taken into a block in this time never will be. */
const EXPIRY_MINUTES = MINUTES_PER_DAY;

export function isActCommand(command: Command): command is ActCommand {
	return ACTS.has(command.type);
}

/** Fills in a transaction. What a person typed is checked here, so that nothing malformed is ever signed. */
export function createAct(
	command: ActCommand,
	member: number,
	nonce: number,
	minute: number,
	devices: readonly Device[],
): Result<Unsigned<Transaction>, ActError> {
	const expiryMinute = minute + EXPIRY_MINUTES;
	switch (command.type) {
		case "offer":
			return createOffer(command, member, nonce);
		case "withdraw":
			return withId(command.offerId, (offerId) => ({ kind: "withdraw", member, nonce, offerId }));
		case "accept":
			return withId(command.offerId, (offerId) => ({ kind: "accept", member, nonce, expiryMinute, offerId }));
		case "end":
			return withId(command.contractId, (contractId) => ({ kind: "end", member, nonce, contractId }));
		case "buy":
		case "redeem": {
			const { amountMicroNok, type } = command;
			if (!isWithin(amountMicroNok, 1, MAX_AMOUNT_MICRO_NOK)) return refused(BAD_AMOUNT);
			return ok({ kind: type, member, nonce, expiryMinute, amountMicroNok });
		}
		case "cancel":
			return withId(command.orderId, (orderId) => ({ kind: "cancel", member, nonce, orderId }));
		case "leave":
			return ok({ kind: "leave", member, nonce });
		case "limits":
			return createLimits(command, member, nonce);
		case "market": {
			const { choice, fromMinute } = command;
			return isWithin(fromMinute, 0, MAX_MINUTE)
				? ok({ kind: "market", member, nonce, choice, fromMinute })
				: refused({ code: "bad-period" });
		}
		case "tariff":
			return createTariff(command, member, nonce);
		case "bank":
			return createBank(command, member, nonce, expiryMinute);
		case "bankConfirm":
			return withId(command.statementId, (statementId) => ({ kind: "bankConfirm", member, nonce, statementId }));
		case "correct":
			return createCorrection(command, member, nonce, expiryMinute);
		case "answer": {
			const { correctionId, isAgreed, note } = command;
			if (!isNote(note)) return refused({ code: "bad-note" });
			return withId(correctionId, (id) => ({
				kind: "answer",
				member,
				nonce,
				expiryMinute,
				correctionId: id,
				isAgreed,
				note,
			}));
		}
		case "money": {
			const { proposed } = command;
			const isReason = proposed === undefined || v.safeParse(reasonShape, proposed.reason).success;
			return isReason
				? ok({ kind: "money", member, nonce, expiryMinute, proposed })
				: refused({ code: "bad-reason", max: MAX_REASON_LENGTH });
		}
		case "credit": {
			const { household, creditMicroNok } = command;
			if (!isWithin(creditMicroNok, 0, MAX_AMOUNT_MICRO_NOK)) return refused(BAD_AMOUNT);
			return ok({ kind: "credit", member, nonce, expiryMinute, household, creditMicroNok });
		}
		case "moneyConfirm":
			return withId(command.proposalId, (proposalId) => ({
				kind: "moneyConfirm",
				member,
				nonce,
				expiryMinute,
				proposalId,
			}));
		case "voters":
			return createVoterChange(command, member, nonce, devices);
		case "revoke": {
			const { device } = command;
			if (devices[device] === undefined) return refused({ code: "unknown-device", device });
			return ok({ kind: "revoke", member, nonce, device });
		}
		case "iceServers": {
			const { servers } = command;
			const fault = iceServersFault(servers);
			if (fault !== undefined) return refused({ code: "bad-ice-server", field: fault });
			return ok({ kind: "iceServers", member, nonce, servers });
		}
		case "rename": {
			const { household, name } = command;
			const isName = v.safeParse(nameShape, name).success;
			return isName ? ok({ kind: "rename", member, nonce, household, name }) : refused({ code: "bad-name" });
		}
		case "role":
			return ok({ kind: "role", member, nonce, household: command.household, operator: command.operator });
		case "suspend":
			return ok({ kind: "suspend", member, nonce, household: command.household, suspended: command.suspended });
		case "appoint":
			return ok({ kind: "appoint", member, nonce, household: command.household });
		case "rebind": {
			const claim = decodeClaim(command.claim);
			return claim.ok ? ok({ kind: "rebind", member, nonce, household: command.household, ...claim.value }) : claim;
		}
		case "contest":
			return ok({ kind: "contest", member, nonce, household: command.household });
		case "remove":
			return ok({ kind: "remove", member, nonce, household: command.household });
		case "issue":
			return withTransfer(command, command.orderId, (orderId, transfer) => ({
				kind: "issue",
				member,
				nonce,
				expiryMinute,
				orderId,
				...transfer,
			}));
		case "payout":
			return withTransfer(command, command.lockId, (lockId, transfer) => ({
				kind: "payout",
				member,
				nonce,
				expiryMinute,
				lockId,
				...transfer,
			}));
	}
}

const BAD_AMOUNT: ActError = { code: "bad-amount", max: MAX_AMOUNT_MICRO_NOK };

function createLimits(
	command: Extract<Command, { type: "limits" }>,
	member: number,
	nonce: number,
): Result<Unsigned<Transaction>, ActError> {
	const { buyBelowMicroNokPerWh, sellAboveMicroNokPerWh, paysMoreForLocal = false } = command;
	for (const price of [buyBelowMicroNokPerWh ?? 0, sellAboveMicroNokPerWh ?? 0]) {
		if (!isWithin(price, 0, MAX_PRICE_MICRO_NOK_PER_WH)) return refused(badPriceFrom(0));
	}
	return ok({ kind: "limits", member, nonce, buyBelowMicroNokPerWh, sellAboveMicroNokPerWh, paysMoreForLocal });
}

function createTariff(
	{ steps }: Extract<Command, { type: "tariff" }>,
	member: number,
	nonce: number,
): Result<Unsigned<Transaction>, ActError> {
	const isAscending = steps.every(({ fromMinute }, at) => fromMinute > (steps[at - 1]?.fromMinute ?? -1));
	const isPeriod = isAscending && steps.every(({ fromMinute }) => isWithin(fromMinute, 0, MAX_MINUTE));
	if (!isPeriod || steps.length === 0 || steps.length > MAX_TARIFF_STEPS) return refused({ code: "bad-period" });
	const prices = steps.flatMap((step) => [
		step.retailMicroNokPerWh,
		step.feedInMicroNokPerWh,
		step.localFeeMicroNokPerWh,
	]);
	if (!prices.every((price) => isWithin(price, 0, MAX_PRICE_MICRO_NOK_PER_WH))) return refused(badPriceFrom(0));
	return ok({ kind: "tariff", member, nonce, steps });
}

function createBank(
	command: Extract<Command, { type: "bank" }>,
	member: number,
	nonce: number,
	expiryMinute: number,
): Result<Unsigned<Transaction>, ActError> {
	const { minute, balanceMicroNok, feesMicroNok, interestMicroNok, unmatchedMicroNok, clearedMicroNok } = command;
	if (!isWithin(minute, 0, MAX_MINUTE)) return refused({ code: "bad-period" });
	const amounts = { balanceMicroNok, feesMicroNok, interestMicroNok, unmatchedMicroNok, clearedMicroNok };
	if (!Object.values(amounts).every((amount) => isWithin(amount, 0, MAX_AMOUNT_MICRO_NOK))) return refused(BAD_AMOUNT);
	return ok({ kind: "bank", member, nonce, expiryMinute, minute, ...amounts });
}

function createCorrection(
	command: Extract<Command, { type: "correct" }>,
	member: number,
	nonce: number,
	expiryMinute: number,
): Result<Unsigned<Transaction>, ActError> {
	const { counterparty, fromMinute, untilMinute, reason, energyWh, amountMicroNok, isPayer, note } = command;
	if (!isWithin(fromMinute, 0, MAX_MINUTE) || !isWithin(untilMinute, fromMinute + 1, MAX_MINUTE)) {
		return refused({ code: "bad-period" });
	}
	if (!isWithin(energyWh, 0, MAX_CORRECTED_WH)) return refused({ code: "bad-energy", max: MAX_CORRECTED_WH });
	if (!isWithin(amountMicroNok, 0, MAX_AMOUNT_MICRO_NOK)) return refused(BAD_AMOUNT);
	if (!isNote(note)) return refused({ code: "bad-note" });
	const period = { fromMinute, untilMinute };
	const said = { reason, energyWh, amountMicroNok, isPayer, note };
	return ok({ kind: "correct", member, nonce, expiryMinute, counterparty, ...period, ...said });
}

function isNote(note: string | undefined): boolean {
	return note === undefined || v.safeParse(noteShape, note).success;
}

const badPriceFrom = (min: number): ActError => ({ code: "bad-price", min, max: MAX_PRICE_MICRO_NOK_PER_WH });

function createOffer(
	command: Extract<Command, { type: "offer" }>,
	member: number,
	nonce: number,
): Result<Unsigned<Transaction>, ActError> {
	const { priceMicroNokPerWh, fromMinute, untilMinute, noticeMinutes, buyer, schedule } = command;
	if (!isWithin(priceMicroNokPerWh, MIN_PRICE_MICRO_NOK_PER_WH, MAX_PRICE_MICRO_NOK_PER_WH)) {
		return refused(badPriceFrom(MIN_PRICE_MICRO_NOK_PER_WH));
	}
	if (!isWithin(noticeMinutes, 0, MAX_NOTICE_MINUTES)) return refused({ code: "bad-notice", max: MAX_NOTICE_MINUTES });
	if (!Number.isSafeInteger(fromMinute) || !Number.isSafeInteger(untilMinute) || fromMinute >= untilMinute) {
		return refused({ code: "bad-period" });
	}
	if (schedule !== undefined && !isSchedule(schedule)) return refused({ code: "bad-schedule" });
	const energyLimitWh = command.energyLimitWh ?? 0;
	const maxBuyers = command.maxBuyers ?? 0;
	if (!isWithin(energyLimitWh, 0, 1_000_000_000_000) || !isWithin(maxBuyers, 0, 1_000)) return refused(BAD_AMOUNT);
	return ok({
		kind: "offer",
		member,
		nonce,
		priceMicroNokPerWh,
		fromMinute,
		untilMinute,
		energyLimitWh,
		noticeMinutes,
		buyer,
		maxBuyers,
		schedule,
	});
}

function isWithin(value: number, min: number, max: number): boolean {
	return Number.isSafeInteger(value) && value >= min && value <= max;
}

function withId(
	text: string,
	make: (id: Uint8Array) => Unsigned<Transaction>,
): Result<Unsigned<Transaction>, ActError> {
	const id = fromHex(text);
	return id.ok && id.value.length === 32 ? ok(make(id.value)) : refused({ code: "bad-id" });
}

/** Money that went through the bank, for what an id names. */
interface Transfer {
	amountMicroNok: number;
	reference: string;
}

function withTransfer(
	{ amountMicroNok, reference }: Transfer,
	id: string,
	make: (id: Uint8Array, transfer: Transfer) => Unsigned<Transaction>,
): Result<Unsigned<Transaction>, ActError> {
	if (!isWithin(amountMicroNok, 1, MAX_AMOUNT_MICRO_NOK)) return refused(BAD_AMOUNT);
	if (reference.length < 1 || reference.length > MAX_REFERENCE_LENGTH) return refused({ code: "bad-reference" });
	return withId(id, (bytes) => make(bytes, { amountMicroNok, reference }));
}

function createVoterChange(
	command: Extract<ActCommand, { type: "voters" }>,
	member: number,
	nonce: number,
	devices: readonly Device[],
): Result<Unsigned<Transaction>, ActError> {
	const added: { device: number; publicKey: Uint8Array }[] = [];
	for (const device of command.added) {
		const publicKey = devices[device]?.publicKey;
		if (publicKey === undefined) return refused({ code: "unknown-device", device });
		added.push({ device, publicKey });
	}
	return ok({
		kind: "voters",
		member,
		nonce,
		added: added.slice(0, 2),
		removed: command.removed.slice(0, 1),
		device: undefined,
	});
}
