/** Faults that change who somebody is: storage lost or put back, one key on two devices, voters that come and go. */
import { toHex } from "../../src/primitives/bytes.js";
import { comeToLife, inviteLater } from "./founding.js";
import type { House } from "./house.js";
import type { Of, Scene } from "./scene.js";

/** Told of what makes promises void. */
export interface Consequences {
	/** From now on two devices have one key, or one has forgotten what it promised. */
	onTwin(house: House, twin: House | undefined): void;
	onWiped(house: House): void;
	onDamaged(house: House): void;
}

export class IdentityFaults {
	readonly #scene: Scene;
	readonly #consequences: Consequences;
	/** Journal lengths over time, for houses whose backup will be restored. */
	readonly #backups = new Map<House, { atMs: number; length: number }[]>();

	constructor(scene: Scene, consequences: Consequences) {
		this.#scene = scene;
		this.#consequences = consequences;
	}

	/** The household joins again, by an invitation, as somebody new. */
	async wipe(fault: Of<"storage wiped">): Promise<void> {
		const house = this.#scene.house(fault.house);
		if (house === undefined) return;
		const world = this.#scene.world;
		this.#scene.happens(fault, house);
		await world.powerOff(house, "lost", false);
		house.isGone = true;
		this.#consequences.onWiped(house);
		await inviteLater(world, world.nowMs + fault.downMs, () => this.#scene.isOver);
	}

	/** Remembers what is on the disk so long before the fault. */
	backUp(fault: Of<"backup restored">, beginMs: number): void {
		const world = this.#scene.world;
		world.at(beginMs + Math.max(0, fault.atMs - fault.ageMs), () => {
			const house = this.#scene.house(fault.house);
			if (house === undefined) return;
			const backups = this.#backups.get(house) ?? [];
			backups.push({ atMs: world.nowMs, length: house.disk.journalLength });
			this.#backups.set(house, backups);
			world.tell(house, "is backed up");
		});
	}

	async changeVoters(fault: Of<"voter change">): Promise<void> {
		const standing = this.#standing(fault.house);
		if (standing === undefined) return;
		const { house, device, voters } = standing;
		const isVoter = voters.includes(device);
		if (voters.length < (isVoter ? 3 : 2)) return;
		this.#scene.happens(fault, house, isVoter ? "goes" : "comes");
		await this.#voters(isVoter ? { added: [], removed: [device] } : { added: [device], removed: [] });
	}

	/** A house's device as the operator sees it, while both are there. */
	#standing(at: number): { house: House; device: number; voters: readonly number[] } | undefined {
		const [house, operator] = [this.#scene.house(at), this.#scene.house(0)];
		const { street } = operator ?? {};
		const key = house?.street?.deviceKey;
		if (operator?.isUp !== true || operator.isFrozen || street === undefined) return undefined;
		const device = key === undefined ? undefined : street.deviceIndexOf(toHex(key));
		if (house === undefined || device === undefined) return undefined;
		return { house, device, voters: street.chain.head.ledger.voters };
	}

	async #voters(change: { added: number[]; removed: number[] }): Promise<void> {
		const operator = this.#scene.house(0);
		if (operator === undefined) return;
		await this.#scene.world.command(operator, { type: "voters", ...change }, (reply) => {
			this.#scene.world.tell(operator, "voters", reply.ok ? "is signed" : reply.error.code);
		});
	}

	async removeAndRejoin(fault: Of<"remove and rejoin">): Promise<void> {
		const world = this.#scene.world;
		const standing = this.#standing(fault.house);
		if (standing === undefined || !standing.house.isFree) return;
		const { house, device, voters } = standing;
		let link: string | undefined;
		await world.command(house, { type: "restoreLink" }, (reply) => {
			if (reply.ok && reply.value.type === "link") link = reply.value.link;
		});
		if (link === undefined) return;
		this.#scene.happens(fault, house, `comes again in ${fault.awayMs} ms`);
		if (voters.includes(device) && voters.length >= 3) await this.#voters({ added: [], removed: [device] });
		await world.powerOff(house, "lost", true);
		house.isGone = true;
		this.#consequences.onWiped(house);
		const again = link;
		this.#scene.for(fault.awayMs, () => {
			const successor = world.addHouse();
			successor.restoreLink = again;
			world.count("came again by its restore link");
			world.in(1, () => comeToLife(world, successor));
		});
	}

	async restore(fault: Of<"backup restored">): Promise<void> {
		const house = this.#scene.house(fault.house);
		const backup = house === undefined ? undefined : this.#backups.get(house)?.[0];
		if (house === undefined || backup === undefined || house.disk.journalLength === backup.length) return;
		this.#scene.happens(fault, house, `${this.#scene.world.nowMs - backup.atMs} ms old`);
		await this.#scene.world.powerOff(house, "lost", true);
		this.#consequences.onTwin(house, undefined);
		house.disk = await house.disk.copy(backup.length);
		this.#scene.comeBackLater(house, fault.downMs);
	}

	async clone(fault: Of<"clone">): Promise<void> {
		const original = this.#scene.house(fault.house);
		if (original === undefined) return;
		const world = this.#scene.world;
		const twin = world.addHouse(await original.disk.copy(original.disk.journalLength), original);
		this.#scene.happens(fault, original, `for ${fault.forMs} ms`);
		this.#consequences.onTwin(original, twin);
		await world.powerOn(twin);
	}
}
