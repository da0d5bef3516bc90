/**
 * What has to hold of promises: nothing leaves a node before what it depends on is written, a device votes once a term,
 * and neither its term nor its commitIndex falls as long as its disk is whole.
 */
import { hashAt } from "../../src/consensus/state.js";
import type { Votes } from "../../src/node/storage.js";
import { equalBytes, toHex } from "../../src/primitives/bytes.js";
import type { Disk, Write } from "./disk.js";
import type { House } from "./house.js";
import type { RaftWatch } from "./raftWatch.js";
import { peekType, readMessage, TYPE_NUMBERS } from "./wire.js";
import { Violation } from "./world.js";

/** A reply without an acknowledgement is shorter: 97 bytes of signature and hash are missing. */
const ACKNOWLEDGEMENT_FRAME_BYTES = 100;

/** What a disk held, beyond what the disk says of itself. */
interface Held {
	votes: Votes | undefined;
	/** Hashes of the proposed blocks on it, by index. */
	readonly blocks: Map<number, string>;
}

export class PromiseWatch {
	readonly #raftWatch: RaftWatch;
	readonly #held = new WeakMap<Disk, Held>();
	/** The run of each house whose beginning was looked at. */
	readonly #runs = new WeakMap<House, number>();

	constructor(raftWatch: RaftWatch) {
		this.#raftWatch = raftWatch;
	}

	#heldOn(disk: Disk): Held {
		let held = this.#held.get(disk);
		if (held === undefined) {
			held = { votes: undefined, blocks: new Map() };
			this.#held.set(disk, held);
		}
		return held;
	}

	/** Something was written. */
	written(house: House, { writing }: Write): void {
		const { disk } = house;
		const held = this.#heldOn(disk);
		this.#checkVotes(house, held.votes, disk.votes);
		held.votes = disk.votes;
		if (!("chain" in writing)) return;
		const { truncateFrom, append } = writing.change;
		if (truncateFrom !== undefined) {
			checkKept(house, truncateFrom);
			for (const index of held.blocks.keys()) if (index >= truncateFrom) held.blocks.delete(index);
		}
		if (append === undefined) return;
		const { raft } = house.street ?? {};
		const hash = raft === undefined ? undefined : hashAt(raft, append.index);
		if (hash === undefined) held.blocks.delete(append.index);
		else held.blocks.set(append.index, toHex(hash));
	}

	/** The votes on the disk before and after a write. */
	#checkVotes(house: House, before: Votes | undefined, after: Votes | undefined): void {
		// Torn: the node says so itself and votes no more.
		if (before === undefined || after === undefined) return;
		if (after.term < before.term && after.suspended === undefined) {
			throw new Violation("the term never falls", `${house.name} writes ${after.term} over ${before.term}`);
		}
		if (after.term === before.term && before.votedFor !== undefined && after.votedFor !== before.votedFor) {
			throw new Violation(
				"a device votes once a term",
				`${house.name} writes a vote for ${after.votedFor} over one for ${before.votedFor} in term ${after.term}`,
			);
		}
	}

	/** A node that has opened its chain starts with what its disk held; it opens it only after its first write. */
	stepped(house: House): void {
		const { disk, run, street } = house;
		const { raft } = street ?? {};
		if (raft === undefined || this.#runs.get(house) === run) return;
		this.#runs.set(house, run);
		// What was written as the power went is only known by name now.
		const held = this.#heldOn(disk);
		for (const { block, hash } of raft.tail) held.blocks.set(block.index, toHex(hash));
		if (disk.isDamaged) return;
		const { votes } = held;
		if (votes !== undefined && raft.term < votes.term) {
			throw new Violation("the term never falls", `${house.name} starts with ${raft.term} of ${votes.term}`);
		}
		if (raft.base.index < disk.commitIndex) {
			throw new Violation(
				"commitIndex never falls",
				`${house.name} starts with ${raft.base.index} of ${disk.commitIndex}`,
			);
		}
	}

	/** A frame leaves. */
	sending(house: House, to: House, frame: Uint8Array): void {
		const type = peekType(frame);
		if (type === TYPE_NUMBERS.voteReply || type === TYPE_NUMBERS.requestVote) this.#checkVote(house, to, frame);
		else if (type === TYPE_NUMBERS.appendReply && frame.length > ACKNOWLEDGEMENT_FRAME_BYTES) {
			this.#checkAcknowledgement(house, frame);
		}
	}

	#checkVote(house: House, to: House, frame: Uint8Array): void {
		const message = readMessage(frame);
		const { votes } = house.disk;
		const { raft } = house.street ?? {};
		const candidate =
			message?.type === "requestVote" ? raft?.self : message?.type === "voteReply" ? to.street?.raft?.self : undefined;
		if (message?.type === "voteReply" && !message.granted) return;
		if (candidate === undefined || (message?.type !== "voteReply" && message?.type !== "requestVote")) return;
		if (votes?.term === message.term && votes.votedFor === candidate) return;
		throw new Violation(
			"no send before its persist",
			`${house.name} says that it votes for ${candidate} in term ${message.term}; on its disk is ${votes?.votedFor} in ${votes?.term}`,
		);
	}

	#checkAcknowledgement(house: House, frame: Uint8Array): void {
		const message = readMessage(frame);
		if (message?.type !== "appendReply" || message.acknowledgement === undefined) return;
		const { raft } = house.street ?? {};
		const { matchIndex: index, term } = message;
		const { hash } = message.acknowledgement;
		if (raft !== undefined) this.#raftWatch.signed(house, raft.self, { index, term, hash });
		const { lastSigned } = house.disk.votes ?? {};
		const isSigned = lastSigned !== undefined && lastSigned.index === index && equalBytes(lastSigned.hash, hash);
		const isStored = this.#heldOn(house.disk).blocks.get(index) === toHex(hash);
		checkOfOwnTerm(house, message.term, hash);
		if (isSigned && isStored) return;
		throw new Violation(
			"no send before its persist",
			`${house.name} acknowledges block ${index} of term ${term}; ${isStored ? "its signature" : "it"} is not on its disk`,
		);
	}
}

/** §5.4.2: a block of an older term is answered for without a signature, or it could be committed by counting. */
function checkOfOwnTerm({ name, street }: House, term: number, hash: Uint8Array): void {
	const signed = street?.raft?.tail.find((entry) => equalBytes(entry.hash, hash));
	if (signed === undefined || signed.block.term === term) return;
	throw new Violation(
		"only blocks of the current term are signed",
		`${name} acknowledges block ${signed.block.index} of term ${signed.block.term} in term ${term}`,
	);
}

/** What a device has acknowledged in its current term stays in its log: a leader never replaces a block of its own term. */
function checkKept({ name, disk }: House, truncateFrom: number): void {
	const { term, lastSigned } = disk.votes ?? {};
	if (lastSigned === undefined || disk.isDamaged || lastSigned.term !== term) return;
	if (lastSigned.index < truncateFrom || lastSigned.index <= disk.commitIndex) return;
	throw new Violation(
		"what is acknowledged stays",
		`${name} deletes from ${truncateFrom} on; it acknowledged block ${lastSigned.index} in this term, ${term}`,
	);
}
