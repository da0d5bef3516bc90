/** Leaves of corrections that are open, and of claims: only where there are any. */
import * as v from "valibot";
import { flag, hash, natural, perhaps } from "../block/fieldShapes.js";
import { CORRECTION_REASONS } from "../block/kinds/correcting.js";
import { bit, type LeafCodec } from "./leafCodec.js";
import type { Claim, Correction } from "./ledger.js";

export const CORRECTION_LEAF: LeafCodec<Correction> = {
	fields: (correction) => [
		"correction",
		correction.id,
		correction.member,
		correction.counterparty,
		correction.fromMinute,
		correction.untilMinute,
		CORRECTION_REASONS.indexOf(correction.reason),
		correction.energyWh,
		correction.amountMicroNok,
		bit(correction.isPayer),
		correction.note === undefined ? [] : [correction.note],
		correction.timestampMs,
		correction.declined === undefined ? [] : [correction.declined],
	],
	shape: v.pipe(
		v.strictTuple([
			v.literal("correction"),
			hash,
			natural,
			natural,
			natural,
			natural,
			v.picklist(CORRECTION_REASONS.map((_, at) => at)),
			natural,
			natural,
			flag,
			perhaps(v.string()),
			natural,
			perhaps(v.string()),
		]),
		v.transform(([, id, member, counterparty, fromMinute, untilMinute, reason, ...rest]): Correction => {
			const [energyWh, amountMicroNok, isPayer, note, timestampMs, declined] = rest;
			return {
				id,
				member,
				counterparty,
				fromMinute,
				untilMinute,
				reason: CORRECTION_REASONS[reason] ?? "other",
				energyWh,
				amountMicroNok,
				isPayer,
				note,
				timestampMs,
				declined,
			};
		}),
	),
};

export const CLAIM_LEAF: LeafCodec<Claim> = {
	fields: ({ id, debtor, creditor, amountMicroNok, timestampMs }) => [
		"claim",
		id,
		debtor,
		creditor,
		amountMicroNok,
		timestampMs,
	],
	shape: v.pipe(
		v.strictTuple([v.literal("claim"), hash, natural, natural, natural, natural]),
		v.transform(([, id, debtor, creditor, amountMicroNok, timestampMs]) => ({
			id,
			debtor,
			creditor,
			amountMicroNok,
			timestampMs,
		})),
	),
};
