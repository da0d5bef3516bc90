/**
 * What this household signs: readings, acts, its `join`. Written to the outbox before anybody hears of it, and kept
 * there until it is in a committed block or refused at the committed head.
 */

import type { ReadingTransaction } from "../../block/kinds/metering.js";
import type { VotersTransaction } from "../../block/kinds/network.js";
import type { Reading } from "../../block/reading.js";
import type { Transaction, Unsigned } from "../../block/transaction.js";
import { transactionId } from "../../block/transaction.js";
import { judge, judgeAll } from "../../contract/execute.js";
import { hasMinute } from "../../contract/minuteRanges.js";
import { checkSignatures } from "../../contract/signers.js";
import type { MeterMemory } from "../../meter/meterPipeline.js";
import { assert } from "../../primitives/assert.js";
import { equalBytes } from "../../primitives/bytes.js";
import { ok, type Result, refused } from "../../primitives/result.js";
import { MAX_MINUTE, MAX_READING_WH, minuteOf } from "../../primitives/units.js";
import { type ActCommand, createAct } from "../acts.js";
import type { LoadedChain } from "../loading.js";
import { isRefusal } from "../mempool.js";
import { encodeMeter } from "../meterRecord.js";
import { createJoin } from "../newcomer.js";
import { refusalKeyOf, sealTransaction } from "../outbox.js";
import { type CommandError, MAX_HANDED_IN } from "../protocol.js";
import type { ChainChange } from "../storage.js";
import type { StreetContext } from "./context.js";
import type { Gossip } from "./gossip.js";
import type { Proposing } from "./proposing.js";

export class OwnTransactions {
	readonly #context: StreetContext;
	readonly #gossip: Gossip;
	readonly #proposing: Proposing;
	#joinRefusal: string | undefined;

	constructor(context: StreetContext, gossip: Gossip, proposing: Proposing) {
		this.#context = context;
		this.#gossip = gossip;
		this.#proposing = proposing;
	}

	/** Why this household's `join` was refused. */
	get joinRefusal(): string | undefined {
		return this.#joinRefusal;
	}

	/** Whether an act can be signed now: one is under way at a time, so that no nonce is ever promised twice. */
	get mayAct(): boolean {
		return !this.#context.outbox.hasAct;
	}

	/** Takes over the stored outbox; gives the ids of what is on the chain already and need not be kept. */
	restore({ outbox: stored, refusedActs }: Pick<LoadedChain, "outbox" | "refusedActs">): string[] {
		const { dependencies, outbox } = this.#context;
		const done: string[] = [];
		for (const { id, transaction } of stored) {
			if (this.#isOnChain(transaction)) {
				done.push(id);
				continue;
			}
			outbox.add(id, transaction, dependencies.clocks.chainMs());
		}
		outbox.restoreRefused(refusedActs);
		this.#offer();
		return done;
	}

	/** What a block may take is in the mempool: readings from the moment on at which this device meters, the oldest first. */
	#offer(): void {
		const { isMetering, mempool, outbox } = this.#context;
		for (const { id, transaction } of outbox.offered()) {
			if (isMetering || transaction.kind !== "reading") mempool.add(id, transaction);
		}
	}

	/** The outbox is emptied after the block was committed: a crash in between leaves some behind. */
	#isOnChain(transaction: Transaction): boolean {
		const { households } = this.#context.chain.head.ledger;
		if (transaction.kind === "reading") {
			return hasMinute(households[transaction.member]?.seen ?? [], transaction.minute);
		}
		if (transaction.kind === "join") {
			return households.some((household) => equalBytes(household.publicKey, transaction.householdKey));
		}
		if (transaction.kind === "confirm") {
			return this.#context.chain.head.ledger.predecessor?.unconfirmed.includes(transaction.member) !== true;
		}
		return "nonce" in transaction && (households[transaction.member]?.nonce ?? 0) >= transaction.nonce;
	}

	/**
	 * Signs this household's readings. Those that are on the chain or on their way are left alone. While this device is
	 * still to be admitted they are kept, and handed in when it meters. `meter` is kept in the same write: energy that is in
	 * a reading is in no later one. False: they could not be written.
	 */
	async submitReadings(readings: readonly Reading[], meter?: MeterMemory): Promise<boolean> {
		const { awaitsAdmission, config, isMetering } = this.#context;
		const member = this.#context.member ?? config.admission?.member;
		if (readings.length === 0 || member === undefined || (!isMetering && !awaitsAdmission)) return true;
		const fresh = oncePerMinute(readings).filter(({ minute }) => this.#isWanted(member, minute));
		const begun = meter === undefined ? {} : { meter: encodeMeter(meter) };
		if (fresh.length === 0) return meter === undefined || this.#context.write(begun);
		const signed = fresh.map((reading) => this.#signReading(member, reading));
		return this.submit(signed, begun);
	}

	/** Whether there is no reading of a household's minute yet, on the chain or on its way. */
	#isWanted(member: number, minute: number): boolean {
		const { chain, outbox } = this.#context;
		// Unknown while the chain that is here ends before the household joined.
		const { joinedMinute = 0, seen = [], removal } = chain.head.ledger.households[member] ?? {};
		if (removal !== undefined && minute >= removal.fromMinute) return false;
		return minute >= joinedMinute && !outbox.hasReading(minute) && !hasMinute(seen, minute);
	}

	/** Hands in minutes that a person gave, as typed ones. All of them, or none. */
	async handIn(
		readings: readonly Omit<Reading, "quality">[],
	): Promise<Result<{ type: "handedIn"; taken: number; known: number }, CommandError>> {
		const { chain, halted, isMetering, member } = this.#context;
		if (member === undefined) return refused({ code: "not-a-member" });
		if (halted) return refused({ code: "storage-write-failed" });
		if (!isMetering) return refused({ code: "not-metering" });
		if (readings.length > MAX_HANDED_IN) return refused({ code: "too-many-readings", max: MAX_HANDED_IN });
		const isReading = ({ minute, importWh, exportWh }: Omit<Reading, "quality">) =>
			isIn(minute, MAX_MINUTE) && isIn(importWh, MAX_READING_WH) && isIn(exportWh, MAX_READING_WH);
		const bad = readings.find((reading) => !isReading(reading));
		if (bad !== undefined) return refused({ code: "bad-reading", minute: bad.minute });
		const signed = readings.map((reading) => this.#signReading(member, { ...reading, quality: "typed" }));
		const causes = judgeAll(chain.head.ledger, this.#context.judgingMs(), signed);
		const cause = causes.find((each) => each !== undefined && each.code !== "duplicate-reading");
		if (cause !== undefined) return refused(cause);
		const fresh = signed.filter(({ minute }, at) => causes[at] === undefined && this.#isWanted(member, minute));
		if (fresh.length > 0 && !(await this.submit(fresh))) return refused({ code: "storage-write-failed" });
		return ok({ type: "handedIn", taken: fresh.length, known: readings.length - fresh.length });
	}

	#signReading(member: number, { minute, importWh, exportWh, quality }: Reading): ReadingTransaction {
		const unsigned = { kind: "reading" as const, member, minute, importWh, exportWh, quality };
		return { ...unsigned, signature: this.#context.signAsDevice(unsigned) };
	}

	/** Signs and submits what a person asked for. What the ledger would refuse is refused before it is signed. */
	async act(command: ActCommand): Promise<Result<{ type: "signed"; id: string }, CommandError>> {
		const { awaitsAdmission, chain, halted, household, member } = this.#context;
		if (member === undefined) return refused({ code: "not-a-member" });
		if (halted) return refused({ code: "storage-write-failed" });
		if (awaitsAdmission) return refused({ code: "awaits-admission" });
		if (household.isLocked) return refused({ code: "locked" });
		const { ledger } = chain.head;
		const timestampMs = this.#context.judgingMs();
		const nonce = (ledger.households[member]?.nonce ?? 0) + 1;
		const unsigned = createAct(command, member, nonce, minuteOf(timestampMs), ledger.devices);
		if (!unsigned.ok) return unsigned;
		return this.#submitAct({
			...unsigned.value,
			signature: this.#context.signAsHousehold(unsigned.value),
		} as Transaction);
	}

	/** The operator's device changes who votes, as the policy says: no money moves, and nobody need be there. */
	async keepVoters({ added, removed }: Pick<VotersTransaction, "added" | "removed">): Promise<void> {
		const { chain, device, halted, member, outbox } = this.#context;
		if (member === undefined || device === undefined || halted || outbox.hasKeptVoters) return;
		const nonce = chain.head.ledger.votersSinceIndex + 1;
		const unsigned: Unsigned<VotersTransaction> = { kind: "voters", member, nonce, added, removed, device };
		await this.#submitAct({ ...unsigned, signature: this.#context.signAsDevice(unsigned) });
	}

	async #submitAct(transaction: Transaction): Promise<Result<{ type: "signed"; id: string }, CommandError>> {
		const cause = judge(this.#context.chain.head.ledger, this.#context.judgingMs(), transaction);
		if (cause !== undefined) return refused(cause);
		// A claim comes from outside: the signature in it may be anything.
		if (transaction.kind === "rebind" && !this.#isWellSigned(transaction)) return refused({ code: "bad-claim" });
		if (!(await this.submit([transaction]))) return refused({ code: "storage-write-failed" });
		return ok({ type: "signed", id: this.#context.idOf(transaction) });
	}

	/** Invited and not a member yet: signs the `join` once, and keeps it in the outbox until it is in a block. */
	async joinIfInvited(): Promise<void> {
		const { chain, config, dependencies, events, gridId, household, member, outbox } = this.#context;
		if (config.invitationLink === undefined || member !== undefined || outbox.size > 0) return;
		// Its way in is on the chain already, above what a damaged record has left of it here.
		if (household.isLocked) return;
		const join = createJoin({ gridId, config, household, signer: dependencies.signer }, config.invitationLink);
		// The operator may have joined later than this chain reaches: the neighbours know then.
		const cause = checkSignatures(chain.head.ledger, join, dependencies.verifier);
		if (cause?.code === "bad-signature") {
			this.#joinRefusal = cause.code;
			events.onRefused(cause.code);
			return;
		}
		await this.submit([join]);
	}

	/** In a chain that was founded again without this household's word: gives it, once. */
	async confirmIfFoundedAgain(): Promise<void> {
		const { halted, household, member, outbox } = this.#context;
		const { predecessor } = this.#context.chain.head.ledger;
		if (halted || member === undefined || predecessor?.unconfirmed.includes(member) !== true) return;
		if (household.isLocked) return;
		for (const { transaction } of outbox.all()) if (transaction.kind === "confirm") return;
		const unsigned = { kind: "confirm" as const, member, proposal: predecessor.proposal };
		await this.submit([{ ...unsigned, signature: this.#context.signAsHousehold(unsigned) }]);
	}

	/** Writes signed transactions to the outbox, strictly, with what belongs to them, and hands them to the neighbours. */
	async submit(transactions: readonly Transaction[], change: Pick<ChainChange, "meter"> = {}): Promise<boolean> {
		const { dependencies, outbox } = this.#context;
		for (const transaction of transactions) {
			// A signature that a fault spoilt could give the key away: it must not leave this device.
			assert(this.#isWellSigned(transaction), `the ${transaction.kind} that was signed here verifies`);
		}
		const entries = transactions.map((transaction) => ({ id: this.#context.idOf(transaction), transaction }));
		const outboxPut = entries.map(({ id, transaction }) => ({ id, transaction: sealTransaction(transaction) }));
		if (!(await this.#context.write({ ...change, outboxPut }))) return false;
		for (const { id, transaction } of entries) outbox.add(id, transaction, dependencies.clocks.chainMs());
		this.#offer();
		this.#gossip.regossip(dependencies.clocks.monotonicMs());
		await this.#proposing.maybePropose();
		return true;
	}

	#isWellSigned(transaction: Transaction): boolean {
		const { chain, deviceKey, dependencies, gridId } = this.#context;
		const { verifier } = dependencies;
		// A `join` holds an operator's signature as well; it was looked at before.
		if (transaction.kind === "join") return true;
		// The chain may not know this device yet.
		if (transaction.kind === "reading") {
			return verifier.verify(transaction.signature, transactionId(transaction, gridId), deviceKey);
		}
		return checkSignatures(chain.head.ledger, transaction, verifier) === undefined;
	}

	/** The head jumped over blocks that are not known here: what is in them counts as confirmed. */
	passOver(): void {
		const { chain, outbox } = this.#context;
		for (const { id, transaction } of [...outbox.all()]) {
			if (this.#isOnChain(transaction)) outbox.confirmed(id, chain.head.block.index);
		}
	}

	/**
	 * The committed head moved: what is offered is judged there, and what is finished leaves the outbox. Refused is what no
	 * block above the head can take, whether it is stamped right after it or now: after a long sleep blocks may be on their
	 * way that are older than the clock says. It is told when that is written: what a crash brings back is handed in once
	 * more, and may be taken then.
	 */
	async judgeAtHead(): Promise<void> {
		const { chain, dependencies, events, mempool, outbox } = this.#context;
		const { ledger } = chain.head;
		const timestampMs = this.#context.judgingMs();
		const own = outbox.offered();
		const causes = judgeAll(
			ledger,
			timestampMs,
			own.map(({ transaction }) => transaction),
		);
		const refusals = own.flatMap(({ id, transaction }, at) => {
			const cause = causes[at];
			if (!isRefusal(cause) || !isRefusal(judge(ledger, ledger.timestampMs + 1, transaction))) return [];
			return [{ id, kind: transaction.kind, code: cause.code }];
		});
		this.#offer();
		mempool.prune(ledger, timestampMs);
		const outboxDelete = outbox.takeFinished();
		const outboxPut: { id: string; transaction: Uint8Array }[] = [];
		for (const { id, code } of refusals) {
			const record = outbox.refusalRecord(id, code);
			if (record === undefined) outboxDelete.push(id);
			else outboxPut.push({ id: refusalKeyOf(id), transaction: record });
		}
		if (outboxDelete.length + outboxPut.length === 0) return;
		if (!(await this.#context.write({ outboxPut, outboxDelete }))) return;
		for (const { id, kind, code } of refusals) {
			outbox.refused(id, code);
			events.onRefused(code);
			if (kind === "join") this.#joinRefusal = code;
		}
		// What is offered next does not wait for a tick: pages in the background have few.
		this.#gossip.regossip(dependencies.clocks.monotonicMs());
	}
}

/** The first reading of each minute. */
function oncePerMinute(readings: readonly Reading[]): Reading[] {
	const byMinute = new Map<number, Reading>();
	for (const reading of readings) if (!byMinute.has(reading.minute)) byMinute.set(reading.minute, reading);
	return [...byMinute.values()];
}

function isIn(value: number, max: number): boolean {
	return Number.isSafeInteger(value) && value >= 0 && value <= max;
}
