/**
 * The node (thesis 5.4): one queue of inputs, one input finished before the next begins. It is in one of four stages:
 * nothing yet, in a lobby, waiting for the genesis of a neighbourhood it was invited to, or in a running street.
 */

import * as v from "valibot";
import { type Block, encodeBlock } from "../block/block.js";
import { MONEY_KINDS } from "../block/transaction.js";
import { nameShape } from "../block/transactionCodec.js";
import type { HandshakeMessage, HelloMessage, Message } from "../message/message.js";
import { assert, unreachable } from "../primitives/assert.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import { taggedHash } from "../primitives/hash.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { MAX_PRICE_MICRO_NOK_PER_WH } from "../primitives/units.js";
import { type ActCommand, isActCommand } from "./acts.js";
import type { Link } from "./chain.js";
import type { NodeDependencies } from "./dependencies.js";
import { MAX_SERIES_MINUTES } from "./history.js";
import { decodeLink, type JoinLink } from "./link.js";
import { openGenesisLink } from "./loading.js";
import { founderPinOf, genesisLinkOf, Lobby } from "./lobby.js";
import { Metering } from "./metering.js";
import { type Peer, Peers } from "./peers.js";
import type {
	Command,
	CommandError,
	Fault,
	JoiningView,
	NodeInput,
	ReplyValue,
	SignalingView,
	View,
} from "./protocol.js";
import {
	type ChainConfig,
	decodeConfig,
	decodeProfile,
	encodeConfig,
	encodeProfile,
	type Keys,
	type LobbyProfile,
	type MeshKeys,
	sealRecord,
} from "./records.js";
import type { ChainStorage, StorageError } from "./storage.js";
import { Street } from "./street.js";
import { viewOf } from "./streetView.js";

/** The screens are drawn anew at most so often. */
const VIEW_MS = 200;
/** An act waits so long for the one before it to be confirmed. */
const ACT_WAIT_MS = 60_000;
/** A joiner asks again for the genesis. */
const GENESIS_REQUEST_MS = 3_000;

const hashTopic = taggedHash("topic");

type Stage =
	| { stage: "welcome" }
	| { stage: "lobby"; lobby: Lobby }
	| {
			stage: "joining";
			storage: ChainStorage;
			config: ChainConfig;
			gridId: Uint8Array;
			nextRequestMs: number;
			/** Said while there was no genesis yet to understand them by. */
			hellos: Map<Peer, HelloMessage>;
	  }
	| { stage: "street"; street: Street };

export class Node {
	readonly #dependencies: NodeDependencies;
	readonly #peers: Peers;
	readonly #metering = new Metering();
	#stage: Stage = { stage: "welcome" };
	#queue: Promise<void> = Promise.resolve();
	#signaling: SignalingView = { connected: 0, configured: 0 };
	#refusals: Record<string, number> = {};
	readonly #faults = new Map<string, { fault: Fault; count: number }>();
	/** Why what this browser belongs to could not be opened. Its keys may still be there: nothing is begun over them. */
	#unopened: string | undefined;
	#waitingActs: { id: number; command: ActCommand; untilMs: number }[] = [];
	#isDirty = true;
	#nextViewMs = 0;
	/** What peers and channels brought while another input was at work; part of it, in order. */
	readonly #arrivals: (() => Promise<void>)[] = [];

	constructor(dependencies: NodeDependencies) {
		this.#dependencies = dependencies;
		this.#peers = new Peers(dependencies, {
			onAuthenticated: (peer) => this.#onAuthenticated(peer),
			onMessage: (peer, message) => this.#arrivals.push(() => this.#onMessage(peer, message)),
			onOtherContext: (peer, handshake) => this.#onOtherContext(peer, handshake),
			// A genesis proves itself; a guest of the lobby may get it from anybody.
			isOpen: (message) => message.type === "genesis" && this.#stage.stage !== "street",
			onClosed: (peer) => this.#onGone(peer),
			onRefused: (code) => this.#refused(code),
		});
	}

	/** Goes on where the last run stopped. */
	start(): Promise<void> {
		return this.#enqueue(() => this.#open());
	}

	/** Takes an input; settles when it is finished. */
	handle(input: NodeInput): Promise<void> {
		return this.#enqueue(() => this.#handle(input));
	}

	#enqueue(work: () => Promise<void>): Promise<void> {
		this.#queue = this.#queue.then(async () => {
			await work();
			for (let arrival = this.#arrivals.shift(); arrival !== undefined; arrival = this.#arrivals.shift())
				await arrival();
			await this.#afterInput();
		});
		return this.#queue;
	}

	async #handle(input: NodeInput): Promise<void> {
		await this.street?.noticeGap();
		switch (input.type) {
			case "tick":
				await this.#tick();
				break;
			case "closing":
				await this.street?.closing();
				break;
			case "command":
				await this.#onCommand(input.id, input.command);
				break;
			case "peerOpened":
				this.#peers.open(input.channel, input.initiator, input.localFingerprint, input.remoteFingerprint);
				break;
			case "peerClosed":
				this.#peers.closed(input.channel);
				break;
			case "peerFrame":
				this.#peers.receive(input.channel, input.frame);
				break;
			case "serialBytes":
				this.#metering.onBytes(input.bytes, this.#dependencies.clocks.chainMs());
				break;
			case "serialStatus":
				this.#metering.onSerialStatus(input.status);
				this.#isDirty = true;
				break;
			case "readings":
				await this.street?.submitReadings(input.readings);
				break;
			case "signalingStatus":
				this.#signaling = { connected: input.connected, configured: input.configured };
				this.#isDirty = true;
				break;
			default:
				unreachable(input);
		}
	}

	/** This node's street, for the drivers that look inside: the replay and the tests. */
	get street(): Street | undefined {
		return this.#stage.stage === "street" ? this.#stage.street : undefined;
	}

	// ── starting ─────────────────────────────────────────────────────────────────────────────────────────────────

	async #open(): Promise<void> {
		const record = await this.#dependencies.storage.loadProfile();
		if (!record.ok) {
			this.#unopened = record.error.code;
			this.#storageFault(record.error);
			return;
		}
		if (record.value === undefined) return;
		const profile = decodeProfile(record.value);
		if (!profile.ok) {
			this.#unopened = "profile-damaged";
			this.#fault({ code: "profile-damaged" });
			return;
		}
		if (profile.value?.stage === "lobby") this.#enterLobby(profile.value.lobby);
		else if (profile.value?.stage === "chain") await this.#openChain(profile.value.database, profile.value.gridId);
	}

	#enterLobby(profile: LobbyProfile): void {
		const lobby = new Lobby(this.#dependencies, this.#peers, profile);
		this.#stage = { stage: "lobby", lobby };
		this.#emitNetwork(profile, lobby.deviceKey);
	}

	async #openChain(database: string, gridId: Uint8Array): Promise<void> {
		const storage = await this.#dependencies.storage.openChain(database);
		if (!storage.ok) {
			this.#unopened = storage.error.code;
			this.#storageFault(storage.error);
			return;
		}
		const street = await Street.open(this.#dependencies, storage.value, gridId, this.#peers, {
			onHead: () => {
				this.#isDirty = true;
			},
			onMember: () => this.#useMeter(),
			onRefused: (code) => this.#refused(code),
			onFault: (fault) => this.#fault(fault),
		});
		if (street.ok) {
			this.#enterStreet(street.value);
			return;
		}
		if (street.error.code === "no-genesis") {
			await this.#enterJoining(storage.value, gridId);
			return;
		}
		this.#unopened = street.error.code;
		this.#storageFault(street.error);
	}

	#enterStreet(street: Street): void {
		this.#stage = { stage: "street", street };
		this.#useMeter();
		this.#emitNetwork(street.config, street.deviceKey);
		this.#peers.speakAbout(street.gridId, street.config.keys.deviceSecret);
	}

	#useMeter(): void {
		if (this.#stage.stage !== "street") return;
		this.#metering.use(this.#stage.street.config.meterSource, this.#dependencies.clocks.chainMs());
	}

	async #enterJoining(storage: ChainStorage, gridId: Uint8Array): Promise<void> {
		const stored = await storage.load();
		const config = stored.ok && stored.value.config !== undefined ? decodeConfig(stored.value.config) : undefined;
		if (config?.ok !== true) {
			this.#fault({ code: "record-damaged", store: "config" });
			return;
		}
		this.#stage = { stage: "joining", storage, config: config.value, gridId, nextRequestMs: 0, hellos: new Map() };
		const deviceKey = this.#dependencies.signer.publicKeyOf(config.value.keys.deviceSecret);
		this.#emitNetwork(config.value, deviceKey);
		this.#peers.speakAbout(gridId, config.value.keys.deviceSecret);
	}

	#emitNetwork(mesh: MeshKeys, deviceKey: Uint8Array): void {
		this.#isDirty = true;
		this.#dependencies.emit({
			type: "network",
			network: {
				signalingUrls: mesh.signalingUrls,
				topic: `nabostrom/${toHex(hashTopic(mesh.networkKey))}`,
				deviceId: toHex(deviceKey),
				iceServers: [],
			},
		});
	}

	// ── neighbours ───────────────────────────────────────────────────────────────────────────────────────────────

	#onAuthenticated(peer: Peer): void {
		this.#isDirty = true;
		const stage = this.#stage;
		if (stage.stage === "lobby") stage.lobby.onAuthenticated(peer);
		else if (stage.stage === "street") stage.street.onAuthenticated(peer);
		else if (stage.stage === "joining") stage.nextRequestMs = 0;
	}

	#onGone(peer: Peer): void {
		this.#isDirty = true;
		const { device } = peer;
		const stage = this.#stage;
		if (device === undefined) return;
		if (stage.stage === "joining") stage.hellos.delete(peer);
		else if (stage.stage === "lobby") stage.lobby.onGone(device);
		else if (stage.stage === "street") this.#arrivals.push(() => stage.street.onGone(device));
	}

	async #onMessage(peer: Peer, message: Message): Promise<void> {
		const stage = this.#stage;
		switch (stage.stage) {
			case "welcome":
				break;
			case "lobby": {
				const outcome = stage.lobby.onMessage(peer, message);
				this.#isDirty = true;
				if (outcome === undefined) break;
				if ("code" in outcome) this.#refused(outcome.code);
				else await this.#foundAs(stage.lobby.profile, outcome);
				break;
			}
			case "joining":
				if (message.type === "genesis") await this.#onGenesis(peer, message.block);
				else if (message.type === "hello") stage.hellos.set(peer, message);
				break;
			case "street":
				if (peer.device !== undefined) await stage.street.onMessage(peer as Peer & { device: string }, message);
				break;
		}
	}

	/** Somebody speaks of something else. In a lobby a founded neighbour is ahead of us; a late guest of ours is behind. */
	#onOtherContext(peer: Peer, handshake: HandshakeMessage): boolean {
		const stage = this.#stage;
		if (stage.stage === "lobby") return true;
		if (stage.stage === "street") {
			const { lobbyId } = stage.street.config;
			if (lobbyId !== undefined && equalBytes(handshake.context, lobbyId)) {
				this.#arrivals.push(() => stage.street.sendGenesis(peer));
				return true;
			}
		}
		return false;
	}

	// ── founding and joining ─────────────────────────────────────────────────────────────────────────────────────

	/** The genesis is here, checked: from now on this device is in the neighbourhood. */
	async #foundAs(profile: LobbyProfile, genesis: Link): Promise<boolean> {
		const { keys, networkKey, signalingUrls, householdName, alwaysOn, lobbyId } = profile;
		const config = newConfig({ keys, networkKey, signalingUrls, householdName, alwaysOn, lobbyId });
		const database = databaseName(genesis.hash, this.#dependencies.signer.publicKeyOf(keys.deviceSecret));
		const opened = await this.#dependencies.storage.openChain(database);
		if (!opened.ok) return this.#storageFault(opened.error);
		const written = await opened.value.write({
			config: encodeConfig(config),
			install: {
				blocks: [{ index: 0, record: sealRecord(encodeBlock(genesis.block)) }],
				upToIndex: 0,
				certificate: undefined,
			},
		});
		opened.value.close();
		if (!written.ok) return this.#storageFault(written.error);
		const saved = await this.#saveProfile({ stage: "chain", database, gridId: genesis.hash });
		if (!saved.ok) return this.#storageFault(saved.error);
		await this.#openChain(database, genesis.hash);
		return true;
	}

	#saveProfile(profile: Parameters<typeof encodeProfile>[0]): Promise<Result<true, StorageError>> {
		return this.#dependencies.storage.saveProfile(encodeProfile(profile));
	}

	/** Invited: the genesis came from a neighbour; its hash is in the link. */
	async #onGenesis(peer: Peer, bytes: Uint8Array): Promise<void> {
		const stage = this.#stage;
		assert(stage.stage === "joining", "only a joiner waits for a genesis");
		const link = openGenesisLink(bytes, this.#dependencies.verifier);
		if (link === undefined || !equalBytes(link.hash, stage.gridId)) {
			this.#peers.refuse(peer, { code: link === undefined ? "bad-genesis" : "foreign-genesis" });
			return;
		}
		const written = await stage.storage.write({
			install: { blocks: [{ index: 0, record: sealRecord(bytes) }], upToIndex: 0, certificate: undefined },
		});
		stage.storage.close();
		if (!written.ok) {
			this.#storageFault(written.error);
			return;
		}
		const deviceKey = this.#dependencies.signer.publicKeyOf(stage.config.keys.deviceSecret);
		await this.#openChain(databaseName(stage.gridId, deviceKey), stage.gridId);
		for (const [neighbour, hello] of stage.hellos) this.#arrivals.push(() => this.#onMessage(neighbour, hello));
	}

	#newKeys(): Keys {
		const { randomBytes } = this.#dependencies;
		return { householdSecret: randomBytes(32), deviceSecret: randomBytes(32) };
	}

	async #openLobby(command: Extract<Command, { type: "openLobby" }>): Promise<Result<ReplyValue, CommandError>> {
		const { neighbourhood, householdName, alwaysOn, signalingUrls } = command;
		const prices = [
			neighbourhood.retailMicroNokPerWh,
			neighbourhood.feedInMicroNokPerWh,
			neighbourhood.localFeeMicroNokPerWh,
		];
		if (!isName(neighbourhood.name) || !isName(householdName)) return refused({ code: "bad-name" });
		if (!prices.every((price) => Number.isSafeInteger(price) && price >= 0 && price <= MAX_PRICE_MICRO_NOK_PER_WH)) {
			return refused({ code: "bad-tariff" });
		}
		const keys = this.#newKeys();
		const { randomBytes, signer } = this.#dependencies;
		return this.#newLobby({
			keys,
			networkKey: randomBytes(16),
			signalingUrls,
			lobbyId: randomBytes(32),
			householdName,
			alwaysOn,
			founderPin: founderPinOf(signer.publicKeyOf(keys.householdSecret)),
			founding: { ...neighbourhood, moneyKind: MONEY_KINDS.indexOf(neighbourhood.moneyKind) },
		});
	}

	async #newLobby(profile: LobbyProfile): Promise<Result<ReplyValue, CommandError>> {
		if (this.#stage.stage !== "welcome") return refused({ code: "already-in-a-neighbourhood" });
		if (this.#unopened !== undefined) return refused({ code: this.#unopened });
		const saved = await this.#saveProfile({ stage: "lobby", lobby: profile });
		if (!saved.ok) return refused({ code: saved.error.code });
		this.#enterLobby(profile);
		return DONE;
	}

	async #enterByLink(
		command: Extract<Command, { type: "enterLobby" | "join" }>,
	): Promise<Result<ReplyValue, CommandError>> {
		const link = decodeLink(command.link);
		if (!link.ok) return refused(link.error);
		if (!isName(command.householdName)) return refused({ code: "bad-name" });
		const { householdName, alwaysOn, signalingUrls } = command;
		if (link.value.kind === "join") return this.#joinBy(link.value, command.link, command);
		const { lobbyId, networkKey, founderPin } = link.value;
		return this.#newLobby({
			keys: this.#newKeys(),
			networkKey,
			signalingUrls,
			lobbyId,
			householdName,
			alwaysOn,
			founderPin,
			founding: undefined,
		});
	}

	async #joinBy(
		link: JoinLink,
		text: string,
		{ householdName, alwaysOn, signalingUrls }: Pick<ChainConfig, "householdName" | "alwaysOn" | "signalingUrls">,
	): Promise<Result<ReplyValue, CommandError>> {
		if (this.#stage.stage !== "welcome") return refused({ code: "already-in-a-neighbourhood" });
		if (this.#unopened !== undefined) return refused({ code: this.#unopened });
		const keys = this.#newKeys();
		const { gridId, networkKey, pin } = link;
		const config: ChainConfig = {
			...newConfig({ keys, networkKey, signalingUrls, householdName, alwaysOn, lobbyId: undefined }),
			invitationLink: text,
			pin,
		};
		const database = databaseName(gridId, this.#dependencies.signer.publicKeyOf(keys.deviceSecret));
		const opened = await this.#dependencies.storage.openChain(database);
		if (!opened.ok) return refused({ code: opened.error.code });
		const written = await opened.value.write({ config: encodeConfig(config) });
		if (!written.ok) return refused({ code: written.error.code });
		const saved = await this.#saveProfile({ stage: "chain", database, gridId });
		if (!saved.ok) return refused({ code: saved.error.code });
		await this.#enterJoining(opened.value, gridId);
		return DONE;
	}

	async #startStreet(): Promise<Result<ReplyValue, CommandError>> {
		const stage = this.#stage;
		if (stage.stage !== "lobby") return refused({ code: "not-in-a-lobby" });
		const genesis: Result<Block, CommandError> = stage.lobby.start();
		if (!genesis.ok) return genesis;
		// Written here before anybody else hears of it: there is one genesis, or none.
		const link = genesisLinkOf(genesis.value, this.#dependencies);
		const peers = [...this.#peers.authenticated()];
		for (const peer of peers) this.#announceGenesis.push({ peer, block: genesis.value });
		if (!(await this.#foundAs(stage.lobby.profile, link))) return refused({ code: "storage-write-failed" });
		return DONE;
	}

	/** Who is to be handed the genesis as soon as it is written. */
	#announceGenesis: { peer: Peer; block: Block }[] = [];

	async #abandon(): Promise<Result<ReplyValue, CommandError>> {
		if (this.#stage.stage === "street" && this.#stage.street.member !== undefined) {
			return refused({ code: "already-in-a-neighbourhood" });
		}
		const saved = await this.#saveProfile(undefined);
		if (!saved.ok) return refused({ code: saved.error.code });
		this.#stage = { stage: "welcome" };
		this.#unopened = undefined;
		for (const peer of [...this.#peers.authenticated()]) this.#peers.refuse(peer, { code: "abandoned" });
		this.#dependencies.emit({ type: "network" });
		return DONE;
	}

	// ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────

	async #onCommand(id: number, command: Command): Promise<void> {
		this.#isDirty = true;
		if (isActCommand(command) && this.#stage.stage === "street" && !this.#stage.street.mayAct) {
			const untilMs = this.#dependencies.clocks.monotonicMs() + ACT_WAIT_MS;
			this.#waitingActs.push({ id, command, untilMs });
			return;
		}
		this.#reply(id, await this.#carryOut(command));
	}

	#reply(id: number, result: Result<ReplyValue, CommandError>): void {
		this.#dependencies.emit({ type: "reply", id, result });
	}

	async #carryOut(command: Command): Promise<Result<ReplyValue, CommandError>> {
		switch (command.type) {
			case "openLobby":
				return this.#openLobby(command);
			case "enterLobby":
			case "join":
				return this.#enterByLink(command);
			case "start":
				return this.#startStreet();
			case "abandon":
				return this.#abandon();
			case "forgetFault":
				this.#faults.delete(command.code);
				return DONE;
			default:
				return this.#stage.stage === "street"
					? this.#inStreet(this.#stage.street, command)
					: refused({ code: "not-in-a-neighbourhood" });
		}
	}

	async #inStreet(
		street: Street,
		command: Exclude<Command, { type: "openLobby" | "enterLobby" | "join" | "start" | "abandon" | "forgetFault" }>,
	): Promise<Result<ReplyValue, CommandError>> {
		switch (command.type) {
			case "invite":
				return street.invite();
			case "meterSource": {
				const { type: _type, ...meterSource } = command;
				if (!(await street.saveConfig({ meterSource }))) return refused({ code: "storage-write-failed" });
				this.#useMeter();
				return DONE;
			}
			case "ownTariff": {
				const price = command.retailMicroNokPerWh ?? 0;
				if (!Number.isSafeInteger(price) || price < 0 || price > MAX_PRICE_MICRO_NOK_PER_WH) {
					return refused({ code: "bad-tariff" });
				}
				const saved = await street.saveConfig({ ownRetailMicroNokPerWh: price });
				return saved ? DONE : refused({ code: "storage-write-failed" });
			}
			case "series":
				return this.#series(street, command);
			default:
				return street.act(command);
		}
	}

	/** A household sees its own graph only, the operator all of them (thesis 3.2.1). */
	#series(
		street: Street,
		{ member, fromMinute, untilMinute }: Extract<Command, { type: "series" }>,
	): Result<ReplyValue, CommandError> {
		const own = street.member;
		const isOperator = own !== undefined && street.chain.head.ledger.households[own]?.operator === true;
		if (member !== own && !isOperator) return refused({ code: "not-your-readings" });
		const isRange =
			Number.isSafeInteger(fromMinute) &&
			Number.isSafeInteger(untilMinute) &&
			fromMinute >= 0 &&
			fromMinute <= untilMinute &&
			untilMinute - fromMinute <= MAX_SERIES_MINUTES;
		if (!isRange) return refused({ code: "bad-period" });
		return ok({ type: "series", series: street.history.series(member, fromMinute, untilMinute) });
	}

	// ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

	async #tick(): Promise<void> {
		const stage = this.#stage;
		const { clocks } = this.#dependencies;
		if (stage.stage === "street") {
			// Before silence is judged: after a freeze the street forgives it.
			await stage.street.tick();
			const { timeScale } = stage.street.chain.head.ledger.parameters;
			if (stage.street.member !== undefined) {
				await stage.street.submitReadings(this.#metering.tick(clocks.chainMs(), timeScale));
			}
			this.#peers.tick();
		} else if (stage.stage === "joining" && clocks.monotonicMs() >= stage.nextRequestMs) {
			stage.nextRequestMs = clocks.monotonicMs() + GENESIS_REQUEST_MS;
			this.#peers.broadcast({ type: "genesisRequest" });
		}
		if (this.#metering.source !== "none") this.#isDirty = true;
	}

	async #afterInput(): Promise<void> {
		for (const { peer, block } of this.#announceGenesis.splice(0)) {
			this.#peers.send(peer, { type: "genesis", block: encodeBlock(block) });
		}
		await this.#carryOutWaitingActs();
		this.#maybeView();
	}

	async #carryOutWaitingActs(): Promise<void> {
		const stage = this.#stage;
		const nowMs = this.#dependencies.clocks.monotonicMs();
		while (this.#waitingActs[0] !== undefined) {
			const { id, command, untilMs } = this.#waitingActs[0];
			const isLate = nowMs > untilMs;
			if (!isLate && stage.stage === "street" && !stage.street.mayAct) return;
			this.#waitingActs.shift();
			this.#reply(id, isLate ? refused({ code: "act-pending" }) : await this.#carryOut(command));
		}
	}

	// ── what is seen ─────────────────────────────────────────────────────────────────────────────────────────────

	#maybeView(): void {
		const nowMs = this.#dependencies.clocks.monotonicMs();
		if (!this.#isDirty || nowMs < this.#nextViewMs) return;
		this.#isDirty = false;
		this.#nextViewMs = nowMs + VIEW_MS;
		this.#dependencies.emit({ type: "view", view: this.view() });
	}

	/** Everything that the screens draw, as it is now. */
	view(): View {
		const stage = this.#stage;
		switch (stage.stage) {
			case "welcome":
				return { stage: "welcome" };
			case "lobby":
				return stage.lobby.view(this.#signaling);
			case "joining":
				return this.#joiningView();
			case "street":
				return viewOf({
					street: stage.street,
					peers: this.#peers,
					metering: this.#metering,
					chainMs: this.#dependencies.clocks.chainMs(),
					startOfDayMinute: this.#dependencies.startOfDayMinute,
					signaling: this.#signaling,
					faults: [...this.#faults.values()],
					refusals: { ...this.#refusals },
				});
		}
	}

	#joiningView(): JoiningView {
		return {
			stage: "joining",
			neighbourhood: "",
			state: "searching",
			haveIndex: 0,
			targetIndex: 0,
			signaling: this.#signaling,
		};
	}

	#refused(code: string): void {
		this.#refusals[code] = (this.#refusals[code] ?? 0) + 1;
		this.#isDirty = true;
	}

	#fault(fault: Fault): void {
		const known = this.#faults.get(fault.code);
		this.#faults.set(fault.code, { fault, count: (known?.count ?? 0) + 1 });
		this.#isDirty = true;
		this.#dependencies.emit({ type: "fault", fault });
	}

	#storageFault(error: StorageError | { code: string }): false {
		const evidence = Object.fromEntries(Object.entries(error).map(([key, value]) => [key, String(value)]));
		this.#fault({ ...evidence, code: error.code });
		return false;
	}
}

const DONE: Result<ReplyValue, CommandError> = ok({ type: "done" });

function isName(name: string): boolean {
	return v.is(nameShape, name);
}

/** Databases carry grid id and device id in their names. */
function databaseName(gridId: Uint8Array, deviceKey: Uint8Array): string {
	return `${toHex(gridId)}/${toHex(deviceKey)}`;
}

function newConfig(
	known: Pick<ChainConfig, "keys" | "networkKey" | "signalingUrls" | "householdName" | "alwaysOn" | "lobbyId">,
): ChainConfig {
	return {
		...known,
		bootCount: 0,
		invitationLink: undefined,
		pin: undefined,
		meterSource: { source: "none" },
		ownRetailMicroNokPerWh: 0,
	};
}
