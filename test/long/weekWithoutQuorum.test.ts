import { beforeAll, describe, expect, it } from "vitest";
import type { ReadingTransaction } from "../../src/block/transaction.js";
import { executeBlock } from "../../src/contract/execute.js";
import type { Ledger } from "../../src/contract/ledger.js";
import { hasMinute } from "../../src/contract/minuteRanges.js";
import { assert } from "../../src/primitives/assert.js";
import { MINUTES_PER_DAY, MS_PER_MINUTE, minuteOf } from "../../src/primitives/units.js";
import { comeToLife } from "../simulation/founding.js";
import type { House } from "../simulation/house.js";
import { readingOf } from "../simulation/people.js";
import type { World } from "../simulation/world.js";
import {
	foundLargeStreet,
	handIn,
	isAtRest,
	ledgerOf,
	makeContracts,
	settlementOf,
	until,
	VOTERS,
	waitingReadings,
} from "./load/largeStreet.js";

/**
 * A street loses the majority of its voters for days. The meters go on, every household's node keeps its minutes; now and
 * then the ones that reach one another wake, and some devices restart. When the voters are back, everything that was
 * kept drains through consensus: nothing is lost, and everybody is settled as if nothing had happened.
 */
const HOUSEHOLDS = Number(process.env.NABOSTROM_WEEK_HOUSEHOLDS ?? 100);
const DAYS = Number(process.env.NABOSTROM_WEEK_DAYS ?? 1);
const ALL_MINUTES = Math.round(DAYS * MINUTES_PER_DAY);
/** While nothing can be agreed on, the readings of so many minutes come to a node at once. */
const STEP_MINUTES = 10;
const WAKE_EVERY_MINUTES = 12 * 60;
const WAKE_MS = 15_000;
const DRAIN_LIMIT_MS = 3 * 60 * MS_PER_MINUTE;
const READING_DELAY_MS = 5_000;

let world: World;
/** The head before the first reading. */
let before: Ledger;
let firstMinute: number;
let untilMinute: number;
const figures: Record<string, number> = {};

const minuteNow = () => minuteOf(world.houses[0]?.chainMs ?? 0);
const voters = () => world.houses.slice(0, Math.min(VOTERS, HOUSEHOLDS));
const away = () => voters().slice(0, Math.ceil(voters().length / 2));
const committed = () => Math.max(...world.houses.map(({ street }) => street?.chain.head.block.index ?? 0));

/** Lives through whole minutes: each is handed in soon after its end. */
async function live(minutes: number): Promise<void> {
	for (let at = 0; at < minutes; at++) {
		const minute = minuteNow();
		const house = world.houses[0];
		assert(house !== undefined, "there is a house");
		const leftMs = (minute + 1) * MS_PER_MINUTE - house.chainMs;
		await world.run(world.nowMs + leftMs + 1);
		for (const each of world.houses) await handIn(world, each, minute, minute + 1);
		untilMinute = minute + 1;
	}
}

function cut(houses: readonly House[], isCut: boolean): void {
	for (const one of houses) {
		for (const other of world.houses) {
			if (one === other) continue;
			for (const [from, to] of [
				[one, other],
				[other, one],
			] as const) {
				if (isCut) world.network.cut(from, to);
			}
		}
	}
	if (!isCut) world.network.heal();
}

/** Timers tick for a while: who reaches others tries to elect somebody. */
async function wake(): Promise<void> {
	for (const house of world.houses) world.restartTimer(house);
	await world.run(world.nowMs + WAKE_MS);
	for (const house of world.houses) world.stopTimer(house);
}

/** Some devices are switched off and on again: what they keep is read back. */
async function restartSome(): Promise<void> {
	for (const house of world.houses.filter(({ index }) => index % 20 === 1)) {
		const waiting = house.street?.outbox.readings;
		await world.powerOff(house, "lost", false);
		await comeToLife(world, house);
		await until(world, "a device starts", () => house.street !== undefined);
		expect(house.street?.outbox.readings).toBe(waiting);
		world.stopTimer(house);
	}
}

async function standStill(): Promise<void> {
	for (const house of world.houses) world.stopTimer(house);
	for (let minutes = 0; minutes < ALL_MINUTES; minutes += STEP_MINUTES) {
		world.skip(STEP_MINUTES * MS_PER_MINUTE);
		const until = minuteNow();
		for (const house of world.houses) await handIn(world, house, untilMinute, until);
		untilMinute = until;
		await world.run(world.nowMs + 500);
		if (minutes % WAKE_EVERY_MINUTES === 0) await wake();
		if (minutes === Math.floor(ALL_MINUTES / 2 / STEP_MINUTES) * STEP_MINUTES) await restartSome();
	}
}

/** The same readings, each minute's in the block of that minute. */
function undisturbed(): Ledger {
	let ledger = before;
	let previousHash = ledger.gridId;
	for (let minute = firstMinute; minute < untilMinute; minute++) {
		const frame = {
			index: ledger.index + 1,
			previousHash,
			timestampMs: (minute + 1) * MS_PER_MINUTE + READING_DELAY_MS,
		};
		const readings = world.houses.map((house): ReadingTransaction => {
			assert(house.street?.member !== undefined, "everybody is a member");
			return {
				kind: "reading",
				member: house.street.member,
				...readingOf(house.index, minute),
				signature: new Uint8Array(65),
			};
		});
		const executed = executeBlock(ledger, frame, readings);
		assert(executed.ok, "every reading fits into its minute's block");
		ledger = executed.value.ledger;
		previousHash = executed.value.stateRoot;
	}
	return ledger;
}

beforeAll(async () => {
	const log = (text: string) =>
		console.log(
			`${text}; ${Math.round(performance.now() / 1_000)} s, ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
		);
	world = await foundLargeStreet(HOUSEHOLDS);
	log(`${HOUSEHOLDS} households`);
	await makeContracts(world);
	log("contracts");
	const [house] = world.houses;
	assert(house !== undefined, "there is a house");
	before = ledgerOf(house);
	firstMinute = minuteNow();
	untilMinute = firstMinute;
	await live(2);
	await until(world, "the first minutes are agreed on", () => isAtRest(world));
	log("lived");
	cut(away(), true);
	await world.run(world.nowMs + 30_000);
	figures.leaders = world.houses.filter(({ street }) => street?.raft?.role === "leader").length;
	await standStill();
	log("stood still");
	figures.waitingReadings = waitingReadings(world);
	figures.blocksBefore = committed();
	const beginMs = world.nowMs;
	cut(away(), false);
	for (const each of world.houses) world.restartTimer(each);
	await until(
		world,
		"the backlog begins to drain",
		() => committed() > (figures.blocksBefore ?? 0) + 1,
		DRAIN_LIMIT_MS,
	);
	figures.firstBlockMs = world.nowMs - beginMs;
	while (waitingReadings(world) > HOUSEHOLDS) {
		await live(1);
		log(`${waitingReadings(world)} readings wait, block ${committed()}`);
		assert(world.nowMs - beginMs < DRAIN_LIMIT_MS, "the backlog drains");
	}
	figures.drainMs = world.nowMs - beginMs;
	await until(world, "everything is agreed on", () => isAtRest(world));
	figures.blocks = committed() - (figures.blocksBefore ?? 0);
	log("drained");
}, 7_200_000);

describe(`${DAYS} days without a quorum, ${HOUSEHOLDS} households`, () => {
	it("keeps every reading until somebody can agree on it", () => {
		console.table(figures);
		expect(figures.leaders).toBe(0);
		expect(figures.waitingReadings).toBeGreaterThanOrEqual(HOUSEHOLDS * ALL_MINUTES);
	});

	it("loses none of them", () => {
		for (const house of world.houses) {
			const { households } = ledgerOf(house);
			const seen = households[house.street?.member ?? -1]?.seen ?? [];
			for (let minute = firstMinute; minute < untilMinute; minute++)
				assert(hasMinute(seen, minute), `minute ${minute}`);
			const refused = world.houses
				.map(({ node }) => node?.look())
				.flatMap((view) => (view?.stage === "street" ? [view.refusals] : []));
			expect(refused.every((counts) => counts["outside-window"] === undefined)).toBe(true);
		}
	});

	it("settles as if nothing had happened", () => {
		const [house] = world.houses;
		assert(house !== undefined, "there is a house");
		const ledger = ledgerOf(house);
		expect(ledger.contracts.some(({ deliveredWh }) => deliveredWh > 0)).toBe(true);
		expect(settlementOf(ledger)).toEqual(settlementOf(undisturbed()));
	});
});
