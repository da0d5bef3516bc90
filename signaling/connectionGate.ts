/**
 * Bounds what one address of the network may open. Addresses are kept in memory only, while they are connected or have
 * just opened much, and go nowhere else.
 */
import { isIPv6 } from "node:net";
import { TokenBucket } from "../src/primitives/tokenBucket.js";
import type { ConnectionLimits } from "./limits.js";
import type { RefusalCode } from "./refusals.js";

export class ConnectionGate {
	readonly #limits: ConnectionLimits;
	readonly #visitors = new Map<string, Visitor>();

	constructor(limits: ConnectionLimits) {
		this.#limits = limits;
	}

	/** How many addresses are remembered. */
	get size(): number {
		return this.#visitors.size;
	}

	/** Lets a connection in, or says why not. Who was let in has to {@link leave}. */
	enter(address: string, nowMs: number): RefusalCode | undefined {
		const { connectionsPerAddress, newConnectionsPerSecond } = this.#limits;
		const visitor = this.#visitors.get(address) ?? {
			connections: 0,
			openings: new TokenBucket(connectionsPerAddress, newConnectionsPerSecond, nowMs),
		};
		if (visitor.connections >= connectionsPerAddress) return "too-many-connections-of-address";
		if (!visitor.openings.take(1, nowMs)) return "too-many-new-connections-of-address";
		visitor.connections += 1;
		if (this.#visitors.size >= this.#limits.addresses) this.#forgetWhoLeft();
		this.#visitors.set(address, visitor);
		return undefined;
	}

	leave(address: string, nowMs: number): void {
		const visitor = this.#visitors.get(address);
		if (visitor === undefined) return;
		visitor.connections -= 1;
		if (visitor.connections === 0 && visitor.openings.isFull(nowMs)) this.#visitors.delete(address);
	}

	/** The table is twice as large as there may be connections, so at least half of it goes. */
	#forgetWhoLeft(): void {
		for (const [address, { connections }] of this.#visitors) {
			if (connections === 0) this.#visitors.delete(address);
		}
	}
}

interface Visitor {
	connections: number;
	openings: TokenBucket;
}

/** What counts as one address: of IPv6 the first 64 bits, since every customer is given that many to choose from. */
export function networkOf(remoteAddress: string): string {
	if (!isIPv6(remoteAddress)) return remoteAddress;
	const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(remoteAddress);
	if (mapped?.[1] !== undefined) return mapped[1];
	const [head = "", tail] = remoteAddress.replace(/%.*$/, "").split("::");
	const groups = head === "" ? [] : head.split(":");
	// Where zeros were left out, as many as are missing of the eight.
	if (tail !== undefined) {
		const after = tail === "" ? 0 : tail.split(":").length;
		for (let missing = 8 - groups.length - after; missing > 0; missing--) groups.push("0");
	}
	return `${groups.slice(0, 4).join(":")}::/64`;
}
