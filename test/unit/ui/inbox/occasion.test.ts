import { describe, expect, it } from "vitest";
import type { ContractView, MovementView, StreetView } from "../../../../src/node/view.js";
import { daysLeft, occasionsOf } from "../../../../src/ui/inbox/occasion.js";
import { street } from "../../../ui-preview/views.js";

const MINUTE = 60_000;
const DAY = 1_440;

/** A household of the preview to which nothing has happened, and then what a test says. */
function seen(change: (view: StreetView) => void, self = 1) {
	const view = street(self);
	view.balance = { ...view.balance, movements: [] };
	view.market = { ...view.market, contracts: [] };
	view.corrections = { ...view.corrections, open: [], claims: [] };
	view.own = [];
	if (view.operator) view.operator = { ...view.operator, nodes: [] };
	change(view);
	return occasionsOf(view, view.chainMs);
}
const nowMinute = Math.floor(street(1).chainMs / MINUTE);
const contract = (change: Partial<ContractView>) => (view: StreetView) => {
	const [first] = street(1).market.contracts;
	if (first === undefined) throw new Error("the preview has a contract");
	const { lossMicroNok: _, ...rest } = first;
	view.market = { ...view.market, contracts: [{ ...rest, ...change }] };
};
const bought = (daysAgo: number, kroner: number): MovementView => ({
	type: "bought",
	amountMicroNok: kroner * 1_000_000,
	energyWh: 1,
	dayMinute: nowMinute - daysAgo * DAY,
	contractId: "a",
	other: 2,
});
const balance = (kroner: number, movements: MovementView[]) => (view: StreetView) => {
	view.balance = { ...view.balance, balanceMicroNok: kroner * 1_000_000, movements };
};

describe("what there is to tell", () => {
	it("is nothing where all is well", () => {
		expect(seen(() => {})).toEqual([]);
	});

	it("is a balance that lasts for less than a week at the rate of the last one, and once more on its last day", () => {
		const week = [1, 2, 3, 4, 5, 6, 7].map((ago) => bought(ago, 10));
		expect(seen(balance(70, week))).toEqual([]);
		expect(seen(balance(69, week))).toMatchObject([{ name: "lowBalance 7", occasion: { days: 6 } }]);
		expect(seen(balance(9, week))).toMatchObject([{ name: "lowBalance 1", occasion: { days: 0 } }]);
		// Who began to buy two days ago has spent for two days; what was bought before a week counts no more.
		const view = street(1);
		balance(30, [bought(2, 10), bought(1, 10), bought(8, 1_000)])(view);
		expect(daysLeft(view, view.chainMs)).toBe(3);
	});

	it("is a contract's end a week and a day before it, unless the contract is shorter", () => {
		const ending = (minutes: number, fromMinute = nowMinute - 30 * DAY) =>
			seen(contract({ id: "c", fromMinute, untilMinute: nowMinute + minutes })).map(({ name }) => name);
		expect(ending(7 * DAY + 1)).toEqual([]);
		expect(ending(7 * DAY)).toEqual(["contractEnding c 7"]);
		expect(ending(DAY)).toEqual(["contractEnding c 1"]);
		expect(ending(3 * DAY, nowMinute - DAY)).toEqual([]);
	});

	it("is a contract that cannot be paid, to its buyer, and one that was dearer than the utility", () => {
		const far = { id: "c", untilMinute: nowMinute + 100 * DAY };
		expect(seen(contract({ ...far, state: "paused" }))).toMatchObject([{ name: "contractPaused c" }]);
		expect(seen(contract({ ...far, state: "paused", buyer: 2, seller: 1 }))).toEqual([]);
		expect(seen(contract({ ...far, lossMicroNok: 5 }))).toMatchObject([
			{ occasion: { lossMicroNok: 5, buying: true } },
		]);
	});

	it("is what has happened with one's orders and acts", () => {
		const issued: MovementView = { type: "issued", amountMicroNok: 5, timestampMs: 7, reference: "x", id: "order" };
		const occasions = seen((view) => {
			balance(1, [issued])(view);
			view.own = [{ id: "act", kind: "accept", state: "refused", code: "own-offer", timestampMs: 1 }];
		});
		expect(occasions.map(({ name, isPast }) => [name, isPast])).toEqual([
			["issued order", true],
			["refused act", true],
		]);
	});

	it("is a bill for a month, until it is paid", () => {
		const credit = { member: 1, lineMicroNok: 9, usedMicroNok: 0, owedMicroNok: 7 };
		const demand = { id: "d", member: 1, amountMicroNok: 7, fromMinute: 5, timestampMs: 6, reference: "x" };
		const billed = (demands: (typeof demand)[]) => (view: StreetView) => {
			balance(1, [])(view);
			view.balance = { ...view.balance, credit: { ...credit, demands } };
		};
		expect(seen(billed([demand]))).toMatchObject([
			{ name: "bill d", occasion: { type: "bill", amountMicroNok: 7, fromMinute: 5 }, isPast: false },
		]);
		expect(seen(billed([]))).toEqual([]);
	});

	it("is real kroner that an operator proposes, until one has agreed", () => {
		const awaited = (members: number[]) => (view: StreetView) => {
			view.moneyProposal = { id: "p", proposedBy: 0, moneyKind: "prepaid", reason: "x", awaited: members };
		};
		expect(seen(awaited([1, 2]))).toMatchObject([{ name: "moneyProposed p", occasion: { by: 0 } }]);
		expect(seen(awaited([2]))).toEqual([]);
	});

	it("is a meter silent for five minutes, and for the operator a neighbour's for a quarter of an hour", () => {
		const silent = (minutes: number) => (view: StreetView) => {
			view.meter = { ...view.meter, live: { importW: 1, exportW: 0, atMs: view.chainMs - minutes * MINUTE } };
		};
		expect(seen(silent(4))).toEqual([]);
		expect(seen(silent(5))).toMatchObject([{ name: "meterSilent" }]);
		const neighbour = (minutes: number, waiting = 0) =>
			seen((view) => {
				const [node] = street(0).operator?.nodes ?? [];
				if (view.operator === undefined || node === undefined) throw new Error("household 0 is the operator");
				view.operator = { ...view.operator, nodes: [{ ...node, member: 3, lastReadingMinute: nowMinute - minutes }] };
				view.chain = { ...view.chain, waitingMinutes: waiting };
			}, 0).map(({ name }) => name);
		expect(neighbour(15)).toEqual([]);
		expect(neighbour(16)).toEqual(["neighbourSilent 3"]);
		expect(neighbour(16, 15)).toEqual(["chainWaiting"]);
	});

	it("is a chain that waits, but not while this device fetches it", () => {
		const waiting = (view: StreetView) => {
			view.chain = { ...view.chain, waitingMinutes: 15 };
		};
		expect(seen(waiting)).toMatchObject([{ name: "chainWaiting" }]);
		expect(
			seen((view) => {
				waiting(view);
				view.chain.sync = { haveIndex: 1, targetIndex: 9 };
			}),
		).toEqual([]);
	});
});
