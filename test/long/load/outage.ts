/**
 * A street loses the majority of its voters for a long time. The meters go on, every household's node keeps its minutes;
 * now and then those that reach one another wake, and some devices restart. Then the voters are back, and what was kept
 * drains through consensus.
 */
import type { ReadingTransaction } from "../../../src/block/kinds/metering.js";
import { executeBlock } from "../../../src/contract/execute.js";
import type { Ledger } from "../../../src/contract/ledger.js";
import { assert } from "../../../src/primitives/assert.js";
import { MS_PER_MINUTE, minuteOf } from "../../../src/primitives/units.js";
import { comeToLife } from "../../simulation/founding.js";
import type { House } from "../../simulation/house.js";
import { readingOf } from "../../simulation/people.js";
import type { World } from "../../simulation/world.js";
import {
	foundLargeStreet,
	handIn,
	isAtRest,
	ledgerOf,
	makeContracts,
	until,
	VOTERS,
	waitingReadings,
} from "./largeStreet.js";

/** While nothing can be agreed on, the readings of so many minutes come to a node at once. */
const STEP_MINUTES = 10;
const STEP_MS = 500;
const WAKE_EVERY_MINUTES = 12 * 60;
const WAKE_MS = 15_000;
const RESTART_EVERY_HOUSES = 20;
/** A leader that lost its majority has stepped down, and silent channels are closed. */
const SETTLE_MS = 30_000;
/** The grace: what is in the chain before it ends is settled. */
const DRAIN_LIMIT_MS = 180 * MS_PER_MINUTE;
const READING_DELAY_MS = 5_000;
const TELL_EVERY_MS = 1_000;
const NO_SIGNATURE = new Uint8Array(65);

export interface OutageFigures {
	households: number;
	standstillMinutes: number;
	/** When the voters are back. */
	waitingReadings: number;
	leadersMeanwhile: number;
	/** Virtual, from then on: until blocks follow one another, and until no backlog is left. */
	firstBlockMs: number;
	drainMs: number;
	blocks: number;
	/** Devices whose outbox held something else after a restart than before. */
	forgetful: number;
}

export class Outage {
	/** The head before the first reading, and the minutes handed in by everybody. */
	before: Ledger | undefined;
	firstMinute = 0;
	untilMinute = 0;
	readonly #households: number;
	readonly #minutes: number;
	readonly #log: (text: string) => void;
	#world: World | undefined;
	#forgetful = 0;
	#toldMs = 0;

	constructor(households: number, minutes: number, log: (text: string) => void) {
		this.#households = households;
		this.#minutes = minutes;
		this.#log = log;
	}

	get world(): World {
		assert(this.#world !== undefined, "the street is founded");
		return this.#world;
	}

	get #first(): House {
		const [house] = this.world.houses;
		assert(house !== undefined, "a street has a house");
		return house;
	}

	get head(): Ledger {
		return ledgerOf(this.#first);
	}

	async run(): Promise<OutageFigures> {
		this.#world = await foundLargeStreet(this.#households);
		const { world } = this;
		await makeContracts(world);
		this.#log(`${this.#households} households with contracts`);
		this.before = this.head;
		this.firstMinute = this.#minuteNow();
		this.untilMinute = this.firstMinute;
		await this.#live();
		await until(world, "the first minute is agreed on", () => isAtRest(world));
		this.#loseMajority();
		await world.run(world.nowMs + SETTLE_MS);
		const leadersMeanwhile = world.houses.filter(({ street }) => street?.raft?.role === "leader").length;
		await this.#standStill();
		const figures = {
			households: this.#households,
			standstillMinutes: this.#minutes,
			waitingReadings: waitingReadings(world),
			leadersMeanwhile,
		};
		this.#log(`${figures.waitingReadings} readings wait`);
		return { ...figures, ...(await this.#drain()), forgetful: this.#forgetful };
	}

	#minuteNow(): number {
		return minuteOf(this.#first.chainMs);
	}

	#height(): number {
		return Math.max(...this.world.houses.map(({ street }) => street?.chain.head.block.index ?? 0));
	}

	/** Lives to the end of a minute, which everybody hands in. */
	async #live(): Promise<void> {
		const { world } = this;
		const minute = this.#minuteNow();
		await world.run(world.nowMs + (minute + 1) * MS_PER_MINUTE - this.#first.chainMs + 1);
		for (const house of world.houses) await handIn(world, house, this.untilMinute, minute + 1);
		this.untilMinute = minute + 1;
	}

	/** Of an odd number of voters one more than half, of an even one half: the others are no majority. */
	#loseMajority(): void {
		const { houses, network } = this.world;
		const voters = houses.slice(0, Math.min(VOTERS, houses.length));
		for (const away of voters.slice(0, Math.ceil(voters.length / 2))) {
			for (const other of houses) {
				if (other === away) continue;
				network.cut(away, other);
				network.cut(other, away);
			}
		}
	}

	async #standStill(): Promise<void> {
		const { world } = this;
		for (const house of world.houses) world.stopTimer(house);
		const restartAt = Math.floor(this.#minutes / 2 / STEP_MINUTES) * STEP_MINUTES;
		for (let minutes = 0; minutes < this.#minutes; minutes += STEP_MINUTES) {
			world.skip(STEP_MINUTES * MS_PER_MINUTE);
			const now = this.#minuteNow();
			for (const house of world.houses) await handIn(world, house, this.untilMinute, now);
			this.untilMinute = now;
			await world.run(world.nowMs + STEP_MS);
			if (minutes % WAKE_EVERY_MINUTES === 0) await this.#wake();
			if (minutes === restartAt) await this.#restartSome();
		}
	}

	/** Timers tick for a while: who reaches others tries to elect somebody. */
	async #wake(): Promise<void> {
		const { world } = this;
		for (const house of world.houses) world.restartTimer(house);
		await world.run(world.nowMs + WAKE_MS);
		for (const house of world.houses) world.stopTimer(house);
	}

	/** What some devices keep is read back. */
	async #restartSome(): Promise<void> {
		const { world } = this;
		for (const house of world.houses.filter(({ index }) => index % RESTART_EVERY_HOUSES === 1)) {
			const waited = house.street?.outbox.readings;
			await world.powerOff(house, "lost", false);
			await comeToLife(world, house);
			await until(world, "a device starts", () => house.street !== undefined);
			if (house.street?.outbox.readings !== waited) this.#forgetful += 1;
			world.stopTimer(house);
		}
	}

	async #drain(): Promise<Pick<OutageFigures, "firstBlockMs" | "drainMs" | "blocks">> {
		const { world } = this;
		const [beginMs, height] = [world.nowMs, this.#height()];
		world.network.heal();
		for (const house of world.houses) world.restartTimer(house);
		await until(world, "blocks follow one another", () => this.#height() > height + 1, DRAIN_LIMIT_MS);
		const firstBlockMs = world.nowMs - beginMs;
		const untilMs = () => Math.min(world.nowMs + this.#msToMinute(), beginMs + DRAIN_LIMIT_MS);
		while (!(await world.run(untilMs(), () => this.#rests()))) {
			assert(world.nowMs < beginMs + DRAIN_LIMIT_MS, "the backlog drains");
			await this.#live();
		}
		const drainMs = world.nowMs - beginMs;
		await this.#live();
		await until(world, "everything is agreed on", () => isAtRest(world));
		return { firstBlockMs, drainMs, blocks: this.#height() - height };
	}

	/** Whether no backlog is left. A large one drains for an hour of computing and a few virtual seconds: each is told. */
	#rests(): boolean {
		const waiting = waitingReadings(this.world);
		if (this.world.nowMs >= this.#toldMs + TELL_EVERY_MS) {
			this.#log(`${waiting} readings wait, block ${this.#height()}`);
			this.#toldMs = this.world.nowMs;
		}
		return waiting <= 2 * this.#households;
	}

	#msToMinute(): number {
		return (this.#minuteNow() + 1) * MS_PER_MINUTE - this.#first.chainMs;
	}

	/** What the same readings come to, each minute's in the block of that minute. */
	undisturbed(): Ledger {
		assert(this.before !== undefined, "the street has lived");
		let ledger = this.before;
		let previousHash = ledger.gridId;
		for (let minute = this.firstMinute; minute < this.untilMinute; minute++) {
			const timestampMs = (minute + 1) * MS_PER_MINUTE + READING_DELAY_MS;
			const readings = this.world.houses.map((house): ReadingTransaction => {
				const { member } = house.street ?? {};
				assert(member !== undefined, "everybody is a member");
				return { kind: "reading", member, ...readingOf(house.index, minute), signature: NO_SIGNATURE };
			});
			const executed = executeBlock(ledger, { index: ledger.index + 1, previousHash, timestampMs }, readings);
			assert(executed.ok, "every reading fits into its minute's block");
			ledger = executed.value.ledger;
			previousHash = executed.value.stateRoot;
		}
		return ledger;
	}
}
