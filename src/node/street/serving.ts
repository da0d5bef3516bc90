/** Handing out what is stored, to those who may have it: the genesis, runs of certified blocks, checkpoints, headers. */

import type { Anchor } from "../../block/anchor.js";
import { type Block, type BlockHeader, blockHash, decodeBlock } from "../../block/block.js";
import { MAX_HEADERS } from "../../message/fetchingWire.js";
import { ZERO_HASH } from "../../primitives/hash.js";
import { openCheckpointRecords } from "../checkpoints.js";
import type { Peer, Peers } from "../peers.js";
import { decodeCertificateRecord, openRecord } from "../records.js";
import { CERTIFICATE_SPACING, type ChainStorage } from "../storage.js";
import { RUN_BYTES } from "../sync.js";
import { decodeAnchorRecord, headerOf } from "../voterSteps.js";
import type { ProvenPeer, StreetContext } from "./context.js";
import { ALL, NOT_A_MEMBER } from "./entitlement.js";
import type { Pruning } from "./pruning.js";

/** Voter changes of one answer. */
const MAX_STEPS = 64;
/** Blocks read from the database at once: a run ends at the next kept certificate. */
const READ_BLOCKS = 2 * CERTIFICATE_SPACING;

export class Serving {
	readonly #context: StreetContext;
	readonly #storage: ChainStorage;
	readonly #peers: Peers;
	readonly #pruning: Pick<Pruning, "blocksFrom">;

	constructor(context: StreetContext, pruning: Pick<Pruning, "blocksFrom">) {
		this.#context = context;
		this.#storage = context.storage;
		this.#peers = context.peers;
		this.#pruning = pruning;
	}

	/** Says why a device gets nothing, or nothing more. Who is new here itself does not know. */
	#turnAway(peer: ProvenPeer): void {
		const { device, entitlement, peers } = this.#context;
		const code = device === undefined ? NOT_A_MEMBER : entitlement.refusalFor(peer.device);
		peers.send(peer, { type: "turnedAway", code });
	}

	/**
	 * The last block that may be handed to a device. One that was taken out of use gets the certificate that covers its
	 * end, and whatever lies below that; but where that block is not here any more the next certificate is of another time.
	 */
	async #lastIndexFor({ device }: ProvenPeer): Promise<number> {
		const upToIndex = this.#context.entitlement.upToIndex(device);
		if (upToIndex === ALL || upToIndex < 0 || upToIndex < this.#pruning.blocksFrom) return upToIndex;
		const certificate = await this.#storage.certificateFrom(upToIndex);
		return certificate.ok && certificate.value !== undefined ? certificate.value.index : upToIndex;
	}

	/** The first block of all tells of a founding and its households; one of a later founding holds the whole state. */
	async sendGenesis(peer: Peer): Promise<void> {
		const { chain, entitlement } = this.#context;
		const holdsState = chain.head.ledger.predecessor !== undefined;
		if (holdsState && peer.device !== undefined && !entitlement.hasAll(peer.device)) {
			this.#turnAway(peer as ProvenPeer);
			return;
		}
		const stored = await this.#storage.readBlocks(0, 1);
		const record = stored.ok ? stored.value[0]?.record : undefined;
		const content = record === undefined ? undefined : openRecord(record);
		if (content?.ok === true) this.#peers.send(peer, { type: "genesis", block: content.value });
	}

	/**
	 * Answers with blocks from an index on, and with the certificate where they reach it; with none where there are none,
	 * or none any more: then the neighbour asks another, or fetches a checkpoint.
	 */
	async onBlocksRequest(peer: ProvenPeer, fromIndex: number): Promise<void> {
		const lastIndex = await this.#lastIndexFor(peer);
		if (fromIndex > lastIndex) {
			this.#turnAway(peer);
			return;
		}
		const isPruned = fromIndex > 0 && fromIndex < this.#pruning.blocksFrom;
		const certificate = isPruned ? undefined : await this.#storage.certificateFrom(fromIndex);
		const end = certificate?.ok === true ? certificate.value : undefined;
		if (end === undefined) {
			this.#peers.send(peer, { type: "blocks", fromIndex, blocks: [], certificate: undefined });
			return;
		}
		const blocks = await this.#run(fromIndex, end.index);
		const complete = fromIndex + blocks.length - 1 === end.index;
		const certified = complete ? decodeCertificateRecord(end.record) : undefined;
		this.#peers.send(peer, {
			type: "blocks",
			fromIndex,
			blocks,
			certificate: certified?.ok === true ? certified.value : undefined,
		});
	}

	/** Encoded blocks from an index up to another, as many as one answer carries. */
	async #run(fromIndex: number, upToIndex: number): Promise<Uint8Array[]> {
		const stored = await this.#storage.readBlocks(fromIndex, Math.min(upToIndex - fromIndex + 1, READ_BLOCKS));
		const blocks: Uint8Array[] = [];
		let bytes = 0;
		for (const { record } of stored.ok ? stored.value : []) {
			const content = openRecord(record);
			// A damaged block is not passed on.
			if (!content.ok) break;
			bytes += content.value.length;
			if (blocks.length > 0 && bytes > RUN_BYTES) break;
			blocks.push(content.value);
		}
		return blocks;
	}

	/** Answers with the newest checkpoint above an index, after the voter changes that lead there. */
	async onCheckpointRequest(peer: ProvenPeer, haveIndex: number): Promise<void> {
		const lastIndex = await this.#lastIndexFor(peer);
		const found = await this.#checkpointAbove(haveIndex);
		if (lastIndex < 0 || (found !== undefined && found.anchor.certificate.index > lastIndex)) {
			this.#turnAway(peer);
			return;
		}
		if (found === undefined) {
			this.#peers.send(peer, { type: "checkpoint", steps: [], checkpoint: undefined });
			return;
		}
		const { anchor } = found;
		const stored = await this.#storage.voterSteps(haveIndex + 1);
		const steps: Anchor[] = [];
		let bytes = 0;
		for (const { index, record } of stored.ok ? stored.value : []) {
			if (index > anchor.certificate.index) break;
			const step = decodeAnchorRecord(record);
			bytes += record.length;
			if (!step.ok || bytes > RUN_BYTES || steps.length === MAX_STEPS) {
				// What does not fit is asked for again, from the last step on.
				this.#peers.send(peer, { type: "checkpoint", steps, checkpoint: undefined });
				return;
			}
			steps.push(step.value);
		}
		this.#peers.send(peer, { type: "checkpoint", steps, checkpoint: found });
	}

	/** The newest checkpoint that has a certificate of its own: what lies above it is another matter. */
	async #checkpointAbove(haveIndex: number): Promise<{ anchor: Anchor; manifest: Uint8Array } | undefined> {
		for (let belowIndex: number | undefined; ; ) {
			const stored = await this.#storage.newestCheckpoint(belowIndex);
			if (!stored.ok || stored.value === undefined || stored.value.index <= haveIndex) return undefined;
			const { block, certificate, manifest } = openCheckpointRecords(stored.value);
			if (block !== undefined && certificate?.index === stored.value.index && manifest !== undefined) {
				return { anchor: { block, hash: blockHash(block), above: [], certificate }, manifest };
			}
			belowIndex = stored.value.index;
		}
	}

	/** Answers with headers from an index on, as many as one answer carries. */
	async onHeadersRequest(peer: ProvenPeer, fromIndex: number): Promise<void> {
		if (!this.#context.entitlement.hasAll(peer.device)) {
			this.#turnAway(peer);
			return;
		}
		const headers: BlockHeader[] = [];
		const below = await this.#hashedBelow(fromIndex);
		const count = below === undefined ? 0 : fromIndex - below.index - 1 + MAX_HEADERS;
		const stored = below === undefined ? undefined : await this.#storage.readBlocks(below.index + 1, count);
		let previousHash = below?.hash ?? ZERO_HASH;
		for (const { record } of stored?.ok === true ? stored.value : []) {
			const content = openRecord(record);
			const block = content.ok ? decodeBlock(content.value, previousHash) : content;
			if (!block.ok) break;
			const header = headerOf(block.value);
			if (header.index >= fromIndex) headers.push(header);
			previousHash = blockHash(header);
		}
		this.#peers.send(peer, { type: "headers", headers });
	}

	/** A block below an index whose hash is known without the blocks below it: a certificate says it. */
	async #hashedBelow(index: number): Promise<{ index: number; hash: Uint8Array } | undefined> {
		for (let back = READ_BLOCKS; ; back *= 2) {
			const from = Math.max(0, index - back);
			if (from === 0) return { index: -1, hash: ZERO_HASH };
			const kept = await this.#storage.certificateFrom(from);
			const certificate = kept.ok && kept.value !== undefined ? decodeCertificateRecord(kept.value.record) : undefined;
			if (certificate?.ok === true && certificate.value.index < index) return certificate.value;
			if (back > MAX_HEADERS) return undefined;
		}
	}

	async onChunkRequest(peer: ProvenPeer, index: number, number: number): Promise<void> {
		if (index > (await this.#lastIndexFor(peer))) {
			this.#turnAway(peer);
			return;
		}
		const stored = await this.#storage.checkpointChunk(index, number);
		const content = stored.ok && stored.value !== undefined ? openRecord(stored.value) : undefined;
		const bytes = content?.ok === true ? content.value : new Uint8Array();
		this.#peers.send(peer, { type: "chunk", index, number, bytes });
	}

	/** The blockchain as it is stored, from genesis on. */
	async *storedBlocks(): AsyncGenerator<Block> {
		let previousHash = ZERO_HASH;
		for (let fromIndex = 0; ; ) {
			const stored = await this.#storage.readBlocks(fromIndex, READ_BLOCKS);
			if (!stored.ok || stored.value.length === 0) return;
			for (const { record } of stored.value) {
				const content = openRecord(record);
				const block = content.ok ? decodeBlock(content.value, previousHash) : content;
				if (!block.ok) return;
				yield block.value;
				previousHash = blockHash(block.value);
			}
			fromIndex += stored.value.length;
		}
	}
}
