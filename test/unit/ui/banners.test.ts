import { expect, test } from "vitest";
import type { StreetView } from "../../../src/node/view.js";
import { bannersOf, METER_SILENT_MS, OUT_OF_TOUCH_MS } from "../../../src/ui/banners.js";
import { foundedAgain, keyNotice, refounding, street } from "../../ui-preview/views.js";

function types(change: (view: StreetView) => void, laterMs = 0): string[] {
	const view = street(0);
	change(view);
	return bannersOf(view, view.chainMs + laterMs).map(({ type }) => type);
}

function withoutLeader(view: StreetView): void {
	delete view.chain.leader;
	view.chain.outOfTouchSinceMs = view.chainMs - OUT_OF_TOUCH_MS;
}

test("nothing stands above the screens while all is well", () => {
	expect(types(() => {})).toEqual([]);
});

test("one line about the connection: no server and no neighbour is offline, a server without neighbours is alone", () => {
	const alone = (view: StreetView): void => {
		view.chain = { ...view.chain, neighboursOnline: 0, outOfTouchSinceMs: view.chainMs - OUT_OF_TOUCH_MS };
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
	expect(types(withoutLeader)).toEqual(["noLeader"]);
});

test("neighbours that are not found yet, and a leader that is not heard of yet, are waited for at a start", () => {
	const startedMs = (view: StreetView): void => {
		view.chain = { ...view.chain, outOfTouchSinceMs: view.chainMs, neighboursOnline: 0 };
		delete view.chain.leader;
	};
	expect(types(startedMs, OUT_OF_TOUCH_MS - 1)).toEqual([]);
	expect(types(startedMs, OUT_OF_TOUCH_MS)).toEqual(["alone"]);
	// A demo's clock runs faster, and its screens do not.
	const inDemo = (view: StreetView): void => {
		startedMs(view);
		view.timeScale = 60;
	};
	expect(types(inDemo, OUT_OF_TOUCH_MS)).toEqual([]);
	expect(types(inDemo, 60 * OUT_OF_TOUCH_MS)).toContain("alone");
});

test("what waits after an outage is counted: while nobody leads, and while it goes into the chain", () => {
	const view = street(0);
	view.chain = { ...view.chain, waitingMinutes: 10_080, votersOnline: 4, voters: 25 };
	expect(bannersOf(view, view.chainMs)).toEqual([{ type: "backlog", waitingMinutes: 10_080 }]);
	withoutLeader(view);
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
