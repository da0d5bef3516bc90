/**
 * Founding the neighbourhood again, on this device: a majority of the voters is lost for good, somebody proposes a new
 * chain that goes on from the last certified block, and each household says on its own screen whether it goes over.
 *
 * Whoever confirms has first written down that this device votes and acknowledges here no more: nothing can be certified
 * with it above the block that the new chain begins with. Only the proposer seals, and it seals once; so a proposal that
 * its proposer took back can be forgotten, and until then a household confirms no other.
 */
import { encodeBlock } from "../../block/block.js";
import { type ConfirmTransaction, withdrawalDigest } from "../../block/refounding.js";
import { decodeProposal, encodeProposal, MAX_PROPOSAL_BYTES, transactionId } from "../../block/transactionCodec.js";
import { checkCertificate } from "../../consensus/certificate.js";
import { agreementRefusal, confirmationRefusal } from "../../contract/confirmations.js";
import { createRefoundedGenesis, type OpenProposal, openProposal, unsignedSeal } from "../../contract/refounding.js";
import type { ConfirmationsMessage, RefoundingMessage, WithdrawalMessage } from "../../message/message.js";
import { assert } from "../../primitives/assert.js";
import { equalBytes, toHex } from "../../primitives/bytes.js";
import { ZERO_HASH } from "../../primitives/hash.js";
import { type Result, refused } from "../../primitives/result.js";
import type { Link } from "../chain.js";
import { openGenesisLink } from "../loading.js";
import type { Peer } from "../peers.js";
import type { CommandError } from "../protocol.js";
import { isMajority, type PastError, pastRefusal, plannedRefounding, plannedVoters } from "../refoundingPlan.js";
import { encodeRefounding, type RefoundingRecord } from "../refoundingRecord.js";
import { DONE, type Reply } from "../reply.js";
import type { CommittedHead } from "./committedHead.js";
import type { StreetContext } from "./context.js";
import type { RaftDriver } from "./raftDriver.js";

/** A proposal may be stamped so far ahead of this device's clock, in the world's time: as a block may. */
const CLOCK_TOLERANCE_MS = 30_000;

const KEPT_WITHDRAWALS = 16;

/** The new chain's first block, and that it is one. */
export interface Founded {
	readonly bytes: Uint8Array;
	readonly link: Link;
}

export class Refounding {
	readonly #context: StreetContext;
	readonly #raft: RaftDriver;
	readonly #head: CommittedHead;
	/** What this device has promised. */
	#record: RefoundingRecord | undefined;
	#open: OpenProposal | undefined;
	/** By member. */
	readonly #confirmed = new Map<number, ConfirmTransaction>();
	/** Of a block above this device's head: looked at again when the head has moved. */
	#early: { peer: Peer; message: RefoundingMessage } | undefined;
	/** Proposals that were taken back, by id in hex: whoever was away and still speaks of one hears so. */
	readonly #withdrawals = new Map<string, WithdrawalMessage>();
	#founded: Founded | undefined;
	#isDecided = false;
	#isReleased = false;

	constructor(context: StreetContext, raft: RaftDriver, head: CommittedHead) {
		this.#context = context;
		this.#raft = raft;
		this.#head = head;
	}

	/** Takes over what an earlier run promised. */
	restore(record: RefoundingRecord | undefined): void {
		this.#record = record;
		if (record?.stage === "confirmed") {
			const refound = decodeProposal(record.proposal);
			const open = refound.ok ? this.#openProposal(refound.value) : refound;
			assert(open.ok, "a proposal was checked before it was kept");
			this.#open = open.value;
			this.#confirmHere(open.value);
		} else if (record?.stage === "founded") {
			this.#founded = this.#openGenesis(record.genesis);
		} else if (record?.stage === "withdrawn") {
			const { proposal, signature } = record;
			this.#withdrawals.set(toHex(proposal), { type: "withdrawal", proposal, signature });
		}
	}

	// ── what is seen from outside ────────────────────────────────────────────────────────────────────────────────

	/** Whether this device votes and acknowledges here no more. */
	get standsAside(): boolean {
		return this.#record?.stage === "confirmed" || this.#record?.stage === "founded";
	}

	/** The proposal that lies here, and who confirmed it as far as this device knows. */
	get proposed(): { open: OpenProposal; confirmed: ReadonlySet<number> } | undefined {
		return this.#open === undefined ? undefined : { open: this.#open, confirmed: new Set(this.#confirmed.keys()) };
	}

	/** The chain that the neighbourhood was founded again with, while this household has not gone over. */
	get founded(): Founded | undefined {
		return this.#founded;
	}

	/** The chain that this household goes over to now. */
	get decided(): Founded | undefined {
		return this.#isDecided ? this.#founded : undefined;
	}

	/** A proposal was taken back: this device may vote again, from a new start on. */
	get isReleased(): boolean {
		return this.#isReleased;
	}

	/** Whether a majority of the voters is here: then there is no reason to found anything again. */
	get hasMajority(): boolean {
		const { voters } = this.#context.chain.head.ledger;
		return isMajority(voters, (voter) => this.#isReached(voter));
	}

	/** Who would vote if this device proposed now. Device indices. */
	get plannedVoters(): number[] {
		return plannedVoters(this.#context.chain.head.ledger, this.#context.device, (device) => this.#isReached(device));
	}

	#isReached(device: number): boolean {
		const { device: self, peers } = this.#context;
		return device === self || peers.toDevice(this.#context.deviceNameOf(device)) !== undefined;
	}

	// ── what a person asks for ───────────────────────────────────────────────────────────────────────────────────

	/** Proposes to go on from this device's committed head, and confirms it for this household. */
	async propose(): Promise<Reply> {
		const { chain, config, dependencies, halted, member } = this.#context;
		if (member === undefined) return refused({ code: "not-a-member" });
		if (halted) return refused({ code: "storage-write-failed" });
		if (this.#founded !== undefined) return refused({ code: "refounding-done" });
		if (this.#open !== undefined) return refused({ code: "refounding-open" });
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
		const signature = dependencies.signer.sign(transactionId(unsigned, ZERO_HASH), config.keys.householdSecret);
		const proposal = encodeProposal({ ...unsigned, signature });
		if (proposal.length > MAX_PROPOSAL_BYTES) {
			return refused({ code: "state-too-large", bytes: proposal.length, limit: MAX_PROPOSAL_BYTES });
		}
		const open = this.#openProposal({ ...unsigned, signature });
		assert(open.ok, `a proposal that was just made is good: ${open.ok ? "" : open.error.code}`);
		return this.#promise(open.value, proposal, true);
	}

	/** This household goes over: with the proposal that is named, as soon as enough have confirmed it; or at once. */
	async confirm(proposal: string): Promise<Reply> {
		const { halted, member } = this.#context;
		if (member === undefined) return refused({ code: "not-a-member" });
		if (halted) return refused({ code: "storage-write-failed" });
		const founded = this.#founded?.link.ledger.predecessor;
		if (founded !== undefined) {
			if (toHex(founded.proposal) !== proposal) return refused({ code: "refounding-gone" });
			this.#isDecided = true;
			return DONE;
		}
		const open = this.#open;
		if (open === undefined || toHex(open.proposal) !== proposal) return refused({ code: "refounding-gone" });
		if (this.standsAside) return DONE;
		if (this.hasMajority) return refused({ code: "majority-reached" });
		const past = this.#pastRefusal(open);
		if (past !== undefined) return refused({ ...past });
		return this.#promise(open, encodeProposal(open.refound), false);
	}

	/** Takes this household's own proposal back: nobody is bound by it any more. */
	async withdraw(): Promise<Reply> {
		const open = this.#open;
		const { config, dependencies, gridId, member } = this.#context;
		if (open === undefined || this.#founded !== undefined) return refused({ code: "refounding-gone" });
		if (open.refound.member !== member) return refused({ code: "not-your-proposal" });
		const { proposal } = open;
		const digest = withdrawalDigest(gridId, proposal);
		const signature = dependencies.signer.sign(digest, config.keys.householdSecret);
		const stoodAside = this.standsAside;
		if (!(await this.#keep({ stage: "withdrawn", proposal, signature }))) {
			return refused({ code: "storage-write-failed" });
		}
		this.#withdrawn({ type: "withdrawal", proposal, signature });
		this.#forget(stoodAside);
		return DONE;
	}

	/** Written before anybody hears of it: from then on this device has no part in what the old chain decides. */
	async #promise(open: OpenProposal, proposal: Uint8Array, isProposer: boolean): Promise<Reply> {
		if (!(await this.#keep({ stage: "confirmed", isProposer, proposal }))) {
			return refused({ code: "storage-write-failed" });
		}
		this.#raft.retire();
		this.#open = open;
		this.#confirmHere(open);
		const confirmations = [...this.#confirmed.values()];
		this.#context.peers.broadcast({ type: "refounding", proposal, confirmations });
		this.#seal();
		return DONE;
	}

	#confirmHere({ proposal }: OpenProposal): void {
		const { config, dependencies, member } = this.#context;
		assert(member !== undefined, "only a member's household confirms");
		const unsigned = { kind: "confirm" as const, member, proposal };
		const digest = transactionId(unsigned, ZERO_HASH);
		const signature = dependencies.signer.sign(digest, config.keys.householdSecret);
		this.#confirmed.set(member, { ...unsigned, signature });
	}

	async #keep(record: RefoundingRecord | undefined): Promise<boolean> {
		if (!(await this.#context.write({ refounding: encodeRefounding(record) }))) return false;
		this.#record = record;
		return true;
	}

	/** The proposer's last word: the genesis, as soon as enough households have confirmed. */
	#seal(): void {
		const open = this.#open;
		if (open === undefined || this.#record?.stage !== "confirmed" || !this.#record.isProposer) return;
		if (agreementRefusal(open.old.ledger, open.refound, new Set(this.#confirmed.keys())) !== undefined) return;
		const { config, dependencies } = this.#context;
		const confirms = [...this.#confirmed.values()].sort((a, b) => a.member - b.member);
		const unsigned = unsignedSeal(open, confirms);
		const digest = transactionId(unsigned, ZERO_HASH);
		const signature = dependencies.signer.sign(digest, config.keys.householdSecret);
		const founded = this.#openGenesis(encodeBlock(createRefoundedGenesis(open, confirms, { ...unsigned, signature })));
		assert(founded !== undefined, "a genesis that was just sealed is good");
		this.#founded = founded;
		this.#isDecided = true;
	}

	// ── what neighbours say ──────────────────────────────────────────────────────────────────────────────────────

	/** A neighbour is here: it hears what there is. */
	tell(peer: Peer): void {
		const { peers } = this.#context;
		if (this.#founded !== undefined) {
			peers.send(peer, { type: "genesis", block: this.#founded.bytes });
		} else if (this.#open !== undefined) {
			const proposal = encodeProposal(this.#open.refound);
			peers.send(peer, { type: "refounding", proposal, confirmations: [...this.#confirmed.values()] });
		}
	}

	async onRefounding(peer: Peer, message: RefoundingMessage): Promise<void> {
		if (this.#founded !== undefined) return;
		const known = this.#open === undefined ? undefined : encodeProposal(this.#open.refound);
		if (known === undefined || !equalBytes(known, message.proposal)) {
			const open = this.#look(peer, message);
			if (open === undefined || !(await this.#take(open))) return;
		}
		await this.#addConfirmations(message.confirmations);
	}

	async onConfirmations({ confirmations }: ConfirmationsMessage): Promise<void> {
		if (this.#founded === undefined) await this.#addConfirmations(confirmations);
	}

	/** A proposal from outside that is good and goes on from where this device stands. */
	#look(peer: Peer, message: RefoundingMessage): OpenProposal | undefined {
		const refound = decodeProposal(message.proposal);
		const open = refound.ok ? this.#openProposal(refound.value) : refound;
		if (!open.ok) {
			this.#context.events.onRefused(open.error.code);
			return undefined;
		}
		const { header } = open.value.old;
		const past = this.#pastRefusal(open.value);
		if (past === undefined && header.index > this.#context.chain.head.block.index) {
			// The neighbours have the blocks in between; they come as all blocks do.
			this.#early = { peer, message };
			return undefined;
		}
		const withdrawal = this.#withdrawals.get(toHex(open.value.proposal));
		if (withdrawal !== undefined) {
			this.#context.peers.send(peer, withdrawal);
			return undefined;
		}
		const code = past?.code ?? (this.#isAhead(open.value) ? "refounding-ahead-of-clock" : undefined);
		if (code !== undefined) this.#context.events.onRefused(code);
		return code === undefined ? open.value : undefined;
	}

	#isAhead({ refound }: OpenProposal): boolean {
		const { chain, dependencies } = this.#context;
		const toleranceMs = CLOCK_TOLERANCE_MS * chain.head.ledger.parameters.timeScale;
		return refound.timestampMs > dependencies.clocks.chainMs() + toleranceMs;
	}

	/** Whether a proposal takes the place of the one that lies here. */
	async #take(open: OpenProposal): Promise<boolean> {
		const before = this.#open;
		const isLater = before === undefined || isAfter(open, before);
		if (!isLater) return false;
		if (this.standsAside) {
			// Whoever proposes anew has taken back what it proposed before; nobody else can release this household.
			if (before?.refound.member !== open.refound.member) {
				this.#context.events.onRefused("refounding-open");
				return false;
			}
			if (!(await this.#keep(undefined))) return false;
			this.#isReleased = true;
		}
		this.#confirmed.clear();
		this.#open = open;
		this.#context.events.onProgress();
		return true;
	}

	/** Keeps what is new and good, and passes it on. */
	async #addConfirmations(confirmations: readonly ConfirmTransaction[]): Promise<void> {
		const open = this.#open;
		if (open === undefined) return;
		const { dependencies, events, member, peers } = this.#context;
		const fresh: ConfirmTransaction[] = [];
		for (const confirm of confirmations) {
			if (this.#confirmed.has(confirm.member)) continue;
			const refusal = confirmationRefusal(open.old.ledger, open.proposal, confirm, dependencies.verifier);
			if (refusal === undefined) {
				this.#confirmed.set(confirm.member, confirm);
				fresh.push(confirm);
			} else {
				events.onRefused(refusal.code);
			}
		}
		if (fresh.length === 0) return;
		// Another device of this household has confirmed: that binds this one.
		if (fresh.some((confirm) => confirm.member === member) && !this.standsAside) {
			await this.#promise(open, encodeProposal(open.refound), false);
		}
		peers.broadcast({ type: "confirmations", confirmations: fresh });
		events.onProgress();
		this.#seal();
	}

	async onWithdrawal(withdrawal: WithdrawalMessage): Promise<void> {
		const { proposal, signature } = withdrawal;
		const open = this.#open;
		if (open === undefined || this.#founded !== undefined || !equalBytes(open.proposal, proposal)) return;
		const { dependencies, events, gridId } = this.#context;
		const proposer = open.old.ledger.households[open.refound.member];
		const digest = withdrawalDigest(gridId, proposal);
		if (proposer === undefined || !dependencies.verifier.verify(signature, digest, proposer.publicKey)) {
			events.onRefused("bad-signature");
			return;
		}
		const stoodAside = this.standsAside;
		if (stoodAside && !(await this.#keep(undefined))) return;
		this.#withdrawn(withdrawal);
		this.#forget(stoodAside);
	}

	#withdrawn(withdrawal: WithdrawalMessage): void {
		const [oldest] = this.#withdrawals.keys();
		if (oldest !== undefined && this.#withdrawals.size >= KEPT_WITHDRAWALS) this.#withdrawals.delete(oldest);
		this.#withdrawals.set(toHex(withdrawal.proposal), withdrawal);
		this.#context.peers.broadcast(withdrawal);
	}

	#forget(stoodAside: boolean): void {
		this.#isReleased ||= stoodAside;
		this.#open = undefined;
		this.#confirmed.clear();
		this.#context.events.onProgress();
	}

	/**
	 * A genesis of a chain that goes on from this one. From its arrival on this device takes no part here any more; its
	 * household is asked, unless it has confirmed already. Gives a code where the genesis is none of that.
	 */
	async onGenesis(bytes: Uint8Array): Promise<string | undefined> {
		if (this.#founded !== undefined) return undefined;
		const founded = this.#openGenesis(bytes);
		const [refound] = founded?.link.block.transactions ?? [];
		const predecessor = founded?.link.ledger.predecessor;
		if (founded === undefined || predecessor === undefined || refound?.kind !== "refound") return "foreign-genesis";
		const { chain, events, gridId, member } = this.#context;
		const past = pastRefusal(refound, predecessor, chain.head, gridId);
		if (past !== undefined) {
			if (past.code === "refounding-below-certified") events.onFault({ ...past });
			return past.code;
		}
		const isOwn = this.#record?.stage === "confirmed" && this.#open !== undefined && this.#isOf(founded, this.#open);
		const isConfirmed = isOwn || (member !== undefined && !predecessor.unconfirmed.includes(member));
		if (!isConfirmed && !(await this.#keep({ stage: "founded", genesis: bytes }))) return "storage-write-failed";
		this.#raft.retire();
		this.#founded = founded;
		this.#isDecided = isConfirmed;
		events.onProgress();
		return undefined;
	}

	#isOf({ link }: Founded, { proposal }: OpenProposal): boolean {
		return link.ledger.predecessor !== undefined && equalBytes(link.ledger.predecessor.proposal, proposal);
	}

	/** The committed head moved: what waited for it is looked at again. */
	async onHead(): Promise<void> {
		const early = this.#early;
		this.#early = undefined;
		if (early !== undefined) await this.onRefounding(early.peer, early.message);
		const open = this.#open;
		// The old chain went on: its voters are not lost. A household that confirmed waits for the proposer's word.
		if (open === undefined || this.#pastRefusal(open) === undefined) return;
		if (open.refound.member === this.#context.member) await this.withdraw();
		else if (!this.standsAside) this.#forget(false);
	}

	// ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────

	#pastRefusal({ refound, old }: OpenProposal): PastError | undefined {
		const { chain, gridId } = this.#context;
		return pastRefusal(refound, { index: old.header.index, hash: old.hash }, chain.head, gridId);
	}

	#openProposal(refound: OpenProposal["refound"]): Result<OpenProposal, CommandError> {
		const open = openProposal(refound, this.#context.dependencies.verifier, checkCertificate);
		return open.ok ? open : refused({ code: open.error.code });
	}

	#openGenesis(bytes: Uint8Array): Founded | undefined {
		const link = openGenesisLink(bytes, this.#context.dependencies.verifier);
		return link === undefined ? undefined : { bytes, link };
	}
}

/** Of two proposals the later one, and of two at one time either, but the same one everywhere. */
function isAfter(a: OpenProposal, b: OpenProposal): boolean {
	const { timestampMs } = b.refound;
	if (a.refound.timestampMs !== timestampMs) return a.refound.timestampMs > timestampMs;
	return toHex(a.proposal) > toHex(b.proposal);
}
