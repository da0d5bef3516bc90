import { expect, it } from "vitest";
import { MAX_OWN_RETAIL_STEPS, ownRetailOf, withOwnRetail } from "../../../src/node/ownRetail.js";
import type { OwnRetailStep } from "../../../src/node/protocol.js";

const said = (fromMinute: number, retailMicroNokPerWh: number): OwnRetailStep => ({ fromMinute, retailMicroNokPerWh });

it("a price that is said again in the same minute takes its place, and the one before stays known", () => {
	const first = withOwnRetail([], said(10, 1_200));
	const second = withOwnRetail(withOwnRetail(first, said(20, 1_300)), said(20, 0));
	expect(second).toEqual([said(10, 1_200), said(20, 0)]);
	expect([ownRetailOf([]), ownRetailOf(first), ownRetailOf(second)]).toEqual([0, 1_200, 0]);
});

it("so many prices are kept, and the oldest that is left holds from the beginning", () => {
	let steps: readonly OwnRetailStep[] = [];
	for (let at = 1; at <= MAX_OWN_RETAIL_STEPS + 1; at++) steps = withOwnRetail(steps, said(at, at));
	expect(steps).toHaveLength(MAX_OWN_RETAIL_STEPS);
	expect(steps.slice(0, 2)).toEqual([said(0, 2), said(3, 3)]);
});
