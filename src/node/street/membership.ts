/** What a device is in the neighbourhood, as the committed head has it: a guest until its `join` is in a block. */
import type { CommittedHead } from "./committedHead.js";
import type { StreetContext } from "./context.js";
import type { Greeting } from "./greeting.js";
import type { RaftDriver } from "./raftDriver.js";
import type { Refounding } from "./refounding.js";

export class Membership {
	readonly #context: StreetContext;
	readonly #raft: RaftDriver;
	readonly #head: CommittedHead;
	readonly #greeting: Greeting;
	readonly #refounding: Pick<Refounding, "standsAside">;

	constructor(
		context: StreetContext,
		raft: RaftDriver,
		head: CommittedHead,
		greeting: Greeting,
		refounding: Pick<Refounding, "standsAside">,
	) {
		this.#context = context;
		this.#raft = raft;
		this.#head = head;
		this.#greeting = greeting;
		this.#refounding = refounding;
	}

	/** The head moved: looks whether it changes what this device is. */
	onHead(): void {
		this.#becomeMember();
	}

	/** The block with this household's `join` is committed: from now on this device takes part. */
	#becomeMember(): void {
		const { device, events, peers } = this.#context;
		if (device === undefined && this.#raft.state !== undefined) {
			this.#raft.retire();
			events.onFault({ code: "device-revoked" });
		}
		if (this.#raft.state !== undefined || device === undefined || this.#refounding.standsAside) return;
		const votes = { term: 0, votedFor: undefined, lastSigned: undefined, suspended: undefined };
		const { certificate, votersCertificate } = this.#head;
		this.#raft.create(device, { votes, certificate, votersCertificate, tail: [] });
		events.onMember();
		// The others learn with the same block that this device is one of them.
		for (const peer of peers.authenticated()) this.#greeting.sendHello(peer);
	}
}
