import { describe, expect, it } from "vitest";
import type { Link } from "../../../src/node/chain.js";
import { RecentFlows } from "../../../src/node/recentFlows.js";

type Delivered = readonly [seller: number, buyer: number, energyWh: number];

/** A block of a minute that settles what contracts delivered in others. */
function settling(minute: number, settled: Record<number, readonly Delivered[]>, matched: unknown[] = []): Link {
	const minutes = Object.entries(settled).flatMap(([of, delivered]) =>
		delivered.map(([seller, buyer, energyWh]) => ({ seller, minute: Number(of), deliveries: [{ buyer, energyWh }] })),
	);
	return { block: { timestampMs: minute * 60_000 }, results: { settled: minutes, matched } } as unknown as Link;
}

describe("where energy flowed last", () => {
	it("is nothing before anything has settled", () => {
		expect(new RecentFlows().view()).toBeUndefined();
	});

	it("is the mean power of the last quarter of an hour that has settled", () => {
		const flows = new RecentFlows();
		for (let minute = 100; minute < 120; minute++) {
			flows.add(
				settling(minute + 1, {
					[minute]: [
						[0, 1, minute < 105 ? 999 : 20],
						[2, 1, minute === 119 ? 15 : 0],
					],
				}),
			);
		}
		expect(flows.view()).toEqual({
			contracts: {
				fromMinute: 105,
				untilMinute: 120,
				between: [
					{ seller: 0, buyer: 1, powerW: 1_200 },
					{ seller: 2, buyer: 1, powerW: 60 },
				],
			},
		});
	});

	it("is the same when a block is taken in twice", () => {
		const flows = new RecentFlows();
		for (const _ of [1, 2]) flows.add(settling(101, { 100: [[0, 1, 20]] }));
		expect(flows.view()?.contracts?.between).toEqual([{ seller: 0, buyer: 1, powerW: 1_200 }]);
	});

	it("holds what the market matched last, of no pair in particular", () => {
		const flows = new RecentFlows();
		const shares = [{ household: 3, boughtWh: 100, soldWh: 0, paidMicroNok: 1, earnedMicroNok: 0 }];
		flows.add(
			settling(120, {}, [
				{ fromMinute: 90, untilMinute: 105, shares: [] },
				{ fromMinute: 105, untilMinute: 120, shares },
			]),
		);
		expect(flows.view()).toEqual({
			market: { fromMinute: 105, untilMinute: 120, shares: [{ member: 3, boughtW: 400, soldW: 0 }] },
		});
	});

	it("is forgotten after a day in which nothing settled", () => {
		const flows = new RecentFlows();
		flows.add(settling(101, { 100: [[0, 1, 20]] }));
		flows.add(settling(101 + 1_441, {}));
		expect(flows.view()).toBeUndefined();
	});
});
