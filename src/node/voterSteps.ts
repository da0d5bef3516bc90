/** The proofs of voter changes that a device keeps, made of the blocks that a certificate covers. */
import { type Anchor, anchorFields, anchorShape, openAnchor } from "../block/anchor.js";
import type { Block, BlockHeader } from "../block/block.js";
import type { Certificate } from "../block/certificate.js";
import { voterChangeOf } from "../block/voters.js";
import { hasRevoked } from "../contract/devices.js";
import { type Result, refused } from "../primitives/result.js";
import type { Link } from "./chain.js";
import { decodeRecord, encodeRecord, type RecordError } from "./records.js";
import type { KeepCertificate, VoterStepRecord } from "./storage.js";

/** An anchor for each block of a certified run that changes the voters; the certificate is for the run's last block. */
export function voterStepsOf(
	links: readonly Pick<Link, "block" | "hash">[],
	certificate: Certificate,
): VoterStepRecord[] {
	return links.flatMap(({ block, hash }, at) => {
		if (voterChangeOf(block) === undefined) return [];
		const above = links.slice(at + 1).map((link) => headerOf(link.block));
		return [{ index: block.index, record: encodeAnchorRecord({ block, hash, above, certificate }) }];
	});
}

/**
 * How long the certificate of a run is kept: always, where it changes the voters, whom a newcomer follows one by one, or
 * takes a device out of use, which is to learn of that and of nothing after it.
 */
export function keepCertificateOf(links: readonly Pick<Link, "block" | "ledger">[]): KeepCertificate {
	const isKept = links.some(({ block, ledger }) => voterChangeOf(block) !== undefined || hasRevoked(ledger));
	return isKept ? "always" : "spacing";
}

/** What is left of a block when it stands for its place in the chain alone. */
export function headerOf({ transactions: _, ...header }: Block): BlockHeader {
	return header;
}

export function encodeAnchorRecord(anchor: Anchor): Uint8Array {
	return encodeRecord(anchorFields(anchor));
}

export function decodeAnchorRecord(record: Uint8Array): Result<Anchor, RecordError> {
	const fields = decodeRecord(record, anchorShape);
	if (!fields.ok) return fields;
	const anchor = openAnchor(fields.value);
	return anchor.ok ? anchor : refused({ code: "record-damaged" });
}
