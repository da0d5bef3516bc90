/**
 * Walking the voter changes: who knows the voters at one block learns those at a later one from the anchors of the
 * changes in between, without executing anything. Every step is signed by a majority of the voters before it and of
 * those after it.
 */
import type { Anchor } from "../block/anchor.js";
import type { Block } from "../block/block.js";
import type { Certificate } from "../block/certificate.js";
import { type VoterSet, voterChangeOf, votersAfter } from "../block/voters.js";
import { type CertificateError, checkCertificate } from "../consensus/certificate.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Verifier } from "../primitives/signature.js";

/** Who votes after a block, and the keys of all who were heard of. */
export interface KnownVoters {
	readonly index: number;
	readonly voters: VoterSet;
	/** Who voted before the last change. */
	readonly before: VoterSet;
	readonly keys: ReadonlyMap<number, Uint8Array>;
}

export type WalkError =
	| CertificateError
	/** A step that lies below what is known, changes nothing, or does not fit the voters: one before it is missing. */
	| { code: "bad-voter-step"; index: number };

/** What a walk needs of a change: of its block the first transaction is enough. */
export interface Change {
	readonly block: Pick<Block, "index" | "transactions">;
	readonly certificate: Certificate;
}

/** A step of a walk that is believed: where it leads, and the change with nothing in it that was not verified. */
export interface WalkedStep<C extends Change> {
	readonly known: KnownVoters;
	readonly step: C;
}

/** One change further. */
export function walkStep<C extends Change>(
	known: KnownVoters,
	change: C,
	gridId: Uint8Array,
	verifier: Verifier,
): Result<WalkedStep<C>, WalkError> {
	const { block, certificate } = change;
	const made = voterChangeOf(block);
	const fits =
		made !== undefined &&
		block.index > known.index &&
		made.added.every(({ device }) => !known.voters.includes(device)) &&
		made.removed.every((device) => known.voters.includes(device));
	if (!fits) return refused({ code: "bad-voter-step", index: block.index });
	const keys = new Map(known.keys);
	for (const { device, publicKey } of made.added) keys.set(device, publicKey);
	const voters = votersAfter(known.voters, block);
	const covered = checkCertificate(certificate, [known.voters, voters], (voter) => keys.get(voter), gridId, verifier);
	if (!covered.ok) return covered;
	const reached = { index: block.index, voters, before: known.voters, keys };
	return ok({ known: reached, step: { ...change, certificate: covered.value } });
}

/** Along all changes, ascending, up to and including an index. */
export function walkUpTo(
	known: KnownVoters,
	changes: readonly Change[],
	upToIndex: number,
	gridId: Uint8Array,
	verifier: Verifier,
): Result<KnownVoters, WalkError> {
	let reached = known;
	for (const change of changes) {
		if (change.block.index > upToIndex) break;
		const next = walkStep(reached, change, gridId, verifier);
		if (!next.ok) return next;
		reached = next.value.known;
	}
	return ok(reached);
}

/**
 * Whether the voters that are known, of all changes up to the certificate, stand behind an anchor. Where the last change
 * lies between it and its certificate, or is made by it, both sets have signed. Gives its certificate with nothing in it
 * that was not verified.
 */
export function checkAnchor(
	known: KnownVoters,
	{ block, certificate }: Pick<Anchor, "certificate"> & { readonly block: Pick<Block, "index"> },
	gridId: Uint8Array,
	verifier: Verifier,
): Result<Certificate, CertificateError> {
	const sets = known.index >= block.index ? [known.before, known.voters] : [known.voters];
	return checkCertificate(certificate, sets, (voter) => known.keys.get(voter), gridId, verifier);
}
