/**
 * Catching up: a node whose chain ends below a neighbour's fetches runs of committed blocks (`blockRun.ts`), one request
 * after the other, from who is best asked (`blockSources.ts`).
 */
import type { BlocksMessage } from "../message/message.js";
import { ok, type Result } from "../primitives/result.js";
import { BlockRun, type CertificateCheck, type CertifiedRun, type RunError } from "./blockRun.js";
import { BlockSources } from "./blockSources.js";
import type { Link, SignatureCheck } from "./chain.js";
import type { Pin } from "./checkpointWalk.js";

/** After so long without an answer another neighbour is asked, if there is one; whichever answers first gives the run. */
const REQUEST_TIMEOUT_MS = 8_000;
/** Channels lose nothing, so who is slow is not asked again before this. */
const ASK_AGAIN_MS = 60_000;
/** Encoded blocks of one answer. */
export const RUN_BYTES = 128 * 1024;
/** A run may take so long, and more for each full answer of it: else somebody else gives it. */
const RUN_PATIENCE_MS = 60_000;
const ANSWER_PATIENCE_MS = 16_000;

interface Request {
	readonly fromIndex: number;
	/** Who was asked, and when; the last one last. */
	readonly sentMs: Map<string, number>;
}

export class Sync {
	readonly sources: BlockSources;
	readonly #checkSigners: SignatureCheck;
	readonly #pin: Pin | undefined;
	#request: Request | undefined;
	/** What one neighbour gave, up to no certificate yet. */
	#run: { blocks: BlockRun; beganMs: number } | undefined;
	/** Since when who was asked has had none of the blocks that follow on a head, whoever came and went meanwhile. */
	#missing: { headIndex: number; sinceMs: number } | undefined;

	constructor(checkSigners: SignatureCheck, pin: Pin | undefined, isMember: (device: string) => boolean) {
		this.#checkSigners = checkSigners;
		this.#pin = pin;
		this.sources = new BlockSources(isMember);
	}

	/** A device said where its chain ends. */
	heard(device: string, headIndex: number, nowMs: number): void {
		this.sources.heard(device, headIndex);
		// It does not have what it gave.
		if (this.#run?.blocks.device === device && headIndex < this.#run.blocks.nextIndex - 1) this.#fail(device, nowMs);
	}

	/** This device stood still: nobody could come, or answer, meanwhile. */
	resumed(): void {
		this.#missing = undefined;
		this.#request = undefined;
		this.#run = undefined;
	}

	/** A device is gone; whatever it had begun is asked of another. */
	forget(device: string, nowMs: number): void {
		const isAsked = this.#request?.sentMs.has(device) === true || this.#run?.blocks.device === device;
		if (isAsked) this.#fail(device, nowMs);
		this.sources.forget(device);
	}

	/** Whether a device was asked for blocks, and has not given them. */
	isAsked(device: string): boolean {
		return this.#request?.sentMs.has(device) === true;
	}

	/** A device gives nothing for now; it did nothing wrong. It is asked again when it speaks again. */
	turnedAway(device: string): void {
		if (this.#run?.blocks.device === device) this.#run = undefined;
		this.#request?.sentMs.delete(device);
		this.sources.forget(device);
	}

	/** A device gave what is wrong: it is not heard before it speaks again. */
	distrust(device: string, nowMs: number): void {
		this.#fail(device, nowMs);
		this.sources.forget(device);
	}

	#fail(device: string, nowMs: number): void {
		this.sources.failed(device, nowMs);
		if (this.#run?.blocks.device === device) this.#run = undefined;
		this.#request?.sentMs.delete(device);
	}

	/**
	 * Nobody who is ahead of a head has the blocks that follow on it, nor had them for so long: their state has to be
	 * fetched instead.
	 */
	isMissing(head: Link, nowMs: number, forMs: number): boolean {
		const missing = this.#missing;
		if (missing?.headIndex !== head.block.index || nowMs - missing.sinceMs < forMs) return false;
		const isComing = this.#run !== undefined && !this.#isOverdue(this.#run, nowMs);
		return !isComing && this.sources.isMissing(head.block.index + 1, nowMs);
	}

	/** Whether a head stands where the neighbours stand. */
	isCaughtUp(head: Link, nowMs: number): boolean {
		return this.sources.isCaughtUp(head.block.index, nowMs);
	}

	/** Whom to ask for blocks from where on, now; undefined: nothing to fetch, or an answer is under way. */
	nextRequest(head: Link, nowMs: number): { device: string; fromIndex: number } | undefined {
		const firstIndex = head.block.index + 1;
		const run = this.#runOn(head);
		const sentMs = this.#askedFor(run?.blocks.nextIndex ?? firstIndex);
		const [last, lastMs] = [...sentMs].at(-1) ?? [];
		if (last !== undefined && lastMs !== undefined) {
			if (nowMs - lastMs <= REQUEST_TIMEOUT_MS) return undefined;
			this.sources.failed(last, nowMs);
		}
		if (run === undefined && last !== undefined) {
			const other = this.sources.replacementFor(last, firstIndex, nowMs, new Set(sentMs.keys()));
			if (other !== undefined) return this.#ask(other, firstIndex, nowMs);
		}
		if (run !== undefined && this.#isOverdue(run, nowMs)) {
			const giver = run.blocks.device;
			const other = this.sources.replacementFor(giver, firstIndex, nowMs, new Set([giver]));
			if (other !== undefined) {
				this.#fail(giver, nowMs);
				return this.#ask(other, firstIndex, nowMs);
			}
		}
		// One neighbour gives a run from its first block to its certificate, and answers for all of it.
		const device = run?.blocks.device ?? this.sources.bestFor(firstIndex, nowMs);
		if (device === undefined) return undefined;
		const askedMs = sentMs.get(device);
		if (askedMs !== undefined && nowMs - askedMs <= ASK_AGAIN_MS) return undefined;
		return this.#ask(device, run?.blocks.nextIndex ?? firstIndex, nowMs);
	}

	#ask(device: string, fromIndex: number, nowMs: number): { device: string; fromIndex: number } {
		const sentMs = this.#askedFor(fromIndex);
		sentMs.delete(device);
		sentMs.set(device, nowMs);
		return { device, fromIndex };
	}

	/** Who was asked for the blocks from this index on; what was asked for others, before the head moved, is forgotten. */
	#askedFor(fromIndex: number): Map<string, number> {
		if (this.#request?.fromIndex !== fromIndex) this.#request = { fromIndex, sentMs: new Map() };
		return this.#request.sentMs;
	}

	/** The run that was begun, while the committed head did not move by itself. */
	#runOn(head: Link): { blocks: BlockRun; beganMs: number } | undefined {
		if (this.#run?.blocks.isOn(head) === false) this.#run = undefined;
		return this.#run;
	}

	#isOverdue({ blocks, beganMs }: { blocks: BlockRun; beganMs: number }, nowMs: number): boolean {
		return nowMs - beganMs > RUN_PATIENCE_MS + (ANSWER_PATIENCE_MS * blocks.byteLength) / RUN_BYTES;
	}

	/** An answer. Gives a run to store where the certificate came with it; on an error the sender is to be dropped. */
	onBlocks(
		device: string,
		message: BlocksMessage,
		head: Link,
		nowMs: number,
		checkCertificate: CertificateCheck,
	): Result<CertifiedRun | undefined, RunError | { code: string }> {
		const { fromIndex, blocks, certificate } = message;
		const run = this.#runOn(head);
		const nextIndex = run?.blocks.nextIndex ?? head.block.index + 1;
		const sentMs = this.#askedFor(nextIndex);
		// What comes late, when the run is another's or the head has moved, is not needed any more.
		const isGiver = run === undefined || run.blocks.device === device;
		const isNeeded = isGiver && sentMs.has(device) && fromIndex === nextIndex;
		if (!isNeeded) return ok(undefined);
		if (blocks.length === 0) {
			this.#run = undefined;
			sentMs.delete(device);
			this.sources.answered(device);
			this.sources.lacks(device, fromIndex, nowMs);
			if (this.#missing?.headIndex !== head.block.index) {
				this.#missing = { headIndex: head.block.index, sinceMs: nowMs };
			}
			return ok(undefined);
		}
		this.#request = undefined;
		const held = run ?? { blocks: new BlockRun(device, head, this.#pin), beganMs: nowMs };
		const holds = held.blocks.hold(blocks);
		this.#run = holds.ok && certificate === undefined ? held : undefined;
		if (!holds.ok) return holds;
		if (certificate === undefined) return ok(undefined);
		const certified = held.blocks.certify(certificate, this.#checkSigners, checkCertificate);
		if (certified.ok) this.sources.answered(device);
		return certified;
	}
}
