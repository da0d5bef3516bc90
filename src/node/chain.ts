/**
 * The executed chain: the ledger at the committed head, and an overlay for each uncommitted block above it. Truncation
 * drops overlays; nothing ever has to be undone.
 */
import { type Block, type BlockError, blockHash, MAX_BLOCK_BYTES, validateAgainst } from "../block/block.js";
import type { Transaction } from "../block/transaction.js";
import { voterChangeOf } from "../block/voters.js";
import { type Executed, executeBlock } from "../contract/execute.js";
import type { Ledger } from "../contract/ledger.js";
import type { Refusal, Wait } from "../contract/refusal.js";
import type { SettlementResults } from "../contract/settlement.js";
import { assert } from "../primitives/assert.js";
import { equalBytes } from "../primitives/bytes.js";
import { ok, type Result, refused } from "../primitives/result.js";

/** A block with what executing it made. */
export interface Link {
	readonly block: Block;
	readonly hash: Uint8Array;
	readonly ledger: Ledger;
	readonly results: SettlementResults;
	/** Of a checkpoint that was opened the results are not known, but their root. */
	readonly resultsRoot?: Uint8Array | undefined;
}

export type ChainError =
	| BlockError
	| { code: "unknown-proposer"; proposer: number }
	| { code: "block-too-long"; bytes: number }
	/** Voters change only on a block of the same term: then no other change can be under way (Ongaro 2015). */
	| { code: "voters-change-across-terms"; parentTerm: number; term: number }
	/** A leader hands over before it is removed, so that whoever leads also votes. */
	| { code: "proposer-removes-itself"; proposer: number }
	| { code: "refused-transaction"; at: number; cause: Refusal | Wait }
	| { code: "wrong-state-root"; index: number };

/** Says why the signatures of a transaction, at its place in the block, do not hold; undefined where they do. */
export type SignatureCheck = (ledger: Ledger, transaction: Transaction, at: number) => Refusal | undefined;

/** Validates and executes a block on top of another: everything but consensus. */
export function extend(
	parent: Link,
	block: Block,
	bytes: number,
	checkSignatures: SignatureCheck,
): Result<Link, ChainError> {
	const fits = validateAgainst(parent.block, parent.hash, block);
	if (!fits.ok) return fits;
	if (bytes > MAX_BLOCK_BYTES) return refused({ code: "block-too-long", bytes });
	if (parent.ledger.devices[block.proposer] === undefined) {
		return refused({ code: "unknown-proposer", proposer: block.proposer });
	}
	const change = checkVoterChange(parent, block);
	if (!change.ok) return change;
	for (const [at, transaction] of block.transactions.entries()) {
		const cause = checkSignatures(parent.ledger, transaction, at);
		if (cause !== undefined) return refused({ code: "refused-transaction", at, cause });
	}
	const executed = executeBlock(parent.ledger, block, block.transactions);
	if (!executed.ok) return executed;
	if (!equalBytes(executed.value.stateRoot, block.stateRoot)) {
		return refused({ code: "wrong-state-root", index: block.index });
	}
	return ok(linkOf(block, executed.value));
}

function checkVoterChange(parent: Link, block: Block): Result<true, ChainError> {
	const change = voterChangeOf(block);
	if (change === undefined) return ok(true);
	if (parent.block.term !== block.term) {
		return refused({ code: "voters-change-across-terms", parentTerm: parent.block.term, term: block.term });
	}
	if (change.removed.includes(block.proposer)) {
		return refused({ code: "proposer-removes-itself", proposer: block.proposer });
	}
	return ok(true);
}

/** A block that was executed already: the proposer's own. */
export function linkOf(block: Block, executed: Pick<Executed, "ledger" | "results">): Link {
	return { block, hash: blockHash(block), ledger: executed.ledger, results: executed.results };
}

/** Committed head and overlays. */
export class Chain {
	#head: Link;
	#tail: Link[] = [];

	constructor(head: Link) {
		this.#head = head;
	}

	/** The committed head. */
	get head(): Link {
		return this.#head;
	}

	/** The last link, committed or not. */
	get last(): Link {
		return this.#tail.at(-1) ?? this.#head;
	}

	/** The overlays up to an index, lowest first. */
	upTo(index: number): readonly Link[] {
		return this.#tail.slice(0, Math.max(0, index - this.#head.block.index));
	}

	/** Puts an overlay on top. */
	push(link: Link): void {
		assert(link.block.index === this.last.block.index + 1, "an overlay lies on the last link");
		this.#tail.push(link);
	}

	/** Drops the overlays from an index on. */
	truncate(fromIndex: number): void {
		assert(fromIndex > this.#head.block.index, "committed links stay");
		this.#tail = this.#tail.slice(0, fromIndex - this.#head.block.index - 1);
	}

	/** Makes the lowest overlay the committed head. */
	commitNext(): Link {
		const next = this.#tail.shift();
		assert(next !== undefined, "a committed block was executed before");
		this.#head = next;
		return next;
	}

	/** Certified blocks came another way: the head moves there; overlays stay where they still fit. */
	install(head: Link): void {
		assert(head.block.index > this.#head.block.index, "the committed head only moves up");
		const above = this.#tail.filter((link) => link.block.index > head.block.index);
		const fits = above[0] !== undefined && equalBytes(above[0].block.previousHash, head.hash);
		this.#head = head;
		this.#tail = fits ? above : [];
	}
}
