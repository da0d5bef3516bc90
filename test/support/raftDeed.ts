/** One thing happens to one device in a world: what the core makes of it, and the world after. */
import type { VoterSet } from "../../src/block/voters.js";
import type { RaftEffect, RaftInput } from "../../src/consensus/state.js";
import type { Entry } from "../../src/message/message.js";
import { assert } from "../../src/primitives/assert.js";
import { START_MS } from "./raft.js";
import { isDead } from "./raftDeadLetters.js";
import { copied, type Disk, written } from "./raftDisk.js";
import type { Keys } from "./raftKeys.js";
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
import type { Core } from "./raftScope.js";
import {
	type Budget,
	boot,
	cloneDevice,
	type Device,
	type Letter,
	NOW_MS,
	type Sent,
	timeless,
	timelessMessage,
	type World,
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
	readonly #left: Budget;
	readonly #devices: Device[];
	readonly #changed = new Set<number>();
	readonly #letters: Map<number, Letter>;
	#leaders: ReadonlyMap<number, number>;
	#certified: readonly Entry[];
	/** Writes of the device that settled. */
	settledWrites = 0;

	constructor(world: World, core: Core, keys: Keys, genesis: VoterSet, at: number, options: DeedOptions) {
		this.#left = world.left;
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
	fetch(disk: Disk): void {
		const { base, certificate, votersCertificate } = disk;
		const device = this.device(this.#at);
		assert(certificate !== undefined, "certified blocks have a certificate");
		device.disk = copied(device.disk, disk);
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
		const after = {
			devices: this.#devices,
			left: this.#left,
			leaders: this.#leaders,
			certified: this.#certified,
		};
		const letters = [...this.#letters.values()].filter((letter) => !isDead(letter, after, this.#core, this.#keys));
		return { ...after, network: letters.sort((a, b) => a.key - b.key) };
	}
}

/** With all written, the numbers of writes begin anew: equal devices stay equal. */
function rewind(device: Device): void {
	if (device.writes.length > 0) return;
	device.state.nextSeq = 1;
	device.state.changeSeq = undefined;
}
