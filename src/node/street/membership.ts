/** What a device is in the neighbourhood, as the committed head has it: a guest until its `join` is in a block. */
import type { LoadedChain } from "../loading.js";
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
	/** What was kept when this run began: a chain that fell back below this device's `join` forgets no vote with it. */
	readonly #votes: LoadedChain["votes"];

	constructor(
		context: StreetContext,
		raft: RaftDriver,
		head: CommittedHead,
		greeting: Greeting,
		refounding: Pick<Refounding, "standsAside">,
		votes: LoadedChain["votes"],
	) {
		this.#context = context;
		this.#raft = raft;
		this.#head = head;
		this.#greeting = greeting;
		this.#refounding = refounding;
		this.#votes = votes;
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
			events.onFault({ code: this.#context.whyRevoked });
		}
		if (this.#raft.state !== undefined || device === undefined || this.#refounding.standsAside) return;
		const { certificate, votersCertificate } = this.#head;
		this.#raft.create(device, { votes: this.#votes, certificate, votersCertificate, tail: [] });
		events.onMember();
		// The others learn with the same block that this device is one of them.
		for (const peer of peers.authenticated()) this.#greeting.sendHello(peer);
	}
}
