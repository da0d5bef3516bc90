import { describe, expect, it } from "vitest";
import type { StreetView } from "../../../src/node/view.js";
import { candidates, queuesOf, silentHouses } from "../../../src/ui/queues.js";
import { everythingWaits, monthly, nothingWaits, street, withoutLeader } from "../../ui-preview/views.js";

const counts = (view: StreetView) => Object.fromEntries(queuesOf(view).map(({ count, name }) => [name, count]));

describe("what waits for the operator", () => {
	it("is counted by queue, money first", () => {
		expect(queuesOf(street(0)).map(({ name }) => name)).toEqual([
			"orders",
			"payouts",
			"corrections",
			"notices",
			"silent",
			"sameMeter",
			"guests",
			"voters",
		]);
		expect(counts(everythingWaits())).toEqual({
			orders: 1,
			payouts: 1,
			corrections: 1,
			notices: 2,
			silent: 1,
			sameMeter: 1,
			guests: 2,
			voters: 1,
		});
	});

	it("is nothing where all is done, and each queue says so", () => {
		expect(Object.values(counts(nothingWaits())).every((count) => count === 0)).toBe(true);
		expect(queuesOf(nothingWaits()).every(({ empty }) => empty !== "")).toBe(true);
	});

	it("has the month's bills among the orders", () => {
		expect(counts(monthly(0)).orders).toBe(4);
	});

	it("is nobody else's to see", () => {
		expect(queuesOf(street(1))).toEqual([]);
	});

	it("names silent meters, which nobody has while the chain stands still", () => {
		expect(silentHouses(street(0)).map(({ name }) => name)).toEqual(["Granlia"]);
		expect(silentHouses(withoutLeader())).toEqual([]);
	});

	it("names devices that could vote now: always on, here, and of a household without a vote", () => {
		expect(candidates(street(0)).map(({ name }) => name)).toEqual(["Bjørkeveien 4"]);
	});
});
