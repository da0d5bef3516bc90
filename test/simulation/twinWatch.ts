/**
 * One key on two devices, or a device that was put back to what it had been: no protocol for crashes can keep its
 * promises then. What is asked for is that it is noticed: as soon as a neighbour that knew the other life meets this
 * one, or this one is shown a signature of its own that it does not know, it stops voting and says why; and whoever
 * sees two signatures of it for one place keeps them as evidence.
 */
import type { Certificate } from "../../src/block/certificate.js";
import type { RaftState } from "../../src/consensus/state.js";
import type { Boot, Message } from "../../src/message/message.js";
import type { NodeInput } from "../../src/node/protocol.js";
import { equalBytes, toHex } from "../../src/primitives/bytes.js";
import type { House } from "./house.js";
import { peekType, readMessage, TYPE_NUMBERS } from "./wire.js";
import { type Observer, Violation, type World } from "./world.js";

const NOTICE_LIMIT_MS = 60_000;

/** Why a device stops voting that has noticed; one that forgot its votes has stopped already. */
const REASONS: readonly (string | undefined)[] = ["twin-device", "unknown-own-signature", "votes-damaged"];

export class TwinWatch implements Observer {
	readonly #world: World;
	/** By neighbour: the newest start of each device that this run of it heard of. */
	readonly #heard = new Map<House, { run: number; boots: Map<House, Boot> }>();
	/** Which start of a house its run is. */
	readonly #own = new Map<House, { run: number; boot: Boot }>();
	/** Those who were shown their other life, and how. */
	readonly #shown = new Map<House, string>();
	#expected: House[] = [];

	constructor(world: World) {
		this.#world = world;
	}

	/** From now on a house has a twin, or none but its own past. */
	expect(house: House, twin: House | undefined): void {
		this.#expected = twin === undefined ? [house] : [house, twin];
	}

	sending(house: House, _to: House, frame: Uint8Array): void {
		if (peekType(frame) !== TYPE_NUMBERS.hello) return;
		const hello = readMessage(frame);
		if (hello?.type === "hello") this.#own.set(house, { run: house.run, boot: hello.boot });
	}

	/** A node has looked at a frame: from now on it knows what that said. */
	finished(house: House, input: NodeInput | undefined): void {
		if (input?.type !== "peerFrame") return;
		const type = peekType(input.frame);
		const isAnswer = type === TYPE_NUMBERS.appendReply && this.#expected.length > 0;
		if (type !== TYPE_NUMBERS.hello && !isAnswer) return;
		const from = this.#world.network.end(input.channel)?.other.house;
		const message = readMessage(input.frame);
		if (from === undefined || message === undefined) return;
		if (this.#expected.includes(from)) this.#checkEvidence(house, from, message);
		if (message.type !== "hello") return;
		this.#hear(house, from, message.boot);
		if (this.#expected.includes(house)) this.#show(house, from, message.knownBoot, message.certificate);
	}

	#hear(house: House, from: House, boot: Boot): void {
		const device = from.original ?? from;
		const key = from.street?.deviceKey;
		// Nothing is kept for strangers.
		if (key === undefined || house.street?.deviceIndexOf(toHex(key)) === undefined) return;
		const known = this.#heard.get(house);
		const heard = known?.run === house.run ? known : { run: house.run, boots: new Map<House, Boot>() };
		this.#heard.set(house, heard);
		const newest = heard.boots.get(device);
		if (newest === undefined || newest.bootCount <= boot.bootCount) heard.boots.set(device, boot);
	}

	/** A device was shown a start of its key, and a certificate: either may be of another life of it. */
	#show(house: House, from: House, boot: Boot | undefined, certificate: Certificate | undefined): void {
		const own = this.#own.get(house);
		const { raft } = house.street ?? {};
		if (raft === undefined) return;
		if (own?.run === house.run && boot !== undefined && isOfAnother(boot, own.boot)) {
			this.#shown.set(house, `${from.name} showed it start ${boot.bootCount}, it is start ${own.boot.bootCount}`);
		}
		if (certificate !== undefined && isUnknown(raft, certificate)) {
			this.#shown.set(house, `${from.name} showed it its signature for ${certificate.index} in ${certificate.term}`);
		}
	}

	/** What a device's head stands on holds no signature of it that it does not know, unless it has noticed. */
	stepped(house: House): void {
		if (!this.#expected.includes(house)) return;
		const { raft } = house.street ?? {};
		if (raft?.certificate === undefined || !isUnknown(raft, raft.certificate)) return;
		this.#shown.set(house, `its head holds its signature for ${raft.certificate.index} in ${raft.certificate.term}`);
	}

	/** Two signatures for one place: one in the own head's certificate, the other one shown. */
	#checkEvidence({ name, street }: House, from: House, message: Message): void {
		const own = street?.raft?.certificate;
		const voter = from.street?.raft?.self;
		if (street === undefined || own === undefined || voter === undefined) return;
		if (message.type !== "appendReply" || message.acknowledgement === undefined) return;
		const { hash } = message.acknowledgement;
		const isTwice =
			message.matchIndex === own.index &&
			message.term === own.term &&
			!equalBytes(hash, own.hash) &&
			own.signatures.some((signed) => signed.voter === voter);
		if (!isTwice) return;
		this.#world.count("one place signed twice");
		if (street.doubleSignatures.some((evidence) => evidence.voter === voter)) return;
		throw new Violation("two signatures for one place are evidence", `${name} keeps nothing about ${from.name}`);
	}

	/** Everything is mended: those who have to notice do. */
	async check(): Promise<void> {
		const [device, twin] = this.#expected;
		if (device === undefined) return;
		const world = this.#world;
		const noticed = () => this.#mustNotice(device, twin).every(({ house }) => hasNoticed(house));
		if (await world.run(world.nowMs + NOTICE_LIMIT_MS, noticed, 500)) {
			if (this.#mustNotice(device, twin).length > 0) {
				world.count(twin === undefined ? "backup noticed" : "twin noticed");
			}
			return;
		}
		const unaware = this.#mustNotice(device, twin).filter(({ house }) => !hasNoticed(house));
		const text = unaware.map(({ house, why }) => `${house.name} votes on: ${why} (${house.street?.outOfUse})`);
		throw new Violation("a twin is noticed", text.join("; "));
	}

	/** Both of two clones; who was shown its other life; and one that was put back, if a neighbour knows a later start of it. */
	#mustNotice(device: House, twin: House | undefined): { house: House; why: string }[] {
		const living = this.#expected.filter((house) => house.isUp && house.street?.raft !== undefined);
		if (twin !== undefined && living.length === 2) return living.map((house) => ({ house, why: "it has a twin" }));
		return living.flatMap((house) => {
			const why = this.#shown.get(house) ?? (twin === undefined ? this.#isKnown(device) : undefined);
			return why === undefined ? [] : [{ house, why }];
		});
	}

	#isKnown(device: House): string | undefined {
		const own = device.street?.config.bootCount ?? 0;
		for (const [neighbour, { run, boots }] of this.#heard) {
			const known = boots.get(device)?.bootCount ?? 0;
			if (known > own && neighbour.isUp && neighbour.run === run) {
				return `${neighbour.name} knows start ${known}, it is start ${own}`;
			}
		}
		return undefined;
	}

	written(): void {}
	writing(): void {}
}

function isOfAnother(shown: Boot, own: Boot): boolean {
	return shown.bootCount >= own.bootCount && !equalBytes(shown.bootId, own.bootId);
}

/** Whether a certificate holds a signature of the device above all that it remembers, or for another block there. */
function isUnknown({ self, lastSigned }: RaftState, { index, term, hash, signatures }: Certificate): boolean {
	if (!signatures.some(({ voter }) => voter === self)) return false;
	if (lastSigned === undefined || term > lastSigned.term) return true;
	if (term < lastSigned.term || index < lastSigned.index) return false;
	return index > lastSigned.index || !equalBytes(hash, lastSigned.hash);
}

/** It has stopped, and says why. */
function hasNoticed({ street }: House): boolean {
	return REASONS.includes(street?.raft?.suspended) && street?.outOfUse !== undefined;
}
