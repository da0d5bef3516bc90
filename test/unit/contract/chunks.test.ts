import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockHash } from "../../../src/block/block.js";
import { merkleLeaf } from "../../../src/block/merkle.js";
import {
	CHUNK_BYTES,
	checkChunk,
	checkManifest,
	chunkLeaves,
	joinChunks,
	leafCountOf,
	manifestOf,
} from "../../../src/contract/chunks.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { encode } from "../../../src/primitives/codec.js";
import { FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";

const leafList = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 60 });

describe("chunks of a snapshot", () => {
	it("hold all leaves in order, none above the limit unless it is of one leaf", () => {
		fc.assert(
			fc.property(leafList, fc.integer({ min: 50, max: 2_000 }), (leaves, maxBytes) => {
				const chunks = chunkLeaves(leaves, maxBytes);
				const manifest = manifestOf(leaves);
				expect(joinChunks(chunks, manifest)).toEqual({ ok: true, value: leaves });
				for (const chunk of chunks) {
					const checked = checkChunk(chunk, manifest);
					if (!checked.ok) throw new Error(checked.error.code);
					if (checked.value.leaves.length > 1) expect(chunk.length).toBeLessThanOrEqual(maxBytes);
				}
				expect(chunkLeaves(leaves, maxBytes)).toEqual(chunks);
			}),
		);
	});

	it("are each checked alone: one with a single wrong bit is noticed, and which leaf it hurt", () => {
		fc.assert(
			fc.property(leafList, fc.nat(), fc.nat(7), (leaves, where, bit) => {
				const manifest = manifestOf(leaves);
				const [chunk = new Uint8Array()] = chunkLeaves(leaves, 500);
				const wrong = chunk.slice();
				wrong[where % chunk.length] = (wrong[where % chunk.length] ?? 0) ^ (1 << bit);
				const checked = checkChunk(wrong, manifest);
				expect(checked.ok).toBe(false);
				if (!checked.ok) expect(["bad-chunk", "chunk-differs-from-manifest"]).toContain(checked.error.code);
			}),
		);
	});

	const leaves = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];
	const manifest = manifestOf(leaves);
	const [one, two, three] = leaves.map((leaf, at) => encode([at, leaf]));
	if (one === undefined || two === undefined || three === undefined) throw new Error("three chunks");

	it("are refused with the leaf that differs: at another place, of another state, beyond the end", () => {
		const differs = (leaf: number) => ({ ok: false, error: { code: "chunk-differs-from-manifest", leaf } });
		expect(checkChunk(encode([1, Uint8Array.of(1)]), manifest)).toEqual(differs(1));
		expect(checkChunk(encode([0, Uint8Array.of(1), Uint8Array.of(9)]), manifest)).toEqual(differs(1));
		expect(checkChunk(encode([2, Uint8Array.of(3), Uint8Array.of(4)]), manifest)).toEqual(differs(3));
		expect(checkChunk(encode([7, Uint8Array.of(1)]), manifest)).toEqual(differs(7));
	});

	it.each([
		["nothing", new Uint8Array()],
		["no array", encode(7)],
		["no leaf", encode([0])],
		["a leaf that is no bytes", encode([0, "x"])],
		["a negative place", encode([-1, Uint8Array.of(1)])],
		["no place", encode([Uint8Array.of(1)])],
	])("are refused where they are none: %s", (_, chunk) => {
		expect(checkChunk(chunk, manifest)).toEqual({ ok: false, error: { code: "bad-chunk" } });
	});

	it("make a snapshot only together", () => {
		const missing = (leaf: number) => ({ ok: false, error: { code: "incomplete-snapshot", leaf } });
		expect(joinChunks([one, two], manifest)).toEqual(missing(2));
		expect(joinChunks([one, three], manifest)).toEqual(missing(1));
		expect(joinChunks([], manifest)).toEqual(missing(0));
	});
});

describe("the manifest", () => {
	const street = new TestNeighbourhood(3);
	street.minute(FIRST_MINUTE);
	const executed = street.minute(FIRST_MINUTE + 1, [street.reading(1, FIRST_MINUTE + 1, 3, 0)]);
	const { leaves } = snapshotOf(executed.ledger, executed.results);
	const manifest = manifestOf(leaves);

	it("has the block's state root", () => {
		expect(checkManifest(manifest, street.head.stateRoot)).toEqual({ ok: true, value: true });
		expect(leafCountOf(manifest)).toBe(leaves.length);
		expect(manifest.subarray(-32)).toEqual(merkleLeaf(leaves.at(-1) ?? new Uint8Array()));
	});

	it("is refused for another block with both roots, and where it is none", () => {
		const stateRoot = street.blocks.at(-2)?.stateRoot ?? new Uint8Array();
		const root = street.head.stateRoot;
		expect(checkManifest(manifest, stateRoot)).toEqual({
			ok: false,
			error: { code: "manifest-differs-from-state-root", root, stateRoot },
		});
		for (const bytes of [0, 31, 33, manifest.length - 1]) {
			expect(checkManifest(new Uint8Array(bytes), root)).toEqual({ ok: false, error: { code: "bad-manifest", bytes } });
		}
	});

	it("and chunks of a foreign neighbourhood that were certified there open to nothing here", () => {
		const other = new TestNeighbourhood(3, { name: "Another" });
		const foreign = other.minute(FIRST_MINUTE);
		const theirs = snapshotOf(foreign.ledger, foreign.results).leaves;
		expect(checkManifest(manifestOf(theirs), other.head.stateRoot).ok).toBe(true);
		const joined = joinChunks(chunkLeaves(theirs), manifestOf(theirs));
		if (!joined.ok) throw new Error(joined.error.code);
		expect(openSnapshot(street.ledger, joined.value)).toEqual({
			ok: false,
			error: { code: "snapshot-of-another-neighbourhood", gridId: blockHash(other.blocks[0] ?? other.head) },
		});
	});

	it("of a street with a week of readings that wait has no leaf above a chunk", () => {
		const { ledger } = executed;
		const pending = Array.from({ length: 10_080 }, (_, at) => ({
			minute: FIRST_MINUTE + at,
			importWh: 1_000_000,
			exportWh: 1_000_000,
			quality: "measured" as const,
			boughtWh: 1_000_000,
			soldWh: 1_000_000,
		}));
		const seen = Array.from({ length: 5_040 }, (_, at) => [FIRST_MINUTE + 2 * at, FIRST_MINUTE + 2 * at + 1] as const);
		const households = ledger.households.map((household) => ({ ...household, pending, seen }));
		const large = snapshotOf({ ...ledger, households }, executed.results).leaves;
		expect(Math.max(...large.map(({ length }) => length))).toBeLessThan(CHUNK_BYTES);
		expect(openSnapshot(ledger, large)).toMatchObject({ ok: true, value: { households } });
	});
});
