import { describe, expect, it } from "vitest";
import { acknowledgementDigest, type Certificate } from "../../../src/block/certificate.js";
import { convicts, doubleSignatures } from "../../../src/consensus/evidence.js";
import { taggedHash } from "../../../src/primitives/hash.js";
import { createVerifier, publicKeyOf, sign } from "../../../src/primitives/signature.js";

const gridId = taggedHash("test")(Uint8Array.of(1));
const secretOf = (voter: number) => taggedHash("secret")(Uint8Array.of(voter));
const verifier = createVerifier();

function certificate(variant: number, voters: readonly number[], at = { index: 5, term: 2 }): Certificate {
	const acknowledged = { ...at, hash: taggedHash("block")(Uint8Array.of(variant)) };
	return {
		...acknowledged,
		signatures: voters.map((voter) => ({
			voter,
			signature: sign(acknowledgementDigest(gridId, acknowledged, voter), secretOf(voter)),
		})),
	};
}

describe("two certificates that contradict each other", () => {
	it("convict everybody who signed both, in either order with the same evidence", () => {
		const evidence = doubleSignatures(certificate(1, [0, 1]), certificate(2, [1, 2]));
		expect(evidence).toMatchObject([{ voter: 1, index: 5, term: 2 }]);
		expect(doubleSignatures(certificate(2, [1, 2]), certificate(1, [0, 1]))).toEqual(evidence);
		for (const each of evidence) expect(convicts(each, publicKeyOf(secretOf(1)), gridId, verifier)).toBe(true);
	});

	it("are none where the block is the same, or the index or the term another", () => {
		expect(doubleSignatures(certificate(1, [0, 1]), certificate(1, [0, 1]))).toEqual([]);
		expect(doubleSignatures(certificate(1, [0, 1]), certificate(2, [0, 1], { index: 5, term: 3 }))).toEqual([]);
		expect(doubleSignatures(certificate(1, [0, 1]), certificate(2, [0, 1], { index: 6, term: 2 }))).toEqual([]);
	});
});

describe("evidence", () => {
	const [good] = doubleSignatures(certificate(1, [1]), certificate(2, [1]));
	if (good === undefined) throw new Error("voter 1 signed twice");
	const [first, second] = good.signed;
	it.each([
		["another's key", good, secretOf(2)],
		["another voter", { ...good, voter: 2 }, secretOf(1)],
		["another term", { ...good, term: 3 }, secretOf(1)],
		["one signature twice", { ...good, signed: [first, first] as const }, secretOf(1)],
		["signatures out of order", { ...good, signed: [second, first] as const }, secretOf(1)],
		[
			"a signature over the other hash",
			{ ...good, signed: [first, { ...second, signature: first.signature }] as const },
			secretOf(1),
		],
	])("with %s convicts nobody", (_, evidence, secret) => {
		expect(convicts(evidence, publicKeyOf(secret), gridId, verifier)).toBe(false);
	});

	it("of another neighbourhood convicts nobody", () => {
		expect(convicts(good, publicKeyOf(secretOf(1)), taggedHash("test")(), verifier)).toBe(false);
	});
});
