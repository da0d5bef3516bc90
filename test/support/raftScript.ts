/**
 * A script drives some cores by hand, one command a line, and prints what they say, write and become (after etcd/raft's
 * interaction tests). Clocks, the network and the disks do only what the script says; the same script gives the same text.
 *
 *   nodes 3 [observers 1]      devices 1 … 3 vote, 4 observes; all have met
 *   tick 2 3000 | timeout 2    time passes for one device: so many ms, or until its election time-out
 *   propose 1                  an empty block; propose-voters 1 add 4, propose-voters 1 remove 3: one that changes the voters
 *   deliver [1->2]             what is under way now (on one link), in order; answers stay under way
 *   drop [1->2]                it is lost
 *   stabilize                  deliver until nothing is under way
 *   elect 1                    timeout 1, stabilize
 *   partition 1 | 2 3, heal    messages between the groups are lost; healed, all say hello again
 *   slow-writes 2              its writes settle only by: settle-writes 2
 *   crash 2, restart 2         writes that have not settled are lost
 *   resume 2 60000             a frozen tab comes back after so many ms
 *   fetch 2 1                  2 gets the certified blocks that 1 has, another way than by the core
 *   transfer 1, status
 *   quietly elect 1            a command whose output is not the point
 */
import { step } from "../../src/consensus/raft.js";
import { lastOf, type Persist, type RaftInput, type RaftState } from "../../src/consensus/state.js";
import type { RaftMessage } from "../../src/message/message.js";
import { assert } from "../../src/primitives/assert.js";
import { device, entryOn, GENESIS, signed, type VoterChange } from "./raft.js";
import { copied, type Disk, emptyDisk, restartFrom, written } from "./raftDisk.js";
import { BlockNames, eventText, messageText, statusText, writeText } from "./raftScriptText.js";

interface Sent {
	from: number;
	to: number;
	message: RaftMessage;
}

interface Member {
	state: RaftState;
	isUp: boolean;
	isSlow: boolean;
	disk: Disk;
	/** Writes that have not settled, and what waits for them. */
	writes: Persist[];
	held: (Sent & { afterSeq: number })[];
	/** As of the last write, settled or not: what the next one changes. */
	written: Persist["votes"];
}

/** More messages than any dialogue has: the script runs in circles. */
const MAX_DELIVERIES = 1_000;

export class RaftScript {
	readonly #members = new Map<number, Member>();
	readonly #names = new BlockNames();
	#network: Sent[] = [];
	#groups: number[][] = [];
	#voters: number[] = [];
	#lines: string[] = [];

	/** Carries out one command; gives the lines that it prints. */
	run(command: string): string[] {
		this.#lines = [];
		const words = command.trim().split(/\s+/);
		const isQuiet = words[0] === "quietly";
		const [verb = "", ...rest] = isQuiet ? words.slice(1) : words;
		const carryOut = this.#commands[verb];
		assert(carryOut !== undefined, `no such command: ${command}`);
		carryOut(rest);
		return isQuiet || this.#lines.length === 0 ? ["ok"] : this.#lines;
	}

	readonly #commands: Record<string, (words: string[]) => void> = {
		nodes: ([voters, , observers = "0"]) => this.#start(Number(voters), Number(observers)),
		tick: ([at, ms]) => this.#pass(Number(at), Number(ms)),
		timeout: ([at]) => this.#timeout(Number(at)),
		elect: ([at]) => {
			this.#timeout(Number(at));
			this.#stabilize();
		},
		propose: ([at]) => this.#propose(Number(at)),
		"propose-voters": ([at, how, ...devices]) =>
			this.#propose(Number(at), { [how === "add" ? "added" : "removed"]: devices.map(Number) }),
		deliver: ([link]) => this.#deliver(link),
		drop: ([link]) => {
			for (const sent of this.#take(link)) this.#print(0, `${this.#text(sent)} is lost`);
		},
		stabilize: () => this.#stabilize(),
		partition: (words) => {
			this.#groups = words
				.join(" ")
				.split("|")
				.map((group) => group.trim().split(" ").map(Number));
		},
		heal: () => {
			this.#groups = [];
			for (const [at] of this.#members) this.#greet(at);
		},
		"slow-writes": ([at]) => {
			this.#member(Number(at)).isSlow = true;
		},
		"settle-writes": ([at]) => this.#settle(Number(at)),
		crash: ([at]) => this.#crash(Number(at)),
		restart: ([at]) => this.#restart(Number(at)),
		resume: ([at, ms]) => {
			const { nowMs, chainMs } = this.#member(Number(at)).state;
			const clocks = { monotonicMs: nowMs + Number(ms), chainMs: chainMs + Number(ms) };
			this.#feed(Number(at), { type: "resume", ...clocks });
		},
		fetch: ([at, from]) => this.#fetch(Number(at), Number(from)),
		transfer: ([at]) => this.#feed(Number(at), { type: "transferLeadership" }),
		status: () => {
			for (const [at, { isUp, state }] of this.#members) {
				this.#print(0, `${at} ${isUp ? statusText(state) : "is down"}`);
			}
		},
	};

	#print(depth: number, text: string): void {
		this.#lines.push("  ".repeat(depth) + text);
	}

	#text({ from, to, message }: Sent): string {
		return `${from}->${to} ${messageText(message, this.#names)}`;
	}

	#member(at: number): Member {
		const member = this.#members.get(at);
		assert(member !== undefined, `there is no device ${at}`);
		return member;
	}

	// ── devices ──────────────────────────────────────────────────────────────────────────────────────────────────

	#start(voters: number, observers: number): void {
		this.#voters = Array.from({ length: voters }, (_, at) => at + 1);
		const base = { ...GENESIS, voters: this.#voters };
		for (let at = 1; at <= voters + observers; at++) {
			const greeted = [...this.#voters, ...Array.from({ length: observers }, (_, more) => voters + more + 1)];
			const disk = emptyDisk(base);
			const state = device(at, { base, greeted });
			const member = { state, disk, isUp: true, isSlow: false, writes: [], held: [], written: disk.votes };
			this.#members.set(at, member);
		}
	}

	#crash(at: number): void {
		const member = this.#member(at);
		for (const { seq } of member.writes) this.#print(0, `${at} loses write ${seq}`);
		Object.assign(member, { isUp: false, writes: [], held: [] });
		for (const [other, { isUp }] of this.#members) if (isUp) this.#feed(other, { type: "gone", from: at });
	}

	#restart(at: number): void {
		const member = this.#member(at);
		const { voters } = member.disk.base;
		const state = device(at, { ...restartFrom(at, member.disk), voters, greeted: [] });
		Object.assign(member, { isUp: true, isSlow: false, written: member.disk.votes, state });
		this.#greet(at);
		for (const [other, { isUp }] of this.#members) {
			if (isUp && this.#reaches(other, at)) this.#feed(other, { type: "greeted", from: at });
		}
	}

	#fetch(at: number, from: number): void {
		const member = this.#member(at);
		const { disk } = this.#member(from);
		const { base, certificate, votersCertificate } = disk;
		assert(certificate !== undefined && base.index > member.disk.base.index, "there is something to fetch");
		member.disk = copied(member.disk, disk);
		this.#feed(at, { type: "installed", base, certificate, votersCertificate });
	}

	#greet(at: number): void {
		for (const [other, { isUp }] of this.#members) {
			if (isUp && this.#reaches(other, at)) this.#feed(at, { type: "greeted", from: other });
		}
	}

	#reaches(from: number, to: number): boolean {
		const group = this.#groups.find((members) => members.includes(from));
		return from !== to && (this.#groups.length === 0 || group?.includes(to) === true);
	}

	// ── inputs ───────────────────────────────────────────────────────────────────────────────────────────────────

	#pass(at: number, ms: number): void {
		const { nowMs, chainMs } = this.#member(at).state;
		this.#feed(at, { type: "tick", monotonicMs: nowMs + ms, chainMs: chainMs + ms });
	}

	#timeout(at: number): void {
		const { state } = this.#member(at);
		this.#pass(at, Math.max(state.electionDeadlineMs, state.standNotBeforeMs) - state.nowMs);
	}

	#propose(at: number, voters?: VoterChange): void {
		const { state } = this.#member(at);
		const options = { proposer: at, ...(voters === undefined ? {} : { voters }) };
		const entry = entryOn(lastOf(state), state.term, options);
		this.#names.add(entry);
		this.#feed(at, { type: "propose", entry });
	}

	#feed(at: number, input: RaftInput): void {
		const member = this.#member(at);
		if (!member.isUp) return;
		for (const effect of step(member.state, input)) {
			const text = eventText(effect);
			if (text !== undefined) this.#print(1, `${at} ${text}`);
			if (effect.type === "persist") this.#write(at, effect.persist);
			if (effect.type === "send") {
				const sent = { from: at, to: effect.to, message: signed(at, effect) };
				const afterSeq = effect.afterSeq ?? 0;
				const waits = member.writes.some(({ seq }) => seq <= afterSeq);
				if (waits) member.held.push({ ...sent, afterSeq });
				this.#print(1, `${this.#text(sent)}${waits ? `, held by write ${afterSeq}` : ""}`);
				if (!waits) this.#send(sent);
			}
			if (effect.type === "validate") {
				this.#feed(at, { type: "validated", hash: effect.entry.hash, result: { valid: true } });
			}
		}
	}

	#send(sent: Sent): void {
		if (sent.from === sent.to) this.#feed(sent.to, { type: "message", from: sent.from, message: sent.message });
		else this.#network.push(sent);
	}

	// ── disks ────────────────────────────────────────────────────────────────────────────────────────────────────

	#write(at: number, write: Persist): void {
		const member = this.#member(at);
		this.#print(1, `${at} ${writeText(write, member.written)}${member.isSlow ? `: write ${write.seq}` : ""}`);
		member.written = write.votes;
		member.writes.push(write);
		if (!member.isSlow) this.#settleNext(member);
	}

	#settle(at: number): void {
		const member = this.#member(at);
		while (member.writes.length > 0) {
			this.#print(0, `${at} settled write ${member.writes[0]?.seq}`);
			for (const sent of this.#settleNext(member)) {
				this.#print(1, `${this.#text(sent)} leaves`);
				this.#send(sent);
			}
		}
	}

	#settleNext(member: Member): Sent[] {
		const write = member.writes.shift();
		if (write === undefined) return [];
		member.disk = written(member.disk, write);
		const ready = member.held.filter(({ afterSeq }) => afterSeq <= write.seq);
		member.held = member.held.filter(({ afterSeq }) => afterSeq > write.seq);
		return ready;
	}

	// ── network ──────────────────────────────────────────────────────────────────────────────────────────────────

	#take(link?: string): Sent[] {
		const isOn = ({ from, to }: Sent) => link === undefined || link === `${from}->${to}`;
		const taken = this.#network.filter(isOn);
		this.#network = this.#network.filter((sent) => !isOn(sent));
		return taken;
	}

	#deliver(link?: string): number {
		const taken = this.#take(link);
		for (const sent of taken) {
			const arrives = this.#reaches(sent.from, sent.to) && this.#member(sent.to).isUp;
			this.#print(0, this.#text(sent) + (arrives ? "" : " is lost"));
			if (arrives) this.#feed(sent.to, { type: "message", from: sent.from, message: sent.message });
		}
		return taken.length;
	}

	#stabilize(): void {
		let deliveries = 0;
		for (let count = this.#deliver(); count > 0; count = this.#deliver()) {
			deliveries += count;
			assert(deliveries < MAX_DELIVERIES, "the dialogue comes to an end");
		}
	}
}
