/**
 * Proof that a voter signed two blocks for one index and term. Nobody honest does: it is a device whose storage was
 * copied or restored, or a lie. The signatures convict it by themselves.
 */
import { acknowledgementDigest, type Certificate } from "../block/certificate.js";
import type { DoubleSignature, SignedHash } from "../block/evidence.js";
import { equalBytes } from "../primitives/bytes.js";
import type { Verifier } from "../primitives/signature.js";

/** Who signed both of two certificates that contradict each other. */
export function doubleSignatures(one: Certificate, other: Certificate): DoubleSignature[] {
	if (one.index !== other.index || one.term !== other.term || equalBytes(one.hash, other.hash)) return [];
	return one.signatures.flatMap(({ voter, signature }) => {
		const second = other.signatures.find((each) => each.voter === voter);
		return second === undefined ? [] : [evidenceOf(voter, one, signature, { ...other, signature: second.signature })];
	});
}

/** Evidence of two signatures over different hashes of one index and term. */
export function evidenceOf(
	voter: number,
	{ index, term, hash }: Pick<Certificate, "index" | "term" | "hash">,
	signature: Uint8Array,
	other: SignedHash,
): DoubleSignature {
	const first: SignedHash = { hash, signature };
	const second: SignedHash = { hash: other.hash, signature: other.signature };
	return { voter, index, term, signed: isLower(first.hash, second.hash) ? [first, second] : [second, first] };
}

function isLower(a: Uint8Array, b: Uint8Array): boolean {
	const at = a.findIndex((byte, i) => byte !== b[i]);
	return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}

/** Whether it convicts: two different hashes in order, both signed by the voter's key. */
export function convicts(
	{ voter, index, term, signed }: DoubleSignature,
	publicKey: Uint8Array,
	gridId: Uint8Array,
	verifier: Verifier,
): boolean {
	const [first, second] = signed;
	if (!isLower(first.hash, second.hash)) return false;
	return signed.every(({ hash, signature }) =>
		verifier.verify(signature, acknowledgementDigest(gridId, { index, term, hash }, voter), publicKey),
	);
}
