/** Transactions between neighbours: one's own are told until they are confirmed, others' are admitted to the mempool. */
import { isAct, type Transaction } from "../../block/transaction.js";
import { judge } from "../../contract/execute.js";
import { checkSignatures } from "../../contract/signers.js";
import { isRefusal } from "../mempool.js";
import type { Pending } from "../outbox.js";
import type { Peer } from "../peers.js";
import type { ProvenPeer, StreetContext } from "./context.js";
import type { RaftDriver } from "./raftDriver.js";

/** Own transactions that nobody confirmed are told again. */
const REGOSSIP_MS = 10_000;
const GOSSIP_TRANSACTIONS = 200;

export class Gossip {
	readonly #context: StreetContext;
	readonly #raft: RaftDriver;

	constructor(context: StreetContext, raft: RaftDriver) {
		this.#context = context;
		this.#raft = raft;
	}

	/**
	 * Admits what is signed and not refused by the ledger. A guest may hand in its `join`, and what a member's household
	 * signed: its `device`, and acts that waited where the household's old device was. Readings are devices' in use.
	 */
	onTransactions(peer: ProvenPeer, transactions: readonly Transaction[]): void {
		const { chain, dependencies, events, mempool } = this.#context;
		const isGuest = this.#context.deviceIndexOf(peer.device) === undefined;
		const { ledger } = chain.head;
		for (const transaction of transactions) {
			const isHouseholds = transaction.kind === "join" || transaction.kind === "confirm" || isAct(transaction);
			if (isGuest && !isHouseholds) {
				events.onRefused("transaction-of-stranger");
				continue;
			}
			const id = this.#context.idOf(transaction);
			if (mempool.has(id, transaction)) {
				this.#forward(peer, transaction);
				continue;
			}
			const cause =
				checkSignatures(ledger, transaction, dependencies.verifier) ??
				judge(ledger, this.#context.judgingMs(), transaction);
			if (isRefusal(cause)) {
				events.onRefused(cause.code);
				continue;
			}
			if (mempool.add(id, transaction) === "full") events.onRefused("mempool-full");
			else if (isGuest) this.#forward(peer, transaction);
		}
	}

	/** Heard twice, the author is not getting through to the leader by itself; a guest may know only us. */
	#forward(from: ProvenPeer, transaction: Transaction): void {
		const raft = this.#raft.state;
		if (raft?.leader === undefined || raft.leader === raft.self) return;
		const { peers } = this.#context;
		const leader = peers.toDevice(this.#context.deviceNameOf(raft.leader));
		if (leader !== undefined && leader.channel !== from.channel) {
			peers.send(leader, { type: "transactions", transactions: [transaction] });
		}
	}

	/** Tells a neighbour everything of one's own that waits. */
	tellAll(peer: Peer): void {
		this.#send(
			peer,
			this.#tellable().map((pending) => pending.transaction),
		);
	}

	/** Readings are kept back while this device does not meter: nobody could check them. */
	#tellable(): Pending[] {
		const { isMetering, outbox } = this.#context;
		return [...outbox.all()].filter(({ transaction }) => isMetering || transaction.kind !== "reading");
	}

	/** Tells everybody what was not told yet, or not confirmed for long. */
	regossip(nowMs: number): void {
		const { outbox, peers } = this.#context;
		const due = this.#tellable().filter(({ sentMs }) => sentMs < 0 || nowMs - sentMs > REGOSSIP_MS);
		if (due.length === 0) return;
		let reached = false;
		for (const peer of peers.authenticated()) {
			this.#send(
				peer,
				due.map(({ transaction }) => transaction),
			);
			reached = true;
		}
		if (reached) for (const { id } of due) outbox.sent(id, nowMs);
	}

	#send(peer: Peer, transactions: readonly Transaction[]): void {
		for (let at = 0; at < transactions.length; at += GOSSIP_TRANSACTIONS) {
			this.#context.peers.send(peer, {
				type: "transactions",
				transactions: transactions.slice(at, at + GOSSIP_TRANSACTIONS),
			});
		}
	}
}
