/**
 * Who is there, as far as this device sees it: its own channels, and what the voters say of theirs. In a large street a
 * device has channels to few, and would take all others for gone.
 */
import type { NeighboursMessage, NodeRole, StatusMessage } from "../../message/message.js";
import type { ProvenPeer, StreetContext } from "./context.js";
import type { RaftDriver } from "./raftDriver.js";

/** What a device last said of itself; `headHash` is not handed on by others. */
export interface DeviceStatus {
	headIndex: number;
	headHash?: Uint8Array;
	term: number;
	role: NodeRole;
}

/** So many voters have to say that a device is here, or keeps up, where this one has no channel to it: one alone may lie. */
const WITNESSES = 2;
/** A voter tells every two seconds. One that has not for so long has nothing to say any more, though its channel is open. */
const TOLD_MS = 10_000;

export class Presence {
	readonly #context: StreetContext;
	readonly #raft: Pick<RaftDriver, "role" | "state">;
	/** By device key in hex; members' devices only. */
	readonly #statuses = new Map<string, DeviceStatus>();
	/** By the teller's key in hex: whom it has channels to, by device index, and when it said so. */
	readonly #told = new Map<string, { heardMs: number; statuses: ReadonlyMap<number, DeviceStatus> }>();
	#outOfTouchSinceMs: number | undefined;

	constructor(context: StreetContext, raft: Pick<RaftDriver, "role" | "state">) {
		this.#context = context;
		this.#raft = raft;
	}

	onStatus(device: string, { headIndex, headHash, term, role }: StatusMessage): void {
		if (this.#context.deviceIndexOf(device) === undefined) return;
		this.#statuses.set(device, { headIndex, headHash, term, role });
	}

	/** A voter says to whom it has channels. Others have nothing to say that would not be known. */
	onNeighbours({ device }: ProvenPeer, { devices }: NeighboursMessage): void {
		const teller = this.#context.deviceIndexOf(device);
		if (teller === undefined || !this.#context.chain.head.ledger.voters.includes(teller)) return;
		const statuses = new Map(devices.map(({ device, ...status }) => [device, status]));
		this.#told.set(device, { heardMs: this.#context.dependencies.clocks.monotonicMs(), statuses });
	}

	onGone(device: string): void {
		this.#told.delete(device);
	}

	/** What this device tells others of its own channels. */
	ownNeighbours(): NeighboursMessage {
		const devices = [...this.#context.peers.authenticated()].flatMap(({ device: name }) => {
			const device = this.#context.deviceIndexOf(name);
			const status = this.#statuses.get(name);
			if (device === undefined || status === undefined) return [];
			const { headIndex, term, role } = status;
			return [{ device, headIndex, term, role }];
		});
		return { type: "neighbours", devices };
	}

	/** Whether a device is in reach of this one, or of a voter that is. */
	isHere(device: number): boolean {
		return device === this.#context.device || this.#hasChannelTo(device) || this.#toldOf(device).length > 0;
	}

	/** The same for certain, as far as that goes: what people decide by. */
	isSurelyHere(device: number): boolean {
		const isReached = device === this.#context.device || this.#hasChannelTo(device);
		return isReached || this.#toldOf(device).length >= WITNESSES;
	}

	#hasChannelTo(device: number): boolean {
		const name = this.#context.deviceNameOf(device);
		return this.#context.deviceIndexOf(name) !== undefined && this.#context.peers.toDevice(name) !== undefined;
	}

	#toldOf(device: number): DeviceStatus[] {
		const told: DeviceStatus[] = [];
		// Where everybody has channels to everybody, nobody needs another's word.
		if (this.#context.isFullMesh) return told;
		const { voters } = this.#context.chain.head.ledger;
		const oldestMs = this.#context.dependencies.clocks.monotonicMs() - TOLD_MS;
		for (const [teller, { heardMs, statuses }] of this.#told) {
			// What a device said while it voted goes with its vote.
			if (heardMs < oldestMs || !voters.includes(this.#context.deviceIndexOf(teller) ?? -1)) continue;
			const status = statuses.get(device);
			if (status !== undefined) told.push(status);
		}
		return told;
	}

	/** What was last heard of a device, from itself if it is connected or nobody else says anything. */
	statusOf(device: number): DeviceStatus | undefined {
		if (device === this.#context.device) return this.#ownStatus();
		const own = this.#statuses.get(this.#context.deviceNameOf(device));
		if (own !== undefined && this.#hasChannelTo(device)) return own;
		const [told, ...others] = this.#toldOf(device);
		if (told === undefined) return own;
		return others.reduce((newest, each) => (each.headIndex > newest.headIndex ? each : newest), told);
	}

	#ownStatus(): DeviceStatus {
		const { block, hash } = this.#context.chain.head;
		return { headIndex: block.index, headHash: hash, term: this.#raft.state?.term ?? 0, role: this.#raft.role };
	}

	/** How far the chain of a device that is here reaches for certain; undefined: nobody knows. */
	headOf(device: number): number | undefined {
		const { head } = this.#context.chain;
		if (device === this.#context.device) return head.block.index;
		if (this.#hasChannelTo(device)) return this.#statuses.get(this.#context.deviceNameOf(device))?.headIndex;
		const told = this.#toldOf(device).map(({ headIndex }) => headIndex);
		return told.sort((a, b) => b - a)[WITNESSES - 1];
	}

	/** Whether a voter is surely here and in use, and has not said that it has stopped voting. */
	mayVote(voter: number): boolean {
		if (voter === this.#context.device) return this.#raft.role !== "observer";
		const name = this.#context.deviceNameOf(voter);
		if (this.#context.deviceIndexOf(name) === undefined) return false;
		if (this.#hasChannelTo(voter)) return this.#statuses.get(name)?.role !== "observer";
		return this.#toldOf(voter).filter(({ role }) => role !== "observer").length >= WITNESSES;
	}

	/** Households, beside this device's own devices, that have a device in reach. */
	get householdsHere(): ReadonlySet<number> {
		const here = new Set<number>();
		for (const { index, household } of this.#context.chain.head.ledger.devices) {
			if (index !== this.#context.device && this.isHere(index)) here.add(household);
		}
		return here;
	}

	/** Since when (chain time) no neighbour was in reach, or nobody led; undefined: both are there. */
	get outOfTouchSinceMs(): number | undefined {
		return this.#outOfTouchSinceMs;
	}

	/** Time passed. */
	tick(chainMs: number): void {
		const isInTouch = this.leader !== undefined && this.householdsHere.size > 0;
		this.#outOfTouchSinceMs = isInTouch ? undefined : (this.#outOfTouchSinceMs ?? chainMs);
	}

	/** Who leads, though this device may have no channel to it; undefined: nobody that it has heard of. */
	get leader(): number | undefined {
		const { state } = this.#raft;
		if (state?.leader !== undefined || this.#context.isFullMesh) return state?.leader;
		let newest: { voter: number; term: number } | undefined;
		for (const voter of this.#context.chain.head.ledger.voters) {
			const status = this.isHere(voter) ? this.statusOf(voter) : undefined;
			if (status?.role === "leader" && status.term >= (newest?.term ?? 0)) newest = { voter, term: status.term };
		}
		return newest?.voter;
	}
}
