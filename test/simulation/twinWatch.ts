/**
 * One key on two devices, or a device that was put back to what it had been: no protocol for crashes can keep its
 * promises then. What is asked for is that it is noticed: as soon as a neighbour that knew the other life meets this
 * one, it stops voting and says why.
 */
import type { House } from "./house.js";
import { peekType, readMessage, TYPE_NUMBERS } from "./wire.js";
import { type Observer, Violation, type World } from "./world.js";

const NOTICE_LIMIT_MS = 60_000;

export class TwinWatch implements Observer {
	readonly #world: World;
	/** By neighbour: the highest start of each house that this run of it was told of. */
	readonly #told = new Map<House, { run: number; boots: Map<House, number> }>();
	#expected: House[] = [];
	#firstBoot = 0;

	constructor(world: World) {
		this.#world = world;
	}

	/** From now on a house has a twin, or none but its own past. */
	expect(house: House, twin: House | undefined): void {
		this.#expected = twin === undefined ? [house] : [house, twin];
		this.#firstBoot = house.street?.config.bootCount ?? 0;
	}

	sending(house: House, to: House, frame: Uint8Array): void {
		if (peekType(frame) !== TYPE_NUMBERS.hello) return;
		const hello = readMessage(frame);
		if (hello?.type !== "hello") return;
		const known = this.#told.get(to);
		const told = known?.run === to.run ? known : { run: to.run, boots: new Map<House, number>() };
		this.#told.set(to, told);
		const device = house.original ?? house;
		told.boots.set(device, Math.max(told.boots.get(device) ?? 0, hello.boot.bootCount));
	}

	/** Everything is mended: those who have to notice do. */
	async check(): Promise<void> {
		const [device, twin] = this.#expected;
		if (device === undefined) return;
		const world = this.#world;
		const noticed = () => this.#mustNotice(device, twin).every((house) => house.street?.raft?.suspended !== undefined);
		if (await world.run(world.nowMs + NOTICE_LIMIT_MS, noticed, 500)) {
			if (this.#mustNotice(device, twin).length > 0) world.count("twin noticed");
			return;
		}
		throw new Violation("a twin is noticed", `${device.name} votes on`);
	}

	/** Both of two clones; one that was put back, if a neighbour still knows a later start of it. */
	#mustNotice(device: House, twin: House | undefined): House[] {
		const living = this.#expected.filter((house) => house.isUp && house.street?.raft !== undefined);
		if (twin !== undefined) return living.length === 2 ? living : [];
		const boot = device.street?.config.bootCount ?? 0;
		const isKnown =
			this.#firstBoot > boot &&
			[...this.#told].some(([neighbour, { run, boots }]) => {
				return neighbour.isUp && neighbour.run === run && (boots.get(device) ?? 0) > boot;
			});
		return isKnown ? living : [];
	}

	stepped(): void {}
	written(): void {}
	writing(): void {}
	finished(): void {}
}
