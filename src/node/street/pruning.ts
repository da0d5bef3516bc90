/**
 * Letting go of old blocks. A full block is kept for `retentionDays`, then until it lies below the older of the two
 * checkpoints, until the signatures in the blocks below are verified, and until what this household has in it is proven
 * (`proofKeeper`). The rest is deleted a few blocks at a time, so that no write is long.
 */
import { decodeBlock } from "../../block/block.js";
import { ZERO_HASH } from "../../primitives/hash.js";
import { MINUTES_PER_DAY, minuteOf } from "../../primitives/units.js";
import type { ProofKeeper } from "../proofKeeper.js";
import { openRecord } from "../records.js";
import type { ChainChange, StoredBlock } from "../storage.js";
import type { StreetContext } from "./context.js";
import type { TailVerification } from "./tailVerification.js";

/** Blocks of one write. */
const BATCH_BLOCKS = 128;
/** A write is due so often while there is something to delete. */
const BATCH_EVERY_MS = 1_000;

export class Pruning {
	readonly #context: StreetContext;
	readonly #proofs: ProofKeeper;
	readonly #verification: TailVerification;
	#blocksFrom: number;
	/** Below it blocks may be deleted if they are old enough; undefined: to be looked up when it is due. */
	#limitIndex: number | undefined;
	#isDue = true;
	#notBeforeMs = 0;

	constructor(context: StreetContext, proofs: ProofKeeper, verification: TailVerification, blocksFrom: number) {
		this.#context = context;
		this.#proofs = proofs;
		this.#verification = verification;
		this.#blocksFrom = blocksFrom;
	}

	/** From here on the blockchain on this device has no holes. */
	get blocksFrom(): number {
		return this.#blocksFrom;
	}

	/** More may be deleted than before: there is a new checkpoint, or the household keeps less. */
	wake(): void {
		this.#isDue = true;
		this.#limitIndex = undefined;
	}

	/** The blockchain begins anew above a checkpoint. */
	jumped(index: number): void {
		this.#blocksFrom = index + 1;
		this.wake();
	}

	/** Deletes some of what is due. */
	async tick(nowMs: number): Promise<void> {
		if (!this.#isDue || nowMs < this.#notBeforeMs) return;
		this.#notBeforeMs = nowMs + BATCH_EVERY_MS;
		const keptFromMs = this.#keptFromMs();
		if (keptFromMs === undefined) {
			this.#isDue = false;
			return;
		}
		const forgetDays = this.#limitIndex === undefined ? this.#daysToForget(keptFromMs) : undefined;
		this.#limitIndex ??= await this.#olderCheckpoint();
		const prune = await this.#nextBatch(keptFromMs, this.#limitIndex);
		this.#isDue = prune !== undefined;
		const change: ChainChange = {
			...(forgetDays === undefined ? {} : { forgetDays }),
			...(prune === undefined ? {} : { prune }),
		};
		if (forgetDays === undefined && prune === undefined) return;
		const written = await this.#context.write(change);
		if (written && prune !== undefined) this.#blocksFrom = prune.belowIndex;
	}

	/**
	 * What was stamped before is old; undefined: nothing ever is. A day is as long as the neighbourhood's checkpoints say,
	 * and it is the chain that ages: while it stands still nothing does, and no device's clock can make it.
	 */
	#keptFromMs(): number | undefined {
		const { chain, retentionDays: days } = this.#context;
		if (days === 0) return undefined;
		const { parameters, timestampMs } = chain.head.ledger;
		return timestampMs - days * parameters.checkpointBlocks * parameters.blockIntervalMs;
	}

	/** A household sees graphs of its own only, and those are kept for ever; the operator sees all. */
	#daysToForget(keptFromMs: number): ChainChange["forgetDays"] {
		const { isOperator, member } = this.#context;
		if (member === undefined || keptFromMs <= 0 || isOperator) return undefined;
		return { belowDay: Math.floor(minuteOf(keptFromMs) / MINUTES_PER_DAY), exceptMember: member };
	}

	/** 0: there are not two of them. */
	async #olderCheckpoint(): Promise<number> {
		const { storage } = this.#context;
		const newest = await storage.newestCheckpoint();
		if (!newest.ok || newest.value === undefined) return 0;
		const older = await storage.newestCheckpoint(newest.value.index);
		return older.ok ? (older.value?.index ?? 0) : 0;
	}

	/** The next blocks to delete; undefined: there are none. */
	async #nextBatch(keptFromMs: number, limitIndex: number): Promise<ChainChange["prune"]> {
		const { proven } = this.#proofs;
		if (proven === undefined) return undefined;
		const { storage } = this.#context;
		const fromIndex = Math.max(1, this.#blocksFrom, proven.fromIndex);
		const untilIndex = Math.min(limitIndex, this.#verification.fromIndex, proven.untilIndex, fromIndex + BATCH_BLOCKS);
		if (untilIndex <= fromIndex) return undefined;
		const stored = await storage.readBlocks(fromIndex, untilIndex - fromIndex);
		const old = stored.ok ? stored.value.findLast((block) => isOlder(block, keptFromMs)) : undefined;
		const steps = await storage.voterSteps(fromIndex);
		if (old === undefined || !steps.ok) return undefined;
		const belowIndex = old.index + 1;
		const keepBlocks = steps.value.map(({ index }) => index).filter((index) => index < belowIndex);
		return { fromIndex, belowIndex, keepBlocks };
	}
}

/** A damaged block says nothing of its time: one above it does. */
function isOlder({ record }: StoredBlock, keptFromMs: number): boolean {
	const content = openRecord(record);
	const block = content.ok ? decodeBlock(content.value, ZERO_HASH) : content;
	return block.ok && block.value.timestampMs < keptFromMs;
}
