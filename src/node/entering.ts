/**
 * The ways into a neighbourhood: founding one in a lobby, coming to a lobby by its link, joining by an invitation; and
 * back into it as a new device, by the household's restore link or in place of the device that this browser was.
 */
import * as v from "valibot";
import { encodeBlock } from "../block/block.js";
import { nameShape } from "../block/fieldShapes.js";
import { iceServersFault } from "../block/iceServer.js";
import { MONEY_KINDS } from "../block/transaction.js";
import { DEFAULT_FUSE_LIMIT_W } from "../meter/meterPipeline.js";
import { equalBytes } from "../primitives/bytes.js";
import { refused } from "../primitives/result.js";
import { MAX_PRICE_MICRO_NOK_PER_WH } from "../primitives/units.js";
import type { Link } from "./chain.js";
import type { NodeDependencies } from "./dependencies.js";
import type { Incidents } from "./incidents.js";
import { decodeLink, type JoinLink } from "./link.js";
import { openGenesisLink } from "./loading.js";
import { founderPinOf, genesisLinkOf } from "./lobby.js";
import type { Peer, Peers } from "./peers.js";
import type { Command, CommandError } from "./protocol.js";
import {
	type ChainConfig,
	databaseName,
	encodeConfig,
	type Keys,
	type LobbyProfile,
	type MeshKeys,
	sealRecord,
} from "./records.js";
import { DONE, type Reply } from "./reply.js";
import type { Joining, Stages } from "./stages.js";
import type { ChainChange } from "./storage.js";

export class Entering {
	readonly #dependencies: NodeDependencies;
	readonly #peers: Peers;
	readonly #incidents: Incidents;
	readonly #stages: Stages;
	/** Founder: who is to be handed the genesis as soon as it is written. */
	#announcements: { peer: Peer; genesis: Uint8Array }[] = [];

	constructor(dependencies: NodeDependencies, peers: Peers, incidents: Incidents, stages: Stages) {
		this.#dependencies = dependencies;
		this.#peers = peers;
		this.#incidents = incidents;
		this.#stages = stages;
	}

	// ── a lobby ──────────────────────────────────────────────────────────────────────────────────────────────────

	/** Founder: opens a lobby that neighbours come to by its link. */
	async openLobby(command: Extract<Command, { type: "openLobby" }>): Promise<Reply> {
		const { neighbourhood, householdName, alwaysOn, signalingUrls, iceServers = [] } = command;
		const fault = iceServersFault(iceServers);
		if (fault !== undefined) return refused({ code: "bad-ice-server", field: fault });
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
			iceServers,
			lobbyId: randomBytes(32),
			householdName,
			alwaysOn,
			founderPin: founderPinOf(signer.publicKeyOf(keys.householdSecret)),
			founding: { ...neighbourhood, moneyKind: MONEY_KINDS.indexOf(neighbourhood.moneyKind) },
		});
	}

	/** A lobby's link leads to the lobby, an invitation's to the neighbourhood. */
	async byLink(command: Extract<Command, { type: "enterLobby" | "join" }>): Promise<Reply> {
		const link = decodeLink(command.link);
		if (!link.ok) return refused(link.error);
		if (!isName(command.householdName)) return refused({ code: "bad-name" });
		const { householdName, alwaysOn, signalingUrls } = command;
		if (link.value.kind === "restore") return refused({ code: "link-unknown" });
		if (link.value.kind === "join") return this.#join(link.value, command.link, command);
		const { lobbyId, networkKey, iceServers, founderPin } = link.value;
		return this.#newLobby({
			keys: this.#newKeys(),
			networkKey,
			signalingUrls,
			iceServers,
			lobbyId,
			householdName,
			alwaysOn,
			founderPin,
			founding: undefined,
		});
	}

	async #newLobby(profile: LobbyProfile): Promise<Reply> {
		const hindrance = this.#hindrance();
		if (hindrance !== undefined) return refused(hindrance);
		const saved = await this.#stages.saveProfile({ stage: "lobby", lobby: profile });
		if (!saved.ok) return refused({ code: saved.error.code });
		this.#stages.enterLobby(profile);
		return DONE;
	}

	/** Why nothing can be begun in this browser. */
	#hindrance(): CommandError | undefined {
		const { current, unopened } = this.#stages;
		if (current.stage !== "welcome") return { code: "already-in-a-neighbourhood" };
		return unopened === undefined ? undefined : { code: unopened };
	}

	#newKeys(): Keys {
		const { randomBytes } = this.#dependencies;
		return { householdSecret: randomBytes(32), deviceSecret: randomBytes(32) };
	}

	// ── founding ─────────────────────────────────────────────────────────────────────────────────────────────────

	/** Founder: the genesis, with everybody present. */
	async startStreet(): Promise<Reply> {
		const stage = this.#stages.current;
		if (stage.stage !== "lobby") return refused({ code: "not-in-a-lobby" });
		const block = stage.lobby.start();
		if (!block.ok) return block;
		// Written here before anybody else hears of it: there is one genesis, or none.
		const link = genesisLinkOf(block.value, this.#dependencies);
		const genesis = encodeBlock(block.value);
		const guests = [...this.#peers.authenticated()];
		if (!(await this.foundAs(stage.lobby.profile, link))) return refused({ code: "storage-write-failed" });
		for (const peer of guests) this.#announcements.push({ peer, genesis });
		return DONE;
	}

	/** After an input: those who were in the lobby are handed the genesis that it wrote. */
	announceGenesis(): void {
		for (const { peer, genesis } of this.#announcements.splice(0)) {
			this.#peers.send(peer, { type: "genesis", block: genesis });
		}
	}

	/** The genesis is here, checked: from now on this device is in the neighbourhood. */
	async foundAs(profile: LobbyProfile, genesis: Link): Promise<boolean> {
		const { keys, networkKey, signalingUrls, iceServers, householdName, alwaysOn, lobbyId } = profile;
		const config = newConfig({ keys, networkKey, signalingUrls, iceServers, householdName, alwaysOn, lobbyId });
		const gridId = genesis.hash;
		const database = this.#databaseName(gridId, keys);
		const written = await this.#stages.create(database, gridId, {
			config: encodeConfig(config),
			...genesisChange(encodeBlock(genesis.block)),
		});
		if (!written.ok) {
			this.#incidents.storageFault(written.error);
			return false;
		}
		await this.#stages.openChain(database, gridId);
		return true;
	}

	// ── joining ──────────────────────────────────────────────────────────────────────────────────────────────────

	async #join(
		link: JoinLink,
		text: string,
		{ householdName, alwaysOn, signalingUrls }: Pick<ChainConfig, "householdName" | "alwaysOn" | "signalingUrls">,
	): Promise<Reply> {
		const { gridId, networkKey, iceServers, pin } = link;
		const mesh = { networkKey, signalingUrls, iceServers };
		const keys = this.#newKeys();
		return this.#beginJoining(gridId, {
			...newConfig({ keys, ...mesh, householdName, alwaysOn, lobbyId: undefined }),
			invitationLink: text,
			pin,
		});
	}

	/** From now on this browser waits for the genesis of a running neighbourhood. */
	async #beginJoining(gridId: Uint8Array, config: ChainConfig): Promise<Reply> {
		const hindrance = this.#hindrance();
		if (hindrance !== undefined) return refused(hindrance);
		const { keys } = config;
		const database = this.#databaseName(gridId, keys);
		const opened = await this.#dependencies.storage.openChain(database);
		if (!opened.ok) return refused({ code: opened.error.code });
		const written = await opened.value.write({ config: encodeConfig(config) });
		if (!written.ok) return refused({ code: written.error.code });
		const saved = await this.#stages.saveProfile({ stage: "chain", database, gridId });
		if (!saved.ok) return refused({ code: saved.error.code });
		await this.#stages.enterJoining(opened.value, gridId);
		return DONE;
	}

	// ── as a new device of a member ──────────────────────────────────────────────────────────────────────────────

	/** Storage was lost, the household's key was not: a new device of it comes in. */
	async restore({ link, alwaysOn, signalingUrls }: Extract<Command, { type: "restore" }>): Promise<Reply> {
		const decoded = decodeLink(link);
		if (!decoded.ok) return refused(decoded.error);
		if (decoded.value.kind !== "restore") return refused({ code: "link-unknown" });
		const { gridId, networkKey, iceServers, householdSecret, pin } = decoded.value;
		const mesh = { networkKey, signalingUrls, iceServers };
		const keys = { ...this.#newKeys(), householdSecret };
		return this.#beginJoining(gridId, {
			...newConfig({ keys, ...mesh, householdName: "", alwaysOn, lobbyId: undefined }),
			pin,
			admission: { member: undefined, replaces: undefined },
		});
	}

	/**
	 * This device takes no part any more: a new one takes its place in this browser. Its database is written whole, then
	 * the profile names it: a crash in between leaves the old device as it was.
	 */
	async admitAnew(): Promise<Reply> {
		const { street } = this.#stages;
		if (street === undefined) return refused({ code: "not-in-a-neighbourhood" });
		if (street.outOfUse === undefined || street.halted) return refused({ code: "device-in-use" });
		const { gridId } = street;
		const keys = { ...this.#newKeys(), householdSecret: street.config.keys.householdSecret };
		const successor = await street.successor(keys.deviceSecret);
		if (!successor.ok) return refused({ code: successor.error.code });
		const database = this.#databaseName(gridId, keys);
		const written = await this.#stages.create(database, gridId, successor.value);
		if (!written.ok) return refused({ code: written.error.code });
		// They were the old device's.
		for (const { fault } of this.#incidents.faults) this.#incidents.forget(fault.code);
		await this.#stages.startAgain(street, database, "device-changed");
		return DONE;
	}

	// ── the genesis ──────────────────────────────────────────────────────────────────────────────────────────────

	/** Invited: the genesis came from a neighbour; its hash is in the link. True when this device is in the street. */
	async onGenesis(stage: Joining, peer: Peer, bytes: Uint8Array): Promise<boolean> {
		const link = openGenesisLink(bytes, this.#dependencies.verifier);
		if (link === undefined || !equalBytes(link.hash, stage.gridId)) {
			this.#peers.refuse(peer, { code: link === undefined ? "bad-genesis" : "foreign-genesis" });
			return false;
		}
		const written = await stage.storage.write(genesisChange(bytes));
		stage.storage.close();
		if (!written.ok) {
			this.#incidents.storageFault(written.error);
			return false;
		}
		await this.#stages.openChain(this.#databaseName(stage.gridId, stage.config.keys), stage.gridId);
		return true;
	}

	/** Gives up what this browser belongs to, unless it is a member there. */
	async abandon(): Promise<Reply> {
		if (!this.#mayAbandon()) return refused({ code: "already-in-a-neighbourhood" });
		const saved = await this.#stages.saveProfile(undefined);
		if (!saved.ok) return refused({ code: saved.error.code });
		this.#stages.leave();
		return DONE;
	}

	/** A household that was restored has its link; one that gets a new device here has nothing but this browser. */
	#mayAbandon(): boolean {
		const { current, street } = this.#stages;
		const { admission } = (current.stage === "joining" ? current : street)?.config ?? {};
		if (admission === undefined || street?.awaitsAdmission === false) return street?.member === undefined;
		return admission.member === undefined;
	}

	#databaseName(gridId: Uint8Array, keys: Keys): string {
		return databaseName(gridId, this.#dependencies.signer.publicKeyOf(keys.deviceSecret));
	}
}

function isName(name: string): boolean {
	return v.is(nameShape, name);
}

function genesisChange(bytes: Uint8Array): ChainChange {
	return { install: { blocks: [{ index: 0, record: sealRecord(bytes) }], upToIndex: 0, certificate: undefined } };
}

function newConfig(
	known: MeshKeys & Pick<ChainConfig, "keys" | "householdName" | "alwaysOn" | "lobbyId">,
): ChainConfig {
	return {
		...known,
		bootCount: 0,
		invitationLink: undefined,
		pin: undefined,
		meterSource: { source: "none" },
		ownRetailMicroNokPerWh: 0,
		keptFromVoting: [],
		admission: undefined,
		retentionDays: undefined,
		fuseLimitW: DEFAULT_FUSE_LIMIT_W,
	};
}
