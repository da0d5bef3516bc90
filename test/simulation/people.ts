/**
 * The people in the houses: a reading each minute from every meter, now and then an order, an offer, an acceptance. They
 * remember what their nodes took from them: that has to be in the chain in the end, unless it was refused.
 */

import type { Reading } from "../../src/block/reading.js";
import { countedSince } from "../../src/contract/countedBlocks.js";
import type { Ledger } from "../../src/contract/ledger.js";
import { hasMinute } from "../../src/contract/minuteRanges.js";
import type { Command, NodeInput } from "../../src/node/protocol.js";
import type { OwnTransactionView } from "../../src/node/view.js";
import { toHex } from "../../src/primitives/bytes.js";
import { MS_PER_MINUTE } from "../../src/primitives/units.js";
import { FIRST_MINUTE, type House } from "./house.js";
import { timeScaleOf } from "./plan.js";
import { Random } from "./random.js";
import { type Observer, Violation, type World } from "./world.js";

/** A household, as long as it has the same disk. */
interface Household {
	readonly random: Random;
	/** Minutes that its node has not taken yet. */
	owed: number[];
	/** Minutes that its node took. */
	readonly handedIn: Set<number>;
	/** Acts that its node signed, by id. */
	readonly signed: Map<string, string>;
	readonly refused: Set<string>;
	/** Its storage was lost or put back: nobody promises anything about it. */
	isExcused: boolean;
}

/** Hears of everything that a household asks for, then of the id under which its node signed it, if it did. */
export type ActListener = (house: House, kind: string) => (id: string | undefined) => void;

export class People implements Observer {
	readonly #world: World;
	readonly #onAsked: ActListener;
	readonly #households = new Map<House, Household>();
	readonly #shown = new WeakMap<House, readonly OwnTransactionView[]>();
	#isOver = false;
	acts = 0;
	readings = 0;

	constructor(world: World, onAsked: ActListener = () => () => {}) {
		this.#world = world;
		this.#onAsked = onAsked;
	}

	/** Life begins. */
	begin(): void {
		this.#eachMinute();
	}

	/** Nobody does anything new; what was not handed in yet still is. */
	end(): void {
		this.#isOver = true;
	}

	excuse(house: House): void {
		this.#of(house).isExcused = true;
	}

	#of(house: House): Household {
		let household = this.#households.get(house);
		if (household === undefined) {
			household = {
				random: new Random(this.#world.plan.seed, `household ${house.index}`),
				owed: [],
				handedIn: new Set(),
				signed: new Map(),
				refused: new Set(),
				isExcused: false,
			};
			this.#households.set(house, household);
			this.#actLater(house, household);
		}
		return household;
	}

	// ── meters ───────────────────────────────────────────────────────────────────────────────────────────────────

	/** The meters' clocks are right, whatever the devices' are. */
	#eachMinute(): void {
		const world = this.#world;
		const minuteMs = MS_PER_MINUTE / timeScaleOf(world.plan);
		const next = Math.floor(world.nowMs / minuteMs) + 1;
		world.at(Math.ceil(next * minuteMs), () => {
			const minute = FIRST_MINUTE + next - 1;
			for (const house of world.houses) {
				if (house.isGone || house.original !== undefined) continue;
				const household = this.#of(house);
				if (!this.#isOver) household.owed.push(minute);
				world.in(household.random.below(Math.floor(minuteMs / 20)), () => this.#handIn(house, household));
			}
			this.#eachMinute();
		});
	}

	#handIn(house: House, household: Household): Promise<void> | void {
		// A page that is frozen hears nothing from its meter; the registers tell it all when it thaws.
		if (household.owed.length === 0 || !house.isUp || house.isFrozen || house.street === undefined) return;
		const readings = household.owed.map((minute) => readingOf(house.index, minute));
		return this.#world.arrive(house, { type: "readings", readings });
	}

	finished(house: House, input: NodeInput | undefined): void {
		if (input?.type !== "readings" || house.street?.member === undefined || house.street.halted) return;
		const household = this.#of(house);
		const joined = house.street.chain.head.ledger.households[house.street.member]?.joinedMinute ?? 0;
		for (const { minute } of input.readings) {
			if (minute < joined) continue;
			if (!household.handedIn.has(minute)) this.readings += 1;
			household.handedIn.add(minute);
		}
		const taken = new Set(input.readings.map(({ minute }) => minute));
		household.owed = household.owed.filter((minute) => !taken.has(minute));
	}

	// ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────────

	#actLater(house: House, household: Household): void {
		const { actEveryMs } = this.#world.plan;
		this.#world.in(1_000 + household.random.below(2 * actEveryMs), async () => {
			if (this.#isOver || house.isGone) return;
			this.#actLater(house, household);
			if (house.isUp && house.original === undefined) await this.#act(house, household);
		});
	}

	async #act(house: House, household: Household): Promise<void> {
		const { street } = house;
		const member = street?.member;
		if (street === undefined || member === undefined) return;
		const command = chooseAct(household.random, street.chain.head.ledger, member, house.chainMs);
		if (command === undefined) return;
		await this.#ask(house, household, command);
	}

	async #ask(house: House, household: Household, command: Command): Promise<void> {
		const { disk } = house;
		const answered = this.#onAsked(house, command.type);
		await this.#world.command(house, command, (reply) => {
			this.#world.tell(house, command.type, reply.ok ? "is signed" : reply.error.code);
			const id = reply.ok && reply.value.type === "signed" ? reply.value.id : undefined;
			answered(id);
			if (id === undefined || house.disk !== disk) return;
			this.acts += 1;
			household.signed.set(id, command.type);
		});
	}

	/** One household orders something, whatever else is over: a block without readings has to come about as well. */
	async askOnce(): Promise<void> {
		const house = this.#world.houses.find((each) => each.isFree && each.street?.mayAct === true);
		if (house !== undefined) await this.#ask(house, this.#of(house), { type: "buy", amountMicroNok: 1 });
	}

	/** A node says of its acts what became of them; each change makes another list. */
	stepped(house: House): void {
		const shown = house.street?.outbox.shown();
		if (shown === undefined || this.#shown.get(house) === shown) return;
		this.#shown.set(house, shown);
		const household = this.#of(house);
		for (const { id, state } of shown) if (state === "refused") household.refused.add(id);
	}

	// ── in the end ───────────────────────────────────────────────────────────────────────────────────────────────

	/** Everything that a node took is in the chain, or was refused. */
	check(ids: ReadonlySet<string>): void {
		for (const [house, { handedIn, signed, refused, isExcused }] of this.#households) {
			const { street } = house;
			const member = street?.member;
			if (isExcused || house.isGone || street === undefined || member === undefined) continue;
			for (const [id, kind] of signed) {
				if (ids.has(id) && refused.has(id)) {
					throw new Violation("what is refused is in no block", `${house.name}'s ${kind} ${id.slice(0, 8)} is in one`);
				}
				if (!ids.has(id) && !refused.has(id)) {
					throw new Violation("every transaction ends in a block", `${house.name}'s ${kind} ${id.slice(0, 8)} is lost`);
				}
			}
			const { ledger } = street.chain.head;
			for (const minute of handedIn) {
				if (isTaken(ledger, member, minute)) continue;
				throw new Violation(
					"no reading is lost",
					`${house.name}'s minute ${minute - FIRST_MINUTE} is not in the chain`,
				);
			}
		}
	}

	written(): void {}
	writing(): void {}
	sending(): void {}
}

function isTaken(ledger: Ledger, member: number, minute: number): boolean {
	const { blockIntervalMs, readingWindowBlocks } = ledger.parameters;
	if (hasMinute(ledger.households[member]?.seen ?? [], minute)) return true;
	// Refused, since it came too late; or so old that nobody remembers it.
	return countedSince(ledger.counted, minute, blockIntervalMs) > readingWindowBlocks;
}

/** Every third house has a roof of solar cells. */
export function readingOf(house: number, minute: number): Reading {
	const wave = (minute * 7 + house * 13) % 40;
	const isProducing = house % 3 === 0;
	return { minute, importWh: isProducing ? wave % 5 : wave, exportWh: isProducing ? wave * 2 : 0, quality: "measured" };
}

function chooseAct(random: Random, ledger: Ledger, member: number, chainMs: number): Command | undefined {
	const minute = Math.floor(chainMs / MS_PER_MINUTE);
	switch (random.below(7)) {
		case 0:
			return {
				type: "offer",
				priceMicroNokPerWh: random.between(300, 1_500),
				fromMinute: minute + random.below(3),
				untilMinute: minute + random.between(3, 60),
				noticeMinutes: random.below(4),
				...(random.happens(0.3) ? { energyLimitWh: random.between(50, 500) } : {}),
				...(random.happens(0.3) ? { maxBuyers: random.between(1, 2) } : {}),
			};
		case 1:
		case 2: {
			const offers = [...ledger.offers].filter(([, offer]) => offer.seller !== member);
			return offers.length === 0 ? undefined : { type: "accept", offerId: random.pick(offers)[0] };
		}
		case 3: {
			const own = [...ledger.offers].filter(([, offer]) => offer.seller === member);
			return own.length === 0 ? undefined : { type: "withdraw", offerId: random.pick(own)[0] };
		}
		case 4: {
			const own = ledger.liveContracts.flatMap((at) => ledger.contracts[at] ?? []);
			const mine = own.filter(({ seller, buyer }) => seller === member || buyer === member);
			return mine.length === 0 ? undefined : { type: "end", contractId: toHex(random.pick(mine).id) };
		}
		default:
			return chooseMoney(random, ledger, member);
	}
}

/** The operator sees to the orders first. */
function chooseMoney(random: Random, ledger: Ledger, member: number): Command {
	const [order] = ledger.orders;
	if (order !== undefined && ledger.households[member]?.operator === true) {
		const [orderId, { amountMicroNok }] = order;
		return { type: "issue", orderId, amountMicroNok, reference: `bank ${random.below(1_000_000)}` };
	}
	return { type: "buy", amountMicroNok: random.between(1, 200_000) };
}
