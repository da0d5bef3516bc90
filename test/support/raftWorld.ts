/**
 * Worlds for the explorer: some cores with their disks and what is under way between them, as values. A device that did
 * not change is shared between worlds; whatever only time or chance decides is taken out, so that equal worlds are equal.
 */
import type { Certificate } from "../../src/block/certificate.js";
import { createRaft } from "../../src/consensus/raft.js";
import type { LogBase, Persist, RaftState } from "../../src/consensus/state.js";
import type { Entry, RaftMessage } from "../../src/message/message.js";
import { toHex } from "../../src/primitives/bytes.js";
import { baseAt, START_MS } from "./raft.js";

/** The one moment of monotonic time: long after everything that was ever heard. */
export const NOW_MS = 1_000_000;

export interface Disk {
	readonly votes: Persist["votes"];
	readonly base: LogBase;
	readonly certificate: Certificate | undefined;
	readonly votersCertificate: Certificate | undefined;
	readonly tail: readonly Entry[];
}

export interface Sent {
	readonly from: number;
	readonly to: number;
	readonly message: RaftMessage;
}

/** A core, its disk, and its writes under way with what waits for them. */
export interface Device {
	state: RaftState;
	disk: Disk;
	isUp: boolean;
	writes: Persist[];
	held: (Sent & { afterSeq: number })[];
	/** Equal for equal devices; 0 while it changes. */
	key: number;
}

export interface World {
	readonly devices: readonly Device[];
	/** Under way, each message once, by ascending key. Nothing is ever lost but by never arriving. */
	readonly network: readonly Letter[];
	readonly left: Budget;
	/** Who ever led which term. */
	readonly leaders: ReadonlyMap<number, number>;
	/** All blocks that were ever certified. */
	readonly certified: readonly Entry[];
}

export interface Letter extends Sent {
	readonly key: number;
}

/** What may still happen. */
export interface Budget {
	readonly elections: number;
	readonly proposals: number;
	readonly changes: number;
	readonly crashes: number;
	readonly transfers: number;
	readonly heartbeats: number;
	readonly fetches: number;
}

export function cloneDevice(device: Device): Device {
	const { state } = device;
	return {
		...device,
		state: {
			...state,
			// Everybody has met everybody: peers and greeted stay what they are, and are shared.
			tail: [...state.tail],
			votes: copyOf(state.votes),
			progress: copyOf(state.progress, (progress) => ({ ...progress })),
			acknowledgements: copyOf(state.acknowledgements),
			waiting: state.waiting === undefined ? undefined : { ...state.waiting },
		},
		writes: [...device.writes],
		held: [...device.held],
		key: 0,
	};
}

function copyOf<V>(map: ReadonlyMap<number, V>, copy: (value: V) => V = (value) => value): Map<number, V> {
	const copied = new Map<number, V>();
	for (const [key, value] of map) copied.set(key, copy(value));
	return copied;
}

/** A device that starts from its disk, and has met everybody. */
export function boot(self: number, disk: Disk, everybody: readonly number[]): Device {
	const { votes, base, certificate, votersCertificate, tail } = disk;
	const restart = { self, ...votes, base, certificate, votersCertificate, tail: [...tail] };
	const state = createRaft(restart, { monotonicMs: NOW_MS, chainMs: START_MS }, 0);
	for (const other of everybody) {
		if (other === self) continue;
		state.peers.add(other);
		state.greeted.add(other);
	}
	timeless(state);
	return { state, disk, isUp: true, writes: [], held: [], key: 0 };
}

/** Takes out what only time and chance decide. Nobody counts as heard lately: so every election is possible. */
export function timeless(state: RaftState): void {
	state.nowMs = NOW_MS;
	state.chainMs = START_MS;
	state.electionDeadlineMs = NOW_MS + 1;
	state.lastLeaderContactMs = 0;
	state.standNotBeforeMs = 0;
	state.nextHeartbeatMs = NOW_MS + 1;
	state.round = 0;
	state.random = 0;
	if (state.proposalDeadlineMs !== undefined) state.proposalDeadlineMs = NOW_MS + 1;
	if (state.transferUntilMs !== undefined) state.transferUntilMs = NOW_MS + 1;
	for (const progress of state.progress.values()) {
		progress.lastHeardMs = NOW_MS;
		progress.round = 0;
	}
}

/** The same message whatever the round and the clock. */
export function timelessMessage(message: RaftMessage): RaftMessage {
	if (message.type === "appendEntries") return { ...message, round: 0 };
	if (message.type === "appendReply") return { ...message, round: 0, chainMs: START_MS };
	return message;
}

/** A write on the disk. */
export function written(disk: Disk, { votes, truncateFrom, append, commit }: Persist): Disk {
	let { base, certificate, votersCertificate, tail } = disk;
	if (truncateFrom !== undefined) tail = tail.filter(({ block }) => block.index < truncateFrom);
	if (append !== undefined) tail = [...tail, append];
	if (commit !== undefined) {
		certificate = commit.certificate;
		if (commit.changesVoters) votersCertificate = certificate;
		const { index } = certificate;
		base = tail.filter(({ block }) => block.index <= index).reduce((below, entry) => baseAt(entry, below), base);
		tail = tail.filter(({ block }) => block.index > index);
	}
	return { votes, base, certificate, votersCertificate, tail };
}

/** Gives equal numbers to equal things. */
export class Keys {
	readonly #numbers = new Map<string, number>();
	/** By identity first: blocks' hashes are shared, and looking at their bytes is slow. */
	readonly #hashes = new WeakMap<Uint8Array, number>();

	number(text: string): number {
		const known = this.#numbers.get(text);
		if (known !== undefined) return known;
		const next = this.#numbers.size + 1;
		this.#numbers.set(text, next);
		return next;
	}

	/** Whether this text is seen for the first time. */
	isNew(text: string): boolean {
		const count = this.#numbers.size;
		return this.number(text) > count;
	}

	hash(hash: Uint8Array): number {
		let known = this.#hashes.get(hash);
		if (known === undefined) {
			known = this.number(toHex(hash));
			this.#hashes.set(hash, known);
		}
		return known;
	}

	#certificate(certificate: Certificate | undefined): string {
		if (certificate === undefined) return "-";
		return `${this.hash(certificate.hash)}by${certificate.signatures.map(({ voter }) => voter).join()}`;
	}

	#tail(tail: readonly Entry[]): string {
		return tail.map(({ hash }) => this.hash(hash)).join();
	}

	#votes({ term, votedFor, lastSigned, suspended }: Persist["votes"]): string {
		return `${term},${votedFor},${lastSigned === undefined ? "-" : this.hash(lastSigned.hash)},${suspended}`;
	}

	message(message: RaftMessage): string {
		const { type, term } = message;
		switch (message.type) {
			case "appendEntries": {
				const { prevHash, entries, certificate } = message;
				return `${type}${term},${this.hash(prevHash)},${this.#tail(entries)},${this.#certificate(certificate)}`;
			}
			case "appendReply": {
				const { status, matchIndex, commitIndex, acknowledgement } = message;
				const signed = acknowledgement === undefined ? "" : this.hash(acknowledgement.hash);
				return `${type}${term},${status},${matchIndex},${commitIndex},${signed}`;
			}
			case "preVote":
			case "requestVote":
				return `${type}${term},${message.lastTerm},${message.lastIndex},${message.type === "requestVote" && message.transfer}`;
			case "preVoteReply":
			case "voteReply":
				return `${type}${term},${message.granted}`;
			case "timeoutNow":
				return `${type}${term}`;
		}
	}

	letter({ from, to, message }: Sent): Letter {
		return { from, to, message, key: this.number(`${from}>${to}:${this.message(message)}`) };
	}

	#write(write: Persist): string {
		const { seq, votes, truncateFrom, append, commit } = write;
		const entry = append === undefined ? "" : this.hash(append.hash);
		return `${seq}:${this.#votes(votes)},${truncateFrom},${entry},${this.#certificate(commit?.certificate)}`;
	}

	device({ state, disk, isUp, writes, held }: Device): number {
		const stored = `${this.#votes(disk.votes)}/${this.hash(disk.base.hash)}/${this.#tail(disk.tail)}/${this.#certificate(disk.certificate)}/${this.#certificate(disk.votersCertificate)}`;
		// What is down has no memory.
		if (!isUp) return this.number(`${state.self} down ${stored}`);
		const { waiting } = state;
		const parts = [
			state.self,
			state.role,
			state.leader,
			this.#votes(state),
			this.hash(state.base.hash),
			this.#certificate(state.certificate),
			this.#certificate(state.votersCertificate),
			this.#tail(state.tail),
			[...state.votes].flatMap(([voter, { granted }]) => (granted ? [voter] : [])).sort(),
			[...state.progress].map(([peer, p]) => `${peer}:${p.nextIndex},${p.matchIndex},${p.commitIndex}`).sort(),
			state.proposalDeadlineMs !== undefined,
			state.transferUntilMs !== undefined,
			state.changeSeq,
			[...state.acknowledgements.keys()].sort(),
			waiting === undefined ? "" : `${waiting.leader},${this.#tail(waiting.entries)}`,
			this.#certificate(state.ahead),
			state.nextSeq,
			stored,
			writes.map((write) => this.#write(write)).join(),
			held.map((sent) => `${sent.afterSeq}>${sent.to}:${this.message(sent.message)}`).join(),
		];
		return this.number(parts.join("|"));
	}
}

/** 53 bits of a text (cyrb53): of a million worlds two are mistaken for one another with a chance of 1 in 18,000. */
export function hash53(text: string): number {
	let a = 0xdeadbeef;
	let b = 0x41c6ce57;
	for (let at = 0; at < text.length; at++) {
		const code = text.charCodeAt(at);
		a = Math.imul(a ^ code, 2654435761);
		b = Math.imul(b ^ code, 1597334677);
	}
	a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
	b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
	return 4294967296 * (2097151 & b) + (a >>> 0);
}
