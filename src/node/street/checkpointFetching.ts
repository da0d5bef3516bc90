/**
 * Far behind the neighbours: the state of a certified checkpoint is fetched instead of all the blocks below it. What has
 * come is put aside in the database, so that a fetch that was interrupted goes on where it stopped; who sends something
 * wrong is dropped and another neighbour asked.
 */
import { blockHash } from "../../block/block.js";
import type { Certificate } from "../../block/certificate.js";
import { checkChunk, leafCountOf } from "../../contract/chunks.js";
import type { CheckpointMessage, ChunkMessage, HeadersMessage, Message } from "../../message/message.js";
import type { Result } from "../../primitives/result.js";
import { encodeCheckpointBlock, openCheckpoint, openCheckpointRecords } from "../checkpoints.js";
import { type BelievedCheckpoint, votersAt, walkTo } from "../checkpointWalk.js";
import { PinWalk } from "../pinWalk.js";
import { encodeCertificateRecord, openRecord, sealRecord } from "../records.js";
import type { Sync } from "../sync.js";
import { decodeAnchorRecord, encodeAnchorRecord } from "../voterSteps.js";
import type { KnownVoters } from "../voterWalk.js";
import type { CommittedHead } from "./committedHead.js";
import type { ProvenPeer, StreetContext } from "./context.js";
import type { Pruning } from "./pruning.js";
import { logBaseOf, type RaftDriver } from "./raftDriver.js";
import type { TailVerification } from "./tailVerification.js";

/** After so long without an answer another neighbour is asked. */
const REQUEST_TIMEOUT_MS = 8_000;
/** Nobody had a checkpoint for us: for so long blocks are fetched. */
const PAUSE_MS = 30_000;
/**
 * A member fetches all blocks of so many checkpoints' time, while anybody has them: its own graphs are made of them. Who
 * keeps everything fetches them all: a jump would leave a hole, and after the others' retention nobody could fill it.
 */
const MEMBER_CHECKPOINTS = 7;
/**
 * Who has the whole chain and keeps it waits for so long until somebody comes who has the blocks that follow: those who
 * are here may have begun at a checkpoint themselves. After that really nobody has them, and a hole it must be.
 */
const KEEPER_PATIENCE_MS = 15 * 60_000;

export interface CheckpointFetchingParts {
	readonly sync: Sync;
	readonly raft: RaftDriver;
	readonly head: CommittedHead;
	readonly verification: TailVerification;
	readonly pruning: Pick<Pruning, "blocksFrom">;
	/** The head jumped over blocks that are not known here: what waits may be in them. */
	afterJump(): Promise<void>;
}

/** A believed checkpoint whose chunks are coming. */
interface Download extends BelievedCheckpoint {
	index: number;
	/** Chunks that are here, in order, and how many leaves they hold. */
	chunks: number;
	leaves: number;
}

export class CheckpointFetching {
	readonly #context: StreetContext;
	readonly #parts: CheckpointFetchingParts;
	#request: { device: string; sentMs: number } | undefined;
	#known: KnownVoters | undefined;
	#download: Download | undefined;
	/** A checkpoint that is believed but for its way from the pinned block. */
	#pinned: { walk: PinWalk; checkpoint: BelievedCheckpoint } | undefined;
	/** Devices that do not have the headers from the pinned block on any more. */
	readonly #withoutHeaders = new Set<string>();
	/** Devices that had no checkpoint for us, or not the one that is being fetched. */
	readonly #withoutCheckpoint = new Set<string>();
	#votersCertificate: Certificate | undefined;
	#notBeforeMs = 0;

	constructor(context: StreetContext, parts: CheckpointFetchingParts) {
		this.#context = context;
		this.#parts = parts;
	}

	/** Goes on with what an earlier run had put aside. It was checked before it was written. */
	async resume(): Promise<void> {
		const { chain, storage } = this.#context;
		const staged = await storage.staged();
		if (!staged.ok || staged.value === undefined) return;
		const { index } = staged.value;
		const { block, certificate, manifest } = openCheckpointRecords(staged.value);
		if (block === undefined || certificate === undefined || manifest === undefined || index <= chain.head.block.index) {
			await this.#context.write({ unstage: true });
			return;
		}
		const anchor = { block, hash: blockHash(block), above: [], certificate };
		const download: Download = { index, anchor, manifest, chunks: 0, leaves: 0 };
		for (;;) {
			const stored = await storage.stagedChunk(download.chunks);
			const content = stored.ok && stored.value !== undefined ? openRecord(stored.value) : undefined;
			const chunk = content?.ok === true ? checkChunk(content.value, manifest) : undefined;
			if (chunk?.ok !== true || chunk.value.firstLeaf !== download.leaves) break;
			download.chunks += 1;
			download.leaves += chunk.value.leaves.length;
		}
		this.#download = download;
		const steps = await storage.voterSteps(chain.head.block.index + 1);
		const last = steps.ok ? steps.value.at(-1) : undefined;
		const step = last === undefined || last.index > index ? undefined : decodeAnchorRecord(last.record);
		if (step?.ok === true) this.#votersCertificate = step.value.certificate;
		await this.#installIfWhole();
	}

	/** Asks for the next piece, if one is due. True: a checkpoint is under way, and blocks wait for it. */
	maybeRequest(nowMs: number): boolean {
		if (!this.#isWanted(nowMs)) return false;
		if (this.#request !== undefined && nowMs - this.#request.sentMs <= REQUEST_TIMEOUT_MS) return true;
		if (this.#request !== undefined) this.#parts.sync.forget(this.#request.device);
		this.#request = undefined;
		const device = this.#parts.sync.furthest(
			this.#pinned === undefined ? this.#withoutCheckpoint : this.#withoutHeaders,
		);
		const peer = device === undefined ? undefined : this.#context.peers.toDevice(device);
		if (device === undefined || peer === undefined) {
			this.#pauseIfAllWereAsked(nowMs);
			return false;
		}
		this.#request = { device, sentMs: nowMs };
		this.#context.peers.send(peer, this.#nextRequest());
		return true;
	}

	/** Nobody is left who was not asked: blocks are fetched meanwhile, and after a while all are asked again. */
	#pauseIfAllWereAsked(nowMs: number): void {
		if (this.#withoutCheckpoint.size === 0) return;
		this.#withoutCheckpoint.clear();
		this.#notBeforeMs = nowMs + PAUSE_MS;
	}

	#nextRequest(): Message {
		if (this.#download !== undefined) {
			const { index, chunks } = this.#download;
			return { type: "chunkRequest", index, number: chunks };
		}
		if (this.#pinned !== undefined) return { type: "headersRequest", fromIndex: this.#pinned.walk.nextIndex };
		return { type: "checkpointRequest", haveIndex: this.#known?.index ?? this.#context.chain.head.block.index };
	}

	#isWanted(nowMs: number): boolean {
		if (this.#download !== undefined) return true;
		if (nowMs < this.#notBeforeMs) return false;
		const { chain } = this.#context;
		const { checkpointBlocks } = chain.head.ledger.parameters;
		const behind = this.#parts.sync.targetIndex - chain.head.block.index;
		if (behind > checkpointBlocks * this.#fetchedCheckpoints()) return true;
		return this.#parts.sync.isMissing(chain.head, nowMs, this.#hasWholeChain ? KEEPER_PATIENCE_MS : 0);
	}

	/** This device keeps everything, and nothing is missing. */
	get #hasWholeChain(): boolean {
		const { chain, retentionDays } = this.#context;
		return retentionDays === 0 && this.#parts.pruning.blocksFrom === 0 && chain.head.block.index > 0;
	}

	/** Of so many checkpoints' time the blocks are fetched instead. */
	#fetchedCheckpoints(): number {
		const { config, device, retentionDays } = this.#context;
		const isNew = device === undefined && config.admission?.member === undefined;
		if (isNew) return 1;
		return retentionDays === 0 ? Number.POSITIVE_INFINITY : MEMBER_CHECKPOINTS;
	}

	/** An answer to the request for a checkpoint. */
	async onCheckpoint(peer: ProvenPeer, message: CheckpointMessage): Promise<void> {
		if (this.#request?.device !== peer.device || this.#download !== undefined || this.#pinned !== undefined) return;
		this.#request = undefined;
		const { chain, config, dependencies, gridId } = this.#context;
		const haveIndex = chain.head.block.index;
		const from = this.#known ?? votersAt(chain.head.ledger);
		const walked = walkTo(from, message, haveIndex, config.pin, gridId, dependencies.verifier);
		if (!walked.ok) {
			this.#known = undefined;
			this.#drop(peer, walked.error);
			return;
		}
		const { known, steps, checkpoint } = walked.value;
		const isFurther = known.index > from.index;
		this.#known = known;
		this.#votersCertificate = steps.at(-1)?.certificate ?? this.#votersCertificate;
		const voterSteps = steps.map((step) => ({ index: step.block.index, record: encodeAnchorRecord(step) }));
		if (voterSteps.length > 0 && !(await this.#context.write({ voterSteps }))) return;
		if (checkpoint === undefined) {
			// More steps come, or there is nothing for us here.
			if (!isFurther) this.#withoutCheckpoint.add(peer.device);
			return;
		}
		const { pin } = config;
		if (pin !== undefined && pin.index > haveIndex && pin.index < checkpoint.anchor.block.index) {
			this.#pinned = { walk: new PinWalk(pin, checkpoint.anchor), checkpoint };
		} else {
			await this.#stage(checkpoint);
		}
		this.maybeRequest(dependencies.clocks.monotonicMs());
	}

	/** Headers between the block that the invitation pins and the checkpoint. */
	async onHeaders(peer: ProvenPeer, { headers }: HeadersMessage): Promise<void> {
		const pinned = this.#pinned;
		if (this.#request?.device !== peer.device || pinned === undefined) return;
		this.#request = undefined;
		if (headers.length === 0) {
			// It let go of them: another goes on where this one has to stop.
			this.#withoutHeaders.add(peer.device);
			this.#context.events.onRefused("headers-missing");
			return;
		}
		const arrived: Result<boolean, { code: string }> = pinned.walk.take(headers);
		if (!arrived.ok) {
			this.#pinned = undefined;
			this.#known = undefined;
			this.#drop(peer, arrived.error);
			return;
		}
		if (arrived.value) {
			this.#pinned = undefined;
			await this.#stage(pinned.checkpoint);
		}
		this.maybeRequest(this.#context.dependencies.clocks.monotonicMs());
	}

	async #stage({ anchor, manifest }: BelievedCheckpoint): Promise<void> {
		const { index } = anchor.block;
		const checkpoint = {
			block: encodeCheckpointBlock(anchor.block),
			certificate: encodeCertificateRecord(anchor.certificate),
			manifest: sealRecord(manifest),
		};
		if (!(await this.#context.write({ stage: { index, checkpoint } }))) return;
		this.#download = { index, anchor, manifest, chunks: 0, leaves: 0 };
	}

	/** A piece of the state: checked alone against the manifest before it is kept. */
	async onChunk(peer: ProvenPeer, { index, number, bytes }: ChunkMessage): Promise<void> {
		const download = this.#download;
		const isAsked = this.#request?.device === peer.device && download?.index === index && download.chunks === number;
		if (!isAsked || download === undefined) return;
		this.#request = undefined;
		if (bytes.length === 0) {
			// It has gone on to newer checkpoints, or had none of its own; who has no other to ask begins anew.
			this.#withoutCheckpoint.add(peer.device);
			const nowMs = this.#context.dependencies.clocks.monotonicMs();
			if (this.#parts.sync.furthest(this.#withoutCheckpoint) === undefined) {
				await this.#giveUp();
				this.#notBeforeMs = nowMs + PAUSE_MS;
			}
			this.maybeRequest(nowMs);
			return;
		}
		const chunk = checkChunk(bytes, download.manifest);
		if (!chunk.ok || chunk.value.firstLeaf !== download.leaves) {
			this.#drop(peer, chunk.ok ? { code: "bad-chunk" } : chunk.error);
			return;
		}
		const staged = { index, chunks: [{ number, record: sealRecord(bytes) }] };
		if (!(await this.#context.write({ stage: staged }))) return;
		download.chunks += 1;
		download.leaves += chunk.value.leaves.length;
		await this.#installIfWhole();
		this.maybeRequest(this.#context.dependencies.clocks.monotonicMs());
	}

	/** All leaves are here: the head jumps to the checkpoint. */
	async #installIfWhole(): Promise<void> {
		const download = this.#download;
		if (download === undefined || download.leaves < leafCountOf(download.manifest)) return;
		const { chain, storage } = this.#context;
		const { index, anchor } = download;
		const staged = await storage.staged();
		const chunks: Uint8Array[] = [];
		for (let number = 0; number < download.chunks; number++) {
			const stored = await storage.stagedChunk(number);
			if (stored.ok && stored.value !== undefined) chunks.push(stored.value);
		}
		const opened =
			staged.ok && staged.value !== undefined ? openCheckpoint(staged.value, chunks, chain.head.ledger) : undefined;
		if (opened?.ok !== true || index <= chain.head.block.index) {
			if (opened?.ok === false) this.#context.events.onRefused(opened.error.code);
			await this.#giveUp();
			return;
		}
		const certificate = encodeCertificateRecord(anchor.certificate);
		// What waits for its verification lies below, and goes.
		const { raft, head, verification } = this.#parts;
		verification.passOver();
		const written = await this.#context.write({
			...head.proofsBeforeJump(index),
			unverified: verification.recordWith([]),
			installCheckpoint: { index, keepBlocks: [] },
			install: { blocks: [], upToIndex: index, certificate },
		});
		if (!written) return;
		this.#download = undefined;
		this.#known = undefined;
		this.#withoutCheckpoint.clear();
		const votersCertificate = this.#votersCertificate;
		head.jump(opened.value, anchor.certificate, votersCertificate);
		await raft.feed({
			type: "installed",
			base: logBaseOf(opened.value),
			certificate: anchor.certificate,
			votersCertificate,
		});
		await this.#parts.afterJump();
	}

	async #giveUp(): Promise<void> {
		this.#download = undefined;
		this.#known = undefined;
		this.#withoutCheckpoint.clear();
		await this.#context.write({ unstage: true });
	}

	/** Somebody else is asked. */
	#drop(peer: ProvenPeer, error: { code: string }): void {
		this.#parts.sync.forget(peer.device);
		this.#context.peers.refuse(peer, error);
	}
}
