import { describe, expect, it } from "vitest";
import { mayAdd, votersAfter } from "../../../src/ui/voterChoice.js";

const node = (device: number, change: Partial<Parameters<typeof mayAdd>[0][number]> = {}) => ({
	device,
	member: device,
	voter: false,
	connected: true,
	alwaysOn: true,
	keptFromVoting: false,
	...change,
});

describe("the operator's choice of voters", () => {
	it("says how many vote afterwards, and how many must be there", () => {
		expect(votersAfter(1)).toEqual({ count: 1, majority: 1 });
		expect(votersAfter(1, { added: [1, 2], removed: [] })).toEqual({ count: 3, majority: 2 });
		expect(votersAfter(4, { added: [], removed: [3] })).toEqual({ count: 3, majority: 2 });
	});

	it("lets one in beside several, and two beside one", () => {
		const several = [node(0, { voter: true }), node(1, { voter: true }), node(2)];
		expect(mayAdd(several, 2)).toEqual([2]);
		expect(mayAdd([node(0, { voter: true }), node(1), node(2)], 2)).toEqual([2, 1]);
		// Nobody else is there: it can take the other's place.
		expect(mayAdd([node(0, { voter: true }), node(1)], 1)).toEqual([1]);
	});

	it("lets nobody in who votes, is away, or whose household votes; takes nobody along who was taken off the list", () => {
		const voters = [node(0, { voter: true }), node(1, { voter: true })];
		expect(mayAdd([...voters], 1)).toBeUndefined();
		expect(mayAdd([...voters, node(2, { connected: false })], 2)).toBeUndefined();
		expect(mayAdd([...voters, node(2, { member: 1 })], 2)).toBeUndefined();
		const alone = [node(0, { voter: true }), node(1, { keptFromVoting: true }), node(2), node(3, { alwaysOn: false })];
		expect(mayAdd(alone, 2)).toEqual([2]);
		expect(mayAdd(alone, 1)).toEqual([1, 2]);
	});
});
