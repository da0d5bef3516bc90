/** Carries a plan's faults out. Those that wait for a write are armed at their time and strike at the next one that fits. */
import { toHex } from "../../src/primitives/bytes.js";
import type { Write } from "./disk.js";
import type { Boundary, Fault } from "./fault.js";
import { comeToLife, inviteLater } from "./founding.js";
import type { House } from "./house.js";
import type { Weather } from "./network.js";
import type { Observer, World } from "./world.js";

interface Armed {
	readonly boundary: Boundary;
	readonly strike: (house: House, write: Write, forMs: number) => void;
}

type Of<K extends Fault["kind"]> = Extract<Fault, { kind: K }>;

/** Told of what makes promises void. */
export interface Consequences {
	/** From now on two devices have one key, or one has forgotten what it promised. */
	onTwin(house: House, twin: House | undefined): void;
	onWiped(house: House): void;
	onDamaged(house: House): void;
}

export class Faults implements Observer {
	readonly #world: World;
	readonly #consequences: Consequences;
	#armed: Armed[] = [];
	#isOver = false;
	/** Journal lengths over time, for houses whose backup will be restored. */
	readonly #backups = new Map<House, { atMs: number; length: number }[]>();

	constructor(world: World, consequences: Consequences) {
		this.#world = world;
		this.#consequences = consequences;
	}

	/** Plans everything, from now on. */
	begin(faults: readonly Fault[]): void {
		const { world, nowMs } = { world: this.#world, nowMs: this.#world.nowMs };
		for (const fault of faults) {
			if (fault.kind === "backup restored") this.#backUp(fault, nowMs);
			world.at(nowMs + fault.atMs, () => (this.#isOver ? undefined : this.#strike(fault)));
		}
	}

	/** Everything works again; whoever is off comes on. */
	async heal(): Promise<void> {
		const world = this.#world;
		this.#isOver = true;
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

	#house(at: number): House | undefined {
		const house = this.#world.houses[at];
		return house?.isGone === true ? undefined : house;
	}

	#happens(fault: Fault, house?: House, detail = ""): void {
		this.#world.count(fault.kind);
		this.#world.tell(house, fault.kind, detail);
	}

	/** Undone when its time is over, unless everything was mended before. */
	#for(forMs: number, undo: () => void): void {
		this.#world.in(forMs, () => {
			if (!this.#isOver) undo();
		});
	}

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
				if (fault.boundary === undefined) return this.#freeze(fault, this.#house(fault.house));
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
				return this.#wipe(fault);
			case "backup restored":
				return this.#restore(fault);
			case "clone":
				return this.#clone(fault);
			case "voter change":
				return this.#changeVoters(fault);
			case "remove and rejoin":
				return this.#removeAndRejoin(fault);
		}
	}

	#weather(
		fault: Of<"loss" | "duplication" | "reordering" | "delay" | "late replies">,
		change: Partial<Weather>,
	): void {
		const { weather } = this.#world.network;
		this.#happens(fault, undefined, `${JSON.stringify(change)} for ${fault.forMs} ms`);
		Object.assign(weather, change);
		const fair = Object.fromEntries(Object.keys(change).map((name) => [name, 0]));
		this.#for(fault.forMs, () => {
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
		if (cuts.length > 0) this.#happens(fault, who, `${describeCut(fault)} for ${fault.forMs} ms`);
		for (const { from, to } of cuts) network.cut(from, to);
		const mend = (): void => {
			for (const { from, to } of cuts.splice(0)) network.mend(from, to);
		};
		this.#for(fault.forMs, mend);
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
		const house = this.#house(fault.house);
		if (house?.isUp !== true) return;
		this.#happens(fault, house);
		for (const end of this.#world.network.endsOf(house)) await this.#world.network.breakChannel(end);
	}

	#crash(fault: Of<"crash">, house: House, write: Write, forMs: number): void {
		const world = this.#world;
		const { fate, downMs } = fault;
		const { run } = house;
		world.count(`crash, write ${fate}`);
		const strike = async (): Promise<void> => {
			// The power that would go after everything was mended stays.
			if (this.#isOver || house.run !== run || !house.isUp) return;
			this.#happens(fault, house, `${write.kind} write ${fate}, for ${downMs} ms`);
			await world.powerOff(house, fate === "after" ? "lost" : fate, downMs % 2 === 0);
			if (house.disk.isDamaged) this.#consequences.onDamaged(house);
			this.#comeBackLater(house, downMs);
		};
		// The write takes so long: one that is kept or torn reaches the disk then, and the node would hear of it right after.
		if (fate === "lost") world.in(0, strike);
		else if (fate === "after") world.in(forMs, () => world.in(0, strike));
		else world.in(forMs, strike);
	}

	#comeBackLater(house: House, downMs: number): void {
		this.#for(downMs, () => {
			this.#world.in(0, () => (house.isUp ? undefined : comeToLife(this.#world, house)));
		});
	}

	#freeze(fault: Of<"freeze">, house: House | undefined): void {
		if (house?.isUp !== true || house.isFrozen) return;
		this.#happens(fault, house, `for ${fault.forMs} ms${fault.drops ? ", loses what comes" : ""}`);
		this.#world.freeze(house, fault.forMs, fault.drops);
	}

	#night(fault: Of<"night">): void {
		const asleep = fault.houses.flatMap((at) => this.#house(at) ?? []);
		this.#happens(fault, undefined, `${asleep.map(({ name }) => name)} for ${fault.forMs} ms`);
		const all = asleep.length >= this.#world.plan.households;
		for (const house of all ? this.#world.houses : asleep) this.#world.freeze(house, fault.forMs, false);
	}

	#weaken(fault: Of<"clock jump" | "clock drift" | "timer throttled" | "slow validation" | "slow disk">): void {
		const house = this.#house(fault.house);
		if (house === undefined) return;
		const { slowDisks } = this.#world;
		switch (fault.kind) {
			case "clock jump":
				this.#happens(fault, house, `by ${fault.jumpMs} ms for ${fault.forMs} ms`);
				house.clockOffsetMs += fault.jumpMs;
				this.#for(fault.forMs, () => {
					house.clockOffsetMs -= fault.jumpMs;
				});
				break;
			case "clock drift":
				this.#happens(fault, house, `${fault.ppm} ppm`);
				house.driftPpm = fault.ppm;
				break;
			case "timer throttled":
				this.#happens(fault, house, `for ${fault.forMs} ms`);
				house.isThrottled = true;
				this.#for(fault.forMs, () => {
					house.isThrottled = false;
					this.#world.restartTimer(house);
				});
				break;
			case "slow validation":
				this.#happens(fault, house, `${fault.inputMs} ms an input for ${fault.forMs} ms`);
				house.slowMs = fault.inputMs;
				this.#for(fault.forMs, () => {
					house.slowMs = 0;
				});
				break;
			case "slow disk":
				this.#happens(fault, house, `${fault.writeMs} ms a write for ${fault.forMs} ms`);
				slowDisks.set(house, fault.writeMs);
				this.#for(fault.forMs, () => slowDisks.delete(house));
				break;
		}
	}

	// ── identities ───────────────────────────────────────────────────────────────────────────────────────────────

	async #wipe(fault: Of<"storage wiped">): Promise<void> {
		const house = this.#house(fault.house);
		if (house === undefined) return;
		const world = this.#world;
		this.#happens(fault, house);
		await world.powerOff(house, "lost", false);
		house.isGone = true;
		this.#consequences.onWiped(house);
		await inviteLater(world, world.nowMs + fault.downMs, () => this.#isOver);
	}

	#backUp(fault: Of<"backup restored">, beginMs: number): void {
		const world = this.#world;
		world.at(beginMs + Math.max(0, fault.atMs - fault.ageMs), () => {
			const house = this.#house(fault.house);
			if (house === undefined) return;
			const backups = this.#backups.get(house) ?? [];
			backups.push({ atMs: world.nowMs, length: house.disk.journalLength });
			this.#backups.set(house, backups);
			world.tell(house, "is backed up");
		});
	}

	async #changeVoters(fault: Of<"voter change">): Promise<void> {
		const standing = this.#standing(fault.house);
		if (standing === undefined) return;
		const { house, device, voters } = standing;
		const isVoter = voters.includes(device);
		if (voters.length < (isVoter ? 3 : 2)) return;
		this.#happens(fault, house, isVoter ? "goes" : "comes");
		await this.#voters(isVoter ? { added: [], removed: [device] } : { added: [device], removed: [] });
	}

	/** A house's device as the operator sees it, while both are there. */
	#standing(at: number): { house: House; device: number; voters: readonly number[] } | undefined {
		const [house, operator] = [this.#house(at), this.#house(0)];
		const { street } = operator ?? {};
		const key = house?.street?.deviceKey;
		if (operator?.isUp !== true || operator.isFrozen || street === undefined) return undefined;
		const device = key === undefined ? undefined : street.deviceIndexOf(toHex(key));
		if (house === undefined || device === undefined) return undefined;
		return { house, device, voters: street.chain.head.ledger.voters };
	}

	async #voters(change: { added: number[]; removed: number[] }): Promise<void> {
		const operator = this.#house(0);
		if (operator === undefined) return;
		await this.#world.command(operator, { type: "voters", ...change }, (reply) => {
			this.#world.tell(operator, "voters", reply.ok ? "is signed" : reply.error.code);
		});
	}

	async #removeAndRejoin(fault: Of<"remove and rejoin">): Promise<void> {
		const world = this.#world;
		const standing = this.#standing(fault.house);
		if (standing === undefined || !standing.house.isFree) return;
		const { house, device, voters } = standing;
		let link: string | undefined;
		await world.command(house, { type: "restoreLink" }, (reply) => {
			if (reply.ok && reply.value.type === "link") link = reply.value.link;
		});
		if (link === undefined) return;
		this.#happens(fault, house, `comes again in ${fault.awayMs} ms`);
		if (voters.includes(device) && voters.length >= 3) await this.#voters({ added: [], removed: [device] });
		await world.powerOff(house, "lost", true);
		house.isGone = true;
		this.#consequences.onWiped(house);
		const again = link;
		this.#for(fault.awayMs, () => {
			const successor = world.addHouse();
			successor.restoreLink = again;
			world.count("came again by its restore link");
			world.in(1, () => comeToLife(world, successor));
		});
	}

	async #restore(fault: Of<"backup restored">): Promise<void> {
		const house = this.#house(fault.house);
		const backup = house === undefined ? undefined : this.#backups.get(house)?.[0];
		if (house === undefined || backup === undefined || house.disk.journalLength === backup.length) return;
		this.#happens(fault, house, `${this.#world.nowMs - backup.atMs} ms old`);
		await this.#world.powerOff(house, "lost", true);
		this.#consequences.onTwin(house, undefined);
		house.disk = await house.disk.copy(backup.length);
		this.#comeBackLater(house, fault.downMs);
	}

	async #clone(fault: Of<"clone">): Promise<void> {
		const original = this.#house(fault.house);
		if (original === undefined) return;
		const world = this.#world;
		const twin = world.addHouse(await original.disk.copy(original.disk.journalLength), original);
		this.#happens(fault, original, `for ${fault.forMs} ms`);
		this.#consequences.onTwin(original, twin);
		await world.powerOn(twin);
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
