/**
 * The world: houses, the mesh between them, virtual time. One thing happens after the other; a node is given an input
 * only when it can take one, and nothing else happens until it waits for its disk or is finished. So one seed decides
 * everything.
 */
import type { Command, CommandError, NodeInput, NodeOutput, ReplyValue } from "../../src/node/protocol.js";
import type { Result } from "../../src/primitives/result.js";
import { Agenda, type Happening } from "./agenda.js";
import { Disk, type PowerOffFate, type Write } from "./disk.js";
import { House } from "./house.js";
import { Network } from "./network.js";
import type { Plan } from "./plan.js";
import { Random } from "./random.js";
import { Trace } from "./trace.js";

const MEET_MS = 500;
const BREATH_EVERY = 20_000;
const THROTTLED_TICK_MS = 60_000;

export type Reply = Result<ReplyValue, CommandError>;

/** Something does not hold that has to. */
export class Violation extends Error {
	readonly rule: string;

	constructor(rule: string, text: string) {
		super(`${rule}: ${text}`);
		this.rule = rule;
	}
}

/** Those who look on. */
export interface Observer {
	/** A node has done something: it waits for its disk or is finished. */
	stepped(house: House): void;
	written(house: House, write: Write): void;
	/** A write has begun: it takes so long. */
	writing(house: House, write: Write, forMs: number): void;
	/** A frame leaves a node. */
	sending(house: House, to: House, frame: Uint8Array): void;
	finished(house: House, input: NodeInput | undefined): void;
}

export class World {
	readonly plan: Plan;
	readonly trace = new Trace();
	readonly network: Network;
	readonly houses: House[] = [];
	readonly observers: Observer[] = [];
	/** How often each thing happened. */
	readonly counts: Record<string, number> = {};
	nowMs = 0;
	/** How long each write takes on top of its normal time, by house. */
	readonly slowDisks = new Map<House, number>();
	readonly #createDisk: () => Disk;
	readonly #agenda = new Agenda();
	readonly #random: Random;
	readonly #replies = new Map<number, (reply: Reply) => void>();
	#nextCommand = 1;
	#happened = 0;

	constructor(plan: Plan, createDisk = () => new Disk()) {
		this.plan = plan;
		this.#createDisk = createDisk;
		this.#random = new Random(plan.seed, "world");
		this.network = new Network(
			plan.seed,
			{
				nowMs: () => this.nowMs,
				plan: (atMs, happen) => this.at(atMs, happen),
				arrive: (house, input) => this.arrive(house, input),
				count: (kind) => this.count(kind),
			},
			this.trace,
		);
		this.#meetLater();
	}

	count(kind: string, times = 1): void {
		this.counts[kind] = (this.counts[kind] ?? 0) + times;
	}

	tell(house: House | undefined, what: string, detail = ""): void {
		this.trace.add(this.nowMs, house?.name ?? "", what, detail);
	}

	// ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

	at(atMs: number, happen: Happening): void {
		this.#agenda.plan(Math.max(atMs, this.nowMs), happen);
	}

	in(ms: number, happen: Happening): void {
		this.#agenda.plan(this.nowMs + ms, happen);
	}

	/** Lets things happen until a time, or until something holds, which is looked at every so often. */
	async run(untilMs: number, holds: () => boolean = () => false, everyMs = 100): Promise<boolean> {
		let lookMs = this.nowMs;
		while (this.#agenda.nextMs <= untilMs) {
			if (this.nowMs >= lookMs) {
				if (holds()) return true;
				lookMs = this.nowMs + everyMs;
			}
			const next = this.#agenda.take();
			if (next === undefined) break;
			this.nowMs = next.atMs;
			const done = next.happen();
			if (done !== undefined) await done;
			this.#happened += 1;
			// Whoever wants to stop this process has to come in between; to the world it makes no difference.
			if (this.#happened % BREATH_EVERY === 0) await new Promise((resolve) => setTimeout(resolve, 0));
		}
		this.nowMs = Math.max(this.nowMs, untilMs);
		return holds();
	}

	/** Time passes in which nothing happens: whatever is under way takes so much longer. */
	skip(ms: number): void {
		this.nowMs += ms;
		this.#agenda.postpone(ms);
	}

	#meetLater(): void {
		this.in(MEET_MS, async () => {
			await this.network.meet(this.houses);
			this.#meetLater();
		});
	}

	// ── houses ───────────────────────────────────────────────────────────────────────────────────────────────────

	addHouse(disk = this.#createDisk(), original?: House): House {
		const { seed, settings, realSignatures } = this.plan;
		const house: House = new House(this.houses.length, disk, {
			seed,
			settings,
			realSignatures,
			...(original === undefined ? {} : { original }),
			nowMs: () => this.nowMs,
			events: {
				output: (from, output) => this.#onOutput(from, output),
				finished: (of, input) => {
					for (const observer of this.observers) observer.finished(of, input);
				},
				threw: (of, error) => {
					const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
					this.#thrown = error instanceof Violation ? error : new Violation("no node throws", `${of.name}: ${text}`);
				},
			},
		});
		this.houses.push(house);
		return house;
	}

	/** What a node threw while it was at work. */
	#thrown: Violation | undefined;

	async powerOn(house: House): Promise<void> {
		if (house.isUp || house.isGone) return;
		const { run } = house;
		house.disk.onBegin = (write) => this.#onWriteBegins(house, write);
		house.disk.onWritten = (write) => {
			for (const observer of this.observers) observer.written(house, write);
		};
		this.tell(house, "on", `run ${run + 1}`);
		await house.start(this.#random.between(-500, 500));
		this.restartTimer(house);
		await this.#afterStep(house);
	}

	async powerOff(house: House, fate: PowerOffFate, isHeard: boolean): Promise<void> {
		if (!house.isUp) return;
		const [write] = house.disk.underWay;
		this.tell(house, "off", write === undefined ? "" : `${write.kind} write ${fate}`);
		house.stop();
		for (const end of this.network.endsOf(house)) this.network.close(end, isHeard);
		await house.disk.powerOff(fate);
	}

	freeze(house: House, forMs: number, drops: boolean): void {
		if (!house.isUp || house.isFrozen) return;
		this.tell(house, "freezes", `${forMs} ms`);
		house.frozenUntilMs = this.nowMs + forMs;
		house.dropsWhileFrozen = drops;
		const { run } = house;
		this.in(forMs, () => (house.run === run ? this.thaw(house) : undefined));
	}

	async thaw(house: House): Promise<void> {
		if (!house.isUp || house.frozenUntilMs === 0) return;
		house.frozenUntilMs = 0;
		this.tell(house, "thaws");
		this.restartTimer(house);
		for (const hear of house.unheard.splice(0)) {
			hear();
			await house.quiet();
			await this.#afterStep(house);
		}
		await this.#drive(house);
	}

	// ── inputs ───────────────────────────────────────────────────────────────────────────────────────────────────

	/** Hands something to a house, which looks at it when it can. */
	async arrive(house: House, input: NodeInput): Promise<void> {
		if (!house.isUp) return;
		house.inbox.push(input);
		await this.#drive(house);
	}

	/** Asks a house's node for something. */
	command(house: House, command: Command, answered: (reply: Reply) => void): Promise<void> {
		const id = this.#nextCommand++;
		this.#replies.set(id, answered);
		return this.arrive(house, { type: "command", id, command });
	}

	async #drive(house: House): Promise<void> {
		while (house.isFree) {
			const input = house.inbox.shift();
			if (input === undefined) return;
			if (input.type === "tick") house.hasTickWaiting = false;
			await house.feed(input);
			if (house.slowMs > 0) {
				house.busyUntilMs = this.nowMs + house.slowMs;
				this.at(house.busyUntilMs, () => this.#drive(house));
			}
			await this.#afterStep(house);
		}
	}

	async #afterStep(house: House): Promise<void> {
		if (this.#thrown !== undefined) throw this.#thrown;
		if (house.isUp) for (const observer of this.observers) observer.stepped(house);
	}

	/** Nothing ticks in it until its timer is set anew: it hears only what comes to it. */
	stopTimer(house: House): void {
		house.timer += 1;
	}

	/** Sets its timer anew. */
	restartTimer(house: House): void {
		house.timer += 1;
		this.#tickLater(house, house.timer);
	}

	#tickLater(house: House, timer: number): void {
		const { tickMs } = this.plan;
		const everyMs = house.isThrottled ? THROTTLED_TICK_MS : tickMs + this.#random.below(20);
		this.at(Math.max(this.nowMs + everyMs, house.frozenUntilMs), async () => {
			if (!house.isUp || house.timer !== timer) return;
			this.#tickLater(house, timer);
			if (house.isFrozen || house.hasTickWaiting) return;
			house.hasTickWaiting = true;
			await this.arrive(house, { type: "tick" });
		});
	}

	// ── disks ────────────────────────────────────────────────────────────────────────────────────────────────────

	#onWriteBegins(house: House, write: Write): void {
		const { writeMs } = this.plan;
		const forMs = 1 + this.#random.below(writeMs) + (this.slowDisks.get(house) ?? 0);
		// Those who want to disturb it come first.
		for (const observer of this.observers) observer.writing(house, write, forMs);
		const { run } = house;
		this.in(forMs, async () => {
			if (!house.isUp || house.run !== run) return;
			const settled = await house.disk.settle();
			if (settled === undefined) return;
			this.trace.mix(house.disk.journalLength);
			const hear = () => settled.write.answer(settled.written);
			if (house.isFrozen) {
				house.unheard.push(hear);
				return;
			}
			hear();
			await house.quiet();
			await this.#afterStep(house);
			await this.#drive(house);
		});
		house.isWriting();
	}

	// ── outputs ──────────────────────────────────────────────────────────────────────────────────────────────────

	#onOutput(house: House, output: NodeOutput): void {
		switch (output.type) {
			case "peerFrame": {
				const end = this.network.end(output.channel);
				if (end === undefined) break;
				for (const observer of this.observers) observer.sending(house, end.other.house, output.frame);
				this.network.send(end, output.frame, house.slowMs);
				break;
			}
			case "closePeer": {
				const end = this.network.end(output.channel);
				if (end === undefined) break;
				this.tell(house, "closes", `${end.other.house.name}: ${output.code}`);
				this.network.close(end, true);
				break;
			}
			case "network":
				house.network = output.network;
				this.#onTopic(house, output.network?.meshId);
				break;
			case "reply":
				this.#replies.get(output.id)?.(output.result);
				this.#replies.delete(output.id);
				break;
			case "fault":
				this.tell(house, "fault", output.fault.code);
				this.count(`said: ${output.fault.code}`);
				break;
			case "view":
				break;
		}
	}

	#onTopic(house: House, topic: string | undefined): void {
		house.topic = topic;
		for (const end of this.network.endsOf(house)) {
			if (end.other.house.topic !== topic) this.network.close(end, true);
		}
	}
}
