import { describe, expect, it } from "vitest";
import type { StreetView } from "../../../src/node/view.js";
import { flowsOf, flowsPeriod, housesOf, nodeRows, sortRows } from "../../../src/ui/networkModel.js";
import { comingAndGoing, NOW_MS, street } from "../../ui-preview/views.js";

const troubles = (view: StreetView) =>
	Object.fromEntries(housesOf(view).map(({ name, troubles }) => [name, troubles.map(({ type }) => type)]));

/** A view in which one node is changed. */
function withNode(member: number, change: Partial<NonNullable<StreetView["operator"]>["nodes"][number]>): StreetView {
	const view = street(0);
	if (view.operator === undefined) throw new Error("house 0 is the operator's");
	const nodes = view.operator.nodes.map((node) => (node.member === member ? { ...node, ...change } : node));
	return { ...view, operator: { ...view.operator, nodes } };
}

describe("what is wrong in the neighbourhood", () => {
	it("is that a device is away that is always on, and that its meter is silent", () => {
		expect(troubles(street(0))).toEqual({
			"Bjørkeveien 1": [],
			"Bjørkeveien 2": [],
			"Bjørkeveien 4": [],
			"Bjørkeveien 6": [],
			Granlia: ["offline", "silent"],
			Solvang: [],
		});
	});

	it("is no phone that is away", () => {
		expect(troubles(withNode(5, { connected: false }))["Bjørkeveien 6"]).toEqual([]);
	});

	it("is a meter silent for fifteen minutes, and not for fourteen", () => {
		const now = Math.floor((NOW_MS - 13_000) / 60_000);
		expect(troubles(withNode(2, { lastReadingMinute: now - 15 })).Solvang).toEqual([]);
		expect(troubles(withNode(2, { lastReadingMinute: now - 16 })).Solvang).toEqual(["silent"]);
	});

	it("is no meter while the chain stands still: what it says is kept", () => {
		const view = street(0);
		const { leader: _, ...chain } = view.chain;
		const still = { ...view, chainMs: NOW_MS + 3_600_000, chain };
		expect(troubles(still)["Bjørkeveien 2"]).toEqual([]);
	});

	it("is a device that is here and lacks blocks; of one that is away nobody knows", () => {
		expect(troubles(withNode(2, { headIndex: 840 })).Solvang).toEqual(["behind"]);
		expect(troubles(withNode(2, { headIndex: 844 })).Solvang).toEqual([]);
		expect(troubles(withNode(2, { headIndex: 840, connected: false })).Solvang).toEqual(["offline"]);
	});
});

describe("the devices", () => {
	it("stand with what is worst first, and by name where they are equal", () => {
		const view = withNode(2, { doubleSigned: true });
		expect(sortRows(nodeRows(view), "trouble").map(({ name }) => name)).toEqual([
			"Solvang",
			"Granlia",
			"Bjørkeveien 1",
			"Bjørkeveien 2",
			"Bjørkeveien 4",
			"Bjørkeveien 6",
		]);
		expect(sortRows(nodeRows(view), "lag")[0]?.name).toBe("Granlia");
		expect(sortRows(nodeRows(view), "reading")[0]?.name).toBe("Granlia");
		expect(sortRows(nodeRows(view), "name")[0]?.name).toBe("Bjørkeveien 1");
	});

	it("are those in use, of households that are here", () => {
		expect(nodeRows(comingAndGoing(0)).map(({ member }) => member)).not.toContain(5);
		expect(nodeRows(withNode(3, { revoked: true })).map(({ member }) => member)).not.toContain(3);
		expect(housesOf(withNode(3, { revoked: true })).find(({ member }) => member === 3)).toMatchObject({
			isHere: false,
			rows: [],
		});
	});
});

describe("where energy flowed", () => {
	it("is from household to household, and through the market, the strongest first", () => {
		expect(flowsOf(street(0)).map(({ from, to, powerW }) => `${from} ${to} ${powerW}`)).toEqual([
			"2 5 2310",
			"0 1 1240",
			"0 3 620",
			"market 3 590",
			"0 market 410",
			"2 market 180",
		]);
		const { untilMs = 0, fromMs = 0 } = flowsPeriod(street(0)) ?? {};
		expect(untilMs - fromMs).toBe(15 * 60_000);
	});

	it("is nothing where nothing has settled", () => {
		const view = street(0);
		if (view.operator) delete view.operator.flows;
		expect([flowsOf(view), flowsPeriod(view)]).toEqual([[], undefined]);
	});
});
