/** Raft messages of other devices: what is signed in them is checked here, before the core believes it. */
import { type Acknowledged, acknowledgementDigest, type Certificate } from "../../block/certificate.js";
import { hasEveryMajority } from "../../consensus/quorum.js";
import { hashAt, voterSetsUpTo } from "../../consensus/state.js";
import type { AppendEntriesMessage, AppendReplyMessage, RaftMessage } from "../../message/message.js";
import { equalBytes, toHex } from "../../primitives/bytes.js";
import type { Sync } from "../sync.js";
import type { ProvenPeer, StreetContext } from "./context.js";
import type { DoubleSigning } from "./doubleSigning.js";
import type { Proposing } from "./proposing.js";
import type { RaftDriver } from "./raftDriver.js";

type AcknowledgementVerdict =
	| "counts"
	/** The block was certified without it. */
	| "surplus"
	| "acknowledgement-of-observer"
	| "acknowledgement-of-other-term"
	| "acknowledgement-repeated"
	/** This device does not lead, or proposed another block. */
	| "acknowledgement-unasked";

export class RaftMessages {
	readonly #context: StreetContext;
	readonly #raft: RaftDriver;
	readonly #proposing: Proposing;
	readonly #sync: Sync;
	readonly #doubleSigning: DoubleSigning;
	/** By voter: what it last acknowledged, checked or not. Only counts are made of it. */
	readonly #acknowledged = new Map<number, Acknowledged>();

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
		switch (message.type) {
			case "appendReply":
				return this.#checkReply(from, message);
			case "appendEntries":
				return this.#checkEntries(peer, message);
			case "voteReply":
			case "preVoteReply":
				// A candidate asks only those that vote by its own log: nobody else has to answer it.
				if (this.#isVoter(from)) return message;
				this.#context.events.onRefused("vote-of-observer");
				return undefined;
			default:
				return message;
		}
	}

	/** Whether a device votes in any of the sets of this device's log. */
	#isVoter(device: number): boolean {
		const raft = this.#raft.state;
		if (raft === undefined) return false;
		return voterSetsUpTo(raft, Number.POSITIVE_INFINITY).some((voters) => voters.includes(device));
	}

	/** An acknowledgement counts only with a good signature; one that cannot count any more is not looked at. */
	async #checkReply(from: number, answer: AppendReplyMessage): Promise<AppendReplyMessage> {
		const reply = { ...answer, refusedIds: this.#refusedOf(from, answer) };
		const { acknowledgement } = reply;
		if (acknowledgement === undefined) return reply;
		const without = { ...reply, acknowledgement: undefined };
		const place = { index: reply.matchIndex, term: reply.term, hash: acknowledgement.hash };
		await this.#doubleSigning.acknowledged(from, place, acknowledgement.signature);
		const { chain, dependencies, events, gridId } = this.#context;
		const verdict = this.#judge(from, place);
		if (verdict !== "counts") {
			if (verdict !== "surplus") events.onRefused(verdict);
			return without;
		}
		const digest = acknowledgementDigest(gridId, place, from);
		const key = chain.head.ledger.devices[from]?.publicKey;
		if (key === undefined || !dependencies.verifier.verify(acknowledgement.signature, digest, key)) {
			events.onRefused("bad-acknowledgement");
			return without;
		}
		this.#doubleSigning.counted(from, place, acknowledgement.signature);
		return reply;
	}

	/** What is left out of the next blocks: only what a voter says of the block that is open. */
	#refusedOf(from: number, { refusedIds }: AppendReplyMessage): Uint8Array[] {
		if (refusedIds.length === 0) return [];
		const open = this.#raft.state?.tail.at(-1);
		const ids = new Set(open === undefined ? [] : this.#context.idsOf(open.block.transactions));
		const counted = this.#isVoter(from) ? refusedIds.filter((id) => ids.has(toHex(id))) : [];
		if (counted.length < refusedIds.length) this.#context.events.onRefused("refusal-unasked");
		return counted;
	}

	/**
	 * Whether an acknowledgement can count, or why not. Voters that are slow, or on a slow line, send most of those that
	 * cannot: so that is only counted. A majority's surplus is as it should be, and not even that.
	 */
	#judge(from: number, place: Acknowledged): AcknowledgementVerdict {
		const raft = this.#raft.state;
		if (raft === undefined) return "acknowledgement-unasked";
		if (!this.#isVoter(from)) return "acknowledgement-of-observer";
		if (place.term !== raft.term) return "acknowledgement-of-other-term";
		const before = this.#acknowledged.get(from);
		const isAgain = before?.term === place.term && place.index <= before.index;
		if (!isAgain) this.#acknowledged.set(from, place);
		const open = raft.role === "leader" ? raft.tail.at(-1) : undefined;
		if (open?.block.index === place.index && equalBytes(open.hash, place.hash))
			return raft.acknowledgements.has(from) ? "acknowledgement-repeated" : "counts";
		if (isAgain) return "acknowledgement-repeated";
		return this.#doubleSigning.isCertified(place) ? "surplus" : "acknowledgement-unasked";
	}

	/** A certificate that says something else than the own one must be good; a bad one costs the channel. */
	async #checkEntries(peer: ProvenPeer, message: AppendEntriesMessage): Promise<AppendEntriesMessage | undefined> {
		const { certificate } = message;
		const { head } = this.#context.chain;
		if (certificate === undefined) return message;
		const without = { ...message, certificate: undefined };
		const isAbove = certificate.index > head.block.index;
		// The usual case, with every heartbeat until the leader knows how far this log is certified.
		if (!isAbove && (await this.#doubleSigning.isOwn(certificate))) return without;
		await this.#doubleSigning.heard(certificate);
		const checked = this.#context.checkCertificateSignatures(certificate);
		// Signed by devices that were admitted above this chain, perhaps by other blocks than those of the own log that are
		// not certified: its blocks are fetched first.
		if (!checked.ok && isAbove && "voter" in checked.error && head.ledger.devices[checked.error.voter] === undefined) {
			this.#sync.heard(peer.device, certificate.index, this.#context.dependencies.clocks.monotonicMs());
			return without;
		}
		if (!checked.ok) {
			this.#context.peers.refuse(peer, checked.error);
			return undefined;
		}
		const size = this.#judgeSize(certificate);
		if (size !== "enough") this.#context.events.onRefused("certificate-without-majority");
		return isAbove && size !== "too few" ? message : without;
	}

	/**
	 * Whether enough voters signed, as far as that can be known: between the voters' last change and the block after the
	 * head, their majority is needed in any case. Further up, of a block of the own log, more sets than its leader knew of
	 * may seem to be in force: the core waits for another certificate, and such a one goes on to it.
	 */
	#judgeSize({ index, hash, signatures }: Certificate): "enough" | "too few" | "perhaps too few" {
		const { head } = this.#context.chain;
		const { voters, votersSinceIndex } = head.ledger;
		const signed = (voter: number) => signatures.some((each) => each.voter === voter);
		if (index <= head.block.index + 1)
			return index <= votersSinceIndex || hasEveryMajority([voters], signed) ? "enough" : "too few";
		const raft = this.#raft.state;
		const own = raft === undefined ? undefined : hashAt(raft, index);
		if (raft === undefined || own === undefined || !equalBytes(own, hash)) return "enough";
		return hasEveryMajority(voterSetsUpTo(raft, index), signed) ? "enough" : "perhaps too few";
	}
}
