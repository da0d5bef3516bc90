/**
 * How long an act takes, in virtual time: from the household's command until the block with it is committed on the
 * household's own node. Acts during which no leader led a majority that the household reached are counted by themselves.
 */
import { hasMajority } from "../../../src/consensus/quorum.js";
import { votersOf } from "../../../src/consensus/state.js";
import type { House } from "../../simulation/house.js";
import type { Observer, World } from "../../simulation/world.js";

/** A node that is awake ticks four times a second. */
const ASLEEP_MS = 1_000;

interface Waiting {
	readonly kind: string;
	readonly askedMs: number;
	readonly term: number;
	/** At some moment nobody led, the leader could not be reached, or the device slept. */
	wasDisturbed: boolean;
	/** Once its node signed it. */
	id: string | undefined;
}

export interface FinishedAct {
	readonly kind: string;
	readonly tookMs: number;
	readonly wasDisturbed: boolean;
	/** The block before it took away what it was about. */
	readonly wasRefused: boolean;
}

export class ActWatch implements Observer {
	readonly acts: FinishedAct[] = [];
	readonly #world: World;
	readonly #waiting = new Map<House, Set<Waiting>>();
	readonly #lastStepMs = new Map<House, number>();

	constructor(world: World) {
		this.#world = world;
	}

	/** How many acts are neither in a block nor refused. */
	get waiting(): number {
		return [...this.#waiting.values()].reduce((sum, acts) => sum + acts.size, 0);
	}

	/** A household asks for something; what is given is told of the answer. */
	asked(house: House, kind: string): (id: string | undefined) => void {
		const term = house.street?.raft?.term ?? 0;
		const wasDisturbed = house.isFrozen || !this.#isLed(house);
		const act: Waiting = { kind, askedMs: this.#world.nowMs, term, wasDisturbed, id: undefined };
		const acts = this.#waiting.get(house) ?? new Set();
		this.#waiting.set(house, acts.add(act));
		return (id) => {
			act.id = id;
			if (id === undefined) acts.delete(act);
		};
	}

	stepped(house: House): void {
		const { nowMs } = this.#world;
		const slept = nowMs - (this.#lastStepMs.get(house) ?? nowMs) > ASLEEP_MS;
		this.#lastStepMs.set(house, nowMs);
		const acts = this.#waiting.get(house);
		if (acts === undefined || acts.size === 0 || house.street === undefined) return;
		const isLed = !slept && this.#isLed(house);
		const shown = house.street.outbox.shown();
		for (const act of acts) {
			if (!isLed || house.street.raft?.term !== act.term) act.wasDisturbed = true;
			const own = shown.find(({ id }) => id === act.id);
			// A node that started anew does not show what was finished before.
			if (own === undefined && act.id !== undefined) acts.delete(act);
			if (own?.state !== "confirmed" && own?.state !== "refused") continue;
			acts.delete(act);
			const { kind, askedMs, wasDisturbed } = act;
			this.acts.push({ kind, tookMs: nowMs - askedMs, wasDisturbed, wasRefused: own.state === "refused" });
		}
	}

	/** Whoever the house takes for the leader leads, and house and a majority of the voters have a channel to it. */
	#isLed(house: House): boolean {
		const leader = this.#world.houses.find(({ street }) => {
			const { raft } = street ?? {};
			return raft?.role === "leader" && raft.self === house.street?.raft?.leader;
		});
		const raft = leader?.street?.raft;
		if (leader === undefined || raft === undefined || leader.isFrozen) return false;
		const reached = new Set(this.#reachedFrom(leader));
		if (leader !== house && !reached.has(house)) return false;
		const devices = new Set([...reached, leader].map(({ street }) => street?.device));
		return hasMajority(votersOf(raft), (voter) => devices.has(voter));
	}

	/** Houses that are awake and have an open channel to one, uncut in both directions. */
	#reachedFrom(leader: House): House[] {
		const { network } = this.#world;
		return network.endsOf(leader).flatMap(({ other: { house, isOpen } }) => {
			const isCut = network.isCut(leader, house) || network.isCut(house, leader);
			return isOpen && house.isUp && !house.isFrozen && !isCut ? [house] : [];
		});
	}

	/** What a node had not signed when it was switched off, it forgot. */
	started(house: House): void {
		const acts = this.#waiting.get(house) ?? [];
		for (const act of acts) act.wasDisturbed = true;
		for (const act of acts) if (act.id === undefined) this.#waiting.get(house)?.delete(act);
	}

	written(): void {}
	writing(): void {}
	sending(): void {}
	finished(): void {}
}

/** The value that so many of a hundred do not exceed; 0 of none. */
export function percentile(values: readonly number[], percent: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
}
