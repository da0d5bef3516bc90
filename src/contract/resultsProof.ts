/**
 * Settled minutes of a block alone, with what leads from them to the block's state root: the paths through the tree of
 * the results and, from its root, through the state's. Nothing else of the state is needed, and nothing of it is told.
 */
import * as v from "valibot";
import { hash, natural } from "../block/fieldShapes.js";
import { merkleLeaf, narrowProof, provenRoot, rememberingMerkleProof } from "../block/merkle.js";
import type { CborValue } from "../primitives/codec.js";
import type { Ledger } from "./ledger.js";
import { resultLeafHashes, SETTLED_LEAF, settledLeafHash } from "./results.js";
import type { SettledMinute, SettlementResults } from "./settlement.js";
import { stateLeafHashes } from "./stateRoot.js";

export interface ResultsProof {
	/** Leaves of the state root; the first is the root over the results. */
	readonly stateLeaves: number;
	readonly statePath: readonly Uint8Array[];
	/** Leaves of the results. */
	readonly results: number;
	readonly resultsPath: readonly Uint8Array[];
	/** By place ascending; at least one. */
	readonly settled: readonly (readonly [place: number, minute: SettledMinute])[];
}

/** Proves those of a block's settled minutes that are wanted; undefined: none is. `ledger`: after the block. */
export function proveSettled(
	ledger: Ledger,
	results: SettlementResults,
	isWanted: (minute: SettledMinute) => boolean,
): ResultsProof | undefined {
	const settled = [...results.settled.entries()].filter(([, minute]) => isWanted(minute));
	if (settled.length === 0) return undefined;
	const stateHashes = stateLeafHashes(ledger, results);
	const resultHashes = resultLeafHashes(results);
	return {
		stateLeaves: stateHashes.length,
		statePath: rememberingMerkleProof(stateHashes, [0]),
		results: resultHashes.length,
		resultsPath: rememberingMerkleProof(
			resultHashes,
			settled.map(([place]) => place),
		),
		settled,
	};
}

/** The same proof of some of its minutes alone; undefined: of none. */
export function narrowResults(
	proof: ResultsProof,
	isWanted: (minute: SettledMinute) => boolean,
): ResultsProof | undefined {
	const settled = proof.settled.filter(([, minute]) => isWanted(minute));
	if (settled.length === 0) return undefined;
	const places = settled.map(([place]) => place);
	const resultsPath = narrowProof(proof.results, leavesOf(proof), proof.resultsPath, places);
	return resultsPath === undefined ? undefined : { ...proof, resultsPath, settled };
}

function leavesOf({ settled }: ResultsProof): (readonly [place: number, leaf: Uint8Array])[] {
	return settled.map(([place, minute]) => [place, settledLeafHash(minute)] as const);
}

/** The state root to which a proof leads; undefined: to none. */
export function stateRootOf(proof: ResultsProof): Uint8Array | undefined {
	const resultsRoot = provenRoot(proof.results, leavesOf(proof), proof.resultsPath);
	if (resultsRoot === undefined) return undefined;
	return provenRoot(proof.stateLeaves, [[0, merkleLeaf(resultsRoot)]], proof.statePath);
}

/** The proof as it is stored. */
export function resultsProofFields(proof: ResultsProof): CborValue {
	return [
		proof.stateLeaves,
		[...proof.statePath],
		proof.results,
		[...proof.resultsPath],
		proof.settled.map(([place, minute]) => [place, SETTLED_LEAF.fields(minute)]),
	];
}

export const resultsProofShape = v.pipe(
	v.strictTuple([
		natural,
		v.array(hash),
		natural,
		v.array(hash),
		v.pipe(v.array(v.strictTuple([natural, SETTLED_LEAF.shape])), v.minLength(1)),
	]),
	v.transform(
		([stateLeaves, statePath, results, resultsPath, settled]): ResultsProof => ({
			stateLeaves,
			statePath,
			results,
			resultsPath,
			settled,
		}),
	),
);
