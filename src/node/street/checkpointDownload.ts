/**
 * The state of a believed checkpoint on its way: every chunk is checked alone and put aside in the database, where a
 * fetch that was interrupted finds it again.
 */
import { blockHash } from "../../block/block.js";
import type { Certificate } from "../../block/certificate.js";
import { checkChunk, leafCountOf } from "../../contract/chunks.js";
import type { Ledger } from "../../contract/ledger.js";
import { ok, type Result, refused } from "../../primitives/result.js";
import type { Link } from "../chain.js";
import { encodeCheckpointBlock, openCheckpoint, openCheckpointRecords } from "../checkpoints.js";
import type { BelievedCheckpoint } from "../checkpointWalk.js";
import { encodeCertificateRecord, openRecord, sealRecord } from "../records.js";
import type { StorageError } from "../storage.js";
import type { StreetContext } from "./context.js";

/** What became of an answer: kept, or the database would not take it, and the node takes part in nothing any more. */
type ChunkOutcome = "kept" | "not-written";

export class CheckpointDownload {
	/** The checkpoint's block. */
	readonly index: number;
	readonly certificate: Certificate;
	readonly #context: StreetContext;
	readonly #manifest: Uint8Array;
	/** Chunks that are here, in order, and how many leaves they hold. */
	#chunks = 0;
	#leaves = 0;

	private constructor(context: StreetContext, { anchor, manifest }: BelievedCheckpoint) {
		this.#context = context;
		this.index = anchor.block.index;
		this.certificate = anchor.certificate;
		this.#manifest = manifest;
	}

	/** Puts aside what the chunks will be checked against. Undefined: it could not be written. */
	static async begin(context: StreetContext, checkpoint: BelievedCheckpoint): Promise<CheckpointDownload | undefined> {
		const { anchor, manifest } = checkpoint;
		const records = {
			block: encodeCheckpointBlock(anchor.block),
			certificate: encodeCertificateRecord(anchor.certificate),
			manifest: sealRecord(manifest),
		};
		const isWritten = await context.write({ stage: { index: anchor.block.index, checkpoint: records } });
		return isWritten ? new CheckpointDownload(context, checkpoint) : undefined;
	}

	/** What an earlier run had put aside, which was checked before it was written. Undefined: nothing that is of use. */
	static async resume(context: StreetContext): Promise<CheckpointDownload | undefined> {
		const { chain, storage } = context;
		const staged = await storage.staged();
		if (!staged.ok || staged.value === undefined) return undefined;
		const { block, certificate, manifest } = openCheckpointRecords(staged.value);
		const isAbove = staged.value.index > chain.head.block.index;
		if (block === undefined || certificate === undefined || manifest === undefined || !isAbove) {
			await context.write({ unstage: true });
			return undefined;
		}
		const anchor = { block, hash: blockHash(block), above: [], certificate };
		const download = new CheckpointDownload(context, { anchor, manifest });
		await download.#countStored();
		return download;
	}

	async #countStored(): Promise<void> {
		for (;;) {
			const stored = await this.#context.storage.stagedChunk(this.#chunks);
			const content = stored.ok && stored.value !== undefined ? openRecord(stored.value) : undefined;
			const chunk = content?.ok === true ? checkChunk(content.value, this.#manifest) : undefined;
			if (chunk?.ok !== true || chunk.value.firstLeaf !== this.#leaves) return;
			this.#chunks += 1;
			this.#leaves += chunk.value.leaves.length;
		}
	}

	/** The number of the chunk that comes next. */
	get nextChunk(): number {
		return this.#chunks;
	}

	get isWhole(): boolean {
		return this.#leaves >= leafCountOf(this.#manifest);
	}

	/** Keeps the next chunk. Refused: its sender is wrong. */
	async take(bytes: Uint8Array): Promise<Result<ChunkOutcome, { code: string }>> {
		const chunk = checkChunk(bytes, this.#manifest);
		if (!chunk.ok) return chunk;
		if (chunk.value.firstLeaf !== this.#leaves) return refused({ code: "bad-chunk" });
		const chunks = [{ number: this.#chunks, record: sealRecord(bytes) }];
		if (!(await this.#context.write({ stage: { index: this.index, chunks } }))) return ok("not-written");
		this.#chunks += 1;
		this.#leaves += chunk.value.leaves.length;
		return ok("kept");
	}

	/** The link that the block and all chunks make, of the chain with that genesis. */
	async open(genesis: Ledger): Promise<Result<Link, StorageError | { code: string }>> {
		const { storage } = this.#context;
		const staged = await storage.staged();
		if (!staged.ok) return staged;
		if (staged.value === undefined) return refused({ code: "record-damaged" });
		const chunks: Uint8Array[] = [];
		for (let number = 0; number < this.#chunks; number++) {
			const stored = await storage.stagedChunk(number);
			if (stored.ok && stored.value !== undefined) chunks.push(stored.value);
		}
		return openCheckpoint(staged.value, chunks, genesis);
	}
}
