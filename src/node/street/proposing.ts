/** The leader's blocks: when the plan (`proposer.ts`) says that one is due, it is executed, built and proposed. */
import { BLOCK_VERSION, type Block, encodeBlock, transactionsRoot } from "../../block/block.js";
import type { Transaction } from "../../block/transaction.js";
import { encodeTransaction } from "../../block/transactionCodec.js";
import { mayChangeVoters, mayPropose } from "../../consensus/replication.js";
import type { RaftState } from "../../consensus/state.js";
import { executeCandidates, judge } from "../../contract/execute.js";
import { type Link, linkOf } from "../chain.js";
import { type ProposalPlan, type ProposalSize, planProposal } from "../proposer.js";
import type { StreetContext } from "./context.js";
import type { RaftDriver } from "./raftDriver.js";

export class Proposing {
	readonly #context: StreetContext;
	readonly #raft: RaftDriver;
	readonly #size: ProposalSize;

	constructor(context: StreetContext, raft: RaftDriver, size: ProposalSize) {
		this.#context = context;
		this.#raft = raft;
		this.#size = size;
	}

	/** Leader: proposes the next block, if one is due. */
	async maybePropose(): Promise<void> {
		const raft = this.#raft.state;
		if (raft === undefined || this.#context.halted || !mayPropose(raft)) return;
		if (await this.#handedOver(raft)) return;
		const { chain, mempool } = this.#context;
		const parent = chain.last;
		const plan = this.#plan(parent, raft.term);
		if (plan === undefined) return;
		const link = this.#build(parent, raft, plan);
		if (isNeedless(plan, parent, link)) {
			// By the clock, as everywhere: a quick block's own time may lie a minute back, where an act came too early.
			mempool.prune(chain.head.ledger, this.#context.judgingMs());
			return;
		}
		chain.push(link);
		await this.#raft.feed({
			type: "propose",
			entry: { hash: link.hash, block: link.block, encoded: encodeBlock(link.block) },
		});
	}

	/** A voter change that takes this leader off the list is another's to propose: whoever leads also votes. */
	async #handedOver(raft: RaftState): Promise<boolean> {
		const { chain, mempool } = this.#context;
		const change = mempool.voterChange();
		if (change === undefined || !change.removed.includes(raft.self) || !mayChangeVoters(raft)) return false;
		if (judge(chain.head.ledger, this.#context.judgingMs(), change) !== undefined) return false;
		await this.#raft.feed({ type: "transferLeadership" });
		return raft.transferUntilMs !== undefined;
	}

	#plan(parent: Link, term: number): ProposalPlan | undefined {
		const { dependencies, mempool } = this.#context;
		return planProposal({
			parameters: parent.ledger.parameters,
			chainMs: dependencies.clocks.chainMs(),
			readingDelayMs: dependencies.settings.readingDelayMs,
			last: parent.block,
			term,
			waiting: (lastMinute) => mempool.counts(lastMinute, parent.block.index + 1),
		});
	}

	/** Executes the block with the same function as the followers will. */
	#build(parent: Link, raft: RaftState, { timestampMs, empty }: ProposalPlan): Link {
		const index = parent.block.index + 1;
		let bytes = 0;
		const fits = (transaction: Transaction) => {
			bytes += encodeTransaction(transaction).length;
			return bytes <= this.#size.maxBytes;
		};
		const frame = { index, previousHash: parent.hash, timestampMs };
		const open = empty ? [] : this.#context.mempool.candidates(index);
		const candidates = open.filter(
			(transaction) =>
				transaction.kind !== "voters" || (mayChangeVoters(raft) && !transaction.removed.includes(raft.self)),
		);
		const executed = executeCandidates(parent.ledger, frame, candidates, fits);
		const { transactions, stateRoot } = executed;
		const block: Block = {
			version: BLOCK_VERSION,
			...frame,
			term: raft.term,
			proposer: raft.self,
			transactionsRoot: transactionsRoot(transactions, timestampMs),
			stateRoot,
			transactions,
		};
		return linkOf(block, executed);
	}
}

/** A quick block exists for its transactions: without one that the rules allow there is none. */
function isNeedless(plan: ProposalPlan, parent: Link, { block }: Link): boolean {
	if (plan.empty || block.transactions.length > 0) return false;
	const { blockIntervalMs } = parent.ledger.parameters;
	return Math.floor(plan.timestampMs / blockIntervalMs) === Math.floor(parent.block.timestampMs / blockIntervalMs);
}
