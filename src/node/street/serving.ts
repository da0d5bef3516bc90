/** Handing out what is stored: the genesis, runs of certified blocks to whoever catches up, the whole chain. */
import { type Block, blockHash, decodeBlock } from "../../block/block.js";
import { ZERO_HASH } from "../../primitives/hash.js";
import type { Peer, Peers } from "../peers.js";
import { decodeCertificateRecord, openRecord } from "../records.js";
import { CERTIFICATE_SPACING, type ChainStorage } from "../storage.js";
import { RUN_BYTES } from "../sync.js";

/** Blocks read from the database at once: a run ends at the next kept certificate. */
const READ_BLOCKS = 2 * CERTIFICATE_SPACING;

export class Serving {
	readonly #storage: ChainStorage;
	readonly #peers: Peers;

	constructor(storage: ChainStorage, peers: Peers) {
		this.#storage = storage;
		this.#peers = peers;
	}

	async sendGenesis(peer: Peer): Promise<void> {
		const stored = await this.#storage.readBlocks(0, 1);
		const record = stored.ok ? stored.value[0]?.record : undefined;
		const content = record === undefined ? undefined : openRecord(record);
		if (content?.ok === true) this.#peers.send(peer, { type: "genesis", block: content.value });
	}

	/** Answers with blocks from an index on, and with the certificate where they reach it; with none where there are none. */
	async onBlocksRequest(peer: Peer, fromIndex: number): Promise<void> {
		const certificate = await this.#storage.certificateFrom(fromIndex);
		const end = certificate.ok ? certificate.value : undefined;
		if (end === undefined || fromIndex > end.index) {
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
