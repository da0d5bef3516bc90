import { describe, expect, it } from "vitest";
import { blockMsOf, FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;

describe("a reading", () => {
	it("is booked once per household and minute", () => {
		const street = new TestNeighbourhood(2);
		street.minute(M, [street.reading(0, M, 5, 7), street.reading(1, M, 1, 0)]);
		expect(street.household(0)).toMatchObject({ importWh: 5, exportWh: 7, seen: [[M, M + 1]] });
		expect(street.refusal(blockMsOf(M + 1), [street.reading(0, M, 6, 0)])).toEqual({
			code: "duplicate-reading",
			member: 0,
			minute: M,
		});
	});

	it("is refused when its minute comes twice in one block", () => {
		const street = new TestNeighbourhood(1);
		const both = [street.reading(0, M, 5, 0), street.reading(0, M, 5, 0, "estimated")];
		expect(street.refusal(blockMsOf(M), both)).toMatchObject({ code: "duplicate-reading" });
	});

	it("waits while its minute has not ended at the block's timestamp, and no block may hold it", () => {
		const street = new TestNeighbourhood(1);
		expect(street.refusal(blockMsOf(M) - 1, [street.reading(0, M, 5, 0)])).toEqual({
			code: "minute-not-ended",
			minute: M,
		});
		expect(street.refusal(blockMsOf(M), [street.reading(0, M, 5, 0)])).toBeUndefined();
	});

	it("is refused for a minute before the household was a member", () => {
		const street = new TestNeighbourhood(1);
		expect(street.refusal(blockMsOf(M), [street.reading(0, M - 1, 5, 0)])).toEqual({
			code: "before-membership",
			minute: M - 1,
			joinedMinute: M,
		});
	});

	it("is taken in any order", () => {
		const street = new TestNeighbourhood(1);
		street.minute(
			M + 5,
			[3, 0, 5, 1].map((k) => street.reading(0, M + k, 10 ** k, 0)),
		);
		expect(street.household(0)).toMatchObject({
			importWh: 101_011,
			seen: [
				[M, M + 2],
				[M + 3, M + 4],
				[M + 5, M + 6],
			],
		});
		street.minute(M + 6, [street.reading(0, M + 4, 0, 0), street.reading(0, M + 2, 0, 0)]);
		expect(street.household(0).seen).toEqual([[M, M + 6]]);
	});
});

describe("the reading window", () => {
	const window = 5;
	const withWindow = () => new TestNeighbourhood(1, { readingWindowBlocks: window, settlementGraceBlocks: 2 });

	it("of 5 is open in the first five counted blocks from the minute's own on, and closed in the sixth", () => {
		const street = withWindow();
		for (let k = 0; k < window - 1; k++) street.minute(M + k);
		expect(street.refusal(blockMsOf(M + 4), [street.reading(0, M, 5, 0)])).toBeUndefined();
		street.minute(M + 4);
		// A block that does not count leaves it as it is.
		expect(street.refusal(blockMsOf(M + 4) + 1, [street.reading(0, M, 5, 0)])).toBeUndefined();
		expect(street.refusal(blockMsOf(M + 5), [street.reading(0, M, 5, 0)])).toEqual({
			code: "outside-window",
			minute: M,
		});
		expect(street.refusal(blockMsOf(M + 5), [street.reading(0, M + 1, 5, 0)])).toBeUndefined();
	});

	it("is counted in blocks: after an outage the readings that were kept are still taken", () => {
		const street = withWindow();
		street.minute(M);
		street.minute(M + 10_000, [street.reading(0, M + 1, 5, 0), street.reading(0, M + 9_999, 6, 0)]);
		expect(street.household(0).importWh).toBe(11);
	});

	it("lets no minute be booked a second time, however much of the past is forgotten", () => {
		const street = withWindow();
		const isRead = (k: number) => [0, 1, 3].includes(k % 5);
		for (let k = 0; k < 30; k++) {
			if (isRead(k)) street.minute(M + k, [street.reading(0, M + k, 1, 0)]);
			else street.minute(M + k);
			for (let back = 0; back <= k; back++) {
				const wasRead = isRead(k - back);
				const code = street.refusal(blockMsOf(M + k) + 1, [street.reading(0, M + k - back, 1, 0)])?.code;
				// In the block of minute M + k, the window reaches back to M + k − 4.
				expect(code).toBe(back >= window ? "outside-window" : wasRead ? "duplicate-reading" : undefined);
			}
		}
		// What was seen is forgotten once the window refuses it anyway.
		expect(street.household(0).seen.length).toBeLessThan(6);
	});

	it("holds as well when a minute has several counted blocks", () => {
		const street = new TestNeighbourhood(1, { readingWindowBlocks: window, blockIntervalMs: 20_000 });
		const firstMs = blockMsOf(M);
		for (let i = 0; i < 4; i++) street.block(firstMs + i * 20_000);
		expect(street.refusal(firstMs + 80_000, [street.reading(0, M, 5, 0)])).toBeUndefined();
		expect(street.refusal(firstMs + 100_000, [street.reading(0, M, 5, 0)])).toBeUndefined();
		street.block(firstMs + 80_000);
		expect(street.refusal(firstMs + 100_000, [street.reading(0, M, 5, 0)])?.code).toBe("outside-window");
	});
});
