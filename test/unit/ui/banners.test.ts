import { expect, test } from "vitest";
import type { StreetView } from "../../../src/node/view.js";
import { bannersOf, METER_SILENT_MS } from "../../../src/ui/banners.js";
import { foundedAgain, keyNotice, refounding, street } from "../../ui-preview/views.js";

function types(change: (view: StreetView) => void, laterMs = 0): string[] {
	const view = street(0);
	change(view);
	return bannersOf(view, view.chainMs + laterMs).map(({ type }) => type);
}

test("nothing stands above the screens while all is well", () => {
	expect(types(() => {})).toEqual([]);
});

test("one line about the connection: no server and no neighbour is offline, a server without neighbours is alone", () => {
	const alone = (view: StreetView): void => {
		view.chain = { ...view.chain, neighboursOnline: 0 };
		delete view.chain.leader;
	};
	expect(types(alone)).toEqual(["alone"]);
	expect(
		types((view) => {
			alone(view);
			view.signaling = { connected: 0, configured: 1 };
		}),
	).toEqual(["offline"]);
	expect(
		types((view) => {
			alone(view);
			view.signaling = { connected: 1, configured: 1, clockOffMs: -200_000 };
		}),
	).toEqual(["clockOff"]);
	// Where somebody is there, somebody else's clock is wrong.
	expect(types((view) => Object.assign(view.signaling, { clockOffMs: -200_000 }))).toEqual([]);
});

test("a household that is asked whether it goes over to a new chain is told so, once; nobody misses a leader there", () => {
	const of = (view: StreetView) => bannersOf(view, view.chainMs).map(({ type }) => type);
	expect(of(refounding(1, "possible"))).toEqual(["noLeader"]);
	expect(of(refounding(1, "proposed"))).toEqual(["refounding"]);
	expect(of(refounding(1, "confirmed"))).toEqual(["notVoting"]);
	expect(of(refounding(1, "founded"))).toEqual(["refounding"]);
	expect(of(foundedAgain(1))).toEqual([]);
});

test("connected neighbours without a leader", () => {
	expect(types((view) => delete view.chain.leader)).toEqual(["noLeader"]);
});

test("what waits after an outage is counted: while nobody leads, and while it goes into the chain", () => {
	const view = street(0);
	view.chain = { ...view.chain, waitingMinutes: 10_080, votersOnline: 4, voters: 25 };
	expect(bannersOf(view, view.chainMs)).toEqual([{ type: "backlog", waitingMinutes: 10_080 }]);
	delete view.chain.leader;
	expect(bannersOf(view, view.chainMs)).toEqual([
		{ type: "noLeader", waitingMinutes: 10_080, votersOnline: 4, voters: 25 },
	]);
});

test("fetching blocks comes before everything else about the connection", () => {
	expect(
		types((view) => {
			view.chain = { ...view.chain, sync: { haveIndex: 1, targetIndex: 9 } };
			delete view.chain.leader;
		}),
	).toEqual(["sync"]);
});

test("a meter is silent after five minutes; a household without a meter has none that could be", () => {
	expect(types(() => {}, METER_SILENT_MS)).toEqual(["meterSilent"]);
	expect(
		types((view) => {
			view.meter = { ...view.meter, source: "none" };
		}, METER_SILENT_MS),
	).toEqual([]);
});

test("a voter that does not vote says why", () => {
	const view = street(0);
	view.chain = { ...view.chain, notVoting: "twin-device" };
	expect(bannersOf(view, view.chainMs)).toEqual([{ type: "notVoting", code: "twin-device" }]);
});

test("a notice is said to whom it concerns, and to everybody else; one of another key and one of moving out are two", () => {
	const of = (self: number) => bannersOf(keyNotice(self), keyNotice(self).chainMs);
	expect(of(5)).toEqual([
		{ type: "ownRemoval", minutesLeft: 8_730 },
		{ type: "rebinding", names: ["Granlia"] },
	]);
	expect(of(4)).toMatchObject([{ type: "ownRebinding" }, { type: "removal" }]);
	expect(of(1).map(({ type }) => type)).toEqual(["rebinding", "removal"]);
});
