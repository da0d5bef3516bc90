/** Numbers for worlds and what they are made of, so that equal ones are found. */
import type { Certificate } from "../../src/block/certificate.js";
import type { Persist } from "../../src/consensus/state.js";
import type { Entry, RaftMessage } from "../../src/message/message.js";
import { toHex } from "../../src/primitives/bytes.js";
import type { Device, Letter, Sent } from "./raftWorld.js";

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
			`${state.triedSuccessors.baseIndex}:${state.triedSuccessors.voters}`,
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

/** 53 bits of some numbers below 2^32 (after cyrb53): of a million worlds two are mistaken for one another with a chance of 1 in 18,000. */
export function hash53(numbers: readonly number[]): number {
	let a = 0xdeadbeef;
	let b = 0x41c6ce57;
	for (const number of numbers) {
		a = Math.imul(a ^ number, 2654435761);
		b = Math.imul(b ^ number, 1597334677);
		a ^= a >>> 15;
		b ^= b >>> 13;
	}
	a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
	b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
	return 4294967296 * (2097151 & b) + (a >>> 0);
}
