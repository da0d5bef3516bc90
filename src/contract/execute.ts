/** Executing blocks: a pure function from ledger and block to the next ledger, the same in every node. */
import { appendLeaf, merkleLeaf } from "../block/merkle.js";
import { isAct, isKeptVoters, type Transaction, transactionId } from "../block/transaction.js";
import { assert } from "../primitives/assert.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { add, MAX_MINUTE, minuteOf } from "../primitives/units.js";
import { applyAppoint, countVotes } from "./appointing.js";
import { applyLimits, applyMarket } from "./automaticMarket.js";
import { applyBank, applyBankConfirm } from "./bank.js";
import { applyConfirm } from "./confirmations.js";
import { applyContest } from "./contesting.js";
import { applyAnswer, applyCorrect, dropLapsed, payClaims } from "./correcting.js";
import { appendCounted, counts, slotOf } from "./countedBlocks.js";
import { applyCredit, linesMicroNok, reserveMicroNok } from "./credit.js";
import { applyDevice, applyRevoke } from "./devices.js";
import { changeKey } from "./keyRotation.js";
import { changeHousehold, type Draft, householdOf, type Ledger } from "./ledger.js";
import { applyAccept, applyEnd, applyOffer, applyWithdraw, dropFinished } from "./market.js";
import { applyJoin, forgetExpired } from "./members.js";
import { applyReading, readingRefusal } from "./metering.js";
import { applyMoney, applyMoneyConfirm, changeMoney } from "./money.js";
import { applyLeave, applyRemove, beginRemovals, completeRemovals } from "./movingOut.js";
import { net } from "./netting.js";
import { applyIceServers, applyRename, applyRole, applySuspend } from "./operatorActs.js";
import { record, recordedActs } from "./operatorRecord.js";
import { applyRebind, completeRebindings } from "./rebinding.js";
import type { Refusal, Wait } from "./refusal.js";
import { type SettlementResults, settle } from "./settlement.js";
import { standingRefusal } from "./standing.js";
import { stateRoot } from "./stateRoot.js";
import { applyTariff, forgetTariffBefore } from "./tariff.js";
import { applyBuy, applyCancel, applyIssue, applyPayout, applyRedeem } from "./treasury.js";
import { applyKeptVoters, applyVoters } from "./voters.js";

/** What every block says before its transactions. */
export interface BlockFrame {
	index: number;
	previousHash: Uint8Array;
	timestampMs: number;
}

export interface Executed {
	ledger: Ledger;
	results: SettlementResults;
	stateRoot: Uint8Array;
}

/** Executes all transactions of a block in order, then settles. One that the rules refuse makes the block invalid. */
export function executeBlock(
	parent: Ledger,
	frame: BlockFrame,
	transactions: readonly Transaction[],
): Result<Executed, { code: "refused-transaction"; at: number; cause: Refusal | Wait }> {
	const draft = openDraft(parent, frame);
	for (const [at, transaction] of transactions.entries()) {
		const cause = placeRefusal(transaction, at) ?? applyTransaction(draft, transaction);
		if (cause !== undefined) return refused({ code: "refused-transaction", at, cause });
	}
	return ok(closeDraft(draft));
}

/** For the proposer: executes those candidates that the rules allow, in order, up to a size, and leaves the others. */
export function executeCandidates(
	parent: Ledger,
	frame: BlockFrame,
	candidates: Iterable<Transaction>,
	fits: (transaction: Transaction) => boolean,
): Executed & { transactions: Transaction[] } {
	const draft = openDraft(parent, frame);
	const transactions: Transaction[] = [];
	for (const transaction of candidates) {
		if (!fits(transaction)) break;
		const cause = placeRefusal(transaction, transactions.length) ?? applyTransaction(draft, transaction);
		if (cause === undefined) transactions.push(transaction);
	}
	return { ...closeDraft(draft), transactions };
}

/** What the rules would say of one transaction in a block of this time after a ledger; undefined: nothing against it. */
export function judge(ledger: Ledger, timestampMs: number, transaction: Transaction): Refusal | Wait | undefined {
	if (transaction.kind === "reading") return readingRefusal(withTime(ledger, timestampMs), transaction);
	return applyTransaction(
		openDraft(ledger, { index: ledger.index + 1, previousHash: ledger.gridId, timestampMs }),
		transaction,
	);
}

/**
 * The same for many at once. Readings are looked at together, as if one block took them all: of two for one minute the
 * second is refused. Acts are looked at one by one. Nothing is booked: a backlog is judged again with every block.
 */
export function judgeAll(
	ledger: Ledger,
	timestampMs: number,
	transactions: readonly Transaction[],
): (Refusal | Wait | undefined)[] {
	const later = withTime(ledger, timestampMs);
	const taken = new Set<number>();
	return transactions.map((transaction) => {
		if (transaction.kind !== "reading") return judge(ledger, timestampMs, transaction);
		const { member, minute } = transaction;
		const cause = readingRefusal(later, transaction);
		if (cause !== undefined) return cause;
		const place = member * (MAX_MINUTE + 1) + minute;
		if (taken.has(place)) return { code: "duplicate-reading", member, minute };
		taken.add(place);
		return undefined;
	});
}

function openDraft(parent: Ledger, frame: BlockFrame): Draft {
	return {
		...withTime(parent, frame.timestampMs),
		index: frame.index,
		households: [...parent.households],
		contracts: [...parent.contracts],
		history: appendLeaf(parent.history, merkleLeaf(frame.previousHash)),
	};
}

/** A ledger as a block of this time sees it before its transactions: all that a reading is judged by. */
function withTime(parent: Ledger, timestampMs: number): Ledger {
	const { blockIntervalMs, readingWindowBlocks, settlementGraceBlocks } = parent.parameters;
	const keep = Math.max(readingWindowBlocks, settlementGraceBlocks) + 2;
	const isCounted = counts(timestampMs, parent.timestampMs, blockIntervalMs);
	return {
		...parent,
		timestampMs,
		counted: isCounted ? appendCounted(parent.counted, slotOf(timestampMs, blockIntervalMs), keep) : parent.counted,
		countedTotal: parent.countedTotal + (isCounted ? 1 : 0),
	};
}

function closeDraft(draft: Draft): Executed {
	const results = settle(draft);
	payClaims(draft);
	beginRemovals(draft);
	changeMoney(draft);
	net(draft);
	dropFinished(draft);
	completeRemovals(draft);
	completeRebindings(draft);
	// Last of what has to do with households: of those that are left it takes more than two thirds.
	countVotes(draft);
	dropLapsed(draft);
	forgetExpired(draft);
	forgetTariffBefore(draft, draft.market?.matchedUntilMinute ?? minuteOf(draft.timestampMs));
	assertMoneyConserved(draft);
	return { ledger: draft, results, stateRoot: stateRoot(draft, results) };
}

function placeRefusal(transaction: Transaction, at: number): Refusal | undefined {
	return transaction.kind === "voters" && at > 0 ? { code: "voters-not-first" } : undefined;
}

/** Applies one transaction, or says why not and changes nothing. */
function applyTransaction(draft: Draft, transaction: Transaction): Refusal | Wait | undefined {
	if (isKeptVoters(transaction)) {
		const recorded = recordedActs(draft, transaction);
		const cause = isMember(draft, transaction.member) ?? applyKeptVoters(draft, transaction);
		if (cause === undefined) record(draft, recorded);
		return cause;
	}
	if (isAct(transaction)) {
		const cause = checkAct(draft, transaction);
		if (cause !== undefined) return cause;
		// Before it is done: an order that is issued is gone, a name is another.
		const recorded = recordedActs(draft, transaction);
		const refusal = applyAct(draft, transaction);
		// A refused act consumes no nonce.
		if (refusal !== undefined) return refusal;
		changeHousehold(draft, transaction.member, { nonce: transaction.nonce });
		record(draft, recorded);
		return undefined;
	}
	switch (transaction.kind) {
		case "reading": {
			const cause = applyReading(draft, transaction);
			if (cause === undefined) changeKey(draft, transaction);
			return cause;
		}
		case "join":
			return applyJoin(draft, transaction);
		case "confirm":
			return isMember(draft, transaction.member) ?? applyConfirm(draft, transaction);
		case "found":
		case "refound":
		case "seal":
			return { code: "only-in-genesis", kind: transaction.kind };
	}
}

function isMember(draft: Draft, member: number): Refusal | undefined {
	return draft.households[member] === undefined ? { code: "unknown-member", member } : undefined;
}

type Act = Extract<Transaction, { nonce: number }>;

function checkAct(draft: Draft, act: Act): Refusal | Wait | undefined {
	const stranger = isMember(draft, act.member);
	if (stranger !== undefined) return stranger;
	const standing = standingRefusal(householdOf(draft, act.member), act.kind);
	if (standing !== undefined) return standing;
	const last = householdOf(draft, act.member).nonce;
	if (act.nonce <= last) return { code: "nonce-used", nonce: act.nonce, last };
	if (act.nonce > last + 1) return { code: "nonce-gap", nonce: act.nonce, last };
	const minute = minuteOf(draft.timestampMs);
	if ("expiryMinute" in act && act.expiryMinute < minute) {
		return { code: "expired", expiryMinute: act.expiryMinute, minute };
	}
	return undefined;
}

function applyAct(draft: Draft, act: Act): Refusal | undefined {
	const id = transactionId(act, draft.gridId);
	switch (act.kind) {
		case "offer":
			return applyOffer(draft, act, id);
		case "withdraw":
			return applyWithdraw(draft, act);
		case "accept":
			return applyAccept(draft, act, id);
		case "end":
			return applyEnd(draft, act);
		case "buy":
			return applyBuy(draft, act, id);
		case "issue":
			return applyIssue(draft, act);
		case "voters":
			return applyVoters(draft, act);
		case "device":
			return applyDevice(draft, act);
		case "revoke":
			return applyRevoke(draft, act);
		case "iceServers":
			return applyIceServers(draft, act);
		case "rename":
			return applyRename(draft, act);
		case "role":
			return applyRole(draft, act);
		case "suspend":
			return applySuspend(draft, act);
		case "remove":
			return applyRemove(draft, act, id);
		case "payout":
			return applyPayout(draft, act);
		case "redeem":
			return applyRedeem(draft, act, id);
		case "cancel":
			return applyCancel(draft, act);
		case "leave":
			return applyLeave(draft, act, id);
		case "limits":
			return applyLimits(draft, act);
		case "market":
			return applyMarket(draft, act);
		case "tariff":
			return applyTariff(draft, act);
		case "bank":
			return applyBank(draft, act, id);
		case "bankConfirm":
			return applyBankConfirm(draft, act);
		case "credit":
			return applyCredit(draft, act);
		case "money":
			return applyMoney(draft, act, id);
		case "moneyConfirm":
			return applyMoneyConfirm(draft, act);
		case "appoint":
			return applyAppoint(draft, act);
		case "rebind":
			return applyRebind(draft, act);
		case "contest":
			return applyContest(draft, act);
		case "correct":
			return applyCorrect(draft, act, id);
		case "answer":
			return applyAnswer(draft, act);
	}
}

/**
 * Balances and locks are together what was issued and not paid out, and what households may use on credit; none is
 * negative, nor is the money that there is. Else a bug stops the node.
 */
function assertMoneyConserved(draft: Draft): void {
	let sumMicroNok = 0;
	for (const { name, balanceMicroNok } of draft.households) {
		assert(balanceMicroNok >= 0, `the balance of ${name} is not negative`);
		sumMicroNok = add(sumMicroNok, balanceMicroNok);
	}
	for (const { amountMicroNok } of draft.locks.values()) sumMicroNok = add(sumMicroNok, amountMicroNok);
	const leftMicroNok = add(reserveMicroNok(draft), linesMicroNok(draft));
	assert(sumMicroNok === leftMicroNok, `balances and locks ${sumMicroNok} = reserve and credit lines ${leftMicroNok}`);
}
