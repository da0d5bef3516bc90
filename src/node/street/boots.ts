/**
 * Starts of devices: how two devices with one key come to hear of each other (consensus.md "Identity").
 *
 * Each start has a higher count than the one before, a random id, and the device's signature: nobody else can say that
 * there was one. Neighbours remember the newest and show it at their hello, so the older of two clones learns of the newer.
 * It stops, and signs that it was shown that start. Nobody could name the id before that start, so the neighbours who hand
 * this on prove to the newer clone that the older one lived on after it.
 */

import { isInUse } from "../../contract/ledger.js";
import type { Boot, HelloMessage, Meeting } from "../../message/message.js";
import { equalBytes, toHex } from "../../primitives/bytes.js";
import { encode } from "../../primitives/codec.js";
import { taggedHash } from "../../primitives/hash.js";
import { encodeBoots, type KnownBoot } from "../bootsRecord.js";
import type { ProvenPeer, StreetContext } from "./context.js";

const hashBoot = taggedHash("boot");
const hashMeeting = taggedHash("meeting");

/** What a hello says of another device with this one's key. */
export type TwinFinding =
	/** It started later, or as often: `meeting` is to be handed to the neighbour that showed it. */
	| { code: "newer"; bootCount: number; meeting: Meeting }
	/** It started before this one, and lives. */
	| { code: "older"; bootCount: number }
	/** What was shown is not signed by this device's key. */
	| { code: "forged" };

export class Boots {
	/** This start of this device. */
	readonly own: Boot;
	readonly #context: StreetContext;
	/** By device key in hex: the newest start; members' devices only. */
	readonly #newest: Map<string, KnownBoot>;
	/** Those of them that are written: voters' only, whose older life could promise something twice. */
	readonly #kept: Map<string, KnownBoot>;
	/** By device key in hex: the last time that an older start of it was shown a newer one. */
	readonly #meetings = new Map<string, Meeting>();

	/** `kept`: what earlier runs heard. A device that comes back as it was finds somebody who knows better, whoever slept. */
	constructor(context: StreetContext, kept: ReadonlyMap<string, KnownBoot>) {
		this.#context = context;
		this.#newest = new Map(kept);
		this.#kept = new Map(kept);
		const { bootCount, keys } = context.config;
		const bootId = context.dependencies.randomBytes(16);
		const digest = hashBoot(context.gridId, encode([bootCount, bootId]));
		this.own = { bootCount, bootId, signature: context.dependencies.signer.sign(digest, keys.deviceSecret) };
	}

	/** What a hello to a device says of its own starts. */
	shownTo(device: string): Pick<HelloMessage, "knownBoot" | "meeting"> {
		return { knownBoot: this.#newest.get(device)?.boot, meeting: this.#meetings.get(device) };
	}

	/**
	 * A member's device said which start of it this is. Of two clones with the same count each comes to hear of the other.
	 * Settles when a voter's new start is written: only then does the device count as greeted, and what it votes and
	 * acknowledges is listened to after its start is known for good.
	 */
	async heard({ device, received }: ProvenPeer, boot: Boot): Promise<void> {
		const newest = this.#newest.get(device)?.boot;
		if (received === undefined || (newest !== undefined && newest.bootCount > boot.bootCount)) return;
		const known = { deviceKey: received.deviceKey, boot };
		this.#newest.set(device, known);
		const { devices, voters } = this.#context.chain.head.ledger;
		const index = this.#context.deviceIndexOf(device);
		if (index === undefined || !voters.includes(index) || isSame(this.#kept.get(device)?.boot, boot)) return;
		this.#kept.set(device, known);
		// What was taken out of use votes no more, whichever life of it.
		for (const each of devices) if (!isInUse(each)) this.#kept.delete(toHex(each.publicKey));
		await this.#context.write({ boots: encodeBoots(this.#kept.values()) });
	}

	/** A member's device met another start of itself. Whom it concerns checks it. */
	met(device: string, meeting: Meeting): void {
		this.#meetings.set(device, meeting);
	}

	/** Whether a neighbour showed that another device has this one's key; undefined: it did not. */
	find({ knownBoot, meeting }: Pick<HelloMessage, "knownBoot" | "meeting">): TwinFinding | undefined {
		const { bootCount, bootId } = this.own;
		if (knownBoot !== undefined && knownBoot.bootCount >= bootCount && !equalBytes(knownBoot.bootId, bootId))
			return this.#findNewer(knownBoot);
		if (meeting === undefined || !equalBytes(meeting.metBootId, bootId)) return undefined;
		const digest = hashMeeting(this.#context.gridId, encode([meeting.bootId, meeting.metBootId]));
		return this.#isOwn(digest, meeting.signature) ? { code: "older", bootCount } : { code: "forged" };
	}

	#findNewer({ bootCount, bootId, signature }: Boot): TwinFinding {
		const { gridId, dependencies, config } = this.#context;
		if (!this.#isOwn(hashBoot(gridId, encode([bootCount, bootId])), signature)) return { code: "forged" };
		const digest = hashMeeting(gridId, encode([this.own.bootId, bootId]));
		const meeting: Meeting = {
			bootId: this.own.bootId,
			metBootId: bootId,
			signature: dependencies.signer.sign(digest, config.keys.deviceSecret),
		};
		return { code: "newer", bootCount, meeting };
	}

	#isOwn(digest: Uint8Array, signature: Uint8Array): boolean {
		return this.#context.dependencies.verifier.verify(signature, digest, this.#context.deviceKey);
	}
}

function isSame(known: Boot | undefined, boot: Boot): boolean {
	return known?.bootCount === boot.bootCount && equalBytes(known.bootId, boot.bootId);
}
