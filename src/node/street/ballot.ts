/**
 * The proposal to found the neighbourhood again that lies here, and who has confirmed it. Everything that comes from
 * neighbours is checked here; what this device promises about it is `refounding`'s part.
 */
import type { ConfirmTransaction, RefoundTransaction } from "../../block/kinds/founding.js";
import { withdrawalDigest } from "../../block/refounding.js";
import type { Unsigned } from "../../block/transaction.js";
import { transactionId } from "../../block/transaction.js";
import { decodeProposal, encodeProposal } from "../../block/transactionCodec.js";
import { checkCertificate } from "../../consensus/certificate.js";
import { confirmationRefusal } from "../../contract/confirmations.js";
import { type OpenProposal, openProposal } from "../../contract/refounding.js";
import type { RefoundingMessage, WithdrawalMessage } from "../../message/message.js";
import { assert } from "../../primitives/assert.js";
import { equalBytes, toHex } from "../../primitives/bytes.js";
import { ZERO_HASH } from "../../primitives/hash.js";
import type { Result } from "../../primitives/result.js";
import type { Peer } from "../peers.js";
import { type PastError, pastRefusal } from "../refoundingPlan.js";
import type { StreetContext } from "./context.js";

/** A proposal may be stamped so far ahead of this device's clock, in the world's time: as a block may. */
const CLOCK_TOLERANCE_MS = 30_000;
/** Of each kind. */
const KEPT_PAST = 16;

export class Ballot {
	readonly #context: StreetContext;
	#open: OpenProposal | undefined;
	/** By member. */
	readonly #confirmed = new Map<number, ConfirmTransaction>();
	/** Of a block above this device's head: looked at again when the head has moved. */
	#early: { peer: Peer; message: RefoundingMessage } | undefined;
	/** Proposals that were taken back, by id in hex: whoever was away and still speaks of one hears so. */
	readonly #withdrawals = new Map<string, WithdrawalMessage>();
	/** Proposals that this household waits for no more, by id in hex. */
	readonly #released = new Map<string, Uint8Array>();

	constructor(context: StreetContext) {
		this.#context = context;
	}

	get open(): OpenProposal | undefined {
		return this.#open;
	}

	/** Those who confirmed, by member ascending. */
	get confirmations(): ConfirmTransaction[] {
		return [...this.#confirmed.values()].sort((a, b) => a.member - b.member);
	}

	/** Members who confirmed. */
	get confirmed(): ReadonlySet<number> {
		return new Set(this.#confirmed.keys());
	}

	/** As it is told to a neighbour; undefined: there is none. */
	toMessage(): RefoundingMessage | undefined {
		if (this.#open === undefined) return undefined;
		const proposal = encodeProposal(this.#open.refound);
		return { type: "refounding", proposal, confirmations: this.confirmations };
	}

	/** From now on this proposal lies here. */
	put(open: OpenProposal): void {
		if (this.#isHere(open)) return;
		this.#confirmed.clear();
		this.#open = open;
	}

	forget(): void {
		this.#open = undefined;
		this.#confirmed.clear();
	}

	#isHere({ proposal }: OpenProposal): boolean {
		return this.#open !== undefined && equalBytes(this.#open.proposal, proposal);
	}

	/** This household's yes to a proposal: another device of it may have said so, else its key must be open. */
	confirmationOf(open: OpenProposal): ConfirmTransaction {
		const unsigned = this.#unsignedConfirmation(open);
		const known = this.#isHere(open) ? this.#confirmed.get(unsigned.member) : undefined;
		if (known !== undefined) return known;
		return { ...unsigned, signature: this.#context.household.sign(transactionId(unsigned, ZERO_HASH)) };
	}

	/** This household confirms the proposal that lies here. */
	confirm(signature: Uint8Array): void {
		assert(this.#open !== undefined, "what is confirmed lies here");
		const unsigned = this.#unsignedConfirmation(this.#open);
		this.#confirmed.set(unsigned.member, { ...unsigned, signature });
	}

	#unsignedConfirmation({ old, proposal }: OpenProposal): Unsigned<ConfirmTransaction> {
		const { householdKey } = this.#context;
		const self = old.ledger.households.find(({ publicKey }) => equalBytes(publicKey, householdKey));
		assert(self !== undefined, "a member's household confirms");
		return { kind: "confirm", member: self.index, proposal };
	}

	/** Takes in confirmations of the proposal that lies here; gives those that are new and good. */
	add(confirmations: readonly ConfirmTransaction[]): ConfirmTransaction[] {
		const open = this.#open;
		if (open === undefined) return [];
		const { dependencies, events } = this.#context;
		return confirmations.filter((confirm) => {
			if (this.#confirmed.has(confirm.member)) return false;
			const refusal = confirmationRefusal(open.old.ledger, open.proposal, confirm, dependencies.verifier);
			if (refusal === undefined) this.#confirmed.set(confirm.member, confirm);
			else events.onRefused(refusal.code);
			return refusal === undefined;
		});
	}

	// ── from outside ─────────────────────────────────────────────────────────────────────────────────────────────

	/** Checks a proposal by itself: all but what this device's own chain says of it. */
	openProposal(refound: RefoundTransaction): Result<OpenProposal, { code: string }> {
		return openProposal(refound, this.#context.dependencies.verifier, checkCertificate);
	}

	/** The same of its bytes. */
	openBytes(bytes: Uint8Array): Result<OpenProposal, { code: string }> {
		const refound = decodeProposal(bytes);
		return refound.ok ? this.openProposal(refound.value) : refound;
	}

	/** What a neighbour proposes, where it is good and goes on from where this device stands; it may lie here already. */
	look(peer: Peer, message: RefoundingMessage): OpenProposal | undefined {
		const here = this.#open;
		if (here !== undefined && equalBytes(encodeProposal(here.refound), message.proposal)) return here;
		const open = this.openBytes(message.proposal);
		// Looked at first: a proposal may have been taken back because the old chain went on above it.
		const withdrawal = open.ok ? this.#withdrawals.get(toHex(open.value.proposal)) : undefined;
		if (withdrawal !== undefined) {
			this.#context.peers.send(peer, withdrawal);
			return undefined;
		}
		if (open.ok && this.#released.has(toHex(open.value.proposal))) return undefined;
		const code = open.ok ? this.#refusalOf(open.value) : open.error.code;
		if (code !== undefined) this.#context.events.onRefused(code);
		if (!open.ok || code !== undefined) return undefined;
		if (open.value.old.header.index === this.#context.chain.head.block.index) return open.value;
		// The neighbours have the blocks in between; they come as all blocks do.
		this.#early = { peer, message };
		return undefined;
	}

	/** What came too early for this device's head, to be looked at once more. */
	takeEarly(): { peer: Peer; message: RefoundingMessage } | undefined {
		const early = this.#early;
		this.#early = undefined;
		return early;
	}

	#refusalOf(open: OpenProposal): string | undefined {
		const { chain, dependencies } = this.#context;
		const toleranceMs = CLOCK_TOLERANCE_MS * chain.head.ledger.parameters.timeScale;
		const isAhead = open.refound.timestampMs > dependencies.clocks.chainMs() + toleranceMs;
		return this.pastRefusal(open)?.code ?? (isAhead ? "refounding-ahead-of-clock" : undefined);
	}

	/** Whether a proposal does not, or no longer, go on from this device's own chain. */
	pastRefusal({ refound, old }: OpenProposal): PastError | undefined {
		const { chain, gridId } = this.#context;
		return pastRefusal(refound, { index: old.header.index, hash: old.hash }, chain.head, gridId);
	}

	/** Whether a proposal comes after the one that lies here; of two at one time either, but the same one everywhere. */
	isAfter(open: OpenProposal): boolean {
		const here = this.#open;
		if (here === undefined) return true;
		const { timestampMs } = here.refound;
		if (open.refound.timestampMs !== timestampMs) return open.refound.timestampMs > timestampMs;
		return toHex(open.proposal) > toHex(here.proposal);
	}

	// ── taken back ───────────────────────────────────────────────────────────────────────────────────────────────

	/** This household's own proposal is taken back. Its key must be open. */
	signWithdrawal({ proposal }: OpenProposal): WithdrawalMessage {
		const { gridId, household } = this.#context;
		return { type: "withdrawal", proposal, signature: household.sign(withdrawalDigest(gridId, proposal)) };
	}

	/**
	 * Whether the proposal that lies here was taken back by its proposer. The household's key signs, which all its devices
	 * have: that it is the one which proposed, and has not sealed, cannot be seen. It is a rule that they keep, or a person
	 * answers for it.
	 */
	isWithdrawnBy({ proposal, signature }: WithdrawalMessage): boolean {
		const open = this.#open;
		if (open === undefined || !equalBytes(open.proposal, proposal)) return false;
		const { dependencies, events, gridId } = this.#context;
		const proposer = open.old.ledger.households[open.refound.member];
		const digest = withdrawalDigest(gridId, proposal);
		const isGood = proposer !== undefined && dependencies.verifier.verify(signature, digest, proposer.publicKey);
		if (!isGood) events.onRefused("bad-signature");
		return isGood;
	}

	/** What holds no more, the oldest first. */
	get past(): { withdrawals: WithdrawalMessage[]; released: Uint8Array[] } {
		return { withdrawals: [...this.#withdrawals.values()], released: [...this.#released.values()] };
	}

	/** Whoever speaks of this proposal from now on hears that it was taken back. */
	remember(withdrawal: WithdrawalMessage): void {
		keep(this.#withdrawals, withdrawal.proposal, withdrawal);
	}

	/** This household waits no more for a proposal, whoever speaks of it. */
	release(proposal: Uint8Array): void {
		keep(this.#released, proposal, proposal);
	}
}

function keep<T>(past: Map<string, T>, proposal: Uint8Array, value: T): void {
	const [oldest] = past.keys();
	if (oldest !== undefined && past.size >= KEPT_PAST) past.delete(oldest);
	past.set(toHex(proposal), value);
}
