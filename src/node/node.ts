/**
 * The node (thesis 5.4): one queue of inputs, one input finished before the next begins. Each goes to the part it
 * concerns; which parts there are depends on the stage (`stages.ts`).
 */
import type { Reading } from "../block/reading.js";
import type { HandshakeMessage, Message } from "../message/message.js";
import { unreachable } from "../primitives/assert.js";
import { equalBytes } from "../primitives/bytes.js";
import { minuteOf } from "../primitives/units.js";
import { createClaim } from "./claim.js";
import { Commands } from "./commands.js";
import type { NodeDependencies } from "./dependencies.js";
import { Entering } from "./entering.js";
import { GoingOver } from "./goingOver.js";
import { HouseholdKey } from "./householdKey.js";
import { Incidents } from "./incidents.js";
import { Metering } from "./metering.js";
import { credentialsOf } from "./newcomer.js";
import { type Peer, Peers } from "./peers.js";
import type { NodeInput } from "./protocol.js";
import { Recovery } from "./recovery.js";
import { Signaling } from "./signaling.js";
import { type Joining, Stages } from "./stages.js";
import type { ProvenPeer } from "./street/context.js";
import { NOT_A_MEMBER } from "./street/entitlement.js";
import type { Street } from "./street.js";
import { joinerOf, viewOf } from "./streetView.js";
import type { JoiningView, SignalingView, View, WelcomeView } from "./view.js";

/** Codes of what is stored and can never be opened. */
const DAMAGED = new Set(["profile-damaged", "record-damaged", "no-config"]);
/** A joiner asks again for the genesis. */
const GENESIS_REQUEST_MS = 3_000;
/** Who has the genesis says hello at once. */
const HELLO_MS = 5_000;
/** Much of what screens show changes without an event of its own: it is looked for so often. */
const LOOK_MS = 1_000;

export class Node {
	readonly #dependencies: NodeDependencies;
	readonly #peers: Peers;
	readonly #signaling: Signaling;
	readonly #metering = new Metering();
	readonly #incidents: Incidents;
	readonly #stages: Stages;
	readonly #entering: Entering;
	readonly #commands: Commands;
	readonly #goingOver: GoingOver;
	readonly #recovery: Recovery;
	#queue: Promise<void> = Promise.resolve();
	/** What peers and channels brought while another input was at work; part of it, in order. */
	readonly #arrivals: (() => Promise<void>)[] = [];
	/** Minutes that have ended and are not written yet, while the database does not take them. */
	#readings: Reading[] = [];
	#servers: SignalingView = { connected: 0, configured: 0 };
	#isDirty = true;
	#nextViewMs = 0;
	#nextLookMs = 0;
	/** The screens' last view, as text. */
	#shown = "";

	constructor(dependencies: NodeDependencies) {
		this.#dependencies = dependencies;
		const onChange = () => {
			this.#isDirty = true;
		};
		const incidents = new Incidents((output) => dependencies.emit(output), onChange);
		const peers = new Peers(dependencies, {
			onAuthenticated: (peer) => this.#onAuthenticated(peer),
			onMessage: (peer, message) => this.#arrivals.push(() => this.#onMessage(peer, message)),
			onOtherContext: (peer, handshake) => this.#onOtherContext(peer, handshake),
			isKnown: (device) => this.#isKnown(device),
			isOpen: (peer, message) => {
				const { street } = this;
				// A genesis proves itself; a guest of the lobby may get it from anybody.
				if (street === undefined) return message.type === "genesis";
				return this.#goingOver.isOpen(street, peer, message.type);
			},
			onClosed: (peer) => this.#onGone(peer),
			onRefused: (code) => incidents.refused(code),
		});
		const signaling = new Signaling(dependencies, incidents);
		const stages = new Stages({ dependencies, peers, signaling, metering: this.#metering, incidents, onChange });
		this.#incidents = incidents;
		this.#peers = peers;
		this.#signaling = signaling;
		this.#stages = stages;
		this.#entering = new Entering(dependencies, peers, incidents, stages);
		this.#goingOver = new GoingOver(dependencies, peers, incidents, stages);
		this.#recovery = new Recovery(dependencies, stages);
		this.#commands = new Commands({
			dependencies,
			stages,
			entering: this.#entering,
			incidents,
			metering: this.#metering,
			// The view that follows shows what has changed.
			later: (work) => {
				return this.#enqueue(async () => {
					this.#isDirty = true;
					await work();
				});
			},
			onReading: (reading) => this.#readings.push(reading),
		});
	}

	/** Goes on where the last run stopped. */
	start(): Promise<void> {
		return this.#enqueue(() => this.#stages.open());
	}

	/** Takes an input; settles when it is finished. */
	handle(input: NodeInput): Promise<void> {
		return input.type === "peerFrame"
			? this.#onFrame(input.channel, input.frame)
			: this.#enqueue(() => this.#handle(input));
	}

	/** This node's street, for the drivers that look inside: the replay and the tests. */
	get street(): Street | undefined {
		return this.#stages.street;
	}

	// ── inputs ───────────────────────────────────────────────────────────────────────────────────────────────────

	#enqueue(work: () => Promise<void>): Promise<void> {
		this.#queue = this.#queue.then(async () => {
			await work();
			for (let arrival = this.#arrivals.shift(); arrival !== undefined; arrival = this.#arrivals.shift())
				await arrival();
			await this.#afterInput();
		});
		return this.#queue;
	}

	/** Whether a frame may wait is decided before it does. */
	async #onFrame(channel: string, frame: Uint8Array): Promise<void> {
		const arrival = this.#peers.arrived(channel, frame.length);
		if (arrival === "forgotten") return;
		await this.#enqueue(async () => {
			await this.street?.noticeGap();
			if (arrival === "flooding") this.#peers.refuseFlood(channel);
			else this.#peers.receive(channel, frame, arrival === "counted");
		});
	}

	async #handle(input: Exclude<NodeInput, { type: "peerFrame" }>): Promise<void> {
		await this.street?.noticeGap();
		switch (input.type) {
			case "tick":
				await this.#tick();
				break;
			case "closing":
				await this.street?.closing();
				break;
			case "command":
				this.#isDirty = true;
				await this.#commands.onCommand(input.id, input.command);
				break;
			case "peerOpened":
				this.#peers.open(input.channel, input.initiator, input.localFingerprint, input.remoteFingerprint);
				break;
			case "peerClosed":
				this.#peers.closed(input.channel);
				break;
			case "signal":
				this.#signaling.say(input.draft);
				break;
			case "sealedSignal":
				this.#signaling.hear(input.topic, input.sealed);
				break;
			case "serialBytes":
				this.#metering.onBytes(input.bytes, this.#dependencies.clocks.chainMs());
				break;
			case "serialStatus":
				this.#metering.onSerialStatus(input.status);
				this.#isDirty = true;
				break;
			case "readings":
				if (this.street !== undefined) await this.#submit(this.street, input.readings);
				break;
			case "signalingStatus":
				this.#servers = { connected: input.connected, configured: input.configured };
				this.#isDirty = true;
				break;
			default:
				unreachable(input);
		}
	}

	async #tick(): Promise<void> {
		this.#signaling.tick();
		const stage = this.#stages.current;
		if (stage.stage === "street") await this.#tickStreet(stage.street);
		else if (stage.stage === "joining") this.#tickJoining(stage);
		await this.#recovery.tick();
	}

	async #tickStreet(street: Street): Promise<void> {
		// Before silence is judged: after a freeze the street forgives it.
		// Where there are no servers, others come some other way.
		await street.tick(this.#servers.connected > 0 || this.#servers.configured === 0);
		const { timeScale } = street.chain.head.ledger.parameters;
		if (street.takesReadings) {
			await this.#submit(street, this.#metering.tick(this.#dependencies.clocks.chainMs(), timeScale));
		}
		this.#peers.tick();
		this.#signaling.connectTo(street.connectTo);
		this.#goingOver.tick();
	}

	/** Minutes whose write failed are handed in again with the next ones: the database may take them later. */
	async #submit(street: Street, readings: readonly Reading[]): Promise<void> {
		this.#readings.push(...readings);
		const { memory } = this.#metering;
		if (!street.halted && (await street.submitReadings(this.#readings, memory))) this.#readings = [];
	}

	#tickJoining(stage: Joining): void {
		const nowMs = this.#dependencies.clocks.monotonicMs();
		for (const [peer, sinceMs] of stage.unheard) {
			if (nowMs - sinceMs < HELLO_MS) continue;
			stage.unheard.delete(peer);
			// Newcomers that open one link together would otherwise meet nobody else.
			this.#dependencies.emit({ type: "passOver", channel: peer.channel });
		}
		if (nowMs < stage.nextRequestMs) return;
		stage.nextRequestMs = nowMs + GENESIS_REQUEST_MS;
		// Who was behind when this was shown may understand it by now.
		if (stage.turnedAway !== undefined) for (const peer of [...this.#peers.authenticated()]) this.#show(stage, peer);
		this.#peers.broadcast({ type: "genesisRequest" });
	}

	async #afterInput(): Promise<void> {
		this.#entering.announceGenesis();
		await this.#commands.carryOutWaitingActs();
		await this.#goingOver.follow();
		this.#maybeView();
	}

	// ── neighbours ───────────────────────────────────────────────────────────────────────────────────────────────

	#isKnown(device: string): boolean {
		const stage = this.#stages.current;
		if (stage.stage === "lobby") return stage.lobby.isKnown(device);
		return this.street?.mayHaveAll(device) === true;
	}

	#onAuthenticated(peer: Peer): void {
		this.#isDirty = true;
		const stage = this.#stages.current;
		if (stage.stage === "lobby") stage.lobby.onAuthenticated(peer);
		else if (stage.stage === "street") stage.street.onAuthenticated(peer);
		else if (stage.stage === "joining") this.#introduce(stage, peer);
	}

	/** Shows a neighbour what lets this device in, before its genesis is asked for. */
	#introduce(stage: Joining, peer: Peer): void {
		this.#show(stage, peer);
		stage.unheard.set(peer, this.#dependencies.clocks.monotonicMs());
		stage.nextRequestMs = 0;
	}

	#show({ config, gridId }: Joining, peer: Peer): void {
		const { signer } = this.#dependencies;
		const household = new HouseholdKey(config.keys.household, signer);
		for (const credential of credentialsOf({ gridId, config, household, signer })) this.#peers.send(peer, credential);
	}

	#onGone(peer: Peer): void {
		this.#isDirty = true;
		const { device } = peer;
		const stage = this.#stages.current;
		if (device === undefined) return;
		if (stage.stage === "joining") {
			stage.hellos.delete(peer);
			stage.unheard.delete(peer);
		} else if (stage.stage === "lobby") stage.lobby.onGone(device);
		else if (stage.stage === "street") this.#arrivals.push(() => stage.street.onGone(device));
	}

	async #onMessage(peer: Peer, message: Message): Promise<void> {
		const stage = this.#stages.current;
		switch (stage.stage) {
			case "welcome":
				break;
			case "lobby": {
				const outcome = stage.lobby.onMessage(peer, message);
				this.#isDirty = true;
				if (outcome === undefined) break;
				if ("code" in outcome) this.#incidents.refused(outcome.code);
				else await this.#entering.foundAs(stage.lobby.profile, outcome);
				break;
			}
			case "joining":
				await this.#onJoiningMessage(stage, peer, message);
				break;
			case "street":
				await this.#onStreetMessage(stage.street, peer, message);
				break;
		}
	}

	async #onStreetMessage(street: Street, peer: Peer, message: Message): Promise<void> {
		if (message.type === "genesis") await this.#goingOver.onGenesis(street, peer, message.block);
		else if (peer.device !== undefined) await street.onMessage(peer as ProvenPeer, message);
		else if (message.type === "genesisRequest") await this.#goingOver.onGenesisRequest(street, peer, message);
	}

	async #onJoiningMessage(stage: Joining, peer: Peer, message: Message): Promise<void> {
		if (message.type === "hello") {
			stage.hellos.set(peer, message);
			stage.unheard.delete(peer);
		}
		if (message.type === "turnedAway" && (message.code !== NOT_A_MEMBER || stage.turnedAway === undefined)) {
			stage.turnedAway = message.code;
			this.#isDirty = true;
		}
		if (message.type !== "genesis" || !(await this.#entering.onGenesis(stage, peer, message.block))) return;
		for (const [neighbour, hello] of stage.hellos) this.#arrivals.push(() => this.#onMessage(neighbour, hello));
	}

	/** Somebody speaks of something else. In a lobby a founded neighbour is ahead of us; a late guest of ours is behind. */
	#onOtherContext(peer: Peer, handshake: HandshakeMessage): boolean {
		const stage = this.#stages.current;
		if (stage.stage === "lobby") return true;
		if (stage.stage === "street") {
			const { lobbyId } = stage.street.config;
			if (lobbyId !== undefined && equalBytes(handshake.context, lobbyId)) {
				this.#arrivals.push(() => stage.street.sendGenesis(peer));
				return true;
			}
			return this.#goingOver.onOtherContext(stage.street, peer, handshake);
		}
		if (stage.stage === "joining") stage.isElsewhere = true;
		return false;
	}

	// ── what is seen ─────────────────────────────────────────────────────────────────────────────────────────────

	/** Draws the screens anew if something has changed, and looks now and then for what no event tells of. */
	#maybeView(): void {
		const { clocks, emit, settings } = this.#dependencies;
		const nowMs = clocks.monotonicMs();
		if (nowMs < (this.#isDirty ? this.#nextViewMs : this.#nextLookMs)) return;
		this.#nextLookMs = nowMs + Math.max(LOOK_MS, settings.viewMs);
		const view = this.view();
		const shown = textOf(view);
		if (!this.#isDirty && shown === this.#shown) return;
		this.#shown = shown;
		this.#isDirty = false;
		this.#nextViewMs = nowMs + settings.viewMs;
		emit({ type: "view", view });
	}

	#joiningView(stage: Joining, signaling: SignalingView): JoiningView {
		const { config, gridId, turnedAway } = stage;
		const state = joiningState(stage);
		const household = new HouseholdKey(config.keys.household, this.#dependencies.signer);
		const isClaimant = turnedAway === "unknown-household" && !household.isLocked;
		return {
			stage: "joining",
			as: joinerOf(config),
			neighbourhood: "",
			state,
			...(state === "refused" && turnedAway !== undefined ? { code: turnedAway } : {}),
			// In a chain that was founded again the first block is for those alone whom it lets in.
			...(isClaimant ? { claim: { text: createClaim(household, gridId) } } : {}),
			haveIndex: 0,
			targetIndex: 0,
			signaling,
		};
	}

	/** Everything that the screens draw, as it is now. */
	view(): View {
		const stage = this.#stages.current;
		const { clockOffMs } = this.#signaling;
		const signaling = { ...this.#servers, ...(clockOffMs === undefined ? {} : { clockOffMs }) };
		switch (stage.stage) {
			case "welcome":
				return welcomeView(this.#stages.unopened);
			case "lobby":
				return stage.lobby.view(signaling);
			case "joining":
				return this.#joiningView(stage, signaling);
			case "street":
				return viewOf({
					street: stage.street,
					peers: this.#peers,
					metering: this.#metering,
					chainMs: this.#dependencies.clocks.chainMs(),
					localTime: this.#dependencies.localTime,
					signaling,
					faults: this.#incidents.faults,
					refusals: this.#incidents.refusals,
				});
		}
	}
}

/** What is to be seen of a view: of its clock, the minute. */
function textOf(view: View): string {
	return JSON.stringify(view.stage === "street" ? { ...view, chainMs: minuteOf(view.chainMs) } : view);
}

function joiningState({ isElsewhere, turnedAway }: Joining): JoiningView["state"] {
	if (turnedAway !== undefined && turnedAway !== NOT_A_MEMBER) return "refused";
	return isElsewhere ? "elsewhere" : "searching";
}

/** What time or another tab may mend is not called damaged. */
function welcomeView(unopened: string | undefined): WelcomeView {
	const isDamaged = unopened !== undefined && DAMAGED.has(unopened);
	return isDamaged ? { stage: "welcome", damaged: unopened } : { stage: "welcome" };
}
