import { describe, expect, it } from "vitest";
import { acknowledgementDigest } from "../../../src/block/certificate.js";
import { checkCertificate, makeCertificate } from "../../../src/consensus/certificate.js";
import { lowerMedian, majorityOf } from "../../../src/consensus/quorum.js";
import { taggedHash } from "../../../src/primitives/hash.js";
import { createVerifier, publicKeyOf, sign } from "../../../src/primitives/signature.js";
import { entryOn, GENESIS } from "../../support/raft.js";

const gridId = taggedHash("test")(Uint8Array.of(1));
const secrets = [0, 1, 2, 3].map((voter) => taggedHash("secret")(Uint8Array.of(voter)));
const keyOf = (voter: number) => {
	const secret = secrets[voter];
	return secret === undefined ? undefined : publicKeyOf(secret);
};
const { hash } = entryOn(GENESIS, 1);
const block = { index: 1, term: 1, hash };
const signatureOf = (voter: number) => sign(acknowledgementDigest(gridId, block, voter), secrets[voter] as Uint8Array);
const signatures = (...voters: number[]) => new Map(voters.map((voter) => [voter, signatureOf(voter)]));

describe("a certificate", () => {
	it("holds the signatures of exactly a majority of the voters, the lowest first", () => {
		expect(makeCertificate(block, signatures(2), [[0, 1, 2]])).toBeUndefined();
		expect(makeCertificate(block, signatures(2, 3), [[0, 1, 2]])).toBeUndefined();
		const made = makeCertificate(block, signatures(2, 1, 0), [[0, 1, 2]]);
		expect(made?.signatures.map(({ voter }) => voter)).toEqual([0, 1]);
	});

	it("is checked against the voters' keys, the neighbourhood and the block", () => {
		const verifier = createVerifier();
		const made = makeCertificate(block, signatures(0, 1), [[0, 1, 2]]);
		if (made === undefined) throw new Error("a majority signed");
		const check = (certificate: typeof made, voters = [0, 1, 2], grid = gridId) => {
			const checked = checkCertificate(certificate, [voters], keyOf, grid, verifier);
			return checked.ok ? "good" : checked.error.code;
		};
		expect(check(made)).toBe("good");
		expect(check(made, [0, 1, 2, 3])).toBe("certificate-without-majority");
		expect(check(made, [0, 2, 3])).toBe("certificate-without-majority");
		// Voter 1 signed as well, and does not count.
		expect(check(made, [0])).toBe("good");
		expect(check({ ...made, index: 2 })).toBe("certificate-bad-signature");
		expect(check({ ...made, term: 2 })).toBe("certificate-bad-signature");
		expect(check(made, [0, 1, 2], taggedHash("test")())).toBe("certificate-bad-signature");
		const [first, second] = made.signatures;
		if (first === undefined || second === undefined) throw new Error("two signatures");
		const swapped = [{ ...first, signature: second.signature }, second];
		expect(check({ ...made, signatures: swapped })).toBe("certificate-bad-signature");
	});
});

describe("a majority", () => {
	it("is more than half of all voters", () => {
		expect([1, 2, 3, 4, 5, 25].map((count) => majorityOf(Array.from({ length: count }, (_, at) => at)))).toEqual([
			1, 2, 2, 3, 3, 13,
		]);
	});

	it("of clocks is spoken for by their lower median", () => {
		expect(lowerMedian([5])).toBe(5);
		expect(lowerMedian([9, -1])).toBe(-1);
		expect(lowerMedian([9, 0, 3])).toBe(3);
		expect(lowerMedian([9, 0, 3, 4])).toBe(3);
	});
});
