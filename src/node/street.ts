/**
 * A running neighbourhood on this device: consensus, ledger, mempool and outbox joined together. Inputs come one at a
 * time; every write is durable before anything that depends on it leaves.
 */
import { BLOCK_VERSION, type Block, blockHash, decodeBlock, encodeBlock, transactionsRoot } from "../block/block.js";
import { acknowledgementDigest, type Certificate } from "../block/certificate.js";
import { type Invitation, invitationDigest } from "../block/invitation.js";
import type { Reading } from "../block/reading.js";
import type { JoinTransaction, Transaction, Unsigned } from "../block/transaction.js";
import { encodeTransaction, transactionId } from "../block/transactionCodec.js";
import { checkCertificate } from "../consensus/certificate.js";
import { createRaft, step } from "../consensus/raft.js";
import { mayPropose } from "../consensus/replication.js";
import type { RaftEffect, RaftInput, RaftState } from "../consensus/state.js";
import { executeCandidates, judge, judgeAll } from "../contract/execute.js";
import type { Ledger } from "../contract/ledger.js";
import { hasMinute } from "../contract/minuteRanges.js";
import { checkSignatures } from "../contract/signers.js";
import type {
	AppendEntriesMessage,
	AppendReplyMessage,
	BlocksMessage,
	HelloMessage,
	Message,
	NodeRole,
	RaftMessage,
	StatusMessage,
} from "../message/message.js";
import { assert } from "../primitives/assert.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import { ZERO_HASH } from "../primitives/hash.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { minuteOf } from "../primitives/units.js";
import { type ActCommand, createAct } from "./acts.js";
import { type Chain, extend, type Link, linkOf } from "./chain.js";
import { CheckpointKeeper } from "./checkpoints.js";
import type { NodeDependencies } from "./dependencies.js";
import { History } from "./history.js";
import { decodeLink, encodeJoinLink } from "./link.js";
import { type LoadedChain, loadChain } from "./loading.js";
import { idOf, isRefusal, Mempool } from "./mempool.js";
import { Outbox, sealTransaction } from "./outbox.js";
import type { Peer, Peers } from "./peers.js";
import { planProposal } from "./proposer.js";
import type { CommandError, Fault } from "./protocol.js";
import {
	type ChainConfig,
	decodeCertificateRecord,
	encodeCertificateRecord,
	encodeConfig,
	encodeVotes,
	openRecord,
	sealRecord,
} from "./records.js";
import { Statement } from "./statement.js";
import { CERTIFICATE_SPACING, type ChainChange, type ChainStorage, type StorageError } from "./storage.js";
import { RUN_BYTES, Sync } from "./sync.js";

const STATUS_MS = 2_000;
/** Own transactions that nobody confirmed are told again. */
const REGOSSIP_MS = 10_000;
/** Between the leader's block and its certificate a follower does not start fetching. */
const SYNC_PATIENCE_MS = 1_500;
const GOSSIP_TRANSACTIONS = 200;
const SHOWN_BLOCKS = 20;
/** Blocks for which a transaction that a voter refused is left out of proposals. */
const LEFT_OUT_BLOCKS = 10;
/** An invitation is good for a week. */
const INVITATION_MINUTES = 7 * 1_440;

export interface BlockSummary {
	index: number;
	hash: Uint8Array;
	timestampMs: number;
	readings: number;
	others: number;
	settledWh: number;
}

/** What a device last said of itself. */
export interface DeviceStatus {
	headIndex: number;
	headHash: Uint8Array;
	term: number;
	role: NodeRole;
}

export class Street {
	readonly gridId: Uint8Array;
	readonly deviceKey: Uint8Array;
	readonly householdKey: Uint8Array;
	config: ChainConfig;
	readonly chain: Chain;
	readonly history: History;
	readonly statement: Statement;
	readonly outbox = new Outbox();
	readonly mempool = new Mempool();
	readonly sync: Sync;
	/** Undefined while this device is a guest. */
	raft: RaftState | undefined;
	readonly statuses = new Map<string, DeviceStatus>();
	/** Newest first. */
	readonly blocks: BlockSummary[];
	/** Why this household's `join` was refused. */
	joinRefusal: string | undefined;

	readonly #dependencies: NodeDependencies;
	readonly #storage: ChainStorage;
	readonly #peers: Peers;
	readonly #events: StreetEvents;
	#certificate: Certificate | undefined;
	readonly #checkpoints: CheckpointKeeper;
	readonly #bootId: Uint8Array;
	/** Devices whose hello was heard on the channel that is open. */
	readonly #hellos = new Set<string>();
	readonly #boots = new Map<string, { bootCount: number; bootId: Uint8Array }>();
	/** Set when the database failed: nothing is promised to anybody any more until the next start. */
	#halted = false;
	#maxBlockBytes: number;
	#lastTickMs: number;
	#nextStatusMs = 0;
	#behindSinceMs: number | undefined;

	/** Opens what is stored. The genesis must be there. */
	static async open(
		dependencies: NodeDependencies,
		storage: ChainStorage,
		gridId: Uint8Array,
		peers: Peers,
		events: StreetEvents,
	): Promise<Result<Street, StorageError | { code: "no-config" | "no-genesis" }>> {
		const derived = {
			history: new History(),
			blocks: [] as BlockSummary[],
			statement: undefined as Statement | undefined,
		};
		const loaded = await loadChain(storage, dependencies.verifier, ({ keys }) => {
			const householdKey = dependencies.signer.publicKeyOf(keys.householdSecret);
			const statement = new Statement(householdKey, dependencies.startOfDayMinute);
			derived.statement = statement;
			return {
				restore(days, record) {
					const damaged = derived.history.restore(days) ? [] : ["days"];
					if (record !== undefined && !statement.restore(record)) damaged.push("statement");
					return damaged;
				},
				add(parent, link) {
					derived.history.add(link);
					statement.add(parent, link);
					derived.blocks.unshift(summaryOf(link));
					derived.blocks.splice(SHOWN_BLOCKS);
				},
			};
		});
		if (!loaded.ok) return loaded;
		const { chain } = loaded.value;
		if (chain === undefined) return refused({ code: "no-genesis" });
		assert(derived.statement !== undefined, "a loaded chain has a config");
		const { history, statement, blocks } = derived;
		const street = new Street(dependencies, storage, gridId, peers, events, loaded.value, {
			chain,
			history,
			statement,
			blocks,
		});
		await street.#start(loaded.value);
		return ok(street);
	}

	private constructor(
		dependencies: NodeDependencies,
		storage: ChainStorage,
		gridId: Uint8Array,
		peers: Peers,
		events: StreetEvents,
		loaded: LoadedChain,
		derived: Pick<Street, "chain" | "history" | "statement" | "blocks">,
	) {
		const { signer, clocks, settings, randomBytes } = dependencies;
		this.#dependencies = dependencies;
		this.#storage = storage;
		this.#peers = peers;
		this.#events = events;
		this.gridId = gridId;
		this.config = { ...loaded.config, bootCount: loaded.config.bootCount + 1 };
		this.deviceKey = signer.publicKeyOf(loaded.config.keys.deviceSecret);
		this.householdKey = signer.publicKeyOf(loaded.config.keys.householdSecret);
		this.chain = derived.chain;
		this.history = derived.history;
		this.statement = derived.statement;
		this.blocks = derived.blocks;
		this.#checkpoints = new CheckpointKeeper(derived.history, derived.statement);
		this.sync = new Sync((ledger, transaction) => this.#checkSignatures(ledger, transaction), loaded.config.pin);
		this.#certificate = loaded.certificate;
		this.#bootId = randomBytes(16);
		this.#maxBlockBytes = settings.maxBlockBytes;
		this.#lastTickMs = clocks.monotonicMs();
	}

	async #start(loaded: LoadedChain): Promise<void> {
		for (const store of loaded.damaged) {
			this.#events.onRefused(`record-damaged:${store}`);
			this.#events.onFault({ code: "record-damaged", store });
		}
		const change: ChainChange = { config: encodeConfig(this.config) };
		// What lies above a damaged proposed block would be taken for damage again at every start.
		if (loaded.damaged.includes("proposedBlocks")) change.truncateFrom = this.chain.last.block.index + 1;
		const done: string[] = [];
		for (const { id, transaction } of loaded.outbox) {
			if (this.#isOnChain(transaction)) {
				done.push(id);
				continue;
			}
			this.outbox.add(id, transaction, this.#dependencies.clocks.chainMs());
			this.mempool.add(id, transaction);
		}
		await this.#write({ ...change, outboxDelete: done });
		if (this.device !== undefined) this.#createRaft(this.device, loaded);
		await this.#joinIfInvited();
	}

	/** The outbox is emptied after the block was committed: a crash in between leaves some behind. */
	#isOnChain(transaction: Transaction): boolean {
		const { households } = this.chain.head.ledger;
		if (transaction.kind === "reading") {
			return hasMinute(households[transaction.member]?.seen ?? [], transaction.minute);
		}
		if (transaction.kind === "join") {
			return households.some((household) => equalBytes(household.publicKey, transaction.householdKey));
		}
		return "nonce" in transaction && (households[transaction.member]?.nonce ?? 0) >= transaction.nonce;
	}

	#createRaft(self: number, loaded: Pick<LoadedChain, "votes" | "certificate" | "tail">): void {
		const { clocks, randomBytes, settings } = this.#dependencies;
		const { block, hash, ledger } = this.chain.head;
		const seed = randomBytes(4);
		this.raft = createRaft(
			{
				self,
				voters: ledger.voters,
				...loaded.votes,
				base: { index: block.index, hash, term: block.term, timestampMs: block.timestampMs },
				certificate: loaded.certificate,
				tail: loaded.tail,
			},
			{ monotonicMs: clocks.monotonicMs(), chainMs: clocks.chainMs() },
			new DataView(seed.buffer, seed.byteOffset).getInt32(0),
			{ ...settings.raft, timeScale: ledger.parameters.timeScale },
		);
	}

	// ── who ──────────────────────────────────────────────────────────────────────────────────────────────────────

	/** This device's index, once the chain knows it. */
	get device(): number | undefined {
		return this.deviceIndexOf(toHex(this.deviceKey));
	}

	/** This household's member index, once the chain knows it. */
	get member(): number | undefined {
		const { households } = this.chain.head.ledger;
		return households.find((household) => equalBytes(household.publicKey, this.householdKey))?.index;
	}

	deviceIndexOf(device: string): number | undefined {
		return this.chain.head.ledger.devices.find((known) => toHex(known.publicKey) === device)?.index;
	}

	#deviceNameOf(index: number): string {
		const device = this.chain.head.ledger.devices[index];
		assert(device !== undefined, `device ${index} exists`);
		return toHex(device.publicKey);
	}

	get role(): NodeRole {
		const { raft } = this;
		if (raft === undefined || !raft.voters.includes(raft.self)) return "observer";
		return raft.role === "preCandidate" ? "candidate" : raft.role;
	}

	get halted(): boolean {
		return this.#halted;
	}

	// ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

	/** Before every input: a tab that was frozen steps down before it looks at anything that waited for it. */
	async noticeGap(): Promise<void> {
		const { clocks, settings } = this.#dependencies;
		const monotonicMs = clocks.monotonicMs();
		const electionTimeoutMs = this.raft?.settings.electionTimeoutMaxMs ?? settings.silenceMs;
		if (monotonicMs - this.#lastTickMs <= electionTimeoutMs) return;
		this.#lastTickMs = monotonicMs;
		this.#peers.forgiveSilence();
		await this.#raft({ type: "resume", monotonicMs, chainMs: clocks.chainMs() });
	}

	async tick(): Promise<void> {
		const { clocks } = this.#dependencies;
		const monotonicMs = clocks.monotonicMs();
		const chainMs = clocks.chainMs();
		this.#lastTickMs = monotonicMs;
		await this.#raft({ type: "tick", monotonicMs, chainMs });
		await this.#maybePropose();
		this.#maybeSync(monotonicMs);
		this.#maybeStatus(monotonicMs);
		this.#regossip(monotonicMs);
	}

	// ── consensus ────────────────────────────────────────────────────────────────────────────────────────────────

	/** Feeds an input to Raft and carries out its effects, in order, until there are none left. */
	async #raft(first: RaftInput): Promise<void> {
		const inputs: RaftInput[] = [first];
		for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
			if (this.raft === undefined || this.#halted) return;
			for (const effect of step(this.raft, input)) {
				await this.#carryOut(effect, inputs);
				if (this.#halted) return;
			}
		}
	}

	async #carryOut(effect: RaftEffect, inputs: RaftInput[]): Promise<void> {
		switch (effect.type) {
			case "persist":
				await this.#persist(effect.persist);
				break;
			case "send":
				this.#send(effect, inputs);
				break;
			case "validate":
				inputs.push({ type: "validated", hash: effect.entry.hash, result: this.#validate(effect.entry) });
				break;
			case "commit":
				await this.#onCommitted(effect.entries.length, effect.certificate);
				break;
			case "truncated":
				this.chain.truncate(Math.max(effect.fromIndex, this.chain.head.block.index + 1));
				for (const block of effect.blocks) this.#takeBack(block);
				break;
			case "becameLeader":
				this.#maxBlockBytes = Math.min(this.#maxBlockBytes, this.#dependencies.settings.maxBlockBytes);
				break;
			case "becameFollower":
				if (effect.reason === "proposal-timeout") this.#maxBlockBytes = Math.max(1_024, this.#maxBlockBytes / 2);
				break;
			case "behind":
				this.sync.heard(this.#deviceNameOf(effect.from), effect.certificate.index);
				break;
			case "refusedBy":
				this.mempool.leaveOut(effect.ids.map(toHex), this.chain.last.block.index + LEFT_OUT_BLOCKS);
				this.#events.onRefused("proposal-refused");
				break;
			case "misbehaved":
				this.#events.onRefused(effect.code);
				break;
			case "evidence":
				this.#events.onFault({ code: effect.code, index: effect.certificate.index, term: effect.certificate.term });
				break;
		}
	}

	async #persist(persist: Extract<RaftEffect, { type: "persist" }>["persist"]): Promise<void> {
		const change: ChainChange = { votes: encodeVotes(persist.votes) };
		if (persist.truncateFrom !== undefined) change.truncateFrom = persist.truncateFrom;
		if (persist.append !== undefined) {
			const { block } = persist.append;
			change.append = { index: block.index, record: sealRecord(encodeBlock(block)) };
		}
		if (persist.commit !== undefined) {
			const { certificate } = persist.commit;
			change.commit = { upToIndex: certificate.index, certificate: encodeCertificateRecord(certificate) };
		}
		await this.#write(change);
	}

	/** One strict write. A database that fails ends this run: nothing may be promised that is not kept. */
	async #write(change: ChainChange): Promise<boolean> {
		if (this.#halted) return false;
		const written = await this.#storage.write(change);
		if (written.ok) return true;
		this.#halted = true;
		const reason = "reason" in written.error ? written.error.reason : "";
		this.#events.onFault({ code: written.error.code, reason });
		return false;
	}

	#send(effect: Extract<RaftEffect, { type: "send" }>, inputs: RaftInput[]): void {
		assert(this.raft !== undefined, "only a member's core sends");
		let { message } = effect;
		if (effect.sign !== undefined && message.type === "appendReply") {
			const digest = acknowledgementDigest(this.gridId, effect.sign, this.raft.self);
			const signature = this.#dependencies.signer.sign(digest, this.config.keys.deviceSecret);
			message = { ...message, acknowledgement: { hash: effect.sign.hash, signature } };
		}
		if (effect.to === this.raft.self) {
			inputs.push({ type: "message", from: effect.to, message });
			return;
		}
		const peer = this.#peers.toDevice(this.#deviceNameOf(effect.to));
		if (peer !== undefined) this.#peers.send(peer, message);
	}

	#validate(entry: { block: Block; bytes: number }): { valid: true } | { valid: false; refusedIds: Uint8Array[] } {
		const link = extend(this.chain.last, entry.block, entry.bytes, (ledger, transaction) =>
			this.#checkSignatures(ledger, transaction),
		);
		if (link.ok) {
			this.chain.push(link.value);
			return { valid: true };
		}
		this.#events.onRefused(link.error.code);
		const at = link.error.code === "refused-transaction" ? entry.block.transactions[link.error.at] : undefined;
		return { valid: false, refusedIds: at === undefined ? [] : [transactionId(at, this.gridId)] };
	}

	/** Signatures of what lies in the mempool were checked when it came. */
	#checkSignatures(ledger: Ledger, transaction: Transaction) {
		if (this.mempool.has(idOf(transaction, this.gridId), transaction)) return undefined;
		return checkSignatures(ledger, transaction, this.#dependencies.verifier);
	}

	#takeBack(block: Block): void {
		for (const transaction of block.transactions) this.mempool.add(idOf(transaction, this.gridId), transaction);
	}

	async #onCommitted(count: number, certificate: Certificate): Promise<void> {
		this.#certificate = certificate;
		this.#maxBlockBytes = this.#dependencies.settings.maxBlockBytes;
		for (let i = 0; i < count; i++) {
			const parent = this.chain.head.ledger;
			const link = this.chain.commitNext();
			this.#absorb(parent, link);
			this.#checkpoints.passed(parent, link, certificate);
		}
		await this.#afterHead();
	}

	/** Takes a committed block into everything that is derived from the chain. */
	#absorb(parent: Ledger, link: Link): void {
		this.history.add(link);
		this.statement.add(parent, link);
		this.blocks.unshift(summaryOf(link));
		this.blocks.splice(SHOWN_BLOCKS);
		for (const transaction of link.block.transactions) {
			const id = idOf(transaction, this.gridId);
			this.mempool.remove(id);
			if (this.outbox.has(id)) {
				this.outbox.confirmed(id, link.block.index);
				this.#confirmed.push(id);
			}
		}
	}

	/** Ids of own transactions in blocks committed since the last write. */
	#confirmed: string[] = [];

	/** The committed head moved: own transactions are judged there, and everybody hears about it. */
	async #afterHead(): Promise<void> {
		const { ledger } = this.chain.head;
		const timestampMs = Math.max(this.#dependencies.clocks.chainMs(), ledger.timestampMs + 1);
		const gone = this.#confirmed;
		this.#confirmed = [];
		const own = [...this.outbox.all()];
		const causes = judgeAll(
			ledger,
			timestampMs,
			own.map(({ transaction }) => transaction),
		);
		for (const [at, { id, transaction }] of own.entries()) {
			const cause = causes[at];
			if (!isRefusal(cause)) continue;
			this.outbox.refused(id, cause.code);
			this.#events.onRefused(cause.code);
			if (transaction.kind === "join") this.joinRefusal = cause.code;
			gone.push(id);
		}
		this.mempool.prune(ledger, timestampMs);
		const kept = this.#checkpoints.take();
		if (gone.length > 0 || kept.checkpoint !== undefined) await this.#write({ ...kept, outboxDelete: gone });
		this.#becomeMember();
		await this.#greetNewDevices();
		this.#nextStatusMs = 0;
		this.#events.onHead();
	}

	/** The block with this household's `join` is committed: from now on this device takes part. */
	#becomeMember(): void {
		const { device } = this;
		if (this.raft !== undefined || device === undefined) return;
		const votes = { term: 0, votedFor: undefined, lastSigned: undefined, suspended: undefined };
		this.#createRaft(device, { votes, certificate: this.#certificate, tail: [] });
		this.#events.onMember();
		// The others learn with the same block that this device is one of them.
		for (const peer of this.#peers.authenticated()) this.#sendHello(peer);
	}

	/** A device that the chain has just admitted said hello before: it is one of us from now on. */
	async #greetNewDevices(): Promise<void> {
		for (const device of this.#hellos) {
			const index = this.deviceIndexOf(device);
			if (index !== undefined && this.raft?.peers.has(index) === false)
				await this.#raft({ type: "greeted", from: index });
		}
	}

	async #maybePropose(): Promise<void> {
		const { raft } = this;
		if (raft === undefined || this.#halted || !mayPropose(raft)) return;
		const { clocks, settings } = this.#dependencies;
		const parent = this.chain.last;
		const plan = planProposal({
			parameters: parent.ledger.parameters,
			chainMs: clocks.chainMs(),
			readingDelayMs: settings.readingDelayMs,
			last: parent.block,
			term: raft.term,
			waiting: (lastMinute) => this.mempool.counts(lastMinute, parent.block.index + 1),
		});
		if (plan === undefined) return;
		const link = this.#build(parent, plan.timestampMs, raft, plan.empty);
		// A quick block exists for its transactions: without one that the rules allow there is none.
		const quick = !plan.empty && link.block.transactions.length === 0;
		const { blockIntervalMs } = parent.ledger.parameters;
		if (
			quick &&
			Math.floor(plan.timestampMs / blockIntervalMs) === Math.floor(parent.block.timestampMs / blockIntervalMs)
		) {
			this.mempool.prune(this.chain.head.ledger, plan.timestampMs);
			return;
		}
		this.chain.push(link);
		await this.#raft({
			type: "propose",
			entry: { hash: link.hash, block: link.block, bytes: encodeBlock(link.block).length },
		});
	}

	/** Executes the block with the same function as the followers will. */
	#build(parent: Link, timestampMs: number, raft: RaftState, empty: boolean): Link {
		const index = parent.block.index + 1;
		let bytes = 0;
		const fits = (transaction: Transaction) => {
			bytes += encodeTransaction(transaction).length;
			return bytes <= this.#maxBlockBytes;
		};
		const frame = { index, previousHash: parent.hash, timestampMs };
		const candidates = empty ? [] : this.mempool.candidates(index);
		const executed = executeCandidates(parent.ledger, frame, candidates, fits);
		const { transactions, stateRoot } = executed;
		const block: Block = {
			version: BLOCK_VERSION,
			...frame,
			term: raft.term,
			proposer: raft.self,
			transactionsRoot: transactionsRoot(transactions, timestampMs),
			stateRoot,
			transactions,
		};
		return linkOf(block, executed);
	}

	// ── neighbours ───────────────────────────────────────────────────────────────────────────────────────────────

	/** A device proved who it is. */
	onAuthenticated(peer: Peer): void {
		this.#sendHello(peer);
	}

	#sendHello(peer: Peer): void {
		const { head } = this.chain;
		const peers = [...this.#peers.authenticated()].flatMap(({ received }) =>
			received === undefined ? [] : [received.deviceKey],
		);
		this.#peers.send(peer, {
			type: "hello",
			headIndex: head.block.index,
			headHash: head.hash,
			certificate: this.#certificate,
			term: this.raft?.term ?? 0,
			chainMs: this.#dependencies.clocks.chainMs(),
			bootCount: this.config.bootCount,
			bootId: this.#bootId,
			knownBoot: peer.device === undefined ? undefined : this.#boots.get(peer.device),
			peers,
		});
	}

	async onGone(device: string): Promise<void> {
		this.sync.forget(device);
		this.#hellos.delete(device);
		const index = this.deviceIndexOf(device);
		if (index !== undefined) await this.#raft({ type: "gone", from: index });
	}

	/** A message of a proven device. Unknown devices are guests: they may fetch blocks and hand in their `join`. */
	async onMessage(peer: Peer & { device: string }, message: Message): Promise<void> {
		switch (message.type) {
			case "hello":
				await this.#onHello(peer, message);
				break;
			case "status":
				this.#onStatus(peer.device, message);
				break;
			case "transactions":
				this.#onTransactions(peer, message.transactions);
				await this.#maybePropose();
				break;
			case "blocksRequest":
				await this.#onBlocksRequest(peer, message.fromIndex);
				break;
			case "blocks":
				await this.#onBlocks(peer, message);
				break;
			case "genesisRequest":
				await this.sendGenesis(peer);
				break;
			case "preVote":
			case "preVoteReply":
			case "requestVote":
			case "voteReply":
			case "appendEntries":
			case "appendReply":
				await this.#onRaftMessage(peer, message);
				break;
			default:
				this.#events.onRefused(`unexpected:${message.type}`);
		}
	}

	async #onHello(peer: Peer & { device: string }, hello: HelloMessage): Promise<void> {
		const { knownBoot, bootCount, bootId } = hello;
		const isTwin =
			knownBoot !== undefined &&
			(knownBoot.bootCount > this.config.bootCount ||
				(knownBoot.bootCount === this.config.bootCount && !equalBytes(knownBoot.bootId, this.#bootId)));
		if (isTwin) {
			this.#events.onFault({ code: "twin-device", bootCount: knownBoot.bootCount });
			await this.#raft({ type: "suspend", code: "twin-device" });
		}
		this.sync.heard(peer.device, hello.headIndex);
		this.#hellos.add(peer.device);
		const device = this.deviceIndexOf(peer.device);
		// Nothing is kept for strangers, of whom there is no end.
		if (device === undefined) return;
		const known = this.#boots.get(peer.device);
		// Of two clones with the same count each comes to hear of the other.
		if (known === undefined || known.bootCount <= bootCount) this.#boots.set(peer.device, { bootCount, bootId });
		await this.#raft({ type: "greeted", from: device });
		this.#gossip(
			peer,
			[...this.outbox.all()].map((pending) => pending.transaction),
		);
	}

	#onStatus(device: string, status: StatusMessage): void {
		const { headIndex, headHash, term, role } = status;
		this.sync.heard(device, headIndex);
		if (this.deviceIndexOf(device) !== undefined) this.statuses.set(device, { headIndex, headHash, term, role });
	}

	async #onRaftMessage(peer: Peer & { device: string }, message: RaftMessage): Promise<void> {
		const from = this.deviceIndexOf(peer.device);
		if (from === undefined) {
			this.#events.onRefused("raft-of-stranger");
			return;
		}
		const checked =
			message.type === "appendReply"
				? this.#checkReply(from, message)
				: message.type === "appendEntries"
					? this.#checkEntries(peer, message)
					: message;
		if (checked !== undefined) await this.#raft({ type: "message", from, message: checked });
		await this.#maybePropose();
	}

	/** An acknowledgement counts only with a good signature; one that cannot count any more is not looked at. */
	#checkReply(from: number, reply: AppendReplyMessage): AppendReplyMessage {
		const { raft } = this;
		const open = raft?.tail.at(-1);
		const { acknowledgement } = reply;
		if (acknowledgement === undefined) return reply;
		const without = { ...reply, acknowledgement: undefined };
		if (raft?.role !== "leader" || open === undefined || open.block.index !== reply.matchIndex) return without;
		if (reply.term !== raft.term || !equalBytes(open.hash, acknowledgement.hash)) return without;
		if (raft.acknowledgements.has(from)) return without;
		const digest = acknowledgementDigest(
			this.gridId,
			{ index: reply.matchIndex, term: reply.term, hash: acknowledgement.hash },
			from,
		);
		const key = this.chain.head.ledger.devices[from]?.publicKey;
		if (key !== undefined && this.#dependencies.verifier.verify(acknowledgement.signature, digest, key)) return reply;
		this.#events.onRefused("bad-acknowledgement");
		return without;
	}

	/** A certificate that says something new must be good; a bad one costs the channel. */
	#checkEntries(peer: Peer, message: AppendEntriesMessage): AppendEntriesMessage | undefined {
		const { certificate } = message;
		if (certificate === undefined) return message;
		if (certificate.index <= this.chain.head.block.index) return { ...message, certificate: undefined };
		const checked = this.#checkCertificate(certificate);
		if (checked.ok) return message;
		this.#peers.refuse(peer, checked.error);
		return undefined;
	}

	#checkCertificate(certificate: Certificate): Result<true, { code: string }> {
		const { ledger } = this.chain.head;
		const keyOf = (voter: number) => ledger.devices[voter]?.publicKey;
		return checkCertificate(certificate, ledger.voters, keyOf, this.gridId, this.#dependencies.verifier);
	}

	#maybeStatus(nowMs: number): void {
		if (nowMs < this.#nextStatusMs) return;
		this.#nextStatusMs = nowMs + STATUS_MS;
		const { head } = this.chain;
		this.#peers.broadcast({
			type: "status",
			headIndex: head.block.index,
			headHash: head.hash,
			term: this.raft?.term ?? 0,
			role: this.role,
		});
	}

	// ── transactions ─────────────────────────────────────────────────────────────────────────────────────────────

	#onTransactions(peer: Peer & { device: string }, transactions: readonly Transaction[]): void {
		const isGuest = this.deviceIndexOf(peer.device) === undefined;
		const { ledger } = this.chain.head;
		for (const transaction of transactions) {
			if (isGuest && transaction.kind !== "join") {
				this.#events.onRefused("transaction-of-stranger");
				continue;
			}
			const id = idOf(transaction, this.gridId);
			if (this.mempool.has(id, transaction)) {
				this.#forward(peer, transaction);
				continue;
			}
			const cause =
				checkSignatures(ledger, transaction, this.#dependencies.verifier) ??
				judge(ledger, Math.max(this.#dependencies.clocks.chainMs(), ledger.timestampMs + 1), transaction);
			if (isRefusal(cause)) {
				this.#events.onRefused(cause.code);
				continue;
			}
			if (this.mempool.add(id, transaction) === "full") this.#events.onRefused("mempool-full");
			else if (isGuest) this.#forward(peer, transaction);
		}
	}

	/** Heard twice, the author is not getting through to the leader by itself; a guest may know only us. */
	#forward(from: Peer & { device: string }, transaction: Transaction): void {
		const { raft } = this;
		if (raft?.leader === undefined || raft.leader === raft.self) return;
		const leader = this.#peers.toDevice(this.#deviceNameOf(raft.leader));
		if (leader !== undefined && leader.channel !== from.channel) {
			this.#peers.send(leader, { type: "transactions", transactions: [transaction] });
		}
	}

	#gossip(peer: Peer, transactions: readonly Transaction[]): void {
		for (let at = 0; at < transactions.length; at += GOSSIP_TRANSACTIONS) {
			this.#peers.send(peer, { type: "transactions", transactions: transactions.slice(at, at + GOSSIP_TRANSACTIONS) });
		}
	}

	#regossip(nowMs: number): void {
		const due = [...this.outbox.all()].filter(({ sentMs }) => sentMs < 0 || nowMs - sentMs > REGOSSIP_MS);
		if (due.length === 0) return;
		let reached = false;
		for (const peer of this.#peers.authenticated()) {
			this.#gossip(
				peer,
				due.map(({ transaction }) => transaction),
			);
			reached = true;
		}
		if (reached) for (const { id } of due) this.outbox.sent(id, nowMs);
	}

	/** Writes signed transactions to the outbox, strictly, and hands them to the neighbours. */
	async #submit(transactions: readonly Transaction[]): Promise<boolean> {
		const { ledger } = this.chain.head;
		for (const transaction of transactions) {
			// A signature that a fault spoilt could give the key away: it must not leave this device.
			// A `join` holds an operator's signature as well; it was looked at before.
			const isOwn = transaction.kind !== "join";
			const cause = isOwn ? checkSignatures(ledger, transaction, this.#dependencies.verifier) : undefined;
			assert(cause === undefined, `what was signed here verifies: ${cause?.code ?? ""}`);
		}
		const entries = transactions.map((transaction) => ({
			id: idOf(transaction, this.gridId),
			transaction,
		}));
		const outboxPut = entries.map(({ id, transaction }) => ({ id, transaction: sealTransaction(transaction) }));
		if (!(await this.#write({ outboxPut }))) return false;
		for (const { id, transaction } of entries) {
			this.outbox.add(id, transaction, this.#dependencies.clocks.chainMs());
			this.mempool.add(id, transaction);
		}
		this.#regossip(this.#dependencies.clocks.monotonicMs());
		await this.#maybePropose();
		return true;
	}

	/** Signs this household's readings. Those that are on the chain or on their way are left alone. */
	async submitReadings(readings: readonly Reading[]): Promise<void> {
		if (readings.length === 0) return;
		const { member } = this;
		if (member === undefined) return;
		const { households, devices } = this.chain.head.ledger;
		const household = households[member];
		const metering = household === undefined ? undefined : devices[household.meteringDevice];
		if (household === undefined || metering === undefined || !equalBytes(metering.publicKey, this.deviceKey)) return;
		const waiting = new Set<number>();
		for (const { transaction } of this.outbox.all())
			if (transaction.kind === "reading") waiting.add(transaction.minute);
		const fresh = readings.filter(
			({ minute }) => minute >= household.joinedMinute && !waiting.has(minute) && !hasMinute(household.seen, minute),
		);
		if (fresh.length === 0) return;
		await this.#submit(
			fresh.map((reading) => {
				const { minute, importWh, exportWh, quality } = reading;
				const unsigned = { kind: "reading" as const, member, minute, importWh, exportWh, quality };
				return { ...unsigned, signature: this.#sign(unsigned, this.config.keys.deviceSecret) };
			}),
		);
	}

	#sign(unsigned: Unsigned<Transaction>, secretKey: Uint8Array): Uint8Array {
		return this.#dependencies.signer.sign(transactionId(unsigned, this.gridId), secretKey);
	}

	/** Whether an act can be signed now: one is under way at a time, so that no nonce is ever promised twice. */
	get mayAct(): boolean {
		return !this.outbox.hasAct;
	}

	/** Signs and submits what a person asked for. What the ledger would refuse is refused before it is signed. */
	async act(command: ActCommand): Promise<Result<{ type: "signed"; id: string }, CommandError>> {
		const { member } = this;
		if (member === undefined) return refused({ code: "not-a-member" });
		if (this.#halted) return refused({ code: "storage-write-failed" });
		const { ledger } = this.chain.head;
		const timestampMs = Math.max(this.#dependencies.clocks.chainMs(), ledger.timestampMs + 1);
		const nonce = (ledger.households[member]?.nonce ?? 0) + 1;
		const unsigned = createAct(command, member, nonce, minuteOf(timestampMs));
		if (!unsigned.ok) return unsigned;
		const signature = this.#sign(unsigned.value, this.config.keys.householdSecret);
		const transaction = { ...unsigned.value, signature } as Transaction;
		const cause = judge(ledger, timestampMs, transaction);
		if (cause !== undefined) return refused(cause);
		if (!(await this.#submit([transaction]))) return refused({ code: "storage-write-failed" });
		return ok({ type: "signed", id: idOf(transaction, this.gridId) });
	}

	// ── members ──────────────────────────────────────────────────────────────────────────────────────────────────

	/** Operator: a link for one new household. */
	invite(): Result<{ type: "link"; link: string }, CommandError> {
		const { member } = this;
		const { ledger, block, hash } = this.chain.head;
		if (member === undefined || ledger.households[member]?.operator !== true) return refused({ code: "not-operator" });
		const { signer, randomBytes, clocks } = this.#dependencies;
		const oneTimeSecret = randomBytes(32);
		const unsigned = {
			id: randomBytes(16),
			operator: member,
			expiryMinute: minuteOf(clocks.chainMs()) + INVITATION_MINUTES,
			oneTimeKey: signer.publicKeyOf(oneTimeSecret),
		};
		const signature = signer.sign(invitationDigest(unsigned, this.gridId), this.config.keys.householdSecret);
		const invitation: Invitation = { ...unsigned, signature };
		const pin = { index: block.index, hash: hash.slice(0, 16) };
		const { networkKey } = this.config;
		const link = encodeJoinLink({ kind: "join", gridId: this.gridId, networkKey, invitation, oneTimeSecret, pin });
		return ok({ type: "link", link });
	}

	/** Invited and not a member yet: signs the `join` once, and keeps it in the outbox until it is in a block. */
	async #joinIfInvited(): Promise<void> {
		const { invitationLink, keys, householdName, alwaysOn } = this.config;
		if (invitationLink === undefined || this.member !== undefined || this.outbox.size > 0) return;
		const link = decodeLink(invitationLink);
		assert(link.ok && link.value.kind === "join", "the invitation was read before it was kept");
		const { invitation, oneTimeSecret } = link.value;
		const unsigned: Unsigned<JoinTransaction> = {
			kind: "join",
			name: householdName,
			householdKey: this.householdKey,
			deviceKey: this.deviceKey,
			alwaysOn,
			invitation,
		};
		const join: JoinTransaction = {
			...unsigned,
			signatures: {
				household: this.#sign(unsigned, keys.householdSecret),
				device: this.#sign(unsigned, keys.deviceSecret),
				oneTime: this.#sign(unsigned, oneTimeSecret),
			},
		};
		// The operator may have joined later than this chain reaches: the neighbours know then.
		const cause = checkSignatures(this.chain.head.ledger, join, this.#dependencies.verifier);
		if (cause?.code === "bad-signature") {
			this.joinRefusal = cause.code;
			this.#events.onRefused(cause.code);
			return;
		}
		await this.#submit([join]);
	}

	/** Changes this device's settings, strictly. */
	async saveConfig(change: Partial<ChainConfig>): Promise<boolean> {
		this.config = { ...this.config, ...change };
		return this.#write({ config: encodeConfig(this.config) });
	}

	async sendGenesis(peer: Peer): Promise<void> {
		const stored = await this.#storage.readBlocks(0, 1);
		const record = stored.ok ? stored.value[0]?.record : undefined;
		const content = record === undefined ? undefined : openRecord(record);
		if (content?.ok === true) this.#peers.send(peer, { type: "genesis", block: content.value });
	}

	/** The blockchain as it is stored, from genesis on. */
	async *storedBlocks(): AsyncGenerator<Block> {
		let previousHash = ZERO_HASH;
		for (let fromIndex = 0; ; ) {
			const stored = await this.#storage.readBlocks(fromIndex, 2 * CERTIFICATE_SPACING);
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

	// ── catching up ──────────────────────────────────────────────────────────────────────────────────────────────

	#maybeSync(nowMs: number): void {
		const headIndex = this.chain.head.block.index;
		const behind = this.sync.targetIndex - headIndex;
		if (behind <= 0) {
			this.#behindSinceMs = undefined;
			return;
		}
		this.#behindSinceMs ??= nowMs;
		// One block behind is the normal way of a block: its certificate is coming.
		if (behind === 1 && this.raft !== undefined && nowMs - this.#behindSinceMs < SYNC_PATIENCE_MS) return;
		const request = this.sync.nextRequest(this.chain.head, nowMs);
		if (request === undefined) return;
		const peer = this.#peers.toDevice(request.device);
		if (peer === undefined) this.sync.forget(request.device);
		else this.#peers.send(peer, { type: "blocksRequest", fromIndex: request.fromIndex });
	}

	async #onBlocksRequest(peer: Peer, fromIndex: number): Promise<void> {
		const certificate = await this.#storage.certificateFrom(fromIndex);
		const end = certificate.ok ? certificate.value : undefined;
		if (end === undefined || fromIndex > end.index) {
			this.#peers.send(peer, { type: "blocks", fromIndex, blocks: [], certificate: undefined });
			return;
		}
		const stored = await this.#storage.readBlocks(
			fromIndex,
			Math.min(end.index - fromIndex + 1, 2 * CERTIFICATE_SPACING),
		);
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
		const complete = fromIndex + blocks.length - 1 === end.index;
		const certified = complete ? decodeCertificateRecord(end.record) : undefined;
		this.#peers.send(peer, {
			type: "blocks",
			fromIndex,
			blocks,
			certificate: certified?.ok === true ? certified.value : undefined,
		});
	}

	async #onBlocks(peer: Peer & { device: string }, message: BlocksMessage): Promise<void> {
		const run = this.sync.onBlocks(peer.device, message, this.chain.head, (certificate, last) => {
			const { devices, voters } = last.ledger;
			const keyOf = (voter: number) => devices[voter]?.publicKey;
			return checkCertificate(certificate, voters, keyOf, this.gridId, this.#dependencies.verifier);
		});
		if (!run.ok) {
			this.sync.forget(peer.device);
			this.#peers.refuse(peer, run.error);
			return;
		}
		if (run.value !== undefined) await this.#install(run.value.links, run.value.bytes, run.value.certificate);
		this.#maybeSync(this.#dependencies.clocks.monotonicMs());
	}

	async #install(links: readonly Link[], bytes: readonly Uint8Array[], certificate: Certificate): Promise<void> {
		const head = links.at(-1);
		assert(head !== undefined, "a certified run has a block");
		const blocks = links.map((link, at) => ({
			index: link.block.index,
			record: sealRecord(bytes[at] ?? encodeBlock(link.block)),
		}));
		const written = await this.#write({
			install: { blocks, upToIndex: certificate.index, certificate: encodeCertificateRecord(certificate) },
		});
		if (!written) return;
		this.#certificate = certificate;
		let parent = this.chain.head.ledger;
		this.chain.install(head);
		for (const link of links) {
			this.#absorb(parent, link);
			this.#checkpoints.passed(parent, link, certificate);
			parent = link.ledger;
		}
		const { index, term, timestampMs } = head.block;
		await this.#raft({ type: "installed", base: { index, hash: head.hash, term, timestampMs }, certificate });
		await this.#afterHead();
	}
}

/** What the street tells its node. */
export interface StreetEvents {
	/** The committed head moved. */
	onHead(): void;
	/** This household became a member. */
	onMember(): void;
	/** Something from outside was refused; counted by code. */
	onRefused(code: string): void;
	onFault(fault: Fault): void;
}

function summaryOf(link: Link): BlockSummary {
	const { index, timestampMs, transactions } = link.block;
	const readings = transactions.filter((transaction) => transaction.kind === "reading").length;
	let settledWh = 0;
	for (const { deliveries } of link.results.settled) for (const { energyWh } of deliveries) settledWh += energyWh;
	return { index, hash: link.hash, timestampMs, readings, others: transactions.length - readings, settledWh };
}
