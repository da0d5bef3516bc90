/**
 * Verifying in the background what was fetched: a run of blocks is executed and kept when a majority of the voters
 * vouches for its end, and the signatures of its transactions are verified afterwards, a few in every tick.
 *
 * A node that has not verified everything below its head still votes and acknowledges. What it signs is that it has
 * validated one new block, whose own signatures it verifies before; that the chain below is committed is what the
 * certificate says, not this node, and refusing to vote would not change it. Were a signature below bad, a majority
 * would have certified it: the chain goes on as they agreed, and the proof of it is shown here.
 */
import { assert } from "../../primitives/assert.js";
import type { SignatureCheck } from "../../primitives/signature.js";
import type { Link } from "../chain.js";
import type { LoadedChain } from "../loading.js";
import { type BadSignature, encodeUnverified, MAX_BAD, type UnverifiedBlock, unverifiedBlock } from "../unverified.js";
import type { StreetContext } from "./context.js";

/** So long a tick verifies: a quarter of the time between two. */
const BUDGET_MS = 25;
/** Signatures of a tick in the beginning: how many a device verifies in its time is seen then. */
const FIRST_BATCH = 32;
/** Goes on even where these take longer than that. */
const MIN_BATCH = 8;
/** More than a fast computer does in that time. */
const MAX_BATCH = 1_024;
/** Transactions that wait, of 20 households 6,000 blocks: what is more is verified at once. */
const MAX_WAITING = 120_000;
/** So often it is written down how far it has come. */
const WRITE_EVERY_MS = 5_000;

export class TailVerification {
	readonly #context: StreetContext;
	/** Ascending. */
	#blocks: UnverifiedBlock[] = [];
	/** The next of the first block's transactions. */
	#next = 0;
	/** Transactions since there was last nothing to verify. */
	#done = 0;
	#all = 0;
	#bad: readonly BadSignature[];
	#writtenMs: number;
	/** So many signatures are verified in the next tick. */
	#batch = FIRST_BATCH;

	constructor(context: StreetContext, { unverified }: Pick<LoadedChain, "unverified">) {
		this.#context = context;
		this.#bad = unverified.bad;
		this.#writtenMs = context.dependencies.clocks.monotonicMs();
		this.#queue(unverified.blocks);
	}

	/** Transactions of fetched blocks that are verified, and all; undefined: nothing waits. */
	get progress(): { done: number; all: number } | undefined {
		return this.#blocks.length === 0 ? undefined : { done: this.#done, all: this.#all };
	}

	/** The lowest block that is not verified. */
	get fromIndex(): number {
		return this.#blocks[0]?.index ?? Number.POSITIVE_INFINITY;
	}

	/** What was found, by earlier runs too. */
	get bad(): readonly BadSignature[] {
		return this.#bad;
	}

	/** What an earlier run found stays a fault. */
	start(): void {
		for (const bad of this.#bad) this.#report(bad);
	}

	/** What there is to verify in a run that is about to be installed on the head. */
	blocksOf(links: readonly Link[]): UnverifiedBlock[] {
		const { chain, mempool } = this.#context;
		let parent = chain.head.ledger;
		return links.map((link) => {
			const ids = this.#context.idsOf(link.block.transactions);
			const block = unverifiedBlock(parent, link.block, (each, at) => {
				const id = ids[at];
				return id !== undefined && mempool.has(id, each);
			});
			parent = link.ledger;
			return block;
		});
	}

	/** The record to write together with blocks that are installed. */
	recordWith(blocks: readonly UnverifiedBlock[]): Uint8Array {
		const all = [this.#blocks[0], this.#blocks.at(-1), ...blocks].filter((block) => block !== undefined);
		const fromIndex = all[0]?.index ?? 0;
		const last = all.at(-1);
		return encodeUnverified({ fromIndex, untilIndex: last === undefined ? 0 : last.index + 1, bad: this.#bad });
	}

	/** Blocks that are installed, with `recordWith`'s record. Where too many wait, the lowest are verified at once. */
	take(blocks: readonly UnverifiedBlock[]): void {
		this.#queue(blocks);
		while (this.#all - this.#done > MAX_WAITING) this.#verify(MAX_BATCH);
	}

	/** The head jumped: what lay below is not here any more. */
	passOver(): void {
		this.#blocks = [];
		this.#next = 0;
		this.#done = 0;
		this.#all = 0;
	}

	/** Verifies some. True: all are verified now, and written down. */
	async tick(): Promise<boolean> {
		if (this.#blocks.length === 0) return false;
		const { clocks } = this.#context.dependencies;
		const beginMs = clocks.monotonicMs();
		this.#verify(this.#batch);
		const fits = Math.floor((this.#batch * BUDGET_MS) / Math.max(1, clocks.monotonicMs() - beginMs));
		this.#batch = Math.max(MIN_BATCH, Math.min(MAX_BATCH, 2 * this.#batch, fits));
		const isDone = this.#blocks.length === 0;
		if (isDone) this.passOver();
		const nowMs = clocks.monotonicMs();
		if (isDone || nowMs - this.#writtenMs >= WRITE_EVERY_MS) {
			this.#writtenMs = nowMs;
			await this.#context.write({ unverified: this.recordWith([]) });
		}
		this.#context.events.onProgress();
		return isDone;
	}

	/** A block in which nobody signed anything has nothing to wait for. */
	#queue(blocks: readonly UnverifiedBlock[]): void {
		const signed = blocks.filter(({ transactions }) => transactions.length > 0);
		this.#blocks.push(...signed);
		for (const { transactions } of signed) this.#all += transactions.length;
	}

	/** Verifies the next transactions, with so many signatures or a few more. */
	#verify(count: number): void {
		const checks: SignatureCheck[] = [];
		/** Of each signature: whose it is. */
		const owners: BadSignature[] = [];
		while (this.#blocks.length > 0 && checks.length < count) {
			const { at, index, signatures } = this.#takeNext();
			if ("code" in signatures) this.#found({ index, at });
			else {
				const owner = { index, at };
				for (const { digest, publicKey, signature } of signatures) {
					checks.push({ signature, digest: digest(), publicKey });
					owners.push(owner);
				}
			}
		}
		const bad = this.#context.dependencies.verifier.findBad(checks);
		for (const owner of new Set(bad.map((place) => owners[place]))) if (owner !== undefined) this.#found(owner);
	}

	#takeNext(): UnverifiedBlock["transactions"][number] & { index: number } {
		const block = this.#blocks[0];
		const transaction = block?.transactions[this.#next];
		assert(block !== undefined && transaction !== undefined, "every block in the queue has a transaction left");
		this.#done += 1;
		this.#next += 1;
		if (this.#next === block.transactions.length) {
			this.#blocks.shift();
			this.#next = 0;
		}
		return { index: block.index, ...transaction };
	}

	#found(bad: BadSignature): void {
		if (this.#bad.length < MAX_BAD && !this.#bad.some(({ index, at }) => index === bad.index && at === bad.at)) {
			this.#bad = [...this.#bad, bad];
		}
		this.#report(bad);
	}

	#report({ index, at }: BadSignature): void {
		this.#context.events.onFault({ code: "certified-bad-signature", index, at });
	}
}
