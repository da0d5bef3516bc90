/** Who has a place on the server, and who gets the next one when there is none left. */
import type { RelayLimits } from "./limits.js";
import type { Subscriber } from "./subscriber.js";

export type PlaceLimits = Pick<RelayLimits, "sockets" | "fairSocketsPerAddress">;

export class Places {
	readonly #limits: PlaceLimits;
	readonly #all = new Set<Subscriber>();
	readonly #byAddress = new Map<string, Set<Subscriber>>();

	constructor(limits: PlaceLimits) {
		this.#limits = limits;
	}

	get all(): ReadonlySet<Subscriber> {
		return this.#all;
	}

	get isFull(): boolean {
		return this.#all.size >= this.#limits.sockets;
	}

	/**
	 * Who gives way on a full server to a socket of this address: the newest of the address that has most, if that has
	 * more than its fair share and this one less. Undefined: nobody, the newcomer has to wait.
	 */
	whoGivesWay(address: string): Subscriber | undefined {
		const share = this.#limits.fairSocketsPerAddress;
		if ((this.#byAddress.get(address)?.size ?? 0) >= share) return undefined;
		let most: ReadonlySet<Subscriber> | undefined;
		for (const sockets of this.#byAddress.values()) {
			if (sockets.size > (most?.size ?? share)) most = sockets;
		}
		return most === undefined ? undefined : [...most].at(-1);
	}

	take(subscriber: Subscriber): void {
		this.#all.add(subscriber);
		const sockets = this.#byAddress.get(subscriber.address);
		if (sockets === undefined) this.#byAddress.set(subscriber.address, new Set([subscriber]));
		else sockets.add(subscriber);
	}

	/** Whether it had a place until now. */
	leave(subscriber: Subscriber): boolean {
		if (!this.#all.delete(subscriber)) return false;
		const sockets = this.#byAddress.get(subscriber.address);
		sockets?.delete(subscriber);
		if (sockets?.size === 0) this.#byAddress.delete(subscriber.address);
		return true;
	}
}
