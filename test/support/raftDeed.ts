/** One thing happens to one device in a world: what the core makes of it, and the world after. */
import type { VoterSet } from "../../src/block/voters.js";
import type { RaftEffect, RaftInput, RaftState } from "../../src/consensus/state.js";
import type { Entry } from "../../src/message/message.js";
import { assert } from "../../src/primitives/assert.js";
import { START_MS } from "./raft.js";
import type { Core } from "./raftExplorer.js";
import {
	checkCertified,
	checkCovered,
	checkLeader,
	checkLog,
	checkLogsMatch,
	checkSaid,
	checkWrite,
	Violation,
} from "./raftProperties.js";
import {
	type Budget,
	boot,
	cloneDevice,
	type Device,
	type Disk,
	type Keys,
	type Letter,
	NOW_MS,
	type Sent,
	timeless,
	timelessMessage,
	type World,
	written,
} from "./raftWorld.js";

export interface Action {
	readonly label: string;
	readonly act: (deed: Deed) => void;
	/** What it takes from the budget. */
	readonly costs?: keyof Budget;
}

export interface DeedOptions {
	readonly slowWrites: boolean;
	readonly allowsEarlyWord: boolean;
	/** The device crashes when so many of its writes have settled. */
	readonly crashAfter: number | undefined;
}

/** Nobody forges here: one signature will do. */
const SIGNATURE = new Uint8Array(65);

export class Deed {
	readonly #core: Core;
	readonly #keys: Keys;
	readonly #genesis: VoterSet;
	readonly #at: number;
	readonly #options: DeedOptions;
	readonly #world: World;
	readonly #devices: Device[];
	readonly #changed = new Set<number>();
	readonly #letters: Map<number, Letter>;
	#leaders: ReadonlyMap<number, number>;
	#certified: readonly Entry[];
	/** Writes of the device that settled. */
	settledWrites = 0;

	constructor(world: World, core: Core, keys: Keys, genesis: VoterSet, at: number, options: DeedOptions) {
		this.#world = world;
		this.#core = core;
		this.#keys = keys;
		this.#genesis = genesis;
		this.#at = at;
		this.#options = options;
		this.#devices = [...world.devices];
		this.#letters = new Map(world.network.map((letter) => [letter.key, letter]));
		this.#leaders = world.leaders;
		this.#certified = world.certified;
	}

	/** The device, to be changed. */
	device(at: number): Device {
		const device = this.#devices[at];
		assert(device !== undefined, "there is such a device");
		if (this.#changed.has(at)) return device;
		this.#changed.add(at);
		const clone = cloneDevice(device);
		this.#devices[at] = clone;
		return clone;
	}

	// ── deeds ────────────────────────────────────────────────────────────────────────────────────────────────────

	deliver(letter: Letter): void {
		this.#letters.delete(letter.key);
		this.feed(letter.to, { type: "message", from: letter.from, message: letter.message });
	}

	heartbeat(): void {
		const { state } = this.device(this.#at);
		state.nextHeartbeatMs = NOW_MS;
		if (state.transferUntilMs !== undefined) state.transferUntilMs = NOW_MS;
		this.feed(this.#at, { type: "tick", monotonicMs: NOW_MS, chainMs: START_MS });
	}

	crash(): void {
		Object.assign(this.device(this.#at), { isUp: false, writes: [], held: [] });
	}

	restart(everybody: readonly number[]): void {
		const at = this.#at;
		this.#changed.add(at);
		this.#devices[at] = boot(at, this.device(at).disk, everybody);
		for (const other of everybody) {
			if (other !== at && this.#devices[other]?.isUp === true) this.feed(other, { type: "greeted", from: at });
		}
	}

	/** Certified blocks, as another has them on its disk. */
	fetch({ base, certificate, votersCertificate }: Disk): void {
		const device = this.device(this.#at);
		assert(certificate !== undefined, "certified blocks have a certificate");
		const tail = device.disk.tail.filter(({ block }) => block.index > base.index);
		device.disk = { ...device.disk, base, certificate, votersCertificate, tail };
		this.feed(this.#at, { type: "installed", base, certificate, votersCertificate });
	}

	/** The oldest write settles; what waited for it leaves. */
	settleNext(): void {
		const device = this.device(this.#at);
		for (const sent of this.#settle(device)) this.#leave(device, sent);
		rewind(device);
	}

	feed(at: number, input: RaftInput): void {
		const device = this.device(at);
		if (!device.isUp) return;
		for (const effect of this.#core.step(device.state, input)) this.#carryOut(device, effect);
		if (!this.#options.slowWrites) this.#settleAll(device);
		timeless(device.state);
		rewind(device);
	}

	#settleAll(device: Device): void {
		while (device.isUp && device.writes.length > 0) {
			if (device.state.self === this.#at) {
				if (this.settledWrites === this.#options.crashAfter) {
					this.crash();
					return;
				}
				this.settledWrites += 1;
			}
			for (const sent of this.#settle(device)) this.#leave(device, sent);
		}
	}

	#settle(device: Device): Sent[] {
		const write = device.writes.shift();
		if (write === undefined) return [];
		checkWrite(device.state.self, device.disk, write);
		device.disk = written(device.disk, write);
		const ready = device.held.filter(({ afterSeq }) => afterSeq <= write.seq);
		device.held = device.held.filter(({ afterSeq }) => afterSeq > write.seq);
		return ready;
	}

	// ── effects ──────────────────────────────────────────────────────────────────────────────────────────────────

	#carryOut(device: Device, effect: RaftEffect): void {
		const { state } = device;
		switch (effect.type) {
			case "persist":
				device.writes.push(effect.persist);
				break;
			case "send":
				this.#send(device, effect);
				break;
			case "validate":
				this.feed(state.self, { type: "validated", hash: effect.entry.hash, result: { valid: true } });
				break;
			case "commit": {
				const { entries, certificate } = effect;
				this.#certified = checkCertified(this.#certified, entries);
				checkCovered(certificate, certificate.index - entries.length, this.#certified, this.#genesis);
				break;
			}
			case "becameLeader":
				checkLeader(state, this.#leaders, this.#certified);
				this.#leaders = new Map([...this.#leaders, [effect.term, state.self]]);
				break;
			case "misbehaved":
				throw new Violation(`${state.self} blames ${effect.from}: ${effect.code}`);
			case "evidence":
				throw new Violation(`${state.self} has evidence: ${effect.code}`);
			case "truncated":
			case "becameFollower":
			case "behind":
			case "refusedBy":
				break;
		}
	}

	#send(device: Device, effect: Extract<RaftEffect, { type: "send" }>): void {
		const { to, sign, afterSeq = 0 } = effect;
		const message = timelessMessage(effect.message);
		const isSigned = message.type === "appendReply" && sign !== undefined;
		const sent: Sent = {
			from: device.state.self,
			to,
			message: isSigned ? { ...message, acknowledgement: { hash: sign.hash, signature: SIGNATURE } } : message,
		};
		const oldest = device.writes[0];
		if (oldest !== undefined && oldest.seq <= afterSeq) device.held.push({ ...sent, afterSeq });
		else this.#leave(device, sent);
	}

	#leave(device: Device, sent: Sent): void {
		// Pre-votes are always granted: see #stand.
		if (sent.message.type === "preVote") return;
		if (!this.#options.allowsEarlyWord) checkSaid(device, sent);
		if (sent.to === device.state.self) {
			this.feed(sent.to, { type: "message", from: sent.to, message: sent.message });
			return;
		}
		const letter = this.#keys.letter(sent);
		this.#letters.set(letter.key, letter);
	}

	// ── the world after ──────────────────────────────────────────────────────────────────────────────────────────

	finish(): World {
		for (const at of this.#changed) {
			const device = this.#devices[at] as Device;
			device.key = this.#keys.device(device);
			if (!device.isUp) continue;
			checkLog(device);
			checkLogsMatch(this.#devices, device);
		}
		for (const letter of this.#letters.values()) if (this.#isDead(letter)) this.#letters.delete(letter.key);
		return {
			devices: this.#devices,
			network: [...this.#letters.values()].sort((a, b) => a.key - b.key),
			left: this.#world.left,
			leaders: this.#leaders,
			certified: this.#certified,
		};
	}

	/** Whether a message can change nothing any more: then the world is the same without it. */
	#isDead(letter: Letter): boolean {
		const { to, message } = letter;
		const device = this.#devices[to] as Device;
		const { state, disk, isUp } = device;
		if (!isUp) return false;
		const term = Math.min(state.term, disk.votes.term);
		switch (message.type) {
			case "appendReply":
				return (
					message.term < term || (message.term === term && (state.role !== "leader" || this.#isOld(letter, state)))
				);
			case "voteReply":
				return message.term < term || (message.term === term && (state.role !== "candidate" || !message.granted));
			case "timeoutNow":
				return message.term < term;
			case "requestVote":
				// The vote of this term is given.
				if (message.term === term && (disk.votes.votedFor ?? letter.from) !== letter.from) return true;
				return message.term < term && this.#isPowerless(letter, device);
			case "appendEntries":
				return message.term < term && this.#isPowerless(letter, device);
			default:
				return false;
		}
	}

	/** A leader learned all of it already. Only if nobody can start again, after which it begins to count anew. */
	#isOld({ from, message }: Letter, { progress, base, acknowledgements }: RaftState): boolean {
		if (message.type !== "appendReply" || message.status !== "match") return false;
		if (this.#world.left.crashes > 0 || this.#devices.some(({ isUp }) => !isUp)) return false;
		const known = progress.get(from);
		if (known === undefined || message.matchIndex > known.matchIndex || message.commitIndex > known.commitIndex)
			return false;
		return message.acknowledgement === undefined || message.matchIndex <= base.index || acknowledgements.has(from);
	}

	/** A message of the past is answered, and that is all: the answer's newer term its sender may learn otherwise. */
	#isPowerless({ from, to, message, key }: Letter, device: Device): true {
		if (!this.#keys.isNew(`${key} to ${device.key}`)) return true;
		const copy = cloneDevice(device);
		const effects = this.#core.step(copy.state, { type: "message", from, message });
		timeless(copy.state);
		if (this.#keys.device(copy) !== device.key || effects.some(({ type }) => type !== "send")) {
			throw new Violation(`${to} is changed by a message of the past: ${message.type} of term ${message.term}`);
		}
		return true;
	}
}

/** With all written, the numbers of writes begin anew: equal devices stay equal. */
function rewind(device: Device): void {
	if (device.writes.length > 0) return;
	device.state.nextSeq = 1;
	device.state.changeSeq = undefined;
}
