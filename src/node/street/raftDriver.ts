/**
 * Raft's driver: the one way into the consensus core, and the hands that carry out what it asks for, in order. A write
 * has settled before the effect after it is looked at, so nothing that depends on it leaves earlier.
 */
import type { Block } from "../../block/block.js";
import { acknowledgementDigest, type Certificate } from "../../block/certificate.js";
import { transactionId } from "../../block/transaction.js";
import { createRaft, step } from "../../consensus/raft.js";
import type { Persist, RaftEffect, RaftInput, RaftState } from "../../consensus/state.js";
import { isVoter, type LogBase } from "../../consensus/state.js";
import { isInUse } from "../../contract/ledger.js";
import { checkSignatures } from "../../contract/signers.js";
import type { Entry, NodeRole } from "../../message/message.js";
import { assert } from "../../primitives/assert.js";
import { toHex } from "../../primitives/bytes.js";
import { extend, type Link } from "../chain.js";
import type { LoadedChain } from "../loading.js";
import type { ProposalSize } from "../proposer.js";
import { encodeCertificateRecord, encodeVotes, sealRecord } from "../records.js";
import type { ChainChange } from "../storage.js";
import type { Sync } from "../sync.js";
import { keepCertificateOf, voterStepsOf } from "../voterSteps.js";
import type { CommittedHead } from "./committedHead.js";
import type { StreetContext } from "./context.js";

/** Blocks for which a transaction that a voter refused is left out of proposals. */
const LEFT_OUT_BLOCKS = 10;

/** What the core's effects reach besides the context. */
export interface RaftDriverParts {
	readonly head: CommittedHead;
	readonly sync: Sync;
	readonly proposalSize: ProposalSize;
	/** The committed head has moved, and everything derived from it. May feed the core again. */
	afterHead(): Promise<void>;
}

export class RaftDriver {
	readonly #context: StreetContext;
	readonly #parts: RaftDriverParts;
	#state: RaftState | undefined;

	constructor(context: StreetContext, parts: RaftDriverParts) {
		this.#context = context;
		this.#parts = parts;
	}

	/** The core's state, to be read; undefined while this device is a guest. */
	get state(): RaftState | undefined {
		return this.#state;
	}

	get role(): NodeRole {
		const state = this.#state;
		// A voter that has stopped voting is none: until it is admitted anew, or its database takes writes again.
		const isSilent = this.#context.halted || state?.suspended !== undefined;
		if (state === undefined || !isVoter(state) || isSilent) return "observer";
		return state.role === "preCandidate" ? "candidate" : state.role;
	}

	/** From now on this device, number `self` of the chain's, takes part. */
	create(
		self: number,
		stored: Pick<LoadedChain, "votes" | "certificate" | "tail"> & { votersCertificate: Certificate | undefined },
	): void {
		const { clocks, randomBytes, settings } = this.#context.dependencies;
		const { head } = this.#context.chain;
		const seed = randomBytes(4);
		this.#state = createRaft(
			{
				self,
				...stored.votes,
				base: logBaseOf(head),
				certificate: stored.certificate,
				votersCertificate: stored.votersCertificate,
				tail: stored.tail,
			},
			{ monotonicMs: clocks.monotonicMs(), chainMs: clocks.chainMs() },
			new DataView(seed.buffer, seed.byteOffset).getInt32(0),
			{ ...settings.raft, timeScale: head.ledger.parameters.timeScale },
		);
	}

	/** From now on this device takes no part: its household took it out of use. */
	retire(): void {
		this.#state = undefined;
	}

	/** Feeds an input to the core and carries out its effects, in order, until there are none left. */
	async feed(first: RaftInput): Promise<void> {
		const inputs: RaftInput[] = [first];
		for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
			if (this.#state === undefined || this.#context.halted) return;
			for (const effect of step(this.#state, input)) {
				await this.#carryOut(effect, inputs);
				// A commit may have been the block that takes this very device out of use.
				if (this.#context.halted || this.#state === undefined) return;
			}
		}
	}

	/**
	 * Certified blocks came another way, and `change` stores them. What the core makes of them (a newer term, a tail that
	 * no longer fits) is kept in the same write: a device that stops in between would take the rest of its log for damaged.
	 * `moveHead` follows the core at once: nobody ever sees its log begin above the head, with voters that the ledger does
	 * not know. What it tells others waits for the write. False: it could not be written.
	 */
	async install(
		installed: Omit<Extract<RaftInput, { type: "installed" }>, "type">,
		change: ChainChange,
		moveHead: () => void,
	): Promise<boolean> {
		const { chain, halted } = this.#context;
		// A write that failed may have left the core above the head.
		if (halted) return false;
		const effects = this.#state === undefined ? [] : step(this.#state, { type: "installed", ...installed });
		moveHead();
		const kept = effects.flatMap((effect) => (effect.type === "persist" ? [this.#changeOf(effect.persist)] : []));
		assert(!kept.some(({ commit }) => commit !== undefined), "what is installed is committed by its own certificate");
		// A device that takes no part may hold blocks of the time when it did.
		const left = chain.last === chain.head ? { truncateFrom: chain.head.block.index + 1 } : {};
		if (!(await this.#context.write(Object.assign({}, change, left, ...kept)))) return false;
		for (const effect of effects) {
			assert(effect.type !== "send" && effect.type !== "validate", "what is installed is answered to nobody");
			if (effect.type !== "persist") await this.#carryOut(effect, []);
		}
		return true;
	}

	/** One effect; what it answers to the core at once goes to `inputs`. */
	async #carryOut(effect: RaftEffect, inputs: RaftInput[]): Promise<void> {
		const { chain, events, mempool } = this.#context;
		const { head, proposalSize } = this.#parts;
		switch (effect.type) {
			case "persist":
				await this.#context.write(this.#changeOf(effect.persist));
				break;
			case "send":
				this.#send(effect, inputs);
				break;
			case "validate":
				inputs.push({ type: "validated", hash: effect.entry.hash, result: this.#validate(effect.entry) });
				break;
			case "commit":
				proposalSize.committed();
				head.commit(effect.entries.length, effect.certificate);
				await this.#parts.afterHead();
				break;
			case "truncated":
				chain.truncate(Math.max(effect.fromIndex, chain.head.block.index + 1));
				for (const block of effect.blocks) this.#takeBack(block);
				break;
			case "becameLeader":
				proposalSize.becameLeader();
				break;
			case "becameFollower":
				if (effect.reason === "proposal-timeout") proposalSize.timedOut();
				break;
			case "behind":
				this.#hearOf(effect.from, effect.certificate.index);
				break;
			case "refusedBy":
				mempool.leaveOut(effect.ids.map(toHex), chain.last.block.index + LEFT_OUT_BLOCKS);
				events.onRefused("proposal-refused");
				break;
			case "misbehaved":
				events.onRefused(effect.code);
				break;
			case "evidence":
				events.onFault({ code: effect.code, index: effect.certificate.index, term: effect.certificate.term });
				break;
		}
	}

	/** A device has a certified block above this log. */
	#hearOf(device: number, index: number): void {
		const { clocks } = this.#context.dependencies;
		this.#parts.sync.heard(this.#context.deviceNameOf(device), index, clocks.monotonicMs());
	}

	#changeOf(persist: Persist): ChainChange {
		const change: ChainChange = { votes: encodeVotes(persist.votes) };
		if (persist.truncateFrom !== undefined) change.truncateFrom = persist.truncateFrom;
		if (persist.append !== undefined) {
			const { block, encoded } = persist.append;
			change.append = { index: block.index, record: sealRecord(encoded) };
		}
		if (persist.commit !== undefined) {
			const { certificate, changesVoters } = persist.commit;
			const links = this.#context.chain.upTo(certificate.index);
			change.commit = {
				upToIndex: certificate.index,
				certificate: encodeCertificateRecord(certificate),
				keepCertificate: keepCertificateOf(links),
			};
			if (changesVoters) change.voterSteps = voterStepsOf(links, certificate);
		}
		return change;
	}

	#send(effect: Extract<RaftEffect, { type: "send" }>, inputs: RaftInput[]): void {
		assert(this.#state !== undefined, "only a member's core sends");
		const { config, dependencies, gridId, peers } = this.#context;
		let { message } = effect;
		if (effect.sign !== undefined && message.type === "appendReply") {
			const digest = acknowledgementDigest(gridId, effect.sign, this.#state.self);
			const signature = dependencies.signer.sign(digest, config.keys.deviceSecret);
			message = { ...message, acknowledgement: { hash: effect.sign.hash, signature } };
		}
		if (effect.to === this.#state.self) {
			inputs.push({ type: "message", from: effect.to, message });
			return;
		}
		// Whom the head has taken out of use is given no block after that, whatever the log thinks of it.
		const known = this.#context.chain.head.ledger.devices[effect.to];
		if (known !== undefined && !isInUse(known)) return;
		const peer = peers.toDevice(this.#context.deviceNameOf(effect.to));
		if (peer !== undefined) peers.send(peer, message);
	}

	/** Executes a proposed block on top of the log; a valid one stays there as an overlay. */
	#validate(entry: Entry): { valid: true } | { valid: false; refusedIds: Uint8Array[] } {
		const { chain, events, gridId } = this.#context;
		const ids = this.#context.idsOf(entry.block.transactions);
		const link = extend(chain.last, entry.block, entry.encoded.length, (ledger, transaction, at) =>
			this.#context.checkSignatures(ledger, transaction, ids[at]),
		);
		if (link.ok) {
			chain.push(link.value);
			return { valid: true };
		}
		events.onRefused(link.error.code);
		const at = link.error.code === "refused-transaction" ? entry.block.transactions[link.error.at] : undefined;
		return { valid: false, refusedIds: at === undefined ? [] : [transactionId(at, gridId)] };
	}

	/** The transactions of a block that the log lost wait again; a reading only if its device still meters. */
	#takeBack(block: Block): void {
		const { chain, dependencies, mempool } = this.#context;
		for (const transaction of block.transactions) {
			const isStale =
				transaction.kind === "reading" &&
				checkSignatures(chain.head.ledger, transaction, dependencies.verifier) !== undefined;
			if (!isStale) mempool.add(this.#context.idOf(transaction), transaction);
		}
	}
}

/** Where Raft's certified log ends when the chain's committed head is this one. */
export function logBaseOf({ block, hash, ledger }: Link): LogBase {
	const { index, term, timestampMs } = block;
	const { voters, votersSinceIndex } = ledger;
	return { index, hash, term, timestampMs, voters, votersSinceIndex };
}
