/// <reference types="svelte" />
/// <reference types="vite/client" />
import { mount } from "svelte";
import type { StreetView, View } from "../../src/node/view.js";
import "../../src/ui/app.css";
import App from "../../src/ui/App.svelte";
import DemoPage from "../../src/ui/demo/DemoPage.svelte";
import { createHouse } from "../../src/ui/demo/house.svelte.js";
import { DEMO_HOUSEHOLDS } from "../../src/ui/demo/households.js";
import type { DemoProgress } from "../../src/ui/demo/street.js";
import { initLocale, setLocale } from "../../src/ui/locale.svelte.js";
import { createNodeClient } from "../../src/ui/nodeClient.svelte.js";
import { fakePort } from "./fakePort.js";
import {
	banked,
	comingAndGoing,
	doubtfulMeter,
	everythingWaits,
	foundedAgain,
	keyNotice,
	lobby,
	moneyProposed,
	moneyReal,
	monthly,
	nothingWaits,
	outOfUse,
	paid,
	refounding,
	street,
	troubled,
	twentyHouseholds,
	unrecognizedMeter,
	withFirstWeek,
	withoutLeader,
} from "./views.js";

const SCENES: Record<string, () => View> = {
	welcome: () => ({ stage: "welcome" }),
	welcomeDamaged: () => ({ stage: "welcome", damaged: "profile-damaged" }),
	lobby: () => lobby,
	guest: () => ({ ...lobby, founder: false, founderReached: false, members: lobby.members.slice(0, 2) }),
	joining: () => ({
		stage: "joining",
		as: "newHousehold",
		neighbourhood: "Solbakken",
		state: "syncing",
		haveIndex: 412,
		targetIndex: 846,
		signaling: { connected: 1, configured: 1 },
	}),
	readmitted: () => ({
		stage: "joining",
		as: "newDevice",
		neighbourhood: "Solbakken",
		state: "handedIn",
		haveIndex: 846,
		targetIndex: 846,
		signaling: { connected: 1, configured: 1 },
	}),
	refused: () => ({
		stage: "joining",
		as: "restored",
		neighbourhood: "Solbakken",
		state: "refused",
		code: "unknown-household",
		haveIndex: 846,
		targetIndex: 846,
		signaling: { connected: 1, configured: 1 },
	}),
	foundedAgainMeanwhile: () => ({
		stage: "joining",
		as: "restored",
		neighbourhood: "",
		state: "elsewhere",
		haveIndex: 0,
		targetIndex: 0,
		signaling: { connected: 1, configured: 1 },
	}),
	outOfUse: () => outOfUse("twin-device"),
	street: () => street(0),
	noWords: () => ({ ...street(1), lock: { state: "open", wordsKept: false } }),
	noPassword: () => ({ ...street(1), lock: { state: "none", wordsKept: false } }),
	doubtfulMeter,
	unrecognizedMeter,
	consumer: () => street(1),
	troubled,
	households: () => comingAndGoing(0),
	suspended: () => comingAndGoing(1),
	movingOut: () => comingAndGoing(3),
	bankedOperator: () => banked(0),
	banked: () => banked(1),
	paidOperator: () => paid(0),
	paidNewcomer: () => paid(1),
	paid: () => paid(2),
	monthlyOperator: () => monthly(0),
	monthly: () => monthly(1),
	monthlyEarner: () => monthly(2),
	moneyOperator: () => moneyProposed(0),
	moneyAsked: () => moneyProposed(1),
	moneyConfirmed: () => moneyProposed(2),
	moneyReal: () => moneyReal(1),
	network: () => withFirstWeek(street(0), "open"),
	networkNoLeader: () => withoutLeader(),
	networkTwenty: () => twentyHouseholds(),
	queuesEmpty: () => nothingWaits(),
	queuesFull: () => everythingWaits(),
	firstWeekOpen: () => withFirstWeek(street(2), "open"),
	firstWeekPhone: () => withFirstWeek(street(1), "phone"),
	firstWeekGreen: () => withFirstWeek(street(2), "green"),
	firstWeekAsked: () => withFirstWeek(moneyProposed(1), "open"),
	firstWeekOperator: () => withFirstWeek(street(0), "open"),
	firstWeekReal: () => withFirstWeek(banked(2), "open"),
	keyNotice: () => keyNotice(1),
	operatorNotice: () => keyNotice(0),
	ownKeyNotice: () => keyNotice(4),
	ownRemovalNotice: () => keyNotice(5),
	claiming: () => claiming(),
	keyAnnounced: () => claiming({ household: "Granlia", minutesLeft: 6_120 }),
	movedOut: () => comingAndGoing(5),
	refoundingPossible: () => refounding(0, "possible"),
	refoundingProposed: () => refounding(1, "proposed"),
	refoundingConfirmed: () => refounding(0, "confirmed"),
	refoundingBound: () => refounding(1, "confirmed"),
	refoundingElsewhere: () => refounding(0, "confirmed", true),
	refoundingFounded: () => refounding(1, "founded"),
	refoundingRestored: () => restored(refounding(1, "proposed")),
	refoundingRestoredElsewhere: () => restored(refounding(0, "confirmed", true)),
	foundedAgain: () => foundedAgain(1),
};

/** A browser with a key that no household has yet. */
function claiming(notice?: { household: string; minutesLeft: number }): View {
	const text = "A".repeat(131);
	return {
		stage: "joining",
		as: "restored",
		neighbourhood: "Solbakken",
		state: "refused",
		code: "unknown-household",
		claim: { text, ...(notice && { notice }) },
		haveIndex: 846,
		targetIndex: 846,
		signaling: { connected: 1, configured: 1 },
	};
}

/** A household that came by its restore link, before it is let in. */
function restored({ refounding: asked }: StreetView): View {
	return {
		stage: "joining",
		as: "restored",
		neighbourhood: "Solbakken",
		state: "handedIn",
		haveIndex: 846,
		targetIndex: 846,
		signaling: { connected: 1, configured: 1 },
		...(asked === undefined ? {} : { refounding: asked }),
	};
}

const parameters = new URLSearchParams(location.search);
const scene = parameters.get("scene") ?? "street";
const target = document.getElementById("app") as HTMLElement;

initLocale();
if (parameters.has("en")) setLocale("en");

if (scene === "demo") {
	const parts = {
		startNode: (index: number) => fakePort({ ...street(index % 6), timeScale: 30 }),
		loadMesh: () => Promise.reject(new Error("no mesh in the preview")),
	};
	const houses = DEMO_HOUSEHOLDS.map((household, index) => createHouse(index, household, parts));
	mount(DemoPage, {
		target,
		props: {
			onclose: () => location.reload(),
			start: async (onProgress: (progress: DemoProgress) => void) => {
				onProgress({ type: "running" });
				return { houses, stop() {} };
			},
		},
	});
} else {
	// `asleep`: a second tab, whose first one does not answer; `elsewhere`: one whose first one does.
	const asleep = parameters.has("asleep");
	const client = createNodeClient(fakePort((SCENES[scene] ?? SCENES.street ?? troubled)()));
	const state = { type: "running" as const, client, elsewhere: asleep || parameters.has("elsewhere"), asleep };
	const session = { state, takeOver: () => location.reload(), freeze() {}, hide() {}, wake() {}, move() {} };
	mount(App, { target, props: { session, last: { street: undefined, keep() {} } } });
}
