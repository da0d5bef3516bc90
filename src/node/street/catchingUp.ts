/**
 * Behind the neighbours: when to fetch and from whom, and what is done with what came. `sync.ts` knows whom to ask,
 * `blockRun.ts` holds and validates what one gave; here it becomes the committed head, Raft's log goes on above it, and
 * both are written.
 */
import { voterChangeOf } from "../../block/voters.js";
import type { BlocksMessage } from "../../message/message.js";
import { assert } from "../../primitives/assert.js";
import type { CertifiedRun } from "../blockRun.js";
import { encodeCertificateRecord, sealRecord } from "../records.js";
import type { ChainChange } from "../storage.js";
import type { Sync } from "../sync.js";
import { keepCertificateOf, voterStepsOf } from "../voterSteps.js";
import type { CheckpointFetching } from "./checkpointFetching.js";
import type { CommittedHead } from "./committedHead.js";
import type { ProvenPeer, StreetContext } from "./context.js";
import type { DoubleSigning } from "./doubleSigning.js";
import { NOT_A_MEMBER } from "./entitlement.js";
import { logBaseOf, type RaftDriver } from "./raftDriver.js";
import type { TailVerification } from "./tailVerification.js";

/** Between the leader's block and its certificate a follower does not start fetching. */
const SYNC_PATIENCE_MS = 1_500;

export interface CatchingUpParts {
	readonly sync: Sync;
	readonly raft: RaftDriver;
	readonly head: CommittedHead;
	readonly checkpoints: CheckpointFetching;
	readonly verification: TailVerification;
	readonly doubleSigning: DoubleSigning;
	/** The committed head has moved, and everything derived from it. */
	afterHead(): Promise<void>;
}

export class CatchingUp {
	readonly #context: StreetContext;
	readonly #parts: CatchingUpParts;
	#behindSinceMs: number | undefined;
	/** Why, and by whose word. */
	#turnedAway: { code: string; by: string } | undefined;

	constructor(context: StreetContext, parts: CatchingUpParts) {
		this.#context = context;
		this.#parts = parts;
	}

	/** Why the neighbours give this device nothing more, by the word of one; undefined: they do. */
	get turnedAway(): string | undefined {
		return this.#turnedAway?.code;
	}

	/** A neighbour has nothing for this device, and says why. True: it did not know yet what was shown to it. */
	onTurnedAway({ device }: ProvenPeer, code: string): boolean {
		const { checkpoints, sync } = this.#parts;
		// Nobody is told so who has not asked.
		if (!sync.isAsked(device) && !checkpoints.isAsked(device)) {
			this.#context.events.onRefused("unasked-answer");
			return false;
		}
		sync.turnedAway(device);
		checkpoints.gone(device);
		if (code === NOT_A_MEMBER) return true;
		// A device in use stops for nothing that a stranger says.
		const isBelieved = this.#context.device === undefined || this.#context.deviceIndexOf(device) !== undefined;
		if (isBelieved) this.#turnedAway = { code, by: device };
		this.#context.events.onProgress();
		return false;
	}

	/** A device's channel is gone, and its word with it. */
	onGone(device: string): void {
		if (this.#turnedAway?.by === device) this.#turnedAway = undefined;
	}

	/** The head moved: somebody gave something. */
	onHead(): void {
		this.#turnedAway = undefined;
	}

	/** Asks a neighbour that is ahead for the next blocks, unless an answer is under way. */
	maybeRequest(nowMs: number): void {
		const { sync, raft } = this.#parts;
		const { chain, halted, peers } = this.#context;
		// What came could not be kept, and would be asked for again at once.
		if (halted) return;
		const behind = sync.sources.targetIndex - chain.head.block.index;
		if (behind <= 0) {
			this.#behindSinceMs = undefined;
			return;
		}
		this.#behindSinceMs ??= nowMs;
		if (this.#parts.checkpoints.maybeRequest(nowMs)) return;
		// One block behind is the normal way of a block: its certificate is coming, from the leader.
		const isLed = raft.state?.leader !== undefined;
		if (behind === 1 && isLed && nowMs - this.#behindSinceMs < SYNC_PATIENCE_MS) return;
		const request = sync.nextRequest(chain.head, nowMs);
		if (request === undefined) return;
		const peer = peers.toDevice(request.device);
		if (peer === undefined) sync.forget(request.device, nowMs);
		else peers.send(peer, { type: "blocksRequest", fromIndex: request.fromIndex });
	}

	async onBlocks(peer: ProvenPeer, message: BlocksMessage): Promise<void> {
		const { sync, doubleSigning } = this.#parts;
		const { chain, dependencies, peers } = this.#context;
		if (message.certificate !== undefined) await doubleSigning.heard(message.certificate);
		const nowMs = dependencies.clocks.monotonicMs();
		const run = sync.onBlocks(peer.device, message, chain.head, nowMs, (certificate, links) =>
			this.#context.checkCertificate(
				certificate,
				links.map(({ ledger }) => ledger),
			),
		);
		if (!run.ok) {
			sync.distrust(peer.device, nowMs);
			peers.refuse(peer, run.error);
			return;
		}
		if (run.value !== undefined) await this.#install(run.value);
		this.maybeRequest(nowMs);
	}

	/** A run of blocks that its certificate covers becomes the head, and is written. */
	async #install({ blocks: run, certificate }: CertifiedRun): Promise<void> {
		const { raft, head, verification } = this.#parts;
		const links = run.map(({ link }) => link);
		const changesVoters = links.some(({ block }) => voterChangeOf(block) !== undefined);
		const last = links.at(-1);
		assert(last !== undefined, "a certified run has a block");
		const blocks = run.map(({ link, bytes }) => ({ index: link.block.index, record: sealRecord(bytes) }));
		const unverified = verification.blocksOf(links);
		const change: ChainChange = {
			...(unverified.length === 0 ? {} : { unverified: verification.recordWith(unverified) }),
			install: {
				blocks,
				upToIndex: certificate.index,
				certificate: encodeCertificateRecord(certificate),
				keepCertificate: keepCertificateOf(links),
			},
			voterSteps: voterStepsOf(links, certificate),
		};
		const votersCertificate = changesVoters ? certificate : undefined;
		const isWritten = await raft.install({ base: logBaseOf(last), certificate, votersCertificate }, change, () => {
			verification.take(unverified);
			head.install(links, certificate);
		});
		if (isWritten) await this.#parts.afterHead();
	}
}
