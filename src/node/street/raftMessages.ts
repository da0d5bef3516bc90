/** Raft messages of other devices: what is signed in them is checked here, before the core believes it. */
import { acknowledgementDigest } from "../../block/certificate.js";
import type { AppendEntriesMessage, AppendReplyMessage, RaftMessage } from "../../message/message.js";
import { equalBytes } from "../../primitives/bytes.js";
import type { Sync } from "../sync.js";
import type { ProvenPeer, StreetContext } from "./context.js";
import type { DoubleSigning } from "./doubleSigning.js";
import type { Proposing } from "./proposing.js";
import type { RaftDriver } from "./raftDriver.js";

export class RaftMessages {
	readonly #context: StreetContext;
	readonly #raft: RaftDriver;
	readonly #proposing: Proposing;
	readonly #sync: Sync;
	readonly #doubleSigning: DoubleSigning;

	constructor(
		context: StreetContext,
		raft: RaftDriver,
		proposing: Proposing,
		sync: Sync,
		doubleSigning: DoubleSigning,
	) {
		this.#context = context;
		this.#raft = raft;
		this.#proposing = proposing;
		this.#sync = sync;
		this.#doubleSigning = doubleSigning;
	}

	/** Hands a message to the core, unless its sender is a guest or its certificate is bad. */
	async onMessage(peer: ProvenPeer, message: RaftMessage): Promise<void> {
		const from = this.#context.deviceIndexOf(peer.device);
		if (from === undefined) {
			this.#context.events.onRefused("raft-of-stranger");
			return;
		}
		const checked = await this.#check(peer, from, message);
		if (checked !== undefined) await this.#raft.feed({ type: "message", from, message: checked });
		await this.#proposing.maybePropose();
	}

	async #check(peer: ProvenPeer, from: number, message: RaftMessage): Promise<RaftMessage | undefined> {
		if (message.type === "appendReply") return this.#checkReply(from, message);
		if (message.type === "appendEntries") return this.#checkEntries(peer, message);
		return message;
	}

	/** An acknowledgement counts only with a good signature; one that cannot count any more is not looked at. */
	async #checkReply(from: number, reply: AppendReplyMessage): Promise<AppendReplyMessage> {
		const raft = this.#raft.state;
		const open = raft?.tail.at(-1);
		const { acknowledgement } = reply;
		if (acknowledgement === undefined) return reply;
		const without = { ...reply, acknowledgement: undefined };
		const place = { index: reply.matchIndex, term: reply.term, hash: acknowledgement.hash };
		await this.#doubleSigning.acknowledged(from, place, acknowledgement.signature);
		if (raft?.role !== "leader" || open === undefined || open.block.index !== reply.matchIndex) return without;
		if (reply.term !== raft.term || !equalBytes(open.hash, acknowledgement.hash)) return without;
		if (raft.acknowledgements.has(from)) return without;
		const { chain, dependencies, events, gridId } = this.#context;
		const digest = acknowledgementDigest(gridId, place, from);
		const key = chain.head.ledger.devices[from]?.publicKey;
		if (key !== undefined && dependencies.verifier.verify(acknowledgement.signature, digest, key)) return reply;
		events.onRefused("bad-acknowledgement");
		return without;
	}

	/** A certificate that says something new must be good; a bad one costs the channel. */
	async #checkEntries(peer: ProvenPeer, message: AppendEntriesMessage): Promise<AppendEntriesMessage | undefined> {
		const { certificate } = message;
		const { head } = this.#context.chain;
		if (certificate === undefined) return message;
		await this.#doubleSigning.heard(certificate);
		if (certificate.index <= head.block.index) return { ...message, certificate: undefined };
		const checked = this.#context.checkCertificateSignatures(certificate);
		if (checked.ok) return message;
		// Signed by devices that were admitted above this chain: its blocks are fetched first.
		if (checked.error.code === "certificate-of-stranger") {
			this.#sync.heard(peer.device, certificate.index);
			return { ...message, certificate: undefined };
		}
		this.#context.peers.refuse(peer, checked.error);
		return undefined;
	}
}
