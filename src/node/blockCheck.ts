/**
 * Checking a block that is kept: its hash leads to one that is certified, a majority of those who voted then has signed
 * that one, and everybody has signed what is said in it. Nothing is executed.
 */
import { type Block, blockHash, decodeBlock } from "../block/block.js";
import type { Certificate } from "../block/certificate.js";
import type { Transaction } from "../block/transaction.js";
import type { Ledger } from "../contract/ledger.js";
import { checkSignatures, type KeyHolders } from "../contract/signers.js";
import { equalBytes } from "../primitives/bytes.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Verifier } from "../primitives/signature.js";
import { checkAnchor, type KnownVoters } from "./voterWalk.js";

/** Blocks in a row as they are kept: from the one above a known block up to one that is certified. */
export interface KeptRow {
	readonly below: { readonly index: number; readonly hash: Uint8Array };
	/** Encoded, ascending, without holes; the last one is the certificate's. */
	readonly blocks: readonly Uint8Array[];
	readonly certificate: Certificate;
}

export interface LinkedBlock {
	readonly block: Block;
	readonly hash: Uint8Array;
	/** With the signatures of those who voted then, and no others. */
	readonly certificate: Certificate;
}

export type BlockCheckError =
	/** A block of the row is not one. */
	| { code: "block-damaged"; index: number }
	/** The row's hashes do not lead to what its certificate names: a block was changed, or is another. */
	| { code: "block-not-linked"; index: number }
	/** Too few of those who voted then have signed. */
	| { code: "block-not-certified"; index: number };

/** A block of a row, if it hangs together with what is known below and certified above. `voters`: up to the certificate. */
export function checkLinks(
	{ below, blocks, certificate }: KeptRow,
	index: number,
	voters: KnownVoters,
	gridId: Uint8Array,
	verifier: Verifier,
): Result<LinkedBlock, BlockCheckError> {
	let last = below;
	let found: { block: Block; hash: Uint8Array } | undefined;
	for (const bytes of blocks) {
		const block = decodeBlock(bytes, last.hash);
		if (!block.ok || block.value.index !== last.index + 1) {
			return refused({ code: "block-damaged", index: last.index + 1 });
		}
		last = { index: block.value.index, hash: blockHash(block.value) };
		if (last.index === index) found = { block: block.value, hash: last.hash };
	}
	const isLinked = last.index === certificate.index && equalBytes(last.hash, certificate.hash);
	if (found === undefined || !isLinked) return refused({ code: "block-not-linked", index });
	const covered = checkAnchor(voters, { block: found.block, certificate }, gridId, verifier);
	if (!covered.ok) return refused({ code: "block-not-certified", index });
	return ok({ ...found, certificate: covered.value });
}

/**
 * Whether a transaction of an old block is signed with a key that its household or one of its devices has now, or had:
 * devices stay known when they are out of use. A key that a household had before it was given another one is not.
 */
export function isSignedByKnownKey(ledger: Ledger, transaction: Transaction, verifier: Verifier): boolean {
	const { gridId, households } = ledger;
	const devices = ledger.devices.map((device) => ({ ...device, revokedIndex: undefined }));
	if (transaction.kind !== "reading") {
		return checkSignatures({ gridId, households, devices }, transaction, verifier) === undefined;
	}
	return devices
		.filter(({ household }) => household === transaction.member)
		.some(({ index: meteringDevice }) => {
			const metering: KeyHolders = {
				gridId,
				households: households.map((household) => ({ ...household, meteringDevice })),
				devices,
			};
			return checkSignatures(metering, transaction, verifier) === undefined;
		});
}
