/**
 * What devices say of themselves: a hello on every new channel, a status now and then.
 */
import type { Certificate } from "../../block/certificate.js";
import { LOG_DAMAGED } from "../../consensus/commit.js";
import { isVoter } from "../../consensus/state.js";
import { isInUse } from "../../contract/ledger.js";
import type { HelloMessage, Meeting, StatusMessage } from "../../message/message.js";
import type { LoadedChain } from "../loading.js";
import type { Peer } from "../peers.js";
import type { Sync } from "../sync.js";
import { Boots } from "./boots.js";
import type { CommittedHead } from "./committedHead.js";
import type { ProvenPeer, StreetContext } from "./context.js";
import type { DoubleSigning } from "./doubleSigning.js";
import type { Gossip } from "./gossip.js";
import type { Presence } from "./presence.js";
import type { RaftDriver } from "./raftDriver.js";

const STATUS_MS = 2_000;

export interface GreetingParts {
	readonly raft: RaftDriver;
	readonly head: CommittedHead;
	readonly sync: Sync;
	readonly gossip: Gossip;
	readonly doubleSigning: DoubleSigning;
	readonly presence: Presence;
}

export class Greeting {
	readonly #context: StreetContext;
	readonly #parts: GreetingParts;
	readonly #boots: Boots;
	/** Devices whose hello was heard on the channel that is open. */
	readonly #hellos = new Set<string>();
	#nextStatusMs = 0;

	constructor(context: StreetContext, parts: GreetingParts, loaded: Pick<LoadedChain, "boots">) {
		this.#context = context;
		this.#parts = parts;
		this.#boots = new Boots(context, loaded.boots);
	}

	sendHello(peer: Peer): void {
		const { chain, dependencies, halted, peers } = this.#context;
		// A start that could not be written comes again under the same number, and would seem to be another's.
		if (halted) return;
		const { head } = chain;
		const nothing = { knownBoot: undefined, meeting: undefined };
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
			boot: this.#boots.own,
			...(peer.device === undefined ? nothing : this.#boots.shownTo(peer.device)),
			peers: known,
		});
	}

	async onHello(peer: ProvenPeer, hello: HelloMessage): Promise<void> {
		const { raft, sync, gossip, doubleSigning } = this.#parts;
		if (hello.certificate !== undefined) await doubleSigning.heard(hello.certificate);
		// A start of another life says more than what that life signed.
		await this.#lookForTwin(peer, hello);
		if (hello.certificate !== undefined) await this.#lookForOwnSignature(hello.certificate);
		sync.heard(peer.device, hello.headIndex, this.#context.dependencies.clocks.monotonicMs());
		this.#hellos.add(peer.device);
		const device = this.#context.deviceIndexOf(peer.device);
		// Nothing is kept for strangers, of whom there is no end.
		if (device === undefined) return;
		await this.#boots.heard(peer, hello.boot);
		await raft.feed({ type: "greeted", from: device });
		gossip.tellAll(peer);
		doubleSigning.tellAll(peer);
	}

	/** Of two devices with one key both stop: which of them is the household's, only the household can say. */
	async #lookForTwin(peer: ProvenPeer, hello: HelloMessage): Promise<void> {
		const { events, peers } = this.#context;
		const { raft } = this.#parts;
		const twin = this.#boots.find(hello);
		if (twin === undefined) return;
		if (twin.code === "forged") {
			events.onRefused("forged-boot");
			return;
		}
		if (twin.code === "newer") peers.send(peer, { type: "twin", meeting: twin.meeting });
		// Once said is enough: the two take turns at their neighbours, and hear it each time.
		const suspended = raft.state?.suspended;
		if (suspended !== undefined && suspended !== LOG_DAMAGED) return;
		events.onFault({ code: "twin-device", bootCount: twin.bootCount });
		await raft.feed({ type: "suspend", code: "twin-device" });
	}

	/** A device was shown a newer start of itself: that one hears of it at its next hello. */
	onTwin(peer: ProvenPeer, meeting: Meeting): void {
		if (this.#context.deviceIndexOf(peer.device) !== undefined) this.#boots.met(peer.device, meeting);
	}

	/** An older life of this device may have signed what the head of a neighbour stands on. */
	async #lookForOwnSignature(certificate: Certificate): Promise<void> {
		const { device } = this.#context;
		const signatures = certificate.signatures.filter(({ voter }) => voter === device);
		if (signatures.length === 0) return;
		const own = { ...certificate, signatures };
		if (this.#context.checkCertificateSignatures(own).ok)
			await this.#parts.raft.feed({ type: "shown", certificate: own });
	}

	/** A device's channel is gone. */
	async onGone(device: string): Promise<void> {
		this.#parts.sync.forget(device, this.#context.dependencies.clocks.monotonicMs());
		this.#parts.presence.onGone(device);
		this.#hellos.delete(device);
		// Also one that is out of use.
		const index = this.#context.knownDevice(device)?.index;
		if (index !== undefined) await this.#parts.raft.feed({ type: "gone", from: index });
	}

	/** The head moved: everybody hears of it, and whoever the chain has just admitted is one of us from now on. */
	async onHead(): Promise<void> {
		const { raft } = this.#parts;
		const { devices } = this.#context.chain.head.ledger;
		// Whom it has just taken out of use hears nothing more; the block that says so went out before it was certified.
		for (const index of [...(raft.state?.peers ?? [])]) {
			if (!isInUse(devices[index])) await raft.feed({ type: "gone", from: index });
		}
		for (const device of this.#hellos) {
			const index = this.#context.deviceIndexOf(device);
			if (index !== undefined && raft.state?.peers.has(index) === false)
				await raft.feed({ type: "greeted", from: index });
		}
		this.#nextStatusMs = 0;
	}

	onStatus(device: string, status: StatusMessage): void {
		this.#parts.sync.heard(device, status.headIndex, this.#context.dependencies.clocks.monotonicMs());
		this.#parts.presence.onStatus(device, status);
	}

	/** Tells everybody where this device stands, if it is time; and a voter of a large street, where others stand. */
	maybeStatus(nowMs: number): void {
		if (nowMs < this.#nextStatusMs) return;
		this.#nextStatusMs = nowMs + STATUS_MS;
		const { head } = this.#context.chain;
		const { presence, raft } = this.#parts;
		const { isFullMesh, peers } = this.#context;
		peers.broadcast({
			type: "status",
			headIndex: head.block.index,
			headHash: head.hash,
			term: raft.state?.term ?? 0,
			role: raft.role,
		});
		if (!isFullMesh && raft.state !== undefined && isVoter(raft.state)) peers.broadcast(presence.ownNeighbours());
	}
}
