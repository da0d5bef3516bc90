/**
 * Where this browser stands (thesis 5.4): nothing yet, in a lobby, waiting for the genesis of a neighbourhood it was
 * invited to, or in a running street. The profile record says which; this is what is opened by it.
 */
import type { HelloMessage } from "../message/message.js";
import type { Result } from "../primitives/result.js";
import type { ConnectTo } from "./channelPlan.js";
import type { NodeDependencies } from "./dependencies.js";
import type { Incidents } from "./incidents.js";
import { Lobby } from "./lobby.js";
import type { Metering } from "./metering.js";
import type { Peer, Peers } from "./peers.js";
import { type ChainConfig, decodeConfig, decodeProfile, encodeProfile, type LobbyProfile } from "./records.js";
import type { Mesh, Signaling } from "./signaling.js";
import type { ChainChange, ChainStorage, StorageError } from "./storage.js";
import { Street } from "./street.js";

/** Invited, and the genesis has not come yet. */
export interface Joining {
	stage: "joining";
	storage: ChainStorage;
	config: ChainConfig;
	gridId: Uint8Array;
	nextRequestMs: number;
	/** Said while there was no genesis yet to understand them by. */
	hellos: Map<Peer, HelloMessage>;
	/** Why the neighbours have no genesis for this device, by their word. */
	turnedAway: string | undefined;
	/** Who has proven its key and said no hello, since when (monotonic ms): it may wait for the genesis itself. */
	unheard: Map<Peer, number>;
	/** A neighbour with the same network key speaks of another chain: most likely the one that came after this one. */
	isElsewhere: boolean;
}

export type Stage =
	| { stage: "welcome" }
	| { stage: "lobby"; lobby: Lobby }
	| Joining
	| { stage: "street"; street: Street };

export interface StagesParts {
	readonly dependencies: NodeDependencies;
	readonly peers: Peers;
	readonly signaling: Signaling;
	readonly metering: Metering;
	readonly incidents: Incidents;
	/** Something that the screens draw has changed. */
	onChange(): void;
}

export class Stages {
	readonly #parts: StagesParts;
	#current: Stage = { stage: "welcome" };
	#unopened: string | undefined;

	constructor(parts: StagesParts) {
		this.#parts = parts;
	}

	get current(): Stage {
		return this.#current;
	}

	get street(): Street | undefined {
		return this.#current.stage === "street" ? this.#current.street : undefined;
	}

	/** Why what this browser belongs to could not be opened. Its keys may still be there: nothing is begun over them. */
	get unopened(): string | undefined {
		return this.#unopened;
	}

	/** Goes on where the last run stopped. */
	async open(): Promise<void> {
		const { dependencies, incidents } = this.#parts;
		this.#unopened = undefined;
		const record = await dependencies.storage.loadProfile();
		if (!record.ok) {
			this.#unopened = record.error.code;
			incidents.storageFault(record.error);
			return;
		}
		if (record.value === undefined) return;
		const profile = decodeProfile(record.value);
		if (!profile.ok) {
			this.#unopened = "profile-damaged";
			incidents.fault({ code: "profile-damaged" });
			return;
		}
		if (profile.value?.stage === "lobby") this.enterLobby(profile.value.lobby);
		else if (profile.value?.stage === "chain") await this.openChain(profile.value.database, profile.value.gridId);
	}

	/** Writes a neighbourhood's new database, then the profile that names it. */
	async create(database: string, gridId: Uint8Array, change: ChainChange): Promise<Result<true, StorageError>> {
		const opened = await this.#parts.dependencies.storage.openChain(database);
		if (!opened.ok) return opened;
		const written = await opened.value.write(change);
		opened.value.close();
		if (!written.ok) return written;
		return this.saveProfile({ stage: "chain", database, gridId });
	}

	saveProfile(profile: Parameters<typeof encodeProfile>[0]): Promise<Result<true, StorageError>> {
		return this.#parts.dependencies.storage.saveProfile(encodeProfile(profile));
	}

	enterLobby(profile: LobbyProfile): void {
		const lobby = new Lobby(this.#parts.dependencies, this.#parts.peers, profile);
		this.#current = { stage: "lobby", lobby };
		this.#speak(profile, profile.lobbyId, "everybody");
	}

	/** Opens a neighbourhood's database: a street where its genesis is there, else this device waits for it. */
	async openChain(database: string, gridId: Uint8Array): Promise<void> {
		const { dependencies, peers, incidents, onChange } = this.#parts;
		const storage = await dependencies.storage.openChain(database);
		if (!storage.ok) {
			this.#unopened = storage.error.code;
			incidents.storageFault(storage.error);
			return;
		}
		const events = {
			onHead: () => {
				onChange();
				this.#reach();
			},
			onProgress: onChange,
			// A device in place of an older one of the household: its meter has been read all the time.
			onMember: () => {
				if (this.street?.config.admission === undefined) this.useMeter();
			},
			onRefused: (code: string) => incidents.refused(code),
			onFault: (fault: Parameters<Incidents["fault"]>[0]) => incidents.fault(fault),
		};
		const street = await Street.open({ dependencies, storage: storage.value, gridId, peers, events });
		if (street.ok) {
			this.#enterStreet(street.value);
			return;
		}
		if (street.error.code === "no-genesis") {
			await this.enterJoining(storage.value, gridId);
			return;
		}
		this.#unopened = street.error.code;
		incidents.storageFault(street.error);
	}

	#enterStreet(street: Street): void {
		this.#current = { stage: "street", street };
		const { metering, dependencies } = this.#parts;
		metering.fuseLimitW = street.config.fuseLimitW;
		metering.goOnWith(street.config.meterSource, dependencies.clocks.chainMs(), street.savedMeter);
		const { iceServers, keySalts } = street;
		const isInUse = (device: string) => street.deviceIndexOf(device) !== undefined;
		this.#speak({ ...street.config, iceServers, keySalts, isInUse }, street.gridId, street.connectTo);
		this.#parts.peers.speakAbout(street.gridId, street.config.keys.deviceSecret);
	}

	/** Reads the meter that this device's settings name. */
	useMeter(): void {
		const { street } = this;
		if (street === undefined) return;
		this.#parts.metering.use(street.config.meterSource, this.#parts.dependencies.clocks.chainMs());
	}

	async enterJoining(storage: ChainStorage, gridId: Uint8Array): Promise<void> {
		const { peers, incidents } = this.#parts;
		const stored = await storage.load();
		const config = stored.ok && stored.value.config !== undefined ? decodeConfig(stored.value.config) : undefined;
		if (config?.ok !== true) {
			this.#unopened = "record-damaged";
			incidents.fault({ code: "record-damaged", store: "config" });
			return;
		}
		this.#current = {
			stage: "joining",
			storage,
			config: config.value,
			gridId,
			nextRequestMs: 0,
			hellos: new Map(),
			turnedAway: undefined,
			unheard: new Map(),
			isElsewhere: false,
		};
		this.#speak(config.value, gridId, "somebody");
		peers.speakAbout(gridId, config.value.keys.deviceSecret);
	}

	/** Back to nothing: the profile was saved so. Every channel is closed. */
	leave(): void {
		this.#current = { stage: "welcome" };
		this.#unopened = undefined;
		this.#closeChannels("abandoned");
		this.#parts.signaling.leave();
	}

	/**
	 * The street once more, from a database of the same neighbourhood: another device's, whose profile was saved so, or the
	 * same. A voter votes after hellos of its run only: all channels are closed, with a code, and begin anew.
	 */
	async startAgain(street: Street, database: string, code: "device-changed" | "started-again"): Promise<void> {
		street.close();
		this.#current = { stage: "welcome" };
		this.#closeChannels(code);
		await this.openChain(database, street.gridId);
	}

	/**
	 * From the street to the chain that it was founded again with: the profile was saved so. Channels stay, and shake
	 * hands about the new chain.
	 */
	async goOver(street: Street, database: string, gridId: Uint8Array): Promise<void> {
		await street.forgetHousehold();
		street.close();
		this.#current = { stage: "welcome" };
		await this.openChain(database, gridId);
	}

	#closeChannels(code: string): void {
		const { peers } = this.#parts;
		for (const peer of [...peers.authenticated()]) peers.refuse(peer, { code });
	}

	/**
	 * The neighbourhood's own servers, once it has said so, in place of those that the way in named; and its key, whenever
	 * that was changed.
	 */
	#reach(): void {
		if (this.street === undefined) return;
		this.#parts.signaling.reachThrough(this.street.iceServers);
		this.#parts.signaling.changeKey(this.street.keySalts);
	}

	/** From now on the neighbours are looked for. */
	#speak(config: Mesh & Pick<ChainConfig, "keys">, context: Uint8Array, connectTo: ConnectTo): void {
		this.#parts.onChange();
		this.#parts.signaling.speakAs(config, context, config.keys.deviceSecret, connectTo);
	}
}
