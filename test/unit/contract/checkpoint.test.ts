import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { isCheckpoint, MAX_CHECKPOINT_SPACING } from "../../../src/contract/checkpoint.js";
import { FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";
import { foundedFor, play, scenario } from "../../support/scenario.js";

// Lives here are half an hour long: notices are over in a minute.
vi.mock(import("../../../src/primitives/units.js"), async (units) => ({
	...(await units()),
	HOUSEHOLD_NOTICE_MINUTES: 1,
}));

const M = FIRST_MINUTE;

describe("a checkpoint", () => {
	it("is every so many-th block that counts; quick blocks in between make none", () => {
		const street = new TestNeighbourhood(1, { checkpointBlocks: 10 });
		const checkpoints: number[] = [];
		const look = (block: () => void) => {
			const parent = street.ledger;
			block();
			if (isCheckpoint(parent, street.ledger)) checkpoints.push(street.ledger.index);
		};
		for (let minute = M; minute < M + 25; minute++) {
			look(() => street.minute(minute));
			look(() => street.block(street.head.timestampMs + 1));
		}
		expect(street.ledger.countedTotal).toBe(25);
		// The tenth that counts is block 19: each is followed by one that does not.
		expect(checkpoints).toEqual([19, 39]);
	});

	it("is kept every so often, however far apart a neighbourhood wants them", () => {
		const { ledger } = new TestNeighbourhood(1, { checkpointBlocks: 1_440 });
		const at = (countedTotal: number) => isCheckpoint(ledger, { ...ledger, countedTotal });
		expect([MAX_CHECKPOINT_SPACING - 1, MAX_CHECKPOINT_SPACING, 1_439, 1_440].map(at)).toEqual([
			false,
			true,
			false,
			true,
		]);
	});

	it("is never genesis", () => {
		const { ledger } = new TestNeighbourhood(1);
		expect(ledger.countedTotal).toBe(0);
		expect(isCheckpoint(ledger, ledger)).toBe(false);
	});

	it("comes by the number of blocks that counted, whatever else the chain does", () => {
		fc.assert(
			fc.property(scenario, (story) => {
				const { blockIntervalMs } = story;
				let { ledger } = foundedFor(story);
				let counted = 0;
				for (const { block, executed } of play(story)) {
					const slot = (ms: number) => Math.floor(ms / blockIntervalMs);
					const counts = slot(block.timestampMs) > slot(ledger.timestampMs);
					if (counts) counted += 1;
					expect(executed.ledger.countedTotal).toBe(counted);
					expect(isCheckpoint(ledger, executed.ledger)).toBe(counts && counted % 10 === 0);
					ledger = executed.ledger;
				}
			}),
			{ numRuns: 15 },
		);
	});
});
