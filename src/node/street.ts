/**
 * A running neighbourhood on this device. Inputs come one at a time, from the node, and go to the part they concern
 * (`street/`); every write is durable before anything that depends on it leaves.
 *
 * Two ways lead to a moved head: Raft commits (`raftDriver`), or certified blocks are fetched (`catchingUp`). Both end
 * in `#afterHead`, where whatever follows from a new head is done.
 */

import type { Block } from "../block/block.js";
import type { DoubleSignature } from "../block/evidence.js";
import type { IceServer } from "../block/iceServer.js";
import type { Reading } from "../block/reading.js";
import type { BankAccount } from "../block/statedAccount.js";
import { LOG_DAMAGED } from "../consensus/commit.js";
import type { RaftState } from "../consensus/state.js";
import type { KeySalt } from "../contract/ledger.js";
import type { Crossing, HouseholdProofMessage, Message, NodeRole } from "../message/message.js";
import type { MeterMemory } from "../meter/meterPipeline.js";
import { assert } from "../primitives/assert.js";
import { SEED_BYTES } from "../primitives/recoveryWords.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { minuteOf } from "../primitives/units.js";
import type { ActCommand } from "./acts.js";
import type { Chain, Link } from "./chain.js";
import type { ConnectTo } from "./channelPlan.js";
import { createClaim } from "./claim.js";
import type { History } from "./history.js";
import { HouseholdKey } from "./householdKey.js";
import { dayOf, decodeDay, type IntervalHistory, intervalsWithin } from "./intervalHistory.js";
import type { LastMinute } from "./lastMinute.js";
import { type LoadedChain, loadChain } from "./loading.js";
import type { Mempool } from "./mempool.js";
import { credentialsOf, householdProofOf } from "./newcomer.js";
import type { Outbox } from "./outbox.js";
import type { Peer } from "./peers.js";
import type { ProofRequest } from "./proofSearch.js";
import { ProposalSize } from "./proposer.js";
import type { Command, CommandError, WhatIf } from "./protocol.js";
import type { RecentFlows } from "./recentFlows.js";
import { type ChainConfig, encodeConfig, encodeVotes, type Keys } from "./records.js";
import { sameMeters } from "./sameMeter.js";
import type { Statement } from "./statement.js";
import type { ChainChange, StorageError, StoredHours } from "./storage.js";
import { Accounts } from "./street/accounts.js";
import { Admission } from "./street/admission.js";
import { CatchingUp } from "./street/catchingUp.js";
import { CheckpointFetching } from "./street/checkpointFetching.js";
import { CommittedHead, DerivedViews, type RecentBlock } from "./street/committedHead.js";
import { type ProvenPeer, StreetContext, type StreetEvents, type StreetParts } from "./street/context.js";
import { DoubleSigning } from "./street/doubleSigning.js";
import { Gossip } from "./street/gossip.js";
import { Greeting } from "./street/greeting.js";
import { createInvitationLink, createRestoreLink } from "./street/invitations.js";
import { KeptBlocks } from "./street/keptBlocks.js";
import { KeptMinutes } from "./street/keptMinutes.js";
import { Membership } from "./street/membership.js";
import { OlderDays } from "./street/olderDays.js";
import { createOnward } from "./street/onward.js";
import { OwnTransactions } from "./street/ownTransactions.js";
import { Papers } from "./street/papers.js";
import { Past } from "./street/past.js";
import { Presence } from "./street/presence.js";
import { Proposing } from "./street/proposing.js";
import { Proving } from "./street/proving.js";
import { Pruning } from "./street/pruning.js";
import { RaftDriver } from "./street/raftDriver.js";
import { RaftMessages } from "./street/raftMessages.js";
import { Reach } from "./street/reach.js";
import { Refounding } from "./street/refounding.js";
import { Serving } from "./street/serving.js";
import { StartUp } from "./street/startUp.js";
import { createSuccessor } from "./street/successor.js";
import { TailVerification } from "./street/tailVerification.js";
import { Unlocking } from "./street/unlocking.js";
import { Usages } from "./street/usages.js";
import { VoterKeeping } from "./street/voterKeeping.js";
import { Sync } from "./sync.js";
import { sealedAlone } from "./vault.js";
import { type WhatIfRequest, whatIf } from "./whatIf.js";

export class Street {
	readonly gridId: Uint8Array;
	readonly deviceKey: Uint8Array;
	readonly householdKey: Uint8Array;
	readonly chain: Chain;
	readonly history: History;
	readonly lastMinute: LastMinute;
	readonly statement: Statement;
	/** The newest committed blocks, newest first. */
	readonly blocks: readonly RecentBlock[];
	readonly outbox: Outbox;
	readonly mempool: Mempool;
	readonly sync: Sync;
	readonly presence: Presence;
	readonly verification: Pick<TailVerification, "progress" | "bad">;
	/** What passed minutes say about contracts and offers. */
	readonly past: Past;
	/** What earlier runs had begun of the meter. */
	readonly savedMeter: MeterMemory | undefined;

	readonly #context: StreetContext;
	readonly #raft: RaftDriver;
	readonly #head: CommittedHead;
	readonly #intervals: IntervalHistory;
	readonly #doubleSigning: DoubleSigning;
	readonly #raftMessages: RaftMessages;
	readonly #proposing: Proposing;
	readonly #reach: Reach;
	readonly #gossip: Gossip;
	readonly #own: OwnTransactions;
	readonly #greeting: Greeting;
	readonly #membership: Membership;
	readonly #admission: Admission;
	readonly #pruning: Pruning;
	readonly #proving: Proving;
	readonly #serving: Serving;
	readonly #catchingUp: CatchingUp;
	readonly #checkpoints: CheckpointFetching;
	readonly #verification: TailVerification;
	readonly #voterKeeping: VoterKeeping;
	/** Whether, and how, this chain is left for one that goes on from it. */
	readonly refounding: Refounding;
	readonly unlocking: Unlocking;
	/** What is to be done in the first week. */
	readonly startUp: StartUp;
	readonly flows: RecentFlows;
	/** Bank accounts, of operators and this household's own; for an operator all. */
	readonly accounts: Accounts;
	/** Statements and exports. */
	readonly papers: Papers;
	/** Graphs. */
	readonly usages: Usages;
	/** The chain, for a person who looks. */
	readonly keptBlocks: KeptBlocks;
	readonly #olderDays: OlderDays;
	#lastTickMs: number;
	#claim: string | undefined;
	#sameMeters: { readonly head: Link; readonly pairs: readonly [number, number][] } | undefined;
	/** Of what it was reckoned, and what came of it. */
	#ownCredentials: readonly Message[] | undefined;

	/** Opens what is stored. The genesis must be there. */
	static async open(parts: StreetParts): Promise<Result<Street, StorageError | { code: "no-config" | "no-genesis" }>> {
		const { dependencies, events, storage } = parts;
		let views: DerivedViews | undefined;
		const loaded = await loadChain(storage, parts.gridId, ({ keys }, proven) => {
			const { publicKey } = new HouseholdKey(keys.household, dependencies.signer);
			const made = new DerivedViews(publicKey, dependencies.localTime, proven, (store) => tellDamage(events, store));
			views = made;
			return made;
		});
		if (!loaded.ok) return loaded;
		const { chain } = loaded.value;
		if (chain === undefined) return refused({ code: "no-genesis" });
		assert(views !== undefined, "a loaded chain has a config");
		const street = new Street(parts, loaded.value, chain, views);
		await street.#start(loaded.value);
		return ok(street);
	}

	private constructor(parts: StreetParts, loaded: LoadedChain, chain: Chain, views: DerivedViews) {
		const { settings, clocks } = parts.dependencies;
		const config = { ...loaded.config, bootCount: loaded.config.bootCount + 1 };
		const context = new StreetContext(parts, config, chain);
		const verification = new TailVerification(context, loaded);
		const doubleSigning = new DoubleSigning(context, loaded.evidence);
		const head = new CommittedHead(context, views, verification, doubleSigning, loaded);
		const sync = new Sync(
			(ledger, transaction) => context.checkSigners(ledger, transaction),
			config.pin,
			(device) => context.deviceIndexOf(device) !== undefined,
		);
		const proposalSize = new ProposalSize(settings.maxBlockBytes);
		const afterHead = () => this.#afterHead();
		const raft = new RaftDriver(context, { head, sync, proposalSize, afterHead });
		this.#context = context;
		this.savedMeter = loaded.meter;
		this.#raft = raft;
		this.#head = head;
		this.#intervals = views.intervals;
		this.#doubleSigning = doubleSigning;
		this.#proposing = new Proposing(context, raft, proposalSize);
		this.#raftMessages = new RaftMessages(context, raft, this.#proposing, sync, doubleSigning);
		const presence = new Presence(context, raft);
		this.accounts = new Accounts(context, loaded.accounts);
		this.#reach = new Reach(context, sync, () => this.accounts.wanted);
		this.#gossip = new Gossip(context, raft, presence);
		this.#own = new OwnTransactions(context, this.#gossip, this.#proposing);
		const greetingParts = { raft, head, sync, gossip: this.#gossip, doubleSigning, presence };
		this.#greeting = new Greeting(context, greetingParts, loaded);
		this.refounding = new Refounding(context, raft, head, presence);
		this.unlocking = new Unlocking(context, () => this.#onUnlocked());
		this.startUp = new StartUp(context, views.history);
		this.flows = views.flows;
		this.#membership = new Membership(context, raft, head, this.#greeting, this.refounding, withPromises(loaded).votes);
		this.#admission = new Admission(context, sync, this.#own);
		this.#pruning = new Pruning(context, views.proofs, verification, loaded.blocksFrom);
		this.#proving = new Proving(context, views.proofs);
		const kept = new KeptMinutes(context, views.history);
		this.#olderDays = new OlderDays(context, views.history, loaded);
		this.papers = new Papers(context, kept, views.statement);
		this.usages = new Usages(context, kept, views.statement);
		this.keptBlocks = new KeptBlocks(context, { statement: views.statement, verification, pruning: this.#pruning });
		this.#serving = new Serving(context, this.#pruning);
		const fetching = { sync, raft, head, verification };
		this.#verification = verification;
		const afterJump = () => this.#afterJump();
		this.#checkpoints = new CheckpointFetching(context, { ...fetching, pruning: this.#pruning, afterJump });
		this.#catchingUp = new CatchingUp(context, {
			...fetching,
			checkpoints: this.#checkpoints,
			doubleSigning,
			afterHead,
		});
		this.#voterKeeping = new VoterKeeping(context, this.#own, presence);
		this.#lastTickMs = clocks.monotonicMs();

		this.gridId = context.gridId;
		this.deviceKey = context.deviceKey;
		this.householdKey = context.householdKey;
		this.chain = chain;
		this.history = views.history;
		this.statement = views.statement;
		this.lastMinute = views.lastMinute;
		this.past = new Past(context, views.history);
		this.blocks = views.blocks;
		this.outbox = context.outbox;
		this.mempool = context.mempool;
		this.sync = sync;
		this.presence = presence;
		this.verification = verification;
	}

	async #start(loaded: LoadedChain): Promise<void> {
		const { device, events } = this.#context;
		for (const store of loaded.damaged) {
			tellDamage(events, store);
		}
		const change: ChainChange = { config: encodeConfig(this.config) };
		// What lies above a damaged proposed block would be taken for damage again at every start.
		if (loaded.damaged.includes("proposedBlocks")) change.truncateFrom = this.chain.last.block.index + 1;
		// The next start finds no damage any more: why this device must not vote goes with the same write.
		if (loaded.damaged.length > 0) change.votes = encodeVotes(withPromises(loaded).votes);
		// What nobody can read is of no use to anybody, and would be found damaged at every start.
		await this.#context.write({ ...change, outboxDelete: [...loaded.unreadable, ...this.#own.restore(loaded)] });
		this.#verification.start();
		this.refounding.restore(loaded.refounding);
		if (device !== undefined && !this.refounding.standsAside) this.#raft.create(device, withPromises(loaded));
		await this.#checkpoints.resume();
		await this.#own.joinIfInvited();
		await this.#own.confirmIfFoundedAgain();
		await this.unlocking.onHead();
		await this.startUp.onHead();
	}

	// ── what is seen from outside ────────────────────────────────────────────────────────────────────────────────

	/** Through which neighbours that cannot be seen are reached. */
	get iceServers(): readonly IceServer[] {
		return this.#context.iceServers;
	}

	/** What was mixed into the network key. */
	get keySalts(): readonly KeySalt[] {
		return this.#context.keySalts;
	}

	/** This device's settings and keys. */
	get config(): ChainConfig {
		return this.#context.config;
	}

	/** Undefined while this device is a guest. */
	get raft(): RaftState | undefined {
		return this.#raft.state;
	}

	get role(): NodeRole {
		return this.#raft.role;
	}

	/** The database failed: this device takes part in nothing until the next start. */
	get halted(): boolean {
		return this.#context.halted;
	}

	/** This device's index, once the chain knows it. */
	get device(): number | undefined {
		return this.#context.device;
	}

	/** This household's member index, once the chain knows it. */
	get member(): number | undefined {
		return this.#context.member;
	}

	/** The index of a device, by its key in hex; undefined for a guest. */
	deviceIndexOf(device: string): number | undefined {
		return this.#context.deviceIndexOf(device);
	}

	/** Voters that were found to have signed two blocks for one place. */
	get doubleSignatures(): readonly DoubleSignature[] {
		return this.#doubleSigning.found;
	}

	/** Why this household's `join`, or this device of it, was refused. */
	get joinRefusal(): string | undefined {
		if (this.#context.isRebound) return "household-rebound";
		const refusal = this.awaitsAdmission ? this.#admission.refusal : this.#own.joinRefusal;
		return refusal ?? (this.device === undefined ? this.#catchingUp.turnedAway : undefined);
	}

	/** Whether the neighbours give this device nothing more, by their word. */
	get isTurnedAway(): boolean {
		return this.#catchingUp.turnedAway !== undefined;
	}

	/** Pairs of members that seem to read one and the same meter: looked for once for each head. */
	get sameMeters(): readonly (readonly [number, number])[] {
		const { head } = this.#context.chain;
		if (this.#sameMeters?.head !== head) {
			const members = head.ledger.households.filter(({ removal }) => removal?.completed !== true);
			const pairs = sameMeters(
				members.map(({ index }) => index),
				minuteOf(head.block.timestampMs),
				(member, minute) => this.history.reading(member, minute),
			);
			this.#sameMeters = { head, pairs };
		}
		return this.#sameMeters.pairs;
	}

	/** What the operator needs to give a household this browser's key, while the chain knows no household of it. */
	get claim(): string | undefined {
		const { gridId, household } = this.#context;
		if (this.joinRefusal !== "unknown-household" || household.isLocked) return undefined;
		this.#claim ??= createClaim(household, gridId);
		return this.#claim;
	}

	/** Whether this device of a member is still to be admitted. */
	get awaitsAdmission(): boolean {
		return this.#context.awaitsAdmission;
	}

	/** Whether what this household's meter says is wanted here, or will be. */
	get takesReadings(): boolean {
		return this.member !== undefined || this.config.admission?.member !== undefined;
	}

	/** Whom this device is to be connected with. */
	get connectTo(): ConnectTo {
		return this.#reach.connectTo;
	}

	/** Why this device takes no part any more, until it is admitted anew; undefined: it does take part. */
	get outOfUse(): string | undefined {
		if (this.#context.isRevoked) return this.#context.whyRevoked;
		// By the neighbours' word: what shows it may not be kept by anybody any more.
		if (this.device !== undefined && this.#catchingUp.turnedAway !== undefined) return this.#catchingUp.turnedAway;
		const suspended = this.raft?.suspended;
		// A damaged log heals by itself.
		return suspended === LOG_DAMAGED ? undefined : suspended;
	}

	/** Whether an act can be signed now: one is under way at a time. */
	get mayAct(): boolean {
		return this.#own.mayAct;
	}

	/** The blockchain as it is stored, from genesis on. */
	storedBlocks(): AsyncGenerator<Block> {
		return this.#serving.storedBlocks();
	}

	// ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

	/** Before every input: a tab that was frozen steps down before it looks at anything that waited for it. */
	async noticeGap(): Promise<void> {
		const { dependencies, peers } = this.#context;
		const { clocks, settings } = dependencies;
		const monotonicMs = clocks.monotonicMs();
		this.unlocking.lockInTime();
		const electionTimeoutMs = this.raft?.settings.electionTimeoutMaxMs ?? settings.silenceMs;
		if (monotonicMs - this.#lastTickMs <= electionTimeoutMs) return;
		this.#lastTickMs = monotonicMs;
		peers.forgiveSilence();
		this.sync.resumed();
		this.#checkpoints.resumed();
		this.#reach.resumed();
		await this.#raft.feed({ type: "resume", monotonicMs, chainMs: clocks.chainMs() });
	}

	/** Time passed. `canCall`: others can be called through a signaling server. */
	async tick(canCall: boolean): Promise<void> {
		const { clocks } = this.#context.dependencies;
		const monotonicMs = clocks.monotonicMs();
		const chainMs = clocks.chainMs();
		this.#lastTickMs = monotonicMs;
		await this.unlocking.tick();
		await this.#raft.feed({ type: "tick", monotonicMs, chainMs });
		this.presence.tick(chainMs);
		await this.#proposing.maybePropose();
		this.#catchingUp.maybeRequest(monotonicMs);
		this.#greeting.maybeStatus(monotonicMs);
		this.#reach.tick(monotonicMs, canCall);
		this.#gossip.regossip(monotonicMs);
		this.refounding.handOn();
		this.accounts.tick(monotonicMs);
		await this.#voterKeeping.tick(monotonicMs);
		await this.#admission.maybeHandIn();
		if (await this.#verification.tick()) await this.#keepCheckpoint();
		await this.#pruning.tick(monotonicMs);
		await this.#olderDays.tick(monotonicMs);
	}

	/** The page is going away, or will be frozen: a leader hands over while it can. */
	async closing(): Promise<void> {
		await this.#raft.feed({ type: "transferLeadership" });
	}

	/** The committed head moved: own transactions are judged there, this device may be a member, everybody hears of it. */
	async #afterHead(): Promise<void> {
		this.#catchingUp.onHead();
		if (!this.#admission.isBehind) await this.#own.judgeAtHead();
		await this.#keepCheckpoint();
		this.#membership.onHead();
		await this.#greeting.onHead();
		await this.refounding.onHead();
		await this.accounts.onHead();
		await this.#voterKeeping.onHead();
		this.#context.events.onHead();
		await this.unlocking.onHead();
		await this.#admission.maybeHandIn();
	}

	/** The household's key was opened: what waited for it goes on. */
	async #onUnlocked(): Promise<void> {
		await this.#own.confirmIfFoundedAgain();
		await this.refounding.onUnlocked();
		await this.accounts.onUnlocked();
	}

	/** Below a new checkpoint blocks may have become old enough to go. */
	async #keepCheckpoint(): Promise<void> {
		if (await this.#head.keepCheckpoint()) this.#pruning.wake();
	}

	/** The head jumped to a checkpoint: what waited may lie in the blocks below. */
	async #afterJump(): Promise<void> {
		this.#pruning.jumped(this.chain.head.block.index);
		this.#own.passOver();
		await this.#afterHead();
	}

	// ── neighbours ───────────────────────────────────────────────────────────────────────────────────────────────

	/** A device proved who it is. */
	onAuthenticated(peer: Peer): void {
		// Before anything is asked for.
		this.#show(peer);
		this.#greeting.sendHello(peer);
	}

	/** Shows what lets this device in: again, where the neighbour was behind, or not in the street itself. */
	#show(peer: Peer): void {
		for (const credential of this.#credentials()) this.#context.peers.send(peer, credential);
	}

	/** What this device shows while the chain does not know it. */
	#credentials(): readonly Message[] {
		const { config, dependencies, device, gridId, household } = this.#context;
		if (device !== undefined) return [];
		if (household.isLocked) return [];
		this.#ownCredentials ??= credentialsOf({ gridId, config, household, signer: dependencies.signer });
		return this.#ownCredentials;
	}

	/** What shows of a device that this chain does not know whose it is. */
	get householdProof(): HouseholdProofMessage | undefined {
		const { device, deviceKey, gridId, household } = this.#context;
		return device !== undefined || household.isLocked ? undefined : householdProofOf(gridId, deviceKey, household);
	}

	/** Whether a device that comes from the chain before may have this one. */
	mayCross(deviceKey: Uint8Array, household: Crossing["household"]): boolean {
		return this.#context.entitlement.mayCross(deviceKey, household);
	}

	/** Whether a device may have all of the chain. */
	mayHaveAll(device: string): boolean {
		return this.#context.entitlement.hasAll(device);
	}

	onGone(device: string): Promise<void> {
		this.#checkpoints.gone(device);
		this.#context.entitlement.onGone(device);
		this.#catchingUp.onGone(device);
		this.accounts.onGone(device);
		return this.#greeting.onGone(device);
	}

	sendGenesis(peer: Peer): Promise<void> {
		return this.#serving.sendGenesis(peer);
	}

	/**
	 * A message of a proven device. Unknown devices are guests: they show what lets them in and hand in their `join`, and
	 * what they ask for they get once that has been found good (`entitlement.ts`).
	 */
	async onMessage(peer: ProvenPeer, message: Message): Promise<void> {
		switch (message.type) {
			case "hello":
				await this.#greeting.onHello(peer, message);
				this.refounding.tell(peer);
				this.accounts.greet(peer.device);
				break;
			case "twin":
				this.#greeting.onTwin(peer, message.meeting);
				break;
			case "evidence":
				await this.#doubleSigning.onEvidence(peer, message.doubleSignatures);
				break;
			case "status":
				this.#greeting.onStatus(peer.device, message);
				break;
			case "neighbours":
				this.presence.onNeighbours(peer, message);
				break;
			case "householdProof":
				this.#context.entitlement.onHouseholdProof(peer, message);
				break;
			case "turnedAway":
				if (this.#catchingUp.onTurnedAway(peer, message.code)) this.#show(peer);
				break;
			case "transactions":
				this.#gossip.onTransactions(peer, message.transactions);
				await this.#proposing.maybePropose();
				break;
			case "blocksRequest":
				await this.#serving.onBlocksRequest(peer, message.fromIndex);
				break;
			case "blocks":
				await this.#catchingUp.onBlocks(peer, message);
				break;
			case "checkpointRequest":
				await this.#serving.onCheckpointRequest(peer, message.haveIndex);
				break;
			case "checkpoint":
				await this.#checkpoints.onCheckpoint(peer, message);
				break;
			case "headersRequest":
				await this.#serving.onHeadersRequest(peer, message.fromIndex);
				break;
			case "headers":
				await this.#checkpoints.onHeaders(peer, message);
				break;
			case "chunkRequest":
				await this.#serving.onChunkRequest(peer, message.index, message.number);
				break;
			case "chunk":
				await this.#checkpoints.onChunk(peer, message);
				break;
			case "genesisRequest":
				await this.sendGenesis(peer);
				break;
			case "refounding":
				await this.refounding.onRefounding(peer, message);
				break;
			case "confirmations":
				await this.refounding.onConfirmations(message);
				break;
			case "withdrawal":
				await this.refounding.onWithdrawal(message);
				break;
			case "accounts":
				await this.accounts.onAccounts(peer, message.accounts);
				break;
			case "accountsKept":
				await this.accounts.onKept(peer, message);
				break;
			case "preVote":
			case "preVoteReply":
			case "requestVote":
			case "voteReply":
			case "timeoutNow":
			case "appendEntries":
			case "appendReply":
				await this.#raftMessages.onMessage(peer, message);
				break;
			default:
				this.#context.events.onRefused(`unexpected:${message.type}`);
		}
	}

	// ── this household ───────────────────────────────────────────────────────────────────────────────────────────

	/**
	 * Signs this household's readings. Those that are on the chain or on their way are left alone. `meter`: what the meter
	 * that they are of has begun after them, kept in the same write. False: they could not be written.
	 */
	submitReadings(readings: readonly Reading[], meter?: MeterMemory): Promise<boolean> {
		return this.#own.submitReadings(readings, meter);
	}

	/** Hands in minutes that a person gave, as typed ones. All of them, or none. */
	handIn(readings: Extract<Command, { type: "handIn" }>["readings"]): ReturnType<OwnTransactions["handIn"]> {
		return this.#own.handIn(readings);
	}

	/** Signs and submits what a person asked for. What the ledger would refuse is refused before it is signed. */
	async act(command: ActCommand): Promise<Result<{ type: "signed"; id: string }, CommandError>> {
		const signed = await this.#own.act(command);
		if (signed.ok) this.unlocking.used();
		return signed;
	}

	/** States this household's bank account; undefined: takes back what it had stated. */
	async stateAccount(account: BankAccount | undefined): ReturnType<Accounts["state"]> {
		const stated = await this.accounts.state(account);
		if (stated.ok) this.unlocking.used();
		return stated;
	}

	/** What passed minutes say about contracts and offers, for who looks further back than a week. */
	async wholePast(): Promise<Past> {
		await this.#olderDays.all();
		return this.past;
	}

	/** What another rule of the market would have made of this household's past. */
	async whatIf(request: WhatIfRequest): Promise<Result<WhatIf, StorageError>> {
		const { fromMinute, untilMinute } = request;
		const { market } = this.chain.head.ledger;
		const until = Math.min(untilMinute, market?.matchedUntilMinute ?? fromMinute);
		const stored = await this.#context.storage.readIntervals(dayOf(fromMinute), dayOf(untilMinute) + 1);
		if (!stored.ok) return stored;
		// What was matched since the last checkpoint is in memory alone.
		const days = new Map([...stored.value, ...this.#intervals.storedDays()].map(({ day, record }) => [day, record]));
		const kept = [...days].flatMap(([day, record]) => decodeDay(record, day) ?? []);
		const figures = whatIf(kept, request, this.config.ownRetail);
		const intervals = market === undefined ? 0 : intervalsWithin(fromMinute, until, market.intervalMinutes);
		return ok({ intervals, ...figures });
	}

	/** A proof of something of this household's, as a file. */
	proofFile(request: ProofRequest): ReturnType<Proving["makeFile"]> {
		return this.#proving.makeFile(request);
	}

	/** Operator: a link for one new household. */
	invite(observer: boolean): Result<{ type: "link"; link: string }, CommandError> {
		const link = createInvitationLink(this.#context, observer);
		if (link.ok) this.unlocking.used();
		return link;
	}

	/** Whether the household's key has to be opened before a person can sign anything. */
	get isLocked(): boolean {
		return this.#context.household.isLocked;
	}

	/**
	 * The household's own way back, if this browser loses what it keeps, and to a further device. Whoever has it can try
	 * passwords for as long as they like: it is made for who knows it already.
	 */
	restoreLink(): Result<{ type: "link"; link: string }, CommandError> {
		if (this.isLocked) return refused({ code: "locked" });
		this.unlocking.used();
		return createRestoreLink(this.#context, sealedAlone(this.config.keys.household));
	}

	/** This street is left for good: its database keeps no key that a later password does not guard, and no bank account. */
	async forgetHousehold(): Promise<void> {
		await this.accounts.forget();
		const { randomBytes } = this.#context.dependencies;
		const keys = { ...this.config.keys, household: { seed: randomBytes(SEED_BYTES) } };
		await this.#context.saveConfig({ keys });
	}

	/** The way back for another household, which has lost all but its words: there is no key in it. */
	wayBackLink(): Result<{ type: "link"; link: string }, CommandError> {
		return createRestoreLink(this.#context, undefined);
	}

	/** The first write of the database of the device that takes this one's place in this browser. */
	successor(keys: Keys): Promise<Result<ChainChange, StorageError>> {
		return createSuccessor(this.#context, keys, this.accounts.forSuccessor);
	}

	/** From here on this device has full blocks. */
	get blocksFrom(): number {
		return this.#pruning.blocksFrom;
	}

	/** For how long full blocks are kept, in days; 0: for ever; undefined: as is usual. */
	async keepBlocksFor(retentionDays: number | undefined): Promise<boolean> {
		const saved = await this.#context.saveConfig({ retentionDays });
		this.#pruning.wake();
		return saved;
	}

	/** The first write of the database of the chain that the neighbourhood was founded again with. */
	async onward(genesis: Link): Promise<ChainChange> {
		await this.#olderDays.all();
		const stored = await this.#context.storage.readIntervals(0, Number.MAX_SAFE_INTEGER);
		const intervals = [...(stored.ok ? stored.value : []), ...this.#intervals.storedDays()];
		const accounts = this.accounts.onward(genesis.hash);
		const hours = await this.#storedHours();
		return { ...createOnward(this.#context, genesis, this.history.storedDays(), intervals), hours, ...accounts };
	}

	/** All hours that are kept, and beside them those that are in memory alone. */
	async #storedHours(): Promise<StoredHours[]> {
		const all: StoredHours[] = [];
		for (const { index } of this.chain.head.ledger.households) {
			const stored = await this.#context.storage.readHours(index, 0, Number.MAX_SAFE_INTEGER);
			if (stored.ok) all.push(...stored.value);
		}
		return [...all, ...this.history.touchedHours(this.#context.hoursAsked)];
	}

	/** Another device takes this one's place: this run is over. */
	close(): void {
		this.#context.close();
	}

	/** Changes this device's settings, strictly. */
	saveConfig(change: Partial<ChainConfig>): Promise<boolean> {
		return this.#context.saveConfig(change);
	}
}

/** Something stored is not what was written. */
function tellDamage(events: StreetEvents, store: string): void {
	events.onRefused(`record-damaged:${store}`);
	events.onFault({ code: "record-damaged", store });
}

/** Whoever cannot read what it promised about the end of this chain votes no more. */
function withPromises(loaded: LoadedChain): LoadedChain {
	if (!loaded.damaged.includes("refounding")) return loaded;
	return { ...loaded, votes: { ...loaded.votes, suspended: loaded.votes.suspended ?? "votes-damaged" } };
}
