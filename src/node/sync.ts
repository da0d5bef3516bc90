/**
 * Catching up: a node whose chain ends below a neighbour's fetches runs of committed blocks, each ending in a
 * certificate. Every block is validated, in all but its transactions' signatures, and executed; a run is stored when its
 * certificate covers it. The signatures are verified afterwards (`street/tailVerification`).
 */
import { decodeBlock } from "../block/block.js";
import type { Certificate } from "../block/certificate.js";
import type { BlocksMessage } from "../message/message.js";
import { equalBytes } from "../primitives/bytes.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { type ChainError, extend, type Link, type SignatureCheck } from "./chain.js";

/** After so long without an answer another neighbour is asked. */
const REQUEST_TIMEOUT_MS = 8_000;
/** Who had no blocks from somewhere on is not asked for them again so soon. */
const LACKS_MS = 30_000;
/** Encoded blocks of one answer. */
export const RUN_BYTES = 128 * 1024;
/** Runs end at a kept certificate, so that one never needs more memory than this. */
const MAX_RUN_BLOCKS = 4_096;

export type SyncError =
	| ChainError
	| { code: "run-too-long" }
	| { code: "run-differs-from-certificate"; index: number }
	| { code: "pinned-block-differs"; index: number };

/** A run of validated blocks that its certificate covers. */
export interface CertifiedRun {
	links: readonly Link[];
	/** The blocks as stored. */
	bytes: readonly Uint8Array[];
	certificate: Certificate;
}

/** Whether those who voted stand behind a run of blocks; gives the certificate as it is to be kept. */
type CertificateCheck = (certificate: Certificate, run: readonly Link[]) => Result<Certificate, { code: string }>;

export class Sync {
	readonly #checkSigners: SignatureCheck;
	readonly #pin: { index: number; hash: Uint8Array } | undefined;
	#request: { device: string; fromIndex: number; sentMs: number } | undefined;
	/** Validated, not yet certified. */
	#run: { link: Link; bytes: Uint8Array }[] = [];
	/** Highest head that each connected device spoke of. */
	readonly #heads = new Map<string, number>();
	/** Devices that had no block at an index, though their chains end above it: they let go of old blocks. */
	readonly #lacks = new Map<string, { fromIndex: number; untilMs: number }>();
	/** Since when who was asked has had none of the blocks that follow on a head, whoever came and went meanwhile. */
	#missing: { headIndex: number; sinceMs: number } | undefined;

	constructor(checkSigners: SignatureCheck, pin: { index: number; hash: Uint8Array } | undefined) {
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

	forget(device: string): void {
		this.#heads.delete(device);
		this.#lacks.delete(device);
		if (this.#request?.device === device) this.#request = undefined;
	}

	/** The neighbour with the highest head, but for some. */
	furthest(except: ReadonlySet<string> = new Set()): string | undefined {
		let best: { device: string; index: number } | undefined;
		for (const [device, index] of this.#heads) {
			if (!except.has(device) && (best === undefined || index > best.index)) best = { device, index };
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

	/** The highest head among the neighbours. */
	get targetIndex(): number {
		return Math.max(0, ...this.#heads.values());
	}

	/** Whom to ask for blocks from where on, now; undefined: nothing to fetch, or an answer is under way. */
	nextRequest(head: Link, nowMs: number): { device: string; fromIndex: number } | undefined {
		if (this.#request !== undefined && nowMs - this.#request.sentMs > REQUEST_TIMEOUT_MS)
			this.forget(this.#request.device);
		if (this.#request !== undefined) return undefined;
		this.#dropStale(head);
		const fromIndex = (this.#run.at(-1)?.link ?? head).block.index + 1;
		let best: { device: string; index: number } | undefined;
		for (const [device, index] of this.#heads) {
			if (index < fromIndex || this.#isLacking(device, fromIndex, nowMs)) continue;
			if (best === undefined || index > best.index) best = { device, index };
		}
		if (best === undefined) return undefined;
		this.#request = { device: best.device, fromIndex, sentMs: nowMs };
		return { device: best.device, fromIndex };
	}

	/** The committed head moved by itself: what was fetched may no longer fit. */
	#dropStale(head: Link): void {
		const first = this.#run[0];
		if (first !== undefined && !equalBytes(first.link.block.previousHash, head.hash)) this.#run = [];
	}

	/** An answer. Gives a run to store where the certificate came with it; on an error the sender is to be dropped. */
	onBlocks(
		device: string,
		message: BlocksMessage,
		head: Link,
		nowMs: number,
		checkCertificate: CertificateCheck,
	): Result<CertifiedRun | undefined, SyncError | { code: string }> {
		const request = this.#request;
		// An answer that came after its time-out, when somebody else was asked, is not needed any more.
		if (request === undefined || request.device !== device || request.fromIndex !== message.fromIndex) {
			return ok(undefined);
		}
		this.#request = undefined;
		this.#dropStale(head);
		const before = this.#run.at(-1)?.link ?? head;
		if (before.block.index + 1 !== message.fromIndex) return ok(undefined);
		if (message.blocks.length === 0) {
			this.#lacks.set(device, { fromIndex: message.fromIndex, untilMs: nowMs + LACKS_MS });
			if (this.#missing?.headIndex !== head.block.index) {
				this.#missing = { headIndex: head.block.index, sinceMs: nowMs };
			}
			return ok(undefined);
		}
		const added = this.#extend(before, message.blocks);
		if (!added.ok) {
			this.#run = [];
			return added;
		}
		if (this.#run.length > MAX_RUN_BLOCKS) {
			this.#run = [];
			return refused({ code: "run-too-long" });
		}
		return message.certificate === undefined ? ok(undefined) : this.#certify(message.certificate, checkCertificate);
	}

	#extend(before: Link, blocks: readonly Uint8Array[]): Result<true, SyncError> {
		let parent = before;
		for (const bytes of blocks) {
			const block = decodeBlock(bytes, parent.hash);
			if (!block.ok) return block;
			const link = extend(parent, block.value, bytes.length, this.#checkSigners);
			if (!link.ok) return link;
			if (!this.#fitsPin(link.value)) return refused({ code: "pinned-block-differs", index: link.value.block.index });
			this.#run.push({ link: link.value, bytes });
			parent = link.value;
		}
		return ok(true);
	}

	#fitsPin(link: Link): boolean {
		return (
			this.#pin === undefined ||
			this.#pin.index !== link.block.index ||
			equalBytes(link.hash.subarray(0, this.#pin.hash.length), this.#pin.hash)
		);
	}

	#certify(
		certificate: Certificate,
		checkCertificate: CertificateCheck,
	): Result<CertifiedRun, SyncError | { code: string }> {
		const links = this.#run.map(({ link }) => link);
		const bytes = this.#run.map((block) => block.bytes);
		this.#run = [];
		const last = links.at(-1);
		if (last === undefined || last.block.index !== certificate.index || !equalBytes(last.hash, certificate.hash)) {
			return refused({ code: "run-differs-from-certificate", index: certificate.index });
		}
		const checked = checkCertificate(certificate, links);
		return checked.ok ? ok({ links, bytes, certificate: checked.value }) : checked;
	}
}
