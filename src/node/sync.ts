/**
 * Catching up: a node whose chain ends below a neighbour's fetches runs of committed blocks (`blockRun.ts`). Here is
 * known who spoke of which head, whom to ask next, and who had nothing or said nothing.
 */
import type { BlocksMessage } from "../message/message.js";
import { ok, type Result } from "../primitives/result.js";
import { BlockRun, type CertificateCheck, type CertifiedRun, type RunError } from "./blockRun.js";
import type { Link, SignatureCheck } from "./chain.js";
import type { Pin } from "./checkpointWalk.js";

/** After so long without an answer another neighbour is asked. */
const REQUEST_TIMEOUT_MS = 8_000;
/** Who had no blocks from somewhere on is not asked for them again so soon. */
const LACKS_MS = 30_000;
/** For so long others are asked before one who did not answer, or answered wrongly. */
const DISTRUST_MS = 60_000;
/** Encoded blocks of one answer. */
export const RUN_BYTES = 128 * 1024;
/** A block or two behind is the normal way of a block. */
const CAUGHT_UP_BLOCKS = 2;

export class Sync {
	readonly #checkSigners: SignatureCheck;
	readonly #pin: Pin | undefined;
	#request: { device: string; fromIndex: number; sentMs: number } | undefined;
	/** What one neighbour gave, up to no certificate yet. */
	#run: BlockRun | undefined;
	/** Highest head that each connected device spoke of. */
	readonly #heads = new Map<string, number>();
	/** Devices that had no block at an index, though their chains end above it: they let go of old blocks. */
	readonly #lacks = new Map<string, { fromIndex: number; untilMs: number }>();
	/** Devices that said where their chain ends, and did not answer or gave what is wrong, until when. */
	readonly #distrusted = new Map<string, number>();
	/** Since when who was asked has had none of the blocks that follow on a head, whoever came and went meanwhile. */
	#missing: { headIndex: number; sinceMs: number } | undefined;

	constructor(checkSigners: SignatureCheck, pin: Pin | undefined) {
		this.#checkSigners = checkSigners;
		this.#pin = pin;
	}

	/** A device said where its chain ends. */
	heard(device: string, headIndex: number): void {
		this.#heads.set(device, headIndex);
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
		if (this.#run?.device === device) this.#run = undefined;
	}

	/** A device did not answer, or gave what is wrong: others are asked first, whatever it says of its head. */
	distrust(device: string, nowMs: number): void {
		this.forget(device);
		for (const [each, untilMs] of this.#distrusted) if (nowMs >= untilMs) this.#distrusted.delete(each);
		this.#distrusted.set(device, nowMs + DISTRUST_MS);
	}

	/** The neighbour with the highest head, but for some. */
	furthest(nowMs: number, except: ReadonlySet<string> = new Set()): string | undefined {
		return this.#best(nowMs, ([device]) => !except.has(device));
	}

	/** Who is trusted first, then who is furthest. */
	#best(nowMs: number, mayBeAsked: (head: readonly [string, number]) => boolean): string | undefined {
		let best: { device: string; index: number; isTrusted: boolean } | undefined;
		for (const head of this.#heads) {
			const [device, index] = head;
			const isTrusted = this.#isTrusted(device, nowMs);
			const isBetter =
				best === undefined || (isTrusted === best.isTrusted ? index > best.index : isTrusted && !best.isTrusted);
			if (isBetter && mayBeAsked(head)) best = { device, index, isTrusted };
		}
		return best?.device;
	}

	/**
	 * Nobody who is ahead of a head has the blocks that follow on it, nor had them for so long: their state has to be
	 * fetched instead.
	 */
	isMissing(head: Link, nowMs: number, forMs: number): boolean {
		const fromIndex = head.block.index + 1;
		const missing = this.#missing;
		if (missing?.headIndex !== head.block.index || nowMs - missing.sinceMs < forMs) return false;
		const ahead = [...this.#heads].filter(([, index]) => index >= fromIndex);
		return ahead.length > 0 && ahead.every(([device]) => this.#isLacking(device, fromIndex, nowMs));
	}

	#isLacking(device: string, fromIndex: number, nowMs: number): boolean {
		const lack = this.#lacks.get(device);
		return lack !== undefined && lack.fromIndex >= fromIndex && nowMs < lack.untilMs;
	}

	#isTrusted(device: string, nowMs: number): boolean {
		return nowMs >= (this.#distrusted.get(device) ?? 0);
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
		if (this.#request !== undefined && nowMs - this.#request.sentMs > REQUEST_TIMEOUT_MS) {
			this.distrust(this.#request.device, nowMs);
		}
		if (this.#request !== undefined) return undefined;
		const run = this.#runOn(head);
		const fromIndex = run?.nextIndex ?? head.block.index + 1;
		// One neighbour gives a run from its first block to its certificate, and answers for all of it.
		const device =
			run?.device ??
			this.#best(nowMs, ([each, index]) => index >= fromIndex && !this.#isLacking(each, fromIndex, nowMs));
		if (device === undefined) return undefined;
		this.#request = { device, fromIndex, sentMs: nowMs };
		return { device, fromIndex };
	}

	/** The run that was begun, while the committed head did not move by itself. */
	#runOn(head: Link): BlockRun | undefined {
		if (this.#run?.isOn(head) === false) this.#run = undefined;
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
		const run = this.#runOn(head) ?? new BlockRun(device, head, this.#pin);
		if (run.nextIndex !== message.fromIndex) return ok(undefined);
		if (message.blocks.length === 0) {
			this.#run = undefined;
			this.#lacks.set(device, { fromIndex: message.fromIndex, untilMs: nowMs + LACKS_MS });
			if (this.#missing?.headIndex !== head.block.index) {
				this.#missing = { headIndex: head.block.index, sinceMs: nowMs };
			}
			return ok(undefined);
		}
		const held = run.hold(message.blocks);
		const { certificate } = message;
		this.#run = held.ok && certificate === undefined ? run : undefined;
		if (!held.ok) return held;
		return certificate === undefined ? ok(undefined) : run.certify(certificate, this.#checkSigners, checkCertificate);
	}
}
