/**
 * The ways into a neighbourhood: founding one in a lobby, coming to a lobby by its link, joining by an invitation; and
 * back into it as a new device, by the household's restore link or in place of the device that this browser was.
 */
import * as v from "valibot";
import { encodeBlock } from "../block/block.js";
import { nameShape } from "../block/fieldShapes.js";
import { iceServersFault } from "../block/iceServer.js";
import { type FoundingTerms, MONEY_KINDS, termsFields, termsShape } from "../block/kinds/founding.js";
import { DEFAULT_FUSE_LIMIT_W } from "../meter/meterPipeline.js";
import { equalBytes } from "../primitives/bytes.js";
import { CENTRAL_EUROPEAN_TIME } from "../primitives/localTime.js";
import { SEED_BYTES, seedOfWords } from "../primitives/recoveryWords.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { SECRET_KEY_BYTES } from "../primitives/signature.js";
import { MAX_PRICE_MICRO_NOK_PER_WH, minuteOf } from "../primitives/units.js";
import type { Link } from "./chain.js";
import type { NodeDependencies } from "./dependencies.js";
import { HouseholdKey, publicKeyOf } from "./householdKey.js";
import type { Incidents } from "./incidents.js";
import { decodeLink, type JoinLink } from "./link.js";
import { openGenesisLink } from "./loading.js";
import { founderPinOf, genesisLinkOf } from "./lobby.js";
import { NETWORK_KEY_BYTES } from "./networkKeys.js";
import type { StretchedPasswords } from "./passwords.js";
import type { Peer, Peers } from "./peers.js";
import type { Command, CommandError } from "./protocol.js";
import {
	type ChainConfig,
	databaseName,
	encodeConfig,
	type Keys,
	type LobbyProfile,
	type MeshKeys,
	NO_WRONG_PASSWORDS,
	sealRecord,
} from "./records.js";
import { DONE, type Reply } from "./reply.js";
import type { Joining, Stages } from "./stages.js";
import type { ChainChange } from "./storage.js";
import { createVault, type HouseholdRecord, openVault, type StretchedPassword, sealedAlone } from "./vault.js";

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
	async openLobby(command: Extract<Command, { type: "openLobby" }>, { fresh }: StretchedPasswords): Promise<Reply> {
		const { neighbourhood, householdName, alwaysOn, signalingUrls, iceServers = [] } = command;
		const fault = iceServersFault(iceServers);
		if (fault !== undefined) return refused({ code: "bad-ice-server", field: fault });
		const { localTime = CENTRAL_EUROPEAN_TIME, market, ...settings } = neighbourhood;
		const terms: FoundingTerms = { localTime, market };
		const prices = [settings.retailMicroNokPerWh, settings.feedInMicroNokPerWh, settings.localFeeMicroNokPerWh];
		if (!isName(settings.name) || !isName(householdName)) return refused({ code: "bad-name" });
		if (!prices.every((price) => Number.isSafeInteger(price) && price >= 0 && price <= MAX_PRICE_MICRO_NOK_PER_WH)) {
			return refused({ code: "bad-tariff" });
		}
		if (!v.is(termsShape, termsFields({ localTime, market: undefined }))) return refused({ code: "bad-local-time" });
		if (!v.is(termsShape, termsFields(terms))) return refused({ code: "bad-market" });
		const keys = this.#newKeys(fresh);
		const { randomBytes, signer } = this.#dependencies;
		return this.#newLobby({
			keys,
			networkKey: randomBytes(NETWORK_KEY_BYTES),
			keyGeneration: 0,
			signalingUrls,
			iceServers,
			lobbyId: randomBytes(32),
			householdName,
			alwaysOn,
			founderPin: founderPinOf(new HouseholdKey(keys.household, signer).publicKey),
			founding: { ...settings, moneyKind: MONEY_KINDS.indexOf(settings.moneyKind), terms },
		});
	}

	/** A lobby's link leads to the lobby, an invitation's to the neighbourhood. */
	async byLink(
		command: Extract<Command, { type: "enterLobby" | "join" }>,
		{ fresh }: StretchedPasswords,
	): Promise<Reply> {
		const link = decodeLink(command.link);
		if (!link.ok) return refused(link.error);
		if (!isName(command.householdName)) return refused({ code: "bad-name" });
		const { householdName, alwaysOn, signalingUrls } = command;
		if (link.value.kind === "restore") return refused({ code: "link-unknown" });
		const keys = this.#newKeys(fresh);
		if (link.value.kind === "join") return this.#join(link.value, command.link, command, keys);
		const { lobbyId, networkKey, keyGeneration, iceServers, founderPin } = link.value;
		return this.#newLobby({
			keys,
			networkKey,
			keyGeneration,
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

	/** `fresh`: the password that seals the household's key, which lies beside its vault until it is a member. */
	#newKeys(fresh: StretchedPassword | undefined): Keys {
		return this.#keysOf(this.#dependencies.randomBytes(SEED_BYTES), fresh);
	}

	/** A new device's, of the household whose seed this is. */
	#keysOf(seed: Uint8Array, fresh: StretchedPassword | undefined): Keys {
		const { randomBytes, signer } = this.#dependencies;
		const deviceSecret = randomBytes(SECRET_KEY_BYTES);
		if (fresh === undefined) return { household: { seed }, deviceSecret };
		const publicKey = publicKeyOf(seed, signer);
		const vault = createVault(seed, publicKey, fresh, randomBytes);
		return { household: { publicKey, vault, seed }, deviceSecret };
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
		const { networkKey, keyGeneration, signalingUrls, iceServers, householdName, alwaysOn, lobbyId } = profile;
		// All is signed that has to be, and from here on there may be money: the vault alone is left.
		const keys = { ...profile.keys, household: sealedAlone(profile.keys.household) };
		const mesh = { networkKey, keyGeneration, signalingUrls, iceServers };
		const config = newConfig({ keys, ...mesh, householdName, alwaysOn, lobbyId });
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
		keys: Keys,
	): Promise<Reply> {
		const { gridId, networkKey, keyGeneration, iceServers, invitation, pin } = link;
		const minute = minuteOf(this.#dependencies.clocks.chainMs());
		if (invitation.expiryMinute < minute) return refused({ code: "invitation-expired" });
		if (invitation.observer && alwaysOn) return refused({ code: "invitation-observer" });
		const mesh = { networkKey, keyGeneration, signalingUrls, iceServers };
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

	/**
	 * Storage was lost, the household's key was not, or it gets a further device: a new device of it comes in. The key is in
	 * the link, and its password opens it; or it is the household's words. Where those are lost, too, the device has a new
	 * key, and waits for the chain to know it as the household's.
	 */
	async restore(command: Extract<Command, { type: "restore" }>, passwords: StretchedPasswords): Promise<Reply> {
		const { link, words, alwaysOn, signalingUrls, newKey = false } = command;
		const decoded = decodeLink(link);
		if (!decoded.ok) return refused(decoded.error);
		if (decoded.value.kind !== "restore") return refused({ code: "link-unknown" });
		const { gridId, networkKey, keyGeneration, iceServers, household, pin } = decoded.value;
		const mesh = { networkKey, keyGeneration, signalingUrls, iceServers };
		const known = words === undefined ? seedIn(household, passwords.current) : seedOfWords(words);
		const seed = newKey ? ok(this.#dependencies.randomBytes(SEED_BYTES)) : known;
		if (!seed.ok) return refused({ ...seed.error });
		const isAnothers = household !== undefined && !newKey && !this.#isOf(household, seed.value);
		if (isAnothers) return refused({ code: "words-of-another" });
		const { vault, publicKey } = household?.vault === undefined ? {} : household;
		const isVaultKept = !newKey && vault !== undefined && publicKey !== undefined && passwords.fresh === undefined;
		const made = this.#keysOf(seed.value, passwords.fresh);
		const keys = isVaultKept ? { ...made, household: { publicKey, vault, seed: seed.value } } : made;
		return this.#beginJoining(gridId, {
			...newConfig({ keys, ...mesh, householdName: "", alwaysOn, lobbyId: undefined }),
			pin,
			admission: { member: undefined, replaces: undefined, beside: command.beside === true },
		});
	}

	#isOf(household: HouseholdRecord, seed: Uint8Array): boolean {
		const { signer } = this.#dependencies;
		return equalBytes(new HouseholdKey(household, signer).publicKey, publicKeyOf(seed, signer));
	}

	/**
	 * This device takes no part any more: a new one takes its place in this browser. Its database is written whole, then
	 * the profile names it: a crash in between leaves the old device as it was.
	 */
	async admitAnew(passwords: StretchedPasswords): Promise<Reply> {
		const { street } = this.#stages;
		if (street === undefined) return refused({ code: "not-in-a-neighbourhood" });
		if (street.outOfUse === undefined || street.halted) return refused({ code: "device-in-use" });
		const { gridId } = street;
		const { household } = street.config.keys;
		const seed = await street.unlocking.open(passwords);
		if (!seed.ok) return seed;
		const keys = this.#keysOf(seed.value, undefined);
		if (household.vault !== undefined) keys.household = { ...household, seed: seed.value };
		const successor = await street.successor(keys);
		if (!successor.ok) return refused({ code: successor.error.code });
		const database = this.#databaseName(gridId, keys);
		const written = await this.#stages.create(database, gridId, successor.value);
		if (!written.ok) return refused({ code: written.error.code });
		// They were the old device's.
		for (const { fault } of this.#incidents.faults) this.#incidents.forget(fault.code);
		await street.forgetHousehold();
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
		await this.#forgetKeys();
		this.#stages.leave();
		return DONE;
	}

	/** What is given up leaves no key behind: the browser may be somebody else's. */
	async #forgetKeys(): Promise<void> {
		const { current } = this.#stages;
		if (current.stage === "street") await current.street.forgetHousehold();
		if (current.stage !== "joining") return;
		await current.storage.write({ config: encodeConfig({ ...current.config, keys: this.#newKeys(undefined) }) });
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

/** The seed that a household's key is kept by. */
function seedIn(
	household: HouseholdRecord | undefined,
	password: StretchedPasswords["current"],
): Result<Uint8Array, { code: "words-missing" | "password-missing" | "password-wrong" }> {
	if (household === undefined) return refused({ code: "words-missing" });
	if (household.vault === undefined) return ok(household.seed);
	if (password === undefined) return refused({ code: "password-missing" });
	const seed = openVault(household.vault, household.publicKey, password.key);
	return seed === undefined ? refused({ code: "password-wrong" }) : ok(seed);
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
		ownRetail: [],
		keptFromVoting: [],
		admission: undefined,
		retentionDays: undefined,
		fuseLimitW: DEFAULT_FUSE_LIMIT_W,
		wrongPasswords: NO_WRONG_PASSWORDS,
		wordsKept: false,
		firstWeek: {},
	};
}
