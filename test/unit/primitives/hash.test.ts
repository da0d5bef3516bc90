import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/primitives/bytes.js";
import { HASH_BYTES, taggedHash, ZERO_HASH } from "../../../src/primitives/hash.js";

const sha256 = (...parts: Uint8Array[]) => {
	const hash = createHash("sha256");
	for (const part of parts) hash.update(part);
	return new Uint8Array(hash.digest());
};

describe("a tagged hash", () => {
	it("is the construction of BIP-340 under the project's prefix", () => {
		fc.assert(
			fc.property(fc.string(), fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }), (tag, parts) => {
				const tagHash = sha256(new TextEncoder().encode(`nabostrom/v1/${tag}`));
				expect(toHex(taggedHash(tag)(...parts))).toBe(toHex(sha256(tagHash, tagHash, ...parts)));
			}),
		);
	});

	it("can be asked again and again: one call leaves nothing behind for the next", () => {
		const hash = taggedHash("x");
		const first = toHex(hash(Uint8Array.of(1)));
		hash(Uint8Array.of(2));
		expect(toHex(hash(Uint8Array.of(1)))).toBe(first);
	});

	it("differs under every tag", () => {
		const bytes = Uint8Array.of(1, 2, 3);
		expect(toHex(taggedHash("reading")(bytes))).not.toBe(toHex(taggedHash("offer")(bytes)));
	});

	it("has 32 bytes, and 32 zeros stand for none", () => {
		expect(taggedHash("x")()).toHaveLength(HASH_BYTES);
		expect(toHex(ZERO_HASH)).toBe("00".repeat(32));
	});
});
