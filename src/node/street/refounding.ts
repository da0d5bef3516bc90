/**
 * Founding the neighbourhood again, on this device: a majority of the voters is lost for good, somebody proposes a new
 * chain that goes on from the last certified block, and each household says on its own screen whether it goes over.
 *
 * Whoever confirms has first written down that this device votes and acknowledges here no more: nothing can be certified
 * with it above the block that the new chain begins with. Only the device that proposed seals, and it seals once, and only
 * that device takes a proposal back; so one that was taken back can be forgotten, and until then a household confirms no
 * other. Where that device is lost for good everybody would be bound for ever: then a person says so, and answers for
 * that. Of its own household on another device of it, which takes the proposal back for all; or each household that has
 * confirmed for itself, where nobody has the proposer's key any more.
 */
import { blockHash, decodeBlock, encodeBlock } from "../../block/block.js";
import { transactionId } from "../../block/transaction.js";
import { encodeProposal, MAX_PROPOSAL_BYTES } from "../../block/transactionCodec.js";
import { hasMajority } from "../../consensus/quorum.js";
import { agreementRefusal } from "../../contract/confirmations.js";
import { createRefoundedGenesis, type OpenProposal, unsignedSeal } from "../../contract/refounding.js";
import { partyRefusal } from "../../contract/standing.js";
import type { ConfirmationsMessage, RefoundingMessage, WithdrawalMessage } from "../../message/message.js";
import { assert } from "../../primitives/assert.js";
import { equalBytes, toHex } from "../../primitives/bytes.js";
import { ZERO_HASH } from "../../primitives/hash.js";
import { refused } from "../../primitives/result.js";
import type { Link } from "../chain.js";
import { openGenesisLink } from "../loading.js";
import type { Peer } from "../peers.js";
import { pastRefusal, plannedRefounding, plannedVoters } from "../refoundingPlan.js";
import { encodeRefounding, type RefoundingRecord } from "../refoundingRecord.js";
import { DONE, type Reply } from "../reply.js";
import { Ballot } from "./ballot.js";
import type { CommittedHead } from "./committedHead.js";
import type { ProvenPeer, StreetContext } from "./context.js";
import type { Presence } from "./presence.js";
import type { RaftDriver } from "./raftDriver.js";

/** Of what one household proposes again and again, so much passes through this device: each is long, and goes to many. */
const HAND_ON_MS = 10_000;

/** The new chain's first block, and that it is one. */
export interface Founded {
	readonly bytes: Uint8Array;
	readonly link: Link;
}

export class Refounding {
	readonly #context: StreetContext;
	readonly #raft: RaftDriver;
	readonly #head: CommittedHead;
	readonly #presence: Pick<Presence, "isSurelyHere" | "mayVote">;
	readonly #ballot: Ballot;
	/** What this device has promised. */
	#record: RefoundingRecord | undefined;
	#founded: Founded | undefined;
	#isDecided = false;
	#isReleased = false;
	/** What each channel's device was told in full. */
	readonly #told = new WeakMap<Peer, OpenProposal | Founded>();
	/** What is to be handed on, and who said it. */
	#unpassed: { open: OpenProposal; from: string | undefined } | undefined;
	/** When a proposal of a household was last handed on, monotonic ms; by member. */
	readonly #passedMs = new Map<number, number>();

	constructor(
		context: StreetContext,
		raft: RaftDriver,
		head: CommittedHead,
		presence: Pick<Presence, "isSurelyHere" | "mayVote">,
	) {
		this.#context = context;
		this.#raft = raft;
		this.#head = head;
		this.#presence = presence;
		this.#ballot = new Ballot(context);
	}

	/** Takes over what an earlier run promised. */
	restore(record: RefoundingRecord | undefined): void {
		this.#record = record;
		if (record?.stage === "founded") {
			this.#founded = this.#openGenesis(record.genesis);
			this.#isDecided = this.#founded !== undefined && this.#isConfirmedIn(this.#founded);
			return;
		}
		for (const withdrawal of record?.withdrawals ?? []) this.#ballot.remember({ type: "withdrawal", ...withdrawal });
		for (const proposal of record?.released ?? []) this.#ballot.release(proposal);
		if (record?.stage === "confirmed") {
			const open = this.#ballot.openBytes(record.proposal);
			// An earlier version took what is none any more: its household has promised all the same, and stands aside.
			if (!open.ok) return;
			this.#ballot.put(open.value);
			const { confirmation } = record;
			if (confirmation !== undefined) this.#ballot.confirm(confirmation);
			// Kept by a version that signed it anew at each start. Where that cannot be, the neighbours have it.
			else if (!this.#context.household.isLocked)
				this.#ballot.confirm(this.#ballot.confirmationOf(open.value).signature);
		}
	}

	// ── what is seen from outside ────────────────────────────────────────────────────────────────────────────────

	/** Whether this device votes and acknowledges here no more. */
	get standsAside(): boolean {
		return this.#record?.stage === "confirmed" || this.#record?.stage === "founded";
	}

	/** The proposal that lies here, and who confirmed it as far as this device knows. */
	get proposed(): { open: OpenProposal; confirmed: ReadonlySet<number> } | undefined {
		const { confirmed, open } = this.#ballot;
		return open === undefined ? undefined : { open, confirmed };
	}

	/** The chain that the neighbourhood was founded again with, while this household has not gone over. */
	get founded(): Founded | undefined {
		return this.#founded;
	}

	/** The chain that this household goes over to now. */
	get decided(): Founded | undefined {
		return this.#isDecided ? this.#founded : undefined;
	}

	/** Another device of this household proposed it, and may have sealed it where this one could not hear of it. */
	get isProposedElsewhere(): boolean {
		const { open } = this.#ballot;
		return open !== undefined && open.refound.member === this.#context.member && !this.#isProposer;
	}

	/** A proposal was taken back: this device may vote again, from a new start on. */
	get isReleased(): boolean {
		return this.#isReleased;
	}

	/** Whether a majority of the voters is here, and votes: then there is no reason to found anything again. */
	get hasMajority(): boolean {
		return hasMajority(this.#context.chain.head.ledger.voters, (voter) => this.#presence.mayVote(voter));
	}

	/** Who would vote if this device proposed now. Device indices. */
	get plannedVoters(): number[] {
		return plannedVoters(this.#context.chain.head.ledger, this.#context.device, (device) =>
			this.#presence.isSurelyHere(device),
		);
	}

	/** Whether this device made the proposal that lies here: it seals it or takes it back. */
	get #isProposer(): boolean {
		return this.#record?.stage === "confirmed" && this.#record.isProposer;
	}

	/** Whether enough have confirmed this device's proposal: its household's key is needed once more. */
	get awaitsSeal(): boolean {
		const { confirmed, open } = this.#ballot;
		if (open === undefined || !this.#isProposer) return false;
		return agreementRefusal(open.old.ledger, open.refound, confirmed) === undefined;
	}

	// ── what a person asks for ───────────────────────────────────────────────────────────────────────────────────

	/** Proposes to go on from this device's committed head, and confirms it for this household. */
	async propose(): Promise<Reply> {
		const { chain, dependencies, household, member } = this.#context;
		if (member === undefined) return refused({ code: "not-a-member" });
		const out = partyRefusal(chain.head.ledger, member);
		if (out !== undefined) return refused({ ...out });
		if (household.isLocked) return LOCKED;
		if (this.#founded !== undefined) return refused({ code: "refounding-done" });
		if (this.isProposedElsewhere) return refused({ code: ELSEWHERE });
		if (this.#ballot.open !== undefined) return refused({ code: "refounding-open" });
		if (this.hasMajority) return refused({ code: "majority-reached" });
		const { certificate } = this.#head;
		if (certificate === undefined || certificate.index !== chain.head.block.index) {
			return refused({ code: "nothing-certified" });
		}
		const voters = this.plannedVoters;
		if (voters.length === 0) return refused({ code: "no-device-to-vote" });
		const timestampMs = this.#context.judgingMs();
		const choice = { member, voters, timestampMs, salt: dependencies.randomBytes(16) };
		const unsigned = plannedRefounding(chain.head, certificate, choice);
		const signature = household.sign(transactionId(unsigned, ZERO_HASH));
		const { length: bytes } = encodeProposal({ ...unsigned, signature });
		if (bytes > MAX_PROPOSAL_BYTES) return refused({ code: "state-too-large", bytes, limit: MAX_PROPOSAL_BYTES });
		const open = this.#ballot.openProposal({ ...unsigned, signature });
		assert(open.ok, `a proposal that was just made is good: ${open.ok ? "" : open.error.code}`);
		return this.#promise(open.value, true);
	}

	/** This household goes over: with the proposal that is named, as soon as enough have confirmed it; or at once. */
	async confirm(proposal: string): Promise<Reply> {
		if (this.#context.member === undefined) return refused({ code: "not-a-member" });
		const founded = this.#founded?.link.ledger.predecessor;
		const { open } = this.#ballot;
		const named = founded ?? open;
		if (named === undefined || toHex(named.proposal) !== proposal) return refused({ code: "refounding-gone" });
		if (founded !== undefined) {
			this.#isDecided = true;
			return DONE;
		}
		if (open === undefined || this.standsAside) return DONE;
		if (this.#context.household.isLocked) return LOCKED;
		if (this.hasMajority) return refused({ code: "majority-reached" });
		const past = this.#ballot.pastRefusal(open);
		return past === undefined ? this.#promise(open, false) : refused({ ...past });
	}

	/**
	 * Takes this household's own proposal back: nobody is bound by it any more. `proposerIsLost`: a person says that the
	 * device which made it will never come back. No device can know that; where it is wrong, there may be two new chains.
	 * Another household's proposal is then not waited for any more, here.
	 */
	async withdraw(proposerIsLost: boolean): Promise<Reply> {
		const { open } = this.#ballot;
		if (this.#founded !== undefined || open === undefined) return refused({ code: "refounding-gone" });
		if (this.#isProposer || (this.isProposedElsewhere && proposerIsLost)) {
			const withdrawal = this.#keptWithdrawal(open);
			if (withdrawal === undefined && this.#context.household.isLocked) return LOCKED;
			return (await this.#takeBack(withdrawal ?? this.#ballot.signWithdrawal(open))) ? DONE : WRITE_FAILED;
		}
		if (this.isProposedElsewhere) return refused({ code: ELSEWHERE });
		if (!proposerIsLost || !this.standsAside) return refused({ code: "not-your-proposal" });
		return (await this.#release(open)) ? DONE : WRITE_FAILED;
	}

	#keptWithdrawal({ proposal }: OpenProposal): WithdrawalMessage | undefined {
		const signature = this.#record?.stage === "confirmed" ? this.#record.withdrawal : undefined;
		return signature === undefined ? undefined : { type: "withdrawal", proposal, signature };
	}

	/** Written before anybody hears of it: from then on this device has no part in what the old chain decides. */
	async #promise(open: OpenProposal, isProposer: boolean): Promise<Reply> {
		const proposal = encodeProposal(open.refound);
		const { past } = this.#ballot;
		const { signature: confirmation } = this.#ballot.confirmationOf(open);
		const withdrawal = isProposer ? this.#ballot.signWithdrawal(open).signature : undefined;
		const record: RefoundingRecord = { stage: "confirmed", isProposer, proposal, confirmation, withdrawal, ...past };
		if (!(await this.#keep(record))) return WRITE_FAILED;
		this.#raft.retire();
		this.#ballot.put(open);
		this.#ballot.confirm(confirmation);
		const message = isProposer ? this.#ballot.toMessage() : undefined;
		// The neighbours have the proposal, or hear of it with the next hello: it is long.
		const { confirmations } = this.#ballot;
		const { entitlement, peers } = this.#context;
		peers.broadcast(message ?? { type: "confirmations", confirmations }, (device) => entitlement.hasAll(device));
		await this.#seal();
		return DONE;
	}

	async #keep(record: RefoundingRecord): Promise<boolean> {
		if (!(await this.#context.write({ refounding: encodeRefounding(record) }))) return false;
		this.#record = record;
		return true;
	}

	/**
	 * The proposer's last word: the genesis, as soon as enough households have confirmed. Written before anybody hears of
	 * it: the new chain's database may be refused, and after another start this device could seal or withdraw once more.
	 */
	async #seal(): Promise<void> {
		const { confirmations, open } = this.#ballot;
		if (open === undefined || !this.awaitsSeal || this.#context.household.isLocked) return;
		const unsigned = unsignedSeal(open, confirmations);
		const signature = this.#context.household.sign(transactionId(unsigned, ZERO_HASH));
		const genesis = createRefoundedGenesis(open, confirmations, { ...unsigned, signature });
		const founded = this.#openGenesis(encodeBlock(genesis));
		assert(founded !== undefined, "a genesis that was just sealed is good");
		if (!(await this.#keep({ stage: "founded", genesis: founded.bytes }))) return;
		this.#founded = founded;
		this.#isDecided = true;
	}

	/** The household's key was opened: what waited for it goes on. */
	async onUnlocked(): Promise<void> {
		await this.onHead();
		await this.#seal();
	}

	// ── what neighbours say ──────────────────────────────────────────────────────────────────────────────────────

	/** A neighbour is here: it hears what there is, once, however often it says so. */
	tell(peer: ProvenPeer): void {
		const { entitlement, peers } = this.#context;
		const news = this.#founded ?? this.#ballot.open;
		// It holds the whole state.
		if (!entitlement.hasAll(peer.device) || news === undefined || this.#told.get(peer) === news) return;
		this.#told.set(peer, news);
		const message = this.#ballot.toMessage();
		if (this.#founded !== undefined) peers.send(peer, { type: "genesis", block: this.#founded.bytes });
		else if (message !== undefined) peers.send(peer, message);
	}

	async onRefounding(peer: Peer, message: RefoundingMessage): Promise<void> {
		if (this.#founded !== undefined) return;
		const before = this.#ballot.open;
		const open = this.#ballot.look(peer, message);
		if (open === undefined || !this.#take(open)) return;
		if (this.#ballot.open !== before) this.#unpassed = { open, from: peer.device };
		this.handOn();
		await this.#add(message.confirmations);
	}

	/**
	 * Where not everybody is connected with everybody a proposal has to be handed on, long as it is. A household that
	 * proposes anew soon after waits for it: only the newest of what it has said by then goes on.
	 */
	handOn(): void {
		const { dependencies, entitlement, isFullMesh, peers } = this.#context;
		if (this.#unpassed === undefined) return;
		const { open, from } = this.#unpassed;
		const { member } = open.refound;
		const nowMs = dependencies.clocks.monotonicMs();
		const isHere = this.#ballot.open === open && this.#founded === undefined;
		if (isHere && nowMs - (this.#passedMs.get(member) ?? Number.NEGATIVE_INFINITY) < HAND_ON_MS) return;
		this.#unpassed = undefined;
		const message = this.#ballot.toMessage();
		if (!isHere || isFullMesh || message === undefined) return;
		this.#passedMs.set(member, nowMs);
		peers.broadcast(message, (device) => device !== from && entitlement.hasAll(device));
	}

	async onConfirmations({ confirmations }: ConfirmationsMessage): Promise<void> {
		if (this.#founded === undefined) await this.#add(confirmations);
	}

	/**
	 * Whether a proposal lies here from now on: in place of none, or of an earlier one. Whoever confirmed is released by a
	 * withdrawal alone. That the same household proposes anew is none: it may be another device of it, which knows nothing
	 * of the first one's seal.
	 */
	#take(open: OpenProposal): boolean {
		if (this.#ballot.open === open) return true;
		if (!this.#ballot.isAfter(open)) return false;
		if (this.standsAside) {
			this.#context.events.onRefused("refounding-open");
			return false;
		}
		this.#ballot.put(open);
		this.#context.events.onProgress();
		return true;
	}

	/** Keeps what is new and good, and passes it on. */
	async #add(confirmations: readonly ConfirmationsMessage["confirmations"][number][]): Promise<void> {
		const fresh = this.#ballot.add(confirmations);
		const { entitlement, events, member, peers } = this.#context;
		const { open } = this.#ballot;
		if (fresh.length === 0 || open === undefined) return;
		peers.broadcast({ type: "confirmations", confirmations: fresh }, (device) => entitlement.hasAll(device));
		events.onProgress();
		// Another device of this household has confirmed: that binds this one.
		const isOurs = fresh.some((confirm) => confirm.member === member);
		if (isOurs && !this.standsAside) await this.#promise(open, false);
		else await this.#seal();
	}

	async onWithdrawal(withdrawal: WithdrawalMessage): Promise<void> {
		if (this.#founded === undefined && this.#ballot.isWithdrawnBy(withdrawal)) await this.#takeBack(withdrawal);
	}

	/** Kept through whatever is promised next: who was away when a proposal was taken back is bound until it hears so. */
	async #takeBack(withdrawal: WithdrawalMessage): Promise<boolean> {
		this.#ballot.remember(withdrawal);
		if (!(await this.#unbind())) return false;
		this.#context.peers.broadcast(withdrawal);
		return true;
	}

	/** This household's yes holds no more on this device; the neighbours still have it. */
	#release({ proposal }: OpenProposal): Promise<boolean> {
		this.#ballot.release(proposal);
		return this.#unbind();
	}

	async #unbind(): Promise<boolean> {
		const stoodAside = this.standsAside;
		if (!(await this.#keep({ stage: "withdrawn", ...this.#ballot.past }))) return false;
		this.#ballot.forget();
		this.#isReleased ||= stoodAside;
		this.#context.events.onProgress();
		return true;
	}

	/**
	 * A genesis of a chain that goes on from this one. From its arrival on this device takes no part here any more; its
	 * household is asked, unless it has confirmed already. Gives a code where the genesis is none of that.
	 */
	async onGenesis(peer: Peer, bytes: Uint8Array): Promise<string | undefined> {
		// Who came as a guest asked everybody for the genesis that this device has now: the later answers are no news.
		if (this.#founded !== undefined || isGenesisOf(bytes, this.#context.gridId)) return undefined;
		const founded = this.#openGenesis(bytes);
		const [refound] = founded?.link.block.transactions ?? [];
		const predecessor = founded?.link.ledger.predecessor;
		if (founded === undefined || predecessor === undefined || refound?.kind !== "refound") return "foreign-genesis";
		const { chain, events, gridId } = this.#context;
		const past = pastRefusal(refound, predecessor, chain.head, gridId);
		if (past !== undefined) {
			if (past.code === "refounding-below-certified") events.onFault({ ...past });
			return past.code;
		}
		const { open } = this.#ballot;
		const isOurs = this.standsAside && open !== undefined && equalBytes(open.proposal, predecessor.proposal);
		if (!isOurs && !(await this.#keep({ stage: "founded", genesis: bytes }))) return "storage-write-failed";
		this.#raft.retire();
		this.#founded = founded;
		this.#isDecided = isOurs || this.#isConfirmedIn(founded);
		// Once at most: what enough households have confirmed is final here.
		const { entitlement, isFullMesh, peers } = this.#context;
		const isFor = (device: string) => device !== peer.device && entitlement.hasAll(device);
		if (!isFullMesh) peers.broadcast({ type: "genesis", block: bytes }, isFor);
		events.onProgress();
		return undefined;
	}

	/** Whether this household has said yes already, here or on another device of it. */
	#isConfirmedIn({ link }: Founded): boolean {
		const { member } = this.#context;
		return member !== undefined && link.ledger.predecessor?.unconfirmed.includes(member) === false;
	}

	/** The committed head moved: what waited for it is looked at again. */
	async onHead(): Promise<void> {
		// Who may have it from now on hears what lay here already.
		for (const peer of this.#context.peers.authenticated()) this.tell(peer);
		const early = this.#ballot.takeEarly();
		if (early !== undefined) await this.onRefounding(early.peer, early.message);
		const { open } = this.#ballot;
		// The old chain went on: its voters are not lost. Whoever confirmed waits for the word of the device that proposed.
		if (open === undefined || this.#ballot.pastRefusal(open) === undefined) return;
		if (this.#isProposer) await this.withdraw(false);
		else if (!this.standsAside) this.#ballot.forget();
	}

	#openGenesis(bytes: Uint8Array): Founded | undefined {
		const link = openGenesisLink(bytes, this.#context.dependencies.verifier);
		return link === undefined ? undefined : { bytes, link };
	}
}

function isGenesisOf(bytes: Uint8Array, gridId: Uint8Array): boolean {
	const block = decodeBlock(bytes, ZERO_HASH);
	return block.ok && equalBytes(blockHash(block.value), gridId);
}

const ELSEWHERE = "proposed-on-another-device";
const WRITE_FAILED: Reply = refused({ code: "storage-write-failed" });
const LOCKED: Reply = refused({ code: "locked" });
