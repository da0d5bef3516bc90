/** What a seed decides beforehand: the street, and everything that will go wrong in it. A plan is data, so it can be cut down. */
import type { NodeSettings } from "../../src/node/dependencies.js";
import { drawFaults } from "./drawFaults.js";
import type { Fault } from "./fault.js";
import { Random } from "./random.js";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

export interface Plan {
	readonly seed: number;
	readonly households: number;
	/** Whose devices are always on: with at least three of them they are the voters. */
	readonly alwaysOn: readonly boolean[];
	/** When invited households join. */
	readonly joinAtMs: readonly number[];
	readonly settings: Partial<NodeSettings>;
	readonly realSignatures: boolean;
	readonly tickMs: number;
	/** Of one write. */
	readonly writeMs: number;
	/** How long things go wrong. */
	readonly stormMs: number;
	/** Mean time between two things that a household asks for. */
	readonly actEveryMs: number;
	/** How long the households keep blocks; undefined: for ever. Some always do: somebody has the whole chain. */
	readonly retentionDays: readonly (number | undefined)[];
	readonly faults: readonly Fault[];
}

/** What the command line can say. */
export interface PlanOptions {
	/** How long things go wrong, on the chain's clock. */
	minutes: number;
}

/** Chain time per time. */
export function timeScaleOf(plan: Plan): number {
	return plan.settings.founding?.timeScale ?? 1;
}

/** A twentieth of all streets is large, and lives for less time. */
const LARGE_RATE = 0.05;
const REAL_SIGNATURES_RATE = 0.01;
const MIN_STORM_MS = 15 * SECOND_MS;
/** Most streets live fast, as a demo does: an hour of readings, graces and nights in some minutes of elections. */
const TIME_SCALES = [1, 6, 6, 6, 10, 10, 10, 10];

export function drawPlan(seed: number, options: PlanOptions): Plan {
	const random = new Random(seed, "plan");
	const isLarge = random.happens(LARGE_RATE);
	const households = isLarge
		? random.between(20, 30)
		: random.happens(0.03)
			? random.between(1, 2)
			: random.between(3, 9);
	const joiners = isLarge ? random.pick([0, 5, 20, 70]) : random.between(0, 2);
	const size = households + joiners;
	const timeScale = random.pick(TIME_SCALES);
	// The work grows with the square of the size.
	const share = isLarge ? Math.max(12, (size * size) / 50) : 1;
	const stormMs = Math.max(MIN_STORM_MS, Math.floor((options.minutes * MINUTE_MS) / timeScale / share));
	const alwaysOn = Array.from({ length: households }, (_, at) => at < 3 || random.happens(0.75));
	const settings = drawSettings(random, timeScale);
	const faults = drawFaults(new Random(seed, "faults"), { stormMs, households, alwaysOn, timeScale });
	return {
		seed,
		households,
		alwaysOn,
		joinAtMs: Array.from({ length: joiners }, () => random.below(isLarge ? 5 * SECOND_MS : stormMs)),
		settings,
		realSignatures: !isLarge && random.happens(REAL_SIGNATURES_RATE),
		tickMs: random.between(200, 400),
		writeMs: random.pick([2, 5, 20, 100]),
		stormMs,
		actEveryMs: random.pick([20, 40, 120]) * SECOND_MS,
		retentionDays: drawRetention(new Random(seed, "retention"), households),
		faults,
	};
}

/** Days are as long as the checkpoints lie apart. In half of the streets every second household lets go of blocks. */
function drawRetention(random: Random, households: number): (number | undefined)[] {
	const isPruning = random.happens(0.5);
	return Array.from({ length: households }, (_, at) => (isPruning && at % 2 === 1 ? random.between(1, 3) : undefined));
}

/** Intervals, grace and window pass often in an hour. */
function drawSettings(random: Random, timeScale: number): Partial<NodeSettings> {
	const blockIntervalMs = random.pick(timeScale === 1 ? [5, 10, 20] : [20, 30, 60]) * SECOND_MS;
	const perMinute = MINUTE_MS / blockIntervalMs;
	return {
		readingDelayMs: random.pick([500, 1_000, 3_000]),
		maxBlockBytes: random.pick([4_000, 200_000, 200_000]),
		silenceMs: random.pick([5_000, 5_000, 30_000]),
		raft: { proposalTimeoutMs: random.pick([6_000, 15_000]) },
		founding: {
			blockIntervalMs,
			settlementGraceBlocks: perMinute * random.pick([1, 3, 10]),
			readingWindowBlocks: random.happens(0.2) ? perMinute * 20 : 100_000,
			checkpointBlocks: random.pick([10, 30, 100]),
			timeScale,
		},
	};
}
