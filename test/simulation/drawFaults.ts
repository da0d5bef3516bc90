/** Draws everything that will go wrong in a street. */
import { majorityOf } from "../../src/consensus/quorum.js";
import type { WriteKind } from "./disk.js";
import type { Boundary, Fault } from "./fault.js";
import type { Random } from "./random.js";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const LONG_FREEZE_STEPS_MS = [
	SECOND_MS,
	5 * SECOND_MS,
	20 * SECOND_MS,
	MINUTE_MS,
	5 * MINUTE_MS,
	20 * MINUTE_MS,
	HOUR_MS,
	12 * HOUR_MS,
];
/** From a frame that overtakes another to one of an election that is long over. */
const LATE_STEPS_MS = [100, 500, 2 * SECOND_MS, 8 * SECOND_MS, 30 * SECOND_MS];
/** How often a page can still tell its node that it goes. */
const CLOSES_RATE = 0.5;
const OUTAGE_STEPS_MS = [300, SECOND_MS, 4 * SECOND_MS, 15 * SECOND_MS, MINUTE_MS];

/** What the faults of a street depend on. */
interface Street {
	timeScale: number;
	stormMs: number;
	households: number;
	alwaysOn: readonly boolean[];
}

/** Faults come in a rhythm of its own for each seed, and mostly at a write. */
export function drawFaults(random: Random, street: Street): Fault[] {
	const everyMs = random.pick([4, 8, 15, 40]) * SECOND_MS;
	const kinds = drawKinds(random);
	const voters = street.alwaysOn.filter(Boolean).length;
	// So many voters may be lost for good: a majority has to be left.
	const all = street.alwaysOn.map((_, at) => at);
	const lost: Losses = {
		left: voters - majorityOf(all.slice(0, voters)),
		houses: new Set(),
		hasTwin: false,
		comingAndGoing: undefined,
	};
	const faults: Fault[] = [];
	for (let atMs = random.below(everyMs); atMs < street.stormMs; atMs += 1 + random.below(2 * everyMs)) {
		const fault = drawFault(random, random.pick(kinds), atMs, street, lost);
		if (fault !== undefined) faults.push(fault);
	}
	return faults;
}

/** Every seed has its own mixture; crashes and cuts at a write are in most of them, and more often than anything else. */
function drawKinds(random: Random): Fault["kind"][] {
	const kinds: Fault["kind"][] = [];
	const perhaps = (kind: Fault["kind"], probability: number, weight: number) => {
		if (random.happens(probability)) for (let i = 0; i < weight; i++) kinds.push(kind);
	};
	perhaps("crash", 0.9, 6);
	perhaps("isolation", 0.8, 4);
	perhaps("leaders in turn", 0.6, 3);
	perhaps("freeze", 0.5, 2);
	for (const kind of ["loss", "duplication", "reordering", "delay"] as const) perhaps(kind, 0.3, 2);
	for (const kind of ["partition", "one-way partition", "non-transitive partition"] as const) perhaps(kind, 0.5, 2);
	perhaps("channels close", 0.4, 2);
	perhaps("night", 0.2, 1);
	for (const kind of ["clock jump", "clock drift", "timer throttled", "slow validation", "slow disk"] as const) {
		perhaps(kind, 0.25, 1);
	}
	perhaps("late replies", 0.3, 2);
	perhaps("voter change", 0.4, 2);
	perhaps("storage wiped", 0.15, 1);
	perhaps("remove and rejoin", 0.2, 1);
	perhaps("backup restored", 0.06, 1);
	perhaps("clone", 0.06, 1);
	if (kinds.length === 0) kinds.push("crash");
	return kinds;
}

interface Losses {
	left: number;
	/** Each house loses its identity once at most. */
	houses: Set<number>;
	hasTwin: boolean;
	/** The house that votes at times only: one seed has one, for whom a voter less is reckoned with. */
	comingAndGoing: number | undefined;
}

const BOUNDARIES: readonly WriteKind[] = [
	"votes",
	"append",
	"append",
	"commit",
	"truncate",
	"outbox",
	"install",
	"checkpoint",
	"derived",
];

/** Its own block, on which nobody else's vote may fall yet; or the certificate that nobody else may have. */
const LEADERS_WRITES: readonly WriteKind[] = ["append", "commit"];

function drawBoundary(random: Random): Boundary {
	return {
		write: random.happens(0.2) ? "any" : random.pick(BOUNDARIES),
		by: random.pick(["leader", "leader", "follower", "anybody"] as const),
	};
}

function drawFault(random: Random, kind: Fault["kind"], atMs: number, street: Street, lost: Losses): Fault | undefined {
	const house = random.below(street.households);
	const forMs = random.step(OUTAGE_STEPS_MS);
	switch (kind) {
		case "loss":
			return { kind, atMs, forMs, rate: random.pick([0.01, 0.05, 0.2, 0.5]) };
		case "duplication":
		case "reordering":
			return { kind, atMs, forMs, rate: random.pick([0.02, 0.1, 0.3]), lateMs: random.step(LATE_STEPS_MS) };
		case "delay":
			return { kind, atMs, forMs, delayMs: random.pick([100, 500, 2_000, 6_000]) };
		case "late replies":
			return {
				kind,
				atMs,
				forMs: random.between(10 * SECOND_MS, MINUTE_MS),
				lateMs: random.between(SECOND_MS, 8 * SECOND_MS),
			};
		case "partition":
			return { kind, atMs, forMs, mask: random.below(1 << 30) };
		case "one-way partition":
			return { kind, atMs, forMs, house, inbound: random.happens(0.5) };
		case "non-transitive partition":
			return { kind, atMs, forMs, a: house, b: random.below(street.households) };
		case "channels close":
			return { kind, atMs, house };
		case "crash":
			return drawCrash(random, atMs, house, forMs, street, lost);
		case "isolation":
			return { kind, atMs, boundary: drawBoundary(random), forMs };
		case "leaders in turn": {
			const writes = Array.from({ length: random.between(2, 4) }, () => random.pick(LEADERS_WRITES));
			return { kind, atMs, writes, forMs: random.between(8 * SECOND_MS, 40 * SECOND_MS) };
		}
		case "freeze": {
			const boundary = random.happens(0.6) ? drawBoundary(random) : undefined;
			return {
				kind,
				atMs,
				boundary,
				house,
				forMs: Math.ceil(random.step(LONG_FREEZE_STEPS_MS) / street.timeScale),
				drops: random.happens(0.5),
				closes: random.happens(CLOSES_RATE),
			};
		}
		case "night":
			return drawNight(random, atMs, street);
		case "clock jump":
			return {
				kind,
				atMs,
				house,
				jumpMs: drawJump(random),
				forMs: random.step([SECOND_MS, MINUTE_MS, 20 * MINUTE_MS]),
			};
		case "clock drift":
			return { kind, atMs, house, ppm: random.between(-2_000, 2_000) };
		case "timer throttled":
			return { kind, atMs, house, forMs: random.step([MINUTE_MS, 5 * MINUTE_MS, 20 * MINUTE_MS]) };
		case "slow validation":
			return { kind, atMs, house, forMs, inputMs: random.pick([20, 100, 400]) };
		case "slow disk":
			return { kind, atMs, house, forMs, writeMs: random.pick([200, 1_000, 4_000]) };
		case "storage wiped":
		case "remove and rejoin":
		case "backup restored":
		case "clone":
			return drawLoss(random, kind, atMs, house, forMs, street, lost);
		case "voter change":
			return drawVoterChange(atMs, house, street, lost);
	}
}

function drawVoterChange(atMs: number, house: number, street: Street, lost: Losses): Fault | undefined {
	if (lost.comingAndGoing === undefined) {
		if (lost.left <= 0 || street.alwaysOn[house] !== true) return undefined;
		lost.left -= 1;
		lost.comingAndGoing = house;
	}
	return { kind: "voter change", atMs, house: lost.comingAndGoing };
}

/** A torn write can cost a voter its vote; what else is lost is only late. */
function drawCrash(random: Random, atMs: number, house: number, downMs: number, street: Street, lost: Losses): Fault {
	const fate = random.pick(["lost", "lost", "kept", "kept", "after", "torn", "votes torn"] as const);
	const boundary = drawBoundary(random);
	// Only a node that is at nothing else hears of it.
	const closes = fate === "after" && random.happens(CLOSES_RATE);
	if (fate !== "torn" && fate !== "votes torn") return { kind: "crash", atMs, boundary, fate, downMs, closes };
	if (!mayLose(house, street, lost)) return { kind: "crash", atMs, boundary, fate: "kept", downMs, closes };
	return { kind: "crash", atMs, boundary: { ...boundary, by: house }, fate, downMs, closes };
}

/** Takes a house from those whose loss leaves a majority. */
function mayLose(house: number, street: Street, lost: Losses): boolean {
	if (lost.houses.has(house)) return true;
	const isVoter = street.alwaysOn[house] === true;
	if (isVoter && lost.left <= 0) return false;
	if (isVoter) lost.left -= 1;
	lost.houses.add(house);
	return true;
}

function drawLoss(
	random: Random,
	kind: "storage wiped" | "remove and rejoin" | "backup restored" | "clone",
	atMs: number,
	house: number,
	forMs: number,
	street: Street,
	lost: Losses,
): Fault | undefined {
	// The first house is the operator's: without it nobody is admitted anew.
	if (house === 0 || lost.houses.has(house) || !mayLose(house, street, lost)) return undefined;
	if (kind === "storage wiped") return { kind, atMs, house, downMs: forMs };
	if (kind === "remove and rejoin") return { kind, atMs, house, awayMs: forMs };
	if (lost.hasTwin) return undefined;
	lost.hasTwin = true;
	if (kind === "clone") return { kind, atMs, house, forMs: random.step([20 * SECOND_MS, MINUTE_MS, 10 * MINUTE_MS]) };
	return { kind, atMs, house, ageMs: random.step([SECOND_MS, MINUTE_MS, 20 * MINUTE_MS]), downMs: forMs };
}

function drawNight(random: Random, atMs: number, street: Street): Fault {
	const share = random.between(60, 90) / 100;
	const houses = street.alwaysOn.flatMap((_, at) => (random.happens(share) ? [at] : []));
	const closes = random.happens(CLOSES_RATE);
	// A long night is everybody's: nothing happens in it.
	const isLong = random.happens(0.3);
	return isLong
		? {
				kind: "night",
				atMs,
				forMs: Math.ceil(random.between(HOUR_MS, 12 * HOUR_MS) / street.timeScale),
				houses: street.alwaysOn.map((_, at) => at),
				closes,
			}
		: { kind: "night", atMs, forMs: random.step([MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS]), houses, closes };
}

/** Minutes and hours, forwards and back; now and then only some seconds, which is allowed. */
function drawJump(random: Random): number {
	const jumpMs = random.step([SECOND_MS, 25 * SECOND_MS, 5 * MINUTE_MS, 3 * HOUR_MS]);
	return random.happens(0.5) ? jumpMs : -jumpMs;
}
