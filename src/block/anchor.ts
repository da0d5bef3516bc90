/**
 * A block with the first certificate at or above it, and the headers in between: all that it takes to know that a
 * majority of voters stands behind the block, without any block below it.
 */
import * as v from "valibot";
import { equalBytes } from "../primitives/bytes.js";
import type { CborValue } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import {
	type Block,
	type BlockHeader,
	blockHash,
	decodeBlock,
	encodeBlock,
	headerFields,
	headerShape,
} from "./block.js";
import { type Certificate, certificateFields, certificateShape } from "./certificate.js";
import { blob, hash } from "./fieldShapes.js";

export interface Anchor {
	readonly block: Block;
	readonly hash: Uint8Array;
	/** Headers above the block, up to the certificate's own; mostly none. */
	readonly above: readonly BlockHeader[];
	readonly certificate: Certificate;
}

export type AnchorError =
	/** The headers do not lead from the block to what the certificate names. */
	{ code: "anchor-broken"; index: number } | { code: "bad-anchor" };

/** One certificate covers what was appended since the one below it: seldom more than a block or two. */
export const MAX_HEADERS_ABOVE = 1_000;

/** The anchor as stored and sent. */
export function anchorFields({ block, above, certificate }: Anchor): CborValue[] {
	return [block.previousHash, encodeBlock(block), above.map(headerFields), certificateFields(certificate)];
}

export const anchorShape = v.strictTuple([
	hash,
	blob,
	v.pipe(v.array(headerShape), v.maxLength(MAX_HEADERS_ABOVE)),
	certificateShape,
]);

/** Rebuilds an anchor and checks that its hashes hang together. Who had to sign the certificate is another's question. */
export function openAnchor(fields: v.InferOutput<typeof anchorShape>): Result<Anchor, AnchorError> {
	const [previousHash, bytes, above, certificate] = fields;
	const block = decodeBlock(bytes, previousHash);
	if (!block.ok) return refused({ code: "bad-anchor" });
	const hash = blockHash(block.value);
	let last: { index: number; hash: Uint8Array } = { index: block.value.index, hash };
	for (const header of above) {
		if (header.index !== last.index + 1 || !equalBytes(header.previousHash, last.hash)) {
			return refused({ code: "anchor-broken", index: header.index });
		}
		last = { index: header.index, hash: blockHash(header) };
	}
	if (certificate.index !== last.index || !equalBytes(certificate.hash, last.hash)) {
		return refused({ code: "anchor-broken", index: certificate.index });
	}
	return ok({ block: block.value, hash, above, certificate });
}
