/** What is derived from the committed blocks as the head moves up, whichever way they came: agreed upon or fetched. */
import type { Certificate } from "../../block/certificate.js";
import type { Ledger } from "../../contract/ledger.js";
import { assert } from "../../primitives/assert.js";
import type { LocalTimeRule } from "../../primitives/localTime.js";
import type { Link } from "../chain.js";
import { CheckpointKeeper } from "../checkpoints.js";
import { History } from "../history.js";
import { IntervalHistory } from "../intervalHistory.js";
import { LastMinute } from "../lastMinute.js";
import type { ChainObserver, LoadedChain } from "../loading.js";
import { ProofKeeper, type Proven } from "../proofKeeper.js";
import { RecentFlows } from "../recentFlows.js";
import { Statement } from "../statement.js";
import type { ChainChange, StoredDay, StoredIntervals } from "../storage.js";
import type { StreetContext } from "./context.js";
import type { DoubleSigning } from "./doubleSigning.js";
import type { TailVerification } from "./tailVerification.js";

/** So many blocks are known by their hashes. */
const RECENT_BLOCKS = 20;

export interface RecentBlock {
	readonly index: number;
	readonly hash: Uint8Array;
}

/** What the screens read out of the chain: stored with each checkpoint, made again from the blocks above it at a start. */
export class DerivedViews implements ChainObserver {
	readonly history: History;
	readonly intervals: IntervalHistory;
	readonly statement: Statement;
	readonly lastMinute: LastMinute;
	readonly proofs: ProofKeeper;
	readonly flows = new RecentFlows();
	/** The newest blocks, newest first: what came in one step is told apart by them. */
	readonly blocks: RecentBlock[] = [];

	/** `proven`: the blocks whose proofs are written. `onDamaged`: something was damaged that is opened when it is needed. */
	constructor(
		householdKey: Uint8Array,
		localTime: LocalTimeRule,
		proven: Proven | undefined,
		onDamaged: (store: string) => void,
	) {
		this.history = new History(householdKey, () => onDamaged("days"));
		this.intervals = new IntervalHistory(householdKey);
		this.statement = new Statement(householdKey, localTime);
		this.lastMinute = new LastMinute(householdKey);
		this.proofs = new ProofKeeper(householdKey, proven);
	}

	/** Begins with what was derived up to a checkpoint; gives the names of what was damaged and left out. */
	restore(
		days: readonly StoredDay[],
		intervals: readonly StoredIntervals[],
		statement: Uint8Array | undefined,
	): string[] {
		this.history.restore(days);
		const damaged: string[] = [];
		if (!this.intervals.restore(intervals)) damaged.push("intervals");
		if (statement !== undefined && !this.statement.restore(statement)) damaged.push("statement");
		return damaged;
	}

	/** Takes in a committed block; `parent` is the ledger before it. */
	add(parent: Ledger, link: Link): void {
		this.history.add(parent, link);
		this.intervals.add(link);
		this.statement.add(parent, link);
		this.lastMinute.add(link);
		this.proofs.add(parent, link);
		this.flows.add(link);
		this.blocks.unshift({ index: link.block.index, hash: link.hash });
		this.blocks.splice(RECENT_BLOCKS);
	}
}

export class CommittedHead {
	readonly #context: StreetContext;
	readonly #views: DerivedViews;
	readonly #checkpoints: CheckpointKeeper;
	readonly #verification: TailVerification;
	readonly #doubleSigning: DoubleSigning;
	#certificate: Certificate | undefined;
	#votersCertificate: Certificate | undefined;

	constructor(
		context: StreetContext,
		views: DerivedViews,
		verification: TailVerification,
		doubleSigning: DoubleSigning,
		loaded: Pick<LoadedChain, "certificate" | "votersCertificate">,
	) {
		this.#context = context;
		this.#views = views;
		this.#checkpoints = new CheckpointKeeper(views.history, views.statement, views.intervals);
		this.#verification = verification;
		this.#doubleSigning = doubleSigning;
		this.#certificate = loaded.certificate;
		if (loaded.certificate !== undefined) {
			views.proofs.certified(loaded.certificate);
			doubleSigning.certified(loaded.certificate);
		}
		this.#votersCertificate = loaded.votersCertificate;
	}

	/** The newest certificate: the head's, except at genesis or where it was lost. */
	get certificate(): Certificate | undefined {
		return this.#certificate;
	}

	/** The first certificate at or above the voters' last change; none while the founding voters vote. */
	get votersCertificate(): Certificate | undefined {
		return this.#votersCertificate;
	}

	/**
	 * Writes the checkpoint that the head has passed, if it has passed one and all blocks below it are verified: at a start
	 * those that are not are executed again, from a checkpoint below them. With it goes what is proven up to the head, and
	 * in between what has become a page of proofs. True: there is a new checkpoint.
	 */
	async keepCheckpoint(): Promise<boolean> {
		const kept = this.#checkpoints.take(this.#verification.fromIndex);
		const isPassed = kept.checkpoint !== undefined;
		const proofs = this.#views.proofs.take(isPassed);
		if (!isPassed && proofs.proofs === undefined) return false;
		return (await this.#context.write({ ...kept, ...proofs })) && isPassed;
	}

	/** The lowest `count` blocks of the log are certified, and written. */
	commit(count: number, certificate: Certificate): void {
		const { chain } = this.#context;
		this.#certify(certificate);
		for (let i = 0; i < count; i++) {
			const parent = chain.head.ledger;
			this.#absorb(parent, chain.commitNext(), certificate);
		}
	}

	/** A fetched run of certified blocks takes the place of whatever the log held there. */
	install(links: readonly Link[], certificate: Certificate): void {
		const { chain } = this.#context;
		const head = links.at(-1);
		assert(head !== undefined, "a certified run has a block");
		this.#certify(certificate);
		let parent = chain.head.ledger;
		chain.install(head);
		for (const link of links) {
			this.#absorb(parent, link, certificate);
			parent = link.ledger;
		}
	}

	/** What goes with the write that lets the head jump to an index: proofs of what then is gone. */
	proofsBeforeJump(index: number): Pick<ChainChange, "proofs"> {
		return this.#views.proofs.jump(index);
	}

	/** And the days that are not written yet. */
	daysBeforeJump(): Pick<ChainChange, "days" | "hours"> {
		return this.#views.history.takeChangedDays(this.#context.hoursAsked);
	}

	/** What is kept of the household's money, which knows that blocks are missing when the next one comes. */
	derivedBeforeJump(): Uint8Array {
		return this.#views.statement.toRecord();
	}

	/** The head jumps to a certified checkpoint; what lay in between is not known here. */
	jump(link: Link, certificate: Certificate, votersCertificate: Certificate | undefined): void {
		this.#certify(certificate);
		this.#votersCertificate = votersCertificate ?? this.#votersCertificate;
		const { chain, mempool } = this.#context;
		mempool.dropSignedByOthers(chain.head.ledger, link.ledger);
		chain.install(link);
	}

	#certify(certificate: Certificate): void {
		this.#certificate = certificate;
		this.#doubleSigning.certified(certificate);
	}

	#absorb(parent: Ledger, link: Link, certificate: Certificate): void {
		const { mempool, outbox } = this.#context;
		if (link.ledger.votersSinceIndex === link.block.index) this.#votersCertificate = certificate;
		this.#views.add(parent, link);
		if (link.block.index === certificate.index) this.#views.proofs.certified(certificate);
		this.#checkpoints.passed(parent, link, certificate, () => this.#context.hoursAsked);
		mempool.dropSignedByOthers(parent, link.ledger);
		for (const id of this.#context.idsOf(link.block.transactions)) {
			mempool.remove(id);
			if (outbox.has(id)) outbox.confirmed(id, link.block.index);
		}
	}
}
