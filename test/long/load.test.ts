import { beforeAll, describe, expect, it, vi } from "vitest";
import { MS_PER_MINUTE } from "../../src/primitives/units.js";
import type { Fault } from "../simulation/fault.js";
import { Faults } from "../simulation/faults.js";
import type { House } from "../simulation/house.js";
import { LedgerWatch } from "../simulation/ledgerWatch.js";
import { People } from "../simulation/people.js";
import type { World } from "../simulation/world.js";
import { keyedVerifier } from "../support/keyedSignatures.js";
import { ActWatch, type FinishedAct, percentile } from "./load/actWatch.js";
import { foundLargeStreet, isAtRest, makeContracts, until, VOTERS } from "./load/largeStreet.js";
import { shareWork } from "./load/sharedWork.js";

vi.mock(import("../../src/message/wire.js"), async (wire) => (await import("./load/sharedWork.js")).sharingWire(wire));
vi.mock(import("../../src/node/chain.js"), async (chain) => (await import("./load/sharedWork.js")).sharingChain(chain));

/**
 * A hundred households hand in a reading each minute and trade all the time, while leaders are killed, hand over, are cut
 * off or freeze, and the street falls apart. All times are the world's own: what the network and the disks take is in
 * them, what computing takes is not.
 */
const HOUSEHOLDS = Number(process.env.NABOSTROM_LOAD_HOUSEHOLDS ?? 100);
const ROUNDS = Number(process.env.NABOSTROM_LOAD_ROUNDS ?? 1);
/** A household asks for something about so often. */
const ACT_EVERY_MS = 60_000;
const CALM_MS = 15_000;
/** An act is in a block within a second; to the leader, to the voters and back, and home again takes at most so long. */
const QUICK_MS = 1_000;
const HOPS = 4;
const HOP_MS = 21;
/** Few late readings go with the next minute's block; whoever was off is back within the time WebRTC needs to notice. */
const DRAIN_LIMIT_MS = 2 * MS_PER_MINUTE;

interface Disturbance {
	readonly what: string;
	readonly forMs: number;
	strike(): void | Promise<void>;
}

let world: World;
let people: People;
let faults: Faults;
let watch: ActWatch;
const drains: Record<string, { forMs: number; drainMs: number; waiting: number; blocks: number; acts: number }> = {};

const leader = (): House | undefined => world.houses.find(({ street }) => street?.raft?.role === "leader");
const height = () => Math.max(...world.houses.map(({ street }) => street?.chain.head.block.index ?? 0));
const waiting = () => world.houses.reduce((sum, { street }) => sum + (street?.outbox.size ?? 0), 0);
const strike = (fault: Fault) => faults.begin([fault]);

/** One after the other; each time who leads then is meant. */
function disturbances(): Disturbance[] {
	const half = Array.from({ length: Math.ceil(Math.min(VOTERS, HOUSEHOLDS) / 2) }, (_, at) => at);
	const append = { write: "append", by: "leader" } as const;
	return [
		{
			what: "the leader dies after its write",
			forMs: 20_000,
			strike: () => strike({ atMs: 0, kind: "crash", boundary: append, fate: "after", downMs: 20_000, closes: false }),
		},
		{
			what: "the leader hands over",
			forMs: 5_000,
			strike: async () => {
				const from = leader();
				if (from !== undefined) await world.arrive(from, { type: "closing" });
			},
		},
		{
			what: "the leader is cut off at a write",
			forMs: 25_000,
			strike: () => strike({ atMs: 0, kind: "isolation", boundary: append, forMs: 20_000 }),
		},
		{
			what: "a third is cut off",
			forMs: 30_000,
			strike: () => strike({ atMs: 0, kind: "partition", forMs: 30_000, mask: 0b001001001001001001001001001001 }),
		},
		{
			what: "the leader freezes",
			forMs: 15_000,
			strike: () =>
				strike({ atMs: 0, kind: "freeze", boundary: append, house: 0, forMs: 12_000, drops: false, closes: false }),
		},
		{
			what: "half of the voters sleep",
			forMs: 150_000,
			strike: () => strike({ atMs: 0, kind: "night", forMs: 150_000, houses: half, closes: false }),
		},
	];
}

async function suffer({ what, forMs, strike: begin }: Disturbance): Promise<void> {
	await world.run(world.nowMs + CALM_MS);
	const [blocks, acts] = [height(), watch.acts.length];
	await begin();
	await world.run(world.nowMs + forMs);
	const waits = waiting();
	const overMs = world.nowMs;
	await until(world, `nothing waits after: ${what}`, () => isAtRest(world), DRAIN_LIMIT_MS);
	const name = drains[what] === undefined ? what : `${what} (${Object.keys(drains).length})`;
	drains[name] = {
		forMs,
		drainMs: world.nowMs - overMs,
		waiting: waits,
		blocks: height() - blocks,
		acts: watch.acts.length - acts,
	};
	console.log(`${name}: nothing waits ${Math.round(world.nowMs / 1_000)} virtual seconds after the founding`);
}

beforeAll(async () => {
	shareWork(HOUSEHOLDS);
	world = await foundLargeStreet(HOUSEHOLDS, ACT_EVERY_MS);
	await makeContracts(world);
	watch = new ActWatch(world);
	people = new People(world, (house, kind) => watch.asked(house, kind));
	faults = new Faults(world, { onTwin: () => {}, onWiped: () => {}, onDamaged: () => {} });
	world.observers.push(faults, people, watch);
	people.begin();
	for (let round = 0; round < ROUNDS; round++) for (const each of disturbances()) await suffer(each);
	await world.run(world.nowMs + CALM_MS);
	people.end();
	await faults.heal();
	// The last minute's readings are handed in when the next one has ended.
	await world.run(world.nowMs + 2 * MS_PER_MINUTE);
	await until(world, "everything is agreed on", () => isAtRest(world));
}, 3_600_000);

function summary(acts: readonly FinishedAct[]) {
	const times = acts.map(({ tookMs }) => tookMs);
	return {
		acts: acts.length,
		refused: acts.filter(({ wasRefused }) => wasRefused).length,
		p50Ms: percentile(times, 50),
		p99Ms: percentile(times, 99),
		maxMs: percentile(times, 100),
	};
}

describe(`${HOUSEHOLDS} households under load`, () => {
	const calm = () => watch.acts.filter(({ wasDisturbed }) => !wasDisturbed);
	const disturbed = () => watch.acts.filter(({ wasDisturbed }) => wasDisturbed);

	it("has every act in a block within a second where a leader and a majority are there", () => {
		console.table({ "a leader throughout": summary(calm()), "in an election or cut off": summary(disturbed()) });
		const kinds = [...new Set(calm().map(({ kind }) => kind))].sort();
		console.table(Object.fromEntries(kinds.map((kind) => [kind, summary(calm().filter((act) => act.kind === kind))])));
		expect(calm().length).toBeGreaterThan(HOUSEHOLDS);
		expect(summary(calm()).maxMs).toBeLessThanOrEqual(QUICK_MS + HOPS * HOP_MS);
	});

	it("had acts that met an election, and lost none of them", () => {
		expect(disturbed().length).toBeGreaterThan(0);
		expect(watch.waiting).toBe(0);
	});

	it("has nothing waiting soon after each disturbance", () => {
		console.table(drains);
		for (const { drainMs } of Object.values(drains)) expect(drainMs).toBeLessThanOrEqual(DRAIN_LIMIT_MS);
	});

	it("keeps every reading and every act, and one chain", async () => {
		const [house] = world.houses;
		const ids = house?.street && (await new LedgerWatch().checkChain(house, house.street, keyedVerifier, () => {}));
		expect(ids).toBeDefined();
		people.check(ids ?? new Set());
		expect(people.readings).toBeGreaterThan(HOUSEHOLDS * 5);
	});
});
