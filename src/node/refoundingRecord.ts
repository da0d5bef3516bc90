/** What a device has promised about the end of its chain: kept before anybody hears of it. */
import * as v from "valibot";
import { blob } from "../block/fieldShapes.js";
import type { Result } from "../primitives/result.js";
import { decodeRecord, encodeRecord, type RecordError } from "./records.js";

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
const shape = v.union([
	v.pipe(
		v.strictTuple([v.literal("confirmed"), v.picklist([0, 1]), blob, withdrawals, released]),
		v.transform(
			([stage, isProposer, proposal, withdrawals, released]): RefoundingRecord => ({
				stage,
				isProposer: isProposer === 1,
				proposal,
				withdrawals,
				released,
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
	return encodeRecord([record.stage, record.isProposer ? 1 : 0, record.proposal, withdrawals, record.released]);
}

export function decodeRefounding(record: Uint8Array): Result<RefoundingRecord, RecordError> {
	return decodeRecord(record, shape);
}
