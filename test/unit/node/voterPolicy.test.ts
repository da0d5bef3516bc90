import { describe, expect, it } from "vitest";
import { CAUGHT_UP_MS, planVoters } from "../../../src/node/voterPolicy.js";

interface Draft {
	household?: number;
	alwaysOn?: boolean;
	revoked?: boolean;
	caughtUpMs?: number;
	movesOut?: boolean;
}

/** Devices by index, each of a household of its own, always on and caught up where nothing else is said. */
function plan(devices: readonly Draft[], voters: readonly number[], excluded: readonly number[] = []) {
	return planVoters({
		ledger: {
			voters,
			countedTotal: 0,
			households: devices.map(({ movesOut }) => ({
				notice: undefined,
				removal: movesOut ? { id: new Uint8Array(32), fromMinute: 0, completed: false } : undefined,
			})),
			devices: devices.map(({ household, alwaysOn, revoked }, index) => ({
				index,
				household: household ?? index,
				publicKey: new Uint8Array(33),
				alwaysOn: alwaysOn ?? true,
				revokedIndex: revoked === true ? 7 : undefined,
			})),
		},
		excluded,
		caughtUpMs: (device) => devices[device]?.caughtUpMs ?? CAUGHT_UP_MS,
	});
}

describe("the voters that the operator's node chooses", () => {
	it("grow from one to three at once, and then one by one", () => {
		expect(plan([{}, {}], [0])).toBeUndefined();
		expect(plan([{}, {}, {}, {}], [0])).toEqual({ added: [1, 2], removed: [] });
		expect(plan([{}, {}, {}, {}, {}], [0, 1, 2])).toEqual({ added: [3], removed: [] });
		expect(plan([{}, {}, {}], [0, 1])).toEqual({ added: [2], removed: [] });
	});

	it("are replaced where one votes alone whose household moves out", () => {
		const leaving = { movesOut: true };
		expect(plan([leaving, {}], [0])).toEqual({ added: [1], removed: [] });
		expect(plan([leaving, {}], [0, 1])).toEqual({ added: [], removed: [0] });
		expect(plan([leaving, {}, {}], [0])).toEqual({ added: [1], removed: [] });
		expect(plan([leaving, {}, {}, {}], [0])).toEqual({ added: [1, 2], removed: [] });
		expect(plan([leaving, { alwaysOn: false }], [0])).toBeUndefined();
	});

	it("lose first who is out of use: without the others' votes it is missing from the majority", () => {
		expect(plan([{ movesOut: true }, { revoked: true }, {}], [0, 1, 2])).toEqual({ added: [], removed: [1] });
		expect(plan([{ movesOut: true }, {}, {}], [0, 1, 2])).toEqual({ added: [], removed: [0] });
	});

	it("are always on, have kept up for a while, are in use, and were not taken off the list by hand", () => {
		const three = [{}, {}, {}];
		expect(plan([...three, { alwaysOn: false }], [0, 1, 2])).toBeUndefined();
		expect(plan([...three, { caughtUpMs: CAUGHT_UP_MS - 1 }], [0, 1, 2])).toBeUndefined();
		expect(plan([...three, { revoked: true }], [0, 1, 2])).toBeUndefined();
		expect(plan([...three, {}], [0, 1, 2], [3])).toBeUndefined();
	});

	it("are one of each household", () => {
		expect(plan([{}, {}, {}, { household: 1 }], [0, 1, 2])).toBeUndefined();
		expect(plan([{}, { household: 7 }, { household: 7 }, {}], [0])).toEqual({ added: [1, 3], removed: [] });
	});

	it("are at most 25", () => {
		const many = Array.from({ length: 27 }, () => ({}));
		const voters = (count: number) => Array.from({ length: count }, (_, at) => at);
		expect(plan(many, voters(24))).toEqual({ added: [24], removed: [] });
		expect(plan(many, voters(25))).toBeUndefined();
	});

	it("lose one that its household took out of use, but never the last, and never one that is only silent", () => {
		expect(plan([{}, { revoked: true }, {}, {}], [0, 1, 2])).toEqual({ added: [], removed: [1] });
		expect(plan([{ revoked: true }, { alwaysOn: false }], [0])).toBeUndefined();
		expect(plan([{}, { caughtUpMs: 0 }, {}], [0, 1, 2])).toBeUndefined();
	});
});
