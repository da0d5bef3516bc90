/**
 * A run of blocks on its way from one neighbour, up to the certificate that covers it. Anybody can make up blocks, and
 * executing them is dear (a timestamp far ahead settles years of minutes): until those who vote stand behind their last
 * hash they are held, chained by their hashes, and nothing more. The signatures of their transactions are verified
 * after that (`street/tailVerification`).
 */
import { type Block, blockHash, decodeBlock, MAX_BLOCK_BYTES, validateAgainst } from "../block/block.js";
import type { Certificate } from "../block/certificate.js";
import { voterChangeOf } from "../block/voters.js";
import { equalBytes } from "../primitives/bytes.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { type ChainError, extend, type Link, type SignatureCheck } from "./chain.js";
import type { Pin } from "./checkpointWalk.js";
import { CERTIFICATE_SPACING } from "./storage.js";

/** Runs end at a kept certificate; where one is damaged at its server, at the next, or the one after. */
const MAX_RUN_BLOCKS = 4 * CERTIFICATE_SPACING;
/** As many as one run of the longest blocks: a node never needs more memory for them. */
const MAX_RUN_BYTES = CERTIFICATE_SPACING * MAX_BLOCK_BYTES;

export type RunError =
	| ChainError
	| { code: "run-too-long" }
	| { code: "run-differs-from-certificate"; index: number }
	| { code: "pinned-block-differs"; index: number };

/** A run of validated blocks that its certificate covers. */
export interface CertifiedRun {
	/** `bytes`: the block as it came, and is stored. */
	blocks: readonly { readonly link: Link; readonly bytes: Uint8Array }[];
	certificate: Certificate;
}

/** Whether those who voted stand behind a run of executed blocks on the head; gives the certificate as it is to be kept. */
export type CertificateCheck = (
	certificate: Certificate,
	run: readonly Link[],
) => Result<Certificate, { code: string }>;

export class BlockRun {
	/** Who gives it. */
	readonly device: string;
	readonly #base: Link;
	readonly #pin: Pin | undefined;
	readonly #held: { block: Block; hash: Uint8Array; bytes: Uint8Array }[] = [];
	#byteLength = 0;

	/** Begins above a committed head. */
	constructor(device: string, base: Link, pin: Pin | undefined) {
		this.device = device;
		this.#base = base;
		this.#pin = pin;
	}

	/** The index of the block that comes next. */
	get nextIndex(): number {
		return this.#last.block.index + 1;
	}

	/** Of what is held, as it came. */
	get byteLength(): number {
		return this.#byteLength;
	}

	/** Whether it lies on this head: the committed head also moves by itself. */
	isOn(head: Link): boolean {
		return equalBytes(this.#base.hash, head.hash);
	}

	get #last(): { block: Block; hash: Uint8Array } {
		return this.#held.at(-1) ?? this.#base;
	}

	/** Holds the next blocks, as they came. Refused: their sender is wrong. */
	hold(blocks: readonly Uint8Array[]): Result<true, RunError> {
		for (const bytes of blocks) {
			const { block: parent, hash: parentHash } = this.#last;
			const block = decodeBlock(bytes, parentHash);
			if (!block.ok) return block;
			const fits = validateAgainst(parent, parentHash, block.value);
			if (!fits.ok) return fits;
			const hash = blockHash(block.value);
			const { index } = block.value;
			if (this.#pin?.index === index && !equalBytes(hash.subarray(0, this.#pin.hash.length), this.#pin.hash)) {
				return refused({ code: "pinned-block-differs", index });
			}
			this.#held.push({ block: block.value, hash, bytes });
			this.#byteLength += bytes.length;
			if (this.#held.length > MAX_RUN_BLOCKS || this.#byteLength > MAX_RUN_BYTES) {
				return refused({ code: "run-too-long" });
			}
		}
		return ok(true);
	}

	/**
	 * Executes it, once the certificate of its last block is here. Every set of the run has to stand behind it; the set of
	 * the committed head is known before anything is executed.
	 */
	certify(
		certificate: Certificate,
		checkSigners: SignatureCheck,
		checkCertificate: CertificateCheck,
	): Result<CertifiedRun, RunError | { code: string }> {
		const { block, hash } = this.#last;
		if (block.index !== certificate.index || !equalBytes(hash, certificate.hash)) {
			return refused({ code: "run-differs-from-certificate", index: certificate.index });
		}
		const byKnown = checkCertificate(certificate, []);
		if (!byKnown.ok) return byKnown;
		const blocks: { link: Link; bytes: Uint8Array }[] = [];
		for (const { block: next, bytes } of this.#held) {
			const link = extend(blocks.at(-1)?.link ?? this.#base, next, bytes.length, checkSigners);
			if (!link.ok) return link;
			blocks.push({ link: link.value, bytes });
		}
		const changesVoters = this.#held.some((held) => voterChangeOf(held.block) !== undefined);
		const links = blocks.map(({ link }) => link);
		const checked = changesVoters ? checkCertificate(certificate, links) : byKnown;
		return checked.ok ? ok({ blocks, certificate: checked.value }) : checked;
	}
}
