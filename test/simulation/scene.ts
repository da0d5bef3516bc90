/** What all faults share: the world that they strike, until everything is mended. */
import type { Fault } from "./fault.js";
import { comeToLife } from "./founding.js";
import type { House } from "./house.js";
import type { World } from "./world.js";

/** Faults of one kind, or of several. */
export type Of<K extends Fault["kind"]> = Extract<Fault, { kind: K }>;

export class Scene {
	readonly world: World;
	isOver = false;

	constructor(world: World) {
		this.world = world;
	}

	house(at: number): House | undefined {
		const house = this.world.houses[at];
		return house?.isGone === true ? undefined : house;
	}

	happens(fault: Fault, house?: House, detail = ""): void {
		this.world.count(fault.kind);
		this.world.tell(house, fault.kind, detail);
	}

	/** Undone when its time is over, unless everything was mended before. */
	for(forMs: number, undo: () => void): void {
		this.world.in(forMs, () => {
			if (!this.isOver) undo();
		});
	}

	comeBackLater(house: House, downMs: number): void {
		this.for(downMs, () => {
			this.world.in(0, () => (house.isUp ? undefined : comeToLife(this.world, house)));
		});
	}
}
