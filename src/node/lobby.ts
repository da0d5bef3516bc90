/**
 * Founding a neighbourhood: the founder opens a lobby, neighbours come by its link and appear by name, and *Start*
 * writes the genesis with everybody present.
 */
import { type Block, blockHash, encodeBlock } from "../block/block.js";
import { type FoundTransaction, MONEY_KINDS } from "../block/kinds/founding.js";
import type { JoinTransaction } from "../block/kinds/members.js";
import type { Unsigned } from "../block/transaction.js";
import { transactionId } from "../block/transaction.js";
import { createGenesis } from "../contract/genesis.js";
import { isFoundingJoinSigned } from "../contract/signers.js";
import type { LobbyStateMessage, Message } from "../message/message.js";
import { assert } from "../primitives/assert.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import { taggedHash, ZERO_HASH } from "../primitives/hash.js";
import { type Result, refused } from "../primitives/result.js";
import type { Link } from "./chain.js";
import type { NodeDependencies } from "./dependencies.js";
import { HouseholdKey } from "./householdKey.js";
import { encodeLobbyLink } from "./link.js";
import { openGenesisLink } from "./loading.js";
import type { Peer, Peers } from "./peers.js";
import type { CommandError } from "./protocol.js";
import type { LobbyProfile } from "./records.js";
import type { LobbyView, SignalingView } from "./view.js";

const hashPin = taggedHash("pin");
const MAX_LOBBY_MEMBERS = 30;

/** What a lobby's link says of the founder: enough to know the genesis by. */
export function founderPinOf(householdKey: Uint8Array): Uint8Array {
	return hashPin(householdKey).slice(0, 16);
}

export class Lobby {
	readonly profile: LobbyProfile;
	readonly #dependencies: NodeDependencies;
	readonly #peers: Peers;
	readonly #household: HouseholdKey;
	readonly #join: JoinTransaction;
	/** Founder: joins of those whose channel is open, by device in hex. */
	readonly #guests = new Map<string, JoinTransaction>();
	/** Guest: what the founder last said. */
	#state: LobbyStateMessage | undefined;
	#founderDevice: string | undefined;

	constructor(dependencies: NodeDependencies, peers: Peers, profile: LobbyProfile) {
		this.#dependencies = dependencies;
		this.#peers = peers;
		this.profile = profile;
		this.#household = new HouseholdKey(profile.keys.household, dependencies.signer);
		assert(!this.#household.isLocked, "a lobby keeps the household's key: it signs, and there is no money yet");
		this.#join = this.#signJoin();
		peers.speakAbout(profile.lobbyId, profile.keys.deviceSecret);
	}

	get isFounder(): boolean {
		return this.profile.founding !== undefined;
	}

	get deviceKey(): Uint8Array {
		return this.#join.deviceKey;
	}

	#signJoin(): JoinTransaction {
		const { signer } = this.#dependencies;
		const { keys, householdName, alwaysOn } = this.profile;
		const unsigned: Unsigned<JoinTransaction> = {
			kind: "join",
			name: householdName,
			householdKey: this.#household.publicKey,
			deviceKey: signer.publicKeyOf(keys.deviceSecret),
			alwaysOn,
			invitation: undefined,
		};
		const digest = transactionId(unsigned, ZERO_HASH);
		return {
			...unsigned,
			signatures: {
				household: this.#household.sign(digest),
				device: signer.sign(digest, keys.deviceSecret),
				oneTime: undefined,
			},
		};
	}

	/** Whether a device is the founder's, or of who is in the founder's lobby. */
	isKnown(device: string): boolean {
		return device === this.#founderDevice || this.#guests.has(device);
	}

	onAuthenticated(peer: Peer): void {
		if (!this.isFounder) this.#peers.send(peer, { type: "lobbyJoin", join: this.#join });
	}

	onGone(device: string): void {
		if (this.#guests.delete(device)) this.#announce();
		if (device === this.#founderDevice) this.#founderDevice = undefined;
	}

	/** Gives the genesis when it has come; a code where the message is refused. */
	onMessage(peer: Peer, message: Message): Link | { code: string } | undefined {
		switch (message.type) {
			case "lobbyJoin":
				return this.isFounder ? this.#onJoin(peer, message.join) : undefined;
			case "lobbyState":
				return this.isFounder ? undefined : this.#onState(peer, message);
			case "genesis":
				return this.isFounder ? undefined : this.#onGenesis(message.block);
			// Somebody who has the genesis already speaks of the neighbourhood; it comes to us as well.
			default:
				return undefined;
		}
	}

	#onJoin(peer: Peer, join: JoinTransaction): { code: string } | undefined {
		if (peer.device === undefined) return { code: "not-authenticated" };
		if (join.invitation !== undefined || toHex(join.deviceKey) !== peer.device) return { code: "bad-lobby-join" };
		if (!isFoundingJoinSigned(join, this.#dependencies.verifier)) return { code: "bad-signature" };
		if (this.#guests.size >= MAX_LOBBY_MEMBERS - 1 && !this.#guests.has(peer.device)) return { code: "lobby-full" };
		this.#guests.set(peer.device, join);
		this.#announce();
		return undefined;
	}

	/** Founder first, then the guests in the order of their keys: the same for everybody who computes it. */
	#joins(): JoinTransaction[] {
		const guests = [...this.#guests.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, join]) => join);
		return [this.#join, ...guests];
	}

	#announce(): void {
		const { founding } = this.profile;
		if (founding === undefined) return;
		const members = this.#joins().map(({ name, alwaysOn, deviceKey }) => ({ name, alwaysOn, deviceKey }));
		this.#peers.broadcast({ type: "lobbyState", neighbourhood: founding.name, members });
	}

	#onState(peer: Peer, state: LobbyStateMessage): { code: string } | undefined {
		const founder = state.members[0];
		// Only the founder lists itself first; the genesis proves it in the end.
		if (founder === undefined || peer.device === undefined || toHex(founder.deviceKey) !== peer.device) {
			return { code: "bad-lobby-state" };
		}
		this.#state = state;
		this.#founderDevice = peer.device;
		return undefined;
	}

	#onGenesis(bytes: Uint8Array): Link | { code: string } {
		const link = openGenesisLink(bytes, this.#dependencies.verifier);
		if (link === undefined) return { code: "bad-genesis" };
		const [founder] = link.ledger.households;
		if (founder === undefined || !equalBytes(founderPinOf(founder.publicKey), this.profile.founderPin)) {
			return { code: "foreign-genesis" };
		}
		const isMember = link.ledger.households.some((household) =>
			equalBytes(household.publicKey, this.#join.householdKey),
		);
		return isMember ? link : { code: "genesis-without-us" };
	}

	/** Founder: writes the genesis with everybody present. */
	start(): Result<Block, CommandError> {
		const { founding } = this.profile;
		if (founding === undefined) return refused({ code: "not-founder" });
		const { clocks, randomBytes, settings } = this.#dependencies;
		const { moneyKind, ...rest } = founding;
		const unsigned: Unsigned<FoundTransaction> = {
			kind: "found",
			...rest,
			moneyKind: MONEY_KINDS[moneyKind] ?? "trial",
			...settings.founding,
			salt: randomBytes(16),
		};
		const signature = this.#household.sign(transactionId(unsigned, ZERO_HASH));
		const genesis = createGenesis({ ...unsigned, signature }, this.#joins(), clocks.chainMs());
		if (!genesis.ok) return refused({ code: genesis.error.code });
		return genesis;
	}

	view(signaling: SignalingView): LobbyView {
		const { founding } = this.profile;
		const own = toHex(this.#join.deviceKey);
		const members = this.isFounder
			? this.#joins()
			: (this.#state?.members ?? [
					{ name: this.#join.name, alwaysOn: this.#join.alwaysOn, deviceKey: this.#join.deviceKey },
				]);
		return {
			stage: "lobby",
			neighbourhood: founding?.name ?? this.#state?.neighbourhood ?? "",
			founder: this.isFounder,
			link: encodeLobbyLink(this.profile),
			members: members.map(({ name, alwaysOn, deviceKey }, at) => ({
				name,
				alwaysOn,
				self: toHex(deviceKey) === own,
				founder: at === 0 && (this.isFounder || this.#state !== undefined),
			})),
			founderReached: this.isFounder || this.#founderDevice !== undefined,
			signaling,
		};
	}
}

/** The first link of a chain that this device founded. */
export function genesisLinkOf(block: Block, dependencies: NodeDependencies): Link {
	const link = openGenesisLink(encodeBlock(block), dependencies.verifier);
	assert(link !== undefined && equalBytes(link.hash, blockHash(block)), "a genesis that was just made is valid");
	return link;
}
