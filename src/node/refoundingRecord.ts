/** What a device has promised about the end of its chain: kept before anybody hears of it. */
import * as v from "valibot";
import { blob } from "../block/fieldShapes.js";
import type { Result } from "../primitives/result.js";
import { decodeRecord, encodeRecord, type RecordError } from "./records.js";

export type RefoundingRecord =
	/** This household confirmed a proposal: this device neither votes nor acknowledges here any more. */
	| {
			stage: "confirmed";
			/** This device made the proposal, and is the one that seals it. */
			isProposer: boolean;
			/** The `refound`, encoded. */
			proposal: Uint8Array;
	  }
	/** This household took its own proposal back: whoever confirmed it has to hear so. */
	| { stage: "withdrawn"; proposal: Uint8Array; signature: Uint8Array }
	/** The neighbourhood was founded again; this household has not gone over yet. */
	| { stage: "founded"; genesis: Uint8Array };

const shape = v.union([
	v.pipe(
		v.strictTuple([v.literal("none")]),
		v.transform(() => undefined),
	),
	v.pipe(
		v.strictTuple([v.literal("confirmed"), v.picklist([0, 1]), blob]),
		v.transform(
			([stage, isProposer, proposal]): RefoundingRecord => ({ stage, isProposer: isProposer === 1, proposal }),
		),
	),
	v.pipe(
		v.strictTuple([v.literal("withdrawn"), blob, blob]),
		v.transform(([stage, proposal, signature]): RefoundingRecord => ({ stage, proposal, signature })),
	),
	v.pipe(
		v.strictTuple([v.literal("founded"), blob]),
		v.transform(([stage, genesis]): RefoundingRecord => ({ stage, genesis })),
	),
]);

/** Undefined: nothing is promised, or no more. */
export function encodeRefounding(record: RefoundingRecord | undefined): Uint8Array {
	if (record === undefined) return encodeRecord(["none"]);
	if (record.stage === "founded") return encodeRecord([record.stage, record.genesis]);
	if (record.stage === "withdrawn") return encodeRecord([record.stage, record.proposal, record.signature]);
	return encodeRecord([record.stage, record.isProposer ? 1 : 0, record.proposal]);
}

export function decodeRefounding(record: Uint8Array): Result<RefoundingRecord | undefined, RecordError> {
	return decodeRecord(record, shape);
}
