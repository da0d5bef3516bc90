/**
 * Transactions between neighbours: one's own are told to the voters, one of whom proposes them, and after a while without
 * success to everybody; others' are admitted to the mempool. Observers get most of them once, in a block.
 */
import { isAct, type Transaction } from "../../block/transaction.js";
import { isVoter, votersOf } from "../../consensus/state.js";
import { judge } from "../../contract/execute.js";
import type { Refusal, Wait } from "../../contract/refusal.js";
import { checkSignatures } from "../../contract/signers.js";
import { assert } from "../../primitives/assert.js";
import { TokenBucket } from "../../primitives/tokenBucket.js";
import { isRefusal } from "../mempool.js";
import type { Pending } from "../outbox.js";
import type { Peer } from "../peers.js";
import { BACKLOG_READINGS } from "../proposer.js";
import type { ProvenPeer, StreetContext } from "./context.js";
import type { Presence } from "./presence.js";
import type { RaftDriver } from "./raftDriver.js";

/** Own transactions that nobody confirmed are told again. */
const REGOSSIP_MS = 10_000;
/** The longest pause of who cannot know whether it is of any use: with voters lost for days that is long and for many. */
const LONGEST_REGOSSIP_MS = 600_000;
const GOSSIP_TRANSACTIONS = 200;

/** Half of what a receiver allows (`conduct`): this device has its own to tell, too. */
const HANDED_ON = 500;
const HANDED_ON_PER_SECOND = 50;

export class Gossip {
	readonly #context: StreetContext;
	readonly #raft: RaftDriver;
	readonly #presence: Presence;
	/** What is handed on for others: less than any receiver looks at, or it would take this device for one that floods. */
	readonly #handedOn: TokenBucket;
	/** When nobody led for the last time. */
	#ledMs = Number.NEGATIVE_INFINITY;
	/** When a block of a backlog was last committed. */
	#movedMs = Number.NEGATIVE_INFINITY;
	#seen = { index: -1, countedTotal: -1 };
	/** After so long without success everything is told again. */
	#regossipMs = REGOSSIP_MS;

	constructor(context: StreetContext, raft: RaftDriver, presence: Presence) {
		this.#context = context;
		this.#raft = raft;
		this.#presence = presence;
		this.#handedOn = new TokenBucket(HANDED_ON, HANDED_ON_PER_SECOND, context.dependencies.clocks.monotonicMs());
	}

	/**
	 * Admits what is signed and not refused by the ledger. A guest may hand in its `join`, and what a member's household
	 * signed: its `device`, and acts that waited where the household's old device was. Readings are devices' in use.
	 */
	onTransactions(peer: ProvenPeer, transactions: readonly Transaction[]): void {
		const { dependencies, entitlement, events, mempool, peers } = this.#context;
		const nowMs = dependencies.clocks.monotonicMs();
		const isGuest = this.#context.deviceIndexOf(peer.device) === undefined;
		const raft = this.#raft.state;
		// Who only observes never proposes what it hears; and in a large street it may know no leader.
		const isOfObserver = !this.#context.isFullMesh && !this.#isProposer()(peer.device);
		const isHandedOn = isGuest || isOfObserver || (raft !== undefined && !isVoter(raft));
		const forwarded: Transaction[] = [];
		if (!this.#mayTell(peer, nowMs)) {
			this.#ignore(peer, transactions.length, "too-many-transactions");
			return;
		}
		const ids = this.#context.idsOf(transactions);
		for (const [at, transaction] of transactions.entries()) {
			const id = ids[at];
			assert(id !== undefined, "every transaction has an id");
			// Each costs something, known or not. Their authors tell again what was not heard.
			if (!this.#mayTell(peer, nowMs)) {
				this.#ignore(peer, transactions.length - at, "too-many-transactions");
				break;
			}
			peers.conduct.spend(peer.device, "transactions", 1, nowMs);
			const isHouseholds = transaction.kind === "join" || transaction.kind === "confirm" || isAct(transaction);
			if (isGuest && !isHouseholds) {
				events.onRefused("transaction-of-stranger");
				continue;
			}
			if (mempool.has(id, transaction)) {
				if (transaction.kind === "join") entitlement.onJoin(peer.device, transaction, undefined);
				forwarded.push(transaction);
				continue;
			}
			if (!mempool.hasRoomFor(transaction)) {
				this.#ignore(peer, 1, "mempool-full");
				continue;
			}
			const cause = this.#judge(transaction);
			if (transaction.kind === "join") entitlement.onJoin(peer.device, transaction, cause);
			if (isRefusal(cause)) {
				events.onRefused(cause.code);
				if (cause.code === "bad-signature") peers.conduct.spend(peer.device, "badSignatures", 1, nowMs);
				continue;
			}
			mempool.add(id, transaction);
			if (isHandedOn) forwarded.push(transaction);
		}
		this.#forward(peer, forwarded);
	}

	#mayTell({ device }: ProvenPeer, nowMs: number): boolean {
		const { conduct } = this.#context.peers;
		return conduct.has(device, "transactions", nowMs) && conduct.has(device, "badSignatures", nowMs);
	}

	/** Who goes on and on with what is not looked at floods: reading it has a cost, too. */
	#ignore(peer: ProvenPeer, count: number, code: "too-many-transactions" | "mempool-full"): void {
		const { dependencies, events, peers } = this.#context;
		events.onRefused(code);
		if (peers.conduct.spend(peer.device, "ignoredTransactions", count, dependencies.clocks.monotonicMs())) return;
		if (peers.has(peer)) peers.refuse(peer, { code: "flooding" });
	}

	/** A reading that is told again is mostly on the chain already: that is found out before its signature is verified. */
	#judge(transaction: Transaction): Refusal | Wait | undefined {
		const { chain, dependencies } = this.#context;
		const { ledger } = chain.head;
		const judged = () => judge(ledger, this.#context.judgingMs(), transaction);
		const signed = () => checkSignatures(ledger, transaction, dependencies.verifier);
		if (transaction.kind !== "reading") return signed() ?? judged();
		const cause = judged();
		return isRefusal(cause) ? cause : (signed() ?? cause);
	}

	/**
	 * The author is not getting through to the leader by itself, if this is heard twice or told to an observer; a guest may
	 * know only us, and an observer of a large street no leader. An observer without a channel to the leader hands on to its
	 * voters, and a voter to the leader alone: so nothing goes round. What is too much at a time is told again by its authors.
	 */
	#forward(from: ProvenPeer, transactions: readonly Transaction[]): void {
		const raft = this.#raft.state;
		if (transactions.length === 0 || raft === undefined || raft.leader === raft.self) return;
		const { dependencies, peers } = this.#context;
		const nowMs = dependencies.clocks.monotonicMs();
		const allowed = transactions.filter(() => this.#handedOn.take(1, nowMs));
		if (allowed.length === 0) return;
		const index = this.#presence.leader;
		const leader = index === undefined ? undefined : peers.toDevice(this.#context.deviceNameOf(index));
		if (leader !== undefined) {
			if (leader.channel !== from.channel) this.#send(leader, allowed);
		} else if (!this.#context.isFullMesh && !isVoter(raft)) {
			const isProposer = this.#isProposer();
			for (const peer of peers.authenticated()) {
				if (peer.channel !== from.channel && isProposer(peer.device)) this.#send(peer, allowed);
			}
		}
	}

	/** Tells a neighbour that may propose it everything of one's own that a block may take. */
	tellAll(peer: ProvenPeer): void {
		if (!this.#isProposer()(peer.device)) return;
		// What it does not hear now it was not told, whoever else was.
		this.#context.outbox.untellLater();
		this.#send(
			peer,
			this.#tellable().map((pending) => pending.transaction),
		);
	}

	/** Whom one's own transactions concern. Who is not in the street yet does not know, and asks everybody. */
	#isOfStreet(): (device: string) => boolean {
		const { device: own, entitlement } = this.#context;
		return own === undefined ? () => true : (device) => entitlement.hasAll(device);
	}

	/** Readings are kept back while this device does not meter: nobody could check them. */
	#tellable(): Pending[] {
		const { isMetering, outbox } = this.#context;
		return outbox.offered().filter(({ transaction }) => isMetering || transaction.kind !== "reading");
	}

	/** Tells the voters what was not told yet, and everybody what was not confirmed for long. */
	regossip(nowMs: number): void {
		this.#watchQueue(nowMs);
		const tellable = this.#tellable();
		const fresh = tellable.filter(({ sentMs }) => sentMs < 0);
		const isTold = fresh.length === 0 || this.#tell(fresh, nowMs, this.#isProposer());
		// No voter is in reach: whoever is hands it on.
		if (!isTold && this.#raft.state?.role !== "leader") this.#tell(fresh, nowMs, this.#isOfStreet());
		const overdue = tellable.filter((pending) => pending.sentMs >= 0 && this.#isOverdue(pending, nowMs));
		if (overdue.length === 0) return;
		this.#tell(overdue, nowMs, this.#isOfStreet());
		// Back at once where somebody is known to lead (`#watchQueue`).
		this.#regossipMs = Math.min(2 * this.#regossipMs, LONGEST_REGOSSIP_MS);
	}

	/** True: somebody was told. */
	#tell(pending: readonly Pending[], nowMs: number, isFor: (device: string) => boolean): boolean {
		const { outbox, peers } = this.#context;
		let told = 0;
		for (const transactions of messagesOf(pending.map(({ transaction }) => transaction))) {
			told = peers.broadcast({ type: "transactions", transactions }, isFor);
		}
		if (told > 0) for (const { id } of pending) outbox.sent(id, nowMs);
		return told > 0;
	}

	/** Whether a device may propose a block: a voter in use. Who knows none asks whoever is of the street. */
	#isProposer(): (device: string) => boolean {
		const raft = this.#raft.state;
		const isOfStreet = this.#isOfStreet();
		if (raft === undefined) return isOfStreet;
		const voters = new Set(votersOf(raft).map((voter) => this.#context.deviceNameOf(voter)));
		return (device) => voters.has(device) && isOfStreet(device);
	}

	/** Where nobody leads nothing can be confirmed, and in a backlog the oldest readings come first: neither means a loss. */
	#isOverdue({ transaction, sentMs }: Pending, nowMs: number): boolean {
		const waitsSinceMs = transaction.kind === "reading" ? Math.max(this.#ledMs, this.#movedMs) : this.#ledMs;
		return nowMs - Math.max(sentMs, waitsSinceMs) > this.#regossipMs;
	}

	/** Whether all that this device reaches observe: they may have a leader, of whom it does not hear. */
	#reachesNoVoter(): boolean {
		const present = [...this.#context.peers.authenticated()];
		const isProposer = this.#isProposer();
		return present.length > 0 && !present.some(({ device }) => isProposer(device));
	}

	#watchQueue(nowMs: number): void {
		const isLed = this.#raft.state === undefined || this.#presence.leader !== undefined;
		const isAside = !isLed && this.#reachesNoVoter();
		if (!isLed && !isAside) this.#ledMs = nowMs;
		if (!isAside) this.#regossipMs = REGOSSIP_MS;
		const { chain, outbox } = this.#context;
		const { block, ledger } = chain.head;
		if (block.index === this.#seen.index) return;
		this.#regossipMs = REGOSSIP_MS;
		const minutes = block.transactions.flatMap((each) => (each.kind === "reading" ? [each.minute] : []));
		const isBacklog = ledger.countedTotal === this.#seen.countedTotal && minutes.length >= BACKLOG_READINGS;
		// Who has one's own readings takes them before newer ones: a leader that goes past them has not heard of them.
		const isPast = (outbox.oldestMinute ?? Number.POSITIVE_INFINITY) < Math.max(...minutes);
		if (isBacklog && !isPast) this.#movedMs = nowMs;
		this.#seen = { index: block.index, countedTotal: ledger.countedTotal };
	}

	#send(peer: Peer, transactions: readonly Transaction[]): void {
		for (const part of messagesOf(transactions)) {
			this.#context.peers.send(peer, { type: "transactions", transactions: part });
		}
	}
}

/** As many transactions as one message takes, in their order. */
function messagesOf(transactions: readonly Transaction[]): (readonly Transaction[])[] {
	const parts: (readonly Transaction[])[] = [];
	for (let at = 0; at < transactions.length; at += GOSSIP_TRANSACTIONS) {
		parts.push(transactions.slice(at, at + GOSSIP_TRANSACTIONS));
	}
	return parts;
}
