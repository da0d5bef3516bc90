/**
 * From one chain of a neighbourhood to the one that it was founded again with. Devices that are there already speak of
 * another grid id: whoever hears that from a member's device asks it for its genesis before it turns away.
 */
import type { GenesisRequestMessage, HandshakeMessage } from "../message/message.js";
import { assert } from "../primitives/assert.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import type { NodeDependencies } from "./dependencies.js";
import type { Incidents } from "./incidents.js";
import type { Peer, Peers } from "./peers.js";
import { databaseName } from "./records.js";
import type { Stages } from "./stages.js";
import { NOT_A_MEMBER } from "./street/entitlement.js";
import type { Street } from "./street.js";

/** After a write that failed the next one is tried. */
const RETRY_MS = 10_000;
/** Whoever was asked for its genesis and says nothing for so long is of another neighbourhood indeed. */
const ANSWER_MS = 1_000;

export class GoingOver {
	readonly #dependencies: NodeDependencies;
	readonly #peers: Peers;
	readonly #incidents: Incidents;
	readonly #stages: Stages;
	/** Channels on which an answer is awaited. */
	readonly #asked = new Set<Peer>();
	/** Contexts, in hex, of which the genesis was looked at: nobody is asked for it again. */
	readonly #known = new Set<string>();
	#notBeforeMs = 0;

	constructor(dependencies: NodeDependencies, peers: Peers, incidents: Incidents, stages: Stages) {
		this.#dependencies = dependencies;
		this.#peers = peers;
		this.#incidents = incidents;
		this.#stages = stages;
	}

	/** After an input: goes over to the chain that this household decided for, or begins anew in the old one. */
	async follow(): Promise<void> {
		const { street } = this.#stages;
		const nowMs = this.#dependencies.clocks.monotonicMs();
		if (street === undefined || street.halted || nowMs < this.#notBeforeMs) return;
		const founded = street.refounding.decided;
		if (founded !== undefined) {
			if (!(await this.#goOver(street, founded.bytes))) this.#notBeforeMs = nowMs + RETRY_MS;
		} else if (street.refounding.isReleased) {
			await this.#stages.startAgain(street, databaseName(street.gridId, street.deviceKey), "started-again");
		}
	}

	/** Written as a whole, then the profile names it; then the neighbours hear of it, while they still understand. */
	async #goOver(street: Street, genesis: Uint8Array): Promise<boolean> {
		const { link } = street.refounding.decided ?? {};
		if (link === undefined) return false;
		const database = databaseName(link.hash, street.deviceKey);
		const written = await this.#stages.create(database, link.hash, await street.onward(link));
		if (!written.ok) {
			this.#incidents.storageFault(written.error);
			return false;
		}
		this.#peers.broadcast({ type: "genesis", block: genesis }, (device) => street.mayHaveAll(device));
		await this.#stages.goOver(street, database, link.hash);
		return true;
	}

	/** A device speaks of another chain: true where it may stay for now. */
	onOtherContext(street: Street, peer: Peer, { context, deviceKey }: HandshakeMessage): boolean {
		if (this.#isBehind(street, context)) return true;
		const { founded } = street.refounding;
		if (founded !== undefined && equalBytes(founded.link.hash, context)) return false;
		const isMembers = street.deviceIndexOf(toHex(deviceKey)) !== undefined;
		if (!isMembers || this.#known.has(toHex(context))) return false;
		this.#asked.add(peer);
		const signature = this.#peers.signCrossing(peer);
		assert(signature !== undefined, "both have sent their handshakes");
		this.#peers.send(peer, { type: "genesisRequest", crossing: { signature, household: street.householdProof } });
		return true;
	}

	/** Whether somebody stands where this neighbourhood stood before it was founded again. */
	#isBehind(street: Street, context: Uint8Array | undefined): boolean {
		const { predecessor } = street.chain.head.ledger;
		return predecessor !== undefined && context !== undefined && equalBytes(predecessor.gridId, context);
	}

	/** Messages that may come before the proof: what was asked for, and who asks from the chain before. */
	isOpen(street: Street, peer: Peer, type: string): boolean {
		if (type === "genesis") return this.#asked.has(peer);
		return type === "genesisRequest" && this.#isBehind(street, peer.received?.context);
	}

	/** Somebody asks from the chain before: the genesis holds the whole state, and is for devices and households of it. */
	async onGenesisRequest(street: Street, peer: Peer, { crossing }: GenesisRequestMessage): Promise<void> {
		const deviceKey = peer.received?.deviceKey;
		if (deviceKey === undefined || crossing === undefined || !this.#peers.hasCrossed(peer, crossing.signature)) {
			this.#peers.refuse(peer, { code: "bad-proof" });
		} else if (street.mayCross(deviceKey, crossing.household)) await street.sendGenesis(peer);
		else this.#peers.refuse(peer, { code: NOT_A_MEMBER });
	}

	/** A genesis of a chain that may go on from this one. */
	async onGenesis(street: Street, peer: Peer, bytes: Uint8Array): Promise<void> {
		const wasAsked = this.#asked.delete(peer);
		if (wasAsked && peer.received !== undefined) this.#known.add(toHex(peer.received.context));
		const code = await street.refounding.onGenesis(peer, bytes);
		if (code === undefined) return;
		if (peer.device === undefined) this.#peers.refuse(peer, { code });
		else this.#incidents.refused(code);
	}

	/** Time passed: whoever was asked and has nothing to say goes. */
	tick(): void {
		const oldestMs = this.#dependencies.clocks.monotonicMs() - ANSWER_MS;
		for (const peer of [...this.#asked]) {
			const isHere = this.#peers.has(peer);
			if (isHere && peer.lastHeardMs > oldestMs) continue;
			this.#asked.delete(peer);
			if (isHere && peer.device === undefined) this.#peers.refuse(peer, { code: "other-neighbourhood" });
		}
	}
}
