/**
 * Who may have the chain, which holds what everybody earned and used in every minute: devices in use, all of it; a device
 * that was taken out of use, what was decided while it was in use and that itself, so that it learns of it; a device that
 * the chain does not know, once it has shown that it is a household's, or that its household may join. A link by itself
 * gives nobody anything: it is copied, forwarded, and kept by households that moved out.
 */
import type { JoinTransaction } from "../../block/kinds/members.js";
import type { Device } from "../../contract/ledger.js";
import type { Refusal, Wait } from "../../contract/refusal.js";
import { isHouseholdKey } from "../../contract/standing.js";
import type { Crossing, HouseholdProofMessage } from "../../message/message.js";
import { toHex } from "../../primitives/bytes.js";
import type { Chain } from "../chain.js";
import type { NodeDependencies } from "../dependencies.js";
import { idOf, isRefusal, type Mempool } from "../mempool.js";
import { householdProofDigest } from "../newcomer.js";
import type { Peer, Peers } from "../peers.js";

/** Of the chain: all of it, or not even its first block. */
export const ALL = Number.POSITIVE_INFINITY;
const NOTHING = -1;
/** Nothing was shown, or it could not be looked at yet. */
export const NOT_A_MEMBER = "not-a-member";

/** What a newcomer has shown. */
interface Shown {
	/** Of which it is a device. */
	readonly householdKey?: Uint8Array;
	/** Its `join`, while it waits for its block. */
	readonly join?: JoinTransaction;
	/** What was found against its `join`. */
	readonly joinRefusal?: Refusal["code"];
}

/** The part of the street's context that is looked at. */
interface Context {
	readonly chain: Chain;
	readonly dependencies: Pick<NodeDependencies, "clocks" | "verifier">;
	readonly gridId: Uint8Array;
	readonly mempool: Mempool;
	readonly peers: Peers;
	/** A device by its key in hex, in use or not. */
	knownDevice(device: string): Device | undefined;
}

export class Entitlement {
	readonly #context: Context;
	/** What newcomers have shown on the channels that are open, by device. */
	readonly #shown = new Map<string, Shown>();

	constructor(context: Context) {
		this.#context = context;
	}

	/** A device shows that it is a household's. */
	onHouseholdProof({ device, received }: Peer & { device: string }, proof: HouseholdProofMessage): void {
		const { dependencies, gridId, peers } = this.#context;
		const { householdKey, signature } = proof;
		const shown = this.#shown.get(device);
		if (received === undefined || shown?.householdKey !== undefined) return;
		if (dependencies.verifier.verify(signature, householdProofDigest(received.deviceKey, gridId), householdKey)) {
			this.#shown.set(device, { ...shown, householdKey });
		} else peers.conduct.spend(device, "badSignatures", 1, dependencies.clocks.monotonicMs());
	}

	/** Whether a device of the chain before may have this one: the chain knows it, or it shows here whose it is. */
	mayCross(deviceKey: Uint8Array, household: Crossing["household"]): boolean {
		if (this.hasAll(toHex(deviceKey))) return true;
		const { chain, dependencies } = this.#context;
		const { predecessor } = chain.head.ledger;
		if (predecessor === undefined || !this.#isHouseholds(household?.householdKey) || household === undefined)
			return false;
		const digest = householdProofDigest(deviceKey, predecessor.gridId);
		return dependencies.verifier.verify(household.signature, digest, household.householdKey);
	}

	/** A device handed in a `join`, and this is what was found against it: it lets its own device in, or it does not. */
	onJoin(device: string, join: JoinTransaction, cause: Refusal | Wait | undefined): void {
		if (toHex(join.deviceKey) !== device) return;
		const { householdKey } = this.#shown.get(device) ?? {};
		const found = isRefusal(cause) ? { joinRefusal: cause.code } : { join };
		this.#shown.set(device, { ...(householdKey === undefined ? {} : { householdKey }), ...found });
	}

	/** A device's channel is gone: it shows everything anew on the next one. */
	onGone(device: string): void {
		this.#shown.delete(device);
	}

	/** Whether a device may have all there is. */
	hasAll(device: string): boolean {
		return this.upToIndex(device) === ALL;
	}

	/** Index of the last block that a device may have. */
	upToIndex(device: string): number {
		const known = this.#context.knownDevice(device);
		// The first block of a chain founded again is no word about a device, but the state of all.
		if (known !== undefined) return known.revokedIndex === 0 ? NOTHING : (known.revokedIndex ?? ALL);
		const { householdKey, join } = this.#shown.get(device) ?? {};
		return this.#mayJoin(join) || this.#isHouseholds(householdKey) ? ALL : NOTHING;
	}

	/** Whether a `join` still waits for its block: of two by one invitation the second does so no more, once the first is in. */
	#mayJoin(join: JoinTransaction | undefined): boolean {
		const { gridId, mempool } = this.#context;
		return join !== undefined && mempool.has(idOf(join, gridId), join);
	}

	/** Why a device may not have more. */
	refusalFor(device: string): string {
		const known = this.#context.knownDevice(device);
		if (known !== undefined) {
			const household = this.#context.chain.head.ledger.households[known.household];
			return household?.removal?.completed === true ? "moved-out" : "device-revoked";
		}
		const { householdKey, join, joinRefusal } = this.#shown.get(device) ?? {};
		if (joinRefusal !== undefined) return joinRefusal;
		return householdKey === undefined || join !== undefined ? NOT_A_MEMBER : "unknown-household";
	}

	/** Whether a key is that of a household that has not moved out, or that one of which an operator has given notice. */
	#isHouseholds(key: Uint8Array | undefined): boolean {
		if (key === undefined) return false;
		const { households } = this.#context.chain.head.ledger;
		return isHouseholdKey({ households: households.filter(({ removal }) => removal?.completed !== true) }, key);
	}
}
