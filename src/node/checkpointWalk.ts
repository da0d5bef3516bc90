/**
 * Whether a neighbour's checkpoint is to be believed: its voters are walked to from those that are known here, they
 * stand behind its block, and the manifest is the block's state. Nothing is executed for it.
 */
import type { Anchor } from "../block/anchor.js";
import { checkManifest } from "../contract/chunks.js";
import type { Ledger } from "../contract/ledger.js";
import type { CheckpointMessage } from "../message/message.js";
import { equalBytes } from "../primitives/bytes.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Verifier } from "../primitives/signature.js";
import { checkAnchor, type KnownVoters, walkStep } from "./voterWalk.js";

/** What an invitation says of a block: its index and the first bytes of its hash. */
export interface Pin {
	readonly index: number;
	readonly hash: Uint8Array;
}

/** The voters at the own head, where a walk begins. */
export function votersAt(ledger: Ledger): KnownVoters {
	const keys = new Map(ledger.devices.map(({ index, publicKey }) => [index, publicKey]));
	return { index: ledger.index, voters: ledger.voters, before: ledger.voters, keys };
}

export interface BelievedCheckpoint {
	anchor: Anchor;
	manifest: Uint8Array;
}

/** How far an answer leads. */
export interface Walked {
	readonly known: KnownVoters;
	readonly steps: readonly Anchor[];
	/** Where the answer has one that is good. */
	readonly checkpoint: BelievedCheckpoint | undefined;
}

/** Walks the steps of an answer. */
export function walkTo(
	from: KnownVoters,
	{ steps, checkpoint }: Pick<CheckpointMessage, "steps" | "checkpoint">,
	haveIndex: number,
	pin: Pin | undefined,
	gridId: Uint8Array,
	verifier: Verifier,
): Result<Walked, { code: string }> {
	let known = from;
	const walked: Anchor[] = [];
	for (const step of steps) {
		const next = walkStep(known, step, gridId, verifier);
		if (!next.ok) return next;
		known = next.value.known;
		walked.push(next.value.step);
	}
	if (checkpoint === undefined) return ok({ known, steps: walked, checkpoint });
	const { anchor, manifest } = checkpoint;
	const { index, stateRoot } = anchor.block;
	if (index <= haveIndex || anchor.above.length > 0) return refused({ code: "bad-checkpoint" });
	const covered = checkAnchor(known, anchor, gridId, verifier);
	if (!covered.ok) return covered;
	if (pin?.index === index && !equalBytes(anchor.hash.subarray(0, pin.hash.length), pin.hash)) {
		return refused({ code: "pinned-block-differs" });
	}
	const matches = checkManifest(manifest, stateRoot);
	if (!matches.ok) return matches;
	const believed = { anchor: { ...anchor, certificate: covered.value }, manifest };
	return ok({ known, steps: walked, checkpoint: believed });
}
