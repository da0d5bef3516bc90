/**
 * Catching up: a node whose chain ends below a neighbour's fetches runs of committed blocks (`blockRun.ts`). Here is
 * known who spoke of which head, whom to ask next, and who had nothing or said nothing.
 */
import type { BlocksMessage } from "../message/message.js";
import { ok, type Result } from "../primitives/result.js";
import { BlockRun, type CertificateCheck, type CertifiedRun, type RunError } from "./blockRun.js";
import type { Link, SignatureCheck } from "./chain.js";
import type { Pin } from "./checkpointWalk.js";
import { CAUGHT_UP_BLOCKS } from "./voterPolicy.js";

/** After so long without an answer another neighbour is asked. */
const REQUEST_TIMEOUT_MS = 8_000;
/** Who had no blocks from somewhere on is not asked for them again so soon. */
const LACKS_MS = 30_000;
/** For so long others are asked before one who did not answer, or answered wrongly, unless it does better meanwhile. */
const DISTRUST_MS = 10 * 60_000;
/** Encoded blocks of one answer. */
export const RUN_BYTES = 128 * 1024;
/** A run may take so long, and the time of an answer more for each that is full: else somebody else may give it. */
const RUN_PATIENCE_MS = 60_000;

export class Sync {
	readonly #checkSigners: SignatureCheck;
	readonly #pin: Pin | undefined;
	#request: { device: string; fromIndex: number; sentMs: number } | undefined;
	/** What one neighbour gave, up to no certificate yet. */
	#run: { blocks: BlockRun; beganMs: number } | undefined;
	/** Head that each connected device last spoke of. */
	readonly #heads = new Map<string, number>();
	/** Devices that had no block at an index, though their chains end above it: they let go of old blocks. */
	readonly #lacks = new Map<string, { fromIndex: number; untilMs: number }>();
	/** When devices last did not answer, or gave what is wrong, and have not done better since. The oldest first. */
	readonly #failures = new Map<string, number>();
	/** Since when who was asked has had none of the blocks that follow on a head, whoever came and went meanwhile. */
	#missing: { headIndex: number; sinceMs: number } | undefined;

	constructor(checkSigners: SignatureCheck, pin: Pin | undefined) {
		this.#checkSigners = checkSigners;
		this.#pin = pin;
	}

	/** A device said where its chain ends. */
	heard(device: string, headIndex: number): void {
		this.#heads.set(device, headIndex);
		// It does not have what it gave.
		if (this.#run?.blocks.device === device && headIndex < this.#run.blocks.nextIndex - 1) this.#run = undefined;
	}

	/** This device stood still: nobody could come meanwhile. */
	resumed(): void {
		this.#missing = undefined;
	}

	/** A device is gone. */
	forget(device: string): void {
		this.#heads.delete(device);
		this.#lacks.delete(device);
		if (this.#request?.device === device) this.#request = undefined;
		if (this.#run?.blocks.device === device) this.#run = undefined;
	}

	/** A device gave what is wrong: nothing of it is kept. */
	distrust(device: string, nowMs: number): void {
		this.forget(device);
		this.failed(device, nowMs);
	}

	/** A device did not answer, or not as it should: others are asked first, whatever it says of its head. */
	failed(device: string, nowMs: number): void {
		this.#failures.delete(device);
		for (const [each, atMs] of this.#failures) if (nowMs - atMs >= DISTRUST_MS) this.#failures.delete(each);
		this.#failures.set(device, nowMs);
	}

	#isTrusted(device: string, nowMs: number): boolean {
		const failedMs = this.#failures.get(device);
		return failedMs === undefined || nowMs - failedMs >= DISTRUST_MS;
	}

	/** The neighbour with the highest head, but for some. */
	furthest(nowMs: number, except: ReadonlySet<string> = new Set()): string | undefined {
		return this.#best(nowMs, ([device]) => !except.has(device));
	}

	/** Who did not fail comes first, then whose failure is longest ago; among equals who is furthest. */
	#best(nowMs: number, mayBeAsked: (head: readonly [string, number]) => boolean): string | undefined {
		const failedMs = (device: string) => (this.#isTrusted(device, nowMs) ? 0 : (this.#failures.get(device) ?? 0));
		const [best] = [...this.#heads]
			.filter(mayBeAsked)
			.sort(([a, aIndex], [b, bIndex]) => failedMs(a) - failedMs(b) || bIndex - aIndex);
		return best?.[0];
	}

	/**
	 * Nobody who is ahead of a head has the blocks that follow on it, nor had them for so long: their state has to be
	 * fetched instead.
	 */
	isMissing(head: Link, nowMs: number, forMs: number): boolean {
		const fromIndex = head.block.index + 1;
		const missing = this.#missing;
		if (missing?.headIndex !== head.block.index || nowMs - missing.sinceMs < forMs) return false;
		const ahead = [...this.#heads].flatMap(([device, index]) => (index >= fromIndex ? [device] : []));
		const trusted = ahead.filter((device) => this.#isTrusted(device, nowMs));
		const asked = trusted.length > 0 ? trusted : ahead;
		return asked.length > 0 && asked.every((device) => this.#isLacking(device, fromIndex, nowMs));
	}

	#isLacking(device: string, fromIndex: number, nowMs: number): boolean {
		const lack = this.#lacks.get(device);
		return lack !== undefined && lack.fromIndex >= fromIndex && nowMs < lack.untilMs;
	}

	/** The highest head among the neighbours, as they say. */
	get targetIndex(): number {
		return Math.max(0, ...this.#heads.values());
	}

	/**
	 * Whether a head stands where the neighbours stand: one of them at least, while each that says that it is further has no
	 * blocks to show for it, or showed wrong ones. Any height can be said.
	 */
	isCaughtUp(head: Link, nowMs: number): boolean {
		const { index } = head.block;
		const heads = [...this.#heads].map(([device, headIndex]) => ({
			isAhead: headIndex - index > CAUGHT_UP_BLOCKS,
			hasChain: headIndex > 0 && this.#isTrusted(device, nowMs) && !this.#isLacking(device, index + 1, nowMs),
		}));
		return heads.some(({ hasChain }) => hasChain) && !heads.some(({ isAhead, hasChain }) => isAhead && hasChain);
	}

	/** Whom to ask for blocks from where on, now; undefined: nothing to fetch, or an answer is under way. */
	nextRequest(head: Link, nowMs: number): { device: string; fromIndex: number } | undefined {
		if (this.#request !== undefined) {
			if (nowMs - this.#request.sentMs <= REQUEST_TIMEOUT_MS) return undefined;
			// What came late is as good, if it is asked for the same once more.
			this.failed(this.#request.device, nowMs);
			this.#request = undefined;
		}
		const firstIndex = head.block.index + 1;
		const mayBeAsked = ([device, index]: readonly [string, number]) =>
			index >= firstIndex && !this.#isLacking(device, firstIndex, nowMs);
		const run = this.#runOn(head);
		const other = this.#best(nowMs, (each) => each[0] !== run?.blocks.device && mayBeAsked(each));
		if (run !== undefined && other !== undefined && this.#isOverdue(run, other, nowMs)) {
			this.failed(run.blocks.device, nowMs);
			this.#run = undefined;
		}
		// One neighbour gives a run from its first block to its certificate, and answers for all of it.
		const device = this.#run?.blocks.device ?? this.#best(nowMs, mayBeAsked);
		if (device === undefined) return undefined;
		const fromIndex = this.#run?.blocks.nextIndex ?? firstIndex;
		this.#request = { device, fromIndex, sentMs: nowMs };
		return { device, fromIndex };
	}

	/** Whether another had better give a run, from its beginning. */
	#isOverdue({ blocks, beganMs }: { blocks: BlockRun; beganMs: number }, other: string, nowMs: number): boolean {
		if (!this.#isTrusted(other, nowMs)) return false;
		const patienceMs = RUN_PATIENCE_MS + (REQUEST_TIMEOUT_MS * blocks.byteLength) / RUN_BYTES;
		return !this.#isTrusted(blocks.device, nowMs) || nowMs - beganMs > patienceMs;
	}

	/** The run that was begun, while the committed head did not move by itself. */
	#runOn(head: Link): { blocks: BlockRun; beganMs: number } | undefined {
		if (this.#run?.blocks.isOn(head) === false) this.#run = undefined;
		return this.#run;
	}

	/** An answer. Gives a run to store where the certificate came with it; on an error the sender is to be dropped. */
	onBlocks(
		device: string,
		message: BlocksMessage,
		head: Link,
		nowMs: number,
		checkCertificate: CertificateCheck,
	): Result<CertifiedRun | undefined, RunError | { code: string }> {
		const request = this.#request;
		// An answer that came after its time-out, when somebody else was asked, is not needed any more.
		if (request === undefined || request.device !== device || request.fromIndex !== message.fromIndex) {
			return ok(undefined);
		}
		this.#request = undefined;
		const run = this.#runOn(head) ?? { blocks: new BlockRun(device, head, this.#pin), beganMs: request.sentMs };
		if (run.blocks.nextIndex !== message.fromIndex) return ok(undefined);
		if (message.blocks.length === 0) {
			this.#run = undefined;
			this.#lacks.set(device, { fromIndex: message.fromIndex, untilMs: nowMs + LACKS_MS });
			if (this.#missing?.headIndex !== head.block.index) {
				this.#missing = { headIndex: head.block.index, sinceMs: nowMs };
			}
			return ok(undefined);
		}
		const held = run.blocks.hold(message.blocks);
		const { certificate } = message;
		this.#run = held.ok && certificate === undefined ? run : undefined;
		if (!held.ok) return held;
		this.#failures.delete(device);
		if (certificate === undefined) return ok(undefined);
		return run.blocks.certify(certificate, this.#checkSigners, checkCertificate);
	}
}
