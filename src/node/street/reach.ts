/**
 * Whom this device connects to, as the chain has it and as the others answer (`channelPlan.ts`), and which channels it
 * lets go of because it does not need them any more.
 */
import type { Device } from "../../contract/ledger.js";
import { type ConnectTo, channelOrder, firstOf, VOTERS_OF_OBSERVER } from "../channelPlan.js";
import type { Sync } from "../sync.js";
import type { StreetContext } from "./context.js";

/** Who was called, or lost, for so long is missing: another one is called in its place. Nobody can be without a server. */
const MISSING_MS = 5_000;
/** A channel that is not needed any more stays so long: what made it so may turn back. */
const SURPLUS_MS = 30_000;
/** A connection that was begun comes about within this time. */
const OPENING_MS = 15_000;

export class Reach {
	readonly #context: StreetContext;
	readonly #sync: Sync;
	readonly #alsoWanted: () => readonly string[];
	#connectTo: ConnectTo;
	/** What the order was made of. */
	#orderOf: { devices: readonly Device[]; voters: string } | undefined;
	#order: readonly string[] = [];
	/** For how long others could be called, ms: a server was reached. */
	#callingMs = 0;
	#tickedMs: number;
	/** Since when a device has been wanted without being there, in that time. */
	readonly #wantedSinceMs = new Map<string, number>();
	/** Channels of this device's own choice, and when they were last wanted. Others' it does not let go of. */
	readonly #wantedMs = new Map<string, number>();
	/** Wanted for something that they alone are to hear, and not there yet: by then it may be heard, and they wanted no more. */
	readonly #called = new Set<string>();
	/** When it last took whoever it heard, as in a lobby. */
	#openToAllMs: number;

	/** `alsoWanted`: devices that have something to hear of this one alone, by their keys in hex. */
	constructor(context: StreetContext, sync: Sync, alsoWanted: () => readonly string[]) {
		this.#context = context;
		this.#sync = sync;
		this.#alsoWanted = alsoWanted;
		this.#openToAllMs = context.dependencies.clocks.monotonicMs();
		this.#tickedMs = this.#openToAllMs;
		this.#connectTo = this.#plan(this.#openToAllMs);
	}

	get connectTo(): ConnectTo {
		return this.#connectTo;
	}

	/** This device stood still: that nobody was heard says nothing about them. */
	resumed(): void {
		this.#wantedSinceMs.clear();
		this.#wantedMs.clear();
	}

	/** `canCall`: a signaling server is reached. */
	tick(nowMs: number, canCall: boolean): void {
		if (canCall) this.#callingMs += nowMs - this.#tickedMs;
		this.#tickedMs = nowMs;
		this.#connectTo = this.#plan(nowMs);
		this.#letGo(nowMs);
	}

	#plan(nowMs: number): ConnectTo {
		const { chain, device, isFullMesh } = this.#context;
		// What a guest has of the chain may be of a time when the street was small.
		if (device === undefined && !this.#sync.isCaughtUp(chain.head, nowMs)) return "somebody";
		if (isFullMesh) return "everybody";
		const also = this.#alsoWanted();
		for (const other of also) this.#called.add(other);
		return [...new Set([...this.#needed(), ...also])];
	}

	/** Through whom this device hears everything, in a large street. */
	#needed(): readonly string[] {
		const { chain, deviceKey, device } = this.#context;
		const { devices } = chain.last.ledger;
		const voters = this.#voters;
		if (this.#isVoter) return voters.flatMap((voter) => (voter === device ? [] : [this.#context.deviceNameOf(voter)]));
		const made = { devices, voters: voters.join() };
		if (this.#orderOf?.devices !== made.devices || this.#orderOf.voters !== made.voters) {
			this.#orderOf = made;
			this.#order = channelOrder({ devices, voters }, deviceKey);
		}
		const first = firstOf(this.#order, (other) => this.#isMissing(other));
		for (const other of this.#wantedSinceMs.keys()) if (!first.includes(other)) this.#wantedSinceMs.delete(other);
		return first;
	}

	/** Whoever is looked at is wanted, from the first time on. */
	#isMissing(other: string): boolean {
		if (this.#context.peers.toDevice(other) !== undefined) {
			this.#wantedSinceMs.delete(other);
			return false;
		}
		const sinceMs = this.#wantedSinceMs.get(other) ?? this.#callingMs;
		this.#wantedSinceMs.set(other, sinceMs);
		return this.#callingMs - sinceMs >= MISSING_MS;
	}

	/**
	 * Lets go of the channels that it wanted itself and does not want any more, once it has enough others. Voters let go
	 * of none: whoever observes decides through whom. Guests are not of the street, and know best whom they need.
	 */
	#letGo(nowMs: number): void {
		const { peers } = this.#context;
		const wanted = typeof this.#connectTo === "string" ? undefined : new Set(this.#connectTo);
		if (wanted === undefined) this.#openToAllMs = nowMs;
		const wasOpenToAll = nowMs - this.#openToAllMs < OPENING_MS;
		const present = [...peers.authenticated()];
		const needed = present.filter(({ device }) => wanted === undefined || wanted.has(device));
		for (const { device } of needed) this.#wantedMs.set(device, nowMs);
		for (const { device } of present) {
			const isOwnChoice = this.#called.delete(device) || wasOpenToAll;
			if (isOwnChoice && !this.#wantedMs.has(device)) this.#wantedMs.set(device, nowMs);
		}
		for (const device of this.#wantedMs.keys()) if (peers.toDevice(device) === undefined) this.#wantedMs.delete(device);
		if (wanted === undefined || this.#isVoter || needed.length < VOTERS_OF_OBSERVER) return;
		for (const peer of present) {
			const wantedMs = this.#wantedMs.get(peer.device);
			const isGuest = this.#context.deviceIndexOf(peer.device) === undefined;
			if (wantedMs !== undefined && !isGuest && nowMs - wantedMs > SURPLUS_MS) peers.letGo(peer, "surplus");
		}
	}

	get #isVoter(): boolean {
		const { device } = this.#context;
		return device !== undefined && this.#voters.includes(device);
	}

	/** A change that is not certified yet counts as well: those whom it adds may be needed to certify it. */
	get #voters(): readonly number[] {
		const { head, last } = this.#context.chain;
		return [...new Set([...head.ledger.voters, ...last.ledger.voters])];
	}
}
