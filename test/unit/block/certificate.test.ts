import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { acknowledgementDigest, certificateFields, certificateShape } from "../../../src/block/certificate.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { type CborValue, decode, encode } from "../../../src/primitives/codec.js";
import { certificate } from "../../support/arbitraries.js";

const HASH = new Uint8Array(32).fill(3);
const SIGNATURE = new Uint8Array(65);
const isTaken = (wire: CborValue) => v.safeParse(certificateShape, wire).success;

describe("a certificate", () => {
	it("comes back from its fields", () => {
		fc.assert(
			fc.property(certificate, (original) => {
				const decoded = decode(encode(certificateFields(original)), 10_000);
				if (!decoded.ok) throw new Error(decoded.error.code);
				expect(v.parse(certificateShape, decoded.value)).toEqual(original);
			}),
		);
	});

	it("names every voter once, ascending: nobody is counted twice", () => {
		const by = (...voters: number[]) => [5, 1, HASH, voters.map((voter) => [voter, SIGNATURE])];
		expect(isTaken(by(0, 1, 2))).toBe(true);
		expect(isTaken(by(0, 0))).toBe(false);
		expect(isTaken(by(1, 0))).toBe(false);
		expect(isTaken(by(0, 1, 1))).toBe(false);
		expect(isTaken(by())).toBe(false);
		expect(isTaken(by(...Array.from({ length: 65 }, (_, voter) => voter)))).toBe(false);
	});

	it("is refused in any other shape", () => {
		for (const wire of [
			[5, 1, HASH],
			[5, 1, HASH.subarray(1), [[0, SIGNATURE]]],
			[5, 1, HASH, [[0, SIGNATURE.subarray(1)]]],
			[-5, 1, HASH, [[0, SIGNATURE]]],
			[5, 1, HASH, [[0]]],
			[5, 1, HASH, [[0, SIGNATURE]], 0],
		]) {
			expect(isTaken(wire)).toBe(false);
		}
	});

	it("has acknowledgements of which each is for one grid, index, term, block and voter", () => {
		const acknowledged = { index: 5, term: 1, hash: HASH };
		const digests = [
			acknowledgementDigest(new Uint8Array(32), acknowledged, 0),
			acknowledgementDigest(HASH, acknowledged, 0),
			acknowledgementDigest(HASH, { ...acknowledged, index: 6 }, 0),
			acknowledgementDigest(HASH, { ...acknowledged, term: 2 }, 0),
			acknowledgementDigest(HASH, { ...acknowledged, hash: new Uint8Array(32) }, 0),
			acknowledgementDigest(HASH, acknowledged, 1),
		].map(toHex);
		expect(new Set(digests).size).toBe(digests.length);
	});
});
