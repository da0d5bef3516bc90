/** Leaves of what a neighbourhood has once: the past's hashes, and the globals with the counted blocks. */
import * as v from "valibot";
import { bytes, flag, hash, integer, natural, perhaps, reason as reasonShape } from "../block/fieldShapes.js";
import { type IceServer, iceServerFields, iceServersShape } from "../block/iceServer.js";
import {
	type FoundingTerms,
	MONEY_KINDS,
	type MoneyKind,
	realMoneyShape,
	termsFields,
	termsShape,
} from "../block/kinds/founding.js";
import { MARKET_CHOICES, type TariffStep } from "../block/kinds/trading.js";
import type { MountainRange } from "../block/merkle.js";
import { assert } from "../primitives/assert.js";
import { fromHex, toHex } from "../primitives/bytes.js";
import type { CborValue } from "../primitives/codec.js";
import { ZERO_HASH } from "../primitives/hash.js";
import { MAX_AMOUNT_MICRO_NOK } from "../primitives/units.js";
import { KEY_SALT_BYTES } from "./keyRotation.js";
import { bit, type LeafCodec, runs } from "./leafCodec.js";
import { inlineOf } from "./leafPages.js";
import {
	type BankStatement,
	type KeyRotations,
	type Ledger,
	type Market,
	type MoneyProposal,
	type OperatorAct,
	type Predecessor,
	RECORDED_KINDS,
} from "./ledger.js";
import type { MinuteRanges } from "./minuteRanges.js";

/** As much as a statement may say, so that sums of them are safe. */
const bankAmount = integer(0, MAX_AMOUNT_MICRO_NOK);

/** Count and peaks: all that is needed to go on, and through its root a proof of every old block. */
export const HISTORY_LEAF: LeafCodec<MountainRange> = {
	fields: ({ count, peaks }) => ["history", count, peaks],
	shape: v.pipe(
		v.strictTuple([v.literal("history"), natural, v.array(hash)]),
		v.transform(([, count, peaks]) => ({ count, peaks })),
	),
};

/** The genesis block's hash covers its state root, which therefore cannot name it. */
const gridIdOf = ({ index, gridId }: Pick<Ledger, "index" | "gridId">) => (index === 0 ? ZERO_HASH : gridId);

/** The counted blocks follow in leaves of their own where they are many. */
export const GLOBALS_LEAF: LeafCodec<Ledger, Globals> = {
	fields: (ledger) => [
		"globals",
		gridIdOf(ledger),
		ledger.index,
		ledger.timestampMs,
		ledger.genesisTimestampMs,
		MONEY_KINDS.indexOf(ledger.parameters.moneyKind),
		ledger.parameters.retailMicroNokPerWh,
		ledger.parameters.feedInMicroNokPerWh,
		ledger.parameters.localFeeMicroNokPerWh,
		ledger.issuedMicroNok,
		ledger.voters,
		ledger.votersSinceIndex,
		ledger.countedTotal,
		inlineOf(ledger.counted),
		[...ledger.usedInvitations].map(([id, expiryMinute]): CborValue => {
			const idBytes = fromHex(id);
			assert(idBytes.ok, "ids in the ledger are hex");
			return [idBytes.value, expiryMinute];
		}),
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("globals"),
			hash,
			natural,
			natural,
			natural,
			v.picklist(MONEY_KINDS.map((_, at) => at)),
			natural,
			natural,
			natural,
			natural,
			v.array(natural),
			natural,
			natural,
			runs,
			v.array(v.strictTuple([bytes(16), natural])),
		]),
		v.transform(([, gridId, index, timestampMs, genesisTimestampMs, money, retail, feedIn, fee, ...rest]): Globals => {
			const [issuedMicroNok, voters, votersSinceIndex, countedTotal, counted, invitations] = rest;
			return {
				gridId,
				index,
				timestampMs,
				genesisTimestampMs,
				moneyKind: MONEY_KINDS[money] ?? "trial",
				retailMicroNokPerWh: retail,
				feedInMicroNokPerWh: feedIn,
				localFeeMicroNokPerWh: fee,
				issuedMicroNok,
				voters,
				votersSinceIndex,
				countedTotal,
				counted,
				usedInvitations: new Map(invitations.map(([id, expiryMinute]) => [toHex(id), expiryMinute])),
			};
		}),
	),
};

export interface Globals
	extends Pick<
		Ledger,
		| "gridId"
		| "index"
		| "timestampMs"
		| "genesisTimestampMs"
		| "issuedMicroNok"
		| "voters"
		| "votersSinceIndex"
		| "countedTotal"
		| "counted"
		| "usedInvitations"
	> {
	readonly moneyKind: MoneyKind;
	readonly retailMicroNokPerWh: number;
	readonly feedInMicroNokPerWh: number;
	readonly localFeeMicroNokPerWh: number;
}

/** Only where the neighbourhood was founded again. */
export const PREDECESSOR_LEAF: LeafCodec<Predecessor> = {
	fields: ({ gridId, index, hash, proposal, unconfirmed }) => [
		"predecessor",
		gridId,
		index,
		hash,
		proposal,
		unconfirmed,
	],
	shape: v.pipe(
		v.strictTuple([v.literal("predecessor"), hash, natural, hash, hash, v.array(natural)]),
		v.transform(([, gridId, index, blockHash, proposal, unconfirmed]) => ({
			gridId,
			index,
			hash: blockHash,
			proposal,
			unconfirmed,
		})),
	),
};

/** Only where the operator has said something, be it that there are none. */
export const ICE_SERVERS_LEAF: LeafCodec<readonly IceServer[]> = {
	fields: (servers) => ["iceServers", iceServerFields(servers)],
	shape: v.pipe(
		v.strictTuple([v.literal("iceServers"), iceServersShape]),
		v.transform(([, servers]) => servers),
	),
};

/** Only where something was paid out. */
export const PAID_OUT_LEAF: LeafCodec<readonly [paidOutMicroNok: number], number> = {
	fields: ([paidOutMicroNok]) => ["paidOut", paidOutMicroNok],
	shape: v.pipe(
		v.strictTuple([v.literal("paidOut"), natural]),
		v.transform(([, paidOutMicroNok]) => paidOutMicroNok),
	),
};

/** Only where an operator has stated a balance. */
export const BANK_LEAF: LeafCodec<BankStatement> = {
	fields: ({ id, member, minute, timestampMs, confirmed, ...amounts }) => [
		"bank",
		id,
		member,
		minute,
		timestampMs,
		amounts.balanceMicroNok,
		amounts.circulationMicroNok,
		amounts.feesMicroNok,
		amounts.interestMicroNok,
		amounts.unmatchedMicroNok,
		confirmed === undefined ? [] : [[confirmed.statementId, confirmed.member, confirmed.timestampMs]],
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("bank"),
			hash,
			natural,
			natural,
			natural,
			bankAmount,
			bankAmount,
			bankAmount,
			bankAmount,
			bankAmount,
			perhaps(v.strictTuple([hash, natural, natural])),
		]),
		v.transform(([, id, member, minute, timestampMs, balance, circulation, fees, interest, unmatched, confirmed]) => ({
			id,
			member,
			minute,
			timestampMs,
			balanceMicroNok: balance,
			circulationMicroNok: circulation,
			feesMicroNok: fees,
			interestMicroNok: interest,
			unmatchedMicroNok: unmatched,
			confirmed: confirmed && { statementId: confirmed[0], member: confirmed[1], timestampMs: confirmed[2] },
		})),
	),
};

/** Only where an operator has proposed tokens worth NOK in place of trial kroner. */
export const MONEY_LEAF: LeafCodec<MoneyProposal> = {
	fields: ({ id, member, moneyKind, reason, timestampMs, confirmed, fromMinute }) => [
		"money",
		id,
		member,
		MONEY_KINDS.indexOf(moneyKind),
		reason,
		timestampMs,
		confirmed,
		fromMinute === undefined ? [] : [fromMinute],
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("money"),
			hash,
			natural,
			realMoneyShape,
			reasonShape,
			natural,
			v.array(natural),
			perhaps(natural),
		]),
		v.transform(([, id, member, moneyKind, reason, timestampMs, confirmed, fromMinute]) => ({
			id,
			member,
			moneyKind,
			reason,
			timestampMs,
			confirmed,
			fromMinute,
		})),
	),
};

/** Only where money is `monthly`. */
export const NETTED_MONTH_LEAF: LeafCodec<readonly [nettedMonth: number], number> = {
	fields: ([nettedMonth]) => ["nettedMonth", nettedMonth],
	shape: v.pipe(
		v.strictTuple([v.literal("nettedMonth"), natural]),
		v.transform(([, nettedMonth]) => nettedMonth),
	),
};

/** One for each act of the record. */
export const OPERATOR_ACT_LEAF: LeafCodec<OperatorAct> = {
	fields: ({ kind, timestampMs, member, household, isGiven, amountMicroNok, texts }) => [
		"operatorAct",
		RECORDED_KINDS.indexOf(kind),
		timestampMs,
		member === undefined ? [] : [member],
		household === undefined ? [] : [household],
		bit(isGiven),
		amountMicroNok,
		texts,
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("operatorAct"),
			v.picklist(RECORDED_KINDS.map((_, at) => at)),
			natural,
			perhaps(natural),
			perhaps(natural),
			flag,
			natural,
			v.array(v.string()),
		]),
		v.transform(([, kind, timestampMs, member, household, isGiven, amountMicroNok, texts]): OperatorAct => {
			const about = { timestampMs, member, household, isGiven, amountMicroNok, texts };
			return { kind: RECORDED_KINDS[kind] ?? "voters", ...about };
		}),
	),
};

/** Only where the operator has stated prices that are still needed. */
export const TARIFF_LEAF: LeafCodec<readonly TariffStep[]> = {
	fields: (steps) => [
		"tariff",
		steps.map(
			(step): CborValue => [
				step.fromMinute,
				step.retailMicroNokPerWh,
				step.feedInMicroNokPerWh,
				step.localFeeMicroNokPerWh,
			],
		),
	],
	shape: v.pipe(
		v.strictTuple([v.literal("tariff"), v.array(v.strictTuple([natural, natural, natural, natural]))]),
		v.transform(([, steps]) =>
			steps.map(([fromMinute, retail, feedIn, localFee]) => ({
				fromMinute,
				retailMicroNokPerWh: retail,
				feedInMicroNokPerWh: feedIn,
				localFeeMicroNokPerWh: localFee,
			})),
		),
	),
};

/** Only where something is, was or is to be matched. */
export const MARKET_LEAF: LeafCodec<Market> = {
	fields: ({ intervalMinutes, buysUnderContract, choices, matchedUntilMinute }) => [
		"market",
		intervalMinutes,
		bit(buysUnderContract),
		choices.map(({ fromMinute, choice }): CborValue => [fromMinute, MARKET_CHOICES.indexOf(choice)]),
		matchedUntilMinute,
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("market"),
			natural,
			flag,
			v.array(v.strictTuple([natural, v.picklist(MARKET_CHOICES.map((_, at) => at))])),
			natural,
		]),
		v.check(([, intervalMinutes]) => intervalMinutes > 0),
		v.transform(([, intervalMinutes, buysUnderContract, choices, matchedUntilMinute]) => ({
			intervalMinutes,
			buysUnderContract,
			choices: choices.map(([fromMinute, choice]) => ({ fromMinute, choice: MARKET_CHOICES[choice] ?? "none" })),
			matchedUntilMinute,
		})),
	),
};

/** Only where a household has moved out. */
export const KEY_ROTATIONS_LEAF: LeafCodec<KeyRotations> = {
	fields: ({ salts, dueAfterMinute }) => [
		"keyRotations",
		salts.map(({ salt, timestampMs }): CborValue => [salt, timestampMs]),
		dueAfterMinute === undefined ? [] : [dueAfterMinute],
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("keyRotations"),
			v.array(v.strictTuple([bytes(KEY_SALT_BYTES), natural])),
			perhaps(natural),
		]),
		v.transform(([, salts, dueAfterMinute]) => ({
			salts: salts.map(([salt, timestampMs]) => ({ salt, timestampMs })),
			dueAfterMinute,
		})),
	),
};

/** Only where the chain was founded on any: a neighbourhood that is founded again keeps them. */
export const TERMS_LEAF: LeafCodec<FoundingTerms> = {
	fields: (terms) => ["terms", termsFields(terms)],
	shape: v.pipe(
		v.strictTuple([v.literal("terms"), termsShape]),
		v.transform(([, terms]) => terms),
	),
};

export const COUNTED_LEAF: LeafCodec<MinuteRanges> = {
	fields: (page) => ["counted", page],
	shape: v.pipe(
		v.strictTuple([v.literal("counted"), runs]),
		v.transform(([, page]) => page),
	),
};
