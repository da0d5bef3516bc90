/** What a device has promised about the end of its chain: kept before anybody hears of it. */
import * as v from "valibot";
import { blob, perhaps } from "../block/fieldShapes.js";
import type { Result } from "../primitives/result.js";
import { decodeRecord, encodeRecord, optional, type RecordError } from "./records.js";

/** A proposal (its id) that its proposer took back: whoever confirmed it has to hear so, in these bytes. */
export interface KeptWithdrawal {
	readonly proposal: Uint8Array;
	readonly signature: Uint8Array;
}

/** Proposals that hold no more for this device. */
interface PastProposals {
	readonly withdrawals: readonly KeptWithdrawal[];
	/** Ids of those that this household waits for no more, since whoever proposed them is lost. */
	readonly released: readonly Uint8Array[];
}

export type RefoundingRecord =
	/** This household confirmed a proposal: this device neither votes nor acknowledges here any more. */
	| ({
			stage: "confirmed";
			/** This device made the proposal, and is the one that seals it. */
			isProposer: boolean;
			/** The `refound`, encoded. */
			proposal: Uint8Array;
			/** This household's yes: its key may be locked when it is told again. Earlier versions kept none. */
			confirmation: Uint8Array | undefined;
			/** The proposer's word that it takes the proposal back, for the day when it has to, whoever is there. */
			withdrawal: Uint8Array | undefined;
	  } & PastProposals)
	/** What was promised holds no more: it was taken back, or is waited for no more. */
	| ({ stage: "withdrawn" } & PastProposals)
	/** The neighbourhood was founded again; this household has not gone over yet. */
	| { stage: "founded"; genesis: Uint8Array };

const withdrawals = v.array(
	v.pipe(
		v.strictTuple([blob, blob]),
		v.transform(([proposal, signature]): KeptWithdrawal => ({ proposal, signature })),
	),
);
const released = v.array(blob);
const confirmedShapes = [v.literal("confirmed"), v.picklist([0, 1]), blob, withdrawals, released] as const;
const shape = v.union([
	v.pipe(
		v.union([
			v.strictTuple([...confirmedShapes, perhaps(blob), perhaps(blob)]),
			v.pipe(
				v.strictTuple(confirmedShapes),
				v.transform((fields) => [...fields, undefined, undefined] as const),
			),
		]),
		v.transform(
			([stage, isProposer, proposal, withdrawals, released, confirmation, withdrawal]): RefoundingRecord => ({
				stage,
				isProposer: isProposer === 1,
				proposal,
				withdrawals,
				released,
				confirmation,
				withdrawal,
			}),
		),
	),
	v.pipe(
		v.strictTuple([v.literal("withdrawn"), withdrawals, released]),
		v.transform(([stage, withdrawals, released]): RefoundingRecord => ({ stage, withdrawals, released })),
	),
	v.pipe(
		v.strictTuple([v.literal("founded"), blob]),
		v.transform(([stage, genesis]): RefoundingRecord => ({ stage, genesis })),
	),
]);

export function encodeRefounding(record: RefoundingRecord): Uint8Array {
	if (record.stage === "founded") return encodeRecord([record.stage, record.genesis]);
	const withdrawals = record.withdrawals.map(({ proposal, signature }) => [proposal, signature]);
	if (record.stage === "withdrawn") return encodeRecord([record.stage, withdrawals, record.released]);
	const { confirmation, isProposer, proposal, released, withdrawal } = record;
	const promise = [record.stage, isProposer ? 1 : 0, proposal, withdrawals, released];
	return encodeRecord([...promise, optional(confirmation), optional(withdrawal)]);
}

export function decodeRefounding(record: Uint8Array): Result<RefoundingRecord, RecordError> {
	return decodeRecord(record, shape);
}
