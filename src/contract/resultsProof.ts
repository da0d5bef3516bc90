/**
 * Settled minutes and shares of the market's intervals out of a block alone, with what leads from them to the block's state
 * root: the paths through the tree of the results and, from its root, through the state's. Nothing else of the state is
 * needed, and nothing of it is told.
 */
import * as v from "valibot";
import { hash, natural } from "../block/fieldShapes.js";
import { merkleLeaf, narrowProof, proofIn, provenRoot, rememberingMerkleProof } from "../block/merkle.js";
import type { CborValue } from "../primitives/codec.js";
import type { Ledger } from "./ledger.js";
import {
	type IntervalShare,
	resultLevels,
	SETTLED_LEAF,
	SHARE_LEAF,
	settledLeafHash,
	shareLeafHash,
	sharesOf,
} from "./results.js";
import type { SettledMinute, SettlementResults } from "./settlement.js";
import { stateLeafHashes } from "./stateRoot.js";

export interface ResultsProof {
	/** Leaves of the state root; the first is the root over the results. */
	readonly stateLeaves: number;
	readonly statePath: readonly Uint8Array[];
	/** Leaves of the results. */
	readonly results: number;
	readonly resultsPath: readonly Uint8Array[];
	/** By place ascending, as are the shares, whose places are higher; of both together at least one. */
	readonly settled: readonly Placed<SettledMinute>[];
	readonly shares: readonly Placed<IntervalShare>[];
}

type Placed<Result> = readonly [place: number, result: Result];

/** Which results are wanted. */
export interface WantedResults {
	settled(minute: SettledMinute): boolean;
	share(share: IntervalShare): boolean;
}

/** Proves those of a block's results that are wanted; undefined: none is. `ledger`: after the block. */
export function proveResults(
	ledger: Ledger,
	results: SettlementResults,
	isWanted: WantedResults,
): ResultsProof | undefined {
	const firstShare = results.settled.length + results.rests.length;
	const settled = [...results.settled.entries()].filter(([, minute]) => isWanted.settled(minute));
	const allShares = results.matched.flatMap(sharesOf);
	const shares = allShares
		.map((share, at): Placed<IntervalShare> => [firstShare + at, share])
		.filter(([, share]) => isWanted.share(share));
	if (settled.length + shares.length === 0) return undefined;
	const stateHashes = stateLeafHashes(ledger, results);
	return {
		stateLeaves: stateHashes.length,
		statePath: rememberingMerkleProof(stateHashes, [0]),
		results: firstShare + allShares.length,
		resultsPath: proofIn(
			resultLevels(results),
			[...settled, ...shares].map(([place]) => place),
		),
		settled,
		shares,
	};
}

/** The same proof of some of its results alone; undefined: of none. */
export function narrowResults(proof: ResultsProof, isWanted: WantedResults): ResultsProof | undefined {
	const settled = proof.settled.filter(([, minute]) => isWanted.settled(minute));
	const shares = proof.shares.filter(([, share]) => isWanted.share(share));
	const places = [...settled, ...shares].map(([place]) => place);
	if (places.length === 0) return undefined;
	const resultsPath = narrowProof(proof.results, leavesOf(proof), proof.resultsPath, places);
	return resultsPath === undefined ? undefined : { ...proof, resultsPath, settled, shares };
}

function leavesOf({ settled, shares }: ResultsProof): Placed<Uint8Array>[] {
	return [
		...settled.map(([place, minute]) => [place, settledLeafHash(minute)] as const),
		...shares.map(([place, share]) => [place, shareLeafHash(share)] as const),
	];
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
		[
			...proof.settled.map(([place, minute]) => [place, SETTLED_LEAF.fields(minute)]),
			...proof.shares.map(([place, share]) => [place, SHARE_LEAF.fields(share)]),
		],
	];
}

export const resultsProofShape = v.pipe(
	v.strictTuple([
		natural,
		v.array(hash),
		natural,
		v.array(hash),
		v.pipe(v.array(v.strictTuple([natural, v.union([SETTLED_LEAF.shape, SHARE_LEAF.shape])])), v.minLength(1)),
	]),
	v.transform(([stateLeaves, statePath, results, resultsPath, proven]): ResultsProof => {
		const settled: Placed<SettledMinute>[] = [];
		const shares: Placed<IntervalShare>[] = [];
		for (const [place, result] of proven) {
			if ("seller" in result) settled.push([place, result]);
			else shares.push([place, result]);
		}
		return { stateLeaves, statePath, results, resultsPath, settled, shares };
	}),
);
