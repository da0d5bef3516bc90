/** Shapes of the transactions of a genesis that goes on from an older chain; each begins with its kind's number. */
import * as v from "valibot";
import { blob, deviceIndex, id, member, nameShape, paceShapes, signature, timestampMs } from "./fieldShapes.js";
import type { ConfirmTransaction, RefoundTransaction, SealTransaction } from "./refounding.js";

/** The old state travels in the genesis, whose block may be longer than any other (`MAX_GENESIS_BYTES`). */
export const refoundShape = (kind: number) =>
	v.pipe(
		v.strictTuple([
			v.literal(kind),
			member,
			timestampMs,
			v.array(deviceIndex),
			nameShape,
			...paceShapes,
			id,
			timestampMs,
			blob,
			blob,
			v.array(blob),
			signature,
		]),
		v.transform(([, proposer, atMs, voters, name, interval, grace, window, checkpoint, timeScale, salt, ...rest]) => {
			const [gridId, genesisTimestampMs, header, certificate, leaves, signed] = rest;
			return {
				kind: "refound",
				member: proposer,
				timestampMs: atMs,
				voters,
				name,
				blockIntervalMs: interval,
				settlementGraceBlocks: grace,
				readingWindowBlocks: window,
				checkpointBlocks: checkpoint,
				timeScale,
				salt,
				predecessor: { gridId, genesisTimestampMs, header, certificate, leaves },
				signature: signed,
			} satisfies RefoundTransaction;
		}),
	);

export const confirmShape = (kind: number) =>
	v.pipe(
		v.strictTuple([v.literal(kind), member, id, signature]),
		v.transform(
			([, household, proposal, signed]) =>
				({ kind: "confirm", member: household, proposal, signature: signed }) satisfies ConfirmTransaction,
		),
	);

export const sealShape = (kind: number) =>
	v.pipe(
		v.strictTuple([v.literal(kind), member, id, id, signature]),
		v.transform(
			([, proposer, proposal, confirmations, signed]) =>
				({ kind: "seal", member: proposer, proposal, confirmations, signature: signed }) satisfies SealTransaction,
		),
	);
