/** Carries a plan's faults out. Those that wait for a write are armed at their time and strike at the next one that fits. */
import type { Write } from "./disk.js";
import type { Boundary, Fault } from "./fault.js";
import { comeToLife } from "./founding.js";
import type { House } from "./house.js";
import { type Consequences, IdentityFaults } from "./identityFaults.js";
import type { Weather } from "./network.js";
import { type Of, Scene } from "./scene.js";
import type { Observer, World } from "./world.js";

interface Armed {
	readonly boundary: Boundary;
	readonly strike: (house: House, write: Write, forMs: number) => void;
}

export class Faults implements Observer {
	readonly #world: World;
	readonly #scene: Scene;
	readonly #consequences: Consequences;
	readonly #identities: IdentityFaults;
	#armed: Armed[] = [];

	constructor(world: World, consequences: Consequences) {
		this.#world = world;
		this.#scene = new Scene(world);
		this.#consequences = consequences;
		this.#identities = new IdentityFaults(this.#scene, consequences);
	}

	/** Plans everything, from now on. */
	begin(faults: readonly Fault[]): void {
		const { world, nowMs } = { world: this.#world, nowMs: this.#world.nowMs };
		for (const fault of faults) {
			if (fault.kind === "backup restored") this.#identities.backUp(fault, nowMs);
			world.at(nowMs + fault.atMs, () => (this.#scene.isOver ? undefined : this.#strike(fault)));
		}
	}

	/** Everything works again; whoever is off comes on. */
	async heal(): Promise<void> {
		const world = this.#world;
		this.#scene.isOver = true;
		this.#armed = [];
		world.network.heal();
		world.slowDisks.clear();
		world.tell(undefined, "everything is mended");
		for (const house of [...world.houses]) {
			house.slowMs = 0;
			house.isThrottled = false;
			house.clockOffsetMs = 0;
			house.driftPpm = 0;
			await world.thaw(house);
			if (house.isUp) world.restartTimer(house);
			if (!house.isUp && !house.isGone) await comeToLife(world, house);
		}
	}

	// ── at a write ───────────────────────────────────────────────────────────────────────────────────────────────

	writing(house: House, write: Write, forMs: number): void {
		const at = this.#armed.findIndex(({ boundary }) => fits(boundary, house, write));
		const [armed] = at < 0 ? [] : this.#armed.splice(at, 1);
		armed?.strike(house, write, forMs);
	}

	#arm(boundary: Boundary, strike: Armed["strike"]): void {
		this.#armed.push({ boundary, strike });
	}

	// ── each kind ────────────────────────────────────────────────────────────────────────────────────────────────

	#strike(fault: Fault): void | Promise<void> {
		switch (fault.kind) {
			case "loss":
				return this.#weather(fault, { lossRate: fault.rate });
			case "duplication":
				return this.#weather(fault, { duplicationRate: fault.rate, duplicationMs: fault.lateMs });
			case "reordering":
				return this.#weather(fault, { reorderingRate: fault.rate, reorderingMs: fault.lateMs });
			case "delay":
				return this.#weather(fault, { delayMs: fault.delayMs });
			case "late replies":
				return this.#weather(fault, { lateRepliesMs: fault.lateMs });
			case "partition":
				this.#cut(fault, (a, b) => ((fault.mask >> (a.index % 30)) & 1) !== ((fault.mask >> (b.index % 30)) & 1));
				return;
			case "one-way partition":
				this.#cut(fault, (a, b) => (fault.inbound ? b : a).index === fault.house);
				return;
			case "non-transitive partition":
				this.#cut(
					fault,
					(a, b) => (a.index === fault.a && b.index === fault.b) || (a.index === fault.b && b.index === fault.a),
				);
				return;
			case "channels close":
				return this.#closeChannels(fault);
			case "crash":
				return this.#arm(fault.boundary, (house, write, forMs) => this.#crash(fault, house, write, forMs));
			case "isolation":
				return this.#arm(fault.boundary, (house) => {
					this.#cut(fault, (a, b) => a === house || b === house, house);
				});
			case "leaders in turn":
				return this.#takeTurn(fault, 0, () => {});
			case "freeze":
				if (fault.boundary === undefined) return this.#freezeAtItsTime(fault);
				return this.#arm(fault.boundary, (house) => this.#freeze(fault, house));
			case "night":
				return this.#night(fault);
			case "clock jump":
			case "clock drift":
			case "timer throttled":
			case "slow validation":
			case "slow disk":
				return this.#weaken(fault);
			case "storage wiped":
				return this.#identities.wipe(fault);
			case "backup restored":
				return this.#identities.restore(fault);
			case "clone":
				return this.#identities.clone(fault);
			case "voter change":
				return this.#identities.changeVoters(fault);
			case "remove and rejoin":
				return this.#identities.removeAndRejoin(fault);
		}
	}

	#weather(
		fault: Of<"loss" | "duplication" | "reordering" | "delay" | "late replies">,
		change: Partial<Weather>,
	): void {
		const { weather } = this.#world.network;
		this.#scene.happens(fault, undefined, `${JSON.stringify(change)} for ${fault.forMs} ms`);
		Object.assign(weather, change);
		const fair = Object.fromEntries(Object.keys(change).map((name) => [name, 0]));
		this.#scene.for(fault.forMs, () => {
			Object.assign(weather, fair);
		});
	}

	/**
	 * Cuts each direction that is named, of all the houses that there are now. Gives the way to mend them before their
	 * time.
	 */
	#cut(fault: Fault & { forMs: number }, isCut: (from: House, to: House) => boolean, who?: House): () => void {
		const { houses, network } = this.#world;
		const cuts = houses.flatMap((from) =>
			houses.flatMap((to) => (from !== to && isCut(from, to) ? [{ from, to }] : [])),
		);
		if (cuts.length > 0) this.#scene.happens(fault, who, `${describeCut(fault)} for ${fault.forMs} ms`);
		for (const { from, to } of cuts) network.cut(from, to);
		const mend = (): void => {
			for (const { from, to } of cuts.splice(0)) network.mend(from, to);
		};
		this.#scene.for(fault.forMs, mend);
		return mend;
	}

	/** The next leader's turn; `letBack` mends the one before. */
	#takeTurn(fault: Of<"leaders in turn">, turn: number, letBack: () => void): void {
		const write = fault.writes[turn];
		if (write === undefined) return;
		this.#arm({ write, by: "leader" }, (house) => {
			letBack();
			this.#takeTurn(
				fault,
				turn + 1,
				this.#cut(fault, (a, b) => a === house || b === house, house),
			);
		});
	}

	async #closeChannels(fault: Of<"channels close">): Promise<void> {
		const house = this.#scene.house(fault.house);
		if (house?.isUp !== true) return;
		this.#scene.happens(fault, house);
		for (const end of this.#world.network.endsOf(house)) await this.#world.network.breakChannel(end);
	}

	#crash(fault: Of<"crash">, house: House, write: Write, forMs: number): void {
		const world = this.#world;
		const { fate, downMs } = fault;
		const { run } = house;
		world.count(`crash, write ${fate}`);
		const strike = async (): Promise<void> => {
			// The power that would go after everything was mended stays.
			if (this.#scene.isOver || house.run !== run || !house.isUp) return;
			this.#scene.happens(fault, house, `${write.kind} write ${fate}, for ${downMs} ms`);
			if (fault.closes) await this.#closing(house);
			await world.powerOff(house, fate === "after" ? "lost" : fate, downMs % 2 === 0);
			if (house.disk.isDamaged) this.#consequences.onDamaged(house);
			this.#scene.comeBackLater(house, downMs);
		};
		// The write takes so long: one that is kept or torn reaches the disk then, and the node would hear of it right after.
		if (fate === "lost") world.in(0, strike);
		else if (fate === "after") world.in(forMs, () => world.in(0, strike));
		else world.in(forMs, strike);
	}

	/** The page is about to be hidden: its node hears of it if it is at nothing else, or when it is done with that. */
	#closing(house: House): Promise<void> {
		this.#world.count("page says that it goes");
		return this.#world.arrive(house, { type: "closing" });
	}

	async #freezeAtItsTime(fault: Of<"freeze">): Promise<void> {
		const house = this.#scene.house(fault.house);
		if (house?.isUp !== true || house.isFrozen) return;
		if (fault.closes) await this.#closing(house);
		this.#freeze({ ...fault, closes: false }, house);
	}

	#freeze(fault: Of<"freeze">, house: House | undefined): void {
		if (house?.isUp !== true || house.isFrozen) return;
		this.#scene.happens(fault, house, `for ${fault.forMs} ms${fault.drops ? ", loses what comes" : ""}`);
		this.#world.freeze(house, fault.forMs, fault.drops);
		if (fault.closes) house.inbox.push({ type: "closing" });
	}

	async #night(fault: Of<"night">): Promise<void> {
		const asleep = fault.houses.flatMap((at) => this.#scene.house(at) ?? []);
		this.#scene.happens(fault, undefined, `${asleep.map(({ name }) => name)} for ${fault.forMs} ms`);
		const all = asleep.length >= this.#world.plan.households;
		for (const house of all ? [...this.#world.houses] : asleep) {
			if (fault.closes && house.isUp && !house.isFrozen) await this.#closing(house);
			this.#world.freeze(house, fault.forMs, false);
		}
	}

	#weaken(fault: Of<"clock jump" | "clock drift" | "timer throttled" | "slow validation" | "slow disk">): void {
		const house = this.#scene.house(fault.house);
		if (house === undefined) return;
		const { slowDisks } = this.#world;
		switch (fault.kind) {
			case "clock jump":
				this.#scene.happens(fault, house, `by ${fault.jumpMs} ms for ${fault.forMs} ms`);
				house.clockOffsetMs += fault.jumpMs;
				this.#scene.for(fault.forMs, () => {
					house.clockOffsetMs -= fault.jumpMs;
				});
				break;
			case "clock drift":
				this.#scene.happens(fault, house, `${fault.ppm} ppm`);
				house.driftPpm = fault.ppm;
				break;
			case "timer throttled":
				this.#scene.happens(fault, house, `for ${fault.forMs} ms`);
				house.isThrottled = true;
				this.#scene.for(fault.forMs, () => {
					house.isThrottled = false;
					this.#world.restartTimer(house);
				});
				break;
			case "slow validation":
				this.#scene.happens(fault, house, `${fault.inputMs} ms an input for ${fault.forMs} ms`);
				house.slowMs = fault.inputMs;
				this.#scene.for(fault.forMs, () => {
					house.slowMs = 0;
				});
				break;
			case "slow disk":
				this.#scene.happens(fault, house, `${fault.writeMs} ms a write for ${fault.forMs} ms`);
				slowDisks.set(house, fault.writeMs);
				this.#scene.for(fault.forMs, () => slowDisks.delete(house));
				break;
		}
	}

	stepped(): void {}
	written(): void {}
	sending(): void {}
	finished(): void {}
}

function fits({ write, by }: Boundary, house: House, { kind }: Write): boolean {
	if (write !== "any" && write !== kind) return false;
	// A founding or a joining that breaks off at its first writes is another matter: those are tested by themselves.
	if (kind === "profile") return false;
	if (typeof by === "number") return house.index === by;
	const isLeader = house.street?.raft?.role === "leader";
	return by === "anybody" || (by === "leader") === isLeader;
}

function describeCut(fault: Fault): string {
	switch (fault.kind) {
		case "partition":
			return `mask ${fault.mask.toString(2)}`;
		case "one-way partition":
			return `${fault.inbound ? "to" : "from"} ${fault.house}`;
		case "non-transitive partition":
			return `${fault.a} and ${fault.b}`;
		default:
			return "";
	}
}
