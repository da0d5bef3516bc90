/**
 * Far behind the neighbours: the state of a certified checkpoint is fetched instead of all the blocks below it. A fetch
 * that was interrupted goes on where it stopped; who sends something wrong is dropped and another neighbour asked.
 */
import type { Certificate } from "../../block/certificate.js";
import type { CheckpointMessage, ChunkMessage, HeadersMessage, Message } from "../../message/message.js";
import type { Result } from "../../primitives/result.js";
import { type BelievedCheckpoint, votersAt, walkTo } from "../checkpointWalk.js";
import { PinWalk } from "../pinWalk.js";
import { encodeCertificateRecord } from "../records.js";
import type { ChainChange } from "../storage.js";
import type { Sync } from "../sync.js";
import { decodeAnchorRecord, encodeAnchorRecord } from "../voterSteps.js";
import type { KnownVoters } from "../voterWalk.js";
import { CheckpointDownload } from "./checkpointDownload.js";
import type { CommittedHead } from "./committedHead.js";
import type { ProvenPeer, StreetContext } from "./context.js";
import type { Pruning } from "./pruning.js";
import { logBaseOf, type RaftDriver } from "./raftDriver.js";
import type { TailVerification } from "./tailVerification.js";

/** After so long without an answer another neighbour is asked. */
const REQUEST_TIMEOUT_MS = 8_000;
/** Nobody had a checkpoint for us: for so long blocks are fetched. */
const PAUSE_MS = 30_000;
/** So many times all were asked for headers from the pinned block, and nobody gave any: it begins anew. */
const FRUITLESS_ROUNDS = 3;
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
/** Any member's device waits for so long: the neighbour that it met first may have begun at a checkpoint itself. */
const MEMBER_PATIENCE_MS = 60_000;

export interface CheckpointFetchingParts {
	readonly sync: Sync;
	readonly raft: RaftDriver;
	readonly head: CommittedHead;
	readonly verification: TailVerification;
	readonly pruning: Pick<Pruning, "blocksFrom">;
	/** The head jumped over blocks that are not known here: what waits may be in them. */
	afterJump(): Promise<void>;
}

export class CheckpointFetching {
	readonly #context: StreetContext;
	readonly #parts: CheckpointFetchingParts;
	#request: { device: string; sentMs: number } | undefined;
	/** Devices that were asked for what comes next and have not answered: an answer that comes late is as good. */
	readonly #late = new Set<string>();
	/** How many times all were asked since something came. */
	#rounds = 0;
	#known: KnownVoters | undefined;
	/** A believed checkpoint whose chunks are coming. */
	#download: CheckpointDownload | undefined;
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

	/** Goes on with what an earlier run had put aside. */
	async resume(): Promise<void> {
		const download = await CheckpointDownload.resume(this.#context);
		if (download === undefined) return;
		this.#download = download;
		const { chain, storage } = this.#context;
		const steps = await storage.voterSteps(chain.head.block.index + 1);
		const last = steps.ok ? steps.value.at(-1) : undefined;
		const step = last === undefined || last.index > download.index ? undefined : decodeAnchorRecord(last.record);
		if (step?.ok === true) this.#votersCertificate = step.value.certificate;
		await this.#installIfWhole();
	}

	/** Asks for the next piece, if one is due. True: a checkpoint is under way, and blocks wait for it. */
	maybeRequest(nowMs: number): boolean {
		if (nowMs < this.#notBeforeMs || !this.#isWanted(nowMs)) return false;
		if (this.#request !== undefined && nowMs - this.#request.sentMs <= REQUEST_TIMEOUT_MS) return true;
		if (this.#request !== undefined) this.#timedOut(this.#request.device, nowMs);
		this.#request = undefined;
		const device = this.#parts.sync.sources.bestForCheckpoint(nowMs, this.#without);
		const peer = device === undefined ? undefined : this.#context.peers.toDevice(device);
		if (device === undefined || peer === undefined) {
			this.#pauseIfAllWereAsked(nowMs);
			return false;
		}
		this.#request = { device, sentMs: nowMs };
		this.#context.peers.send(peer, this.#nextRequest());
		return true;
	}

	/** Who cannot give what comes next. */
	get #without(): Set<string> {
		return this.#pinned === undefined ? this.#withoutCheckpoint : this.#withoutHeaders;
	}

	/** A silent neighbour is not asked again before all others were. */
	#timedOut(device: string, nowMs: number): void {
		this.#parts.sync.sources.failed(device, nowMs);
		this.#without.add(device);
		this.#late.add(device);
	}

	/** This device stood still: who was asked is not to blame, and is asked again. */
	resumed(): void {
		this.#request = undefined;
	}

	/** A device's channel is gone, and what was asked of it. */
	gone(device: string): void {
		this.#late.delete(device);
		if (this.#request?.device === device) this.#request = undefined;
	}

	/** Whether a device was asked for the next piece, and has not given it. */
	isAsked(device: string): boolean {
		return this.#request?.device === device || this.#late.has(device);
	}

	/** A device answered: whoever else was asked for the same is not waited for. */
	#answered(device: string): void {
		this.#parts.sync.sources.answered(device);
		this.#request = undefined;
		this.#late.clear();
		this.#without.delete(device);
		this.#rounds = 0;
		this.#notBeforeMs = 0;
	}

	/** A device has nothing of what comes next. */
	#hasNone(device: string): void {
		this.#late.delete(device);
		if (this.#request?.device === device) this.#request = undefined;
		this.#without.add(device);
	}

	/** Nobody is left who was not asked: blocks are fetched meanwhile, and after a while all are asked again. */
	#pauseIfAllWereAsked(nowMs: number): void {
		if (this.#withoutCheckpoint.size === 0 && this.#withoutHeaders.size === 0) return;
		this.#withoutCheckpoint.clear();
		this.#withoutHeaders.clear();
		this.#rounds += 1;
		if (this.#late.size === 0 || this.#rounds >= FRUITLESS_ROUNDS) {
			if (this.#pinned !== undefined) this.#known = undefined;
			this.#pinned = undefined;
			this.#late.clear();
		}
		this.#notBeforeMs = nowMs + PAUSE_MS;
	}

	#nextRequest(): Message {
		if (this.#download !== undefined) {
			const { index, nextChunk } = this.#download;
			return { type: "chunkRequest", index, number: nextChunk };
		}
		if (this.#pinned !== undefined) return { type: "headersRequest", fromIndex: this.#pinned.walk.nextIndex };
		return { type: "checkpointRequest", haveIndex: this.#known?.index ?? this.#context.chain.head.block.index };
	}

	#isWanted(nowMs: number): boolean {
		if (this.#context.halted) return false;
		if (this.#download !== undefined) return true;
		const { chain } = this.#context;
		const { checkpointBlocks } = chain.head.ledger.parameters;
		const behind = this.#parts.sync.sources.targetIndex - chain.head.block.index;
		return behind > checkpointBlocks * this.#fetchedCheckpoints() || this.#areBlocksMissing(nowMs);
	}

	/** Nobody has the blocks that follow, nor had them for as long as this device can wait. */
	#areBlocksMissing(nowMs: number): boolean {
		const memberPatienceMs = this.#hasWholeChain ? KEEPER_PATIENCE_MS : MEMBER_PATIENCE_MS;
		return this.#parts.sync.isMissing(this.#context.chain.head, nowMs, this.#isNew ? 0 : memberPatienceMs);
	}

	/**
	 * Whether a believed checkpoint is worth the blocks that a jump to it leaves out: a neighbour can say of any height that
	 * it is there, while a checkpoint is certified.
	 */
	#isWorthIt({ anchor }: BelievedCheckpoint): boolean {
		const { chain, dependencies } = this.#context;
		const { checkpointBlocks } = chain.head.ledger.parameters;
		const gained = anchor.block.index - chain.head.block.index;
		if (gained > checkpointBlocks * (this.#fetchedCheckpoints() - 1)) return true;
		return this.#areBlocksMissing(dependencies.clocks.monotonicMs());
	}

	/** The chain that is here does not know of this device, nor of its household. */
	get #isNew(): boolean {
		const { config, device } = this.#context;
		return device === undefined && config.admission?.member === undefined;
	}

	/** This device keeps everything, and nothing is missing. */
	get #hasWholeChain(): boolean {
		const { chain, retentionDays } = this.#context;
		return retentionDays === 0 && this.#parts.pruning.blocksFrom === 0 && chain.head.block.index > 0;
	}

	/** Of so many checkpoints' time the blocks are fetched instead. */
	#fetchedCheckpoints(): number {
		if (this.#isNew) return 1;
		return this.#context.retentionDays === 0 ? Number.POSITIVE_INFINITY : MEMBER_CHECKPOINTS;
	}

	/** An answer to the request for a checkpoint. */
	async onCheckpoint(peer: ProvenPeer, message: CheckpointMessage): Promise<void> {
		if (!this.isAsked(peer.device) || this.#download !== undefined || this.#pinned !== undefined) return;
		const { chain, config, dependencies, gridId } = this.#context;
		const haveIndex = chain.head.block.index;
		const offered = message.checkpoint?.anchor.block.index;
		if (offered !== undefined && offered <= haveIndex) {
			// It was above the head when it was asked for.
			this.#hasNone(peer.device);
			return;
		}
		const from = this.#known ?? votersAt(chain.head.ledger);
		const walked = walkTo(from, message, haveIndex, config.pin, gridId, dependencies.verifier);
		if (!walked.ok) {
			this.#known = undefined;
			this.#drop(peer, walked.error);
			return;
		}
		this.#answered(peer.device);
		const { known, steps, checkpoint } = walked.value;
		const isFurther = known.index > from.index;
		this.#known = known;
		this.#votersCertificate = steps.at(-1)?.certificate ?? this.#votersCertificate;
		const voterSteps = steps.map((step) => ({ index: step.block.index, record: encodeAnchorRecord(step) }));
		if (voterSteps.length > 0 && !(await this.#context.write({ voterSteps }))) return;
		if (checkpoint !== undefined && !this.#isWorthIt(checkpoint)) {
			this.#hasNone(peer.device);
			this.maybeRequest(dependencies.clocks.monotonicMs());
			return;
		}
		if (checkpoint === undefined) {
			// More steps come, or there is nothing for us here.
			if (!isFurther) this.#hasNone(peer.device);
			return;
		}
		const { pin } = config;
		if (pin !== undefined && pin.index > haveIndex && pin.index < checkpoint.anchor.block.index) {
			this.#pinned = { walk: new PinWalk(pin, checkpoint.anchor), checkpoint };
		} else {
			this.#download = await CheckpointDownload.begin(this.#context, checkpoint);
		}
		this.maybeRequest(dependencies.clocks.monotonicMs());
	}

	/** Headers between the block that the invitation pins and the checkpoint. */
	async onHeaders(peer: ProvenPeer, { headers }: HeadersMessage): Promise<void> {
		const pinned = this.#pinned;
		if (!this.isAsked(peer.device) || pinned === undefined) return;
		if (headers.length === 0) {
			// It let go of them: another goes on where this one has to stop.
			this.#hasNone(peer.device);
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
		this.#answered(peer.device);
		if (arrived.value) {
			this.#pinned = undefined;
			this.#download = await CheckpointDownload.begin(this.#context, pinned.checkpoint);
		}
		this.maybeRequest(this.#context.dependencies.clocks.monotonicMs());
	}

	/** A piece of the state. */
	async onChunk(peer: ProvenPeer, { index, number, bytes }: ChunkMessage): Promise<void> {
		const download = this.#download;
		const isNext = download?.index === index && download.nextChunk === number;
		if (!isNext || download === undefined || !this.isAsked(peer.device)) return;
		const nowMs = this.#context.dependencies.clocks.monotonicMs();
		if (bytes.length === 0) {
			// It has gone on to newer checkpoints, or had none of its own; who has no other to ask begins anew.
			this.#hasNone(peer.device);
			const other = this.#parts.sync.sources.bestForCheckpoint(nowMs, this.#withoutCheckpoint);
			if ((other === undefined && this.#late.size === 0) || this.#rounds >= FRUITLESS_ROUNDS) {
				await this.#giveUp();
				this.#notBeforeMs = nowMs + PAUSE_MS;
			}
			this.maybeRequest(nowMs);
			return;
		}
		const taken = await download.take(bytes);
		if (!taken.ok) {
			this.#drop(peer, taken.error);
			return;
		}
		this.#answered(peer.device);
		if (taken.value === "not-written") return;
		await this.#installIfWhole();
		this.maybeRequest(this.#context.dependencies.clocks.monotonicMs());
	}

	/** All leaves are here: the head jumps to the checkpoint. */
	async #installIfWhole(): Promise<void> {
		const download = this.#download;
		if (download?.isWhole !== true) return;
		const { chain } = this.#context;
		const { index, certificate } = download;
		const opened = await download.open(chain.head.ledger);
		if (!opened.ok || index <= chain.head.block.index) {
			if (!opened.ok) this.#context.events.onRefused(opened.error.code);
			await this.#giveUp();
			return;
		}
		// What waits for its verification lies below, and goes.
		const { raft, head, verification } = this.#parts;
		verification.passOver();
		const change: ChainChange = {
			...head.proofsBeforeJump(index),
			...head.daysBeforeJump(),
			unverified: verification.recordWith([]),
			installCheckpoint: { index, keepBlocks: [], derived: head.derivedBeforeJump() },
			install: { blocks: [], upToIndex: index, certificate: encodeCertificateRecord(certificate) },
		};
		const votersCertificate = this.#votersCertificate;
		const installed = { base: logBaseOf(opened.value), certificate, votersCertificate };
		const isWritten = await raft.install(installed, change, () => {
			this.#beginAnew();
			head.jump(opened.value, certificate, votersCertificate);
		});
		if (!isWritten) return;
		await this.#parts.afterJump();
	}

	#beginAnew(): void {
		this.#download = undefined;
		this.#known = undefined;
		this.#withoutCheckpoint.clear();
		this.#late.clear();
		this.#rounds = 0;
	}

	async #giveUp(): Promise<void> {
		this.#beginAnew();
		await this.#context.write({ unstage: true });
	}

	/** Somebody else is asked. */
	#drop(peer: ProvenPeer, error: { code: string }): void {
		this.#request = undefined;
		this.#late.clear();
		this.#parts.sync.distrust(peer.device, this.#context.dependencies.clocks.monotonicMs());
		this.#context.peers.refuse(peer, error);
	}
}
