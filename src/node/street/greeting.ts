/**
 * What devices say of themselves: a hello on every new channel, a status now and then. A hello also tells a device
 * which boot of it the other side knows, so that of two clones both come to hear of each other.
 */
import type { HelloMessage, NodeRole, StatusMessage } from "../../message/message.js";
import { equalBytes } from "../../primitives/bytes.js";
import type { Peer } from "../peers.js";
import type { Sync } from "../sync.js";
import type { CommittedHead } from "./committedHead.js";
import type { ProvenPeer, StreetContext } from "./context.js";
import type { DoubleSigning } from "./doubleSigning.js";
import type { Gossip } from "./gossip.js";
import type { RaftDriver } from "./raftDriver.js";

const STATUS_MS = 2_000;

/** What a device last said of itself. */
export interface DeviceStatus {
	headIndex: number;
	headHash: Uint8Array;
	term: number;
	role: NodeRole;
}

export interface GreetingParts {
	readonly raft: RaftDriver;
	readonly head: CommittedHead;
	readonly sync: Sync;
	readonly gossip: Gossip;
	readonly doubleSigning: DoubleSigning;
}

export class Greeting {
	/** By device key in hex; members' devices only. */
	readonly statuses = new Map<string, DeviceStatus>();
	readonly #context: StreetContext;
	readonly #parts: GreetingParts;
	readonly #bootId: Uint8Array;
	/** Devices whose hello was heard on the channel that is open. */
	readonly #hellos = new Set<string>();
	readonly #boots = new Map<string, { bootCount: number; bootId: Uint8Array }>();
	#nextStatusMs = 0;

	constructor(context: StreetContext, parts: GreetingParts) {
		this.#context = context;
		this.#parts = parts;
		this.#bootId = context.dependencies.randomBytes(16);
	}

	sendHello(peer: Peer): void {
		const { chain, config, dependencies, peers } = this.#context;
		const { head } = chain;
		const known = [...peers.authenticated()].flatMap(({ received }) =>
			received === undefined ? [] : [received.deviceKey],
		);
		peers.send(peer, {
			type: "hello",
			headIndex: head.block.index,
			headHash: head.hash,
			certificate: this.#parts.head.certificate,
			term: this.#parts.raft.state?.term ?? 0,
			chainMs: dependencies.clocks.chainMs(),
			bootCount: config.bootCount,
			bootId: this.#bootId,
			knownBoot: peer.device === undefined ? undefined : this.#boots.get(peer.device),
			peers: known,
		});
	}

	async onHello(peer: ProvenPeer, hello: HelloMessage): Promise<void> {
		const { raft, sync, gossip } = this.#parts;
		const { knownBoot, bootCount, bootId } = hello;
		if (hello.certificate !== undefined) this.#parts.doubleSigning.heard(hello.certificate);
		if (knownBoot !== undefined && this.#isTwin(knownBoot)) {
			this.#context.events.onFault({ code: "twin-device", bootCount: knownBoot.bootCount });
			await raft.feed({ type: "suspend", code: "twin-device" });
		}
		sync.heard(peer.device, hello.headIndex);
		this.#hellos.add(peer.device);
		const device = this.#context.deviceIndexOf(peer.device);
		// Nothing is kept for strangers, of whom there is no end.
		if (device === undefined) return;
		const known = this.#boots.get(peer.device);
		// Of two clones with the same count each comes to hear of the other.
		if (known === undefined || known.bootCount <= bootCount) this.#boots.set(peer.device, { bootCount, bootId });
		await raft.feed({ type: "greeted", from: device });
		gossip.tellAll(peer);
	}

	/** Whether the boot that a neighbour knows of this device is another device's with the same keys. */
	#isTwin(known: { bootCount: number; bootId: Uint8Array }): boolean {
		const { bootCount } = this.#context.config;
		return known.bootCount > bootCount || (known.bootCount === bootCount && !equalBytes(known.bootId, this.#bootId));
	}

	/** A device's channel is gone. */
	async onGone(device: string): Promise<void> {
		this.#parts.sync.forget(device);
		this.#hellos.delete(device);
		const index = this.#context.deviceIndexOf(device);
		if (index !== undefined) await this.#parts.raft.feed({ type: "gone", from: index });
	}

	/** The head moved: everybody hears of it, and whoever the chain has just admitted is one of us from now on. */
	async onHead(): Promise<void> {
		const { raft } = this.#parts;
		for (const device of this.#hellos) {
			const index = this.#context.deviceIndexOf(device);
			if (index !== undefined && raft.state?.peers.has(index) === false)
				await raft.feed({ type: "greeted", from: index });
		}
		this.#nextStatusMs = 0;
	}

	onStatus(device: string, status: StatusMessage): void {
		const { headIndex, headHash, term, role } = status;
		this.#parts.sync.heard(device, headIndex);
		if (this.#context.deviceIndexOf(device) !== undefined)
			this.statuses.set(device, { headIndex, headHash, term, role });
	}

	/** Tells everybody where this device stands, if it is time. */
	maybeStatus(nowMs: number): void {
		if (nowMs < this.#nextStatusMs) return;
		this.#nextStatusMs = nowMs + STATUS_MS;
		const { head } = this.#context.chain;
		const { raft } = this.#parts;
		this.#context.peers.broadcast({
			type: "status",
			headIndex: head.block.index,
			headHash: head.hash,
			term: raft.state?.term ?? 0,
			role: raft.role,
		});
	}
}
