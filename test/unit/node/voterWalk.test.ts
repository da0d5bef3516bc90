import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { type Anchor, anchorFields, anchorShape, openAnchor } from "../../../src/block/anchor.js";
import { acknowledgementDigest, type Certificate } from "../../../src/block/certificate.js";
import type { Entry } from "../../../src/message/message.js";
import { checkAnchor, type KnownVoters, walkStep } from "../../../src/node/voterWalk.js";
import { decode, encode } from "../../../src/primitives/codec.js";
import { taggedHash } from "../../../src/primitives/hash.js";
import { createVerifier, publicKeyOf, sign } from "../../../src/primitives/signature.js";
import { baseAt, entryOn, GENESIS, type VoterChange } from "../../support/raft.js";

const gridId = taggedHash("test")(Uint8Array.of(1));
const secretOf = (voter: number) => taggedHash("secret")(Uint8Array.of(voter));
const keyOf = (voter: number) => publicKeyOf(secretOf(voter));
const verifier = createVerifier();
const START: KnownVoters = {
	index: 0,
	voters: [0, 1, 2],
	before: [0, 1, 2],
	keys: new Map([0, 1, 2].map((voter) => [voter, keyOf(voter)])),
};

function certify({ block, hash }: Entry, voters: readonly number[]): Certificate {
	const acknowledged = { index: block.index, term: block.term, hash };
	return {
		...acknowledged,
		signatures: voters.map((voter) => ({
			voter,
			signature: sign(acknowledgementDigest(gridId, acknowledged, voter), secretOf(voter)),
		})),
	};
}

/** A block that changes the voters, with their real keys. */
function change(parent: Parameters<typeof entryOn>[0], voters: VoterChange): Entry {
	return entryOn(parent, 1, { voters, keyOf });
}

const anchorOf = (entry: Entry, signers: readonly number[], above: readonly Entry[] = []): Anchor => ({
	block: entry.block,
	hash: entry.hash,
	above: above.map(({ block }) => {
		const { transactions: _, ...header } = block;
		return header;
	}),
	certificate: certify(above.at(-1) ?? entry, signers),
});

/** There and back over the wire. */
function sent(anchor: Anchor) {
	const value = decode(encode(anchorFields(anchor)), 1_000_000);
	if (!value.ok) throw new Error(value.error.code);
	return openAnchor(v.parse(anchorShape, value.value));
}

const codeOf = (result: { ok: true } | { ok: false; error: { code: string } }) =>
	result.ok ? "good" : result.error.code;

describe("an anchor", () => {
	const one = entryOn(GENESIS, 1);
	const two = entryOn(baseAt(one), 1);
	const three = entryOn(baseAt(two), 1);

	it("comes back from its bytes, with and without headers above its block", () => {
		for (const anchor of [anchorOf(one, [0, 1]), anchorOf(one, [0, 1], [two, three])]) {
			expect(sent(anchor)).toEqual({ ok: true, value: anchor });
		}
	});

	it("whose headers do not lead to its certificate is refused", () => {
		expect(sent(anchorOf(one, [0, 1], [three]))).toEqual({ ok: false, error: { code: "anchor-broken", index: 3 } });
		const elsewhere = { ...anchorOf(one, [0, 1]), certificate: certify(two, [0, 1]) };
		expect(sent(elsewhere)).toEqual({ ok: false, error: { code: "anchor-broken", index: 2 } });
	});
});

describe("the walk of the voter changes", () => {
	const added = change(GENESIS, { added: [3] });
	const removed = change(baseAt(added), { removed: [0] });

	it("leads from the founding voters to today's, each step signed by a majority of the old and of the new", () => {
		const first = walkStep(START, anchorOf(added, [0, 1, 3]), gridId, verifier);
		expect(first).toMatchObject({ ok: true, value: { known: { index: 1, voters: [0, 1, 2, 3] } } });
		if (!first.ok) return;
		const second = walkStep(first.value.known, anchorOf(removed, [1, 2, 3]), gridId, verifier);
		expect(second).toMatchObject({ ok: true, value: { known: { index: 2, voters: [1, 2, 3], before: [0, 1, 2, 3] } } });
		if (!second.ok) return;
		const later = entryOn(baseAt(removed), 1);
		expect(codeOf(checkAnchor(second.value.known, anchorOf(later, [2, 3]), gridId, verifier))).toBe("good");
		expect(codeOf(checkAnchor(second.value.known, anchorOf(later, [0, 3]), gridId, verifier))).toBe(
			"certificate-without-majority",
		);
		// The change itself is signed by those before it as well.
		expect(codeOf(checkAnchor(second.value.known, anchorOf(removed, [1, 2, 3]), gridId, verifier))).toBe("good");
		expect(codeOf(checkAnchor(second.value.known, anchorOf(removed, [2, 3]), gridId, verifier))).toBe(
			"certificate-without-majority",
		);
		// A block below the change, certified together with it.
		const below = { block: { index: 1 }, hash: added.hash };
		const both = { ...anchorOf(removed, [1, 2, 3]), ...below } as unknown as Anchor;
		expect(codeOf(checkAnchor(second.value.known, both, gridId, verifier))).toBe("good");
	});

	it("keeps of a certificate what was verified: a signature that does not count is not handed on", () => {
		const certificate = certify(added, [0, 1, 3]);
		const padding = { voter: 7, signature: new Uint8Array(64) };
		const padded = {
			...anchorOf(added, [0, 1, 3]),
			certificate: { ...certificate, signatures: [...certificate.signatures, padding] },
		};
		const walked = walkStep(START, padded, gridId, verifier);
		expect(walked).toMatchObject({ ok: true, value: { step: { certificate } } });
	});

	it.each<[string, readonly number[], string]>([
		["without the old majority", [2, 3], "certificate-without-majority"],
		["without the new majority", [0, 1], "certificate-without-majority"],
		["with a stranger in place of a voter", [0, 1, 7], "certificate-without-majority"],
	])("stops at a step %s", (_, signers, code) => {
		expect(codeOf(walkStep(START, anchorOf(added, signers), gridId, verifier))).toBe(code);
	});

	it("stops at a step that changes nothing, lies below what is known, is of another neighbourhood, or is signed with other keys", () => {
		expect(codeOf(walkStep(START, anchorOf(entryOn(GENESIS, 1), [0, 1]), gridId, verifier))).toBe("bad-voter-step");
		expect(codeOf(walkStep({ ...START, index: 1 }, anchorOf(added, [0, 1, 2]), gridId, verifier))).toBe(
			"bad-voter-step",
		);
		expect(codeOf(walkStep(START, anchorOf(added, [0, 1, 2]), taggedHash("test")(), verifier))).toBe(
			"certificate-bad-signature",
		);
		const swapped = { ...START, keys: new Map([0, 1, 2].map((voter) => [voter, keyOf(2 - voter)])) };
		expect(codeOf(walkStep(swapped, anchorOf(added, [0, 1, 2]), gridId, verifier))).toBe("certificate-bad-signature");
	});
});
